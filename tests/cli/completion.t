# bash: the script is loaded and asked as a shell would ask it.
$ cat > ask.bash <<'X'
> eval "$(lbrx completion bash)"
> COMP_WORDS=("$@")
> COMP_CWORD=$(($# - 1))
> _lbrx 2>/dev/null
> printf '%s\n' "${COMPREPLY[@]}" | sort | head -20
> X
$ bash ask.bash lbrx qu
quantize
$ bash ask.bash lbrx --json insp
inspect
$ bash ask.bash lbrx quantize model out -q mx
mxfp4
mxfp8
$ bash ask.bash lbrx convert --mlx
--mlx-path
--mlx-rule
$ bash ask.bash lbrx convert --mlx-rule ''
cpu
metal
$ bash ask.bash lbrx completion ''
bash
fish
zsh
$ bash ask.bash lbrx help app
apply
$ bash ask.bash lbrx inspect mo
model
$ bash -n -c "$(lbrx completion bash)"
