"""What was computed of a recording goes when the recording is gone, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ownvoice.config import TrainingSettings
from ownvoice.data.computed import folder_of, forget_deleted
from ownvoice.data.manifest import read_manifest, revise_utterance
from ownvoice.data.shelf import purge_voice, trash_voice
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.access import access_for
from ownvoice.ui.app import build_app
from ownvoice.workflow.train import go_on
from voices import make_voice

FIRST = "wavs/0001.wav"


def train(voice: VoiceFolder, model: Path) -> None:
    run = voice.new_run()
    TrainingSettings.make({"base_model": str(model), "epochs": 1, "lora": {"rank": 1}}).save(run.config)
    go_on(run, lambda event: None)


def kept(voice: VoiceFolder) -> set[Path]:
    return {path for path in voice.cache.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_training_forgets_a_recording_whose_file_was_deleted(small_voxtral: Path, tmp_path: Path) -> None:
    voice = make_voice(tmp_path / "voices" / "anna", 16)
    train(voice, small_voxtral)
    computed = sorted(folder.name for folder in voice.cache.iterdir())
    gone = next(one for one in read_manifest(voice).utterances if folder_of(one.audio_path) in computed)
    of_it = set((voice.cache / folder_of(gone.audio_path)).iterdir())
    others = kept(voice) - of_it
    assert of_it and others
    (voice.path / gone.audio_path).unlink()
    train(voice, small_voxtral)
    assert not of_it & kept(voice) and others <= kept(voice)


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    """Three recordings of each of which something was computed."""
    made = make_voice(tmp_path / "voices" / "anna", 3)
    for utterance in read_manifest(made).utterances:
        folder = made.cache / folder_of(utterance.audio_path)
        folder.mkdir(parents=True)
        (folder / "some.features").write_bytes(b"sound of a kind")
    return made


def test_looking_at_the_recordings_forgets_it_too(voice: VoiceFolder) -> None:
    (voice.path / FIRST).unlink()
    client = TestClient(build_app(voice.path.parent, access_for("127.0.0.1", space=None)), base_url="http://127.0.0.1")
    assert client.get("/voices/anna/dataset").status_code == 200
    assert not (voice.cache / folder_of(FIRST)).exists()
    assert len(kept(voice)) == 2


def test_what_is_only_set_aside_or_trimmed_is_kept(voice: VoiceFolder) -> None:
    revise_utterance(voice, FIRST, excluded=True)
    revise_utterance(voice, "wavs/0002.wav", trim=(0.1, 0.4))
    assert forget_deleted(voice) == 0
    assert len(kept(voice)) == 3


def test_a_line_that_was_taken_out_and_what_nobody_knows_any_more_are_forgotten(voice: VoiceFolder) -> None:
    lines = voice.manifest.read_text().splitlines(keepends=True)
    voice.manifest.write_text("".join(line for line in lines if FIRST not in line))
    (voice.cache / "ab").mkdir()
    (voice.cache / "ab" / "older.features").write_bytes(b"of an earlier version")
    (voice.cache / ".DS_Store").touch()
    assert forget_deleted(voice) == 2
    (voice.cache / ".DS_Store").unlink()  # a file manager's, and in nobody's way
    assert len(kept(voice)) == 2


def test_a_voice_deleted_for_good_leaves_nothing(voice: VoiceFolder) -> None:
    trashed = trash_voice(voice.path.parent, "anna")
    purge_voice(voice.path.parent, trashed.key)
    assert not [path for path in voice.path.parent.rglob("*") if path.is_file()]
