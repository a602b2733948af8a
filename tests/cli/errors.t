# Exit codes: 3 invalid, 5 not found or already there, 6 no space, 7 limit, 10 differences.
$ lbrx inspect nothing-here
lbrx: error: nothing-here: .* (re)
[5]
$ lbrx convert no-org/no-model out
lbrx: error: .*hf download no-org/no-model.* (re)
[5]
$ printf '\000\001' > broken.safetensors; lbrx inspect broken.safetensors
lbrx: error: broken.safetensors: .* (re)
[3]
$ lbrx validate broken.safetensors
error: broken.safetensors: .* (re)
broken.safetensors: 1 error
[3]
$ lbrx convert $MODEL out --memory 4096
lbrx: error: --memory: too small for this plan, expected at least \d+ bytes, found 4096; .* (re)
[7]
$ lbrx convert $MODEL $MODEL
lbrx: error: model: the destination is the source; .* (re)
[2]
$ lbrx convert $MODEL model/inside
lbrx: error: model/inside: .*inside.* (re)
[2]
$ mkdir out; lbrx convert $MODEL out
lbrx: error: out: already exists; use --force to replace it
[5]
$ lbrx convert $MODEL there/out
lbrx: error: .*there.* (re)
[5]
$ lbrx convert $MODEL new --report nowhere/report.json
lbrx: error: nowhere/report.json: its folder does not exist
[5]
$ lbrx diff $MODEL broken.safetensors
lbrx: error: broken.safetensors: .* (re)
[3]

# With --json the error is also one object on standard output.
$ lbrx inspect --json nothing-here 2>/dev/null | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["schema"], d["error"]["code"], d["error"]["exit_code"], d["error"]["file"])'
lbrx.inspect.v1 io 5 nothing-here

# A full disk behind standard output.
$ if test -e /dev/full; then lbrx schemes > /dev/full; else echo "lbrx: error: standard output: cannot write: No space left on device" >&2; exit 6; fi
lbrx: error: standard output: cannot write: No space left on device
[6]

# A pickle that wants to run something is refused by name, and not run.
$ printf '\200\002cos\nsystem\nX\010\000\000\000touch ha\205R.' > evil.bin; lbrx inspect evil.bin
lbrx: error: evil.bin: byte 2 of the first pickle: the pickle names the global "os.system", expected only what the tensors of a checkpoint are made of, at byte 2; nothing was executed; do not load this file with a program that runs pickles unless you trust who made it
[3]
$ test -e ha
[1]
