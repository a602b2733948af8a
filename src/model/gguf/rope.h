// Rotary positions in config.json and in GGUF.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/text/json.h"

namespace lbrx {

inline constexpr double kUsualTheta = 1e4;  // llama.cpp's where a file has no rope.freq_base

// kInvalid about rope_parameters.
[[noreturn]] void FailRope(std::string what);

// What config.json says of rope, for the layers that attend to everything: a member of
// rope_parameters, else the one beside it. nullptr: absent or null.
const Json* RopeMember(const Json& config, std::string_view member);
std::optional<double> RopeNumber(const Json& config, std::string_view member);
// Of positions; kInvalid where it is no count of them.
std::optional<uint64_t> RopeCount(const Json& config, std::string_view member);
// rope_type, "su" read as "longrope"; "default" where there is none.
std::string RopeType(const Json& config);

class KeyReader;
class KeyWriter;

double RopeTheta(const KeyWriter& writer);
double RotaryPart(const KeyWriter& writer);  // partial_rotary_factor, in 0...1

// Sets a member of rope_parameters.
void SetRope(Json& config, std::string_view member, Json value);

// Two lists of factors (long_rope.cc). Reading says whether there were any.
void CheckFactors(const KeyReader& reader, const std::vector<float>& factors,
                  std::string_view tensor);
void WriteLongScaling(KeyWriter& writer);
bool ReadLongScaling(KeyReader& reader);
Json FactorList(const std::vector<float>& factors);

// Numbers by which llama3's rope divides its frequencies, as Llama 3.1's published code has them.
struct Llama3Rope {
  double factor = 8;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_context = 8192;
};

std::vector<float> Llama3Divisors(double base, uint64_t head, const Llama3Rope& rope);

// The inverse, with low_freq_factor 1. nullopt where no such rope gives just these values.
std::optional<Llama3Rope> SolveLlama3(const std::vector<float>& divisors, double base);

}  // namespace lbrx
