"""The process that hears for the app: opened on demand, lets go when nobody uses it, ends with whoever started it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from following import SECONDS, settings
from ownvoice.config import LoraSettings
from ownvoice.data.audio import write_wav
from ownvoice.errors import AudioError, ModelError
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.listening import Listener
from small_voxtral import murmur

pytestmark = pytest.mark.slow


@pytest.fixture
def run(voice: VoiceFolder, small_voxtral: Path) -> RunFolder:
    from ownvoice.model.adapters import add_lora
    from ownvoice.model.load import load_recogniser
    from ownvoice.training.keep import keep_best

    run = voice.new_run()
    settings(small_voxtral).save(run.config)
    recogniser = load_recogniser(str(small_voxtral))
    name = str(small_voxtral)
    recogniser.adapter = add_lora(recogniser.model, "both", LoraSettings(rank=2), seed=0, base_name=name)
    keep_best(run, recogniser)
    return run


def wait_for(listener: Listener, run: RunFolder, state: str) -> None:
    ends = time.monotonic() + SECONDS
    while listener.readiness(run).state != state:
        assert time.monotonic() < ends, listener.readiness(run)
        time.sleep(0.1)


def listening_with(run: RunFolder) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if f"tuned={run.path}" in (one.info["cmdline"] or ())]


def test_hears_until_nobody_has_used_it_for_a_while(run: RunFolder, tmp_path: Path) -> None:
    listener = Listener(idle_seconds=3)
    with pytest.raises(ModelError, match="not open"):
        listener.hear(run, "tuned", b"")
    listener.open(run)
    wait_for(listener, run, "ready")
    wav = tmp_path / "a.wav"
    write_wav(wav, murmur(0.9, seed=0))
    assert isinstance(listener.hear(run, "base", wav.read_bytes()), str)
    with pytest.raises(AudioError):
        listener.hear(run, "tuned", b"no sound")
    [process] = listening_with(run)
    assert not any("authorization" in word.lower() or "key" in word.lower() for word in process.cmdline())
    wait_for(listener, run, "closed")
    assert listening_with(run) == []


def test_ends_with_the_process_that_opened_it(run: RunFolder) -> None:
    program = (
        "import sys, time; from pathlib import Path; from ownvoice.rundir import RunFolder; "
        "from ownvoice.workflow.listening import Listener\n"
        "listener, run = Listener(), RunFolder(Path(sys.argv[1])); listener.open(run)\n"
        "while listener.readiness(run).state == 'opening': time.sleep(0.1)\n"
        "print(listener.readiness(run).state, flush=True); time.sleep(600)"
    )
    server = subprocess.Popen([sys.executable, "-c", program, str(run.path)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline().strip() == "ready"
    server.kill()
    server.wait()
    ends = time.monotonic() + 30
    while listening_with(run):
        assert time.monotonic() < ends
        time.sleep(0.1)
