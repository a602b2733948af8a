"""The model card as the hub's own library reads it."""

import json
import shutil

import huggingface_hub
import yaml

from support import DATA, PeerTest, lbrx, read_json

COMMIT = "c" * 40
HOSTILE = ("a/b: c", "a/b\nlicense: mit", "../a", "/home/me/model", "a/b'", 'a/b"', "{a: b}", "a/b#c",
           "- a", "a/\u202eb", "a/b\0", "--- ", "a/[b](c)", "a" * 300 + "/b")
AWKWARD = ("no/yes", "null/1.5", "1/2", "007/1e3", "on/off", "a_b/c.d-e", "true/y")


class CardTest(PeerTest):
    def source(self, place, card=None, config=None):
        """tests/data/bard-base at `place`."""
        folder = self.folder / place
        folder.mkdir(parents=True)
        for file in (DATA / "bard-base").iterdir():
            if file.name != "README.md":
                (folder / file.name).symlink_to(file)
        if config:
            (folder / "config.json").unlink()
            merged = read_json(DATA / "bard-base/config.json") | config
            (folder / "config.json").write_text(json.dumps(merged))
        if card is not None:
            (folder / "README.md").write_text(card)
        return folder

    def convert(self, source, *options):
        """The card of the result; the last one of this name is removed."""
        target = self.folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        lbrx("convert", source, target, *options, "--no-sync", "--quiet")
        return huggingface_hub.ModelCard.load(target / "README.md")

    def test_new_card(self):
        source = self.source(f"hub/models--org--some.name/snapshots/{COMMIT}")
        card = self.convert(source, "-q", "4bit")
        self.assertEqual(card.data.to_dict(), {
            "base_model": "org/some.name",
            "base_model_relation": "quantized",
            "library_name": "mlx",
            "pipeline_tag": "text-generation",
            "tags": ["mlx", "4-bit"],
        })
        self.assertIn(COMMIT, card.text)
        self.assertIn("lbrx quantize org/some.name DST -q 4bit", card.text)
        self.assertNotIn(str(self.folder), card.content)

    def test_card_of_the_source(self):
        theirs = huggingface_hub.ModelCard.from_template(
            huggingface_hub.ModelCardData(
                language=["en", "no"], license="other", license_name="my-licence",
                license_link="https://example.org/a?b=c#d", library_name="transformers",
                tags=["chat", "4-bit", "yes"], base_model=["org/older", "org/oldest"],
                datasets=["org/data"], model_name="Name: with 'quotes' and \"more\"",
                eval_results=[huggingface_hub.EvalResult(
                    task_type="text-generation", dataset_type="d", dataset_name="D",
                    metric_type="ppl", metric_value=1.5)]),
            model_id="x", model_description="---\nA text\n---")
        source = self.source(f"hub/models--org--kept/snapshots/{COMMIT}", theirs.content)
        card = self.convert(source, "-q", "mxfp4")
        expected = theirs.data.to_dict() | {
            "library_name": "mlx", "base_model": "org/kept", "base_model_relation": "quantized",
            "pipeline_tag": "text-generation", "tags": ["chat", "4-bit", "yes", "mlx"],
        }
        self.assertEqual(card.data.to_dict(), expected)
        self.assertEqual(card.text, theirs.text)

    def test_hostile_names_are_left_out(self):
        for number, name in enumerate(HOSTILE):
            with self.subTest(name=name):
                source = self.source(f"hostile-{number}", config={"_name_or_path": name})
                data = self.convert(source, "--to", "mlx").data.to_dict()
                self.assertEqual(data, {"library_name": "mlx", "tags": ["mlx"],
                                        "pipeline_tag": "text-generation"})

    def test_awkward_names_are_text(self):
        for number, name in enumerate(AWKWARD):
            with self.subTest(name=name):
                source = self.source(f"awkward-{number}", config={"_name_or_path": name})
                card = self.convert(source, "--to", "mlx")
                self.assertEqual(card.data.base_model, name)
                self.assertNotIn("base_model_relation", card.data.to_dict())

    def test_rules_cannot_leave_their_block(self):
        source = self.source("rules")
        for rule in ("```\n# x", "a'b\"$(c)`d`", "````", "---", "<script>"):
            with self.subTest(rule=rule):
                self.assertEqual(self.convert(source, "-q", "4bit").data.to_dict(),
                                 self.convert(source, "-q", "4bit", "--keep", rule).data.to_dict())

    def test_no_card(self):
        target = self.folder / "none"
        lbrx("convert", self.source("plain", "# Mine\n"), target, "--to", "mlx", "--no-card",
             "--no-sync", "--quiet")
        self.assertFalse((target / "README.md").exists())

    def test_every_form_of_front_matter_reads_the_same_or_is_carried(self):
        """What is in a card and is not ours to change is read from ours as from theirs."""
        forms = [
            "license: mit\ntags:\n  - a\n  - b # c\n", "tags: [a, 'b c', \"d\"]\nlicense: mit\n",
            "license: mit # really\n", "extra: |\n  base_model: x\n\n  tags: []\nlicense: mit\n",
            "license: >-\n  mit\n", "tags: []\n", "tags:\n", "# only a comment\n",
            "base_model: a/b\nlicense: &x mit\nother: *x\n", "a: 'it''s'\nb: \"x: \\\"y\\\"\"\n",
            "tags:\n- a\n# between\n- b\n\nlicense: mit\n", "{license: mit, tags: [a]}\n",
            "? a\n: b\n", "license: \"mit\n  more\"\n", "tags: [\n  a,\n  b,\n]\n",
            "tags: [\n  a,\n  b]\n", "license: mit\r\ntags:\r\n- a\r\n",
        ]
        ours = {"base_model", "base_model_relation", "library_name", "pipeline_tag", "tags"}
        for number, form in enumerate(forms):
            with self.subTest(form=form):
                source = self.source(f"forms-{number}/models--org--form/snapshots/{COMMIT}",
                                     f"---\n{form}---\ntext\n")
                before = yaml.safe_load(form) or {}
                card = self.convert(source, "-q", "4bit")
                # As it is in the file: the library rewrites tags.
                after = yaml.safe_load(card.content.split("---\n")[1])
                for key in before.keys() - ours:
                    self.assertEqual(after[key], before[key], key)
                self.assertLessEqual(set(before.get("tags") or []), set(after.get("tags") or []))
                self.assertEqual(card.text, "text\n")
