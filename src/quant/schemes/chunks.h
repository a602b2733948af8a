// Kernels work on chunks: a fixed number of groups, which have a place in every plane. These are
// the loops over a job's chunks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "quant/codec.h"

namespace lbrx {

// How far packing may write, and unpacking read, beyond the end of the codes.
inline constexpr size_t kPackSlack = 16;

template <size_t kPlanes>
using PlanePointers = std::array<std::byte*, kPlanes>;
template <size_t kPlanes>
using ConstPlanePointers = std::array<const std::byte*, kPlanes>;

// Bytes that a group has in a plane: codes first, then scales and biases.
inline size_t GroupBytes(const Encoding& encoding, size_t plane) {
  if (plane == 0) {
    return size_t{encoding.group} / 8 * encoding.bits;
  }
  return encoding.scheme == Scheme::kAffine ? Info(encoding.dtype).bits / 8 : 1;
}

// Of `groups`, how many lie in chunks whose codes can be packed or unpacked in place: at least
// kPackSlack bytes of the same job follow.
inline size_t GroupsInPlace(const Encoding& encoding, size_t groups, size_t chunk) {
  const size_t whole = groups / chunk * chunk;
  const bool room = (groups - whole) * GroupBytes(encoding, 0) >= kPackSlack;
  return room || whole == 0 ? whole : whole - chunk;
}

// `encode(values, planes)` encodes kGroups groups and may write kPackSlack bytes beyond the codes.
// The end, a full chunk or not, goes through buffers, so that nothing beyond the job is touched.
template <size_t kGroups, size_t kMaxGroup, size_t kPlanes, typename Encode>
void EncodeChunks(const EncodeJob& job, const Encode& encode) {
  const Encoding& encoding = job.encoding;
  const size_t groups = job.elements / encoding.group;
  const size_t in_place = GroupsInPlace(encoding, groups, kGroups);
  const size_t value_bytes = size_t{encoding.group} * Info(encoding.dtype).bits / 8;
  const std::byte* values = job.values;
  PlanePointers<kPlanes> planes;
  std::copy_n(job.planes.begin(), kPlanes, planes.begin());
  for (size_t g = 0; g < in_place; g += kGroups) {
    encode(values, planes);
    values += kGroups * value_bytes;
    for (size_t p = 0; p < kPlanes; ++p) {
      planes[p] += kGroups * GroupBytes(encoding, p);
    }
  }
  alignas(32) std::byte padded[kGroups * kMaxGroup * sizeof(float)];
  alignas(32) std::byte written[kPlanes][kGroups * kMaxGroup + kPackSlack];
  PlanePointers<kPlanes> buffers;
  std::copy_n(written, kPlanes, buffers.begin());
  for (size_t g = in_place; g < groups; g += kGroups) {
    const size_t n = std::min(kGroups, groups - g);
    std::memcpy(padded, values, n * value_bytes);
    std::memset(padded + n * value_bytes, 0, (kGroups - n) * value_bytes);
    encode(padded, buffers);
    values += n * value_bytes;
    for (size_t p = 0; p < kPlanes; ++p) {
      std::memcpy(planes[p], written[p], n * GroupBytes(encoding, p));
      planes[p] += n * GroupBytes(encoding, p);
    }
  }
}

// `decode(planes, groups, values)` decodes at most kGroups groups and may read kPackSlack bytes
// beyond the codes.
template <size_t kGroups, size_t kMaxGroup, size_t kPlanes, typename Decode>
void DecodeChunks(const DecodeJob& job, const Decode& decode) {
  const Encoding& encoding = job.encoding;
  const size_t groups = job.elements / encoding.group;
  const size_t in_place = GroupsInPlace(encoding, groups, kGroups);
  std::byte* values = job.values;
  ConstPlanePointers<kPlanes> planes;
  std::copy_n(job.planes.begin(), kPlanes, planes.begin());
  alignas(32) std::byte buffer[kGroups * kMaxGroup + kPackSlack] = {};
  for (size_t g = 0; g < groups; g += kGroups) {
    const size_t n = std::min(kGroups, groups - g);
    ConstPlanePointers<kPlanes> chunk = planes;
    if (g >= in_place) {
      std::memcpy(buffer, planes[0], n * GroupBytes(encoding, 0));
      chunk[0] = buffer;
    }
    decode(chunk, n, values);
    values += n * encoding.group * Info(job.dtype).bits / 8;
    for (size_t p = 0; p < kPlanes; ++p) {
      planes[p] += n * GroupBytes(encoding, p);
    }
  }
}

}  // namespace lbrx
