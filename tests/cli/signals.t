# A signal keeps the work done so far; the same command continues it; exit 128 + the signal.
$ python3 - <<'X'
> import json, struct
> rows, columns, layers = 4096, 8192, 24
> header, at = {}, 0
> for i in range(layers):
>     size = rows * columns * 2
>     header[f"model.layers.{i}.mlp.down_proj.weight"] = {
>         "dtype": "BF16", "shape": [rows, columns], "data_offsets": [at, at + size]}
>     at += size
> text = json.dumps(header).encode()
> text += b" " * (-len(text) % 8)
> with open("big.safetensors", "wb") as f:
>     f.write(struct.pack("<Q", len(text)) + text)
>     f.truncate(8 + len(text) + at)
> X
$ cat > stop.py <<'X'
> import json, signal, subprocess, sys
> # Sends the signals once some tensors are done, so that there is work to keep.
> numbers = [getattr(signal, name) for name in sys.argv[1:]]
> process = subprocess.Popen(["lbrx", "convert", "big.safetensors", "out", "--progress", "json",
>                             "--no-sync", "--threads", "1"], stderr=subprocess.PIPE, text=True)
> tensors = 0
> for line in process.stderr:
>     if line.startswith("{"):
>         event = json.loads(line)
>         tensors += event["event"] == "tensor"
>         if tensors == 3:
>             for number in numbers:
>                 process.send_signal(number)
>             tensors += 1
>     elif "note: the source" not in line:
>         print(line.rstrip())
> print("exit", process.wait())
> X
$ python3 stop.py SIGINT
lbrx: error: interrupted (SIGINT)
lbrx: note: the work done so far is kept in out.lbrx-partial; the same command continues it, `lbrx clean out` removes it
exit 130
$ ls -d out*
out.lbrx-partial
$ python3 stop.py SIGTERM
lbrx: error: terminated (SIGTERM)
lbrx: note: the work done so far is kept in out.lbrx-partial; the same command continues it, `lbrx clean out` removes it
exit 143
$ lbrx convert big.safetensors out --json --no-sync 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["resumed_bytes"] >= 3 * 67108864)'
True
$ ls -d out*
out
$ rm -r out; python3 stop.py SIGHUP
lbrx: error: the terminal hung up (SIGHUP)
lbrx: note: the work done so far is kept in out.lbrx-partial; the same command continues it, `lbrx clean out` removes it
exit 129
# A second one leaves at once. Both come while the process is stopped, so that it does nothing more.
$ python3 stop.py SIGSTOP SIGINT SIGTERM SIGCONT
exit (130|143) (re)
$ lbrx clean out
removed out.lbrx-partial
$ lbrx clean out
nothing to remove: there is no out.lbrx-partial

# The reader of standard output goes away: nothing is said.
$ bash -c 'lbrx inspect model --csv | true; echo ${PIPESTATUS[0]}'
(0|141) (re)
$ bash -c 'for i in $(seq 3000); do echo; done > big.txt; (sleep 0.2; lbrx completion fish; echo $? >&2) | true'
141
