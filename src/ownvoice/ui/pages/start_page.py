"""The first page: every voice in the folder, and a way to make one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownvoice.ui.access import Voices
from ownvoice.ui.frame import page

router = APIRouter()


@router.get("/")
def show(request: Request, voices: Voices) -> HTMLResponse:
    return page(request, "start.html", "start", names=sorted(path.name for path in voices.glob("[!.]*/")))
