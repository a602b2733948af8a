// What there is to draw of a checkpoint, of a conversion or of a comparison: one row for each place
// (layer and kind of tensor), with what was there before and what is there after.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "check/distribution.h"
#include "check/place.h"
#include "stream/measure.h"

namespace lbrx {

// A place on one side. Nothing there: no tensors.
struct LookSide {
  uint64_t tensors = 0;
  uint64_t elements = 0;
  uint64_t bytes = 0;
  std::string scheme;  // "4bit/64"; "mixed" where the tensors differ

  double Bits() const;  // per weight; 0 where there are none
  void Add(uint64_t more_elements, uint64_t more_bytes, const std::string& label);
};

struct LookRow {
  TensorPlace place;
  std::string name;  // of the tensor; of several (experts) what they share
  Shape shape;       // of the first
  std::array<LookSide, 2> sides;
  ErrorSums error;   // of the second side against the first; count 0: not measured
  std::string note;  // what else there is to say: "only in A"

  bool Measured() const { return error.count != 0; }
};

// A run of schemes: what share of a side each has.
struct LookShare {
  std::string scheme;
  LookSide sum;
};

struct Look {
  std::string title;                 // "Quantization report"
  std::string command;               // as one would type it
  std::array<std::string, 2> paths;  // of the sides
  std::array<std::string, 2> names;  // "before", "after"
  size_t sides = 1;                  // 1: only the first counts
  std::vector<std::string> notices;
  std::vector<LookRow> rows;
  // Of each row; empty where not collected. `values` are those of the sides.
  std::array<std::vector<Distribution>, 2> values;
  std::vector<Distribution> errors;

  // The row of the tensor called `name`, added where its place is new.
  LookRow& RowOf(const std::string& name, const Shape& shape);

  LookSide Total(size_t side) const;  // of all rows; the scheme is left empty
  ErrorSums TotalError() const;
  std::vector<LookShare> Shares(size_t side) const;  // by bytes, largest first

 private:
  PlaceList places_;
};

// Rows by layer and kind: a table to be drawn for each stack of layers.
struct LookGrid {
  struct Line {
    std::string kind;
    std::vector<std::optional<size_t>> rows;  // by layer; nullopt: no such tensor
  };

  std::string stack;             // "model.layers"
  std::vector<uint64_t> layers;  // ascending
  std::vector<Line> lines;       // matrices before vectors, else as the rows come
};

struct LookLayers {
  std::vector<size_t> alone;    // rows of no layer
  std::vector<LookGrid> grids;  // a stack each
};

LookLayers ByLayer(const Look& look);

}  // namespace lbrx
