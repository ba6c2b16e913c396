"""The page on which phrases are read and recorded; what it talks to is ``recording.py``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownvoice.ui.access import Voice
from ownvoice.ui.frame import page

router = APIRouter()


@router.get("/voices/{voice}/record")
def show(request: Request, voice: Voice) -> HTMLResponse:
    return page(request, "record.html", "record", voice=voice.path.name)
