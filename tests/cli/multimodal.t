# Models with pictures are looked at like others: the same in both containers.
$ cp -r $DATA/multimodal all; mkdir mlx; for m in $(ls all); do lbrx convert all/$m mlx/$m --to mlx --no-sync --quiet; done; ls mlx
gemma3
llava
mistral3
qwen2_5_vl
qwen2_vl
qwen3_vl
qwen3_vl_moe
$ for m in $(ls all); do lbrx validate all/$m --deep; lbrx validate mlx/$m --deep; done
all/gemma3: no errors in 62 tensors (huggingface)
mlx/gemma3: no errors in 62 tensors (mlx)
all/llava: no errors in 48 tensors (huggingface)
mlx/llava: no errors in 48 tensors (mlx)
all/mistral3: no errors in 36 tensors (huggingface)
mlx/mistral3: no errors in 36 tensors (mlx)
all/qwen2_5_vl: no errors in 44 tensors (huggingface)
mlx/qwen2_5_vl: no errors in 44 tensors (mlx)
all/qwen2_vl: no errors in 46 tensors (huggingface)
mlx/qwen2_vl: no errors in 46 tensors (mlx)
all/qwen3_vl: no errors in 51 tensors (huggingface)
mlx/qwen3_vl: no errors in 51 tensors (mlx)
all/qwen3_vl_moe: no errors in 52 tensors (huggingface)
mlx/qwen3_vl_moe: no errors in 54 tensors (mlx)
$ for m in $(ls all); do lbrx diff all/$m mlx/$m; done
0 of 62 tensors differ (A: all/gemma3, B: mlx/gemma3)
0 of 48 tensors differ (A: all/llava, B: mlx/llava)
0 of 36 tensors differ (A: all/mistral3, B: mlx/mistral3)
0 of 44 tensors differ (A: all/qwen2_5_vl, B: mlx/qwen2_5_vl)
0 of 46 tensors differ (A: all/qwen2_vl, B: mlx/qwen2_vl)
0 of 51 tensors differ (A: all/qwen3_vl, B: mlx/qwen3_vl)
0 of 52 tensors differ (A: all/qwen3_vl_moe, B: mlx/qwen3_vl_moe)
$ for m in $(ls all); do for c in all mlx; do lbrx hash $c/$m --quiet | grep ^xxh3 > $c.$m; done; cmp all.$m mlx.$m; done; wc -l < mlx.qwen3_vl_moe; head -2 mlx.qwen3_vl_moe
52
xxh3-128  [0-9a-f]{32}  lm_head.weight (re)
xxh3-128  [0-9a-f]{32}  model.language_model.embed_tokens.weight (re)
$ for m in gemma3 qwen3_vl_moe; do lbrx inspect mlx/$m | grep -E '^(arch|tensors|schemes)'; done
architecture  gemma3
tensors       62
schemes       bf16 (62 tensors, 61 kB)
architecture  qwen3_vl_moe
tensors       54
schemes       bf16 (54 tensors, 247 kB)

# Quantized, the text alone differs.
$ lbrx convert all/gemma3 small -q 4bit --group-size 32 --no-sync --quiet; lbrx validate small --deep; lbrx diff all/gemma3 small > d; tail -1 d; grep -c differs d; grep differs d | grep -vc language_model
small: no errors in 62 tensors (mlx)
15 of 62 tensors differ (A: all/gemma3, B: small)
15
0
[1]

# What is wrong is found: in the text's configuration, and in data beside the text.
$ sed -i 's/"num_hidden_layers": 2/"num_hidden_layers": 3/' all/mistral3/config.json; lbrx validate all/mistral3 | head -1
error: all/mistral3: layer 2: no tensor of it is there, expected 3 layers (num_hidden_layers); get the complete checkpoint, or correct num_hidden_layers
$ cat > nan.py <<'END'
> import json, sys
> path, name = sys.argv[1:]
> data = bytearray(open(path, "rb").read())
> size = int.from_bytes(data[:8], "little")
> begin = json.loads(data[8 : 8 + size])[name]["data_offsets"][0] + 8 + size
> data[begin : begin + 2] = b"\xc0\x7f"
> open(path, "wb").write(data)
> END
$ lbrx inspect mlx/llava --csv --quiet --filter vision_tower | grep -m1 -o '^[^,]*weight' > name; python3 nan.py mlx/llava/model.safetensors $(cat name); lbrx validate mlx/llava; lbrx validate mlx/llava --deep
mlx/llava: no errors in 48 tensors (mlx)
.*vision_tower.*NaN.* (re)
...
[3]
$ lbrx diff all/llava mlx/llava | tail -1
1 of 48 tensors differ (A: all/llava, B: mlx/llava)
