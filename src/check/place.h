// Where in a model a tensor sits, read from its name alone, so that every model has layers and
// kinds of tensor to be drawn by.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

// "model.layers.3.mlp.experts.7.up_proj.weight" is of stack "model.layers", layer 3, kind
// "mlp.experts.*.up_proj"; "lm_head.weight" of no layer, kind "lm_head".
struct TensorPlace {
  std::string stack;              // what is before the layer's number; empty without layer
  std::optional<uint64_t> layer;  // the first part of the name that is a number
  std::string kind;               // what is behind it, without ".weight"; later numbers are "*"

  auto operator<=>(const TensorPlace&) const = default;
};

TensorPlace PlaceOf(std::string_view name);

// The places of a model's tensors in the order in which they first came: experts of a layer share
// one, so there are some thousands at most whatever the number of tensors.
class PlaceList {
 public:
  // The place's index; added where it is new.
  size_t Add(std::string_view name);

  const std::vector<TensorPlace>& places() const { return places_; }

 private:
  std::vector<TensorPlace> places_;
  std::map<TensorPlace, size_t> index_;
};

}  // namespace lbrx
