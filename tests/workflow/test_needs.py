"""What a training needs here: by arithmetic, by earlier runs, and what to choose where it is too much."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from following import settings
from ownvoice import events
from ownvoice.config import VOXTRAL_MINI, TrainingSettings
from ownvoice.events import EventLog
from ownvoice.rundir import VoiceFolder
from ownvoice.training.preflight import MINI_3B, PROCESS_BYTES, Shape, estimate_memory, estimate_work
from ownvoice.workflow import needs
from ownvoice.workflow.train import go_on

GIGABYTE = 10**9
CARD = needs.Machine("cuda", "a card", True, 80 * GIGABYTE, 80 * GIGABYTE, 4e14)
LAPTOP = needs.Machine("cpu", "a laptop", False, 16 * GIGABYTE, 8 * GIGABYTE, 1e11)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Be on another machine: which one is found out by hardware that a test does not have."""
    return lambda machine: monkeypatch.setattr(needs, "machine", lambda: machine)


def test_voxtral_on_a_card(voice: VoiceFolder, on) -> None:  # type: ignore[no-untyped-def]
    on(CARD)
    found = needs.preflight(voice, TrainingSettings())
    assert found.problems == () and found.changes is None
    assert found.need.memory == estimate_memory(MINI_3B, "lora", clips=4, heard=2).total + PROCESS_BYTES
    assert found.need.parts and found.need.parts.weights == 2 * MINI_3B.parameters
    assert found.need.disk > found.need.download == 2 * MINI_3B.parameters
    assert found.need.seconds is not None and 10 < found.need.seconds < 600 and not found.need.measured
    assert needs.suited_base() == VOXTRAL_MINI


def test_smaller_batches_before_another_method_before_another_model(voice: VoiceFolder, on) -> None:  # type: ignore[no-untyped-def]
    def changes(memory: int, **chosen: object) -> object:
        on(replace(CARD, memory_free=memory * GIGABYTE))
        found = needs.preflight(voice, TrainingSettings.make(chosen))
        assert "memory" in found.problems
        assert found.changes is None or (found.instead and found.instead.memory <= memory * GIGABYTE)  # type: ignore[operator]
        return found.changes

    never = {"checkpointing": "never"}
    assert changes(24, batch_size=4, **never) == {"batch_size": 2, "accumulate": 2}
    assert changes(12, batch_size=2, **never) == {"checkpointing": "always"}
    assert changes(20, batch_size=2, method="full") == {"method": "lora"}
    assert changes(4, batch_size=4) == {"base_model": "tiny"}
    assert changes(0) is None


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_nothing_is_changed_that_need_not_be(voice: VoiceFolder, on) -> None:  # type: ignore[no-untyped-def]
    def changes(memory: float, **chosen: object) -> object:
        on(replace(CARD, memory_free=round(memory * GIGABYTE)))
        return needs.preflight(voice, TrainingSettings.make(chosen)).changes

    assert changes(7, batch_size=4) == {"method": "qlora"}
    assert changes(7, batch_size=16) == {"batch_size": 8, "accumulate": 2, "method": "qlora"}
    assert changes(5, batch_size=4) == {"batch_size": 1, "accumulate": 4, "method": "qlora"}
    assert changes(20, method="full", optimiser={"learning_rate": 1e-5}) == {"method": "lora"}


def test_layers_are_computed_twice_before_anything_else_is_given_up(voice: VoiceFolder, on) -> None:  # type: ignore[no-untyped-def]
    on(replace(CARD, memory_free=16 * GIGABYTE))
    found = needs.preflight(voice, TrainingSettings())
    assert found.problems == ()
    on(CARD)
    once = needs.preflight(voice, TrainingSettings())
    assert found.need.memory < once.need.memory and found.need.seconds > once.need.seconds  # type: ignore[operator]


def test_cache_is_predicted_and_bounded(voice: VoiceFolder, small_voxtral: Path) -> None:
    """The need is what a run with the same split then takes, give or take how the split rounds."""
    chosen = settings(small_voxtral, epochs=1)
    predicted = needs.preflight(voice, chosen).need.cache
    go_on_with(voice, chosen)
    kept = sum(path.stat().st_size for path in voice.cache.rglob("*") if path.is_file())
    assert kept == pytest.approx(predicted, rel=0.15)
    bounded = needs.preflight(voice, settings(small_voxtral, augment={"variants": 16}, cache_gb=1e-6)).need
    assert bounded.cache == 1000


def go_on_with(voice: VoiceFolder, chosen: TrainingSettings) -> None:
    run = voice.new_run()
    chosen.save(run.config)
    go_on(run, lambda event: None)


def test_laptop_gets_the_small_model(voice: VoiceFolder, on) -> None:  # type: ignore[no-untyped-def]
    on(LAPTOP)
    found = needs.preflight(voice, TrainingSettings())
    assert found.problems[0] == "memory" and found.changes == {"base_model": "tiny"}
    content = json.loads(json.dumps(found.to_json()))
    assert content["fits"] is False and content["instead"]["seconds"] < content["seconds"]
    assert needs.suited_base() == "tiny"


def test_time_by_an_earlier_run(voice: VoiceFolder, small_voxtral: Path) -> None:
    chosen = settings(small_voxtral, epochs=10, dev={"every": 2})
    assert not needs.preflight(voice, chosen).need.measured
    run = voice.new_run()
    chosen.save(run.config)
    log = EventLog(run.events)
    log.emit(events.Start(30, 0, "CPU", "float32", 12, 3, 100))
    log.emit(events.Step(1, 0.1, 2.0, 1e-3, 0.5, 0.1, clips_per_second=4.0))
    log.emit(events.Eval(3, 0.5, 0.5, 2.0, True, seconds=7.0))
    need = needs.preflight(voice, chosen).need
    assert need.measured and need.seconds == 12 * 10 / 4.0 + 5 * 7.0
    assert not needs.preflight(voice, settings(small_voxtral, method="full")).need.measured


def test_model_of_unknown_shape_is_not_guessed_at(voice: VoiceFolder) -> None:
    found = needs.preflight(voice, TrainingSettings(base_model="someone/voxtral"))
    assert (found.need.memory, found.need.seconds, found.problems) == (None, None, ())


def test_this_machine_is_asked_without_torch(voice: VoiceFolder) -> None:
    script = (
        "import sys; from pathlib import Path; from ownvoice.config import TrainingSettings; "
        "from ownvoice.rundir import VoiceFolder; from ownvoice.workflow.needs import machine, preflight; "
        "found = preflight(VoiceFolder(Path(sys.argv[1])), TrainingSettings(base_model='tiny')); here = machine(); "
        "assert found.need.seconds and here.flops > 1e8 and 0 < here.memory_free <= here.memory_total; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(voice.path)], check=True)


def test_shape_of_a_config_file(small_voxtral: Path) -> None:
    from ownvoice.model.load import load_recogniser

    shape = Shape.of_config("small", json.loads((small_voxtral / "config.json").read_text()))
    model = load_recogniser(small_voxtral, device="cpu").model
    assert shape.parameters == sum(weights.numel() for weights in model.parameters())


def test_work_of_mini_by_hand() -> None:
    """2.3 T operations were counted for the encoder's forward pass, 2.6 T for the decoder's; attention is left out."""
    assert estimate_work(MINI_3B, "lora") == pytest.approx(2 * (1.9e12 + 2.6e12), rel=0.05)
    assert estimate_work(MINI_3B, "full") == pytest.approx(1.5 * estimate_work(MINI_3B, "lora"))
