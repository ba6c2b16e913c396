"""ownvoice phrases: which phrases are printed, in which order, and how fast."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ownvoice.cli import cli
from ownvoice.config import VoiceSettings
from ownvoice.data.manifest import append_utterances
from ownvoice.data.phrase_marks import mark_phrase
from ownvoice.data.phrases import load_bank
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.rundir import VoiceFolder


def phrases(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["phrases", *arguments])


def test_prints_the_first_of_the_bank_and_what_they_hold() -> None:
    done = phrases("--language", "de", "--count", "50")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [phrase.text for phrase in load_bank("de")[:50]]
    assert f"50 of {len(load_bank('de'))} phrases, with 100% of their sounds and " in done.stderr


def test_prints_the_whole_bank_in_english_when_nothing_is_asked_for() -> None:
    done = phrases()
    assert done.stdout.splitlines() == [phrase.text for phrase in load_bank("en")]
    assert "with 100% of their sounds and 100% of their pairs of sounds" in done.stderr


def test_more_than_there_are_is_all_and_said() -> None:
    done = phrases("--topic", "health", "--count", "1000", "--language", "hi")
    health = [phrase.text for phrase in load_bank("hi") if phrase.topic == "health"]
    assert done.stdout.splitlines() == health
    assert done.stderr.startswith(f"{len(health)} of {len(load_bank('hi'))} phrases")


def test_json_lines_hold_every_field_in_the_languages_own_letters() -> None:
    lines = phrases("--language", "hi", "--count", "3", "--jsonl").stdout.splitlines()
    for line, phrase in zip(lines, load_bank("hi"), strict=False):
        assert json.loads(line) == {
            "id": phrase.id,
            "text": phrase.text,
            "topic": phrase.topic,
            "words": phrase.words,
            "phones": phrase.phones,
            "source": "ownvoice",
            "licence": "Apache-2.0",
            "about": None,
        }
        assert phrase.text in line


def test_a_seed_draws_an_order_that_can_be_had_again() -> None:
    one, again, two = (phrases("--seed", seed).stdout.splitlines() for seed in ("1", "1", "2"))
    bank = [phrase.text for phrase in load_bank("en")]
    assert one == again
    assert one != two and one != bank
    assert sorted(one) == sorted(two) == sorted(bank)


def test_a_text_of_ones_own_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("Zoe is here.\nAsk Zoe.\nWhere is Zoe?\n", encoding="utf-8")
    done = phrases("--source", str(path), "--count", "2")
    assert done.stdout.splitlines() == ["Zoe is here.", "Ask Zoe."]
    assert done.stderr == "2 of 3 phrases.\n"
    assert json.loads(phrases("--source", str(path), "--count", "1", "--jsonl").stdout)["phones"] is None


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    """A voice that has recorded the first two Spanish phrases, hidden the third and found the fourth too hard."""
    voice = VoiceFolder(tmp_path / "voice")
    write_voice_settings(voice, VoiceSettings(language="es"))
    first, second, third, fourth = load_bank("es")[:4]
    append_utterances(voice, [Utterance(f"wavs/{one.id}.wav", one.text, phrase_id=one.id) for one in (first, second)])
    mark_phrase(voice, third.id, "hidden")
    mark_phrase(voice, fourth.id, "too_hard")
    return voice


def test_a_voice_is_offered_its_own_language_and_nothing_hidden_or_too_hard(voice: VoiceFolder) -> None:
    bank = [phrase.text for phrase in load_bank("es")]
    shown = phrases(str(voice.path)).stdout.splitlines()
    assert set(shown) == {*bank[:2], *bank[4:]}
    assert phrases(str(voice.path), "--search", "CAFE").stdout.splitlines() == [
        text for text in shown if "café" in text.lower() or "cafe" in text.lower()
    ]


def test_what_to_record_next_is_what_is_neither_recorded_nor_put_aside(voice: VoiceFolder) -> None:
    done = phrases(str(voice.path), "--next", "5")
    bank = [phrase.text for phrase in load_bank("es")]
    assert len(done.stdout.splitlines()) == 5
    assert not set(done.stdout.splitlines()) & set(bank[:4])
    assert "5 phrases that are not recorded yet" in done.stderr
    assert "no model of this voice was judged yet" in phrases(str(voice.path), "--next", "5", "--by", "errors").stderr


def test_names_are_brought_in_sentences_and_are_a_source_from_then_on(voice: VoiceFolder, tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("First Name,Last Name,Phone\nBegoña,Ugarte,123\nXoan,,456\n", encoding="utf-8")
    brought = phrases(str(voice.path), "--names", str(contacts)).stdout.splitlines()
    assert len(brought) == 8
    assert sum("Begoña Ugarte" in text for text in brought) == sum("Xoan" in text for text in brought) == 4
    assert phrases(str(voice.path), "--source", "own").stdout.splitlines() == brought
    assert phrases(str(voice.path), "--names", str(contacts)).stdout == ""  # nothing new


def test_what_was_printed_can_be_a_source(tmp_path: Path) -> None:
    path = tmp_path / "chosen.txt"
    printed = phrases("--language", "fr", "--count", "30").stdout
    path.write_text(printed, encoding="utf-8")
    assert phrases("--source", str(path)).stdout == printed


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--language", "pl"], 2, "no built-in phrases for the language 'pl'"),
        (["--topic", "sports"], 2, "'spelling'"),
        (["--count", "0"], 2, "0 is not in the range"),
        (["--source", "missing.txt"], 1, "missing.txt: cannot be read"),
        (["--source", "missing.txt", "--topic", "home"], 2, "Leave out --topic"),
        (["--next", "5"], 2, "--next needs a voice"),
        (["--source", "own"], 2, "--source own needs a voice"),
        (["--names", "names.txt"], 2, "--names needs a voice"),
        (["voices/nobody"], 2, "there is no such voice"),
        (["--source", "granary", "--language", "hi"], 2, "Granary has no phrases in the language 'hi'"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], code: int, complaint: str) -> None:
    done = phrases(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert complaint in done.stderr


def test_the_first_phrase_is_there_within_a_second_of_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "ownvoice", "phrases", "--count", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout == f"{load_bank('en')[0].text}\n"
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 1.0
