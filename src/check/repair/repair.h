// Repair: from a damaged checkpoint a plan that writes a sound one with everything that is whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "check/repair/salvage.h"
#include "stream/plan.h"

namespace lbrx {

struct RepairRequest {
  // What takes the place of lost tensors whose shape is known.
  enum class Fill : uint8_t { kNothing, kZeros, kReference };

  std::string source;
  std::string destination;  // ends in .safetensors: one bare file
  std::string reference;    // a sound model of the same kind; empty: none
  Fill fill = Fill::kNothing;
  uint64_t shard_size = 5'000'000'000;

  Json ToJson() const;
};

struct Repair {
  Plan plan;  // source 0 is the damaged checkpoint, source 1 the reference

  uint64_t tensors = 0;  // arrays that are whole
  uint64_t bytes = 0;    // of them

  struct File {
    std::string name;
    uint64_t tensors = 0;
    uint64_t bytes = 0;
    std::string state;  // "whole", "damaged", or what it is instead
  };

  std::vector<File> files;
  std::vector<Mended> mended;
  std::vector<Lost> lost;
};

// Reads headers and small files of the source, which is never written to. What is saved is copied
// byte for byte, NaN and all. `reference` may be null; kUsage for Fill::kReference without one.
// kInvalid where nothing can be saved, saying what the source is; kIo where it is not there.
Repair PlanRepair(const RepairRequest& request, std::shared_ptr<const Checkpoint> reference);

}  // namespace lbrx
