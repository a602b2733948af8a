# What a conversion wrote is compared with what its source gives.
$ lbrx quantize $MODEL small -q 4bit --quiet
$ lbrx validate small --against $MODEL --quiet | tail -1
21 of 21 tensors compared with what model gives (1.26 MB): no byte differs
$ lbrx quantize $MODEL cpu -q 4bit --mlx-rule cpu --quiet && lbrx validate cpu --against $MODEL > found; echo $?; tail -3 found | cut -c1-80
3
cpu: \d+ errors in 21 tensors \(mlx\) (re)
hint: --mlx-rule cpu gives the bytes that lm_head.weight has
21 of 21 tensors compared with what model gives (1.26 MB): 16 differ
$ lbrx validate cpu --against $MODEL --mlx-rule cpu > /dev/null

# One bit, and where it is.
$ python3 - <<'END'
> data = bytearray(open("small/model.safetensors", "rb").read())
> data[-100] ^= 4
> open("small/model.safetensors", "wb").write(data)
> END
$ lbrx validate small --against $MODEL | grep error:
error: small/model.safetensors: model.*weight: 1 of \d+ bytes of its \w+ differ from what the source gives, its values by up to [\d.e-]+, at byte \d+ (re)
$ lbrx validate small --against $MODEL --json > found.json; echo $?; python3 -c 'import json; a=json.load(open("found.json"))["against"]; print(a["tensors_compared"], a["tensors"], len(a["differences"]), a["differences"][0]["bytes"])'
3
21 21 1 1

# A merge, in a GGUF file.
$ for m in base a b; do cp -r $DATA/merge/$m $m; done; cp $DATA/merge/ties.yml ties.yml
$ lbrx merge ties.yml merged.gguf -q Q8_0 --quiet && lbrx validate merged.gguf --against ties.yml --all | tail -1
38 of 38 tensors compared with what ties.yml gives \(.*\): no byte differs (re)
$ sed s/0.7/0.6/ ties.yml > other.yml; lbrx validate merged.gguf --against other.yml > /dev/null
[3]

# A manifest goes with a model, wherever that goes.
$ lbrx quantize $MODEL small -q 4bit --force --quiet; lbrx hash small --manifest small.json
lbrx: wrote the manifest small.json: 21 tensors, \d files; .* (re)
$ cp -r small copy; lbrx validate copy --manifest small.json | tail -1
copy: no errors.* in 21 tensors \(mlx\) (re)
$ lbrx convert small parts --to mlx --shard-size 500kB --quiet && lbrx validate parts --manifest small.json | grep 'same values'
warning: parts: all 21 tensors have the same values, but lie in other files, expected mlx in 1 file, model.safetensors first, found mlx in 4 files, model-00001-of-00004.safetensors first
$ printf x | dd of=copy/model.safetensors bs=1 seek=600000 conv=notrunc status=none; lbrx validate copy --manifest small.json > found; echo $?; grep error: found
3
error: copy/model.safetensors: model.*weight: has other values, expected XXH3-128 [0-9a-f]{32}, found [0-9a-f]{32} (re)
error: copy/model.safetensors: has other bytes, expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64} (re)
$ sed -i 's/"sha256": "./"sha256": "x/' small.json; lbrx validate small --manifest small.json | grep error:
error: small.json: the manifest itself is damaged or was changed since it was written, found another checksum; .* (re)

# What makes no sense.
$ lbrx validate small --all
lbrx: error: --all: is for --against SRC; name what PATH was made of
[2]
