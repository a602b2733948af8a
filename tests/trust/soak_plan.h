// Commands drawn at random: any source, target, scheme and merge method, with faults on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "trust/commands.h"
#include "trust/workplace.h"

namespace lbrx {

// All that a round draws comes from its seed; only when a kill falls is up to the machine.
class SoakRound {
 public:
  explicit SoakRound(uint64_t seed) : random_(seed) {}

  // Makes a workplace for a command, disturbs it a few times and checks what must hold. What is
  // wrong, or "". Throws std::runtime_error where the command is refused even undisturbed.
  std::string Run();

  // The command line and its faults as far as they were drawn.
  std::string Description() const { return "lbrx" + line_ + ":" + faults_; }

 private:
  template <typename T, size_t kCount>
  const T& OneOf(const T (&choices)[kCount]) {
    return choices[random_() % kCount];
  }

  bool Chance(unsigned percent) { return random_() % 100 < percent; }

  std::function<void(const std::string&)> DrawSources(std::string& source);
  std::string DrawMerge();
  void DrawTarget(WritingCommand& command);
  WritingCommand DrawCommand();
  std::string WithFailingCall(const Workplace& place);
  std::string WithPowerLoss(const Workplace& place);
  std::string WithoutMemory(const Workplace& place);
  std::string WithKill(const Workplace& place);
  std::string Disturb(const Workplace& place);

  std::mt19937_64 random_;
  unsigned threads_ = 1;
  bool sync_ = false;
  bool settled_ = true;  // an earlier disturbance has not left a set half moved
  std::string line_;
  std::string faults_;
};

}  // namespace lbrx
