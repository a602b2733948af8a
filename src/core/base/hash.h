// Hashes: XXH3 for integrity and identity, SHA-256 for files.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lbrx {

uint64_t Hash64(std::span<const std::byte> data);

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
  std::string Hex() const;  // 32 lower-case hex digits, high half first
};

// Incremental XXH3-128.
class Hasher128 {
 public:
  Hasher128();
  ~Hasher128();
  Hasher128(const Hasher128&) = delete;
  Hasher128& operator=(const Hasher128&) = delete;
  void Update(std::span<const std::byte> data);
  void Update(std::string_view text);
  Hash128 Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Incremental SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(std::span<const std::byte> data);
  std::string FinishHex();  // 64 lower-case hex digits; once, at the end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lbrx
