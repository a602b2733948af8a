# mergekit's files, as they are.
$ for m in base a b; do cp -r $DATA/merge/$m $m; done
$ cp $DATA/merge/ties.yml ties.yml; grep -c 'merge_method: ties' ties.yml
1
$ lbrx methods | head -3
...
$ lbrx merge ties.yml merged --report merge.json --quiet && lbrx validate merged --deep | tail -1
merged: no errors.* \(huggingface\) (re)
$ lbrx merge ties.yml merged.gguf -q Q8_0 --quiet && lbrx merge ties.yml merged-4bit -q 4bit --quiet && lbrx inspect merged-4bit | tail -1
schemes .*4bit/64.* (re)
$ ls merged
README.md
config.json
mergekit_config.yml
model.safetensors
...
$ cmp ties.yml merged/mergekit_config.yml
$ lbrx merge ties.yml dry --dry-run --quiet | head -2; ls -d dry 2>/dev/null
tensor +shape +source +target +bits +bytes (re)
model.embed_tokens.weight .* ties: a weight=0.5 density=0.5, b weight=0.7 density=0.3; .* (re)
[2]

# The same bytes and the same report for any number of threads and any memory.
$ for t in 1 2 7; do lbrx merge ties.yml t$t --threads $t --memory ${t}6MiB --report t$t.html --force --quiet; done; cmp t1/model.safetensors t7/model.safetensors && cmp t2/model.safetensors merged/model.safetensors
$ sed s/t7/t1/g t7.html > t7.as1; cmp t1.html t7.as1

# What the merge did: figures of every place, as JSON and as a page.
$ python3 - <<'END'
> import json
> merge = json.load(open("merge.json"))["merge"]
> total = merge["totals"][0]
> print(len(merge["totals"]), total["reference"], [m["model"] for m in total["models"]])
> print(sum(place["tensors"] for place in merge["places"]) == total["tensors"])
> print(all(0 <= m["trimmed"] <= 1 for place in merge["places"] for m in place["models"]))
> END
1 base .* (re)
True
True
$ grep -c 'What the merge did' t1.html; python3 -c 'import xml.etree.ElementTree as e; print(e.parse("t1.html").getroot().tag)'
1
{http://www.w3.org/1999/xhtml}html

# mergekit-yaml's options: what has no meaning here is told once.
$ lbrx merge ties.yml flags --lazy-unpickle --cuda --no-write-model-card --out-shard-size 5B -j 2 --random-seed 3 --no-copy-tokenizer 2>&1 | grep note
lbrx: note: --lazy-unpickle, --cuda: .* (re)
...
$ ls flags | grep -c README
0
[1]

# A plan keeps the configuration; applying it gives the same, report and all.
$ lbrx merge ties.yml planned --plan plan.json --quiet; lbrx apply plan.json --report applied.json --quiet && cmp planned/model.safetensors merged/model.safetensors
$ python3 -c 'import json; print(json.load(open("applied.json"))["merge"] == json.load(open("merge.json"))["merge"])'
True

# A model called what no page may hold.
$ cp -r a '<script>alert(1)<!--&"'; printf 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: "<script>alert(1)<!--&\\""}]\n' > evil.yml
$ lbrx merge evil.yml evil --report evil.html --quiet; grep -c '<script' evil.html; grep -c '&lt;script&gt;alert' evil.html | grep -v '^0$' > /dev/null; python3 -c 'import xml.etree.ElementTree as e; print(e.parse("evil.html").getroot().tag)'
0
{http://www.w3.org/1999/xhtml}html

# Mistakes are told before anything is read.
$ sed 's/merge_method: ties/merge_method: tise/' ties.yml > bad.yml; lbrx merge bad.yml out; ls -d out 2>/dev/null
lbrx: error: .*tise.*ties.* (re)
[2]
$ lbrx merge ties.yml base --force
lbrx: error: .* (re)
[2]
$ lbrx merge ties.yml small --memory 100kB --report small.json
lbrx: note: the source has no tokenizer; the result has none either
lbrx: error: --memory: too small for the report of this merge, .*; nothing was written (re)
[7]
