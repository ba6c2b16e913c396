"""Loss and every gradient equal the plain path's: processor, whole encoder, logits everywhere, the model's own loss."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from ownvoice.config import LoraSettings
from ownvoice.model.adapters import add_lora, compute_twice, train_whole, trained_tensors
from ownvoice.model.features import Window, encode, log_mel
from ownvoice.model.load import Recogniser, load_processor, load_recogniser
from ownvoice.model.loss import Batch, LabelLoss, make_batch
from ownvoice.model.prompt import Prompts
from small_voxtral import SECOND, murmur, write_processor

SCOPES = ["decoder", "encoder", "both"]
CLIPS = [murmur(0.5, seed=1), murmur(2.2, seed=2), murmur(0.9, seed=3)]
TEXTS = ["Tea", "Could you please close the window", "I want to go home now"]


@pytest.fixture(scope="module")
def loaded(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu", dtype=torch.float32)


def prepare(recogniser: Recogniser, method: str, scope: str) -> Recogniser:
    """A copy with what is trained chosen."""
    recogniser = copy.deepcopy(recogniser)
    if method == "full":
        train_whole(recogniser.model, scope)
        return recogniser
    add_lora(recogniser.model, scope, LoraSettings(rank=4, alpha=8, dropout=0), seed=0, base_name="small")
    move_from_zero(recogniser.model)
    return recogniser


def move_from_zero(model: torch.nn.Module) -> None:
    """Give fresh adapters values: at their start B is zero, and with it every gradient of A."""
    torch.manual_seed(1)
    for name, parameter in trained_tensors(model).items():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)


def plain_loss(recogniser: Recogniser, clips: list[np.ndarray], texts: list[str]) -> torch.Tensor:
    """transformers' own way, as the common fine-tuning scripts go it: left padding and labels of the whole length."""
    window = recogniser.window
    tokenizer = recogniser.processor.tokenizer
    rows, features = [], []
    for clip, text in zip(clips, texts, strict=True):
        inputs = recogniser.processor.apply_transcription_request(
            clip, "small", language="en", sampling_rate=SECOND, format="WAV",
            audio_kwargs={"pad_to_multiple_of": window.samples, "max_source_positions": window.mel_frames},
        )  # fmt: skip
        rows.append((inputs["input_ids"][0].tolist(), [*tokenizer.encode(text, add_special_tokens=False), 2]))
        features.append(inputs["input_features"])
    length = max(len(prompt) + len(target) for prompt, target in rows)
    ids = torch.full((len(rows), length), 11)
    labels = torch.full((len(rows), length), -100)
    for row, (prompt, target) in enumerate(rows):
        ids[row, length - len(prompt) - len(target) :] = torch.tensor(prompt + target)
        labels[row, length - len(target) :] = torch.tensor(target)
    mask = (ids != 11).long()
    output = recogniser.model(input_ids=ids, attention_mask=mask, input_features=torch.cat(features), labels=labels)
    return output.loss


def our_batch(recogniser: Recogniser, clips: list[np.ndarray], texts: list[str], *, encoded: bool) -> Batch:
    prompts = recogniser.prompts
    sounds = [log_mel(recogniser.processor.feature_extractor, clip, recogniser.window) for clip in clips]
    heads = [prompts.prompt(sound.shape[0], "en") for sound in sounds]
    if encoded:
        with torch.no_grad():
            sounds = [encode(recogniser.model, sound) for sound in sounds]
    targets = [prompts.target(text) for text in texts]
    return make_batch(heads, targets, sounds, encoded=encoded, pad_id=prompts.pad_id)


def gradients(model: torch.nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {name: parameter.grad.clone() for name, parameter in trained_tensors(model).items()}


def assert_same(recogniser: Recogniser, clips: list[np.ndarray], texts: list[str], *, encoded: bool) -> None:
    """Loss to 1e-4, and each gradient to 1e-4 of its own length."""
    plain = plain_loss(recogniser, clips, texts)
    expected = gradients(recogniser.model, plain)
    batch = our_batch(recogniser, clips, texts, encoded=encoded)
    ours = LabelLoss(recogniser.model)(batch) / batch.labels.numel()
    found = gradients(recogniser.model, ours)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-4)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert gradient.norm() > 0, f"{name} has no gradient, so its equality would mean nothing"
        assert (found[name] - gradient).norm() <= 1e-4 * gradient.norm(), name


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_loss_and_gradients_equal_the_plain_path(loaded: Recogniser, method: str, scope: str) -> None:
    """Three clips, one of them over three windows, with texts of different lengths, in one batch."""
    assert_same(prepare(loaded, method, scope), CLIPS, TEXTS, encoded=False)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_embeddings_computed_before_give_the_same_in_scope_decoder(loaded: Recogniser, method: str) -> None:
    assert_same(prepare(loaded, method, "decoder"), CLIPS, TEXTS, encoded=True)


