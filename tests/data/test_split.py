"""No phrase on two sides, whatever the order; the same phrases judged as more are recorded; small sets said."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from ownvoice.data.split import MIN_PHRASES, Split, fold_text, load_split, save_split, split_utterances
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.errors import ManifestError, TooLittleDataError
from ownvoice.rundir import RunFolder


def phrases(count: int, start: int = 0) -> list[Utterance]:
    return [Utterance(f"wavs/{n:04d}.wav", f"phrase number {n}") for n in range(start, start + count)]


def sides(split: Split) -> dict[str, str]:
    return {name: side for side in ("train", "dev", "test") for name in getattr(split, side)}


@pytest.mark.parametrize("count", [10, 11, 20, 50, 120, 1000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_utterance_is_on_one_side_of_a_sensible_size(count: int, seed: int) -> None:
    split = split_utterances(phrases(count), seed=seed)
    everything = [*split.train, *split.dev, *split.test]
    assert sorted(everything) == [utterance.audio_path for utterance in phrases(count)]
    assert len(split.test) >= 3 and 0.15 * count - 1 <= len(split.test) <= 0.3 * count + 1
    assert len(split.dev) >= 2 and 0.07 * count - 1 <= len(split.dev) <= 0.2 * count + 1


def test_large_sets_are_judged_on_a_few_hundred() -> None:
    split = split_utterances(phrases(5000), seed=0)
    assert (len(split.dev), len(split.test)) == (100, 400)


def test_spellings_of_one_phrase_and_takes_of_one_phrase_stay_together() -> None:
    utterances = phrases(40)
    for n in range(20):
        utterances += [
            Utterance(f"wavs/b{n}.wav", f"  PHRASE, number\u00a0{n}! "),
            Utterance(f"wavs/c{n}.wav", f"p-p-phrase {n}", phrase_id=f"p{n}"),
            Utterance(f"wavs/d{n}.wav", f"phrase number {n}", phrase_id=f"p{n}"),
        ]
    for seed in range(5):
        side = sides(split_utterances(utterances, seed=seed))
        for n in range(20):
            takes = (f"{n:04d}", f"b{n}", f"c{n}", f"d{n}")
            assert len({side[f"wavs/{take}.wav"] for take in takes}) == 1


def about(names: int, sentences: int) -> list[Utterance]:
    return [
        Utterance(f"wavs/{name}-{turn}.wav", f"carrier {turn} with name{name}", extra={"about": f"Name {name}"})
        for name in range(names)
        for turn in range(sentences)
    ]


@pytest.mark.parametrize("sentences", [2, 3, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_name_is_trained_on_and_judged(sentences: int, seed: int) -> None:
    utterances = [*about(20, sentences), *phrases(40)]
    split = split_utterances(utterances, seed=seed)
    side = sides(split)
    for name in range(20):
        assert {"train", "test"} <= {side[f"wavs/{name}-{turn}.wav"] for turn in range(sentences)}
    assert split == split_utterances(utterances[::-1], seed=seed)
    assert len(split.train) > len(split.test)


def test_a_name_said_in_one_phrase_alone_is_split_as_any_phrase_is() -> None:
    named = about(20, 1)
    plain = [Utterance(one.audio_path, one.text) for one in named]
    assert split_utterances(named, seed=0) == split_utterances(plain, seed=0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Don't  stop!", "dont stop", True),
        ("Straße", "STRASSE", True),
        ("ﬁne １２", "fine 12", True),
        ("well-known", "well known", True),
        ("कि", "का", False),
        ("está", "esta", False),
        ("two", "too", False),
    ],
)
def test_what_counts_as_one_phrase(one: str, other: str, same: bool) -> None:
    assert (fold_text(one) == fold_text(other)) is same


def test_seed_decides_and_order_does_not() -> None:
    utterances = phrases(60) + [Utterance(f"wavs/r{n}.wav", f"phrase number {n}") for n in range(10)]
    shuffled = random.Random(0).sample(utterances, len(utterances))
    assert split_utterances(utterances, seed=4) == split_utterances(shuffled, seed=4)
    assert split_utterances(utterances, seed=4) != split_utterances(utterances, seed=5)


@pytest.mark.parametrize("count", [20, 60, 200])
def test_recording_more_does_not_move_test_phrases_into_train(count: int) -> None:
    for seed in range(5):
        before = split_utterances(phrases(count), seed=seed)
        after = split_utterances(phrases(2 * count), seed=seed)
        assert not set(before.test) & set(after.train)
        assert len(set(before.test) & set(after.test)) >= len(before.test) / 2


def test_a_phrase_recorded_again_and_again_does_not_fill_the_test_set() -> None:
    utterances = phrases(20) + [Utterance(f"wavs/yes{n}.wav", "Yes.") for n in range(60)]
    for seed in range(10):
        side = sides(split_utterances(utterances, seed=seed))
        assert {side[f"wavs/yes{n}.wav"] for n in range(60)} == {"train"}


@pytest.mark.parametrize(
    ("utterances", "message"),
    [
        (phrases(9), "9 recordings are too few"),
        ([], "0 recordings are too few"),
        ([Utterance(f"wavs/{n}.wav", f"word {n % 5}") for n in range(50)], f"5 different phrases.*{MIN_PHRASES}"),
        ([Utterance(f"wavs/{n}.wav", f"word {n % 6}") for n in range(6 * 200)], "1200 recordings of 6 phrases"),
    ],
)
def test_too_little_is_refused_with_its_number(utterances: list[Utterance], message: str) -> None:
    with pytest.raises(TooLittleDataError, match=message) as caught:
        split_utterances(utterances, seed=0)
    assert caught.value.mend


def test_small_sets_say_how_little_the_figure_means() -> None:
    small = split_utterances(phrases(10), seed=0)
    assert "measured on 3 recordings" in small.warnings[0] and "33 points" in small.warnings[0]
    assert "2 recordings" in small.warnings[1]
    assert split_utterances(phrases(300), seed=0).warnings == []


def test_a_split_is_saved_and_read_back(tmp_path: Path) -> None:
    run, utterances = RunFolder(tmp_path), [*phrases(12), Utterance("wavs/ü.wav", "hellö", id="née")]
    split = split_utterances(utterances, seed=0)
    save_split(run, split)
    assert load_split(run, [*utterances, *phrases(3, start=50)]) == split
    assert "née" in {*split.train, *split.dev, *split.test} and "née" in run.split.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "not a split"),
        ("[]", "not a split"),
        ({"train": [], "dev": []}, "not a split"),
        ({"train": [1], "dev": [], "test": [], "warnings": []}, "not a split"),
        ({"train": ["wavs/0000.wav"], "dev": "wavs/0001.wav", "test": [], "warnings": []}, "not a split"),
        ({"train": ["wavs/0000.wav"], "dev": [], "test": ["wavs/0000.wav"], "warnings": []}, r"twice: wavs/0000\.wav"),
        ({"train": ["wavs/0000.wav"], "dev": [], "test": ["gone"], "warnings": []}, "1 recording .* not have: gone"),
    ],
)
def test_a_split_that_cannot_be_trusted_is_refused(tmp_path: Path, content: object, message: str) -> None:
    run = RunFolder(tmp_path)
    run.split.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ManifestError, match=message) as caught:
        load_split(run, phrases(5))
    assert caught.value.where == str(run.split) and caught.value.mend


def test_a_run_without_a_split_is_said(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="not a split"):
        load_split(RunFolder(tmp_path), phrases(5))


def test_explicit_ids_are_what_the_split_names() -> None:
    utterances = [Utterance(f"wavs/{n}.wav", f"phrase {n}", id=f"id-{n}") for n in range(10)]
    assert set(sides(split_utterances(utterances, seed=0))) == {utterance_id(utterance) for utterance in utterances}
