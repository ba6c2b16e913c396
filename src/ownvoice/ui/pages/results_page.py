"""What trainings brought: a run's result as a part of its page, its report as a file, and all results side by side."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse

from ownvoice.evaluation.charts import scale_to
from ownvoice.evaluation.report import PARTIALS, phrases_by_gain
from ownvoice.rundir import RunFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError, page
from ownvoice.ui.runs import Run, address_of, date_of, watches
from ownvoice.workflow.models import mine
from ownvoice.workflow.results import compare_runs, results_of

router = APIRouter()


@router.get("/marks.css")
def marks() -> FileResponse:
    """The style of the parts that the app shares with the report."""
    return FileResponse(PARTIALS / "marks.css", media_type="text/css")


@router.get("/voices/{voice}/runs/{run}/results")
def results(request: Request, run: Run) -> HTMLResponse:
    """The result as a part of a page, for the run's page to put in its place when the comparison is done."""
    return page(request, "results_part.html", ("training", "results"), **result_of(run))


@router.get("/voices/{voice}/runs/{run}/report")
def report(run: Run) -> FileResponse:
    """The evaluation's own page, to keep or to hand on."""
    if not run.evaluation_html.is_file():
        raise PageError(404, "this training was not compared with before yet")
    name = f"{run.voice.path.name}-{run.path.name}.html"
    return FileResponse(run.evaluation_html, media_type="text/html", filename=name)


@router.get("/voices/{voice}/compare")
def compare(request: Request, voice: Voice) -> HTMLResponse:
    results = compare_runs(voice)
    rows = [
        {"result": row, "url": address_of(run), "date": date_of(watches.look(run))}
        for row in results
        for run in [RunFolder(voice.runs / row.run)]
    ]
    largest = max((row.tuned_high for row in results), default=0.0)
    return page(
        request,
        "compare.html",
        ("training", "results"),
        part_of="train",
        voice=voice.path.name,
        rows=rows,
        scale=scale_to(largest),
    )


def result_of(run: RunFolder) -> dict[str, Any]:
    """What ``results.html`` shows of an evaluated run."""
    result = results_of(run)
    evaluation = result.evaluation
    home = f"/voices/{quote(run.voice.path.name)}/utterances"
    audio = [f"{home}/{quote(phrase.id, safe='')}/audio?trimmed=1" for phrase in evaluation.phrases]
    own = mine(run.voice)
    return {
        "voice": run.voice.path.name,
        "run": run.path.name,
        "result": result,
        "phrases": phrases_by_gain(evaluation, audio),
        "scale": scale_to(max(evaluation.base.wer_interval.high, evaluation.tuned.wer_interval.high)),
        "is_mine": own is not None and own.path == run.path,
        "compared": sum(other.evaluation_json.is_file() for other in run.voice.started_runs()),
    }
