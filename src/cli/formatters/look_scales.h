// The scales by which all parts of one report colour bits and errors.
#pragma once

#include "cli/formatters/heat_map.h"
#include "cli/formatters/look.h"

namespace lbrx {

HeatScale BitsScale(const Look& look);   // of both sides together
HeatScale ErrorScale(const Look& look);  // relative error of the rows that have one
HeatScale SnrScale(const Look& look);    // in decibel; exact rows do not count

}  // namespace lbrx
