"""Changes to our arm of bench/train_step.py, each of which has to win there before the package takes it over.

All arms share one model, so a change holds for as long as the step it is tried in, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Literal

import torch
from transformers import VoxtralForConditionalGeneration
from transformers.models.llama import modeling_llama

Change = Literal["compiled", "layers-compiled", "liger", "narrow"]
CHANGES: dict[Change, str] = {
    "compiled": "the whole pass through torch.compile",
    "layers-compiled": "each layer through torch.compile, which compiles one of each kind and shape",
    "liger": "liger-kernel's norms, rotary positions and gated units",
    "narrow": "adapters are given bfloat16 as it is; PEFT widens it, and autocast narrows it again",
}


def during(change: Change | None, model: VoxtralForConditionalGeneration) -> Callable[[], AbstractContextManager[None]]:
    """What to hold while a step is taken, with anything to be prepared for it done."""
    match change:
        case "layers-compiled":
            return _compiled_layers(model)
        case "liger":
            return lambda: _liger(model)
        case "narrow":
            from peft.helpers import disable_input_dtype_casting

            return lambda: disable_input_dtype_casting(model)
    return contextlib.nullcontext


def _layers(model: VoxtralForConditionalGeneration) -> list[torch.nn.Module]:
    return [*model.model.audio_tower.layers, *model.model.language_model.layers]


def _compiled_layers(model: VoxtralForConditionalGeneration) -> Callable[[], AbstractContextManager[None]]:
    # One function is compiled for both kinds of layer, with and without gradients at their input, for several lengths.
    torch._dynamo.config.recompile_limit = 32
    calls = []
    for layer in _layers(model):
        layer.compile()
        calls.append(layer._compiled_call_impl)
        layer._compiled_call_impl = None

    @contextlib.contextmanager
    def held() -> Iterator[None]:
        for layer, call in zip(_layers(model), calls, strict=True):
            layer._compiled_call_impl = call
        try:
            yield
        finally:
            for layer in _layers(model):
                layer._compiled_call_impl = None

    return held


@contextlib.contextmanager
def _liger(model: VoxtralForConditionalGeneration) -> Iterator[None]:
    """liger-kernel writes its functions over those of modules and of transformers; they are put back afterwards."""
    from liger_kernel.transformers import apply_liger_kernel_to_llama
    from liger_kernel.transformers.monkey_patch import _patch_layer_norm_module

    names = ("apply_rotary_pos_emb", "LlamaRMSNorm", "LlamaMLP")
    functions = {name: getattr(modeling_llama, name) for name in names}
    attributes = [(module, dict(vars(module))) for module in model.modules()]
    try:
        apply_liger_kernel_to_llama(fused_linear_cross_entropy=False, model=model.model.language_model)
        for module in model.model.audio_tower.modules():
            if isinstance(module, torch.nn.LayerNorm):
                _patch_layer_norm_module(module, eps=module.eps)
        yield
    finally:
        for name, function in functions.items():
            setattr(modeling_llama, name, function)
        for module, before in attributes:
            vars(module).clear()
            vars(module).update(before)
