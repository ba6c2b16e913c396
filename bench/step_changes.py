"""Changes to our arm of bench/train_step.py, each of which has to win there before the package takes it over.

All arms share one model, so a change is a set of attributes that are put on it for as long as a step takes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import VoxtralForConditionalGeneration
from transformers.models.llama import modeling_llama

Change = Literal["compiled", "layers-compiled", "liger", "narrow"]
CHANGES: dict[Change, str] = {
    "compiled": "the whole pass through torch.compile",
    "layers-compiled": "each layer through torch.compile, which compiles one of each kind and shape",
    "liger": "liger-kernel's norms, rotary positions and gated units",
    "narrow": "adapters are given bfloat16 as it is; PEFT widens it, and autocast narrows it again",
}
Attributes = list[tuple[object, dict[str, Any]]]
"""Modules, of the network or of Python, and what is to be put on them."""


def during(change: Change | None, model: VoxtralForConditionalGeneration) -> Callable[[], AbstractContextManager[None]]:
    """What to hold while a step is taken; all that can be is prepared here and costs the step no time."""
    attributes: Attributes = []
    match change:
        case "layers-compiled":
            attributes = _compiled_layers(model)
        case "liger":
            attributes = _liger(model)
        case "narrow":
            layers = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
            attributes = [(layer, {"cast_input_dtype_enabled": False}) for layer in layers]
    return lambda: _put_on(attributes)


@contextlib.contextmanager
def _put_on(attributes: Attributes) -> Iterator[None]:
    before = [{name: vars(thing)[name] for name in new if name in vars(thing)} for thing, new in attributes]
    for thing, new in attributes:
        vars(thing).update(new)
    try:
        yield
    finally:
        for (thing, new), old in zip(attributes, before, strict=True):
            for name in new:
                del vars(thing)[name]
            vars(thing).update(old)


def _compiled_layers(model: VoxtralForConditionalGeneration) -> Attributes:
    # One function is compiled for both kinds of layer, with and without gradients at their input, for several lengths.
    torch._dynamo.config.recompile_limit = 32
    layers = [*model.model.audio_tower.layers, *model.model.language_model.layers]
    for layer in layers:
        layer.compile()
    return [(layer, {"_compiled_call_impl": vars(layer).pop("_compiled_call_impl")}) for layer in layers]


def _liger(model: VoxtralForConditionalGeneration) -> Attributes:
    """What liger-kernel writes over functions of network and library, which are then put back."""
    from liger_kernel.transformers import apply_liger_kernel_to_llama
    from liger_kernel.transformers.monkey_patch import _patch_layer_norm_module

    things = [modeling_llama, *model.modules()]
    before = [dict(vars(thing)) for thing in things]
    apply_liger_kernel_to_llama(fused_linear_cross_entropy=False, model=model.model.language_model)
    for module in model.model.audio_tower.modules():
        if isinstance(module, torch.nn.LayerNorm):
            _patch_layer_norm_module(module, eps=module.eps)
    attributes: Attributes = []
    for thing, old in zip(things, before, strict=True):
        new = {name: value for name, value in vars(thing).items() if name not in old or value is not old[name]}
        if new:
            attributes.append((thing, new))
        vars(thing).clear()
        vars(thing).update(old)
    return attributes
