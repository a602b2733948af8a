# What is typed wrong is said, with what was meant; exit 2.
$ lbrx
lbrx: error: no command given; lbrx --help lists them
[2]
$ lbrx convrt a b
lbrx: error: convrt: unknown command; did you mean convert?
[2]
$ lbrx quantize $MODEL out -q 4bti
lbrx: error: .*did you mean 4bit\? (re)
[2]
$ lbrx inspect $MODEL --tensor
lbrx: error: --tensor: unknown option; did you mean --tensors?
[2]
$ lbrx inspect $MODEL --sort=siz
lbrx: error: --sort: unknown value, expected one of name|size|dtype, found 'siz'; did you mean size?
[2]
$ lbrx --quiet schemes -v
lbrx: error: --quiet: cannot be used together with -v; give one of them
[2]
$ lbrx convert $MODEL
lbrx: error: DST: is missing; --help shows the usage
[2]
$ lbrx convert $MODEL out --memory lots
lbrx: error: --memory: not a size, .*'lots'.* (re)
[2]

# Nothing was written by any of them.
$ ls
model

# Help: examples first; options anywhere; the command's own help whatever else is wrong.
$ lbrx --help
lbrx turns any open-weights language model checkpoint into any other.

Examples:
...
Usage:
  lbrx COMMAND [OPTIONS] ARGS
...
$ lbrx --nonsense convert --help
Examples:
  lbrx convert org/name model-mlx --to mlx
...
$ lbrx help diff | head -3
Examples:
  lbrx diff model model-4bit
      how far the quantized values are from the original's
$ lbrx --version
lbrx \d+\.\d+\.\d+ \(commit \S+, (Apple )?(g\+\+|clang\+*) \d[\d.]*, SIMD \w+\) (re)

# Nothing is coloured or animated where no terminal is.
$ lbrx --color always schemes | head -1 | cat -v | cut -c1-10
^[[1mschem
$ CLICOLOR_FORCE=1 NO_COLOR=1 lbrx schemes | head -1
scheme +group  bits/weight  what it is (re)
