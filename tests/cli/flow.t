# A model is quantized, looked at, compared, and turned back.
$ lbrx quantize $MODEL small -q 4bit --report report.json
lbrx: wrote small: 21 tensors, 4.46 MB -> \d.\d\d MB, 4.51 bits a weight, \d+.\d\d s (re)
$ ls small
README.md
chat_template.jinja
config.json
generation_config.json
model.safetensors
model.safetensors.index.json
tokenizer.json
tokenizer_config.json
$ lbrx inspect small
small
...
architecture  llama
tensors       21
parameters    2,229,504
...
schemes       4bit/64 (16 tensors, 1.25 MB), bf16 (5 tensors, 2.56 kB)
$ lbrx inspect small --csv --filter 'embed' --quiet
name,dtype,shape,bytes,scheme,file,offset
model.embed_tokens.weight,BF16,2048x256,294912,4bit/64,model.safetensors,\d+ (re)
$ lbrx validate small --deep
...
small: no errors.* in 21 tensors \(mlx\) (re)
$ lbrx diff $MODEL small | tail -1
16 of 21 tensors differ (A: model, B: small)
$ lbrx diff $MODEL small --tolerance 1 > /dev/null
$ lbrx diff $MODEL small > /dev/null
[10]
$ lbrx convert small floats --dequantize --quiet && lbrx diff small floats
0 of 21 tensors differ (A: small, B: floats)
$ lbrx quantize $MODEL small -q 8bit --force --quiet; lbrx inspect small | tail -1
schemes       8bit/64 (16 tensors, 2.37 MB), bf16 (5 tensors, 2.56 kB)
$ python3 -c 'import json; r=json.load(open("report.json")); print(r["schema"], len(r["tensors"]), round(r["bits_per_weight"], 2))'
lbrx.report.v1 21 4.51

# The result is the same for any number of threads and any memory.
$ for t in 1 2 7; do lbrx quantize $MODEL t$t -q 4bit --threads $t --memory ${t}6MiB --quiet; done; cmp t1/model.safetensors t2/model.safetensors && cmp t1/model.safetensors t7/model.safetensors

# mlx_lm.convert's spelling, and its default destination.
$ lbrx convert --hf-path $MODEL -q --quiet && cmp mlx_model/model.safetensors t1/model.safetensors

# A plan is written, shown, run; and refused once the source changed.
$ lbrx convert $MODEL planned -q 4bit --plan plan.json
lbrx: wrote the plan plan.json; lbrx apply plan.json runs it
$ lbrx apply plan.json --quiet && cmp planned/model.safetensors t1/model.safetensors
$ touch -d '2020-01-01' model/model.safetensors; lbrx apply plan.json --force
lbrx: error: plan.json: sources: the source changed since the plan was made; make the plan again with --plan
[3]
$ lbrx convert $MODEL dry -q mxfp4 --dry-run | tail -5
tensors  21
reads    4.46 MB
writes   \d.\d\d MB in 1 tensor file, 4.26 bits a weight (re)
memory   .* (re)
disk     needs .* free (re)
$ ls -d dry* 2>/dev/null
[2]
