"""Chooses what is trained: LoRA beside the linear layers of a scope, or every weight of it; and proves that it did.

    scope      LoRA beside                                          full training of
    encoder    q, k, v, out, fc1, fc2 of each encoder layer         the audio tower and the projector
    decoder    q, k, v, o of each decoder layer                     the language model and the vocabulary head
    both       both                                                 both

"Encoder" is everything that hears, so the projector, which turns encoder frames into audio embeddings, belongs to it
(Euphonia tunes encoder and projection together: Green et al. 2021); scope "decoder" leaves the audio embeddings of a
clip as they are, and they need computing only once. The encoder's positions are fixed sinusoids and never trained.
Nothing here trains or saves.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import torch

from ownvoice.config import LoraSettings
from ownvoice.errors import ModelError

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import VoxtralForConditionalGeneration

Scope = Literal["decoder", "encoder", "both"]

ENCODER_LINEARS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "fc1",
    "fc2",
)
DECODER_LINEARS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
_ENCODER_PARTS = ("model.audio_tower.", "model.multi_modal_projector.")
_DECODER_PARTS = ("model.language_model.", "lm_head.")
_FIXED = "model.audio_tower.embed_positions.weight"


def lora_pattern(scope: Scope) -> str:
    """Regular expression of the full module names that get an adapter; names alone would hit both towers."""
    encoder = rf"model\.audio_tower\.layers\.\d+\.({'|'.join(map(re.escape, ENCODER_LINEARS))})"
    decoder = rf"model\.language_model\.layers\.\d+\.({'|'.join(map(re.escape, DECODER_LINEARS))})"
    return {"encoder": encoder, "decoder": decoder, "both": f"{encoder}|{decoder}"}[scope]


def lora_modules(model: VoxtralForConditionalGeneration, scope: Scope) -> list[str]:
    """Full names of the linear layers a scope adapts, counted from the model's configuration."""
    encoder = [
        f"model.audio_tower.layers.{layer}.{linear}"
        for layer in range(model.config.audio_config.num_hidden_layers)
        for linear in ENCODER_LINEARS
    ]
    decoder = [
        f"model.language_model.layers.{layer}.{linear}"
        for layer in range(model.config.text_config.num_hidden_layers)
        for linear in DECODER_LINEARS
    ]
    return {"encoder": encoder, "decoder": decoder, "both": encoder + decoder}[scope]


def add_lora(
    model: VoxtralForConditionalGeneration, scope: Scope, settings: LoraSettings, *, seed: int, base_name: str
) -> PeftModel:
    """Put new adapters beside the linear layers of ``scope`` and freeze everything else.

    The adapters start as zero (B = 0; Hu et al. 2021), their A drawn with ``seed``. They are float32 whatever the
    model's precision, because small updates are lost in bfloat16.

    Parameters
    ----------
    base_name
        Written into the adapter, so that it can be loaded with its base.

    Raises
    ------
    ModelError
        when the layers adapted are not exactly those asked for.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=lora_pattern(scope),
        bias="none",
    )
    with torch.random.fork_rng(), quiet_peft():
        torch.manual_seed(seed)
        adapter: PeftModel = get_peft_model(model, config)
    adapter.peft_config["default"].base_model_name_or_path = base_name
    expected, adapted = set(lora_modules(model, scope)), set(adapter.base_model.targeted_module_names)
    if adapted != expected:
        strange = sorted(adapted ^ expected)
        raise ModelError(
            f"scope {scope!r} should adapt {len(expected)} layers, but {strange[0]} differs", where=base_name
        )
    return adapter


def adapts_encoder(adapter: PeftModel) -> bool:
    """Whether the model hears otherwise with an adapter than without it."""
    return any(name.startswith(_ENCODER_PARTS) for name in adapter.base_model.targeted_module_names)


@contextlib.contextmanager
def quiet_peft() -> Iterator[None]:
    """Keep PEFT's warnings from a person's screen: what matters of them is checked here and in loading."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def compute_twice(model: VoxtralForConditionalGeneration) -> None:
    """While training, keep the input of each layer alone and compute its inside again on the way back.

    Gradients are the same, dropout's masks included (Chen et al. 2016, "Training deep nets with sublinear memory
    cost").
    """
    model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    # The other kind of checkpointing needs gradients down to the first layer's input; they would keep the convolutions.
    model.disable_input_require_grads()


def train_whole(model: VoxtralForConditionalGeneration, scope: Scope) -> None:
    """Let every weight of ``scope`` be trained and freeze all others."""
    parts = {"encoder": _ENCODER_PARTS, "decoder": _DECODER_PARTS, "both": _ENCODER_PARTS + _DECODER_PARTS}[scope]
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(parts) and name != _FIXED)


def trained_tensors(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters that training changes, by name, in the model's own order."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
