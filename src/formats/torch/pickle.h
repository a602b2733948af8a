// A machine for pickles of protocols 2 to 5, as torch writes them. It builds data only: a global is
// looked up in an allow-list (pickle_globals.h) at the opcode that names it, a call is replaced by
// what it stands for, and nothing is imported, called or looked up anywhere else.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/torch/pickle_globals.h"
#include "formats/torch/pickle_input.h"
#include "formats/torch/pickle_site.h"
#include "formats/torch/pickle_value.h"

namespace lbrx {

// Nothing of a real checkpoint comes near these; hostile ones meet them before the memory's end.
struct PickleLimits {
  uint64_t opcodes = 100'000'000;
  size_t values = size_t{1} << 23;  // on the stack, in the memo, in all containers together
  size_t text = size_t{1} << 27;    // bytes of all strings
  size_t marks = 1000;              // containers inside each other
};

class PickleMachine {
 public:
  PickleMachine(PickleInput& input, PickleHeap& heap, const PickleLimits& limits = {})
      : input_(input), heap_(heap), limits_(limits), site_{input} {}

  // Runs to the end of the pickle (its STOP) and returns what it holds. Throws kInvalid naming the
  // pickle and the byte; for what is not in the allow-list the global too.
  PickleValue Run();

 private:
  using Handler = void (PickleMachine::*)();

  static Handler HandlerOf(uint8_t opcode);  // pickle_opcodes.cc

  // Opcodes. Those that only differ in the width of a number share a template.
  void Protocol();
  void Stop();
  void Mark();
  void Pop();
  void PopMark();
  void Duplicate();
  void None();
  void True();
  void False();
  template <size_t kWidth>
  void Integer();
  void SignedInteger();
  template <size_t kWidth>
  void LongInteger();
  void Float();
  template <size_t kWidth>
  void String();
  template <size_t kWidth>
  void Bytes();
  void EmptyTuple();
  void Tuple();
  template <size_t kCount>
  void SmallTuple();
  void EmptyList();
  void List();
  void Append();
  void Appends();
  void EmptyDict();
  void Dict();
  void SetItem();
  void SetItems();
  void EmptySet();
  void AddItems();
  void FrozenSet();
  void Global();
  void StackGlobal();
  void Reduce();
  void NewObject();
  void Build();
  void PersistentId();
  template <size_t kWidth>
  void Get();
  template <size_t kWidth>
  void Put();
  void Memoize();
  void Frame();
  void Refused();

  void Push(const PickleValue& value);
  void PushText(std::string_view text);
  void PushOpaque();
  PickleValue PopValue();
  PickleValue& Top();
  size_t PopMarkPosition();
  PickleValue TupleOf(size_t first);  // of the stack from there on, which is taken off
  void Extend(std::vector<PickleValue>& values, size_t first);
  void TakeItems(size_t first);
  PickleValue LookUp(std::string_view module, std::string_view name);
  void Remember(uint64_t index);
  void Recall(uint64_t index);

  size_t Floor() const { return marks_.empty() ? 0 : marks_.back(); }  // the stack's, above a mark

  void CountValues(size_t more);

  PickleInput& input_;
  PickleHeap& heap_;
  PickleLimits limits_;
  PickleSite site_;
  uint8_t opcode_ = 0;
  bool stopped_ = false;
  size_t values_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;
  std::vector<PickleValue> memo_;
  std::unordered_map<std::string, uint32_t> storages_;  // by key and view
};

}  // namespace lbrx
