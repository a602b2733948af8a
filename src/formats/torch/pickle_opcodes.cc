// The table of opcodes, and those that only differ in the width of a number. Python's
// Lib/pickletools.py describes them all.
#include <array>

#include "core/base/format.h"
#include "formats/torch/pickle.h"

namespace lbrx {

namespace {

struct RefusedOpcode {
  uint8_t code;
  std::string_view name;
};

// Opcodes of protocols 0 and 1, of extension registries and of buffers outside the pickle.
constexpr std::array kRefused = {
    RefusedOpcode{'I', "INT"},          RefusedOpcode{'L', "LONG"},
    RefusedOpcode{'F', "FLOAT"},        RefusedOpcode{'S', "STRING"},
    RefusedOpcode{'V', "UNICODE"},      RefusedOpcode{'g', "GET"},
    RefusedOpcode{'p', "PUT"},          RefusedOpcode{'i', "INST"},
    RefusedOpcode{'o', "OBJ"},          RefusedOpcode{'P', "PERSID"},
    RefusedOpcode{0x82, "EXT1"},        RefusedOpcode{0x83, "EXT2"},
    RefusedOpcode{0x84, "EXT4"},        RefusedOpcode{0x92, "NEWOBJ_EX"},
    RefusedOpcode{0x97, "NEXT_BUFFER"}, RefusedOpcode{0x98, "READONLY_BUFFER"},
};

}  // namespace

// INST names a global itself: the message has it.
void PickleMachine::Refused() {
  if (opcode_ == 'i') {
    const std::string module(input_.Line());
    LookUp(module, input_.Line());
  }
  std::string what = "the byte is no opcode of a pickle";
  for (const RefusedOpcode& row : kRefused) {
    if (row.code == opcode_) {
      what = Format("the pickle has the opcode {}, which torch never writes", row.name);
    }
  }
  site_.Fail(std::move(what), "", Format("{:#04x}", opcode_), kUntrustedPickle);
}

template <size_t kWidth>
void PickleMachine::Integer() {
  Push({.kind = PickleKind::kInt, .payload = input_.Number(kWidth)});
}

// Two's complement of a length told before it. What does not fit 64 bits is no size of a tensor; it
// is kept as text, for the magic number of the legacy layout.
template <size_t kWidth>
void PickleMachine::LongInteger() {
  constexpr uint64_t kMostBytes = 1024;
  const uint64_t length = input_.Number(kWidth);
  if (length > kMostBytes) {
    site_.Fail("an integer of the pickle is too long", Format("at most {} bytes", kMostBytes),
               std::to_string(length));
  }
  const std::string_view bytes = input_.Text(length);
  if (length > sizeof(uint64_t)) {
    PushText(bytes);
    return;
  }
  uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (size_t i = length; i-- > 0;) {
    value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  }
  Push({.kind = PickleKind::kInt, .payload = value});
}

// A string that is too long for a name is passed over.
template <size_t kWidth>
void PickleMachine::String() {
  const uint64_t length = input_.Number(kWidth);
  if (length > PickleInput::kMostText) {
    input_.Skip(length);
    PushOpaque();
  } else {
    PushText(input_.Text(length));
  }
}

template <size_t kWidth>
void PickleMachine::Bytes() {
  input_.Skip(input_.Number(kWidth));
  PushOpaque();
}

template <size_t kCount>
void PickleMachine::SmallTuple() {
  if (stack_.size() - Floor() < kCount) {
    site_.Fail("the pickle takes a value off an empty stack");
  }
  Push(TupleOf(stack_.size() - kCount));
}

template <size_t kWidth>
void PickleMachine::Get() {
  Recall(input_.Number(kWidth));
}

template <size_t kWidth>
void PickleMachine::Put() {
  Remember(input_.Number(kWidth));
}

PickleMachine::Handler PickleMachine::HandlerOf(uint8_t opcode) {
  static const std::array<Handler, 256> kTable = [] {
    using Machine = PickleMachine;
    std::array<Handler, 256> table{};
    table.fill(&Machine::Refused);
    table[0x80] = &Machine::Protocol;
    table['.'] = &Machine::Stop;
    table['('] = &Machine::Mark;
    table['0'] = &Machine::Pop;
    table['1'] = &Machine::PopMark;
    table['2'] = &Machine::Duplicate;
    table[0x95] = &Machine::Frame;
    table['N'] = &Machine::None;
    table[0x88] = &Machine::True;
    table[0x89] = &Machine::False;
    table['J'] = &Machine::SignedInteger;
    table['K'] = &Machine::Integer<1>;
    table['M'] = &Machine::Integer<2>;
    table[0x8A] = &Machine::LongInteger<1>;
    table[0x8B] = &Machine::LongInteger<4>;
    table['G'] = &Machine::Float;
    table['T'] = &Machine::String<4>;
    table['U'] = &Machine::String<1>;
    table['X'] = &Machine::String<4>;
    table[0x8C] = &Machine::String<1>;
    table[0x8D] = &Machine::String<8>;
    table['B'] = &Machine::Bytes<4>;
    table['C'] = &Machine::Bytes<1>;
    table[0x8E] = &Machine::Bytes<8>;
    table[0x96] = &Machine::Bytes<8>;
    table[')'] = &Machine::EmptyTuple;
    table['t'] = &Machine::Tuple;
    table[0x85] = &Machine::SmallTuple<1>;
    table[0x86] = &Machine::SmallTuple<2>;
    table[0x87] = &Machine::SmallTuple<3>;
    table[']'] = &Machine::EmptyList;
    table['l'] = &Machine::List;
    table['a'] = &Machine::Append;
    table['e'] = &Machine::Appends;
    table['}'] = &Machine::EmptyDict;
    table['d'] = &Machine::Dict;
    table['s'] = &Machine::SetItem;
    table['u'] = &Machine::SetItems;
    table[0x8F] = &Machine::EmptySet;
    table[0x90] = &Machine::AddItems;
    table[0x91] = &Machine::FrozenSet;
    table['c'] = &Machine::Global;
    table[0x93] = &Machine::StackGlobal;
    table['R'] = &Machine::Reduce;
    table[0x81] = &Machine::NewObject;
    table['b'] = &Machine::Build;
    table['Q'] = &Machine::PersistentId;
    table['h'] = &Machine::Get<1>;
    table['j'] = &Machine::Get<4>;
    table['q'] = &Machine::Put<1>;
    table['r'] = &Machine::Put<4>;
    table[0x94] = &Machine::Memoize;
    return table;
  }();
  return kTable[opcode];
}

}  // namespace lbrx
