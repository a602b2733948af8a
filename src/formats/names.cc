#include "formats/names.h"

#include <algorithm>

#include "core/base/hash.h"

namespace lbrx {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// A run of digits that starts at text[at].
struct DigitRun {
  std::string_view digits;  // leading zeros left out
  size_t end;

  DigitRun(std::string_view text, size_t at) {
    end = at;
    while (end < text.size() && IsDigit(text[end])) {
      ++end;
    }
    while (at + 1 < end && text[at] == '0') {
      ++at;
    }
    digits = text.substr(at, end - at);
  }
};

// Orders as NaturalLess does, as far as it goes: equal keys must still be compared. Runs of digits
// become a byte for their length (between '0' - 1 and ':', so that the order against other
// characters stays) and the digits.
uint64_t NaturalKey(std::string_view name) {
  uint64_t key = 0;
  int room = 8;
  const auto put = [&](uint8_t byte) {
    if (room > 0) {
      --room;
      key |= uint64_t{byte} << (8 * room);
    }
  };
  for (size_t i = 0; i < name.size() && room > 0;) {
    if (!IsDigit(name[i])) {
      put(static_cast<uint8_t>(name[i++]));
      continue;
    }
    const DigitRun run(name, i);
    i = run.end;
    if (run.digits.size() > 9) {
      put('9');
      return key | ((room > 0 ? uint64_t{1} << (8 * room) : 1) - 1);  // all that follows is unknown
    }
    put(static_cast<uint8_t>('0' + run.digits.size()));
    for (char digit : run.digits) {
      put(static_cast<uint8_t>(digit));
    }
  }
  return key;
}

uint64_t HashName(std::string_view name) {
  return Hash64(std::as_bytes(std::span(name.data(), name.size())));
}

size_t CommonPrefix(const std::vector<SourceTensor>& tensors) {
  std::string_view prefix = tensors.front().name;
  for (const SourceTensor& tensor : tensors) {
    const auto ends =
        std::mismatch(prefix.begin(), prefix.end(), tensor.name.begin(), tensor.name.end());
    prefix = prefix.substr(0, static_cast<size_t>(ends.first - prefix.begin()));
  }
  while (!prefix.empty() && IsDigit(prefix.back())) {
    prefix.remove_suffix(1);
  }
  return prefix.size();
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (IsDigit(a[i]) && IsDigit(b[j])) {
      const DigitRun run_a(a, i);
      const DigitRun run_b(b, j);
      if (run_a.digits.size() != run_b.digits.size()) {
        return run_a.digits.size() < run_b.digits.size();
      }
      if (const int order = run_a.digits.compare(run_b.digits); order != 0) {
        return order < 0;
      }
      i = run_a.end;
      j = run_b.end;
    } else if (a[i] != b[j]) {
      return static_cast<uint8_t>(a[i]) < static_cast<uint8_t>(b[j]);
    } else {
      ++i;
      ++j;
    }
  }
  const size_t rest_a = a.size() - i;
  const size_t rest_b = b.size() - j;
  return rest_a != rest_b ? rest_a < rest_b : a < b;  // "1" and "01" differ by bytes only
}

NameTable::NameTable(std::span<const StoredArray> arrays) : arrays_(arrays) {
  order_.reserve(arrays.size());
  for (uint32_t i = 0; i < arrays.size(); ++i) {
    order_.emplace_back(HashName(arrays[i].name), i);
  }
  std::sort(order_.begin(), order_.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) {
      return a.first < b.first;
    }
    const int names = arrays[a.second].name.compare(arrays[b.second].name);
    return names != 0 ? names < 0 : a.second < b.second;
  });
}

std::optional<uint32_t> NameTable::Find(std::string_view name) const {
  const std::pair<uint64_t, uint32_t> key(HashName(name), 0);
  const auto found =
      std::lower_bound(order_.begin(), order_.end(), key, [&](const auto& a, const auto& b) {
        return a.first != b.first ? a.first < b.first : arrays_[a.second].name < name;
      });
  if (found == order_.end() || arrays_[found->second].name != name) {
    return std::nullopt;
  }
  return found->second;
}

std::vector<std::pair<uint32_t, uint32_t>> NameTable::Duplicates() const {
  std::vector<std::pair<uint32_t, uint32_t>> out;
  for (size_t i = 1; i < order_.size(); ++i) {
    const auto& [hash, earlier] = order_[i - 1];
    const auto& [next_hash, later] = order_[i];
    if (hash == next_hash && arrays_[earlier].name == arrays_[later].name) {
      out.emplace_back(earlier, later);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  return out;
}

void SortNaturally(std::vector<SourceTensor>& tensors) {
  const auto less = [](const SourceTensor& a, const SourceTensor& b) {
    return NaturalLess(a.name, b.name);
  };
  if (std::is_sorted(tensors.begin(), tensors.end(), less)) {
    return;
  }
  const size_t prefix = CommonPrefix(tensors);
  std::vector<std::pair<uint64_t, uint32_t>> order;
  order.reserve(tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    order.emplace_back(NaturalKey(std::string_view(tensors[i].name).substr(prefix)), i);
  }
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first
                              : NaturalLess(tensors[a.second].name, tensors[b.second].name);
  });
  std::vector<SourceTensor> sorted;
  sorted.reserve(tensors.size());
  for (const auto& [key, index] : order) {
    sorted.push_back(std::move(tensors[index]));
  }
  tensors = std::move(sorted);
}

}  // namespace lbrx
