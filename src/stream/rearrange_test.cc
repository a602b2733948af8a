#include "stream/rearrange.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>

#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// A checkpoint of I32 tensors that count from 0, so that an element tells its place.
class RearrangeTest : public ::testing::Test {
 protected:
  ValuePtr Counting(const std::string& name, const Shape& shape, int32_t from = 0) {
    TestTensor tensor{name, DType::kI32, shape, std::string(shape.elements() * 4, '\0')};
    for (uint64_t i = 0; i < shape.elements(); ++i) {
      const int32_t value = from + static_cast<int32_t>(i);
      std::memcpy(tensor.bytes.data() + 4 * i, &value, 4);
    }
    const std::string path = folder_ / (name + ".safetensors");
    WriteSafetensors(path, {tensor});
    sources_.push_back(std::make_shared<Checkpoint>(OpenCheckpoint(path)));
    return LoadArray(sources_, static_cast<uint32_t>(sources_.size() - 1), 0, false);
  }

  // Reads the whole in runs of every length and compares with expected(index).
  void ExpectElements(const ValuePtr& value, const std::function<int32_t(uint64_t)>& expected) {
    SourceFiles files(sources_);
    Pool pool;
    ReadContext context{files, pool};
    const uint64_t elements = value->shape().elements();
    for (uint64_t run = 1; run <= elements; run += 1 + run / 3) {
      for (uint64_t first = 0; first < elements; first += run) {
        const uint64_t count = std::min(run, elements - first);
        std::vector<int32_t> out(count, -1);
        value->Read(context, first, count, reinterpret_cast<std::byte*>(out.data()));
        for (uint64_t i = 0; i < count; ++i) {
          ASSERT_EQ(out[i], expected(first + i)) << value->Describe() << " run " << run;
        }
      }
    }
  }

  TempDir folder_;
  SourceFiles::Checkpoints sources_;
};

TEST_F(RearrangeTest, SliceOfRowsAndColumns) {
  const ValuePtr base = Counting("a", {6, 5});
  ExpectElements(ViewOf(base, 10, {3, 5}, {5, 1}), [](uint64_t i) { return 10 + int32_t(i); });
  ExpectElements(ViewOf(base, 2, {6, 2}, {5, 1}),
                 [](uint64_t i) { return 2 + int32_t(i / 2 * 5 + i % 2); });
}

TEST_F(RearrangeTest, ElementsApartAndRepeated) {
  const ValuePtr base = Counting("a", {6, 50});
  ExpectElements(ViewOf(base, 1, {6, 17}, {50, 3}),
                 [](uint64_t i) { return 1 + int32_t(i / 17 * 50 + i % 17 * 3); });
  ExpectElements(ViewOf(base, 4, {5, 9}, {50, 0}),
                 [](uint64_t i) { return 4 + int32_t(i / 9 * 50); });
  ExpectElements(ViewOf(base, 7, {3, 4, 2}, {0, 5, 50}),
                 [](uint64_t i) { return 7 + int32_t(i % 8 / 2 * 5 + i % 2 * 50); });
}

TEST_F(RearrangeTest, RowsLongerThanAWindow) {
  const ValuePtr base = Counting("a", {120000});
  const ValuePtr view = ViewOf(base, 2, {2, 1000}, {50000, 40});
  SourceFiles files(sources_);
  Pool pool;
  ReadContext context{files, pool};
  std::vector<int32_t> out(2000);
  view->Read(context, 0, 2000, reinterpret_cast<std::byte*>(out.data()));
  for (int32_t i = 0; i < 2000; ++i) {
    ASSERT_EQ(out[i], 2 + i / 1000 * 50000 + i % 1000 * 40);
  }
}

TEST_F(RearrangeTest, TransposedMatrices) {
  const ValuePtr base = Counting("a", {2, 4, 7});
  ExpectElements(ViewOf(base, 0, {2, 7, 4}, {28, 1, 7}),
                 [](uint64_t i) { return int32_t(i / 28 * 28 + i % 4 * 7 + i / 4 % 7); });
}

TEST_F(RearrangeTest, EveryOtherRow) {
  const ValuePtr base = Counting("a", {3, 8, 5});
  ExpectElements(ViewOf(base, 5, {3, 4, 5}, {40, 10, 1}),
                 [](uint64_t i) { return int32_t(5 + i / 20 * 40 + i / 5 % 4 * 10 + i % 5); });
}

TEST_F(RearrangeTest, ConcatAlongEveryDimension) {
  const ValuePtr a = Counting("a", {2, 3, 4});
  const ValuePtr b = Counting("b", {2, 3, 4}, 1000);
  for (size_t dim = 0; dim < 3; ++dim) {
    Shape shape = a->shape();
    shape[dim] *= 2;
    ExpectElements(Concat({a, b}, dim), [&](uint64_t i) {
      std::array<uint64_t, 3> at{};
      for (size_t k = 3; k-- > 0;) {
        at[k] = i % shape[k];
        i /= shape[k];
      }
      const bool second = at[dim] >= a->shape()[dim];
      at[dim] %= a->shape()[dim];
      return int32_t((at[0] * 3 + at[1]) * 4 + at[2]) + (second ? 1000 : 0);
    });
  }
}

TEST_F(RearrangeTest, InterleavingUndoesDeinterleaving) {
  const ValuePtr base = Counting("a", {2, 6, 5});
  const auto half = [&](uint64_t odd) {
    return Reshape(ViewOf(base, 5 * odd, {2, 3, 5}, {30, 10, 1}), {2, 3, 1, 5});
  };
  ExpectElements(Reshape(Concat({half(0), half(1)}, 2), {2, 6, 5}),
                 [](uint64_t i) { return int32_t(i); });
}

TEST_F(RearrangeTest, WhatDoesNotFitIsAnInternalError) {
  const ValuePtr base = Counting("a", {4, 4});
  EXPECT_THROW(ViewOf(base, 1, {4, 4}, {4, 1}), Error);
  EXPECT_THROW(Reshape(base, {3, 5}), Error);
  EXPECT_THROW(Concat({base, Counting("b", {4, 3})}, 0), Error);
}

TEST_F(RearrangeTest, ViewsOfViewsAreOneView) {
  const ValuePtr base = Counting("a", {2, 6, 5});
  // The last two dimensions swapped, and swapped back: rows again.
  const ValuePtr swapped = ViewOf(base, 0, {2, 5, 6}, {30, 1, 5});
  const ValuePtr back = ViewOf(swapped, 0, {2, 6, 5}, {30, 1, 6});
  EXPECT_EQ(back->Describe(), ViewOf(base, 0, {2, 6, 5}, {30, 5, 1})->Describe());
  ExpectElements(back, [](uint64_t i) { return int32_t(i); });
  // Every other row of it, from the second on.
  const ValuePtr odd = ViewOf(swapped, 1, {2, 3, 5}, {30, 2, 6});
  EXPECT_EQ(odd->Describe(), ViewOf(base, 5, {2, 3, 5}, {30, 10, 1})->Describe());
  ExpectElements(odd,
                 [](uint64_t i) { return int32_t(i / 15 * 30 + i % 15 / 5 * 10 + 5 + i % 5); });
  // Steps that do not follow the rows of the first view.
  const ValuePtr across = ViewOf(swapped, 3, {7, 2}, {7, 4});
  ExpectElements(across, [](uint64_t i) {
    const uint64_t at = 3 + i / 2 * 7 + i % 2 * 4;
    return int32_t(at / 30 * 30 + at % 30 / 6 + at % 6 * 5);
  });
}

}  // namespace
}  // namespace lbrx
