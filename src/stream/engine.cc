#include "stream/engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "core/base/format.h"
#include "core/base/hash.h"
#include "core/memory/budget.h"
#include "core/parallel/executor.h"
#include "stream/band_error.h"
#include "stream/bands.h"
#include "stream/output.h"

namespace lbrx {
namespace {

constexpr size_t kMostPlanes = 4;

uint64_t LargestBand(const Plan& plan, const std::vector<Band>& bands, bool measure) {
  uint64_t most = 0;
  for (const Band& band : bands) {
    most = std::max(most, WorkingBytes(plan, band, measure));
  }
  return most;
}

// Adds element by element; `sums` begins empty.
void AddTo(std::vector<double>& sums, const std::vector<double>& more) {
  sums.resize(more.size());
  for (size_t i = 0; i < more.size(); ++i) {
    sums[i] += more[i];
  }
}

class Run {
 public:
  Run(const Plan& plan, const RunOptions& options)
      : plan_(plan),
        options_(options),
        bands_(CutIntoBands(plan)),
        executor_(options.threads == 0 ? Executor::HardwareThreads() : options.threads),
        budget_(options.memory),
        pool_(options.memory),
        sources_(plan.sources),
        done_(bands_.size()),
        surveyed_(bands_.size()),
        resumed_(bands_.size(), false) {
    RequireMemory();
    if (!options.no_output) {
      output_ = std::make_unique<Output>(
          plan, Output::Options{.destination = options.destination,
                                .force = options.force,
                                .sync = options.sync,
                                .allow_nonfinite = options.allow_nonfinite});
    }
  }

  RunResult Execute() {
    const auto start = std::chrono::steady_clock::now();
    RunResult result;
    result.source_bytes = plan_.SourceBytes();
    result.output_bytes = plan_.OutputBytes();
    if (output_ != nullptr && output_->finished_before()) {
      result.finished_before = true;
      result.resumed_bytes = result.source_bytes;
      return result;
    }
    try {
      result.resumed_bytes = VerifyEarlierWork();
      Work(result.source_bytes, result.resumed_bytes);
      sources_.CheckUnchanged();
      if (output_ != nullptr) {
        output_->Finish();
      }
    } catch (const Error& error) {
      Abandon(error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kNoSpace);
      throw;
    } catch (const std::exception&) {
      Abandon(/*keep=*/false);
      throw;
    }
    Collect(result);
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (options_.progress != nullptr) {
      options_.progress->Done();
    }
    return result;
  }

 private:
  void RequireMemory() const {
    const uint64_t most = LargestBand(plan_, bands_, options_.measure);
    if (most > options_.memory) {
      throw Error(ErrorCode::kLimit, {.file = "",
                                      .object = "--memory",
                                      .what = "too small for this plan",
                                      .expected = Format("at least {} bytes", most),
                                      .found = Format("{}", options_.memory),
                                      .offset = {},
                                      .advice = "nothing was written"});
    }
  }

  void Abandon(bool keep) {
    if (output_ != nullptr) {
      output_->Abandon(keep);
    }
  }

  // Reads back what the journal says was written; what does not hash right is done again. Returns
  // the source bytes that need no more work.
  uint64_t VerifyEarlierWork() {
    if (output_ == nullptr) {
      return 0;
    }
    // A band that was done again has several records; the last one counts.
    std::vector<const JournalRecord*> claimed(bands_.size(), nullptr);
    for (const JournalRecord& record : output_->earlier()) {
      if (record.band < bands_.size() && !(options_.measure && NeedsMeasure(record))) {
        claimed[record.band] = &record;
      }
    }
    std::atomic<uint64_t> bytes{0};
    RunPipeline(executor_, bands_.size(), executor_.threads(), options_.cancel, [&](uint64_t i) {
      if (claimed[i] != nullptr && HashWritten(bands_[i]) == claimed[i]->hash) {
        done_[i] = *claimed[i];
        bytes += ProgressBytes(plan_, bands_[i]);
      }
    });
    for (size_t i = 0; i < bands_.size(); ++i) {
      resumed_[i] = done_[i].has_value();
    }
    return bytes;
  }

  bool NeedsMeasure(const JournalRecord& record) const {
    return Encodes(bands_[record.band]) && !record.measured;
  }

  bool Encodes(const Band& band) const {
    return band.plane == Band::kWholeTensor &&
           plan_.tensors[band.tensor].output.encoding.scheme != Scheme::kPlain;
  }

  // First and one past the last of the planes that a band writes.
  std::pair<size_t, size_t> PlanesOf(const Band& band) const {
    if (band.plane != Band::kWholeTensor) {
      return {band.plane, band.plane + 1};
    }
    return {0, plan_.tensors[band.tensor].output.planes.size()};
  }

