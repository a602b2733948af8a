#include "formats/torch/pickle.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"
#include "formats/torch/pickle_calls.h"

namespace lbrx {

namespace {

constexpr uint32_t kUnset = 0xFFFFFFFF;  // count of a memo slot that holds nothing
}  // namespace

void PickleSite::Fail(std::string what, std::string expected, std::string found,
                      std::string advice) const {
  const std::string place = Format("byte {} of {}", position - input.begin(), input.name());
  throw Error(ErrorCode::kInvalid, {.file = input.file().path(),
                                    .object = place,
                                    .what = std::move(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = position,
                                    .advice = std::move(advice)});
}

PickleValue PickleMachine::Run() {
  for (uint64_t count = 0; !stopped_; ++count) {
    site_.position = input_.position();
    if (count == limits_.opcodes) {
      site_.Fail("the pickle is too long", Format("at most {} opcodes", limits_.opcodes));
    }
    opcode_ = input_.Byte();
    (this->*HandlerOf(opcode_))();
  }
  return PopValue();
}

// --- the stack -----------------------------------------------------------------------------------

void PickleMachine::Push(const PickleValue& value) {
  if (stack_.size() == limits_.values) {
    site_.Fail("the pickle needs too large a stack", Format("at most {} values", limits_.values));
  }
  stack_.push_back(value);
}

void PickleMachine::PushText(std::string_view text) {
  if (text.size() > limits_.text - heap_.text.size()) {
    site_.Fail("the strings of the pickle are too long",
               Format("at most {} bytes together", limits_.text));
  }
  Push({PickleKind::kText, static_cast<uint32_t>(text.size()), heap_.text.size()});
  heap_.text += text;
}

void PickleMachine::PushOpaque() {
  Push({.kind = PickleKind::kOpaque});
}

PickleValue& PickleMachine::Top() {
  if (stack_.size() <= Floor()) {
    site_.Fail("the pickle takes a value off an empty stack");
  }
  return stack_.back();
}

PickleValue PickleMachine::PopValue() {
  const PickleValue value = Top();
  stack_.pop_back();
  return value;
}

size_t PickleMachine::PopMarkPosition() {
  if (marks_.empty()) {
    site_.Fail("the pickle ends a container that it did not begin");
  }
  const size_t first = marks_.back();
  marks_.pop_back();
  return first;
}

void PickleMachine::CountValues(size_t more) {
  values_ += more;
  if (values_ > limits_.values) {
    site_.Fail("the pickle holds too many values", Format("at most {}", limits_.values));
  }
}

PickleValue PickleMachine::TupleOf(size_t first) {
  const size_t count = stack_.size() - first;
  CountValues(count);
  const uint64_t start = heap_.items.size();
  heap_.items.insert(heap_.items.end(), stack_.begin() + static_cast<ptrdiff_t>(first),
                     stack_.end());
  stack_.resize(first);
  return {PickleKind::kTuple, static_cast<uint32_t>(count), start};
}

void PickleMachine::Extend(std::vector<PickleValue>& values, size_t first) {
  CountValues(stack_.size() - first);
  values.insert(values.end(), stack_.begin() + static_cast<ptrdiff_t>(first), stack_.end());
  stack_.resize(first);
}

// --- opcodes: structure --------------------------------------------------------------------------

void PickleMachine::Protocol() {
  const uint8_t version = input_.Byte();
  if (version < 2 || version > 5) {
    site_.Fail("unknown version of the pickle protocol", "2 to 5", std::to_string(version));
  }
}

void PickleMachine::Stop() {
  stopped_ = true;
  if (!marks_.empty() || stack_.size() != 1) {
    site_.Fail("the pickle ends with more or less than one value", "1",
               std::to_string(stack_.size()));
  }
}

void PickleMachine::Mark() {
  if (marks_.size() == limits_.marks) {
    site_.Fail("the pickle nests too deep", Format("at most {} containers", limits_.marks));
  }
  marks_.push_back(stack_.size());
}

void PickleMachine::Pop() {
  PopValue();
}

void PickleMachine::PopMark() {
  stack_.resize(PopMarkPosition());
}

void PickleMachine::Duplicate() {
  Push(Top());
}

void PickleMachine::Frame() {
  const uint64_t length = input_.Number(8);
  if (length > input_.left()) {
    site_.Fail("a frame is longer than the pickle", Format("at most {} bytes", input_.left()),
               std::to_string(length));
  }
}

// --- opcodes: scalars ----------------------------------------------------------------------------

void PickleMachine::None() {
  Push({});
}

void PickleMachine::True() {
  Push({.kind = PickleKind::kBool, .payload = 1});
}

void PickleMachine::False() {
  Push({.kind = PickleKind::kBool, .payload = 0});
}

void PickleMachine::SignedInteger() {
  const auto value = static_cast<int32_t>(input_.Number(4));
  Push({.kind = PickleKind::kInt, .payload = static_cast<uint64_t>(int64_t{value})});
}

void PickleMachine::Float() {
  input_.Skip(8);
  PushOpaque();
}

// --- opcodes: containers -------------------------------------------------------------------------

void PickleMachine::EmptyTuple() {
  Push({PickleKind::kTuple, 0, 0});
}

void PickleMachine::Tuple() {
  Push(TupleOf(PopMarkPosition()));
}

void PickleMachine::EmptyList() {
  CountValues(1);
  Push({.kind = PickleKind::kList, .payload = heap_.lists.size()});
  heap_.lists.emplace_back();
}

void PickleMachine::List() {
  const size_t first = PopMarkPosition();
  CountValues(1);
  heap_.lists.emplace_back();
  Extend(heap_.lists.back(), first);
  Push({.kind = PickleKind::kList, .payload = heap_.lists.size() - 1});
}

void PickleMachine::Append() {
  Top();
  TakeItems(stack_.size() - 1);
}

void PickleMachine::Appends() {
  TakeItems(PopMarkPosition());
}

// Adds the values from `first` on to the list below them.
void PickleMachine::TakeItems(size_t first) {
  if (first == 0 || stack_[first - 1].kind != PickleKind::kList) {
    site_.Fail("the pickle adds to something that is no list");
  }
  Extend(heap_.lists[stack_[first - 1].payload], first);
}

void PickleMachine::EmptyDict() {
  CountValues(1);
  Push({.kind = PickleKind::kDict, .payload = heap_.dicts.size()});
  heap_.dicts.emplace_back();
}

void PickleMachine::Dict() {
  const size_t first = PopMarkPosition();
  stack_.insert(stack_.begin() + static_cast<ptrdiff_t>(first),
                PickleValue{.kind = PickleKind::kDict, .payload = heap_.dicts.size()});
  CountValues(1);
  heap_.dicts.emplace_back();
  marks_.push_back(first + 1);
  SetItems();
}

void PickleMachine::SetItem() {
  if (stack_.size() - Floor() < 3) {
    site_.Fail("the pickle takes a value off an empty stack");
  }
  marks_.push_back(stack_.size() - 2);
  SetItems();
}

void PickleMachine::SetItems() {
  const size_t first = PopMarkPosition();
  if (first == 0 || stack_[first - 1].kind != PickleKind::kDict ||
      (stack_.size() - first) % 2 != 0) {
    site_.Fail("the pickle sets items of something that is no dictionary");
  }
  Extend(heap_.dicts[stack_[first - 1].payload], first);
}

void PickleMachine::EmptySet() {
  PushOpaque();
}

void PickleMachine::AddItems() {
  const size_t first = PopMarkPosition();
  if (first == 0 || stack_[first - 1].kind != PickleKind::kOpaque) {
    site_.Fail("the pickle adds to something that is no set");
  }
  stack_.resize(first);
}

void PickleMachine::FrozenSet() {
  stack_.resize(PopMarkPosition());
  PushOpaque();
}

// --- opcodes: globals and calls ------------------------------------------------------------------

PickleValue PickleMachine::LookUp(std::string_view module, std::string_view name) {
  const std::optional<uint64_t> row = FindPickleGlobal(module, name);
  if (!row) {
    site_.Fail(Format("the pickle names the global \"{}.{}\"", Printable(module, 100),
                      Printable(name, 100)),
               "only what the tensors of a checkpoint are made of", "", kUntrustedPickle);
  }
  return {.kind = PickleKind::kGlobal, .payload = *row};
}

void PickleMachine::Global() {
  const std::string module(input_.Line());
  Push(LookUp(module, input_.Line()));
}

void PickleMachine::StackGlobal() {
  const PickleValue name = PopValue();
  const PickleValue module = PopValue();
  if (name.kind != PickleKind::kText || module.kind != PickleKind::kText) {
    site_.Fail("the name of a global is computed", "two strings", "", kUntrustedPickle);
  }
  Push(LookUp(heap_.Text(module), heap_.Text(name)));
}

void PickleMachine::Reduce() {
  const PickleValue arguments = PopValue();
  const PickleValue callable = PopValue();
  if (callable.kind != PickleKind::kGlobal) {
    site_.Fail("the pickle calls something that is no global", "",
               std::string(PickleKindName(callable.kind)), kUntrustedPickle);
  }
  if (arguments.kind != PickleKind::kTuple) {
    site_.Fail("a call without a tuple of arguments", "a tuple",
               std::string(PickleKindName(arguments.kind)));
  }
  CountValues(1);
  if (arguments.count == 1 && heap_.Tuple(arguments)[0].kind == PickleKind::kList) {
    CountValues(2 * heap_.lists[heap_.Tuple(arguments)[0].payload].size());  // may be copied
  }
  Push(CallPickleGlobal(PickleGlobalAt(callable.payload), arguments, heap_, site_));
}

void PickleMachine::NewObject() {
  // object.__new__(class, ...): of the classes allowed only dictionaries are made so.
  if (stack_.size() >= 2 && stack_[stack_.size() - 2].kind == PickleKind::kGlobal) {
    const PickleGlobal& global = PickleGlobalAt(stack_[stack_.size() - 2].payload);
    if (global.role != PickleRole::kDict) {
      site_.Fail(Format("the pickle makes an object of \"{}.{}\"", global.module, global.name),
                 "a dictionary", "", kUntrustedPickle);
    }
  }
  Reduce();
}

// state of an object: attributes such as the `_metadata` of a state dict, which no value needs.
void PickleMachine::Build() {
  PopValue();
  const PickleKind kind = Top().kind;
  if (kind != PickleKind::kDict && kind != PickleKind::kOpaque) {
    site_.Fail("the pickle sets the state of something that has none", "a dictionary",
               std::string(PickleKindName(kind)), kUntrustedPickle);
  }
}

void PickleMachine::PersistentId() {
  const PickleValue id = PopValue();
  CountValues(1);
  Push(LoadPickleStorage(id, heap_, storages_, site_));
}

// --- opcodes: memo -------------------------------------------------------------------------------

void PickleMachine::Remember(uint64_t index) {
  if (index >= limits_.values || index > input_.position() - input_.begin()) {
    site_.Fail("the pickle remembers a value under too large a number",
               Format("at most {}",
                      std::min<uint64_t>(limits_.values, input_.position() - input_.begin())),
               std::to_string(index));
  }
  if (index >= memo_.size()) {
    memo_.resize(index + 1, {.kind = PickleKind::kNone, .count = kUnset});
  }
  memo_[index] = Top();
}

void PickleMachine::Memoize() {
  Remember(memo_.size());
}

void PickleMachine::Recall(uint64_t index) {
  if (index >= memo_.size() ||
      (memo_[index].kind == PickleKind::kNone && memo_[index].count == kUnset)) {
    site_.Fail("the pickle recalls a value that it never remembered", "",
               Format("number {}", index));
  }
  Push(memo_[index]);
}

}  // namespace lbrx
