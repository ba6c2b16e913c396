"""Names and words of a person's own: read from whatever list there is, put into sentences, kept with the voice."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import get_args

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES, VoiceSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.phrases import TOPICS, Phrase, load_bank
from ownvoice.data.phrases.bank import count_words
from ownvoice.data.phrases.own import add_own_phrases, own_phrases
from ownvoice.data.phrases.own_words import (
    WordKind,
    carrier_languages,
    phrases_about,
    words_from_file,
    words_from_text,
)
from ownvoice.data.phrases.source import find_phrase, provenance
from ownvoice.data.session import Session
from ownvoice.data.voice_settings import write_voice_settings
from ownvoice.errors import ConfigError, ManifestError, SourceError, UsageError
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return VoiceFolder(tmp_path / "voice")


def test_each_of_voxtrals_languages_has_sentences() -> None:
    assert set(carrier_languages()) == set(VOXTRAL_LANGUAGES)


@pytest.mark.parametrize("kind", get_args(WordKind))
@pytest.mark.parametrize("language", VOXTRAL_LANGUAGES)
def test_every_word_gets_different_short_sentences(language: str, kind: WordKind) -> None:
    phrases = phrases_about(["Zuzana", "Ogilvie"], language, kind, each=5)
    assert len({phrase.text for phrase in phrases}) == 10
    for phrase in phrases:
        assert phrase.about in ("Zuzana", "Ogilvie") and phrase.about in phrase.text
        assert phrase.words == count_words(phrase.text) <= 12
        assert phrase.text[0] in "¿¡" or phrase.text[0] == phrase.text[0].upper()
        assert phrase.text[-1] in ".?!।" and "{" not in phrase.text
    places = [phrase.text.index("Zuzana") / len(phrase.text) for phrase in phrases if phrase.about == "Zuzana"]
    assert min(places) < 0.1 and max(places) > 0.3  # it stands at the beginning, and later on


def test_neighbours_differ_and_the_same_words_give_the_same_sentences() -> None:
    one, two = phrases_about(["Ana", "Bea"], "es", each=3)[::3]
    assert one.text.replace("Ana", "") != two.text.replace("Bea", "")
    assert phrases_about(["Ana", "Bea", "Ana"], "es", each=3)[0] == one


@pytest.mark.parametrize(
    ("words", "language", "each", "complaint"),
    [
        (["Ana"], "pl", 4, "Choose one of de, en"),
        (["Ana"], "en", 2, "Choose 3 to 5"),
        (["12"], "en", 4, "'12' has no letters"),
        (["my friend from the old house"], "en", 4, "is a sentence, and no name"),
    ],
)
def test_what_makes_no_sentence_is_said(words: list[str], language: str, each: int, complaint: str) -> None:
    with pytest.raises((ConfigError, UsageError), match=complaint):
        phrases_about(words, language, each=each)


def test_pasted_words_may_be_parted_in_any_way() -> None:
    assert words_from_text(" Ana, Bea ;Carl\n\nDora  Quinn\nAna") == ["Ana", "Bea", "Carl", "Dora Quinn"]


VCARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Okafor;Chi;;;\r\nFN:Chi Okafor\r\nTEL:1\r\nNOTE:FN:nobody\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:4.0\r\nitem1.FN;CHARSET=UTF-8:Maximilian Obermay\r\n er\\, Dr.\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:2.1\r\nFN;ENCODING=QUOTED-PRINTABLE:Jos=C3=A9 Nu=C3=B1=\r\nez\r\nEND:VCARD\r\n"
)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("names.txt", "Ana\nBea Quinn\n", ["Ana", "Bea Quinn"]),
        ("book.csv", 'Name,Phone\n"Quinn, Bea",12\nAna,\n,5\n', ["Quinn, Bea", "Ana"]),
        ("book.csv", "First Name;Last Name;E-mail\nAna;Ruiz;a@b\nBea;;\n", ["Ana Ruiz", "Bea"]),
        ("book.tsv", "Phone\tFull Name\n1\tAna Ruiz\n", ["Ana Ruiz"]),
        ("list.csv", "Ana\nBea\n", ["Ana", "Bea"]),
        ("book.vcf", VCARD, ["Chi Okafor", "Maximilian Obermayer, Dr.", "José Nuñez"]),
    ],
)
def test_names_are_read_from_lists_tables_and_address_books(
    tmp_path: Path, name: str, content: str, expected: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode("utf-8"))
    assert words_from_file(path) == expected


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("book.csv", "Phone,Mail\n1,a\n", "has no column of names"),
        ("book.vcf", "BEGIN:VCARD\nTEL:1\nEND:VCARD\n", "holds no names"),
        ("names.txt", " \n", "holds no names"),
        ("names.txt", "\0", "is not plain text"),
    ],
)
def test_a_file_without_names_is_said(tmp_path: Path, name: str, content: str, complaint: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=complaint):
        words_from_file(path)


def test_what_a_person_brought_is_kept_once_for_them_alone(voice: VoiceFolder) -> None:
    assert own_phrases(voice) == ()
    ana, text = phrases_about(["Ana"], "en"), (Phrase("own-1", "Good evening.", None, 2, None),)
    assert add_own_phrases(voice, [*ana, *text]) == (*ana, *text)
    assert add_own_phrases(voice, [*text, *phrases_about(["Bea"], "en")]) == phrases_about(["Bea"], "en")
    assert own_phrases(voice) == (*ana, *text, *phrases_about(["Bea"], "en"))
    assert stat.S_IMODE(voice.own_phrases.stat().st_mode) == 0o600


def test_a_line_cut_off_is_passed_over_and_then_put_aside(voice: VoiceFolder) -> None:
    kept = add_own_phrases(voice, phrases_about(["Ana"], "en"))
    with voice.own_phrases.open("ab") as file:
        file.write(b'{"id": "own-9", "te')
    assert own_phrases(voice) == kept
    new = add_own_phrases(voice, phrases_about(["Bea"], "en"))
    assert own_phrases(voice) == kept + new
    assert voice.torn_own_phrases.read_bytes() == b'{"id": "own-9", "te\n'


def test_a_line_that_is_no_phrase_is_named(voice: VoiceFolder) -> None:
    add_own_phrases(voice, phrases_about(["Ana"], "en"))
    with voice.own_phrases.open("ab") as file:
        file.write(b'{"name": "Ana"}\n')
    with pytest.raises(ManifestError, match=r"line 5: is no phrase"):
        own_phrases(voice)


def test_topics_are_those_of_the_banks_alone() -> None:
    assert {phrase.topic for phrase in phrases_about(["Ana"], "de", "place")}.isdisjoint(TOPICS)


def test_a_recording_keeps_where_its_text_is_from(voice: VoiceFolder) -> None:
    (ana, *_) = add_own_phrases(voice, phrases_about(["Ana"], "es"))
    assert find_phrase(ana.id, "es", voice) == ana
    assert provenance(ana) == {"about": "Ana"}
    (built_in, *_) = load_bank("es")
    assert find_phrase(built_in.id, "es", voice) == built_in
    assert provenance(built_in) == {"text_source": "ownvoice", "text_licence": "Apache-2.0"}
    for unknown in ("es-00000000", "own-00000000", "granary-es-00000000", "own-../x", ""):
        assert find_phrase(unknown, "es", voice) is None
    voice.own_phrases.write_text("{}\n", encoding="utf-8")
    assert find_phrase(ana.id, "es", voice) is None  # said where they are listed, not where somebody is about to speak


def test_a_take_recorded_in_a_session_keeps_it(voice: VoiceFolder) -> None:
    write_voice_settings(voice, VoiceSettings(language="es"))
    (ana, *_) = add_own_phrases(voice, phrases_about(["Ana"], "es"))
    session = Session(voice)
    for phrase_id in (ana.id, load_bank("es")[0].id, None):
        take = session.start("Ana llega hoy.", 16_000, phrase_id=phrase_id)
        session.takes.append(take.id, 0, (murmur(1.0, seed=1) * 32767).astype("<i2").tobytes())
        session.finish(take.id)
    assert [dict(row.extra) for row in read_manifest(voice).utterances] == [
        {"about": "Ana"},
        {"text_source": "ownvoice", "text_licence": "Apache-2.0"},
        {},
    ]
