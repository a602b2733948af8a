// How named formats write a conversation. Sources: the model cards of Stanford Alpaca, OpenAI's
// ChatML, EXAONE 3, Llama 3 and Mistral Instruct 0.1.
#include "merge/tokenizer/chat_template.h"

namespace lbrx {
namespace {

constexpr std::string_view kAlpaca = R"({{- bos_token -}}
{%- if messages[0].role == 'system' -%}
  {{- messages[0].content.strip() -}}
  {%- set turns = messages[1:] -%}
{%- else -%}
  {{- 'Below is an instruction that describes a task. ' -}}
  {{- 'Write a response that appropriately completes the request.' -}}
  {%- set turns = messages -%}
{%- endif -%}
{%- for turn in turns -%}
  {%- if turn.role == 'user' -%}
    {{- '\n\n### Instruction:\n' + turn.content.strip() -}}
  {%- elif turn.role == 'assistant' -%}
    {{- '\n\n### Response:\n' + turn.content.strip() ~ eos_token -}}
  {%- else -%}
    {{- raise_exception('only user and assistant can follow: ' + turn.role) -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '\n\n### Response:\n' -}}
{%- endif -%}
)";

constexpr std::string_view kChatMl = R"({%- for turn in messages -%}
  {{- '<|im_start|>' + turn.role + '\n' + turn.content + '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\n' -}}
{%- endif -%}
)";

constexpr std::string_view kExaone = R"({%- if messages[0].role != 'system' -%}
  {{- '[|system|][|endofturn|]\n' -}}
{%- endif -%}
{%- for turn in messages -%}
  {{- '[|' + turn.role + '|]' + turn.content -}}
  {{- '\n' if turn.role == 'user' else '[|endofturn|]\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '[|assistant|]' -}}
{%- endif -%}
)";

constexpr std::string_view kLlama3 = R"({{- bos_token -}}
{%- for turn in messages -%}
  {{- '<|start_header_id|>' + turn.role + '<|end_header_id|>\n\n' -}}
  {{- turn.content.strip() + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{%- endif -%}
)";

// What the system says stands before the first turn of the user.
constexpr std::string_view kMistral = R"({%- if messages[0].role == 'system' -%}
  {%- set before = messages[0].content + '\n\n' -%}
  {%- set turns = messages[1:] -%}
{%- else -%}
  {%- set before = '' -%}
  {%- set turns = messages -%}
{%- endif -%}
{{- bos_token -}}
{%- for turn in turns -%}
  {%- if turn.role != ('assistant' if loop.index0 % 2 else 'user') -%}
    {{- raise_exception('turns of user and assistant must alternate, the user first') -}}
  {%- endif -%}
  {%- if turn.role == 'user' -%}
    {{- '[INST] ' + (before if loop.first else '') + turn.content + ' [/INST]' -}}
  {%- else -%}
    {{- ' ' + turn.content ~ eos_token -}}
  {%- endif -%}
{%- endfor -%}
)";

}  // namespace

const std::vector<ChatFormat>& ChatFormats() {
  static const std::vector<ChatFormat> formats = {{"alpaca", kAlpaca},
                                                  {"chatml", kChatMl},
                                                  {"exaone", kExaone},
                                                  {"llama3", kLlama3},
                                                  {"mistral", kMistral}};
  return formats;
}

}  // namespace lbrx
