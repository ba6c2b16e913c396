"""Bringing in recordings one already has: the page, files in pieces, their words, a draft of them, saving.

What a batch of files is, is told in ``data/uploads.py``; which words belong to which file, in ``data/upload_words.py``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from ownvoice.data.importers import LeftOut
from ownvoice.data.upload_words import MatchedFile, Matching, match_words, paste_words, save_upload, write_words
from ownvoice.data.uploads import (
    announce_files,
    discard_upload,
    find_file,
    list_uploads,
    note,
    open_upload,
    start_upload,
    store_piece,
)
from ownvoice.errors import DataError
from ownvoice.rundir import UploadFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError, page

if TYPE_CHECKING:
    from ownvoice.workflow.draft import Drafts

router = APIRouter()

MAX_PIECE_BYTES = 2 << 20
"""Bytes of one piece; the page sends pieces of half of it."""

MAX_NAMES = 1000
"""Files announced in one request."""


class Announced(BaseModel):
    """A file the browser is going to send."""

    name: str = Field(min_length=1, max_length=1000)
    size: int = Field(ge=0)


class Announcement(BaseModel):
    files: list[Announced] = Field(max_length=MAX_NAMES)


class Change(BaseModel):
    """What the person did to a file's row."""

    text: str | None = Field(None, max_length=100_000)
    left_out: bool | None = None


class Lines(BaseModel):
    lines: str = Field(max_length=4_000_000)


class Chosen(BaseModel):
    files: list[int] | None = None
    """Numbers of the files to save now; all of them where there are none."""


def upload_of(voice: Voice, upload: str) -> UploadFolder:
    """The batch named in the path, of this voice and no other."""
    try:
        return open_upload(voice, upload)
    except DataError as error:
        raise PageError(404, error.what, mend=error.mend) from None


Upload = Annotated[UploadFolder, Depends(upload_of)]


async def piece_of(request: Request) -> bytes:
    """The body, refused as soon as it is longer than a piece may be."""
    data = bytearray()
    async for block in request.stream():
        data += block
        if len(data) > MAX_PIECE_BYTES:
            raise PageError(413, "this piece of a file is too large", mend="Reload the page.")
    return bytes(data)


@cache
def drafts() -> Drafts:
    """The drafts this server has made; imported when first asked for, as it knows training runs."""
    from ownvoice.workflow.draft import Drafts

    return Drafts()


@router.get("/voices/{voice}/upload")
def show(request: Request, voice: Voice) -> HTMLResponse:
    return page(request, "upload.html", "upload", voice=voice.path.name, piece=MAX_PIECE_BYTES // 2)


@router.get("/voices/{voice}/uploads")
def unfinished(voice: Voice) -> dict[str, list[str]]:
    """The batches that are not saved yet, the latest first."""
    return {"uploads": [upload.path.name for upload in list_uploads(voice)]}


@router.post("/voices/{voice}/uploads", status_code=201)
def begin(voice: Voice) -> dict[str, str]:
    return {"upload": start_upload(voice).path.name}


@router.get("/voices/{voice}/uploads/{upload}")
def view(voice: Voice, upload: Upload) -> dict[str, Any]:
    """The whole batch as the page shows it."""
    from ownvoice.workflow.draft import current_model

    draft = drafts().collect(upload)
    return {
        **_matching(match_words(upload)),
        "draft": {"state": draft.state, "reason": draft.reason},
        "has_model": current_model(voice) is not None,
    }


@router.delete("/voices/{voice}/uploads/{upload}")
def throw_away(upload: Upload) -> dict[str, str]:
    drafts().stop(upload)
    discard_upload(upload)
    return {}


@router.post("/voices/{voice}/uploads/{upload}/files", status_code=201)
def announce(upload: Upload, announcement: Announcement) -> dict[str, list[dict[str, Any]]]:
    """Each file's number and what is stored of it, or why it is refused; in the order they were announced."""
    outcomes = announce_files(upload, [(file.name, file.size) for file in announcement.files])
    return {
        "files": [
            {"name": outcome.name, "refused": outcome.reason}
            if isinstance(outcome, LeftOut)
            else {"name": outcome.name, "file": outcome.number, "stored": outcome.stored}
            for outcome in outcomes
        ]
    }


@router.put("/voices/{voice}/uploads/{upload}/files/{number}")
def receive(
    upload: Upload, number: int, at: Annotated[int, Query(ge=0)], piece: Annotated[bytes, Depends(piece_of)]
) -> JSONResponse:
    """A file's bytes from ``at`` on; 409 where bytes before them are missing. Either way: how many are stored."""
    file = store_piece(upload, number, at, piece)
    return JSONResponse({"stored": file.stored}, 409 if at > file.stored else 200)


@router.patch("/voices/{voice}/uploads/{upload}/files/{number}")
def change(upload: Upload, number: int, changed: Change) -> dict[str, Any]:
    file = find_file(upload, number)
    if changed.text is not None:
        write_words(upload, file.number, changed.text)
    if changed.left_out is not None:
        note(upload, [(file.number, {"left_out": changed.left_out})])
    return _matching(match_words(upload))


@router.get("/voices/{voice}/uploads/{upload}/files/{number}/audio")
def audio(upload: Upload, number: int) -> FileResponse:
    wav = upload.wav(find_file(upload, number).number)
    if not wav.is_file():
        raise PageError(404, "this file cannot be played yet", mend="Wait until it is here.")
    return FileResponse(wav, media_type="audio/wav")


@router.post("/voices/{voice}/uploads/{upload}/words")
def paste(upload: Upload, pasted: Lines) -> dict[str, Any]:
    paste_words(upload, pasted.lines)
    return _matching(match_words(upload))


@router.post("/voices/{voice}/uploads/{upload}/draft", status_code=202)
def begin_draft(voice: Voice, upload: Upload) -> dict[str, Any]:
    drafts().start(upload, voice)
    return {}


@router.delete("/voices/{voice}/uploads/{upload}/draft")
def stop_draft(upload: Upload) -> dict[str, Any]:
    drafts().stop(upload)
    return {}


@router.post("/voices/{voice}/uploads/{upload}/save")
def save(voice: Voice, upload: Upload, chosen: Chosen) -> dict[str, Any]:
    result = save_upload(upload, voice, chosen.files)
    return {
        "added": len(result.added),
        "already": len(result.left_out) - len(result.failed),
        "failed": [{"name": clip.name, "reason": clip.reason} for clip in result.failed],
        "warnings": result.warnings,
    }


def _matching(matching: Matching) -> dict[str, Any]:
    return {
        "rows": [_row(row) for row in matching.rows],
        "texts": [
            {"file": file.number, "name": file.name, "size": file.size, "stored": file.stored}
            for file in matching.texts
        ],
        "problems": [
            {"name": problem.name, "line": problem.line, "reason": problem.reason} for problem in matching.problems
        ],
        "notes": matching.notes,
    }


def _row(row: MatchedFile) -> dict[str, Any]:
    return {
        "file": row.file.number,
        "name": row.file.name,
        "size": row.file.size,
        "stored": row.file.stored,
        "seconds": row.file.seconds,
        "fault": row.file.fault,
        "text": row.text,
        "state": row.state,
    }
