"""A folder with one good voice and one good run, for tests that put something bad beside or into it."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import save_split, split_utterances
from ownvoice.rundir import RunFolder, VoiceFolder
from small_voxtral import murmur
from voices import make_voice


@dataclass(frozen=True)
class Place:
    """The folder, and what is in it."""

    folder: Path
    voice: VoiceFolder
    run: RunFolder
    """Split, with a full model in it, as after full training."""
    model: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def clip(self, name: str, samples: np.ndarray | None = None, rate: int = 16000, subtype: str = "PCM_16") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, murmur(0.9) if samples is None else samples, rate, subtype=subtype)
        return path

    def clip_with_words(self, name: str, **sound: object) -> Path:
        """A folder to import, holding one sound file and its text."""
        path = self.clip(name, **sound)  # type: ignore[arg-type]
        path.with_suffix(".txt").write_text("good morning")
        return path.parent

    def into_voice(self, source: object) -> list[str]:
        return ["import", str(source), str(self.voice.path)]

    def edit_manifest(self, line: str) -> None:
        with self.voice.manifest.open("a") as file:
            file.write(line + "\n")

    def train(self, *options: str) -> list[str]:
        return ["train", str(self.voice.path), "--base-model", str(self.model), *options]

    def assert_refused(self, arguments: list[str], says: str) -> None:
        """Run the command: it ends with 1 or 2 and one clear message, and no file here is changed, made or gone."""
        before = digests(self.folder)
        done = run(arguments)
        assert done.exit_code in (1, 2), done.output
        assert re.search(says, done.output), done.output
        assert "Traceback" not in done.output
        assert len(done.output) < 1500
        assert digests(self.folder) == before


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``; locks hold nothing of anyone's."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def run(arguments: list[str]) -> Result:
    """Run ``ownvoice`` in this process; anything but an exit code is a bug."""
    done = CliRunner().invoke(cli, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture(scope="session")
def good_place(tmp_path_factory: pytest.TempPathFactory, small_voxtral: Path) -> Path:
    folder = tmp_path_factory.mktemp("good")
    shutil.copytree(small_voxtral, folder / "model")
    voice = make_voice(folder / "voice")
    run_folder = RunFolder(voice.runs / "first")
    TrainingSettings(base_model=str(small_voxtral), method="full").save(run_folder.config)
    save_split(run_folder, split_utterances(read_manifest(voice).utterances, seed=0))
    shutil.copytree(small_voxtral, run_folder.model)
    return folder


@pytest.fixture
def place(good_place: Path, tmp_path: Path) -> Place:
    folder = tmp_path / "place"
    shutil.copytree(good_place, folder)
    voice = VoiceFolder(folder / "voice")
    return Place(folder, voice, RunFolder(voice.runs / "first"), folder / "model")
