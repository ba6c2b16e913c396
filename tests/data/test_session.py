"""Sessions: what is next, how far one is, marks that last, and takes that come out as utterances with hints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ownvoice
from ownvoice.config import VoiceSettings
from ownvoice.data.audio import load_audio
from ownvoice.data.check import check_voice
from ownvoice.data.manifest import append_utterances, read_manifest, revise_utterance
from ownvoice.data.new_voice import NameTakenError, create_voice
from ownvoice.data.phrase_marks import mark_phrase, read_marks
from ownvoice.data.phrases import Phrase
from ownvoice.data.session import SavedTake, Session
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from ownvoice.errors import ConfigError, DataError
from small_voxtral import murmur
from voices import WORDS

PHRASES = [Phrase(f"en-{word}", f"Please open the {word}", "home", 4, None) for word in WORDS[:6]]


CLIPS = sorted((Path(ownvoice.__file__).parent / "model/tiny/sample_voice/clips").glob("*.ogg"))


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(create_voice(tmp_path, "Anna", VoiceSettings(language="en")))


def record(session: Session, phrase: Phrase, seconds: float = 1.0, seed: int = 0, **known: str) -> SavedTake:
    take = session.start(phrase.text, 16000, phrase_id=phrase.id, **known)
    speech = np.resize(load_audio(CLIPS[seed]), round(16000 * seconds))
    session.takes.append(take.id, 0, (speech * 32767).astype("<i2").tobytes())
    return session.finish(take.id, round(16000 * seconds))


def states(session: Session) -> list[str]:
    return [queued.state for queued in session.queue(PHRASES, 0, 100).phrases]


def test_a_session_goes_on_where_it_stopped(session: Session) -> None:
    assert session.queue(PHRASES, 0, 100).next == 0
    first = record(session, PHRASES[0])
    mark_phrase(session.voice, PHRASES[1].id, "skipped")
    mark_phrase(session.voice, PHRASES[2].id, "hidden")
    mark_phrase(session.voice, PHRASES[3].id, "too_hard")
    mark_phrase(session.voice, PHRASES[4].id, "starred")
    for again in (session, Session(session.voice)):
        queue = again.queue(PHRASES, 0, 100)
        assert [phrase.state for phrase in queue.phrases] == ["saved", "skipped", "hidden", "hidden", "todo", "todo"]
        assert [utterance.id for utterance in queue.phrases[0].utterances] == [first.utterance.id]
        assert [phrase.starred for phrase in queue.phrases].index(True) == 4
        assert (queue.total, queue.next) == (6, 4)
    assert [phrase.phrase for phrase in session.queue(PHRASES, 2, 2).phrases] == PHRASES[2:4]
    for phrase in PHRASES[4:]:
        record(session, phrase)
    assert session.queue(PHRASES, 0, 0).next == 1  # what was skipped comes last
    record(session, PHRASES[1])
    assert session.queue(PHRASES, 0, 0).next == 6


def test_phrases_can_be_searched_and_chosen_by_topic_and_star(session: Session) -> None:
    other = Phrase("en-x", "Call the nurse", "health", 3, None)
    mark_phrase(session.voice, PHRASES[2].id, "starred")
    mark_phrase(session.voice, PHRASES[3].id, "hidden")

    def texts(**wanted: object) -> list[str]:
        return [one.phrase.text for one in session.queue([*PHRASES, other], 0, 9, **wanted).phrases]  # type: ignore

    assert texts(topic="health") == texts(search="NURSE") == [other.text]
    assert texts(starred=True) == [PHRASES[2].text]
    assert PHRASES[3].text not in texts(topic="home")
    assert texts()[3] == PHRASES[3].text  # in its place, as hidden


def test_marks_can_be_taken_back_and_survive_a_torn_line(session: Session) -> None:
    for mark in ("hidden", "starred", "todo"):
        mark_phrase(session.voice, "p", mark)  # type: ignore[arg-type]
    assert (read_marks(session.voice).states, read_marks(session.voice).starred) == ({}, {"p"})
    with session.voice.phrase_marks.open("a") as file:
        file.write('{"phrase_id": "q", "ma')
    mark_phrase(session.voice, "p", "unstarred")
    mark_phrase(session.voice, "r", "too_hard")
    marks = read_marks(session.voice)
    assert (marks.of("too_hard"), marks.starred) == ({"r"}, frozenset())


@pytest.mark.parametrize(("phrase_id", "mark"), [("", "hidden"), ("a" * 201, "hidden"), ("a", "burnt")])
def test_marks_of_nothing_are_refused(session: Session, phrase_id: str, mark: str) -> None:
    with pytest.raises(DataError, match="cannot be marked"):
        mark_phrase(session.voice, phrase_id, mark)  # type: ignore[arg-type]
    assert not session.voice.phrase_marks.exists()


def test_takes_of_a_phrase_are_numbered_and_the_check_has_nothing_to_say(session: Session) -> None:
    saved = [record(session, PHRASES[0], seed=seed) for seed in range(3)]
    assert [take.utterance.take for take in saved] == [1, 2, 3]
    assert check_voice(session.voice) == []


def test_the_language_stays_with_the_take(session: Session) -> None:
    take = session.start("hello", 16000)
    other = session.start("hola", 16000, language="es")
    write_voice_settings(session.voice, VoiceSettings(language="de"))
    for one in (take, other):
        session.takes.append(one.id, 0, (murmur(0.5) * 32767).astype("<i2").tobytes())
        session.finish(one.id)
    assert [utterance.language for utterance in read_manifest(session.voice).utterances] == ["en", "es"]


def test_progress_counts_what_counts(session: Session) -> None:
    minute = Utterance("wavs/0.wav", "a", duration=60.0)
    append_utterances(session.voice, [replace(minute, audio_path=f"wavs/{n}.wav", text=f"{n}") for n in range(4)])
    progress = session.progress()
    assert (progress.minutes, progress.phrases, progress.goal.value) == (4.0, 4, 5)
    revise_utterance(session.voice, "wavs/0.wav", excluded=True)
    revise_utterance(session.voice, "wavs/1.wav", trim=(10.0, 40.0))
    assert (session.progress().minutes, session.progress().phrases) == (2.5, 3)


@pytest.mark.parametrize(
    ("phrases", "seconds", "kind", "value", "key"),
    [
        (0, 1, "minutes", 5, "goal_first"),
        (20, 16, "minutes", 20, "goal_strong"),
        (40, 31, "phrases", 50, "goal_phrases"),
        (50, 31, "phrases", 100, "goal_phrases"),
        (499, 31, "phrases", 500, "goal_phrases"),
        (500, 31, "phrases", 500, "goal_reached"),
    ],
)
def test_the_next_useful_amount(
    session: Session, phrases: int, seconds: float, kind: str, value: int, key: str
) -> None:
    rows = [Utterance(f"wavs/{n}.wav", f"text {n}", duration=float(seconds)) for n in range(phrases)]
    append_utterances(session.voice, rows)
    goal = session.progress().goal
    assert (goal.kind, goal.value, goal.text_key) == (kind, value, key)


def test_a_take_far_from_the_usual_pace_is_hinted_at_and_saved(session: Session) -> None:
    for number in range(8):
        record(session, replace(PHRASES[0], id=f"x{number}"), seconds=1.0, seed=number)
    for again in (session, Session(session.voice)):  # a later day's session knows it too
        slow = record(again, replace(PHRASES[1], text="Briefly"), seconds=9.0)
        assert slow.utterance in read_manifest(session.voice).utterances
        assert "rate_slow" in [hint.kind for hint in slow.heard.hints]


def test_a_voice_that_is_full_says_so(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ownvoice.data.session.MAX_UTTERANCES", 2)
    record(session, PHRASES[0])
    record(session, PHRASES[1])
    with pytest.raises(DataError, match="holds 2 recordings"):
        record(session, PHRASES[2])


def test_recording_again_needs_something_to_replace(session: Session) -> None:
    with pytest.raises(DataError, match="no recording 'nothing' to replace"):
        session.start("hello", 16000, replaces="nothing")
    first = record(session, PHRASES[0])
    record(session, PHRASES[0], replaces=str(first.utterance.id))
    assert len(read_manifest(session.voice).utterances) == 1
    assert states(session)[0] == "saved"


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Anna", "Anna"), ("  Zoë   B. C ", "Zoë B. C"), ("मेरी आवाज़", "मेरी आवाज़"), ("a" * 60, "a" * 60)],
)
def test_a_voice_is_made_for_its_owner_alone(tmp_path: Path, name: str, folder: str) -> None:
    settings = VoiceSettings(language="fr", transcript_style="verbatim", consent="Yes.")
    voice = create_voice(tmp_path / "voices", name, settings)
    assert voice.path.name == folder
    assert voice.path.stat().st_mode & 0o777 == 0o700
    assert read_voice_settings(voice) == settings
    assert read_manifest(voice).everything == []


@pytest.mark.parametrize(
    "name", ["", "   ", ".", "..", ".hidden", "a/b", "a\\b", "a:b", "x" * 61, "a\nb\0", "a.", "\u202ea"]
)
def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError):
        create_voice(tmp_path / "voices", name, VoiceSettings())
    assert list((tmp_path).rglob("*")) in ([], [tmp_path / "voices"])


def test_a_voice_that_is_there_is_left_alone(tmp_path: Path) -> None:
    create_voice(tmp_path, "Anna", VoiceSettings(language="fr"))
    with pytest.raises(NameTakenError, match="already a voice"):
        create_voice(tmp_path, "Anna", VoiceSettings(language="de"))
    assert read_voice_settings(create_voice(tmp_path, "Ben", VoiceSettings())).language == "en"
    with pytest.raises(ConfigError):
        VoiceSettings.make({"language": "auto"})
