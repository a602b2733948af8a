// The parts of a report's page. Each is empty text where there is nothing to show.
#pragma once

#include <string>

#include "cli/formatters/look.h"

namespace lbrx {

std::string SharesSection(const Look& look);      // what share of the bytes each scheme has
std::string HeatMapsSection(const Look& look);    // bits and error by layer and kind
std::string HistogramsSection(const Look& look);  // values and errors by kind
std::string TableSection(const Look& look);       // every tensor

}  // namespace lbrx
