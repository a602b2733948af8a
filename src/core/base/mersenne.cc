#include "core/base/mersenne.h"

#include <algorithm>
#include <iterator>

namespace lbrx {
namespace {

constexpr size_t kMostMarks = 512;
constexpr size_t kMostStopped = 256;
constexpr size_t kShift = 397;

uint32_t Mix(uint32_t upper, uint32_t lower, uint32_t far) {
  const uint32_t joined = (upper & 0x80000000) | (lower & 0x7FFFFFFF);
  return far ^ (joined >> 1) ^ ((0 - (lower & 1)) & 0x9908B0DF);
}

uint32_t Temper(uint32_t word) {
  word ^= word >> 11;
  word ^= word << 7 & 0x9D2C5680;
  word ^= word << 15 & 0xEFC60000;
  return word ^ word >> 18;
}

}  // namespace

MersenneStream::MersenneStream(uint32_t seed) {
  static_assert((kMostMarks + kMostStopped + 2) * (sizeof(State) + 96) <= kBytes);
  State state;
  state.words[0] = seed;
  for (uint32_t i = 1; i < kWords; ++i) {
    const uint32_t last = state.words[i - 1];
    state.words[i] = 1812433253 * (last ^ last >> 30) + i;
  }
  Twist(state);
  state.block = 0;
  marks_.emplace(0, state);
}

std::shared_ptr<MersenneStream> MersenneStream::Shared(uint32_t seed) {
  static std::mutex mutex;
  static std::map<uint32_t, std::weak_ptr<MersenneStream>> streams;
  const std::lock_guard lock(mutex);
  std::weak_ptr<MersenneStream>& known = streams[seed];
  std::shared_ptr<MersenneStream> stream = known.lock();
  if (stream == nullptr) {
    stream = std::make_shared<MersenneStream>(seed);
    known = stream;
  }
  return stream;
}

void MersenneStream::Twist(State& state) {
  auto& words = state.words;
  size_t i = 0;
  for (; i < kWords - kShift; ++i) {
    words[i] = Mix(words[i], words[i + 1], words[i + kShift]);
  }
  for (; i < kWords - 1; ++i) {
    words[i] = Mix(words[i], words[i + 1], words[i + kShift - kWords]);
  }
  words[i] = Mix(words[i], words[0], words[kShift - 1]);
  ++state.block;
}

void MersenneStream::Fill(uint64_t first, size_t count, uint32_t* out) {
  if (count == 0) {
    return;
  }
  State state = Nearest(first / kWords);
  const auto step = [&] {
    Twist(state);
    Mark(state);
  };
  while (state.block < first / kWords) {
    step();
  }
  for (size_t done = 0; done < count;) {
    const size_t begin = (first + done) % kWords;
    if (begin == 0 && done > 0) {
      step();
    }
    const size_t n = std::min(kWords - begin, count - done);
    for (size_t i = 0; i < n; ++i) {
      out[done + i] = Temper(state.words[begin + i]);
    }
    done += n;
  }
  Stopped(state);
}

MersenneStream::State MersenneStream::Nearest(uint64_t block) {
  const std::lock_guard lock(mutex_);
  const State* best = &std::prev(marks_.upper_bound(block))->second;  // there is always block 0
  for (const State& state : stopped_) {
    if (state.block <= block && state.block > best->block) {
      best = &state;
    }
  }
  return *best;
}

void MersenneStream::Mark(const State& state) {
  const std::lock_guard lock(mutex_);
  if (state.block != std::prev(marks_.end())->first + interval_) {
    return;
  }
  marks_.emplace(state.block, state);
  if (marks_.size() > kMostMarks) {
    interval_ *= 2;
    std::erase_if(marks_, [&](const auto& mark) { return mark.first % interval_ != 0; });
  }
}

void MersenneStream::Stopped(const State& state) {
  const std::lock_guard lock(mutex_);
  stopped_.push_front(state);
  if (stopped_.size() > kMostStopped) {
    stopped_.pop_back();
  }
}

}  // namespace lbrx
