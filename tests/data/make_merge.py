#!/usr/bin/env python3
"""Writes tests/data/merge: what PyYAML and mergekit 0.1.5 make of YAML texts, settings, references to
models and whole configurations.

    python3 tests/data/make_merge.py MODELS [GOLDENS]

needs mergekit 0.1.5 with what it imports (written with PyYAML 6.0.4, pydantic 2.14.4, torch 2,
transformers 5). MODELS is a folder with small Llama models of four layers named base, a, b and c;
only their configs and headers are read. GOLDENS is a folder of configurations (*.yml) for the same
models, which are added to ours.

The table of a configuration is recorded while mergekit's own planner runs: for each tensor the slice,
the position t, and the value of every parameter as the method gets it.
"""

import json
import math
import os
import pathlib
import random
import sys

import yaml
from mergekit import plan
from mergekit.architecture import get_architecture_info
from mergekit.common import ModelReference
from mergekit.config import MergeConfiguration, ParameterSetting, evaluate_setting
from mergekit.io.tasks import LoaderCache
from mergekit.merge import _model_out_config
from mergekit.options import MergeOptions
from mergekit.tokenizer.config import TokenizerConfig
from pydantic import TypeAdapter

FOLDER = pathlib.Path(__file__).resolve().parent / "merge"


def write(name, value):
    FOLDER.mkdir(exist_ok=True)
    rows = ",\n".join(json.dumps(row, ensure_ascii=True, default=str) for row in value)
    (FOLDER / name).write_text("[\n" + rows + "\n]\n")


# --- scalars -------------------------------------------------------------------------------------


def tree(value):
    """[kind, value]; floats as their repr, so that infinities and NaN can be written."""
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", repr(float(value))]
    if isinstance(value, float):
        return ["float", repr(value)]
    if isinstance(value, str):
        return ["str", value]
    if isinstance(value, list):
        return ["seq", [tree(v) for v in value]]
    if isinstance(value, dict):
        return ["map", [[tree(k), tree(v)] for k, v in value.items()]]
    return ["date"]


def loaded(text):
    try:
        return tree(yaml.safe_load(text))
    except Exception:
        return ["refused"]


SCALARS = """~ null Null NULL nULL yes Yes YES yEs no No NO on On ON off Off OFF true True TRUE false False FALSE
y n Y N t f 0 1 -1 +1 00 007 017 08 09 0_7 0_ 1_000 1__0 1_ _1 0x1F 0X1F 0xff_ff 0x -0x10 0b101 0b1_1 0b2 0o17
12345678901234567890 -12345678901234567890123 1:30 1:30:45 -1:30 1:60 1:5 01:30 0:30 1:30.5 1:30.
1. 1.5 -1.5 +1.5 .5 -.5 +.5 1_0.2_5 1._5 ._5 . .. 1.2.3 1e5 1e-5 1E5 1.e5 1.5e5 1.5e+5 1.5e-5 1.5E-5 1.0e+400
5.0e-324 0.1 .inf .Inf .INF .iNf -.inf +.inf inf .nan .NaN .NAN -.nan nan 1.7976931348623157e+308
2001-12-14 2001-1-2 2001-12-14T21:59:43 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z 2001-12-14T1:59:43.
2001-12-14T21:59:43+5 2001-12-14T21:59:43-0530 20011214 1-2-3 + - -- 0.1.2 a.b a-b a_b 10/20 1,5 0x1g 1e 1e+ 1.5e
torch.bfloat16 model@rev a+b ./a 0. -0 -0.0 +0 1:2:3:4 99999999999999999999999999 0777777777777777777""".split()


def random_scalars():
    draw = random.Random(7)
    out = set()
    while len(out) < 1500:
        text = "".join(draw.choice("0123456789017.:_-+eExbniT~") for _ in range(draw.randint(1, 7)))
        # A dash or question mark with nothing behind it and the like are not scalars.
        if isinstance(loaded("- " + text)[1:], list) and loaded("- " + text)[0] == "seq":
            inner = loaded("- " + text)[1]
            if len(inner) == 1 and inner[0][0] not in ("seq", "map"):
                out.add(text)
    return sorted(out)


