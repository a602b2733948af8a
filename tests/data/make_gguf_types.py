"""Makes tests/data/gguf_types.json: what llama-quantize writes from tests/data/bard-base.

    pip install gguf numpy
    python tests/data/make_gguf_types.py LLAMA_QUANTIZE BARD_BASE_BF16_GGUF

LLAMA_QUANTIZE is llama.cpp's tool as it is built for x86-64 by default, without FMA (made with the
one in llama-cpp-python 0.3.36); the GGUF file is what its convert_hf_to_gguf.py makes of bard-base
at bf16. The importance matrix is tests/data/imatrix/imatrix.gguf.

"tensors": all names, sorted. "files": by "FILETYPE/plain", "/imatrix" and "/pure" the file type's
number, the tensors' types, the first 4 digits of each one's SHA-256, and the first 16 of that of
all lines "NAME TYPE FIRST_16_DIGITS"; null where llama-quantize refuses.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).parent
NAMES = (
    "Q1_0 Q2_0 Q4_0 Q4_1 MXFP4_MOE Q5_0 Q5_1 IQ2_XXS IQ2_XS IQ2_S IQ2_M IQ1_S IQ1_M TQ1_0 TQ2_0 "
    "Q2_K Q2_K_S IQ3_XXS IQ3_S IQ3_M IQ3_XS Q3_K_S Q3_K_M Q3_K_L IQ4_NL IQ4_XS Q4_K_S Q4_K_M "
    "Q5_K_S Q5_K_M Q6_K Q8_0 F16 F32"
).split()
MODES = {
    "plain": [],
    "imatrix": ["--imatrix", str(DATA / "imatrix" / "imatrix.gguf")],
    "pure": ["--pure"],
}


def row_of(file_type, tensors):
    """`tensors`: by name, (type, first 16 digits of the SHA-256)."""
    lines = "".join(f"{name} {kind} {digest}\n" for name, (kind, digest) in sorted(tensors.items()))
    return {
        "file_type": file_type,
        "types": " ".join(tensors[name][0] for name in sorted(tensors)),
        "hashes": " ".join(tensors[name][1][:4] for name in sorted(tensors)),
        "all": hashlib.sha256(lines.encode()).hexdigest()[:16],
    }


def read(path):
    import gguf

    reader = gguf.GGUFReader(path)
    tensors = {
        t.name: (t.tensor_type.name, hashlib.sha256(t.data.tobytes()).hexdigest()[:16])
        for t in reader.tensors
    }
    return row_of(int(reader.fields["general.file_type"].contents()), tensors), sorted(tensors)


def write(files, names):
    with open(DATA / "gguf_types.json", "w", encoding="utf-8") as out:
        json.dump({"tensors": " ".join(names), "files": files}, out, indent=0)
        out.write("\n")


def main(tool, source):
    files = {}
    names = []
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            for mode, options in MODES.items():
                path = pathlib.Path(folder) / "out.gguf"
                run = subprocess.run([tool, *options, source, path, name], capture_output=True)
                if run.returncode != 0:
                    files[f"{name}/{mode}"] = None
                    continue
                files[f"{name}/{mode}"], names = read(path)
    write(files, names)


if __name__ == "__main__":
    main(*sys.argv[1:])
