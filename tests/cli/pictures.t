# Values and errors by layer and kind: figures in a pipe.
$ lbrx inspect $MODEL --histograms --filter 'layers.1.*(q_proj|input_layernorm)' --quiet | tail -3
layer  tensor +values +least +1% +50% +99% +most +mean +deviation  not finite (re)
    1  self_attn.q_proj +65,536 .* (re)
    1  input_layernorm +256 .* (re)
$ lbrx quantize $MODEL small -q 4bit --quiet --report run.html && lbrx inspect small --report small.html --quiet > /dev/null
$ lbrx diff $MODEL small --quiet --report diff.html > plain; tail -1 plain; grep -c '[^ -~]' plain
16 of 21 tensors differ (A: model, B: small)
0
[1]
$ for f in run small diff; do python3 -c 'import sys, xml.etree.ElementTree as e; print(e.parse(sys.argv[1]).getroot().tag)' $f.html; done
{http://www.w3.org/1999/xhtml}html
{http://www.w3.org/1999/xhtml}html
{http://www.w3.org/1999/xhtml}html
$ lbrx diff $MODEL small --json --histograms --quiet > d.json; python3 -c 'import json; d=json.load(open("d.json"))["distributions"]; print(len(d), all(sum(x["error"]["histogram"]["counts"]) + x["error"]["histogram"]["below"] + x["error"]["histogram"]["above"] == x["error"]["count"] for x in d), sum(x["A"]["count"] for x in d))'
21 True 2229504

# The same for any number of threads.
$ for t in 1 2 7; do lbrx inspect small --report t$t.html --threads $t --quiet > /dev/null; done; cmp t1.html t2.html && cmp t1.html t7.html && cmp t1.html small.html
$ for t in 1 7; do lbrx quantize $MODEL q -q 4bit --report q$t.html --threads $t --no-output --quiet; done; cmp q1.html q7.html

# A page is a page, and replaces nothing of anybody else's.
$ lbrx inspect small --report small.json
lbrx: error: --report: this report is a page, expected a name that ends in .html, found 'small.json'; .* (re)
[2]
$ echo mine > mine.html; lbrx inspect small --report mine.html > /dev/null; cat mine.html
mine
lbrx: error: mine.html: already exists and was not written by lbrx; .* (re)