def scalars():
    rows = []
    for text in SCALARS + random_scalars():
        result = loaded("- " + text)
        if result[0] == "seq":
            rows.append([text, result[1][0]])
    write("yaml_scalars.json", rows)


# --- documents -----------------------------------------------------------------------------------

DOCUMENTS = [
    "",
    "# nothing\n",
    "---\n",
    "a",
    "--- a\n...\n",
    "a: 1\nb: [x, 'y', \"z\\n\", ~, ]\nc: {d: e, f: }\n",
    "a: &x [1, 2]\nb: *x\nc: [*x, *x]\n",
    "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n",
    "a: &x {p: 1}\ny: &y {q: 2}\nb: {<<: [*x, *y], r: 3}\n",
    "a: &x {p: 1}\nb: &y {<<: *x, q: 2}\nc: {<<: *y}\n",
    "a: {<<: {p: 1}, q: 2}\nb: {'<<': 1}\n",
    "a: {<<: []}\n",
    "<<: 7\n",
    "<<: [7]\n",
    "a: |\n  one\n  two\nb: >\n  one\n  two\n\nc: |-\n  x\n",
    "'quoted': \"\\u00e9\\x41\\t\"\n",
    "a: é\n日本: 🙂\n",
    "? a\n: b\n? c\n",
    "- - 1\n  - 2\n- {a: b}\n-\n",
    "a: b # comment\n#c: d\n",
    "a: 'it''s'\n",
    "a: b: c\n",
    "[1, 2",
    "{a: 1",
    "\ta: 1\n",
    "a: *b\n",
    "a: *\n",
    "a: &x b\nc: &x d\n",
    "a: !!str 7\nb: !!float 3\nc: !!int '7'\nd: !!bool 'yes'\ne: !!null ''\nf: !!float 1e-5\n",
    "a: !foo 7\n",
    "a: !!python/object/apply:os.system ['id']\n",
    "a: ! 7\n",
    "!!map {a: !!seq [1]}\n",
    "? [a]\n: 1\n",
    "%YAML 1.1\n---\na: 1\n",
    "%YAML 2.0\n---\na: 1\n",
    "a: \"x\n  y\"\n",
    "a: x\n  y\n",
    "a: \x01\n",
    "a: '\x7f'\n",
    "{a, b: c}\n",
    "a: @b\n",
    "a: `b\n",
    "a: %b\n",
    "a: - b\n",
    "- a\nb: c\n",
    "a: >2\n    x\n   y\n",
]


def random_value(draw, depth):
    if depth == 0 or draw.random() < 0.4:
        return draw.choice([None, True, False, 0, -3, 2.5, 1e-7, "", "a", "no", "1e-5", "x: y", "- a", "#", "é\n",
                            " lead", "*", "0.3", "&a", "long " * 30, "tab\there"])
    if draw.random() < 0.5:
        return [random_value(draw, depth - 1) for _ in range(draw.randint(0, 4))]
    return {draw.choice("abcdefgh") * draw.randint(1, 3): random_value(draw, depth - 1)
            for _ in range(draw.randint(0, 4))}


def documents():
    draw = random.Random(11)
    texts = list(DOCUMENTS)
    for _ in range(60):
        texts.append(yaml.safe_dump(random_value(draw, 4), default_flow_style=draw.choice([None, True, False]),
                                    allow_unicode=draw.choice([True, False]), width=draw.choice([40, 400]),
                                    sort_keys=False))
    write("yaml_documents.json", [[text, loaded(text)] for text in texts])


# --- settings ------------------------------------------------------------------------------------

