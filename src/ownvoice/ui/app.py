"""The web app: frame, access and pages put together into one ASGI application.

Starting a server and opening a browser is the command line's part (``cli/app.py``).
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from ownvoice.data.take_folder import SamplesMissingError
from ownvoice.ui import access, frame
from ownvoice.ui.guard import Access
from ownvoice.ui.pages import (
    account,
    curve_page,
    dataset,
    models_page,
    own_phrases,
    record_page,
    recording,
    results_page,
    run_page,
    settings_page,
    share_page,
    start_page,
    train_page,
    try_page,
    upload,
    voices,
)
from ownvoice.workflow import queue

ROUTERS: tuple[APIRouter, ...] = (
    start_page.router, voices.router, settings_page.router, record_page.router, recording.router, own_phrases.router,
    upload.router, dataset.router, train_page.router, run_page.router, results_page.router,
    curve_page.router, try_page.router, models_page.router,
    account.router, share_page.router,
)  # fmt: skip
"""Every page and group of routes; each is a file of ``ui/pages``."""


def build_app(folder: Path, who: Access | None = None) -> FastAPI:
    """The app over the voices in ``folder``, which is made when the first voice is; trainings that wait there go on.

    Parameters
    ----------
    who
        May ask; left out, browsers on this computer.
    """
    queue.revive(folder)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.voices = folder
    app.add_exception_handler(SamplesMissingError, recording.say_what_is_missing)
    for router in ROUTERS:
        app.include_router(router)
    access.install(app, who or Access())
    frame.install(app, [route.path for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)])
    return app
