"""Training by its front door, on a small random Voxtral: events, files, choosing, resuming, what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from killable import score, settings, train_clips

from ownvoice import events
from ownvoice.data.audio import load_audio
from ownvoice.errors import AudioError, StorageError, TooLittleDataError, TrainingError
from ownvoice.model.load import load_recogniser
from ownvoice.model.transcribe import transcribe_clips
from ownvoice.rundir import RunFolder
from ownvoice.training.defaults import peak_learning_rate
from ownvoice.training.dev import DevScore
from ownvoice.training.durable import locked
from ownvoice.training.examples import Clip
from ownvoice.training.trainer import train

FAST = {"learning_rate": 3e-3}


def of_kind(run: RunFolder, kind: type[events.Event]) -> list[events.Event]:
    return [event for event in events.read_events(run.events) if isinstance(event, kind)]


def losses(run: RunFolder) -> list[float]:
    return [event.loss for event in of_kind(run, events.Step)]


def test_lora_run_from_start_to_end(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    heard: list[events.Event] = []
    chosen = settings(small_voxtral, scope="both", optimiser=FAST, augment={"variants": 2, "specaugment": True})
    assert chosen.window == "auto"
    result = train_clips(run, chosen, clips, listeners=[heard.append])
    assert heard == events.read_events(run.events)
    names = [event.name for event in heard if event.name not in ("stage", "prepare")]
    epoch = ["step"] * 5
    looked = [*epoch, *epoch, "eval", "checkpoint"]
    assert names == ["windows", "start", *looked, *looked, "done"]
    start, done = of_kind(run, events.Start)[0], heard[-1]
    assert (start.steps, start.step, start.train, start.dev) == (20, 0, 9, 3)
    assert (result.steps, result.dev_wer, result.loss) == (20, done.dev_wer, done.loss)
    assert losses(run)[-1] < losses(run)[0]
    assert sorted(path.name for path in run.adapter.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    assert [path.name for path in run.checkpoints.iterdir()] == ["step-20"]


@pytest.mark.parametrize(("method", "scope"), [("lora", "encoder"), ("lora", "decoder"), ("full", "both")])
def test_model_kept_is_the_one_reported(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, method: str, scope: str
) -> None:
    """Loaded from the run's folder, it has the WER that the events give its step."""
    chosen = settings(small_voxtral, method=method, scope=scope, epochs=6, optimiser=FAST, dev={"every": 1})
    result = train_clips(run, chosen, clips)
    looks = {event.step: event for event in of_kind(run, events.Eval)}
    assert result.dev_wer == looks[result.best_step].dev_wer == min(look.dev_wer for look in looks.values())
    recogniser = load_recogniser(run.path, device="cpu")
    texts = transcribe_clips(recogniser, [load_audio(clip.audio) for clip in clips[-3:]], recogniser.language)
    assert score([clip.text for clip in clips[-3:]], texts).wer == result.dev_wer


