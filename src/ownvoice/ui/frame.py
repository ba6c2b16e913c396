"""What every page has in common: templates, the person's language and display choices, and how errors are shown.

Knows no page and no voice's contents. Where text comes from: ``words/catalog.py``; who may see what: ``access.py``.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

import ownvoice
from ownvoice.errors import HubError, OwnvoiceError, StorageError
from ownvoice.evaluation.report import PARTIALS, percent
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.guard import secure
from ownvoice.ui.words.catalog import Words, preferred_language, words_for, written_languages

HERE = Path(__file__).parent

SIZES = ("100", "125", "150", "200")
"""Percent of the normal size of text and buttons."""

COLOURS = ("auto", "light", "dark", "contrast")

NAVIGATION = ("record", "upload", "dataset", "train", "try", "models", "publish", "settings")
"""Pages of a voice in the order of the way through them; each is ``/voices/VOICE/NAME`` once its router is there."""


class PageError(OwnvoiceError):
    """What was asked for cannot be answered; carries the HTTP status that says so."""

    def __init__(self, status: int, what: str, *, mend: str | None = None) -> None:
        super().__init__(what, mend=mend)
        self.status = status


def install(app: FastAPI, paths: Collection[str]) -> None:
    """Give ``app``, which answers on ``paths``, the static files, the navigation and pages for what goes wrong."""
    app.state.navigation = [name for name in NAVIGATION if f"/voices/{{voice}}/{name}" in paths]
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for fault in (OwnvoiceError, HTTPException, RequestValidationError):
        app.add_exception_handler(fault, _show_fault)
    app.add_exception_handler(Exception, _show_crash)


def page(
    request: Request, template: str, area: str | tuple[str, ...], status: int = 200, **context: Any
) -> HTMLResponse:
    """Answer with ``templates/TEMPLATE``, in the person's language, with the texts of ``area`` for page and script.

    The template may use ``words``, everything in ``context``, and for the navigation ``voice``, a voice's folder name,
    and ``part_of``, the page of :data:`NAVIGATION` that one without a name there belongs to.
    """
    words = _words(request, *([area] if isinstance(area, str) else area))
    html = (
        _environment()
        .get_template(template)
        .render(
            words=words,
            areas=words.entries,
            languages=written_languages(),
            size=_choice(request, "size", SIZES),
            sizes=SIZES,
            colours=_choice(request, "colours", COLOURS),
            all_colours=COLOURS,
            navigation=request.app.state.navigation,
            here=request.url.path,
            version=ownvoice.__version__,
            **{"voice": None, "part_of": None, "is_local": request.app.state.local, **context},
        )
    )
    return HTMLResponse(html, status)


def status_of(error: OwnvoiceError) -> int:
    """The HTTP status that fits an error: 507 for a full disk, 422 for what the person can mend."""
    if isinstance(error, PageError):
        return error.status
    cause = error.__cause__
    if isinstance(error, StorageError) and isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return 507
    return 422


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([HERE / "templates", PARTIALS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    return environment


def _words(request: Request, *areas: str) -> Words:
    """The texts of ``areas`` in the person's language."""
    language = preferred_language(request.cookies.get("language"), request.headers.get("accept-language", ""))
    return words_for(language, *areas)


def _choice(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    value = request.cookies.get(name)
    return value if value in allowed else allowed[0]


async def _show_fault(request: Request, error: Exception) -> Response:
    match error:
        case HubError():  # its fault is for a page that has words of its own for it
            place = _place(request, error)
            return _answer(request, status_of(error), error.what, place, error.mend, more={"fault": error.fault})
        case OwnvoiceError():
            return _answer(request, status_of(error), error.what, _place(request, error), error.mend)
        case HTTPException():
            what = "there is no such page" if error.status_code == 404 else error.detail
            return _answer(request, error.status_code, what, None, None, dict(error.headers or {}))
        case RequestValidationError():
            faults = (f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors())
            return _answer(request, 422, f"the request cannot be used ({'; '.join(faults)})", None, None)
    raise error


async def _show_crash(request: Request, error: Exception) -> Response:
    """A fault of ours, in plain words. Starlette raises it again afterwards, so that the terminal says what it was.

    This answer goes out past the guard, so it is secured here.
    """
    answer = _answer(request, 500, _words(request)("error_unexpected"), None, None)
    secure(answer.headers, request.url.path, hosted=request.app.state.hosted)
    return answer


def _place(request: Request, error: OwnvoiceError) -> str | None:
    """Where it went wrong; somebody who does not sit at this computer is told no folder of it."""
    if error.where is None or request.app.state.local:
        return error.where
    return re.split(r"[/\\]", error.where)[-1]


def _settings_page(request: Request, where: str | None) -> str | None:
    """Where the settings of a voice are set anew, if it is these that cannot be read."""
    voice = str(request.path_params.get("voice", ""))
    is_theirs = voice and where and re.split(r"[/\\]", where)[-1] == VoiceFolder(Path(voice)).settings.name
    return f"/voices/{quote(voice)}/settings" if is_theirs else None


def _answer(
    request: Request,
    status: int,
    what: str,
    where: str | None,
    mend: str | None,
    headers: Mapping[str, str] = {},
    *,
    more: Mapping[str, str] = {},
) -> Response:
    """A page for somebody who navigates, JSON for a script."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        shown = {"what": what, "where": where, "mend": mend, "settings_page": _settings_page(request, where)}
        answer: Response = page(request, "error.html", "common", status, **shown)
    else:
        answer = JSONResponse({"message": what, "where": where, "mend": mend, **more}, status)
    answer.headers.update(headers)
    return answer
