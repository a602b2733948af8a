"""GGUF files against llama.cpp: llama-quantize's own, its tools' reading of ours."""

import concurrent.futures
import math
import os

from gguf_file import U16, read_gguf
from llama_cpp import file_types, perplexity, quantize, tool
from support import DATA, FOLDER, ROOT, PeerTest, lbrx

TEXT = FOLDER / "text.txt"
SOURCES = {"tiny": ROOT / "models/tiny-llama", "bard": DATA / "bard-base"}
# What bard-base, too, is made to; all types would take minutes, and goldens hold them.
BARD_TYPES = ("Q4_K_M", "Q8_0", "IQ4_XS")


def bf16_file(folder, model):
    path = folder / f"{model}.gguf"
    if not path.exists():
        lbrx("convert", SOURCES[model], path, "--dtype", "bf16", "--no-sync", "--quiet")
    return path


class GgufTest(PeerTest):
    def assert_same_file(self, ours, theirs):
        """The same keys, in whatever order; the same tensors in the same one."""
        ours, theirs = read_gguf(ours), read_gguf(theirs)
        self.assertEqual(ours.keys, theirs.keys)
        self.assertEqual(list(ours.tensors), list(theirs.tensors))
        for name, (kind, shape, data) in theirs.tensors.items():
            self.assertEqual(ours.tensors[name][:2], (kind, shape), name)
            self.assertTrue(ours.tensors[name][2] == data, f"{name}: other bytes")


