"""The page on which phrases are read and recorded; what it talks to is ``recording.py`` and ``own_phrases.py``."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.phrases import TOPICS
from ownvoice.data.phrases.next_up import latest_evaluated
from ownvoice.data.phrases.own_words import WordKind
from ownvoice.data.phrases.source import source_languages
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import page

router = APIRouter()


@router.get("/voices/{voice}/record")
def show(request: Request, voice: Voice) -> HTMLResponse:
    return page(
        request,
        "record.html",
        ("record", "languages"),
        voice=voice.path.name,
        codes=list(VOXTRAL_LANGUAGES),
        language=read_voice_settings(voice).language or "en",
        sources=source_languages(voice),
        topics=TOPICS,
        is_judged=latest_evaluated(voice) is not None,
        has_model=any(run.has_model for run in voice.started_runs()),
        kinds_of_words=get_args(WordKind),
    )
