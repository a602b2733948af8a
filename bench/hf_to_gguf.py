#!/usr/bin/env python3
"""llama.cpp's convert_hf_to_gguf.py, for models whose tokenizer it does not know by its hash.

    bench/hf_to_gguf.py LLAMA_CPP_SOURCE MODEL [OPTIONS...]

Needs torch, transformers and sentencepiece.
"""

import pathlib
import runpy
import sys

source = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(source), str(source / "gguf-py")]

from conversion.base import TextModel  # noqa: E402

TextModel.get_vocab_base_pre = lambda self, tokenizer: "llama-bpe"
sys.argv = sys.argv[1:]
sys.argv[0] = str(source / "convert_hf_to_gguf.py")
runpy.run_path(sys.argv[0], run_name="__main__")
