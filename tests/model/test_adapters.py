"""The tensors trained by each scope and method are exactly those named, and the rest stays as it was."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from ownvoice.config import LoraSettings
from ownvoice.errors import ModelError
from ownvoice.model.adapters import add_lora, lora_modules, train_whole, trained_tensors
from ownvoice.model.load import Recogniser, load_recogniser

ENCODER = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "fc1", "fc2"]
DECODER = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]


@pytest.fixture(scope="module")
def loaded(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu")


def lora_tensors(tower: str, linears: list[str]) -> set[str]:
    return {
        f"model.{tower}.layers.{layer}.{linear}.lora_{matrix}.default.weight"
        for layer in range(2)
        for linear in linears
        for matrix in "AB"
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("encoder", lora_tensors("audio_tower", ENCODER)),
        ("decoder", lora_tensors("language_model", DECODER)),
        ("both", lora_tensors("audio_tower", ENCODER) | lora_tensors("language_model", DECODER)),
    ],
)
def test_lora_trains_exactly_these_tensors(loaded: Recogniser, scope: str, expected: set[str]) -> None:
    model = copy.deepcopy(loaded.model)
    add_lora(model, scope, LoraSettings(rank=4), seed=0, base_name="small")
    trained = trained_tensors(model)
    assert set(trained) == expected
    assert all(4 in parameter.shape for parameter in trained.values())


def test_full_training_leaves_the_positions_and_the_other_tower_alone(loaded: Recogniser) -> None:
    model = copy.deepcopy(loaded.model)
    everything = {name for name, _ in model.named_parameters()}
    positions = "model.audio_tower.embed_positions.weight"
    train_whole(model, "encoder")
    encoder = set(trained_tensors(model))
    train_whole(model, "decoder")
    decoder = set(trained_tensors(model))
    train_whole(model, "both")
    assert set(trained_tensors(model)) == encoder | decoder == everything - {positions}
    assert not encoder & decoder
    assert {"model.multi_modal_projector.linear_1.weight", "model.audio_tower.conv1.weight"} <= encoder
    assert {"lm_head.weight", "model.language_model.embed_tokens.weight"} <= decoder


def test_adapters_start_as_nothing_and_by_the_seed_alone(loaded: Recogniser) -> None:
    before = torch.get_rng_state()
    models = [copy.deepcopy(loaded.model) for _ in range(3)]
    for model, seed in zip(models, [0, 0, 1], strict=True):
        add_lora(model, "both", LoraSettings(rank=4), seed=seed, base_name="small")
    first, same, other = (trained_tensors(model) for model in models)
    name = "model.audio_tower.layers.0.fc1.lora_{}.default.weight"
    assert not first[name.format("B")].any()
    assert torch.equal(first[name.format("A")], same[name.format("A")])
    assert not torch.equal(first[name.format("A")], other[name.format("A")])
    assert torch.equal(torch.get_rng_state(), before), "drawing adapters must not move the program's own dice"


def test_adapters_of_a_bfloat16_model_are_float32(loaded: Recogniser) -> None:
    model = copy.deepcopy(loaded.model).to(torch.bfloat16)
    add_lora(model, "both", LoraSettings(rank=4), seed=0, base_name="small")
    assert {parameter.dtype for parameter in trained_tensors(model).values()} == {torch.float32}


def test_module_list_counts_the_layers_of_the_configuration(loaded: Recogniser) -> None:
    assert len(lora_modules(loaded.model, "both")) == 2 * len(ENCODER) + 2 * len(DECODER)


def test_layers_that_are_not_those_asked_for_are_an_error(loaded: Recogniser) -> None:
    model = copy.deepcopy(loaded.model)
    model.config.text_config.num_hidden_layers = 3
    with pytest.raises(ModelError, match=r"should adapt 24 layers, but model\.language_model\.layers\.2\.\S+ differs"):
        add_lora(model, "both", LoraSettings(rank=4), seed=0, base_name="small")
