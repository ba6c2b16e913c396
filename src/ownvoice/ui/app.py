"""The web app: frame, access and pages put together into one ASGI application.

Starting a server and opening a browser is the command line's part (``cli/app.py``).
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from ownvoice.ui import frame
from ownvoice.ui.pages import record_page, start_page

ROUTERS: tuple[APIRouter, ...] = (start_page.router, record_page.router)
"""Every page and group of routes; each is a file of ``ui/pages``."""


def build_app(voices: Path) -> FastAPI:
    """The app over the voices in folder ``voices``, which is made when the first voice is."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.voices = voices
    for router in ROUTERS:
        app.include_router(router)
    frame.install(app, [route.path for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)])
    return app
