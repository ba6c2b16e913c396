"""The models a person has trained: what each is worth and takes; which is theirs; deleting with undo, and copies."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import click
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError, page
from ownvoice.ui.runs import Run, address_of, date_of
from ownvoice.workflow import models
from ownvoice.workflow.dashboard import open_dashboard
from ownvoice.workflow.export import FORMATS, ExportFormat
from ownvoice.workflow.exporting import Exports, ExportState

router = APIRouter()


@cache
def exports() -> Exports:
    """The exports that this server is having made."""
    return Exports()


class WantedExport(BaseModel):
    form: ExportFormat


@router.get("/voices/{voice}/models")
def show(request: Request, voice: Voice) -> HTMLResponse:
    rows = [
        {
            "model": model,
            "url": address_of(model.view.run),
            "date": date_of(model.view),
            "name": model.view.run.path.name,
        }
        for model in models.models_of(voice)
    ]
    trashed = [
        {"key": run.key, "name": run.name, "deleted": f"{run.deleted.astimezone():%Y-%m-%d %H:%M}"}
        for run in models.list_trashed_runs(voice)
    ]
    return page(
        request,
        "models.html",
        ("models", "training"),
        voice=voice.path.name,
        rows=rows,
        trashed=trashed,
        forms=FORMATS,
        is_local=request.app.state.local,
    )


@router.post("/voices/{voice}/models/{run}/mine")
def choose(voice: Voice, run: Run) -> dict[str, str]:
    models.choose(voice, run.path.name)
    return {"mine": run.path.name}


@router.delete("/voices/{voice}/models/{run}")
def delete(voice: Voice, run: Run) -> dict[str, str]:
    """Move a run with its model into the trash; ``key`` brings it back."""
    return {"key": models.trash_run(voice, run.path.name).key}


@router.post("/voices/{voice}/models/trash/{key}/restore")
def restore(voice: Voice, key: str) -> dict[str, str]:
    return {"name": models.restore_run(voice, key)}


@router.delete("/voices/{voice}/models/trash/{key}")
def purge(voice: Voice, key: str) -> dict[str, str]:
    """Delete a run in the trash for good."""
    models.purge_run(voice, key)
    return {"key": key}


@router.get("/voices/{voice}/models/{run}/exports")
def export_states(request: Request, run: Run) -> list[dict[str, Any]]:
    """``[{"form", "state": "none" | "running" | "done" | "failed", "folder", "reason"}]``."""
    return [_export(state, is_local=request.app.state.local) for state in exports().states(run)]


@router.post("/voices/{voice}/models/{run}/exports", status_code=202)
def export(request: Request, run: Run, wanted: WantedExport) -> list[dict[str, Any]]:
    exports().start(run, wanted.form)
    return export_states(request, run)


@router.post("/voices/{voice}/models/{run}/folder")
def open_folder(request: Request, run: Run) -> dict[str, str]:
    """Show the run's folder in this computer's own file manager."""
    _require_local(request)
    folder = run.path.resolve()
    if click.launch(str(folder)):
        raise PageError(422, "this computer has no program that shows folders", mend=f"The folder is {folder}")
    return {"folder": str(folder)}


@router.post("/voices/{voice}/track")
def track(request: Request, voice: Voice) -> dict[str, str]:
    """Start Trackio's page of this voice, unless it is open; answers with its address."""
    _require_local(request)
    return {"url": open_dashboard(voice)}


def _require_local(request: Request) -> None:
    if not request.app.state.local:
        raise PageError(403, "this works only on the computer that ownvoice runs on")


def _export(state: ExportState, *, is_local: bool) -> dict[str, Any]:
    folder: Path | None = state.folder.resolve() if is_local else None
    return {"form": state.form, "state": state.state, "folder": folder and str(folder), "reason": state.reason}