SETTINGS = ["1", "0", "0.25", "-3", "1e-5", "'1e-5'", "' 0.5 '", "'1_0'", "'1__0'", "abc", "''", "true", "no", "'yes'",
            "'off'", "y", "2", "1.0", ".inf", "null", "2001-12-14", "[]", "[1]", "[0, 1]", "[0, 0.5, 1]", "[1, 0.2]",
            "[0, 0.5, 0.3, 0.7, 1]", "[true, false]", "[true, false, true]", "['1e-5', 1]", "[0, 'x']", "[1, null]",
            "[true, 0.5]", "[1, 3]", "[1, 2]", "[[1]]", "{value: 0.5}", "{value: [0, 1], filter: mlp}",
            "{value: 1, filter: MLP}", "{filter: a}", "{}", "{value: null}", "{value: {value: 1}}",
            "[{value: 1, filter: self_attn}, {value: 2, filter: mlp}, {value: 3}]",
            "[{value: [0, 1], filter: self_attn}, {value: true}]", "[{value: 1, filter: '*'}]",
            "[{value: 1, filter: ''}]", "[{value: 1, filter: q}]", "[{value: 1, filter: 7}]", "[{value: [], filter: mlp}, {value: 3}]",
            "[{value: 5}, {value: 6, filter: mlp}]", "[0.5, {value: 1}]", "[{value: 1}, 0.5]",
            "[{value: 'x', filter: mlp}, {value: 0.5}]", "[{value: 0.5, filter: null}]",
            "[{value: yes, filter: layers.0}, {value: no}]"]
TENSORS = ["model.layers.0.mlp.up_proj.weight", "model.layers.3.self_attn.q_proj.weight", "lm_head.weight"]
TYPES = {"number": float, "integer": int, "boolean": bool}


def settings():
    rows = []
    parse = TypeAdapter(ParameterSetting)
    for text in SETTINGS:
        try:
            setting = parse.validate_python(yaml.safe_load(text))
        except Exception:
            rows.append([text, "refused"])
            continue
        values = []
        for kind, python in TYPES.items():
            for tensor in TENSORS:
                for t in (0.0, 0.25, 1 / 3, 0.9, 1.0):
                    try:
                        value = evaluate_setting(tensor, setting, t, validate=TypeAdapter(python).validate_python)
                        value = None if value is None else float(value)
                    except Exception:
                        value = "refused"
                    # Infinite values are ours to refuse.
                    value = "refused" if isinstance(value, float) and not math.isfinite(value) else value
                    values.append([kind, tensor, t, value])
        rows.append([text, values])
    write("settings.json", rows)


# --- references to models ------------------------------------------------------------------------

MODELS = ["a", "org/name", "./path/to/model", "/abs/path", "a@main", "a+b", "a@r1+b@r2", "a+b@r2", "a@b@c", "a+b+c",
          "a+b@c@d", "{model: a}", "{model: a@r}", "{model: {path: a, revision: r}}", "{model: a, lora: b@r}",
          "{model: a, lora: {path: b, revision: r}, override_architecture: MistralForCausalLM}", "{model: 'a+b'}",
          "{path: a}", "7", "null", "[a]", "{model: 7}", "{model: {path: a, revision: 7}}", "C:\\models\\a", "a b"]


def models():
    rows = []
    for text in MODELS:
        try:
            model = ModelReference.model_validate(yaml.safe_load(text))
        except Exception:
            rows.append([text, "refused"])
            continue
        lora = model.lora
        rows.append([text, [model.model.path, model.model.revision or "", lora.path if lora else "",
                            (lora.revision or "") if lora else "", model.override_architecture or "", str(model)]])
    write("models.json", rows)


# --- tokenizer blocks ----------------------------------------------------------------------------

