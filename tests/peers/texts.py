"""Texts that tokenizers get wrong."""

import numpy as np

from support import SEED

TEXTS = (
    "Hello world",
    "  two spaces before, three   within, one after ",
    "\n\n\tTabs\tand\r\nlines\n \n",
    "def f(x):\n    return {'a': x[0] ** 2, \"b\": not x}  # code\n",
    "It's we'll I'D they'RE 'tis don't",
    "0 12 345 6789 3.14159 1,000,000 2026-11-25",
    "Grüße, naïve café, Ωμέγα, привет, שלום, مرحبا, नमस्ते",
    "日本語のテキスト、中文字符。한국어 문장",
    "emoji 🙂👩‍👩‍👧‍👦🇩🇪 and e\u0301 and \u00a0 and \u3000 and \u200b",
    "snake_case CamelCase kebab-case ALLCAPS a.b/c\\d <html> &amp; $x != @y",
    "<|im_start|>user\nhello<|im_end|>\n",
)
PIECES = ("a", "the", "X", "ABc", "é", "ß", "ж", "日本", "한", "ا", "ด", "न", "1", "23", "4567", "²",
          " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", ".", "...", "!?", "(", "_", "-", "$", "€", "🙂")


def random_texts(count=8, length=24):
    random = np.random.default_rng([SEED, 5])
    return ["".join(random.choice(PIECES, length)) for _ in range(count)]
