#include "core/text/yaml.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "core/base/format.h"
#include "core/text/yaml_builder.h"

namespace lbrx {
namespace {

struct ParserDeleter {
  void operator()(yaml_parser_t* parser) const {
    yaml_parser_delete(parser);
    delete parser;
  }
};

// An event that is freed.
class Event {
 public:
  Event() = default;

  ~Event() { yaml_event_delete(&event_); }

  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t* get() { return &event_; }

  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

YamlPosition PositionAt(std::string_view text, size_t offset) {
  YamlPosition out{1, 1};
  for (const char c : text.substr(0, std::min(offset, text.size()))) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    out.column += continuation ? 0 : 1;
    if (c == '\n') {
      out = {out.line + 1, 1};
    }
  }
  return out;
}

[[noreturn]] void FailSyntax(const yaml_parser_t& parser, std::string_view text,
                             const YamlBuilder& builder) {
  if (parser.error == YAML_MEMORY_ERROR) {
    throw std::bad_alloc();
  }
  const std::string problem = parser.problem == nullptr ? "" : parser.problem;
  const std::string what = "invalid YAML, " + problem;
  if (parser.error == YAML_READER_ERROR) {
    builder.Fail(PositionAt(text, parser.problem_offset), what);
  }
  const std::string context = parser.context == nullptr ? "" : parser.context;
  builder.Fail(PositionOf(parser.problem_mark),
               context.empty() ? what
                               : Format("{} {} that begins at {}", what, context,
                                        ToString(PositionOf(parser.context_mark))),
               "", "", context == "while scanning an alias" ? "* needs quotes: \"*\"" : "");
}

}  // namespace

YamlDocument ParseYaml(std::string_view text, const std::string& file, const YamlLimits& limits) {
  YamlBuilder builder(file, limits);
  if (text.size() > limits.max_bytes) {
    builder.Fail({1, 1}, "YAML text is too large", Format("at most {} bytes", limits.max_bytes),
                 std::to_string(text.size()));
  }
  std::unique_ptr<yaml_parser_t, ParserDeleter> parser(new yaml_parser_t());
  if (yaml_parser_initialize(parser.get()) == 0) {
    throw std::bad_alloc();
  }
  yaml_parser_set_encoding(parser.get(), YAML_UTF8_ENCODING);
  const char* input = text.empty() ? "" : text.data();  // libyaml asserts that there is one
  yaml_parser_set_input_string(parser.get(), reinterpret_cast<const unsigned char*>(input),
                               text.size());
  while (true) {
    Event event;
    if (yaml_parser_parse(parser.get(), event.get()) == 0) {
      FailSyntax(*parser, text, builder);
    }
    if (!builder.Take(*event)) {
      return std::move(builder).Finish();
    }
  }
}

}  // namespace lbrx