TOKENIZERS = ["{}", "{source: union}", "{source: base}", "{source: org/a@r}", "{source: {model: a, lora: b}}", "{source: 7}",
              "{pad_to_multiple_of: 64}", "{pad_to_multiple_of: 6.0}", "{pad_to_multiple_of: 6.5}",
              "{pad_to_multiple_of: x}", "{tokens: {'<a>': {}}}", "{tokens: {'<a>': {source: b, force: yes}}}",
              "{tokens: {'<a>': {force: 'no'}, '<b>': {force: maybe}}}", "{tokens: {'<a>': {source: {kind: zero}}}}",
              "{tokens: {'<a>': {source: {kind: model_token, model: a, token: x}}}}",
              "{tokens: {'<a>': {source: {kind: model_token, model: a@r, token_id: 7}, force: true}}}",
              "{tokens: {'<a>': {source: {model: a, lora: l}}}}", "{tokens: {'<a>': {source: null}}}",
              "{tokens: {7: {}}}", "{tokens: {a: null}}", "{tokens: [a]}", "[]", "union"]


def token(name, rule):
    source = rule.source
    kind = {"NoneType": "default", "ModelReference": "model", "ModelTokenEmbedding": "model_token",
            "ZeroEmbedding": "zero"}[type(source).__name__]
    model = {"model": source, "model_token": getattr(source, "model", None)}.get(kind)
    return [name, kind, str(model) if model else "", getattr(source, "token", None) if kind == "model_token" else None,
            getattr(source, "token_id", None) if kind == "model_token" else None, rule.force]


def tokenizers():
    rows = []
    for text in TOKENIZERS:
        try:
            block = TypeAdapter(TokenizerConfig).validate_python(yaml.safe_load(text))
        except Exception:
            rows.append([text, "refused"])
            continue
        rows.append([text, [str(block.source), [token(k, v) for k, v in (block.tokens or {}).items()],
                            block.pad_to_multiple_of or 0]])
    write("tokenizers.json", rows)


# --- configurations ------------------------------------------------------------------------------

