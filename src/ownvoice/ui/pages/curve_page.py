"""Is it worth recording more? What the model learned from a quarter, a half and all of the recordings."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from ownvoice.errors import OwnvoiceError
from ownvoice.evaluation.charts import scale_to
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import page
from ownvoice.ui.runs import address_of, run_of
from ownvoice.workflow.learning_curve import LearningCurve, learning_curve_of, start_learning_curve

router = APIRouter()


class Wanted(BaseModel):
    run: str = Field(max_length=200)
    """The training to compare with."""


@router.get("/voices/{voice}/curve")
def show(request: Request, voice: Voice, run: str | None = None) -> HTMLResponse:
    """The page; ``run`` is the training that a new curve would belong to."""
    fault = None
    curve: LearningCurve | None = None
    try:
        curve = learning_curve_of(voice)
    except OwnvoiceError as error:  # a deleted run, say: the person can ask anew
        fault = error.what
    return page(
        request,
        "curve.html",
        ("results", "training", "curve"),
        part_of="train",
        voice=voice.path.name,
        run=run,
        fault=fault,
        **_shown(voice, curve),
    )


@router.post("/voices/{voice}/curve", status_code=201)
def start(voice: Voice, wanted: Wanted) -> dict[str, Any]:
    """Queue the trainings on parts of the recordings; answers with ``LearningCurve.to_json``."""
    return start_learning_curve(run_of(voice, wanted.run)).to_json()


def _shown(voice: VoiceFolder, curve: LearningCurve | None) -> dict[str, Any]:
    points = curve.points if curve else ()
    return {
        "curve": curve,
        "points": [(point, address_of(RunFolder(voice.runs / point.run))) for point in points],
        "under_way": sum(point.state in ("queued", "preparing", "running") for point in points),
        "scale": scale_to(max((point.high for point in points if point.high is not None), default=0.0)),
    }
