"""Memory estimates from shapes, against the real classes and against sums done by hand."""

from __future__ import annotations

import pytest
import torch

from ownvoice.config import TrainingSettings
from ownvoice.training.preflight import (
    MINI_3B,
    PROCESS_BYTES,
    SMALL_24B,
    Place,
    computes_twice,
    device_memory,
    estimate_memory,
)


def test_mini_has_as_many_parameters_as_transformers_says() -> None:
    from transformers import VoxtralConfig, VoxtralForConditionalGeneration

    with torch.device("meta"):  # VoxtralConfig's defaults are Mini-3B; meta tensors take no memory
        model = VoxtralForConditionalGeneration(VoxtralConfig())
    assert sum(parameter.numel() for parameter in model.parameters()) == MINI_3B.parameters
    assert sum(parameter.numel() for parameter in model.model.audio_tower.parameters()) == MINI_3B.encoder_parameters


def test_small_is_what_its_name_says() -> None:
    assert SMALL_24B.parameters == pytest.approx(24e9, rel=0.02)


def test_adapters_of_mini_by_hand() -> None:
    # one encoder layer at rank 1: q, k, v, o 1280 -> 1280; fc1 1280 -> 5120; fc2 5120 -> 1280
    encoder_layer = 4 * (1280 + 1280) + 2 * (1280 + 5120)
    # one decoder layer: q 3072 -> 4096, k and v 3072 -> 1024, o 4096 -> 3072
    decoder_layer = (3072 + 4096) + 2 * (3072 + 1024) + (4096 + 3072)
    assert MINI_3B.lora_parameters(rank=8) == 8 * (32 * encoder_layer + 30 * decoder_layer)


def test_memory_of_mini_by_hand() -> None:
    parameters, adapters = MINI_3B.parameters, MINI_3B.lora_parameters(16)
    lora, full, qlora = (estimate_memory(MINI_3B, method) for method in ("lora", "full", "qlora"))
    assert lora.weights == 2 * parameters
    assert lora.optimiser == (4 + 4 + 8) * adapters  # themselves, gradient, two moments
    assert full.weights == 4 * parameters
    assert full.optimiser == (4 + 8) * MINI_3B.trained_parameters("both")
    assert full.activations > lora.activations - 2**30 + 2 * MINI_3B.trained_parameters("both")
    kept = parameters - MINI_3B.linear_parameters
    assert 2 * 131072 * 3072 < kept < 2.02 * 131072 * 3072, "embeddings and head, and hardly anything else"
    assert qlora.weights == pytest.approx(2 * kept + 0.516 * MINI_3B.linear_parameters, rel=1e-3)
    assert qlora.optimiser == (4 + 4 + 2) * adapters
    assert lora.total == lora.weights + lora.optimiser + lora.activations


def test_every_part_of_a_model_is_trained_by_one_scope_or_the_other() -> None:
    encoder, decoder, both = (MINI_3B.trained_parameters(scope) for scope in ("encoder", "decoder", "both"))
    assert encoder + decoder == both == MINI_3B.parameters - 1500 * 1280, "all but the encoder's fixed positions"


def test_the_goals_for_one_card() -> None:
    """Adapters in both towers in 12 GB, in 4 bits in 6; every weight on a card of 80 GB with moments in 8 bits."""
    assert estimate_memory(MINI_3B, "lora", clips=4, twice=True).total + PROCESS_BYTES < 12e9
    assert estimate_memory(MINI_3B, "qlora", clips=4).total + PROCESS_BYTES < 6e9
    assert (
        estimate_memory(MINI_3B, "full", twice=True, eight_bit=True).total
        < 80e9
        < estimate_memory(MINI_3B, "full").total
    )


@pytest.mark.parametrize(
    ("checkpointing", "method", "free", "expected"),
    [
        ("auto", "lora", 80e9, False),
        ("auto", "lora", 16e9, True),
        ("auto", "qlora", 80e9, True),
        ("never", "qlora", 1e9, False),
        ("always", "lora", 80e9, True),
    ],
)
def test_layers_are_computed_twice_where_memory_would_be_short(
    checkpointing: str, method: str, free: float, expected: bool
) -> None:
    chosen = TrainingSettings.make({"checkpointing": checkpointing, "method": method})
    assert computes_twice(MINI_3B, chosen, Place(card=True, bf16=True, free=round(free))) is expected


def test_memory_of_this_machine() -> None:
    memory = device_memory(torch.device("cpu"))
    assert 0 < memory.free <= memory.total
