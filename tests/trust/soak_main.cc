// lbrx_soak SECONDS [SEED]: rounds until the time is over, from SEED on. A line a minute; at the
// first violation the seed of that round, with its command line, and exit 1.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "trust/soak_plan.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Tally {
  uint64_t rounds = 0;
  uint64_t refused = 0;  // commands that are refused even undisturbed
};

// False at a violation.
bool RunRound(uint64_t seed, Tally& tally) {
  lbrx::SoakRound round(seed);
  std::string wrong;
  try {
    wrong = round.Run();
  } catch (const std::runtime_error& error) {
    ++tally.refused;
    std::printf("refused: %s\n  %s\n", round.Description().c_str(), error.what());
  }
  ++tally.rounds;
  if (!wrong.empty()) {
    std::printf("VIOLATION seed=%llu\n%s\n%s\n", static_cast<unsigned long long>(seed),
                round.Description().c_str(), wrong.c_str());
  }
  return wrong.empty();
}

int Soak(Clock::duration duration, uint64_t seed) {
  const Clock::time_point start = Clock::now();
  auto minute = start;
  Tally tally;
  do {
    if (!RunRound(seed++, tally)) {
      return 1;
    }
    if (Clock::now() - minute >= std::chrono::minutes(1)) {
      minute = Clock::now();
      std::printf("%lld min: %llu rounds, the next seed is %llu\n",
                  static_cast<long long>(
                      std::chrono::duration_cast<std::chrono::minutes>(minute - start).count()),
                  static_cast<unsigned long long>(tally.rounds),
                  static_cast<unsigned long long>(seed));
      std::fflush(stdout);
    }
  } while (Clock::now() - start < duration);
  std::printf("%llu rounds without a violation, %llu of them refused\n",
              static_cast<unsigned long long>(tally.rounds),
              static_cast<unsigned long long>(tally.refused));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: lbrx_soak SECONDS [SEED]\n");
    return 2;
  }
  const std::chrono::seconds duration(std::strtoll(argv[1], nullptr, 10));
  const uint64_t seed = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : std::random_device()();
  std::printf("the first seed is %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return Soak(duration, seed);
}
