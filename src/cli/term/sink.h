// Where text goes: a file descriptor in the program, a string in tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lbrx {

// Thrown where the reader of standard output went away: the program ends quietly (exit 141).
struct ClosedPipe {};

class Sink {
 public:
  Sink() = default;
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  virtual void Write(std::string_view text) = 0;
  virtual void Flush() = 0;
  virtual bool is_terminal() const = 0;
  // Width in columns; 0: not a terminal, or unknown.
  virtual int columns() const = 0;
};

// A file descriptor, not owned.
class FdSink : public Sink {
 public:
  enum class Kind {
    kResult,      // buffered; a failed write throws ClosedPipe or lbrx::Error
    kDiagnostic,  // written at once; a failed write is ignored, there is nobody to tell
  };

  FdSink(int descriptor, Kind kind) : descriptor_(descriptor), kind_(kind) {}

  ~FdSink() override = default;

  void Write(std::string_view text) override;
  void Flush() override;
  bool is_terminal() const override;
  int columns() const override;

 private:
  static constexpr size_t kBufferSize = size_t{64} << 10;
  void WriteAll(std::string_view text) const;
  const int descriptor_;
  const Kind kind_;
  std::string buffer_;
};

// Collects text; looks like a terminal where told so.
class StringSink : public Sink {
 public:
  explicit StringSink(bool terminal = false, int columns = 0)
      : terminal_(terminal), columns_(columns) {}

  void Write(std::string_view text) override { text_ += text; }

  void Flush() override {}

  bool is_terminal() const override { return terminal_; }

  int columns() const override { return columns_; }

  const std::string& text() const { return text_; }

  void clear() { text_.clear(); }

 private:
  const bool terminal_;
  const int columns_;
  std::string text_;
};

}  // namespace lbrx
