#include "merge/merged_value.h"

#include <algorithm>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "merge/passes.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

// What is read of each model at once: several models' tiles fit a core's cache together.
constexpr uint64_t kTileElements = uint64_t{32} << 10;

// Reads tiles of all models into buffers of its own.
class TileReader final : public MergeTiles {
 public:
  TileReader(ReadContext& context, const std::vector<ValuePtr>& inputs, bool has_base,
             uint64_t tile_elements)
      : context_(context), inputs_(inputs), tile_elements_(tile_elements) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      buffers_.push_back(context.pool.Get(ElementBytes(DType::kF32, tile_elements)));
      floats_.push_back(reinterpret_cast<const float*>(buffers_.back().data()));
    }
    tile_.members = std::span(floats_).subspan(has_base ? 1 : 0);
    tile_.base = has_base ? floats_[0] : nullptr;
  }

  // The tiles of [first, first + count) come next.
  void Seek(uint64_t first, uint64_t count) {
    next_ = first;
    end_ = first + count;
  }

  const MergeTile* Next() override {
    if (next_ == end_) {
      return nullptr;
    }
    tile_.first = next_;
    tile_.count = std::min(tile_elements_, end_ - next_);
    next_ += tile_.count;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      inputs_[i]->Read(context_, tile_.first, tile_.count, buffers_[i].data());
    }
    return &tile_;
  }

 private:
  ReadContext& context_;
  const std::vector<ValuePtr>& inputs_;
  const uint64_t tile_elements_;
  std::vector<Pool::Buffer> buffers_;
  std::vector<const float*> floats_;
  MergeTile tile_;
  uint64_t next_ = 0;
  uint64_t end_ = 0;
};

class Merged final : public Value {
 public:
  // `inputs`: the base first, where there is one.
  Merged(std::unique_ptr<MergeKernel> kernel, const std::vector<ValuePtr>& inputs, bool has_base,
         std::string description, DType dtype)
      : Value(dtype, inputs.front()->shape()),
        kernel_(std::move(kernel)),
        has_base_(has_base),
        description_(std::move(description)),
        pieces_(CutIntoPieces(shape().elements(), kernel_->granule())),
        tile_elements_(std::min(RoundUp(kTileElements, kernel_->granule()), shape().elements())),
        state_bytes_(kernel_->StateBytes(1)),
        passes_(*kernel_, pieces_.count) {
    for (const ValuePtr& input : inputs) {
      description_ += ", " + input->Describe();
      inputs_.push_back(AsFloats(input));
    }
  }

  uint64_t granule() const override { return kernel_->granule(); }

  // The same for any run: passes read whole tiles, however little is asked for.
  uint64_t WorkingBytes(uint64_t /*count*/) const override {
    const uint64_t tile = Pool::ClassSize(ElementBytes(DType::kF32, tile_elements_));
    uint64_t most = 0;  // one input is read at a time
    for (const ValuePtr& input : inputs_) {
      most = std::max(most, input->WorkingBytes(tile_elements_));
    }
    // Every thread that works on the tensor holds this, so all together hold the state of all.
    return (inputs_.size() + (Rounds() ? 1 : 0)) * tile + most + state_bytes_;
  }

  uint64_t SourceBytes() const override {
    uint64_t bytes = 0;
    for (const ValuePtr& input : inputs_) {
      bytes += input->SourceBytes();
    }
    return bytes;
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    const bool counting = context.tally != nullptr && context.policy == NonFinitePolicy::kReject;
    if (!counting) {
      EnsurePasses(context);
    }
    TileReader tiles(context, inputs_, has_base_, tile_elements_);
    tiles.Seek(first, count);
    Pool::Buffer floats;
    if (Rounds()) {
      floats = context.pool.Get(ElementBytes(DType::kF32, tile_elements_));
    }
    uint64_t met = counting ? context.tally->count : 0;
    while (const MergeTile* tile = tiles.Next()) {
      std::byte* to = out + ElementBytes(dtype(), tile->first - first);
      if (counting && (!passes_.done() || context.tally->count != met)) {
        // Only the count is wanted, and what is not finite in the inputs is counted already.
        std::fill(to, to + ElementBytes(dtype(), tile->count), std::byte{0});
        met = context.tally->count;
        continue;
      }
      Combine(*tile, floats, to);
      CheckFinite(context, dtype(), to, tile->first, tile->count, /*from_cast=*/true);
      met = counting ? context.tally->count : 0;
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    for (const ValuePtr& input : inputs_) {
      input->WillNeed(files, first, count);
    }
  }

  std::string Describe() const override { return Format("merge({})", description_); }

 private:
  bool Rounds() const { return dtype() != DType::kF32; }

  void EnsurePasses(const ReadContext& context) const {
    if (passes_.done()) {
      return;
    }
    // What is not finite is counted where elements are put together, and must not spoil the figures
    // of the whole tensor.
    ReadContext reading{context.files, context.pool,
                        context.policy == NonFinitePolicy::kReject ? NonFinitePolicy::kReject
                                                                   : NonFinitePolicy::kZero};
    TileReader tiles(reading, inputs_, has_base_, tile_elements_);
    passes_.Ensure([&](int pass, size_t piece) {
      if (context.cancel != nullptr) {
        context.cancel->ThrowIfCancelled();
      }
      const uint64_t first = piece * pieces_.elements;
      tiles.Seek(first, std::min(pieces_.elements, shape().elements() - first));
      kernel_->Observe(pass, piece, tiles);
    });
  }

  void Combine(const MergeTile& tile, Pool::Buffer& floats, std::byte* out) const {
    if (!Rounds()) {
      kernel_->Combine(tile, reinterpret_cast<float*>(out));
      return;
    }
    kernel_->Combine(tile, reinterpret_cast<float*>(floats.data()));
    Convert(DType::kF32, floats.data(), dtype(), out, tile.count);
  }

  const std::unique_ptr<MergeKernel> kernel_;
  const bool has_base_;
  std::string description_;
  std::vector<ValuePtr> inputs_;
  const MergePieces pieces_;
  const uint64_t tile_elements_;
  const uint64_t state_bytes_;   // asked for once: passes change what it is made of
  mutable SharedPasses passes_;  // found once, whoever reads first
};

}  // namespace

ValuePtr AsFloats(ValuePtr value) {
  ValuePtr floats = CastTo(std::move(value), DType::kF32);
  if (floats->granule() == 1) {
    return floats;
  }
  const Shape flat{floats->shape().elements()};
  return ViewOf(Reshape(std::move(floats), flat), 0, flat, {1});
}

ValuePtr MergedValue(std::unique_ptr<MergeKernel> kernel, std::vector<ValuePtr> members,
                     ValuePtr base, std::string description, DType dtype) {
  const bool has_base = base != nullptr;
  if (has_base) {
    members.insert(members.begin(), std::move(base));
  }
  if (members.empty()) {
    throw Error(ErrorCode::kInternal, "a merge of nothing");
  }
  for (const ValuePtr& input : members) {
    if (!(input->shape() == members.front()->shape())) {
      throw Error(ErrorCode::kInternal, "tensors of different shapes in one merge");
    }
  }
  return std::make_shared<Merged>(std::move(kernel), members, has_base, std::move(description),
                                  dtype);
}

}  // namespace lbrx
