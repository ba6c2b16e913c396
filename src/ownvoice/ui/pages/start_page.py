"""The first page: the voices there are, and one button that makes a voice and begins.

Making a voice is ``POST /voices`` in ``voices.py``; deleting one, and the trash, are in ``settings_page.py``.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.shelf import list_trash, list_voices
from ownvoice.ui.access import Voices
from ownvoice.ui.frame import page

router = APIRouter()

DEFAULT_NAME = "my-voice"


@router.get("/")
def show(request: Request, voices: Voices, deleted: str | None = None) -> HTMLResponse:
    """The page; ``deleted`` is the trash's key of a voice that was deleted a moment ago."""
    trash = list_trash(voices)
    return page(
        request,
        "start.html",
        ("start", "languages"),
        voices=list_voices(voices),
        trash=trash,
        deleted=next((voice for voice in trash if voice.key == deleted), None),
        folder=str(voices.resolve()),
        hosted=request.app.state.hosted,
        name=_free_name(voices),
        codes=list(VOXTRAL_LANGUAGES),
    )


def _free_name(voices: Path) -> str:
    name, number = DEFAULT_NAME, 2
    while (voices / name).exists():
        name, number = f"{DEFAULT_NAME}-{number}", number + 1
    return name
