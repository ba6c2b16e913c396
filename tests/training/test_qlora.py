"""Adapters beside a base in 4 bits: they learn, resume, and load beside the plain base without bitsandbytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from killable import settings, train_clips

from ownvoice import events
from ownvoice.errors import ModelError
from ownvoice.model.features import encode
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.examples import Clip

QLORA = {"method": "qlora", "epochs": 4, "optimiser": {"learning_rate": 3e-3}, "dev": {"every": 2}}


def losses(run: RunFolder) -> list[float]:
    return [event.loss for event in events.read_events(run.events) if isinstance(event, events.Step)]


@pytest.mark.slow
def test_learns_and_goes_on_and_loads_without_bitsandbytes(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes")
    whole = RunFolder(run.path.with_name("whole"))
    whole.path.mkdir()
    train_clips(whole, settings(small_voxtral, **QLORA), clips)
    assert losses(whole)[-1] < losses(whole)[0] - 0.3

    def press(event: events.Event) -> None:
        if isinstance(event, events.Checkpoint):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_clips(run, settings(small_voxtral, **QLORA), clips, listeners=[press])
    train_clips(run, settings(small_voxtral, **QLORA), clips, resume=True)
    assert losses(run) == losses(whole)

    script = (
        "import sys; sys.modules['bitsandbytes'] = None; from ownvoice.model.load import load_recogniser; "
        f"assert load_recogniser({str(run.path)!r}, device='cpu').adapter is not None"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_linear_layers_are_in_4_bits_and_the_rest_is_kept(small_voxtral: Path) -> None:
    bitsandbytes = pytest.importorskip("bitsandbytes")
    model = load_recogniser(small_voxtral, device="cpu", quantised=True).model
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            assert isinstance(module, bitsandbytes.nn.Linear4bit) == (name != "lm_head"), name
        elif hasattr(module, "weight"):
            assert module.weight.dtype == torch.float32, name
    assert model.model.language_model.layers[0].mlp.up_proj.weight.quant_state.quant_type == "nf4"


def test_nothing_is_widened_on_a_card(small_voxtral: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There autocast has norms answer in float32, and a 4-bit layer answers in what it is asked in."""
    pytest.importorskip("bitsandbytes")
    plain = torch.nn.functional.layer_norm

    def on_a_card(values: torch.Tensor, *shape_and_weights: object) -> torch.Tensor:
        with torch.autocast("cpu", enabled=False):
            return plain(
                values.float(), *(of.float() if isinstance(of, torch.Tensor) else of for of in shape_and_weights)
            )

    monkeypatch.setattr(torch.nn.functional, "layer_norm", on_a_card)
    model = load_recogniser(small_voxtral, device="cpu", dtype=torch.bfloat16, quantised=True).model
    seen: list[torch.dtype] = []
    for layer in model.model.audio_tower.layers:
        layer.register_forward_hook(lambda layer, given, made: seen.append(made.dtype))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        encode(model, torch.zeros(1, 128, 96))
    assert seen == [torch.bfloat16] * 2


def test_without_bitsandbytes_says_how_to_install_it(small_voxtral: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r'pip install "ownvoice\[quantise\]"'):
        load_recogniser(small_voxtral, device="cpu", quantised=True)


def test_no_word_about_a_kernel_that_is_not_used() -> None:
    pytest.importorskip("bitsandbytes")
    script = "import ownvoice.model.load, bitsandbytes.backends.cpu.ops as ops; ops.logger.warning('heard')"
    done = subprocess.run([sys.executable, "-c", script], check=True, timeout=120, capture_output=True, text=True)
    assert "heard" in done.stderr and "gemm_4bit_forward" not in done.stderr
