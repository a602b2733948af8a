#include "core/text/suggest.h"

#include <algorithm>

#include "core/base/plain_text.h"

namespace lbrx {
namespace {

// The only candidate that begins with `word`, if it has at least two characters beyond dashes.
std::string OnlyCompletion(const std::string& word, std::span<const std::string> candidates) {
  const size_t letters = word.size() - std::min(word.size(), word.find_first_not_of('-'));
  if (letters < 2) {
    return "";
  }
  std::string found;
  for (const std::string& candidate : candidates) {
    if (AsciiLower(candidate).starts_with(word)) {
      if (!found.empty()) {
        return "";
      }
      found = candidate;
    }
  }
  return found;
}

}  // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  const std::string s = AsciiLower(a);
  const std::string t = AsciiLower(b);
  std::vector<size_t> before(t.size() + 1);  // row i - 2
  std::vector<size_t> last(t.size() + 1);    // row i - 1
  std::vector<size_t> row(t.size() + 1);
  for (size_t j = 0; j <= t.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 1; i <= s.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= t.size(); ++j) {
      const size_t replace = last[j - 1] + (s[i - 1] == t[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && s[i - 1] == t[j - 2] && s[i - 2] == t[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[t.size()];
}

std::string Nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr size_t kLongest = 64;  // nobody means more, and the distance is quadratic
  if (word.empty() || word.size() > kLongest) {
    return "";
  }
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? OnlyCompletion(AsciiLower(word), candidates) : best;
}

std::string Suggestion(std::string_view word, std::span<const std::string> candidates,
                       const std::string& otherwise) {
  const std::string nearest = Nearest(word, candidates);
  return nearest.empty() ? otherwise : "did you mean " + nearest + "?";
}

}  // namespace lbrx
