"""What a person reads before a training that cannot work here, and before one that can."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.errors import DiskFullError, MemoryShortageError
from ownvoice.rundir import VoiceFolder
from ownvoice.workflow import needs
from ownvoice.workflow.prepare import prepare
from ownvoice.workflow.refusal import outlook, require_room

GIGABYTE = 10**9


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Be on a machine that a test does not have, with so much free memory."""

    def be(device: str, free: float) -> None:
        machine = needs.Machine(device, "A card", True, 80 * GIGABYTE, round(free * GIGABYTE), 4e14)
        monkeypatch.setattr(needs, "machine", lambda: machine)

    return be


def test_too_little_memory_names_the_nearest_settings(voice: VoiceFolder, here) -> None:  # type: ignore[no-untyped-def]
    here("cuda", 24)
    chosen = TrainingSettings(batch_size=16, checkpointing="never")
    with pytest.raises(MemoryShortageError) as refused:
        require_room(voice, chosen)
    message = str(refused.value)
    assert "needs about" in message and "weights 9.4 GB" in message and "A card has 24.0 GB free" in message
    assert "It would fit with --batch-size 2 --accumulate 8" in message
    require_room(voice, TrainingSettings(batch_size=2, accumulate=8, checkpointing="never"))


def test_nothing_fits(voice: VoiceFolder, here) -> None:  # type: ignore[no-untyped-def]
    here("cuda", 0.2)
    with pytest.raises(MemoryShortageError, match="Close other programs"):
        require_room(voice, TrainingSettings(base_model="tiny"))


def test_processes_that_share_the_weights_are_not_judged_as_one_card(
    voice: VoiceFolder,
    here,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here("cuda", 0.2)
    settings = TrainingSettings(base_model="tiny")
    with pytest.raises(MemoryShortageError):
        prepare(voice, settings)
    monkeypatch.setenv("WORLD_SIZE", "2")  # as accelerate launch says it for a recipe of FSDP2
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    assert prepare(voice, settings).split.train


def test_too_small_a_disk(voice: VoiceFolder, here, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    here("cuda", 80)
    usage = type("Usage", (), {"free": 3 * GIGABYTE})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match=r"9\.4 GB of it for the model"):
        require_room(voice, TrainingSettings())


def test_command_refuses_before_anything_is_downloaded(voice: VoiceFolder, here) -> None:  # type: ignore[no-untyped-def]
    here("cpu", 3)
    done = CliRunner().invoke(cli, ["train", str(voice.path)])  # Voxtral, which is not on this computer
    assert done.exit_code == 1
    assert "of memory (weights" in done.stderr and "--base-model tiny" in done.stderr
    assert not voice.runs.exists()


def test_outlook_before_a_training_that_can_work(voice: VoiceFolder, here) -> None:  # type: ignore[no-untyped-def]
    here("cuda", 80)
    said = outlook(require_room(voice, TrainingSettings()))
    assert said is not None and said.startswith("This needs about 28.5 GB") and "after the first steps" in said
    assert "twice" not in said
    here("cuda", 12)
    said = outlook(require_room(voice, TrainingSettings()))
    assert said is not None and said.startswith("This needs about 11.5 GB") and "Each layer is computed twice" in said
    assert outlook(needs.preflight(voice, TrainingSettings(base_model="someone/voxtral"))) is None


def test_a_training_loads_nothing_of_publishing() -> None:
    script = "import sys, ownvoice.workflow.refusal; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert "ownvoice.workflow.needs" in done.stdout and "publish" not in done.stdout
