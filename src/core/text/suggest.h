// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, ignoring ASCII case.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `word`; empty where none is near enough to be meant (a third of its
// length, at least one edit), unless `word` is the beginning of exactly one.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

// "did you mean X?", or `otherwise` where nothing is near.
std::string Suggestion(std::string_view word, std::span<const std::string> candidates,
                       const std::string& otherwise);

}  // namespace lbrx
