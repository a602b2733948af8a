// Small checkpoints made on the spot.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace lbrx {

struct TestTensor {
  std::string name;
  DType dtype;
  Shape shape;
  std::string bytes;  // raw little-endian elements
};

// A tensor of floats (BF16, F16 or F32) drawn from a fixed sequence that depends on `name`.
TestTensor RandomTensor(const std::string& name, DType dtype, const Shape& shape);

void WriteSafetensors(const std::string& path, const std::vector<TestTensor>& tensors,
                      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

// The bytes of every tensor of a .safetensors file, by name.
std::map<std::string, std::string> ReadSafetensors(const std::string& path);

// Every file under a folder (or the one file), relative name -> content.
std::map<std::string, std::string> ReadTree(const std::string& path);

// The tensors and config of a small llama: hidden 64, 2 heads of 32, intermediate 128,
// vocabulary 96.
struct TinyLlama {
  int layers = 2;
  DType dtype = DType::kBF16;
  bool tied = false;
  std::vector<TestTensor> Tensors() const;
  std::string Config() const;
  // Writes a Hugging Face folder (one shard, config, tokenizer file) at `path`, which must not
  // exist.
  void Write(const std::string& path) const;
};

}  // namespace lbrx
