"""The stages one after the other, on a random Voxtral in miniature: files in, files out."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path

import pytest
from transformers import VoxtralForConditionalGeneration

from ownvoice import events, workflow
from ownvoice.config import TrainingSettings
from ownvoice.data.check import check_voice
from ownvoice.data.manifest import read_manifest, revise_utterance
from ownvoice.data.recording import Recording
from ownvoice.data.split import save_split, split_utterances
from ownvoice.errors import AudioError, ManifestError, ModelError, TooLittleDataError, TrainingError, UsageError
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


def test_evaluation_on_another_voice_takes_what_was_not_learned_and_leaves_the_run_alone(
    full_run: RunFolder, tmp_path: Path
) -> None:
    before = sorted(full_run.path.rglob("*"))
    other = make_voice(tmp_path / "other", 15)  # twelve phrases of the run's own voice, and three more
    texts = {utterance.audio_path: utterance.text for utterance in read_manifest(other).utterances}
    unlearned = {*json.loads(full_run.split.read_text())["test"], *list(texts)[12:]}
    evaluation = workflow.evaluate_run(full_run, on=other, names=["Garden"], progress=nothing)
    assert {phrase.text for phrase in evaluation.phrases} == {texts[name] for name in unlearned}
    assert evaluation.warnings[0] == f"{15 - len(unlearned)} recordings left out: the model learned from their words."
    assert [name.name for name in evaluation.names] == ["Garden"]
    assert sorted(full_run.path.rglob("*")) == before


def test_evaluation_on_what_was_learned_is_refused(full_run: RunFolder, tmp_path: Path) -> None:
    other = make_voice(tmp_path / "other", 15)
    learned = json.loads(full_run.split.read_text())["train"][0]
    other.manifest.write_text(
        "".join(line for line in other.manifest.read_text().splitlines(True) if learned in line), "utf-8"
    )
    with pytest.raises(TooLittleDataError, match="learned from every phrase"):
        workflow.evaluate_run(full_run, on=other, progress=nothing)


def test_a_run_without_its_voice_is_judged_and_that_is_said(full_run: RunFolder, tmp_path: Path) -> None:
    other = make_voice(tmp_path / "other", 3)
    alone = RunFolder(tmp_path / "alone" / "runs" / "first")
    shutil.copytree(full_run.path, alone.path)
    evaluation = workflow.evaluate_run(alone, on=other, progress=nothing)
    assert evaluation.n == 3 and "is not known here" in evaluation.warnings[0]


def test_evaluation_of_full_training_never_holds_two_models(full_run: RunFolder) -> None:
    """Each fills a machine's memory by itself."""

    def loaded() -> int:
        gc.collect()
        return sum(type(it) is VoxtralForConditionalGeneration for it in gc.get_objects())

    before = loaded()
    held: list[int] = []
    workflow.evaluate_run(full_run, progress=lambda *stage: held.append(loaded() - before))
    assert set(held) == {1}


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


def quick(model: Path, **changes: object) -> dict[str, object]:
    """Settings of a run of two steps."""
    return {"base_model": str(model), "epochs": 2, "batch_size": 12, "dev": {"every": 1.0}, **changes}


def test_options_count_more_than_the_recipe_and_the_recipe_more_than_the_voice(tmp_path: Path) -> None:
    spanish = make_voice(tmp_path / "spanish", 2, language="es")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("epochs: 7\nlora: {rank: 4, alpha: 4}\n")
    settings = workflow.training_settings(spanish, recipe, {"lora": {"rank": "8"}})
    assert (settings.language, settings.epochs, settings.lora.rank, settings.lora.alpha) == ("es", 7, 8, 4)
    recipe.write_text("language: fr\n")
    assert workflow.training_settings(spanish, recipe, {}).language == "fr"
    assert workflow.training_settings(spanish, recipe, {"language": None}).language is None


def test_what_the_check_finds_wrong_is_left_out_by_name(voice: VoiceFolder, small_voxtral: Path) -> None:
    (voice.wavs / "0003.wav").write_bytes(b"")
    voice.manifest.write_text(voice.manifest.read_text().replace("tomorrow water 5", "!?"))
    prepared = workflow.prepare(voice, TrainingSettings.make(quick(small_voxtral)))
    split = prepared.split
    assert {*split.train, *split.dev, *split.test} == {
        f"wavs/{number:04}.wav" for number in range(1, 13) if number not in (3, 5)
    }
    assert "wavs/0003.wav is left out: is empty (0 bytes)" in prepared.notes[0]
    assert "wavs/0005.wav is left out: its text has no words" in prepared.notes[1]
    assert not voice.runs.exists()


