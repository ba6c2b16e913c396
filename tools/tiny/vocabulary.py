"""Makes the built-in model's tokenizer: a tekken file of the 256 bytes and the pieces of its own words.

The layout is the published one (special tokens first, the same ids), so that prompts look as they do for the large
models; only the ranks above the bytes are this project's own, learned by byte-pair merging from its phrases.
"""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

from phrases import sentence, vocabulary, word_string
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

PIECES = 1984
"""Ranks, the 256 bytes among them."""
SPECIALS = {
    0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 5: "[AVAILABLE_TOOLS]", 6: "[/AVAILABLE_TOOLS]",
    7: "[TOOL_RESULTS]", 8: "[/TOOL_RESULTS]", 9: "[TOOL_CALLS]", 10: "[IMG]", 11: "<pad>", 12: "[IMG_BREAK]",
    13: "[IMG_END]", 14: "[PREFIX]", 15: "[MIDDLE]", 16: "[SUFFIX]", 17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]",
    19: "[TOOL_CONTENT]", 24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 34: "[TRANSCRIBE]",
}  # fmt: skip
SPECIAL_COUNT = 40
PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How tekken cuts text into words before merging (the published tokenizer's own pattern)."""


def write_tekken(path: Path, *, window_seconds: int) -> None:
    """Write ``tekken.json`` for a model that hears windows of ``window_seconds``."""
    rng = random.Random(0)
    text = [sentence(rng) for _ in range(20_000)] + [word_string(rng) for _ in range(20_000)]
    text += [" ".join(vocabulary())] * 20 + ["lang:en lang:es lang:fr lang:pt lang:hi lang:de lang:nl lang:it"] * 50
    pieces = _byte_pieces(text)
    tekken = {
        "config": {
            "pattern": PATTERN, "num_vocab_tokens": len(pieces), "default_vocab_size": len(pieces) + SPECIAL_COUNT,
            "default_num_special_tokens": SPECIAL_COUNT, "version": "v7",
        },
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(piece).decode(), "token_str": piece.decode(errors="replace")}
            for rank, piece in enumerate(pieces)
        ],
        "special_tokens": [
            {"rank": rank, "token_str": SPECIALS.get(rank, f"<SPECIAL_{rank}>"), "is_control": True}
            for rank in range(SPECIAL_COUNT)
        ],
        "audio": {
            "sampling_rate": 16_000, "frame_rate": 12.5, "chunk_length_s": float(window_seconds),
            "audio_encoding_config": {"num_mel_bins": 128, "hop_length": 160, "window_size": 400},
        },
    }  # fmt: skip
    path.write_text(json.dumps(tekken, indent=0), encoding="utf-8")


def _byte_pieces(text: list[str]) -> list[bytes]:
    """The bytes in order, then merged pieces by frequency."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learner.train_from_iterator(text, trainer)
    to_byte = _byte_level_alphabet()
    ranked = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    merged = [bytes(to_byte[letter] for letter in piece) for piece, _ in ranked if len(piece) > 1]
    return [bytes([value]) for value in range(256)] + merged[: PIECES - 256]


def _byte_level_alphabet() -> dict[str, int]:
    """The letters that stand for bytes in a byte-level tokenizer (Radford et al. 2019)."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [value for value in range(256) if value not in visible]
    return {chr(value): value for value in visible} | {chr(256 + index): value for index, value in enumerate(hidden)}
