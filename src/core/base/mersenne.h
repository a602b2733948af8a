// The Mersenne Twister as a stream of which any part can be had: torch draws from one on the CPU.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>

namespace lbrx {

// The 32-bit words of MT19937 (M. Matsumoto, T. Nishimura, "Mersenne Twister", ACM TOMACS 8, 1998),
// seeded by one 32-bit number as in their init_genrand. There is no way to a word but through those
// before it, so states are kept at intervals, and where readers stopped: reading on from there, or
// not far behind, is cheap. Takes at most kBytes however long the stream gets. Thread-safe.
class MersenneStream {
 public:
  static constexpr uint64_t kBytes = uint64_t{2} << 20;

  explicit MersenneStream(uint32_t seed);

  // One stream for all that ask for the same seed while anybody holds it.
  static std::shared_ptr<MersenneStream> Shared(uint32_t seed);

  // Words [first, first + count).
  void Fill(uint64_t first, size_t count, uint32_t* out);

 private:
  static constexpr size_t kWords = 624;

  struct State {
    uint64_t block = 0;  // which kWords words of the stream these are, still to be tempered
    std::array<uint32_t, kWords> words{};
  };

  static void Twist(State& state);
  State Nearest(uint64_t block);
  void Mark(const State& state);
  void Stopped(const State& state);

  std::mutex mutex_;
  std::map<uint64_t, State> marks_;  // at multiples of interval_, without gaps
  uint64_t interval_ = 64;           // blocks; doubled whenever there are too many marks
  std::list<State> stopped_;         // the last one first
};

}  // namespace lbrx