class FileTypeTest(GgufTest):
    """One file of every type that llama-quantize makes, with an importance matrix of ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.matrices = {}
        for model in SOURCES:
            source = bf16_file(cls.folder, model)
            cls.matrices[model] = cls.folder / f"{model}.imatrix"
            tool("llama-imatrix", "-m", source, "-f", TEXT, "-o", cls.matrices[model], "-c", 128,
                 "-t", 1, "--no-ppl")
        jobs = [("tiny", name) for name in file_types()] + [("bard", name) for name in BARD_TYPES]
        # Their search for IQ types takes seconds for each: all at once.
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda job: cls.their_file(*job), jobs))

    @classmethod
    def their_file(cls, model, name):
        target = cls.folder / f"{model}-{name}-theirs.gguf"
        quantize(bf16_file(cls.folder, model), target, name, "--imatrix", cls.matrices[model])

    def compare(self, model, name):
        source, matrix = bf16_file(self.folder, model), self.matrices[model]
        ours = self.folder / f"{model}-{name}.gguf"
        theirs = self.folder / f"{model}-{name}-theirs.gguf"
        lbrx("quantize", source, ours, name, "--imatrix", matrix, "--no-sync", "--quiet")
        self.assert_same_file(ours, theirs)
        ours_expects = perplexity(ours, TEXT)
        self.assertTrue(math.isfinite(ours_expects), ours_expects)
        self.assertEqual(ours_expects, perplexity(theirs, TEXT))

    def test_bf16_of_trained_models_predicts_their_text(self):
        """Twenty times better than guessing among 2048 tokens."""
        for model in SOURCES:
            self.assertLess(perplexity(bf16_file(self.folder, model), TEXT), 100, model)

    def test_old_importance_matrices(self):
        matrix = self.folder / "old.dat"
        tool("llama-imatrix", "-m", bf16_file(self.folder, "tiny"), "-f", TEXT, "-o", matrix, "-c", 128,
             "-t", 1, "--no-ppl", "--output-format", "dat")
        self.quantized_both(["Q4_K_M"], "--imatrix", matrix)

    def test_options(self):
        """Those that change what is written, spelled as llama-quantize has them."""
        self.quantized_both(["Q3_K_M"], "--pure")
        self.quantized_both(["Q4_K_S"], "--leave-output-tensor")
        self.quantized_both(["Q4_0"], "--output-tensor-type", "q8_0", "--token-embedding-type", "q5_1",
                            "--tensor-type", "attn_v=q6_k", "--tensor-type", r"blk\.1\.ffn_.*=q5_k")
        self.quantized_both(["Q8_0"], "--prune-layers", "0")
        self.quantized_both(["Q8_0"], "--override-kv", "llama.rope.freq_base=float:500000",
                            "--override-kv", "general.name=str:other")
        self.quantized_both(["COPY"])
        matrix = ["--imatrix", self.matrices["tiny"]]
        self.quantized_both(["Q4_K_M"], *matrix, "--include-weights", "ffn_down")
        self.quantized_both(["Q4_K_M"], *matrix, "--exclude-weights", "ffn_down")

    def quantized_both(self, file_type, *options):
        ours, theirs = self.folder / "ours.gguf", self.folder / "theirs.gguf"
        source = bf16_file(self.folder, "tiny")
        with self.subTest(options=[*file_type, *map(str, options)]):
            lbrx("quantize", source, ours, *file_type, *options, "--no-sync", "--force", "--quiet")
            tool("llama-quantize", *options, source, theirs, *file_type, 1)
            self.assert_same_file(ours, theirs)

    def test_types_that_need_importances(self):
        """Both refuse them, we before anything is written."""
        source, target = bf16_file(self.folder, "tiny"), self.folder / "refused.gguf"
        for name in ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "Q2_K_S"):
            with self.subTest(name=name):
                tool("llama-quantize", source, self.folder / "theirs.gguf", name, 1, status=1)
                with self.assertRaisesRegex(AssertionError, "give one with --imatrix FILE"):
                    lbrx("quantize", source, target, name, "--no-sync", "--quiet")
                self.assertFalse(target.exists())

    def test_from_hugging_face_in_one_pass(self):
        """The bytes of their two steps."""
        ours = self.folder / "one-pass.gguf"
        lbrx("convert", SOURCES["tiny"], ours, "-q", "Q4_K_M", "--imatrix", self.matrices["tiny"],
             "--no-sync", "--quiet")
        self.assert_same_file(ours, self.folder / "tiny-Q4_K_M-theirs.gguf")


def add_tests():
    for name in file_types():
        def test(self, name=name):
            self.compare("tiny", name)

        setattr(FileTypeTest, f"test_tiny_{name}", test)
    for name in BARD_TYPES:
        def bard_test(self, name=name):
            self.compare("bard", name)

        setattr(FileTypeTest, f"test_bard_{name}", bard_test)


add_tests()


class SplitTest(GgufTest):
    def test_their_set_becomes_one_file(self):
        """By any of its parts; as llama-gguf-split merges it, but for the keys of sets."""
        source = bf16_file(self.folder, "tiny")
        tool("llama-gguf-split", "--split", "--split-max-tensors", 9, source, self.folder / "set")
        parts = sorted(self.folder.glob("set-*.gguf"))
        self.assertEqual(len(parts), 3)
        for number, part in enumerate(parts):
            merged = self.folder / f"merged-{number}.gguf"
            lbrx("convert", part, merged, "--no-sync", "--quiet")
            self.assert_same_file(merged, source)
        theirs = self.folder / "merged-theirs.gguf"
        tool("llama-gguf-split", "--merge", parts[0], theirs)
        self.assertEqual(read_gguf(theirs).keys.pop("split.count"), (U16, 0))
        self.assertEqual(read_gguf(theirs).tensors, read_gguf(source).tensors)

    def test_our_set(self):
        source = bf16_file(self.folder, "tiny")
        lbrx("convert", source, self.folder / "ours.gguf", "--shard-size", "2MB", "--no-sync", "--quiet")
        parts = sorted(self.folder.glob("ours-*.gguf"))
        self.assertGreater(len(parts), 1)
        self.assertEqual(perplexity(parts[0], TEXT), perplexity(source, TEXT))
        merged = self.folder / "ours-merged.gguf"
        tool("llama-gguf-split", "--merge", parts[0], merged)
        self.assertEqual(read_gguf(merged).tensors, read_gguf(source).tensors)


    def test_quantized_parts(self):
        """--keep-split: their parts, one of them empty, each as theirs."""
        source = bf16_file(self.folder, "tiny")
        tool("llama-gguf-split", "--split", "--split-max-tensors", 7, "--no-tensor-first-split", source,
             self.folder / "keep")
        first = sorted(self.folder.glob("keep-*.gguf"))[0]
        options = ["--keep-split", "--tensor-type", "attn_v=q5_k"]
        tool("llama-quantize", *options, first, self.folder / "theirs.gguf", "Q4_K_M", 1)
        lbrx("quantize", *options, first, self.folder / "ours.gguf", "Q4_K_M", 1, "--no-sync", "--quiet")
        theirs = sorted(self.folder.glob("theirs-*-of-*.gguf"))
        self.assertGreater(len(theirs), 2)
        for part in theirs:
            self.assert_same_file(self.folder / part.name.replace("theirs", "ours"), part)


class EditTest(GgufTest):
    def test_edited_file_is_loaded(self):
        source, edited = bf16_file(self.folder, "tiny"), self.folder / "edited.gguf"
        lbrx("edit", source, edited, "--set", "general.name=str:A name much longer than the old one",
             "--set", "llama.context_length=u32:512", "--remove", "tokenizer.chat_template", "--no-sync",
             "--quiet")
        before, after = read_gguf(source), read_gguf(edited)
        self.assertEqual(after.keys["general.name"][1], "A name much longer than the old one")
        self.assertEqual(after.keys["llama.context_length"][1], 512)
        self.assertEqual(set(before.keys) - set(after.keys), {"tokenizer.chat_template"})
        self.assertEqual(after.tensors, before.tensors)
        self.assertEqual(perplexity(edited, TEXT), perplexity(source, TEXT))
