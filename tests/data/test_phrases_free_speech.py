"""Prompts to speak freely to, and how an answer becomes a line of the manifest."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.phrases.free_speech import corrected_utterance, draft_answer, load_prompts, prompt_languages
from ownvoice.errors import ConfigError, UsageError


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


def test_the_model_drafts_and_the_person_has_the_last_word() -> None:
    prompt = load_prompts("en")[0]
    heard: list[Path] = []

    def transcribe(audio: Path) -> str:
        heard.append(audio)
        return " i had to  toast "

    answer = draft_answer(prompt, Path("take.wav"), transcribe)
    assert (heard, answer.draft) == ([Path("take.wav")], "i had to toast")
    line = corrected_utterance(answer, "I had two  toasts.\n", "wavs/0001.wav", "en")
    assert (line.text, line.source, line.phrase_id) == ("I had two toasts.", "free speech", None)
    assert line.extra == {"prompt": prompt.id, "draft": "i had to toast"}
    with pytest.raises(UsageError, match="has no words"):
        corrected_utterance(answer, " … ", "wavs/0001.wav", "en")
