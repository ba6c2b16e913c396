"""Builds a Voxtral in miniature: the true classes and processor, random weights, a window of one second.

Used by the tests of the model and training layers; nothing in it is trained, so it transcribes nonsense.
"""

from __future__ import annotations

import json
from pathlib import Path

import mistral_common
import numpy as np

SECOND = 16_000
SPECIALS = {
    0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 5: "[AVAILABLE_TOOLS]", 6: "[/AVAILABLE_TOOLS]",
    7: "[TOOL_RESULTS]", 8: "[/TOOL_RESULTS]", 9: "[TOOL_CALLS]", 10: "[IMG]", 11: "<pad>", 12: "[IMG_BREAK]",
    13: "[IMG_END]", 14: "[PREFIX]", 15: "[MIDDLE]", 16: "[SUFFIX]", 17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]",
    19: "[TOOL_CONTENT]", 24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 34: "[TRANSCRIBE]",
}  # fmt: skip
"""Ranks of the special tokens of Voxtral's published tokenizer that a transcription meets."""


def write_tokenizer(folder: Path, *, ranks: int, specials: int, seconds: float) -> None:
    """Cut mistral-common's own vocabulary to ``ranks`` entries and give it Voxtral's special tokens and audio block."""
    vocabulary = json.loads((Path(mistral_common.__file__).parent / "data" / "tekken_240911.json").read_text())
    vocabulary.pop("image")
    vocabulary["vocab"] = vocabulary["vocab"][:ranks]
    vocabulary["special_tokens"] = [
        {"rank": rank, "token_str": SPECIALS.get(rank, f"<SPECIAL_{rank}>"), "is_control": True}
        for rank in range(specials)
    ]
    vocabulary["config"] |= {
        "version": "v7",
        "num_vocab_tokens": ranks,
        "default_vocab_size": ranks + specials,
        "default_num_special_tokens": specials,
    }
    vocabulary["audio"] = {
        "sampling_rate": SECOND,
        "frame_rate": 12.5,
        "audio_encoding_config": {"num_mel_bins": 128, "hop_length": 160, "window_size": 400},
        "chunk_length_s": seconds,
    }
    (folder / "tekken.json").write_text(json.dumps(vocabulary))


def build_small_voxtral(folder: Path, *, seed: int = 0, seconds: float = 0.96) -> Path:
    """Write a full model folder: 64 wide, two layers a tower, 640 token ids, a window of ``seconds`` (12 tokens)."""
    import torch
    from transformers import VoxtralConfig, VoxtralForConditionalGeneration

    torch.manual_seed(seed)
    config = VoxtralConfig(
        audio_config={
            "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
            "max_source_positions": round(50 * seconds), "vocab_size": 16,
        },
        text_config={
            "vocab_size": 640, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 4096,
        },
        audio_token_id=24,
    )  # fmt: skip
    model = VoxtralForConditionalGeneration(config)
    for parameter in model.parameters():
        # transformers starts with weights so small that every gradient would be near nothing
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    write_processor(folder, ranks=600, specials=40, seconds=seconds)
    return folder


def write_processor(folder: Path, *, ranks: int, specials: int, seconds: float) -> None:
    """Write tekken.json and the processor's files beside a model's config.json."""
    from transformers import VoxtralProcessor, WhisperFeatureExtractor
    from transformers.tokenization_mistral_common import MistralCommonBackend

    write_tokenizer(folder, ranks=ranks, specials=specials, seconds=seconds)
    tokenizer = MistralCommonBackend.from_pretrained(folder)
    VoxtralProcessor(WhisperFeatureExtractor(feature_size=128), tokenizer).save_pretrained(folder)


def murmur(seconds: float, *, seed: int = 0) -> np.ndarray:
    """Sound with some structure on the 16-bit grid and under half of full scale, where a WAV round trip is exact."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SECOND)) / SECOND
    tones = sum(np.sin(2 * np.pi * pitch * time + rng.uniform(0, 6)) for pitch in rng.uniform(100, 3000, 4))
    loudness = 0.05 * (1 + np.sin(2 * np.pi * rng.uniform(1, 4) * time))
    noisy = loudness * tones + 0.003 * rng.standard_normal(time.size)
    return (np.round(noisy * 32768).astype(np.int16) / np.float32(32768)).astype(np.float32)
