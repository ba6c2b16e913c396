"""The first page: the voices there are, and one button that makes a voice and begins.

Making a voice is ``POST /voices`` in ``voices.py``; deleting one, and the trash, are in ``settings_page.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.shelf import VoiceSummary, list_trash, list_voices
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.access import Voices
from ownvoice.ui.frame import page
from ownvoice.ui.runs import address_of, watches
from ownvoice.workflow.next_step import next_step

router = APIRouter()

DEFAULT_NAME = "my-voice"


@router.get("/")
def show(request: Request, voices: Voices, deleted: str | None = None) -> HTMLResponse:
    """The page; ``deleted`` is the trash's key of a voice that was deleted a moment ago."""
    trash = list_trash(voices)
    found = list_voices(voices)
    return page(
        request,
        "start.html",
        ("start", "languages"),
        voices=found,
        steps={voice.name: _next(voices, voice) for voice in found if not voice.fault},
        trash=trash,
        deleted=next((voice for voice in trash if voice.key == deleted), None),
        folder=str(voices.resolve()),
        hosted=request.app.state.hosted,
        name=_free_name(voices),
        codes=list(VOXTRAL_LANGUAGES),
    )


def _next(voices: Path, summary: VoiceSummary) -> dict[str, Any]:
    """What to do next with a voice: the key of the sentence, its number, and the page where it is done."""
    voice = VoiceFolder(voices / summary.name)
    step = next_step(voice, summary, watches.look)
    match step.kind:
        case "record":
            url = None  # the large button of every voice
        case "learning" | "stopped":
            url = address_of(step.run) if step.run else None
        case "first_look" | "teach":
            url = f"/voices/{quote(summary.name)}/train"
        case "try":
            url = f"/voices/{quote(summary.name)}/try"
    return {"key": step.kind, "n": step.missing, "url": url}


def _free_name(voices: Path) -> str:
    name, number = DEFAULT_NAME, 2
    while (voices / name).exists():
        name, number = f"{DEFAULT_NAME}-{number}", number + 1
    return name