def test_train_then_evaluate_then_resume_of_a_finished_run(voice: VoiceFolder, small_voxtral: Path) -> None:
    seen: list[events.Event] = []
    settings = workflow.training_settings(voice, None, quick(small_voxtral))
    trained = workflow.train_voice(workflow.prepare(voice, settings), seen.append)
    run = trained.run
    assert run.path.parent == voice.runs
    assert TrainingSettings.load(run.config) == settings
    assert (run.adapter / "adapter_model.safetensors").is_file()
    assert events.read_events(run.events) == seen
    assert isinstance(seen[0], events.Warning)  # three test phrases mean little, and that is said
    assert isinstance(seen[-1], events.Done)
    assert trained.summary() == {
        "run": str(run.path),
        "steps": 2,
        "loss": trained.result.loss,
        "dev_wer": trained.result.dev_wer,
    }

    evaluation = workflow.evaluate_run(run, progress=nothing)
    assert evaluation.n == len(json.loads(run.split.read_text())["test"])

    assert workflow.resume_run(run.path, {"epochs": "2"}, seen.append).result == trained.result
    with pytest.raises(TrainingError, match="no unfinished run"):
        workflow.resume_run(voice.path, {}, seen.append)


def test_a_stopped_run_goes_on_where_it_was(voice: VoiceFolder, small_voxtral: Path) -> None:
    def stop_at_the_second_look(event: events.Event) -> None:
        if isinstance(event, events.Step) and event.step == 3:
            raise KeyboardInterrupt

    settings = workflow.training_settings(
        voice, None, quick(small_voxtral, epochs=4, dev={"every": 1.0, "patience": 9})
    )
    prepared = workflow.prepare(voice, settings)
    with pytest.raises(KeyboardInterrupt):
        workflow.train_voice(prepared, stop_at_the_second_look)
    stopped = voice.latest_run()
    assert stopped is not None

    seen: list[events.Event] = []
    resumed = workflow.resume_run(voice.path, {}, seen.append)
    assert resumed.run == stopped
    starts = [event for event in seen if isinstance(event, events.Start)]
    assert [(start.step, start.steps) for start in starts] == [(2, 4)]
    steps = [event.step for event in events.read_events(stopped.events) if isinstance(event, events.Step)]
    assert steps == [1, 2, 3, 4]


def test_a_table_is_imported_into_a_voice_beside_it(voice: VoiceFolder, tmp_path: Path) -> None:
    table = tmp_path / "mine.jsonl"
    rows = [{"audio": f"voice/wavs/{number:04}.wav", "text": f"phrase {number}"} for number in (1, 2)]
    rows.append({"audio": "voice/wavs/none.wav", "text": "nothing"})
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made, failed = workflow.import_table(table, nothing)
    assert made.path == tmp_path / "mine-voice"
    assert [utterance.text for utterance in read_manifest(made).utterances] == ["phrase 1", "phrase 2"]
    assert "none.wav" in str(failed[0])

    workflow.import_table(table, nothing)
    assert len(read_manifest(made).utterances) == 2
    assert workflow.import_table(voice.manifest, nothing) == (voice, [])


def test_excluded_recordings_neither_train_nor_judge_and_trims_hold(voice: VoiceFolder, small_voxtral: Path) -> None:
    revise_utterance(voice, "wavs/0001.wav", excluded=True)
    prepared = workflow.prepare(voice, workflow.training_settings(voice, None, quick(small_voxtral)))
    assert "wavs/0001.wav" not in {*prepared.split.train, *prepared.split.dev, *prepared.split.test}

    trained = workflow.train_voice(prepared, lambda event: None)
    excluded, trimmed, *_ = prepared.split.test
    revise_utterance(voice, excluded, excluded=True)
    revise_utterance(voice, trimmed, trim=(0.1, 0.3))
    evaluation = workflow.evaluate_run(trained.run, progress=nothing)
    assert [phrase.id for phrase in evaluation.phrases] == prepared.split.test[1:]
    assert evaluation.phrases[0].audio == Recording(voice.path / trimmed, (0.1, 0.3))

    with pytest.raises(ManifestError, match="excluded"):
        workflow.resume_run(trained.run.path, {}, lambda event: None)