  uint64_t PartOf(const Band& band, size_t plane, uint64_t elements) const {
    const OutputTensor& output = plan_.tensors[band.tensor].output;
    return band.plane == Band::kWholeTensor ? PlanePart(output, plane, elements)
                                            : ElementBytes(ValueOf(plan_, band).dtype(), elements);
  }

  uint64_t HashWritten(const Band& band) {
    const Budget::Lease lease =
        budget_.Acquire(WorkingBytes(plan_, band, /*measure=*/false), options_.cancel);
    const auto [begin, end] = PlanesOf(band);
    std::array<uint64_t, kMostPlanes> hashes{};
    for (size_t i = begin; i < end; ++i) {
      Pool::Buffer buffer = pool_.Get(PartOf(band, i, band.count));
      output_->Read(plan_.tensors[band.tensor].output.planes[i], PartOf(band, i, band.first),
                    buffer.span());
      hashes[i - begin] = Hash64(buffer.span());
    }
    return Combine(hashes, end - begin);
  }

  static uint64_t Combine(const std::array<uint64_t, kMostPlanes>& hashes, size_t count) {
    return Hash64(std::as_bytes(std::span(hashes.data(), count)));
  }

  void Work(uint64_t total, uint64_t resumed) {
    if (options_.progress != nullptr) {
      options_.progress->Start(total, resumed);
    }
    CountRemainingBands();
    RunPipeline(executor_, bands_.size(), executor_.threads(), options_.cancel, [&](uint64_t i) {
      if (!resumed_[i]) {
        try {
          WorkOnBand(i);
        } catch (const NonFiniteFound&) {
          ThrowNonFinite(bands_[i]);
        }
      }
    });
  }

  void CountRemainingBands() {
    remaining_ = std::make_unique<std::atomic<uint32_t>[]>(plan_.tensors.size());
    for (size_t i = 0; i < bands_.size(); ++i) {
      remaining_[bands_[i].tensor] += resumed_[i] ? 0 : 1;
    }
  }

  NonFinitePolicy PolicyFor(const Band& band) const {
    if (!options_.allow_nonfinite) {
      return NonFinitePolicy::kReject;
    }
    return Encodes(band) ? NonFinitePolicy::kZero : NonFinitePolicy::kKeep;
  }

  void WorkOnBand(uint64_t index) {
    const Band& band = bands_[index];
    const Value& value = ValueOf(plan_, band);
    const Budget::Lease lease =
        budget_.Acquire(WorkingBytes(plan_, band, options_.measure), options_.cancel);
    ReadAhead(index);

    JournalRecord record;
    record.band = index;
    NonFiniteTally zeroed;
    ReadContext context{sources_, pool_, PolicyFor(band),
                        PolicyFor(band) == NonFinitePolicy::kZero ? &zeroed : nullptr,
                        options_.cancel};
    Pool::Buffer values = pool_.Get(ElementBytes(value.dtype(), band.count));
    value.Read(context, band.first, band.count, values.data());
    record.zeroed = zeroed.count;

    if (const PlannedTensor& tensor = plan_.tensors[band.tensor]; !tensor.candidates.empty()) {
      surveyed_[index] = SurveyBand(tensor, band.first, band.count, values.data());
    } else if (Encodes(band)) {
      EncodeAndWrite(band, values, record);
    } else {
      record.hash = Deliver(band, {&values, 1});
    }
    Complete(index, record, ProgressBytes(plan_, band));
  }

  void EncodeAndWrite(const Band& band, const Pool::Buffer& values, JournalRecord& record) {
    const PlannedTensor& tensor = plan_.tensors[band.tensor];
    const Codec& codec = *FindCodec(tensor.output.encoding.scheme);
    const size_t count = tensor.output.planes.size();
    std::array<Pool::Buffer, kMostPlanes> buffers;
    std::array<std::byte*, kMostPlanes> planes{};
    for (size_t i = 0; i < count; ++i) {
      buffers[i] = pool_.Get(PartOf(band, i, band.count));
      planes[i] = buffers[i].data();
    }
    codec.encode({.encoding = tensor.output.encoding,
                  .options = tensor.encode,
                  .values = values.data(),
                  .elements = band.count,
                  .planes = {planes.data(), count},
                  .importance = ImportanceAt(tensor, band.first),
                  .columns = tensor.output.shape.back()});
    if (options_.measure) {
      const std::array<const std::byte*, kMostPlanes> read = {planes[0], planes[1], planes[2],
                                                              planes[3]};
      record.measured = true;
      record.errors = DecodedError(
          tensor.output.encoding, {values.data(), values.size()}, {read.data(), count}, band.count,
          pool_, [&](std::span<const float> wanted, std::span<const float> decoded) {
            if (options_.observe) {
              options_.observe(band.tensor, wanted, decoded);
            }
          });
    }
    record.hash = Deliver(band, {buffers.data(), count});
  }

