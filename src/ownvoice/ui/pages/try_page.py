"""Trying a model: both models hear the same words; questions to answer freely; dictation, phrase by phrase.

The models are in a process of their own (``workflow/listening.py``); a WebSocket to it is passed on as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import cache
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ownvoice.data.phrases.free_speech import load_prompts, prompt_languages
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import OwnvoiceError
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.access import Voice, voice_of
from ownvoice.ui.frame import PageError, page
from ownvoice.ui.pages.recording import session_of
from ownvoice.ui.runs import Run, date_of, run_of, watches
from ownvoice.workflow.listening import Listener, Which
from ownvoice.workflow.models import mine

router = APIRouter()


@cache
def listener() -> Listener:
    """The one listening process of this server."""
    return Listener()


@router.get("/voices/{voice}/try")
def show(request: Request, voice: Voice, run: str | None = None) -> HTMLResponse:
    """The page; ``run`` is the model to try, else the person's own, else the newest."""
    views = [view for view in map(watches.look, reversed(voice.started_runs())) if view.has_model]
    own = mine(voice)
    wanted = run or (own.path.name if own else None)
    names = [view.run.path.name for view in views]
    chosen = wanted if wanted in names else next(iter(names), None)
    language = read_voice_settings(voice).language
    return page(
        request,
        "try.html",
        ("try", "training", "record"),
        voice=voice.path.name,
        language=language,
        prompts=_prompts(voice, language or "en"),
        models=[(view.run.path.name, date_of(view), view.settings.base_model) for view in views],
        chosen=chosen,
        mine=own.path.name if own else None,
    )


@router.get("/prompts/{name}.svg")
def picture(name: str) -> FileResponse:
    """A drawing to talk about."""
    drawn = {prompt.picture.stem: prompt.picture for prompt in load_prompts("en") if prompt.picture}
    if name not in drawn:
        raise PageError(404, "there is no such picture", mend="Reload the page.")
    return FileResponse(drawn[name], media_type="image/svg+xml")


@router.post("/voices/{voice}/try/{run}/open")
def open_models(run: Run) -> dict[str, Any]:
    """Have base and tuned model loaded, unless they are; answers as :func:`readiness`."""
    return vars(listener().open(run))


@router.get("/voices/{voice}/try/{run}/open")
def readiness(run: Run) -> dict[str, Any]:
    """How far that is: ``{"state": "closed" | "opening" | "ready" | "failed", "reason"}``."""
    return vars(listener().readiness(run))


@router.post("/voices/{voice}/try/{run}/hear")
async def hear(request: Request, run: Run, model: Which) -> dict[str, str]:
    """What one of the models writes for the recording in the body."""
    sound = await request.body()
    return {"text": await run_in_threadpool(listener().hear, run, model, sound)}


@router.websocket("/voices/{voice}/try/{run}/dictation")
async def dictation(socket: WebSocket, voice: str, run: str) -> None:
    """Live dictation, as docs/serving.md tells; the first message names "base" or "tuned" as model."""
    await socket.accept()
    try:
        folder = run_of(voice_of(socket, voice), run)
        address, headers = await run_in_threadpool(listener().connection, folder)
        async with connect(f"ws://{address}/v1/dictation", additional_headers=headers, proxy=None) as behind:
            await _pass_on(socket, behind)
    except OwnvoiceError as error:
        await socket.send_json({"type": "error", "message": str(error)})
    except (ConnectionClosed, OSError):
        await socket.send_json({"type": "error", "message": "the model ended while it was listening"})
    with contextlib.suppress(RuntimeError):  # the page closed it
        await socket.close()


def _prompts(voice: VoiceFolder, language: str) -> list[dict[str, str | None]]:
    """What there is to talk about in this language, if anything: first what was not answered yet."""
    prompts = load_prompts(language) if language in prompt_languages() else ()
    answered = session_of(voice).answered()
    return [
        {
            "id": prompt.id,
            "text": prompt.text,
            "picture": f"/prompts/{prompt.picture.stem}.svg" if prompt.picture else None,
            "description": prompt.description,
        }
        for prompt in sorted(prompts, key=lambda prompt: prompt.id in answered)
    ]


async def _pass_on(socket: WebSocket, behind: ClientConnection) -> None:
    """Sound to the model and text back, until either side has closed."""
    there = asyncio.create_task(_sound(socket, behind))
    try:
        async for message in behind:
            await socket.send_text(str(message))
    except (WebSocketDisconnect, RuntimeError):  # nobody reads it any more
        return
    finally:
        there.cancel()


async def _sound(socket: WebSocket, behind: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            listener().touch()
            data: bytes | str | None = message.get("bytes")
            await behind.send(data if data is not None else message["text"])
        await behind.close()
