"""Memory estimates from shapes, against the real classes and against sums done by hand."""

from __future__ import annotations

import pytest
import torch

from ownvoice.training.preflight import MINI_3B, SMALL_24B, device_memory, estimate_memory


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
    parameters = MINI_3B.parameters
    lora, full = estimate_memory(MINI_3B, "lora"), estimate_memory(MINI_3B, "full")
    assert lora.weights == full.weights == 2 * parameters
    assert lora.optimiser == 12 * MINI_3B.lora_parameters(16)
    assert full.optimiser == 16 * parameters
    assert lora.activations == 34 * (1500 * 32 * 1280 + 400 * 30 * 3072)
    assert lora.total == lora.weights + lora.optimiser + lora.activations
    assert estimate_memory(MINI_3B, "lora", clips=4).activations == 4 * lora.activations


def test_float32_doubles_weights_and_activations_and_needs_no_copy() -> None:
    half, single = estimate_memory(MINI_3B, "full"), estimate_memory(MINI_3B, "full", bf16=False)
    assert (single.weights, single.activations) == (2 * half.weights, 2 * half.activations)
    assert single.optimiser == 12 * MINI_3B.parameters


def test_memory_of_this_machine() -> None:
    memory = device_memory(torch.device("cpu"))
    assert 0 < memory.free <= memory.total
