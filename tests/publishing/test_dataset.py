"""A voice as a data set: what goes along, what stays, and where it stands."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import load_audio
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import Split
from ownvoice.data.utterance import Utterance
from ownvoice.publishing.card import Wishes
from ownvoice.publishing.dataset import (
    PRIVATE_CONSENT,
    PUBLIC_CONSENT,
    DatasetFiles,
    build_dataset,
    needed_consent,
    phrase_sources,
)
from ownvoice.rundir import VoiceFolder
from voices import make_voice


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return make_voice(tmp_path / "voice", 6)


def build(voice: VoiceFolder, utterances: list[Utterance], split: Split | None = None) -> DatasetFiles:
    return build_dataset(
        voice,
        utterances,
        split,
        repo="anna/voice",
        author="anna",
        settings=VoiceSettings(language="en"),
        consent="I agree.",
        wishes=Wishes(),
    )


def content(files: DatasetFiles, path: str) -> bytes:
    (file,) = (file for file in files.files if file.path == path)
    return file.content if isinstance(file.content, bytes) else file.content.read_bytes()


def rows(files: DatasetFiles, split: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content(files, f"data/{split}/metadata.jsonl").splitlines()]


def test_everything_is_in_train_without_a_split(voice: VoiceFolder) -> None:
    files = build(voice, read_manifest(voice).utterances)
    assert [file.path for file in files.files] == [
        "README.md",
        *(f"data/train/{number:04}.wav" for number in range(1, 7)),
        "data/train/metadata.jsonl",
    ]
    assert rows(files, "train")[0] == {
        "file_name": "0001.wav",
        "text": "tea please 1",
        "duration": 0.9,
        "language": "en",
        "phrase_id": "",
        "take": 1,
    }
    assert content(files, "data/train/0001.wav") == (voice.wavs / "0001.wav").read_bytes()


def test_splits_are_kept_and_no_phrase_is_in_two(voice: VoiceFolder) -> None:
    first, second, third, fourth, fifth, sixth = read_manifest(voice).utterances
    again = replace(fourth, text=first.text.upper() + "!")
    same_phrase = replace(fifth, phrase_id="own-1")
    split = Split(["wavs/0002.wav"], ["wavs/0003.wav"], ["wavs/0001.wav"])
    files = build(
        voice,
        [first, replace(second, phrase_id="own-2"), replace(third, phrase_id="own-1"), again, same_phrase, sixth],
        split,
    )
    names = {name: [row["file_name"] for row in rows(files, name)] for name in ("train", "validation", "test")}
    assert names == {
        "train": ["0002.wav", "0006.wav"],
        "validation": ["0003.wav", "0005.wav"],
        "test": ["0001.wav", "0004.wav"],
    }
    assert [(split.name, split.utterances) for split in files.facts.splits] == [
        ("train", 2),
        ("validation", 2),
        ("test", 2),
    ]


def test_a_trim_cuts_what_is_sent(voice: VoiceFolder) -> None:
    utterance = replace(read_manifest(voice).utterances[0], trim=(0.2, 0.5))
    files = build(voice, [utterance])
    samples, rate = soundfile.read(io.BytesIO(content(files, "data/train/0001.wav")), dtype="float32")
    assert rate == 16_000 and len(samples) == 4800
    assert (samples == load_audio(voice.wavs / "0001.wav")[3200:8000]).all()
    assert rows(files, "train")[0]["duration"] == 0.3


def test_nothing_of_the_machine_goes_along(voice: VoiceFolder, tmp_path: Path) -> None:
    """Names that people give to files, notes that programs write into sound, and fields of the manifest."""
    named = voice.wavs / "Anna Müller, living room.wav"
    samples = load_audio(voice.wavs / "0001.wav")
    with soundfile.SoundFile(named, "w", 16_000, 1, subtype="PCM_16") as sound:
        sound.artist, sound.software = "Anna Müller", "recorder on annas-laptop"
        sound.write(samples)
    assert b"annas-laptop" in named.read_bytes()
    utterance = Utterance(
        f"wavs/{named.name}",
        "good morning",
        source=str(tmp_path / "source.wav"),
        created="2026-01-01T10:00:00+01:00",
        extra={"device": "Anna's headset"},
    )
    files = build(voice, [utterance, utterance])
    everything = b"".join(
        file.path.encode() + (file.content if isinstance(file.content, bytes) else file.content.read_bytes())
        for file in files.files
    )
    for trace in ("Müller", "annas-laptop", "headset", str(tmp_path), "10:00:00"):
        assert trace.encode() not in everything
    first, second = rows(files, "train")
    assert second["file_name"] == first["file_name"].replace(".wav", "-2.wav")
    sent, _ = soundfile.read(io.BytesIO(content(files, f"data/train/{first['file_name']}")), dtype="float32")
    assert (sent == samples).all()


def test_where_phrases_come_from_is_told_by_their_ids() -> None:
    def read(phrase_id: str | None, source: str | None = None) -> Utterance:
        return Utterance("wavs/1.wav", "words", phrase_id=phrase_id, source=source)

    utterances = [
        read("en-0a1b"),
        read("en-0a1c"),
        read("own-1"),
        read("granary-en-1"),
        read(None, "hub:ben/set/a.wav"),
    ]
    utterances += [read(None, "folder/a.wav"), read("odd")]
    kept = {"text_source": "nvidia/Granary es_ytc (YTC)", "text_licence": "cc-by-4.0"}
    utterances += [Utterance("wavs/2.wav", "words", phrase_id="granary-es-2", extra=kept)]
    assert {source.what: source.count for source in phrase_sources(utterances)} == {
        "ownvoice's own phrases (Apache-2.0)": 2,
        "recordings that were brought in with their words": 2,
        "the speaker's own text": 1,
        "NVIDIA Granary, https://huggingface.co/datasets/nvidia/Granary (see its licence)": 1,
        "nvidia/Granary es_ytc (YTC), https://huggingface.co/datasets/nvidia/Granary (cc-by-4.0)": 1,
        "the data set https://huggingface.co/datasets/ben/set (see its licence)": 1,
    }


@pytest.mark.parametrize(
    ("on_file", "public", "needed"),
    [
        ("", False, PRIVATE_CONSENT),
        ("", True, PUBLIC_CONSENT),
        (PRIVATE_CONSENT, True, PUBLIC_CONSENT),
        ("As agreed on paper.", True, "As agreed on paper."),
        ("As agreed on paper.", False, "As agreed on paper."),
    ],
)
def test_a_consent_to_private_storage_is_none_to_publishing(on_file: str, public: bool, needed: str) -> None:
    assert needed_consent(VoiceSettings(consent=on_file), public=public) == needed
