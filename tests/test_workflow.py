"""The stages one after the other, on a random Voxtral in miniature: files in, files out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ownvoice import workflow
from ownvoice.config import TrainingSettings
from ownvoice.data.check import check_voice
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import save_split, split_utterances
from ownvoice.errors import AudioError, ModelError, TrainingError, UsageError
from ownvoice.rundir import RunFolder, VoiceFolder
from voices import make_voice


def nothing(stage: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return make_voice(tmp_path / "voice")


@pytest.fixture
def full_run(voice: VoiceFolder, small_voxtral: Path) -> RunFolder:
    """What full training leaves behind, without having trained: base and tuned are the same model."""
    run = voice.new_run()
    TrainingSettings(base_model=str(small_voxtral), method="full").save(run.config)
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    shutil.copytree(small_voxtral, run.model)
    return run


def test_the_voice_of_these_tests_has_no_problems(voice: VoiceFolder) -> None:
    assert check_voice(voice) == []


def test_evaluation_judges_both_models_on_the_test_phrases_alone(full_run: RunFolder) -> None:
    stages: list[tuple[str, int, int]] = []
    evaluation = workflow.evaluate_run(full_run, progress=lambda *stage: stages.append(stage))

    test_ids = json.loads(full_run.split.read_text())["test"]
    assert [phrase.id for phrase in evaluation.phrases] == test_ids
    assert evaluation.base.transcripts == evaluation.tuned.transcripts
    assert len(evaluation.base.hallucinations.on_silence) == 3
    clips = len(test_ids) + 3
    assert stages[-1] == ("Tuned model listens", clips, clips)
    assert json.loads(full_run.evaluation_json.read_text())["n"] == len(test_ids)
    assert full_run.evaluation_html.read_text().startswith("<!DOCTYPE html>")


def test_evaluation_on_another_voice_takes_all_of_it_and_leaves_the_run_alone(
    full_run: RunFolder, tmp_path: Path
) -> None:
    before = sorted(full_run.path.rglob("*"))
    other = make_voice(tmp_path / "other", 5)
    evaluation = workflow.evaluate_run(full_run, on=other, names=["Garden"], progress=nothing)
    assert evaluation.n == 5
    assert [(name.name, name.said) for name in evaluation.names] == [("Garden", 1)]
    assert sorted(full_run.path.rglob("*")) == before


def test_evaluation_of_no_run_and_of_an_untrained_run_is_refused(voice: VoiceFolder, small_voxtral: Path) -> None:
    with pytest.raises(TrainingError, match=r"no config\.yaml"):
        workflow.evaluate_run(RunFolder(voice.path), progress=nothing)
    run = voice.new_run()
    TrainingSettings(base_model=str(small_voxtral)).save(run.config)
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    with pytest.raises(ModelError, match="no trained model yet"):
        workflow.evaluate_run(run, progress=nothing)


def test_transcribing_gives_text_and_length(small_voxtral: Path, voice: VoiceFolder) -> None:
    transcribe = workflow.open_transcriber(str(small_voxtral), "en")
    transcript = transcribe(voice.wavs / "0001.wav")
    assert transcript.seconds == pytest.approx(0.9)
    assert transcript == transcribe(voice.wavs / "0001.wav")
    with pytest.raises(AudioError, match="not an audio file"):
        transcribe(voice.manifest)


def test_transcribing_needs_a_language_code_or_none(small_voxtral: Path) -> None:
    with pytest.raises(UsageError, match="two-letter"):
        workflow.open_transcriber(str(small_voxtral), "auto")
