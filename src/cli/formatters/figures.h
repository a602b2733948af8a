// Figures as reports and pictures show them.
#pragma once

#include <string>

#include "core/text/json.h"

namespace lbrx {

std::string PercentText(double ratio);    // "9.37%", "0.012%", "none" for 0
std::string DecibelText(double decibel);  // "20.5 dB", "exact" where infinite
std::string RealText(double value);       // "0.0123", "1.2e-07", "not finite"
std::string BitsText(double bits);        // "4.5", "16", "6.25"

Json FiniteJson(double value);  // null where it is not finite: JSON has no such numbers

}  // namespace lbrx