TIES = "merge_method: ties\nbase_model: base\n"
TWO = "models: [{model: a, parameters: {weight: 0.5}}, {model: b, parameters: {weight: 0.25}}]\n"
CONFIGS = {
    "top level value": "models: [{model: a}, {model: b}]\nmerge_method: linear\nparameters: {weight: 0.5}\n",
    "model over top level": "models: [{model: a, parameters: {weight: 0.9}}, {model: b}]\nmerge_method: linear\n"
                            "parameters: {weight: 0.5}\n",
    "no filter matches: next level": "models: [{model: a, parameters: {weight: [{value: 0.9, filter: mlp}]}}, {model: b}]\n"
                                     "merge_method: linear\nparameters: {weight: 0.5}\n",
    "empty list: next level": "models: [{model: a, parameters: {weight: []}}, {model: b}]\nmerge_method: linear\n"
                              "parameters: {weight: 0.5}\n",
    "bare mapping": "models: [{model: a, parameters: {weight: {value: 0.9, filter: mlp}}}, {model: b}]\n"
                    "merge_method: linear\nparameters: {weight: 0.5}\n",
    "gradient": TIES + "models:\n- model: a\n  parameters: {weight: [0, 0.5, 1], density: [0.2, 0.9]}\n- model: b\n"
                       "  parameters: {weight: 1}\n",
    "filters and gradients": TIES + "models:\n- model: a\n  parameters:\n    weight:\n    - {filter: self_attn, value: [0, 0.5, 0.3, 0.7, 1]}\n"
                             "    - {filter: mlp, value: [1, 0.2]}\n    - value: 0.4\n- model: b\n  parameters: {weight: 0.1}\n",
    "base not listed": TIES + TWO,
    "base listed": TIES + "models: [{model: base}, {model: a, parameters: {weight: 0.5}}]\n",
    "base with linear": "models: [{model: a, parameters: {weight: 0.5}}, {model: base, parameters: {weight: 2}}]\n"
                        "merge_method: linear\nbase_model: base\n",
    "booleans": TIES + TWO + "parameters: {normalize: no, int8_mask: yes, rescale: 1, lambda: 1.1}\n",
    "boolean gradient": TIES + TWO + "parameters: {normalize: [true, false, true], rescale: [0, 1]}\n",
    "boolean filters": TIES + TWO + "parameters: {normalize: [{filter: mlp, value: false}, {value: true}]}\n",
    "numbers as text": TIES + TWO + "parameters: {lambda: 1e-5, density: '0.5', normalize: 'on'}\n",
    "YAML 1.1 numbers": TIES + TWO + "parameters: {lambda: 1:30, density: 0x1, normalize: 0b0}\n",
    "karcher": "models: [{model: a}, {model: b}]\nmerge_method: karcher\nparameters: {max_iter: [1, 4], tol: 1e-6}\n",
    "anchors and merge keys": "common: &common {weight: 0.5, density: [0.2, 0.8]}\nmerge_method: ties\nbase_model: base\n"
                              "models:\n- model: a\n  parameters: *common\n- model: b\n  parameters: {<<: *common, weight: 0.75}\n",
    "slices": "slices:\n- sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [1, 3]}]\n  parameters: {t: [0, 1]}\n"
              "- sources: [{model: b, layer_range: [2, 4]}, {model: a, layer_range: [2, 4]}]\n"
              "merge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\n",
    "source value of a shared parameter": "slices:\n- sources: [{model: a, layer_range: [0, 4]}, {model: b, layer_range: [0, 4], parameters: {t: 0.9}}]\n"
                                          "merge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\n",
    "slice over top level": "slices:\n- sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 2], parameters: {weight: 3}}]\n"
                            "  parameters: {weight: 2}\n- sources: [{model: a, layer_range: [2, 4]}, {model: b, layer_range: [2, 4]}]\n"
                            "merge_method: linear\nparameters: {weight: 1}\n",
    "one layer": "slices:\n- sources: [{model: a, layer_range: [2, 3]}, {model: b, layer_range: [0, 1]}]\n"
                 "  parameters: {weight: [0.25, 0.5]}\n- sources: [{model: a, layer_range: [0, 3]}, {model: b, layer_range: [1, 4]}]\n"
                 "  parameters: {weight: [0.25, 0.5]}\nmerge_method: linear\n",
    "input names and output names": "slices:\n- sources: [{model: a, layer_range: [2, 4]}]\n"
                                    "  parameters: {scale: [{filter: layers.2., value: 3}, {filter: layers.0., value: 5}]}\n"
                                    "merge_method: passthrough\n",
    "base of a slice": "slices:\n- sources: [{model: a, layer_range: [0, 4]}, {model: b, layer_range: [0, 4]}]\n  base_model: b\n"
                       "merge_method: slerp\nbase_model: a\nparameters: {t: [0.1, 0.7]}\n",
    "module": "modules:\n  default:\n    slices:\n    - sources: [{model: a, layer_range: [0, 4]}, {model: b, layer_range: [0, 4]}]\n"
              "      parameters: {weight: [{filter: mlp, value: 4}]}\n    parameters: {weight: 3}\nmerge_method: linear\nparameters: {weight: 2, normalize: false}\n",
    "module of models": "modules:\n  default:\n    models: [{model: a, parameters: {weight: [{filter: o_proj, value: 0.5}]}}, {model: b}]\n"
                        "    parameters: {weight: [{filter: down_proj, value: 3}]}\nmerge_method: linear\nparameters: {weight: 2}\n",
    "ignored keys": "models: [{model: a, weight: 1, parameters: {weight: 0.5}}]\nmerge_method: linear\nname: x\n"
                    "slices: []\nmodules: {}\nparameters: {unknown: abc}\n",
    "everything beside": TIES + TWO + "dtype: torch.bfloat16\nout_dtype: float16\ntokenizer_source: union\nchat_template: chatml\n",
    "map references": "models: [{model: {model: {path: a}}, parameters: {weight: 0.5}}, {model: b, parameters: {weight: 1}}]\n"
                      "merge_method: ties\nbase_model: {model: base}\n",
}
REFUSED = ["merge_method: linear\n", "models: [{model: a}]\n", "merge_method: linear\nmodels: []\n",
           "merge_method: linear\nmodels: [{model: a}]\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n",
           "merge_method: linear\nmodules: {m: {}}\n", "merge_method: linear\nmodules: {m: null}\n",
           "merge_method: linear\nmodules: {m: {models: [{model: a}], slices: [{sources: [{model: a, layer_range: [0, 1]}]}]}}\n",
           "merge_method: linear\nslices: [{sources: [{model: a}]}]\n",
           "merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0]}]}]\n",
           "merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1.5]}]}]\n",
           "merge_method: linear\nmodels: {model: a}\n", "merge_method: linear\nmodels: [a]\n", "- a\n", "a\n", "",
           "merge_method: 7\nmodels: [{model: a}]\n", "merge_method: linear\nmodels: [{model: a}]\nparameters: [1]\n",
           "merge_method: linear\nmodels: [{model: a}]\nparameters: {7: 1}\n",
           "merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: null}\n",
           "merge_method: linear\nmodels: [{model: a}]\ndtype: 7\n", "merge_method: linear\nmodels: [{model: a}]\nchat_template: 7\n",
           "merge_method: linear\nmodels: [{model: a}]\ntokenizer: {}\ntokenizer_source: base\n",
           "merge_method: linear\nmodels: [{model: a@b@c}]\n", "merge_method: linear\nmodels: [{}]\n"]

