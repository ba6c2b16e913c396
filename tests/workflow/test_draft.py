"""A draft is asked of the voice's own model, one at a time, and what goes wrong is said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ownvoice.config import TrainingSettings
from ownvoice.data.upload_words import match_words
from ownvoice.data.uploads import announce_files, start_upload, store_piece
from ownvoice.errors import ModelError
from ownvoice.rundir import UploadFolder, VoiceFolder
from ownvoice.workflow.draft import Drafts, DraftState, current_model
from sources import record


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    voice = VoiceFolder(tmp_path / "anna")
    voice.path.mkdir()
    return voice


@pytest.fixture
def upload(tmp_path: Path, voice: VoiceFolder) -> UploadFolder:
    """A batch with one recording that has no words."""
    data = record(tmp_path / "a.wav", 1).read_bytes()
    upload = start_upload(voice)
    announce_files(upload, [("a.wav", len(data))])
    store_piece(upload, 1, 0, data)
    return upload


def give_model(voice: VoiceFolder) -> None:
    """A run whose model's files are damaged."""
    run = voice.new_run()
    TrainingSettings(base_model="tiny").save(run.config)
    run.model.mkdir()
    (run.model / "config.json").write_text("{}")


def wait(drafts: Drafts, upload: UploadFolder) -> DraftState:
    ends = time.monotonic() + 60
    while (state := drafts.collect(upload)).state == "running":
        assert time.monotonic() < ends
        time.sleep(0.05)
    return state


def test_without_a_trained_model_it_is_refused(voice: VoiceFolder, upload: UploadFolder) -> None:
    TrainingSettings(base_model="tiny").save(voice.new_run().config)
    assert current_model(voice) is None
    with pytest.raises(ModelError, match="no model yet"):
        Drafts().start(upload, voice)


def test_what_the_model_complains_of_is_passed_on(voice: VoiceFolder, upload: UploadFolder) -> None:
    give_model(voice)
    drafts = Drafts()
    drafts.start(upload, voice)
    with pytest.raises(ModelError, match="another draft"):
        drafts.start(upload, voice)
    state = wait(drafts, upload)
    assert state.state == "failed"
    assert state.reason is not None
    assert "config.json" in state.reason
    assert [row.state for row in match_words(upload).rows] == ["no-words"]


def test_a_draft_that_is_stopped_leaves_nothing(voice: VoiceFolder, upload: UploadFolder) -> None:
    give_model(voice)
    drafts = Drafts()
    drafts.start(upload, voice)
    drafts.stop(upload)
    assert drafts.collect(upload) == DraftState("none")
    assert not upload.draft.exists()


def test_what_a_model_heard_while_the_server_was_gone_is_taken_over(voice: VoiceFolder, upload: UploadFolder) -> None:
    upload.draft.write_text('[{"audio": "0001.wav", "text": "good morning", "seconds": 0.3, "segments": []}]')
    assert Drafts().collect(upload) == DraftState("none")
    assert [(row.text, row.state) for row in match_words(upload).rows] == [("good morning", "draft")]
    assert not upload.draft.exists()
