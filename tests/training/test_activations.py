"""What a forward pass keeps, counted on the real classes and compared with what is worked out from the shape."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import VoxtralConfig, VoxtralForConditionalGeneration

from ownvoice.config import LoraSettings
from ownvoice.model import loss, transcribe
from ownvoice.model.adapters import Scope, add_lora, compute_twice, train_whole
from ownvoice.model.loss import Batch, LabelLoss, make_batch
from ownvoice.training import activations
from ownvoice.training.activations import Pass, pass_bytes
from ownvoice.training.preflight import HEARD_TOGETHER, Shape

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


def made(layers: int, method: str, scope: Scope, *, bf16: bool, twice: bool) -> VoxtralForConditionalGeneration:
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
    return model


def batch_of(windows: int) -> Batch:
    prompt = [1, 3, 25, *[24] * (FRAMES // 4), 4]
    sounds = [torch.randn(1, 128, 2 * FRAMES) for _ in range(windows)]
    return make_batch([prompt] * windows, [[5] * 22] * windows, sounds, encoded=False, pad_id=11)


def counted(layers: int, method: str, scope: Scope, *, bf16: bool) -> int:
    """Bytes that autograd keeps of one window's forward pass, parameters left out."""
    model = made(layers, method, scope, bf16=bf16, twice=False)
    own = {tensor.untyped_storage().data_ptr() for tensor in itertools.chain(model.parameters(), model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    computing = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
    with computing, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        LabelLoss(model)(batch_of(1))
    return sum(kept.values())


def peak(layers: int, method: str, scope: Scope, *, bf16: bool, twice: bool, windows: int) -> int:
    """The most bytes that exist at a time of a pass and its way back, gradients of weights left out."""
    model = made(layers, method, scope, bf16=bf16, twice=twice)
    for weights in model.parameters():
        weights.grad = torch.zeros_like(weights) if weights.requires_grad else None
    batch = batch_of(windows)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16, cache_enabled=False):
            loss = LabelLoss(model)(batch)
        loss.backward()
    events = profiled.profiler.kineto_results.events()  # type: ignore[union-attr]
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    return max(itertools.accumulate(change for _, change in changes))


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("scope", ["both", "encoder"])
def test_adapters(scope: Scope, bf16: bool) -> None:
    compare("lora", scope, bf16=bf16)


def test_every_weight() -> None:
    compare("full", "both", bf16=False)


def compare(method: str, scope: Scope, *, bf16: bool) -> None:
    """Two layers more in each tower keep as much more as worked out, to 3 %."""
    of = Pass(method != "full", scope != "decoder", scope != "encoder", bf16, card=False, twice=False)
    more = [pass_bytes(Shape.of_config("small", config(layers).to_dict()), of) for layers in (4, 6)]
    found = [counted(layers, method, scope, bf16=bf16) for layers in (4, 6)]
    assert found[1] - found[0] == pytest.approx(more[1] - more[0], rel=0.03)


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_most_that_exists_at_a_time(method: str, bf16: bool, twice: bool) -> None:
    """To 10 %, whatever is fragmented or packed by libraries left out."""
    shape = Shape.of_config("small", config(4).to_dict())
    of = Pass(method != "full", encoder=True, decoder=True, bf16=bf16, card=False, twice=twice)
    copies = 2 * shape.trained_parameters("both") if method == "full" and bf16 and not twice else 0
    assert peak(4, method, "both", bf16=bf16, twice=twice, windows=4) == pytest.approx(
        pass_bytes(shape, of, windows=4) + copies, rel=0.1
    )


def test_convolutions_keep_nothing_where_they_are_not_trained() -> None:
    """Checkpointing of another kind wants gradients down to the layers' input, and so through them."""
    model = made(2, "lora", "both", bf16=False, twice=True)
    seen: list[bool] = []
    model.model.audio_tower.conv2.register_forward_hook(lambda module, given, made: seen.append(made.requires_grad))
    LabelLoss(model)(batch_of(1))
    assert seen == [False]


def test_what_is_told_without_torch_is_what_is_done_with_it() -> None:
    assert (activations.HEAD_CHUNK, HEARD_TOGETHER) == (loss.HEAD_CHUNK, transcribe.BATCH_SIZE)