KEPT = ("embed_tokens", "model.norm", "lm_head", "o_proj", "down_proj", "input_layernorm")
TYPE_NAMES = {float: "number", int: "integer", bool: "boolean"}


def parameters(spec):
    out = {}
    for parameter in (*spec.shared_parameters, *spec.input_parameters):
        default = None if parameter.required else parameter.default
        out[parameter.name] = [TYPE_NAMES.get(parameter.value_type, "number"),
                               None if default is None else float(default)]
    return out


def floats(values):
    return {name: None if value is None else float(value) for name, value in values.items()}


def table(text):
    config = MergeConfiguration.model_validate(yaml.safe_load(text))
    options = MergeOptions()
    architecture = get_architecture_info(config, options)
    out_config = _model_out_config(config, architecture, trust_remote_code=False)
    LoaderCache().setup(options=options)
    planner = plan.MergePlanner(config, architecture, options, out_config)
    rows = []
    place = {}

    def plan_tensor(weight, weights_in, models, cfg_reader):
        slices = cfg_reader.module.slices
        place["slice"] = next(i for i, s in enumerate(slices) if s is cfg_reader.slice_out)
        place["base"] = str(cfg_reader.base_model) if cfg_reader.base_model else ""
        original(weight, weights_in, models, cfg_reader)

    def record(spec, **arguments):
        shared, of_models = resolve(spec, **arguments)
        if any(part in arguments["tensor_name"] for part in KEPT):
            rows.append([arguments["tensor_name"], place["slice"], place["base"], arguments["t"], floats(shared),
                         [[str(m), arguments["inputs"][m], floats(v)] for m, v in of_models.items()]])
        return shared, of_models

    original, planner.plan_tensor = planner.plan_tensor, plan_tensor
    resolve, plan.resolve_parameters = plan.resolve_parameters, record
    try:
        planner._plan()
    finally:
        plan.resolve_parameters = resolve
    return {"yaml": text, "parameters": parameters(planner._method.spec), "rows": rows}


def configs(goldens):
    rows = []
    for name, text in CONFIGS.items():
        rows.append({"name": name, **table(text)})
    for path in sorted(goldens.glob("*.yml")) if goldens else []:
        rows.append({"name": path.name, **table(path.read_text())})
    for text in REFUSED:
        try:
            MergeConfiguration.model_validate(yaml.safe_load(text))
            raise SystemExit("accepted: " + text)
        except Exception:
            rows.append({"name": "refused", "yaml": text})
    write("configs.json", rows)


def main():
    goldens = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    scalars()
    documents()
    settings()
    models()
    tokenizers()
    os.chdir(sys.argv[1])
    configs(goldens)


main()
