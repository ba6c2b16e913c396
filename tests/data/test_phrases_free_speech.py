"""Prompts to speak freely to, and how an answer becomes a recording."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.manifest import read_manifest
from ownvoice.data.phrases.free_speech import find_prompt, load_prompts, prompt_languages
from ownvoice.data.session import Session
from ownvoice.errors import ConfigError, DataError, OwnvoiceError
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur


def test_each_language_has_questions_and_drawings_that_are_described() -> None:
    assert set(prompt_languages()) == set(VOXTRAL_LANGUAGES)
    for language in VOXTRAL_LANGUAGES:
        prompts = load_prompts(language)
        assert len({prompt.id for prompt in prompts}) == len(prompts) == 14
        drawn = [prompt for prompt in prompts if prompt.picture]
        assert len(drawn) == 4
        assert all(prompt.description and len(prompt.description) > 40 for prompt in drawn)
        assert all(prompt.description is None for prompt in prompts if not prompt.picture)
    with pytest.raises(ConfigError, match="Choose one of de, en"):
        load_prompts("../de")


def test_drawings_are_plain_and_ask_nothing_of_the_network() -> None:
    drawings = {prompt.picture for prompt in load_prompts("en") if prompt.picture}
    for drawing in drawings:
        root = ET.parse(drawing).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("viewBox")
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "g", "path", "rect", "circle", "ellipse"}


def test_a_prompt_is_found_in_whatever_language() -> None:
    asked = load_prompts("fr")[3]
    assert find_prompt(asked.id) == asked
    assert find_prompt("free-xx-nothing") is None


def test_an_answer_is_kept_while_it_is_spoken_and_gets_its_words_last(tmp_path: Path) -> None:
    session = Session(VoiceFolder(tmp_path / "anna"))
    prompt = load_prompts("en")[0]
    take = session.start("", 16000, language="en", prompt=prompt.id)
    session.takes.append(take.id, 0, (murmur(1.0) * 32767).astype("<i2").tobytes())
    with pytest.raises(DataError, match="nobody has written down"):
        session.finish(take.id)
    for words in (" ", "x" * 5000):
        with pytest.raises(OwnvoiceError, match="text"):
            session.finish(take.id, text=words)
    (waiting,) = Session(session.voice).takes.unfinished()
    assert (waiting.take.text, waiting.take.extra, waiting.seconds) == ("", {"prompt": prompt.id}, 1.0)
    assert session.answered() == frozenset()

    saved = session.finish(take.id, 16000, text="I had two  toasts.\n", draft="i had to toast").utterance
    (line,) = read_manifest(session.voice).everything
    assert line == saved == session.finish(take.id, 16000, text="Something else", draft="").utterance
    assert (line.text, line.source, line.phrase_id) == ("I had two toasts.", "recorder", None)
    assert line.extra == {"prompt": prompt.id, "draft": "i had to toast"}
    assert session.answered() == {prompt.id}


def test_no_take_but_an_answer_begins_without_words(tmp_path: Path) -> None:
    session = Session(VoiceFolder(tmp_path / "anna"))
    with pytest.raises(OwnvoiceError, match="text"):
        session.start("", 16000)
    with pytest.raises(DataError, match="no question 'free-en-mornings'"):
        session.start("", 16000, prompt="free-en-mornings")
    assert session.takes.unfinished() == []
