"""What a forward pass keeps, counted on the real classes and compared with what is worked out from the shape."""

from __future__ import annotations

import itertools

import pytest
import torch
from transformers import VoxtralConfig, VoxtralForConditionalGeneration

from ownvoice.config import LoraSettings
from ownvoice.model.adapters import Scope, add_lora, compute_twice, train_whole
from ownvoice.model.loss import LabelLoss, make_batch
from ownvoice.training.activations import Pass, pass_bytes
from ownvoice.training.preflight import Shape

FRAMES = 256
"""Enough for what grows with the sound to outweigh what does not."""


def config(layers: int) -> VoxtralConfig:
    return VoxtralConfig(
        audio_config={
            "hidden_size": 96, "intermediate_size": 384, "num_hidden_layers": layers, "num_attention_heads": 4,
            "max_source_positions": FRAMES, "vocab_size": 16,
        },
        text_config={
            "vocab_size": 640, "hidden_size": 80, "intermediate_size": 208, "num_hidden_layers": layers,
            "num_attention_heads": 5, "num_key_value_heads": 1, "head_dim": 24, "max_position_embeddings": 4096,
        },
        audio_token_id=24,
    )  # fmt: skip


def counted(layers: int, method: str, scope: Scope, *, bf16: bool, twice: bool) -> int:
    """Bytes that autograd keeps of one window's forward pass, parameters left out."""
    torch.manual_seed(0)
    model = VoxtralForConditionalGeneration(config(layers))
    if method == "full":
        train_whole(model, scope)
    else:
        model = model.to(torch.bfloat16) if bf16 else model
        add_lora(model, scope, LoraSettings(rank=1, alpha=1), seed=0, base_name="small")
    model.train()
    if twice:
        compute_twice(model)
    batch = make_batch(
        [[1, 3, 25, *[24] * (FRAMES // 4), 4]], [[5] * 22], [torch.randn(1, 128, 2 * FRAMES)], encoded=False, pad_id=11
    )
    own = {tensor.untyped_storage().data_ptr() for tensor in itertools.chain(model.parameters(), model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    computing = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
    with computing, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        LabelLoss(model)(batch)
    return sum(kept.values())


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("scope", ["both", "encoder"])
def test_adapters(scope: Scope, bf16: bool) -> None:
    compare("lora", scope, bf16=bf16, twice=False)


def test_every_weight() -> None:
    compare("full", "both", bf16=False, twice=False)


def test_computed_twice() -> None:
    compare("lora", "both", bf16=False, twice=True)


def compare(method: str, scope: Scope, *, bf16: bool, twice: bool) -> None:
    """Two layers more in each tower keep as much more as worked out, to 3 %."""
    of = Pass(method != "full", scope != "decoder", scope != "encoder", bf16, card=False, twice=twice)
    more = [pass_bytes(Shape.of_config("small", config(layers).to_dict()), of) for layers in (2, 4)]
    found = [counted(layers, method, scope, bf16=bf16, twice=twice) for layers in (2, 4)]
    assert found[1] - found[0] == pytest.approx(more[1] - more[0], rel=0.03)
