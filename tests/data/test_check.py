"""Every kind of problem is found, placed and told how to mend; a good voice has none; nothing on disk is changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import SAMPLE_RATE, convert_to_wav, write_wav
from ownvoice.data.check import Problem, check_voice
from ownvoice.data.manifest import append_utterances, read_manifest
from ownvoice.data.measure import LOWEST_DBFS, measure
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.errors import DataError
from ownvoice.rundir import VoiceFolder

SENTENCES = (
    "please open the window", "where is my blue jacket", "the kettle is boiling now", "call the doctor at noon",
    "turn the radio down a bit", "we need more bread and milk", "the dog wants to go out", "my sister visits on sunday",
    "close the door behind you", "read me the next letter", "it is cold in this room", "thank you for your help",
)  # fmt: skip
LETTERS_A_SECOND = 12


def spoken(seconds: float, seed: int, peak: float = 0.3) -> np.ndarray:
    """Noise in syllables of a quarter of a second, with half a second of near silence around it."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    syllables = rng.uniform(-peak, peak, len(time)) * (0.2 + 0.8 * np.abs(np.sin(2 * np.pi * 2 * time)))
    quiet = rng.uniform(-1e-4, 1e-4, SAMPLE_RATE // 4)
    return np.concatenate([quiet, syllables, quiet]).astype(np.float32)


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    """Twelve good recordings: lines 1 to 12."""
    folder = VoiceFolder(tmp_path / "anna")
    for number, text in enumerate(SENTENCES, 1):
        add(folder, f"wavs/{number:04d}.wav", text, spoken(len(text.replace(" ", "")) / LETTERS_A_SECOND, number))
    return folder


def add(voice: VoiceFolder, path: str, text: str, samples: np.ndarray, **fields: object) -> None:
    write_wav(voice.path / path, samples)
    append_utterances(voice, [Utterance(path, text, **fields)])  # type: ignore[arg-type]


def found(voice: VoiceFolder) -> list[tuple[str, str, str, int | None]]:
    problems = check_voice(voice)
    assert all(problem.message and problem.mend for problem in problems)
    return [(problem.severity, problem.kind, problem.file, problem.line) for problem in problems]


def test_a_good_voice_has_no_problem(voice: VoiceFolder) -> None:
    assert check_voice(voice) == []


def test_no_voice_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data\.jsonl"):
        check_voice(VoiceFolder(tmp_path))


def test_the_fields_are_the_keys_programs_read() -> None:
    problem = Problem("error", "clipping", "wavs/0001.wav", 1, "is clipped", "record again")
    assert list(asdict(problem)) == ["severity", "kind", "file", "line", "message", "mend", "source"]
    json.dumps(asdict(problem))


@pytest.mark.parametrize(
    ("text", "severity", "kind"),
    [
        ("", "error", "empty-text"),
        (" ... !", "error", "empty-text"),
        ("[laughter]", "error", "non-speech-text"),
        ("<noise> *coughs*", "error", "non-speech-text"),
        ("(a long silence)", "error", "non-speech-text"),
        ("hello [laughter] there", "warning", "non-speech-text"),
        ("пожалуйста откройте", "warning", "wrong-script"),
    ],
)
def test_text_that_is_not_what_was_said(voice: VoiceFolder, text: str, severity: str, kind: str) -> None:
    add(voice, "wavs/0013.wav", text, spoken(1.5, 13))
    assert found(voice) == [(severity, kind, "data.jsonl", 13)]


@pytest.mark.parametrize("text", ["1995", "call 0800 123", "déjà vu, señor", "(so he said) yes it is"])
def test_text_that_is_fine(voice: VoiceFolder, text: str) -> None:
    add(voice, "wavs/0013.wav", text, spoken(1.2, 13))
    assert found(voice) == []


def test_the_script_is_the_language_of_the_voice_or_of_the_line(voice: VoiceFolder) -> None:
    write_voice_settings(voice, VoiceSettings(language="hi"))
    add(voice, "wavs/0013.wav", "कृपया खिड़की खोलो", spoken(1.0, 13))
    add(voice, "wavs/0014.wav", "please close it", spoken(1.0, 14), language="en")
    add(voice, "wavs/0015.wav", "уходи отсюда", spoken(1.0, 15), language="ru")  # a language that is not judged
    assert found(voice) == [("warning", "wrong-script", "data.jsonl", line) for line in range(1, 13)]


def test_a_broken_voice_yaml_is_one_problem_among_others(voice: VoiceFolder) -> None:
    voice.settings.write_text("language: klingon\n")
    add(voice, "wavs/0013.wav", "", spoken(1.0, 13))
    assert found(voice) == [("error", "empty-text", "data.jsonl", 13), ("error", "bad-settings", "voice.yaml", None)]


def test_clipping_is_found_also_when_it_was_recorded_at_another_rate(voice: VoiceFolder) -> None:
    loud = np.clip(4 * spoken(1.2, 13, peak=1.0), -1, 1)
    add(voice, "wavs/0013.wav", "please come here", loud)
    time = np.arange(44100) / 44100
    soundfile.write(voice.path / "loud.wav", np.clip(3 * np.sin(2 * np.pi * 180 * time), -1, 1), 44100)
    convert_to_wav(voice.path / "loud.wav", voice.wavs / "0014.wav")
    append_utterances(voice, [Utterance("wavs/0014.wav", "come over here")])
    assert found(voice) == [("warning", "clipping", f"wavs/00{n}.wav", n) for n in (13, 14)]


def test_a_recording_that_touches_full_scale_is_not_clipped() -> None:
    samples = spoken(2.0, 1)
    assert measure(samples / np.abs(samples).max()).clipped == 0
    assert measure(np.array([0, 1, 1, 1, 0, 1, 0, -1, -1, 0], np.float32)).clipped == pytest.approx(0.3)


def test_loudness_and_spoken_span_of_a_worked_case() -> None:
    samples = np.zeros(SAMPLE_RATE, np.float32)
    samples[4000:8000] = 0.1 * np.sqrt(2) * np.sin(np.arange(4000) * 2 * np.pi / 16)
    measures = measure(samples)
    assert measures.loudest_dbfs == pytest.approx(-20, abs=0.05)
    assert measures.spoken_seconds == pytest.approx(0.26, abs=1e-6)  # 0.25 s touches 13 frames of 20 ms
    assert measure(np.zeros(10, np.float32)).loudest_dbfs == LOWEST_DBFS


@pytest.mark.parametrize("peak", [0.0, 0.003])
def test_near_silence(voice: VoiceFolder, peak: float) -> None:
    add(voice, "wavs/0013.wav", "please come here", spoken(1.2, 13, peak=peak))
    assert found(voice) == [("error", "near-silence", "wavs/0013.wav", 13)]


def test_quiet_speech_is_not_silence(voice: VoiceFolder) -> None:
    add(voice, "wavs/0013.wav", "please come here", spoken(1.2, 13, peak=0.02))
    assert found(voice) == []


def test_over_30_seconds_and_hardly_anything(voice: VoiceFolder) -> None:
    add(voice, "wavs/0013.wav", "a very long story " * 22, spoken(31, 13))
    write_wav(voice.wavs / "0014.wav", spoken(1, 14)[5000:7000])
    append_utterances(voice, [Utterance("wavs/0014.wav", "yes")])
    assert found(voice) == [
        ("warning", "over-30-seconds", "wavs/0013.wav", 13),
        ("error", "too-short", "wavs/0014.wav", 14),
    ]


def test_more_text_than_anyone_can_say_and_far_less_than_the_speaker_would(voice: VoiceFolder) -> None:
    add(voice, "wavs/0013.wav", "i would like to go to the market", spoken(1.0, 13))  # 25 letters a second: just fast
    add(voice, "wavs/0014.wav", "the end of this sentence was cut off by the recorder", spoken(0.4, 14))
    add(voice, "wavs/0015.wav", "good morning", spoken(6.0, 15))
    for number, text in enumerate(["yes", "M I S D N", "room 2468", "[a very loud noise]"], 16):  # these have no pace
        add(voice, f"wavs/00{number}.wav", text, spoken(6.0, number))
    assert found(voice) == [
        ("error", "too-short-for-text", "wavs/0014.wav", 14),
        ("warning", "too-long-for-text", "wavs/0015.wav", 15),
        ("error", "non-speech-text", "data.jsonl", 19),
    ]


def test_pace_is_judged_by_the_speakers_own_median(tmp_path: Path) -> None:
    slow = VoiceFolder(tmp_path / "slow")
    for number, text in enumerate(SENTENCES, 1):
        add(slow, f"wavs/{number:04d}.wav", text, spoken(len(text) / 2.5, number))
    assert found(slow) == []
    add(slow, "wavs/0013.wav", "please come over here", spoken(1.5, 13))  # 12 letters a second, many for this speaker
    assert found(slow) == [("warning", "too-short-for-text", "wavs/0013.wav", 13)]


def test_few_recordings_have_no_median(tmp_path: Path) -> None:
    folder = VoiceFolder(tmp_path / "few")
    add(folder, "wavs/0001.wav", "good morning", spoken(8.0, 1))
    add(folder, "wavs/0002.wav", "good evening to you", spoken(1.0, 2))
    assert found(folder) == []


def test_duplicate_sound_is_an_error_only_with_other_words(voice: VoiceFolder) -> None:
    same = spoken(1.2, 13)
    add(voice, "wavs/0013.wav", "please come here", same)
    add(voice, "wavs/0014.wav", "please go away", same)
    add(voice, "wavs/0015.wav", "Please, come here!", same)
    assert found(voice) == [
        ("warning", "duplicate-text", "data.jsonl", 13),
        ("error", "duplicate-audio", "wavs/0014.wav", 14),
        ("warning", "duplicate-audio", "wavs/0015.wav", 15),
    ]


def test_numbered_takes_of_a_phrase_are_no_duplicates(voice: VoiceFolder) -> None:
    for take in (1, 2, 3):
        add(voice, f"wavs/002{take}.wav", "good morning", spoken(1.0, 20 + take), take=take)
    assert found(voice) == []


def test_files_that_cannot_be_heard(voice: VoiceFolder) -> None:
    lines = []
    for number, content in enumerate(
        [None, b"", b"this is a text\n" * 20, (voice.wavs / "0001.wav").read_bytes()[:9000]], 13
    ):
        if content is not None:
            (voice.wavs / f"00{number}.wav").write_bytes(content)
        lines.append(Utterance(f"wavs/00{number}.wav", f"sentence number {number}"))
    append_utterances(voice, lines)
    assert found(voice) == [
        ("error", "missing-audio", "wavs/0013.wav", 13),
        ("error", "unreadable-audio", "wavs/0014.wav", 14),
        ("error", "unreadable-audio", "wavs/0015.wav", 15),
        ("error", "unreadable-audio", "wavs/0016.wav", 16),
    ]


def test_a_recording_no_line_names_is_a_lost_take(voice: VoiceFolder) -> None:
    write_wav(voice.wavs / "0013.wav", spoken(1.0, 13))
    write_wav(voice.wavs / "old" / "take.wav", spoken(1.0, 14))
    (voice.wavs / "notes.txt").write_text("no recording")
    assert found(voice) == [
        ("warning", "unnamed-recording", "wavs/0013.wav", None),
        ("warning", "unnamed-recording", "wavs/old/take.wav", None),
    ]


def test_every_bad_line_is_listed_and_nothing_is_changed(voice: VoiceFolder) -> None:
    with voice.manifest.open("a") as file:
        file.write("not json\n")
        file.write('{"audio_path": "/etc/passwd", "text": "a"}\n')
        file.write('{"audio_path": "../../x.wav", "text": "a"}\n')
        file.write('{"audio_path": "wavs/0001.wav"}\n')
        file.write('{"audio_path": "wavs/0001.wav", "text": "please open the window now"}\n')
        file.write('{"audio_path": "wavs/00')
    before = {path: path.read_bytes() for path in voice.path.rglob("*") if path.is_file()}
    assert found(voice) == [
        ("error", "bad-line", "data.jsonl", 13),
        ("error", "path-outside", "data.jsonl", 14),
        ("error", "path-outside", "data.jsonl", 15),
        ("error", "bad-field", "data.jsonl", 16),
        ("warning", "corrected", "data.jsonl", 17),
        ("error", "torn-line", "data.jsonl", 18),
    ]
    assert {path: path.read_bytes() for path in voice.path.rglob("*") if path.is_file()} == before


def test_two_recordings_of_one_id_are_told(voice: VoiceFolder) -> None:
    add(voice, "wavs/0013.wav", "please come here", spoken(1.2, 13), id="wavs/0001.wav")
    assert found(voice) == [("warning", "duplicate-id", "data.jsonl", 13)]
    assert len(read_manifest(voice).utterances) == 13
