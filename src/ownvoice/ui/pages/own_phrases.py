"""Takes in what a person wants to read of their own: a text, or names and words, which are put into sentences."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ownvoice.data.phrases import Phrase
from ownvoice.data.phrases.own import add_own_phrases
from ownvoice.data.phrases.own_text import phrases_from_text
from ownvoice.data.phrases.own_words import WordKind, phrases_about, words_from_text
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError

router = APIRouter(prefix="/voices/{voice}")

MOST_LETTERS = 100_000
"""Of what is brought at once: a book of fifty pages."""


class Brought(BaseModel):
    """What the person wrote or pasted, and what it is."""

    model_config = ConfigDict(extra="forbid")

    kind: WordKind | Literal["text"]
    text: str = Field(max_length=MOST_LETTERS)


@router.post("/own-phrases", status_code=201)
def add_phrases(voice: Voice, brought: Brought) -> dict[str, int]:
    """Keep phrases made of what was brought with the voice; ``added`` is how many of them are new."""
    phrases = _phrases_of(brought, voice)
    if not phrases:
        raise PageError(422, "there are no words in it", mend="Write or paste some words.")
    return {"phrases": len(phrases), "added": len(add_own_phrases(voice, phrases))}


def _phrases_of(brought: Brought, voice: VoiceFolder) -> tuple[Phrase, ...]:
    if brought.kind == "text":
        return phrases_from_text(brought.text)
    return phrases_about(words_from_text(brought.text), read_voice_settings(voice).language or "en", brought.kind)
