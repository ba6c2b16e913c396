"""What is known of a voice as a whole, and deleting it with undo.

Changing the settings is ``POST /voices/{voice}/settings`` in ``voices.py``.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownvoice.config import VOXTRAL_LANGUAGES, VoiceSettings
from ownvoice.data.shelf import purge_voice, restore_voice, summarise, trash_voice
from ownvoice.data.takes import Takes
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import ConfigError
from ownvoice.ui.access import Voice, Voices
from ownvoice.ui.frame import PageError, page
from ownvoice.workflow.runs import runs_of
from ownvoice.workflow.sharing import is_working

router = APIRouter()


@router.get("/voices/{voice}/settings")
def show(request: Request, voice: Voice) -> HTMLResponse:
    """The page; where the settings cannot be read it says so, and they can be set anew."""
    try:
        settings, fault = read_voice_settings(voice), None
    except ConfigError as error:
        settings, fault = VoiceSettings(), error.what
    return page(
        request,
        "settings.html",
        ("start", "languages"),
        voice=voice.path.name,
        settings=settings,
        fault=fault,
        summary=summarise(voice),
        runs=len(voice.started_runs()),
        folder=str(voice.path.resolve()),
        hosted=request.app.state.hosted,
        codes=list(VOXTRAL_LANGUAGES),
    )


@router.delete("/voices/{voice}")
def delete(voice: Voice, voices: Voices) -> dict[str, str]:
    """Move the voice into the trash; the key brings it back. Not while somebody or a run writes into it."""
    if any(found.is_live for found in Takes(voice).unfinished()):
        raise PageError(409, "somebody is recording into this voice", mend="Stop recording, then delete it.")
    if any(not run.is_over for run in runs_of(voice)):
        what = "a model is being taught in this voice, or waits to be"
        raise PageError(409, what, mend="Pause or cancel that first, on the page Teach.")
    if is_working(voice):
        raise PageError(409, "something of this voice is being shared", mend="Wait until that is done.")
    return {"key": trash_voice(voices, voice.path.name).key}


@router.post("/trash/{key}/restore")
def restore(key: str, voices: Voices) -> dict[str, str]:
    return {"name": restore_voice(voices, key)}


@router.delete("/trash/{key}")
def purge(key: str, voices: Voices) -> dict[str, str]:
    """Delete a voice in the trash for good."""
    purge_voice(voices, key)
    return {}
