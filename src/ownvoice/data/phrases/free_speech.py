"""Prompts to speak freely to: questions and drawings. Read speech alone does not teach conversation.

The app asks them where a model can write down what was said, for the person to correct. The drawings are original and
were made for this project; each is described in words for who cannot see it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ownvoice.errors import ConfigError

_PROMPTS = Path(__file__).parent / "prompts"

PROMPT = "prompt"
"""Under it the ``extra`` of a take and its utterance keep the id of the prompt that was answered."""


@dataclass(frozen=True)
class Prompt:
    """Something to talk about for a few sentences."""

    id: str
    text: str
    picture: Path | None
    """An SVG drawing to talk about; None for a question."""
    description: str | None
    """What the drawing shows, in words; None for a question."""


def prompt_languages() -> tuple[str, ...]:
    """Codes of the languages that have prompts, in alphabetical order."""
    return tuple(sorted(path.stem for path in _PROMPTS.glob("*.json")))


@cache
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


def find_prompt(prompt_id: str) -> Prompt | None:
    """The prompt of this id, of whatever language; None where there is none."""
    prompts = (prompt for language in prompt_languages() for prompt in load_prompts(language))
    return next((prompt for prompt in prompts if prompt.id == prompt_id), None)
