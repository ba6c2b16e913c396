"""Prompts to speak freely to: questions and drawings. Read speech alone does not teach conversation.

What was said is written down by the current model and corrected by the person; who that model is, is the caller's
business. The drawings are original and were made for this project; each is described in words for who cannot see it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ownvoice.data.utterance import Utterance
from ownvoice.errors import ConfigError, UsageError

_PROMPTS = Path(__file__).parent / "prompts"

FREE_SPEECH = "free speech"
"""The ``source`` of recordings made this way."""


@dataclass(frozen=True)
class Prompt:
    """Something to talk about for a few sentences."""

    id: str
    text: str
    picture: Path | None
    """An SVG drawing to talk about; None for a question."""
    description: str | None
    """What the drawing shows, in words; None for a question."""


@dataclass(frozen=True)
class FreeAnswer:
    """What a person said to a prompt."""

    prompt: Prompt
    audio: Path
    draft: str
    """As the model wrote it, for the person to correct."""


def prompt_languages() -> tuple[str, ...]:
    """Codes of the languages that have prompts, in alphabetical order."""
    return tuple(sorted(path.stem for path in _PROMPTS.glob("*.json")))


def load_prompts(language: str) -> tuple[Prompt, ...]:
    """The prompts of ``language``, questions and drawings in turn.

    Raises
    ------
    ConfigError
        when there are none; the message lists the languages that have some.
    """
    if language not in prompt_languages():
        raise ConfigError(
            f"there are no prompts in the language {language!r}", mend=f"Choose one of {', '.join(prompt_languages())}."
        )
    lines = json.loads((_PROMPTS / f"{language}.json").read_text(encoding="utf-8"))
    return tuple(
        Prompt(
            line["id"],
            line["text"],
            _PROMPTS / f"{line['picture']}.svg" if "picture" in line else None,
            line.get("description"),
        )
        for line in lines
    )


def draft_answer(prompt: Prompt, audio: Path, transcribe: Callable[[Path], str]) -> FreeAnswer:
    """Let a model write down what was said; its errors pass as they are.

    Parameters
    ----------
    transcribe
        From an audio file to its words.
    """
    return FreeAnswer(prompt, audio, " ".join(transcribe(audio).split()))


def corrected_utterance(answer: FreeAnswer, text: str, audio_path: str, language: str | None) -> Utterance:
    """The line of the manifest for an answer, with its words as the person left them.

    It has no ``phrase_id``: two answers to one question are different phrases. What the model had written stays beside
    the correction, so that one can see what it got wrong.

    Raises
    ------
    UsageError
        when ``text`` holds no words.
    """
    words = " ".join(text.split())
    if not any(character.isalnum() for character in words):
        raise UsageError("the answer has no words", mend="Write what was said, or discard the recording.")
    extra = {"prompt": answer.prompt.id, "draft": answer.draft}
    return Utterance(audio_path, words, language=language, source=FREE_SPEECH, extra=extra)
