// How values are distributed: moments and a histogram, of runs of values as they stream by.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "check/check.h"
#include "check/histogram.h"
#include "check/place.h"

namespace lbrx {

// Count, extremes, mean and deviation of the finite values, in float64, with Chan's update (so a
// mean far from 0 costs no digits of the deviation). Added in a fixed order: independent of
// threads.
struct Moments {
  uint64_t count = 0;  // of finite values
  uint64_t nan = 0;
  uint64_t infinite = 0;
  double min = std::numeric_limits<double>::infinity();  // so without values
  double max = -std::numeric_limits<double>::infinity();
  double mean = 0;
  double squares = 0;  // sum of (value - mean)^2

  void Add(const Moments& other);
  double Deviation() const;  // of the whole, not a sample's estimate; 0 without values
};

struct Distribution {
  Moments moments;
  Histogram histogram;  // of the finite values

  void Add(std::span<const float> values);
  void Add(std::span<const double> values);
  // The values a[i] - b[i], in float64; spans of one length.
  void AddDifferences(std::span<const float> a, std::span<const float> b);
  void AddDifferences(std::span<const double> a, std::span<const double> b);
};

// Distributions of several groups, put together from parts that any thread may bring in any order.
// Moments are added in the order of the parts' numbers; parts wait for their turn, of which there
// are no more than are being worked on.
class DistributionSet {
 public:
  explicit DistributionSet(size_t groups) : groups_(groups) {}

  // Part `number`, counted from 0 over all groups without gaps. Thread-safe.
  void Add(uint64_t number, size_t group, const Distribution& part);

  std::vector<Distribution> Take() { return std::move(groups_); }

 private:
  struct Waiting {
    size_t group;
    Moments moments;
  };

  std::mutex mutex_;
  std::vector<Distribution> groups_;
  std::map<uint64_t, Waiting> waiting_;
  uint64_t next_ = 0;
};

// What Diff() collects beside its figures.
struct DiffPictures {
  PlaceList places;  // of all tensors that it gives, in its order
  // A group for each place: the values of A and of B, and B - A in float64.
  std::vector<Distribution> a, b, error;
};

// The distributions of `groups` groups of tensors, decoded: tensor i of the checkpoint belongs to
// group_of[i], or to none where that is kNoGroup. Elements that are no numbers (complex) count for
// nothing. Memory: `groups` times 8 KiB beside the buffers.
inline constexpr size_t kNoGroup = std::numeric_limits<size_t>::max();
std::vector<Distribution> Distributions(const Checkpoint& checkpoint,
                                        std::span<const size_t> group_of, size_t groups,
                                        const CheckOptions& options);

}  // namespace lbrx
