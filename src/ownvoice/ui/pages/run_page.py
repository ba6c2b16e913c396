"""A training in the browser: how it stands, what it did so far, and the buttons that pause, end and go on with it.

Everything shown is read from the run's folder, so a reload, a second device and a restarted server show the same. The
page asks again every second: a request of that kind reads only what is new, and survives what cuts a stream.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel

from ownvoice import events
from ownvoice.events import Cursor, read_tail
from ownvoice.ui.access import Voices
from ownvoice.ui.frame import page
from ownvoice.ui.pages.results_page import result_of
from ownvoice.ui.runs import Run, address_of, date_of, watches
from ownvoice.ui.settings_form import shown_values
from ownvoice.ui.sign_in import Me, sign_ins
from ownvoice.workflow import renting, runs
from ownvoice.workflow.run_view import RunView

LOSSES = 400
"""Points of the loss curve that a page gets at once: one for each two dots of a wide screen."""
LOG_BYTES = 64 * 1024
"""The end of the log that is shown; all of it is in the run's folder."""
router = APIRouter()


@router.get("/voices/{voice}/runs/{run}")
def show(request: Request, run: Run, voices: Voices) -> HTMLResponse:
    view = watches.look(run)
    shown = result_of(run) if run.evaluation_json.is_file() else {"result": None}
    return page(
        request,
        "run.html",
        ("run", "training", "results", "rent"),
        part_of="train",
        **{"voice": run.voice.path.name, "run": run.path.name, **shown},
        date=date_of(view),
        values=shown_values(view.settings),
        is_local=request.app.state.local,
        state=_state(view, Cursor(), voices),
    )


@router.get("/voices/{voice}/runs/{run}/state")
def state(run: Run, voices: Voices, after: str = "") -> dict[str, Any]:
    """How the run stands: ``RunView.to_json``, and what is new since the cursor ``after``.

    Besides: ``has_result`` is whether it was compared with its base, ``losses`` is ``[[step, loss], ...]``,
    ``rewritten`` whether they replace those told before, ``cursor`` what to ask after next time, ``queue`` the other
    runs that wait.
    """
    return _state(watches.look(run), Cursor.parse(after), voices)


@router.get("/voices/{voice}/runs/{run}/log")
def log(run: Run) -> PlainTextResponse:
    """The end of what the program printed."""
    try:
        with run.log.open("rb") as file:
            file.seek(max(0, run.log.stat().st_size - LOG_BYTES))
            return PlainTextResponse(file.read().decode("utf-8", errors="replace"))
    except FileNotFoundError:
        return PlainTextResponse("")


@router.post("/voices/{voice}/runs/{run}/pause")
def pause(run: Run) -> dict[str, Any]:
    runs.pause(run)
    return watches.look(run).to_json()


@router.post("/voices/{voice}/runs/{run}/cancel")
def cancel(request: Request, run: Run) -> dict[str, Any]:
    """End it; a rented machine is ended by the process that follows it, which is started for that where there is none.

    Nobody needs to be signed in while one follows; else whoever ends it is asked to be, and the wish is kept.
    """
    runs.cancel(run)
    view = watches.look(run)
    if view.remote and not view.is_followed:
        renting.attend(run, sign_ins.require(request).tokens)
    return view.to_json()


@router.post("/voices/{voice}/runs/{run}/attend", status_code=202)
def attend(run: Run, me: Me) -> dict[str, Any]:
    """Follow the rented machine of a run again."""
    renting.attend(run, me.tokens)
    return watches.look(run).to_json()


@router.post("/voices/{voice}/runs/{run}/resume")
def resume(run: Run) -> dict[str, Any]:
    runs.resume(run)
    return watches.look(run).to_json()


@router.post("/voices/{voice}/runs/{run}/evaluate")
def evaluate(run: Run) -> dict[str, Any]:
    runs.evaluate(run)
    return watches.look(run).to_json()


class Changes(BaseModel):
    """Settings that a new run has otherwise, nested as in the settings."""

    changes: dict[str, Any]


@router.post("/voices/{voice}/runs/{run}/retry", status_code=201)
def retry(run: Run, asked: Changes) -> dict[str, str]:
    """Start a new run like this one with some settings changed; answers with its page."""
    return {"url": address_of(runs.retry(run, asked.changes))}


def _state(view: RunView, after: Cursor, voices: Path) -> dict[str, Any]:
    tail = read_tail(view.run.events, after)
    steps = [record.event for record in tail.records if isinstance(record.event, events.Step)]
    kept = steps[:: 1 + len(steps) // LOSSES]
    waiting = runs.in_queue(voices)
    own_place = next((other.position for other in waiting if other.run.path == view.run.path.resolve()), None)
    return {
        **view.to_json(),
        "position": own_place,
        "has_result": view.run.evaluation_json.is_file(),
        "losses": [[step.step, step.loss] for step in kept],
        "rewritten": tail.rewritten,
        "cursor": str(tail.cursor),
        "queue": [
            {"url": address_of(other.run), "date": date_of(other), "voice": other.run.voice.path.name}
            for other in waiting
            if other.run.path.resolve() != view.run.path.resolve()
        ],
    }
