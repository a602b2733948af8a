// Sums of many figures over the pieces of a tensor, where keeping them for each piece would take
// too much.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

namespace lbrx {

// Adds up what pieces give in the order of pieces. A piece that comes early is kept until those
// before it are there: threads that take pieces in order leave about one for each thread.
// Thread-safe.
class OrderedSums {
 public:
  explicit OrderedSums(size_t figures) : figures_(figures) {}

  void Add(size_t piece, std::vector<double> figures);
  // After all pieces; begins anew.
  std::vector<double> Finish();

 private:
  size_t figures_;
  std::mutex mutex_;
  std::vector<double> sums_;
  size_t next_ = 0;
  std::map<size_t, std::vector<double>> early_;
};

}  // namespace lbrx