  // Gives a band's planes to whoever asked for them and to the output. Returns their hash.
  uint64_t Deliver(const Band& band, std::span<const Pool::Buffer> buffers) {
    const size_t begin = PlanesOf(band).first;
    std::array<PlaneRun, kMostPlanes> runs;
    std::array<uint64_t, kMostPlanes> hashes{};
    for (size_t i = 0; i < buffers.size(); ++i) {
      runs[i] = {.plane = begin + i,
                 .offset = PartOf(band, begin + i, band.first),
                 .bytes = {buffers[i].data(), buffers[i].size()}};
    }
    if (options_.receive) {
      options_.receive({.tensor = band.tensor, .planes = {runs.data(), buffers.size()}});
    }
    for (size_t i = 0; i < buffers.size(); ++i) {
      hashes[i] = Write(band, runs[i]);
    }
    return Combine(hashes, buffers.size());
  }

  // Returns the hash of what was written.
  uint64_t Write(const Band& band, const PlaneRun& run) {
    if (output_ == nullptr) {
      return 0;
    }
    output_->Write(plan_.tensors[band.tensor].output.planes[run.plane], run.offset, run.bytes);
    return Hash64(run.bytes);
  }

  // The band that this thread will likely get next is asked for while this one is computed.
  void ReadAhead(uint64_t index) {
    const uint64_t next = index + executor_.threads();
    if (next < bands_.size() && !resumed_[next]) {
      ValueOf(plan_, bands_[next]).WillNeed(sources_, bands_[next].first, bands_[next].count);
    }
  }

  void Complete(uint64_t index, const JournalRecord& record, uint64_t bytes) {
    if (output_ != nullptr) {
      output_->Record(record);
    }
    done_[index] = record;
    if (options_.progress != nullptr) {
      options_.progress->Advance(bytes);
    }
    const uint32_t tensor = bands_[index].tensor;
    if (remaining_[tensor].fetch_sub(1) == 1 && options_.progress != nullptr) {
      options_.progress->Tensor(plan_.tensors[tensor].output.name);
    }
  }

  // Counts over the whole tensor, so that the message says how many there are and where the first
  // is.
  [[noreturn]] void ThrowNonFinite(const Band& found) {
    NonFiniteTally tally;
    ReadContext context{sources_, pool_, NonFinitePolicy::kReject, &tally};
    for (const Band& band : bands_) {
      if (band.tensor == found.tensor && band.plane == found.plane) {
        const Value& value = ValueOf(plan_, band);
        Pool::Buffer buffer = pool_.Get(ElementBytes(value.dtype(), band.count));
        value.Read(context, band.first, band.count, buffer.data());
      }
    }
    const Value& value = ValueOf(plan_, found);
    throw Error(ErrorCode::kInvalid,
                {.file = plan_.sources[0]->path,
                 .object = plan_.tensors[found.tensor].output.name,
                 .what = tally.from_cast ? Format("{} values do not fit {}", tally.count,
                                                  Info(value.dtype()).long_name)
                                         : Format("{} values are NaN or infinite", tally.count),
                 .expected = "finite values",
                 .found = Format("the first at element {} of {}", tally.first.value_or(0),
                                 value.shape().ToString()),
                 .offset = {},
                 .advice = tally.from_cast
                               ? "choose a wider --dtype, or --allow-nonfinite to keep infinities"
                               : "repair the source, or --allow-nonfinite to go on"});
  }

  void Collect(RunResult& result) const {
    result.peak_memory = budget_.peak();
    result.errors.resize(options_.measure ? plan_.tensors.size() : 0);
    result.surveyed.resize(plan_.tensors.size());
    for (size_t i = 0; i < bands_.size(); ++i) {
      result.zeroed += done_[i]->zeroed;
      if (options_.measure) {
        result.errors[bands_[i].tensor].Add(done_[i]->errors);
      }
      AddTo(result.surveyed[bands_[i].tensor], surveyed_[i]);
    }
  }

  const Plan& plan_;
  const RunOptions& options_;
  const std::vector<Band> bands_;
  Executor executor_;
  Budget budget_;
  Pool pool_;
  SourceFiles sources_;
  std::vector<std::optional<JournalRecord>> done_;  // each written by the thread of its band
  std::vector<std::vector<double>> surveyed_;       // likewise
  std::vector<bool> resumed_;  // bands that an earlier run had done; fixed before work begins
  std::unique_ptr<std::atomic<uint32_t>[]> remaining_;
  std::unique_ptr<Output> output_;
};

}  // namespace

uint64_t MinimumMemory(const Plan& plan) {
  return LargestBand(plan, CutIntoBands(plan), /*measure=*/true);
}

RunResult RunPlan(const Plan& plan, const RunOptions& options) {
  return Run(plan, options).Execute();
}

}  // namespace lbrx
