// For tests: methods run over tensors in memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "merge/method.h"

namespace lbrx::testing {

using Floats = std::vector<float>;

// One tensor of each model.
struct MergeInputs {
  Shape shape;
  std::vector<Floats> members;
  Floats base;  // empty: none
};

// How the tensor is walked over. No result may depend on it.
struct Walk {
  uint64_t tile = 1000;  // elements, rounded up to the granule
  bool backwards = false;
  unsigned threads = 1;
};

class TilesInMemory : public MergeTiles {
 public:
  TilesInMemory(const MergeInputs& inputs, uint64_t tile, uint64_t begin, uint64_t end)
      : inputs_(inputs), length_(tile), next_(begin), end_(end), members_(inputs.members.size()) {}

  const MergeTile* Next() override {
    if (next_ >= end_) {
      return nullptr;
    }
    for (size_t m = 0; m < members_.size(); ++m) {
      members_[m] = inputs_.members[m].data() + next_;
    }
    tile_.first = next_;
    tile_.count = std::min(length_, end_ - next_);
    tile_.members = members_;
    tile_.base = inputs_.base.empty() ? nullptr : inputs_.base.data() + next_;
    next_ += tile_.count;
    return &tile_;
  }

 private:
  const MergeInputs& inputs_;
  uint64_t length_;
  uint64_t next_;
  uint64_t end_;
  std::vector<const float*> members_;
  MergeTile tile_;
};

inline uint64_t TileLength(const MergeKernel& kernel, const Walk& walk) {
  const uint64_t granule = std::max<uint64_t>(kernel.granule(), 1);
  return (walk.tile + granule - 1) / granule * granule;
}

inline void RunPasses(MergeKernel& kernel, const MergeInputs& inputs, const Walk& walk) {
  const uint64_t elements = inputs.shape.elements();
  const MergePieces pieces = CutIntoPieces(elements, kernel.granule());
  for (int pass = 0; pass < kernel.passes(); ++pass) {
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i = next++; i < pieces.count; i = next++) {
        const size_t piece = walk.backwards ? pieces.count - 1 - i : i;
        const uint64_t begin = piece * pieces.elements;
        TilesInMemory tiles(inputs, TileLength(kernel, walk), begin,
                            std::min(begin + pieces.elements, elements));
        kernel.Observe(pass, piece, tiles);
      }
    };
    std::vector<std::thread> threads;
    for (unsigned t = 1; t < walk.threads; ++t) {
      threads.emplace_back(work);
    }
    work();
    for (std::thread& thread : threads) {
      thread.join();
    }
    kernel.FinishPass(pass);
  }
}

inline Floats Merge(const MergeMethod& method, MergeTensor tensor, const MergeInputs& inputs,
                    const Walk& walk = {}) {
  tensor.shape = inputs.shape;
  tensor.has_base = !inputs.base.empty();
  tensor.members.resize(inputs.members.size());
  const std::unique_ptr<MergeKernel> kernel = method.make(tensor);
  RunPasses(*kernel, inputs, walk);
  Floats out(inputs.shape.elements());
  TilesInMemory tiles(inputs, TileLength(*kernel, walk), 0, out.size());
  while (const MergeTile* tile = tiles.Next()) {
    kernel->Combine(*tile, out.data() + tile->first);
  }
  return out;
}

using Settings = std::vector<std::pair<std::string, double>>;

// A tensor with parameters of its own and of members; the method's standards for the rest.
inline MergeTensor TensorWith(const MergeMethod& method, const Settings& own,
                              const std::vector<Settings>& of_members) {
  MergeTensor tensor;
  tensor.name = "model.layers.0.mlp.up_proj.weight";
  tensor.members.resize(of_members.size());
  for (const MergeParameterInfo& info : method.parameters) {
    if (info.required) {
      continue;
    }
    if (!info.of_member) {
      tensor.parameters.Set(info.name, info.standard);
    }
    for (MergeParameters& member : tensor.members) {
      if (info.of_member) {
        member.Set(info.name, info.standard);
      }
    }
  }
  for (const auto& [name, value] : own) {
    tensor.parameters.Set(name, value);
  }
  for (size_t m = 0; m < of_members.size(); ++m) {
    for (const auto& [name, value] : of_members[m]) {
      tensor.members[m].Set(name, value);
    }
  }
  return tensor;
}

}  // namespace lbrx::testing
