"""What the exact path does not do: logits at every position, gradients below what is trained, attention masks."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from ownvoice.config import LoraSettings
from ownvoice.model.adapters import Scope, add_lora, compute_twice, trained_tensors
from ownvoice.model.features import log_mel
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.loss import HEAD_CHUNK, Batch, LabelLoss, make_batch
from small_voxtral import murmur


@pytest.fixture(scope="module")
def loaded(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu", dtype=torch.float32)


@pytest.fixture
def recogniser(loaded: Recogniser) -> Recogniser:
    return copy.deepcopy(loaded)


def batch_of(recogniser: Recogniser, texts: list[str]) -> Batch:
    prompts = recogniser.prompts
    sounds = [
        log_mel(recogniser.processor.feature_extractor, murmur(0.5, seed=seed), recogniser.window)
        for seed in range(len(texts))
    ]
    heads = [prompts.prompt(1, "en")] * len(texts)
    targets = [prompts.target(text) for text in texts]
    return make_batch(heads, targets, sounds, encoded=False, pad_id=prompts.pad_id)


def test_logits_of_many_labels_come_in_chunks_with_the_same_loss_and_gradients(recogniser: Recogniser) -> None:
    add_lora(recogniser.model, "both", LoraSettings(rank=4, alpha=8, dropout=0), seed=0, base_name="small")
    batch = batch_of(recogniser, ["tea and water please " * 20, "call the doctor " * 30])
    assert batch.labels.numel() > HEAD_CHUNK
    loss_of = LabelLoss(recogniser.model)
    logits = recogniser.model.lm_head(loss_of.label_states(batch))
    expected = torch.nn.functional.cross_entropy(logits.float(), batch.labels, reduction="sum")
    expected.backward()
    gradients = {name: tensor.grad.clone() for name, tensor in trained_tensors(recogniser.model).items()}
    recogniser.model.zero_grad()
    rows: list[int] = []
    recogniser.model.lm_head.register_forward_hook(lambda head, given, made: rows.append(len(made)))
    found = loss_of(batch)
    found.backward()
    torch.testing.assert_close(found, expected)
    assert max(rows) <= HEAD_CHUNK
    for name, tensor in trained_tensors(recogniser.model).items():
        torch.testing.assert_close(tensor.grad, gradients[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("scope", "encoder", "decoder"), [("decoder", False, False), ("encoder", True, True)])
def test_gradients_end_at_the_lowest_trained_parameter(
    recogniser: Recogniser, scope: Scope, encoder: bool, decoder: bool
) -> None:
    """Whether the encoder's layers and the decoder's inputs take part in the way back; the convolutions never do."""
    add_lora(recogniser.model, scope, LoraSettings(rank=4, alpha=8, dropout=0), seed=0, base_name="small")
    seen: dict[str, bool] = {}

    def note(name: str):  # type: ignore[no-untyped-def]
        return lambda module, given, made: seen.update({name: made.requires_grad})

    model = recogniser.model.model
    model.audio_tower.conv2.register_forward_hook(note("convolutions"))
    model.audio_tower.layer_norm.register_forward_hook(note("encoder"))
    model.language_model.layers[0].register_forward_pre_hook(
        lambda module, given: seen.update(decoder=given[0].requires_grad)
    )
    LabelLoss(recogniser.model)(batch_of(recogniser, ["tea please", "music"]))
    assert seen == {"convolutions": False, "encoder": encoder, "decoder": decoder}


def test_attention_is_fused_and_needs_no_mask(recogniser: Recogniser) -> None:
    """Clips of several lengths in a batch: without a mask, torch may take its flash kernel."""
    configs = (recogniser.model.config, recogniser.model.config.audio_config, recogniser.model.config.text_config)
    assert {config._attn_implementation for config in configs} == {"sdpa"}
    masks: list[object] = []
    for layer in (*recogniser.model.model.audio_tower.layers, *recogniser.model.model.language_model.layers):
        layer.self_attn.register_forward_pre_hook(
            lambda module, given, named: masks.append(named["attention_mask"]), with_kwargs=True
        )
    LabelLoss(recogniser.model)(batch_of(recogniser, ["tea please", "I want to go out"]))
    assert masks == [None] * 4


def test_device_is_where_the_decoder_is(recogniser: Recogniser) -> None:
    """The encoder may rest elsewhere while the decoder alone is trained."""
    recogniser.model.model.audio_tower.to("meta")
    assert recogniser.device == torch.device("cpu")


class Questions(TorchDispatchMode):
    """Notes every operation whose result the host must know before it can go on: a card is then waited for."""

    ASKING = ("_local_scalar_dense", "nonzero", "masked_select", "masked_scatter_backward", "equal")

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __torch_dispatch__(self, operation, types, given=(), named=None):  # type: ignore[no-untyped-def]
        if operation.overloadpacket.__name__ in self.ASKING:
            self.asked.append(str(operation))
        return operation(*given, **(named or {}))


@pytest.mark.parametrize("twice", [False, True])
def test_a_pass_asks_the_device_nothing(recogniser: Recogniser, twice: bool) -> None:
    """There and back, with dropout, through both towers and a head in chunks."""
    add_lora(recogniser.model, "both", LoraSettings(rank=4, alpha=8, dropout=0.1), seed=0, base_name="small")
    recogniser.model.train()
    if twice:
        compute_twice(recogniser.model)
    batch = batch_of(recogniser, ["tea and water please " * 20, "call the doctor " * 30])
    with Questions() as questions:
        LabelLoss(recogniser.model)(batch).backward()
    assert questions.asked == []


def test_what_is_on_a_card_is_not_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyTorch refuses. Of a batch of the dev set the sound was encoded there and the words come from the host."""

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        assert tensor.device.type == "cpu"
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    with FakeTensorMode():  # its tensors say they are on a card, and need none
        words, sound = torch.zeros(4, dtype=torch.int64), torch.empty(1, 12, 64, device="cuda:0")
        batch = Batch(words.view(1, 4), words, words, (sound,), encoded=True).to(torch.device("cuda:0"))
    assert {tensor.device.type for tensor in (batch.ids, batch.positions, batch.labels, *batch.sound)} == {"cuda"}