def test_step_of_several_batches_is_normalised_over_all_its_tokens(loaded: Recogniser) -> None:
    recogniser = prepare(loaded, "lora", "both")
    expected = gradients(recogniser.model, plain_loss(recogniser, CLIPS, TEXTS))
    batches = [our_batch(recogniser, [clip], [text], encoded=False) for clip, text in zip(CLIPS, TEXTS, strict=True)]
    labels = sum(batch.labels.numel() for batch in batches)
    found = gradients(recogniser.model, sum(LabelLoss(recogniser.model)(batch) / labels for batch in batches))
    for name, gradient in expected.items():
        assert (found[name] - gradient).norm() <= 1e-4 * gradient.norm(), name


def test_targets_are_told_apart(loaded: Recogniser) -> None:
    """A guard of the tests above: another transcript, or another voice, has another loss."""
    assert plain_loss(loaded, CLIPS, TEXTS) != plain_loss(loaded, CLIPS, TEXTS[::-1])
    assert plain_loss(loaded, CLIPS, TEXTS) != plain_loss(loaded, CLIPS[::-1], TEXTS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_equality_at_the_true_shapes_of_mini_3b(tmp_path: Path) -> None:
    """VoxtralConfig's own sizes with two layers a tower, the published vocabulary's layout, a 30 s window."""
    from transformers import VoxtralConfig, VoxtralForConditionalGeneration

    config = VoxtralConfig(
        audio_token_id=24, audio_config={"num_hidden_layers": 2}, text_config={"num_hidden_layers": 2}
    )
    config.save_pretrained(tmp_path)
    write_processor(tmp_path, ranks=130072, specials=1000, seconds=30)
    processor = load_processor(tmp_path)
    window = Window.of(config, processor.feature_extractor)
    torch.manual_seed(0)
    model = VoxtralForConditionalGeneration(config)  # built once: drawing 4 GB of weights takes most of the time
    recogniser = Recogniser(model, processor, window, Prompts(processor, window), name="mini", base_name="mini")
    train_whole(model, "encoder")
    assert_same(recogniser, CLIPS[:2], TEXTS[:2], encoded=False)
    for scope in ("both", "decoder"):
        adapter = add_lora(model, scope, LoraSettings(rank=4, alpha=8, dropout=0), seed=0, base_name="mini")
        move_from_zero(model)
        assert_same(recogniser, CLIPS[:2], TEXTS[:2], encoded=scope == "decoder")
        adapter.unload()


@pytest.mark.parametrize(("method", "scope"), [("lora", "both"), ("full", "both"), ("lora", "encoder")])
def test_computing_twice_gives_the_same_gradients(loaded: Recogniser, method: str, scope: str) -> None:
    """Dropout included: its masks are drawn again as they were."""
    recogniser = copy.deepcopy(loaded)
    if method == "full":
        train_whole(recogniser.model, scope)
    else:
        lora = LoraSettings(rank=4, alpha=8, dropout=0.2)
        add_lora(recogniser.model, scope, lora, seed=0, base_name="small")
        move_from_zero(recogniser.model)
    batch = our_batch(recogniser, CLIPS, TEXTS, encoded=False)
    recogniser.model.train()

    def step() -> tuple[float, dict[str, torch.Tensor], int]:
        kept: dict[int, int] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        torch.manual_seed(3)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss = LabelLoss(recogniser.model)(batch)
        return loss.item(), gradients(recogniser.model, loss), sum(kept.values())

    once = step()
    compute_twice(recogniser.model)
    twice = step()
    assert twice[0] == once[0]
    assert all(torch.equal(gradient, twice[1][name]) for name, gradient in once[1].items())
    assert twice[2] < 0.5 * once[2], "bytes kept for the way back"


def test_twenty_steps_have_the_losses_of_the_plain_path(loaded: Recogniser) -> None:
    """The same adapters, the same clips in the same order, AdamW: what is learned on the way is the same too."""
    curves = []
    for exact in (False, True):
        recogniser = prepare(loaded, "lora", "both")
        optimiser = torch.optim.AdamW(trained_tensors(recogniser.model).values(), lr=1e-3)
        losses = []
        for step in range(20):
            clip, text = CLIPS[step % len(CLIPS)], TEXTS[step % len(TEXTS)]
            if exact:
                batch = our_batch(recogniser, [clip], [text], encoded=False)
                loss = LabelLoss(recogniser.model)(batch) / batch.labels.numel()
            else:
                loss = plain_loss(recogniser, [clip], [text])
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
        curves.append(losses)
    assert curves[1] == pytest.approx(curves[0], abs=1e-4)
    assert curves[0][-3:] != pytest.approx(curves[0][:3], abs=0.1), "nothing was learned, so sameness means nothing"