def test_full_training_learns_its_clips_by_heart(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    chosen = settings(
        small_voxtral, method="full", scope="both", epochs=30, optimiser=FAST, accumulate=2, dev={"every": 30}
    )
    result = train_clips(run, chosen, clips)
    assert losses(run)[0] > 6
    assert result.loss < 1


def test_patience_ends_a_run_that_no_longer_improves(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    given = iter([0.5, 0.4, 0.6, 0.6, 0.1])

    def next_score(references: object, hypotheses: object) -> DevScore:
        return DevScore(next(given), 0.0)

    chosen = settings(small_voxtral, window="standard", epochs=10, dev={"every": 1, "patience": 2})
    result = train_clips(run, chosen, clips, score=next_score)
    assert (result.steps, result.best_step, result.dev_wer, result.stopped_early) == (20, 10, 0.4, True)
    assert [look.best for look in of_kind(run, events.Eval)] == [True, True, False, False]


def test_among_equal_wer_the_lower_loss_is_best(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    chosen = settings(small_voxtral, epochs=4, optimiser=FAST, dev={"every": 1, "patience": 9})
    result = train_clips(run, chosen, clips, score=lambda references, hypotheses: DevScore(1.0, 1.0))
    by_step = {look.step: look.dev_loss for look in of_kind(run, events.Eval)}
    assert result.best_step == min(by_step, key=by_step.__getitem__)


def test_ctrl_c_leaves_a_run_that_goes_on_as_if_never_stopped(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, tmp_path: Path
) -> None:
    chosen = settings(small_voxtral, optimiser=FAST, dev={"every": 1}, augment={"specaugment": True})
    whole = RunFolder(tmp_path / "voice" / "runs" / "whole")
    whole.path.mkdir()
    expected = train_clips(whole, chosen, clips)

    def press(event: events.Event) -> None:
        if isinstance(event, events.Step) and event.step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_clips(run, chosen, clips, listeners=[press])
    assert not of_kind(run, events.Failed)
    result = train_clips(run, chosen, clips, resume=True)
    assert [start.step for start in of_kind(run, events.Start)] == [0, 10]
    assert losses(run) == pytest.approx(losses(whole), abs=1e-6)
    assert (result.best_step, result.dev_wer) == (expected.best_step, expected.dev_wer)
    assert (run.adapter / "adapter_model.safetensors").read_bytes() == (
        whole.adapter / "adapter_model.safetensors"
    ).read_bytes()


def test_finished_run_is_left_as_it_is(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    chosen = settings(small_voxtral, epochs=1)
    first = train_clips(run, chosen, clips)
    before = run.events.read_bytes()
    assert train_clips(run, chosen, clips, resume=True) == first
    assert run.events.read_bytes() == before
    with pytest.raises(TrainingError, match="started before"):
        train_clips(run, chosen, clips)


def stop_after(step: int):  # type: ignore[no-untyped-def]
    def press(event: events.Event) -> None:
        if isinstance(event, events.Checkpoint) and event.step >= step:
            raise KeyboardInterrupt

    return [press]


def test_run_goes_on_only_with_its_own_settings_and_recordings(
    small_voxtral: Path, clips: list[Clip], run: RunFolder
) -> None:
    chosen = settings(small_voxtral, dev={"every": 1})
    with pytest.raises(KeyboardInterrupt):
        train_clips(run, chosen, clips, listeners=stop_after(5))
    other_text = [Clip(clips[0].id, clips[0].audio, "something else"), *clips[1:]]
    other_sound = [Clip(clips[0].id, clips[1].audio, clips[0].text), *clips[1:]]
    for changed in (other_text, other_sound, clips[1:]):
        with pytest.raises(TrainingError, match="not those this run was started with"):
            train_clips(run, chosen, changed, resume=True)
    with pytest.raises(TrainingError, match="not those this run was started with"):
        train_clips(run, settings(small_voxtral, dev={"every": 1}, seed=1), clips, resume=True)
    assert train_clips(run, chosen, clips, resume=True).steps == 20


def test_disk_that_fails_leaves_a_run_that_goes_on(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    chosen = settings(small_voxtral)
    run.checkpoints.write_text("a file in the way")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        train_clips(run, chosen, clips)
    failure = of_kind(run, events.Failed)[-1]
    assert failure.step == 10
    assert "a file stands" in failure.message
    run.checkpoints.unlink()
    assert train_clips(run, chosen, clips, resume=True).steps == 20
    assert [step.step for step in of_kind(run, events.Step)] == list(range(1, 21))


def test_loss_that_is_no_number_names_the_utterances(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    chosen = settings(small_voxtral, optimiser={"learning_rate": 1e30, "warmup": 0})
    with pytest.raises(TrainingError, match=r"no longer a number, with the recordings utterance-\d\d, utt"):
        train_clips(run, chosen, clips)
    assert "learning_rate (it was 1e+30)" in of_kind(run, events.Failed)[0].message


def test_second_process_on_the_same_run_is_refused(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    with locked(run), pytest.raises(StorageError, match="another process is training this run"):
        train_clips(run, settings(small_voxtral), clips)
    assert not run.events.exists()


def test_unreadable_recording_is_named(small_voxtral: Path, clips: list[Clip], run: RunFolder, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and no more")
    with pytest.raises(AudioError, match=r"broken\.wav"):
        train_clips(run, settings(small_voxtral), [Clip("broken", broken, "tea"), *clips])


def test_no_dev_set_no_training(small_voxtral: Path, clips: list[Clip], run: RunFolder) -> None:
    with pytest.raises(TooLittleDataError):
        train(run, settings(small_voxtral), clips, [], score)


def test_an_adapter_is_no_base(small_voxtral: Path, clips: list[Clip], run: RunFolder, tmp_path: Path) -> None:
    train_clips(run, settings(small_voxtral, epochs=1), clips)
    second = RunFolder(tmp_path / "voice" / "runs" / "second")
    second.path.mkdir()
    with pytest.raises(TrainingError, match="this is an adapter"):
        train_clips(second, settings(run.path), clips)


def test_adapter_finds_a_base_given_as_a_relative_folder(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(small_voxtral.parent)
    train_clips(run, settings(Path(small_voxtral.name), epochs=1), clips)
    monkeypatch.chdir(tmp_path)
    assert load_recogniser(run.path).base_name == str(small_voxtral)


@pytest.mark.parametrize(
    ("method", "asked", "parameters", "expected"),
    [
        ("lora", None, 8_000_000, 1e-3),
        ("lora", None, 4_676_000_000, 1e-4),
        ("full", None, 8_000_000, 1e-4),
        ("full", None, 4_676_000_000, 1e-5),
        ("full", 7e-4, 4_676_000_000, 7e-4),
    ],
)
def test_learning_rate_by_method_and_size(method: str, asked: float | None, parameters: int, expected: float) -> None:
    chosen = settings(Path("tiny"), method=method, optimiser={"learning_rate": asked})
    assert peak_learning_rate(chosen, parameters) == pytest.approx(expected)


def test_full_cache_trains_the_same_and_says_so(
    small_voxtral: Path, clips: list[Clip], run: RunFolder, tmp_path: Path
) -> None:
    train_clips(run, settings(small_voxtral, cache_gb=0, epochs=1), clips)
    assert not run.voice.cache.exists()
    (warning,) = of_kind(run, events.Warning)
    assert "no room to keep what was computed of 12 recordings" in warning.message
    other = RunFolder(tmp_path / "other" / "runs" / "first")
    other.path.mkdir(parents=True)
    train_clips(other, settings(small_voxtral, epochs=1), clips)
    assert losses(run) == losses(other)
