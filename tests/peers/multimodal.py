"""Multimodal sources as mlx-lm can read them."""

import json
import shutil

from support import complete_config, read_json


def multimodal_source_for_peer(source, target):
    """A copy with what mlx-lm expects in text_config, where it has other defaults."""
    shutil.copytree(source, target)
    config = complete_config(read_json(target / "config.json"))
    text = complete_config(config.get("text_config", config))
    text["tie_word_embeddings"] = config["tie_word_embeddings"]
    text.setdefault("norm_topk_prob", True)
    if config["model_type"] == "gemma3":
        config["vocab_size"] = text["vocab_size"]
        text["sliding_window_pattern"] = text["layer_types"].index("full_attention") + 1
    (target / "config.json").write_text(json.dumps(config, indent=2))
    return target
