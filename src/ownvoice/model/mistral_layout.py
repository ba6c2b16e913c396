"""Writes a merged Voxtral in Mistral's own layout: params.json, consolidated.safetensors, tekken.json.

That is what ``vllm serve FOLDER --tokenizer-mode mistral --config-format mistral --load-format mistral`` reads. The
names are those of transformers' ``convert_voxtral_weights_to_hf.py``, read backwards, and the rotary pairs of the
decoder's q and k are put back into Mistral's order. Reading the layout is not done here.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ownvoice.errors import ModelError
from ownvoice.rundir import write_atomically

if TYPE_CHECKING:
    from transformers import VoxtralConfig, WhisperFeatureExtractor

    from ownvoice.model.load import Recogniser

_ENCODER = "mm_whisper_embeddings.whisper_encoder"
_NAMES = (
    (r"lm_head\.weight", r"output.weight"),
    (r"model\.language_model\.norm\.weight", r"norm.weight"),
    (r"model\.language_model\.embed_tokens\.weight", r"mm_whisper_embeddings.tok_embeddings.weight"),
    (r"model\.language_model\.layers\.(\d+)\.input_layernorm\.weight", r"layers.\1.attention_norm.weight"),
    (r"model\.language_model\.layers\.(\d+)\.post_attention_layernorm\.weight", r"layers.\1.ffn_norm.weight"),
    (r"model\.language_model\.layers\.(\d+)\.self_attn\.([qkvo])_proj\.weight", r"layers.\1.attention.w\2.weight"),
    (r"model\.language_model\.layers\.(\d+)\.mlp\.gate_proj\.weight", r"layers.\1.feed_forward.w1.weight"),
    (r"model\.language_model\.layers\.(\d+)\.mlp\.down_proj\.weight", r"layers.\1.feed_forward.w2.weight"),
    (r"model\.language_model\.layers\.(\d+)\.mlp\.up_proj\.weight", r"layers.\1.feed_forward.w3.weight"),
    (r"model\.audio_tower\.conv1\.(\w+)", rf"{_ENCODER}.conv_layers.0.\1"),
    (r"model\.audio_tower\.conv2\.(\w+)", rf"{_ENCODER}.conv_layers.1.\1"),
    (r"model\.audio_tower\.layer_norm\.(\w+)", rf"{_ENCODER}.transformer.norm.\1"),
    (
        r"model\.audio_tower\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(\w+)",
        rf"{_ENCODER}.transformer.layers.\1.attention.w\2.\3",
    ),
    (
        r"model\.audio_tower\.layers\.(\d+)\.self_attn\.out_proj\.(\w+)",
        rf"{_ENCODER}.transformer.layers.\1.attention.wo.\2",
    ),
    (
        r"model\.audio_tower\.layers\.(\d+)\.self_attn_layer_norm\.(\w+)",
        rf"{_ENCODER}.transformer.layers.\1.attention_norm.\2",
    ),
    (r"model\.audio_tower\.layers\.(\d+)\.fc([12])\.(\w+)", rf"{_ENCODER}.transformer.layers.\1.feed_forward.w\2.\3"),
    (r"model\.audio_tower\.layers\.(\d+)\.final_layer_norm\.(\w+)", rf"{_ENCODER}.transformer.layers.\1.ffn_norm.\2"),
    (r"model\.multi_modal_projector\.linear_1\.weight", r"mm_whisper_embeddings.audio_language_projection.0.weight"),
    (r"model\.multi_modal_projector\.linear_2\.weight", r"mm_whisper_embeddings.audio_language_projection.2.weight"),
)
_POSITIONS = "model.audio_tower.embed_positions.weight"
"""Left out of the layout: whoever reads it computes the sinusoids."""
_POSITION_TOLERANCE = 2**-8
"""Sinusoids kept in 16 bits differ from computed ones by up to 2**-12 (float16) or 2**-9 (bfloat16)."""


def write_mistral_layout(recogniser: Recogniser, tokenizer: Path, folder: Path) -> None:
    """Write a model without an adapter into the empty folder ``folder``.

    Parameters
    ----------
    tokenizer
        The model's tekken.json.

    Raises
    ------
    ModelError
        when the model has a tensor or a setting for which the layout has no place.
    """
    from safetensors.torch import save_file

    config = recogniser.model.config
    _check_positions(recogniser.model.state_dict()[_POSITIONS])
    tensors = {
        mistral_name(name): _in_mistral_order(name, tensor, config).contiguous()
        for name, tensor in recogniser.model.state_dict().items()
        if name != _POSITIONS
    }
    save_file(tensors, folder / "consolidated.safetensors", {"format": "pt"})
    settings = mistral_params(config, recogniser.processor.feature_extractor)
    write_atomically(folder / "params.json", json.dumps(settings, indent=2) + "\n")
    shutil.copyfile(tokenizer, folder / "tekken.json")


def mistral_name(name: str) -> str:
    """Mistral's name of a tensor that transformers calls ``name``.

    Raises
    ------
    ModelError
        when there is none.
    """
    for pattern, replacement in _NAMES:
        renamed, hits = re.subn(f"^{pattern}$", replacement, name)
        if hits:
            return renamed
    raise ModelError(f"Mistral's layout has no place for the tensor {name}")


def mistral_params(config: VoxtralConfig, extractor: WhisperFeatureExtractor) -> dict[str, Any]:
    """The settings in params.json, under the names vLLM reads (``transformers_utils/configs/mistral.py``).

    Raises
    ------
    ModelError
        when the rotary positions are scaled, which params.json would have to say in another way.
    """
    text, audio = config.text_config, config.audio_config
    if text.rope_parameters.get("rope_type", "default") != "default":
        raise ModelError(f"rotary positions of kind {text.rope_parameters['rope_type']!r} cannot be exported")
    return {
        "dim": text.hidden_size,
        "n_layers": text.num_hidden_layers,
        "head_dim": text.head_dim,
        "hidden_dim": text.intermediate_size,
        "n_heads": text.num_attention_heads,
        "n_kv_heads": text.num_key_value_heads,
        "use_biases": False,
        "causal": True,
        "rope_theta": text.rope_parameters["rope_theta"],
        "norm_eps": text.rms_norm_eps,
        "vocab_size": text.vocab_size,
        "max_position_embeddings": text.max_position_embeddings,
        "tied_embeddings": bool(text.tie_word_embeddings),
        "multimodal": {
            "whisper_model_args": {
                "encoder_args": {
                    "audio_encoding_args": {
                        "sampling_rate": extractor.sampling_rate,
                        "num_mel_bins": extractor.feature_size,
                        "hop_length": extractor.hop_length,
                        "window_size": extractor.n_fft,
                    },
                    "dim": audio.hidden_size,
                    "n_layers": audio.num_hidden_layers,
                    "head_dim": audio.hidden_size // audio.num_attention_heads,
                    "hidden_dim": audio.intermediate_size,
                    "n_heads": audio.num_attention_heads,
                    "vocab_size": audio.vocab_size,
                    "max_source_positions": audio.max_source_positions,
                },
                "downsample_args": {"downsample_factor": audio.intermediate_size // audio.hidden_size},
            }
        },
    }


def _in_mistral_order(name: str, tensor: torch.Tensor, config: VoxtralConfig) -> torch.Tensor:
    """Put the rotary pairs of the decoder's q and k side by side; Hugging Face keeps them in two halves of a head."""
    found = re.fullmatch(r"model\.language_model\.layers\.\d+\.self_attn\.([qk])_proj\.weight", name)
    if found is None:
        return tensor
    text = config.text_config
    heads = text.num_attention_heads if found[1] == "q" else text.num_key_value_heads
    rows, columns = tensor.shape
    return tensor.view(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)


def _check_positions(positions: torch.Tensor) -> None:
    from transformers.models.whisper.modeling_whisper import sinusoids

    if (positions.float() - sinusoids(*positions.shape)).abs().max() > _POSITION_TOLERANCE:
        raise ModelError("the encoder's positions are not Whisper's sinusoids, and Mistral's layout has no other")
