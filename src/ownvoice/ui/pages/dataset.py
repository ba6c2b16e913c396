"""A voice's recordings: listed, heard, corrected, set aside, checked, exported.

How they are searched is told in ``data/listing.py``, what is found wrong and how it is mended in ``data/check.py`` and
``data/mends.py``, exporting in ``data/export.py``. Recording one again is the record page's.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from ownvoice.data.computed import forget_deleted
from ownvoice.data.export import export_folder, stream_zip, wav_bytes
from ownvoice.data.importers.tables import check_text
from ownvoice.data.listing import Share, Status, find_utterance, list_utterances, with_length
from ownvoice.data.manifest import revise_utterance
from ownvoice.data.mends import Finding, find_mends
from ownvoice.data.recording import load_recording, recording_of
from ownvoice.data.shelf import counted_seconds
from ownvoice.data.utterance import LONGEST_TEXT, Utterance, utterance_id
from ownvoice.errors import DataError
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError, page

router = APIRouter()

PAGE_ROWS = 50
"""Recordings shown at a time."""


class Change(BaseModel):
    """What the person changes of an utterance; what is left out stays as it is."""

    text: str | None = Field(None, max_length=LONGEST_TEXT)
    excluded: bool | None = None
    trim: tuple[float, float] | None = None
    """Given as null, the trim is taken away."""


@router.get("/voices/{voice}/dataset")
def show(request: Request, voice: Voice) -> HTMLResponse:
    forget_deleted(voice)
    return page(request, "dataset.html", "dataset", voice=voice.path.name, page_rows=PAGE_ROWS)


@router.get("/voices/{voice}/utterances")
def listing(
    voice: Voice,
    query: Annotated[str, Query(max_length=500)] = "",
    status: Status = "all",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE_ROWS,
) -> dict[str, Any]:
    """One page of the recordings that fit the search, the latest first, and the minutes of the whole voice."""
    found = list_utterances(voice, query=query, status=status, offset=offset, limit=limit)
    return {
        "rows": [_row(utterance) for utterance in found.rows],
        "total": found.total,
        "used": _share(found.used),
        "excluded": _share(found.excluded),
    }


@router.get("/voices/{voice}/utterances/{utterance:path}/audio", response_model=None)
def audio(voice: Voice, utterance: str, trimmed: bool = False) -> Response:
    """The recording as a WAV; ``trimmed`` gives the part that counts."""
    recording = recording_of(voice, _existing(voice, utterance))
    if not recording.path.is_file():
        raise PageError(404, "this recording is missing", mend="Record it again, or exclude it.")
    if trimmed and recording.trim is not None:
        return Response(wav_bytes(load_recording(recording)), media_type="audio/wav")
    return FileResponse(recording.path, media_type="audio/wav")


@router.get("/voices/{voice}/utterances/{utterance:path}")
def one(voice: Voice, utterance: str) -> dict[str, Any]:
    return _row(with_length(voice, _existing(voice, utterance)))


@router.patch("/voices/{voice}/utterances/{utterance:path}")
def change(voice: Voice, utterance: str, changed: Change) -> dict[str, Any]:
    """Correct an utterance; nothing is deleted. The answer says how it was, so that it can be undone."""
    before = _existing(voice, utterance)
    fields: dict[str, Any] = {}
    if changed.text is not None:
        fields["text"] = check_text(changed.text)
    if changed.excluded is not None:
        fields["excluded"] = changed.excluded
    if "trim" in changed.model_fields_set:
        fields["trim"] = changed.trim
    was = {name: getattr(before, name) for name in fields}
    return {**_row(with_length(voice, revise_utterance(voice, utterance, **fields))), "was": was}


@router.get("/voices/{voice}/findings")
def findings(voice: Voice) -> dict[str, list[dict[str, Any]]]:
    """What ``ownvoice check`` finds, with what a click can do about each."""
    return {"findings": [_finding(finding) for finding in find_mends(voice)]}


@router.get("/voices/{voice}/export.zip")
def download(voice: Voice) -> StreamingResponse:
    """A zip of what counts, made while it is sent."""
    headers = {"content-disposition": "attachment; filename=recordings.zip"}
    return StreamingResponse(stream_zip(voice), media_type="application/zip", headers=headers)


@router.post("/voices/{voice}/exports", status_code=201)
def export(voice: Voice) -> dict[str, str]:
    """Write an export into the voice's own folder and say where."""
    return {"folder": str(export_folder(voice).resolve())}


def _existing(voice: VoiceFolder, name: str) -> Utterance:
    try:
        return find_utterance(voice, name)
    except DataError as error:
        raise PageError(404, error.what, mend=error.mend) from None


def _row(utterance: Utterance) -> dict[str, Any]:
    return {
        "id": utterance_id(utterance),
        "text": utterance.text,
        "excluded": utterance.excluded,
        "trim": utterance.trim,
        "duration": utterance.duration,
        "seconds": round(counted_seconds(utterance), 2),
        "source": utterance.source,
        "take": utterance.take,
        "phrase_id": utterance.phrase_id,
        "created": utterance.created,
    }


def _share(share: Share) -> dict[str, float]:
    return {"utterances": share.utterances, "seconds": round(share.seconds, 1)}


def _finding(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    return {
        "severity": problem.severity,
        "kind": problem.kind,
        "file": problem.file,
        "line": problem.line,
        "message": problem.message,
        "mend": problem.mend,
        "row": None if finding.utterance is None else _row(finding.utterance),
        "mends": [{"kind": mend.kind, "changes": mend.changes} for mend in finding.mends],
    }
