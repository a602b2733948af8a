#include "quant/schemes/ggml/iq_neighbours.h"

#include <array>

namespace lbrx {
namespace {

constexpr size_t kDistances = 256;  // more than the largest: 4 * 7^2 or 8 * 2^2

int Shells(IqGrid grid) {
  switch (grid) {
    case IqGrid::kTwoBit1024:
      return 1;
    case IqGrid::kTernary2048:
    case IqGrid::kThreeBit512:
      return 3;
    default:
      return 2;
  }
}

// Squared distances between strings, as a sum over their halves.
class Distances {
 public:
  explicit Distances(IqGrid grid) : base_(IqNeighbours::Base(grid)) {
    for (uint32_t a = 0; a < Halves(); ++a) {
      for (uint32_t b = 0; b < Halves(); ++b) {
        table_.push_back(Between(a, b));
      }
    }
  }

  uint32_t Strings() const { return Halves() * Halves(); }

  // Strings of half the digits.
  uint32_t Halves() const { return base_ == 8 ? 8 * 8 : 3 * 3 * 3 * 3; }

  // Of one half to the others.
  const uint8_t* From(uint32_t half) const { return &table_[size_t{half} * Halves()]; }

 private:
  uint8_t Between(uint32_t a, uint32_t b) const {
    uint32_t sum = 0;
    for (; a + b > 0; a /= base_, b /= base_) {
      const uint32_t difference = a % base_ - b % base_;  // its square is right modulo 2^32
      sum += difference * difference;
    }
    return static_cast<uint8_t>(sum);
  }

  uint32_t base_;
  std::vector<uint8_t> table_;
};

struct Point {
  uint16_t word;
  uint8_t low;  // the halves of its code
  uint8_t high;
};

std::vector<Point> PointsOf(IqGrid grid, const Distances& distances) {
  const uint32_t halves = distances.Halves();
  std::vector<Point> out;
  for (const uint16_t word : IqGridWords(grid)) {
    const uint32_t code = IqDigitBits(grid) == 3 ? IqCode<IqGrid::kThreeBit256>(word)
                                                 : IqCode<IqGrid::kTwoBit256>(word);
    out.push_back({word, static_cast<uint8_t>(code % halves), static_cast<uint8_t>(code / halves)});
  }
  return out;
}

// Appends the points of the nearest shells: a counting sort by distance.
void AppendNear(const std::vector<Point>& points, const uint8_t* low, const uint8_t* high,
                int shells, std::vector<uint16_t>& lists) {
  std::array<uint16_t, kDistances> counts{};
  for (const Point& point : points) {
    ++counts[low[point.low] + high[point.high]];
  }
  std::array<size_t, kDistances> places{};
  size_t end = lists.size();
  size_t distance = 0;
  for (; shells > 0 && distance < kDistances; ++distance) {
    places[distance] = end;
    end += counts[distance];
    shells -= counts[distance] > 0 ? 1 : 0;
  }
  lists.resize(end);
  for (const Point& point : points) {
    const size_t d = low[point.low] + high[point.high];
    if (d < distance) {
      lists[places[d]++] = point.word;
    }
  }
}

}  // namespace

IqNeighbours::IqNeighbours(IqGrid grid) {
  const Distances distances(grid);
  const std::vector<Point> points = PointsOf(grid, distances);
  indices_.resize(distances.Strings());
  std::vector<bool> is_point(distances.Strings());
  for (size_t i = 0; i < points.size(); ++i) {
    const uint32_t code = points[i].low + points[i].high * distances.Halves();
    indices_[code] = static_cast<uint16_t>(i);
    is_point[code] = true;
  }
  for (uint32_t code = 0; code < distances.Strings(); ++code) {
    const size_t begin = lists_.size();
    if (!is_point[code]) {
      AppendNear(points, distances.From(code % distances.Halves()),
                 distances.From(code / distances.Halves()), Shells(grid), lists_);
    }
    begins_.push_back(static_cast<uint16_t>(begin / kPad));
    counts_.push_back(static_cast<uint16_t>(lists_.size() - begin));
    lists_.resize((lists_.size() + kPad - 1) / kPad * kPad);
  }
  lists_.shrink_to_fit();
}

template <IqGrid kGrid>
const IqNeighbours& IqNeighbours::Table() {
  static const IqNeighbours table(kGrid);
  return table;
}

const IqNeighbours& IqNeighbours::Of(IqGrid grid) {
  switch (grid) {
    case IqGrid::kTwoBit256:
      return Table<IqGrid::kTwoBit256>();
    case IqGrid::kTwoBit512:
      return Table<IqGrid::kTwoBit512>();
    case IqGrid::kTwoBit1024:
      return Table<IqGrid::kTwoBit1024>();
    case IqGrid::kTernary2048:
      return Table<IqGrid::kTernary2048>();
    case IqGrid::kThreeBit256:
      return Table<IqGrid::kThreeBit256>();
    default:
      return Table<IqGrid::kThreeBit512>();
  }
}

}  // namespace lbrx
