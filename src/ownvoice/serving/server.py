"""The OpenAI-compatible routes: transcriptions, models, health.

    POST /v1/audio/transcriptions    GET /v1/models    GET /v1/models/{name}    GET /health    WS /v1/dictation

Who may ask and how much is decided before (:mod:`ownvoice.serving.gate`), what is heard when behind
(:mod:`ownvoice.serving.batching`). ``temperature`` and ``prompt`` are accepted and have no effect: decoding is greedy,
and a transcription prompt of Voxtral has no place for other words.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, File, Form, Request, Response, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

import ownvoice
from ownvoice.config import ServeSettings, check_language
from ownvoice.errors import AudioError, OwnvoiceError
from ownvoice.model.recording import Segment, Transcript, join
from ownvoice.serving.batching import Batcher, Job, QueueFullError, StoppingError
from ownvoice.serving.dictation import dictate
from ownvoice.serving.formats import to_openai, to_openai_verbose, to_srt, to_text, to_vtt
from ownvoice.serving.gate import error_body
from ownvoice.serving.uploads import Uploads
from ownvoice.serving.voices import Voice

_ROUTES = "POST /v1/audio/transcriptions, GET /v1/models, GET /health"
ResponseFormat = Literal["json", "verbose_json", "text", "srt", "vtt"]


class ErrorDetail(BaseModel):
    """What went wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorAnswer(BaseModel):
    error: ErrorDetail


class ModelCard(BaseModel):
    """One model that can be asked for."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["ownvoice"] = "ownvoice"


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelCard]


class Health(BaseModel):
    status: Literal["ok"] = "ok"


_FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorAnswer, "description": "The request cannot be answered as it is, or not now (429)."},
    "5XX": {"model": ErrorAnswer, "description": "The server is stopping, or could not hear the recording."},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    **_FAILURES,
    200: {
        "description": "The transcript, in the format asked for; events where stream is true.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/plain": {"schema": {"type": "string"}},
            "text/vtt": {"schema": {"type": "string"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    },
}


@dataclass(frozen=True)
class Service:
    """What the routes share."""

    voices: Mapping[str, Voice]
    batcher: Batcher
    uploads: Uploads
    settings: ServeSettings

    def voice(self, name: str) -> Voice:
        """The voice of this name, or an :class:`HTTPException` that lists those there are."""
        if name not in self.voices:
            raise HTTPException(404, f"there is no model {name!r} here; there are: {', '.join(self.voices)}")
        return self.voices[name]


def build_server(service: Service) -> FastAPI:
    """The routes, without the gate before them."""
    app = FastAPI(title="ownvoice", version=ownvoice.__version__, docs_url=None, redoc_url=None)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(OwnvoiceError, _expected_error)

    @app.get("/health")
    async def health() -> Health:
        return Health()

    @app.get("/v1/models", responses=_FAILURES)
    async def models() -> ModelList:
        return ModelList(data=[ModelCard(id=name) for name in service.voices])

    @app.get("/v1/models/{name:path}", responses=_FAILURES)
    async def model(name: str) -> ModelCard:
        return ModelCard(id=service.voice(name).name)

    @app.post("/v1/audio/transcriptions", response_class=Response, responses=_ANSWERS)
    async def transcribe(
        request: Request,
        file: Annotated[UploadFile, File(description="A recording in any common format.")],
        model: Annotated[str, Form(min_length=1, description="One of GET /v1/models.")],
        language: Annotated[
            str | None, Form(description="Two-letter code; the model's own or detected if absent.")
        ] = None,
        response_format: Annotated[ResponseFormat, Form()] = "json",
        stream: Annotated[bool, Form(description="Send events as the recording is heard.")] = False,
        prompt: Annotated[str | None, Form(description="Accepted for compatibility; has no effect.")] = None,
        temperature: Annotated[float, Form(ge=0, le=1, description="Accepted; decoding is greedy.")] = 0.0,
    ) -> Response:
        _refuse_what_is_not_there(await request.form())
        voice = service.voice(model)
        job, seconds, changed = await _accept(service, voice, file, _spoken(language, voice))
        if stream:
            return StreamingResponse(_events(service, request, job, changed), media_type="text/event-stream")
        segments = await _answer(service, request, job, changed)
        return _formatted(Transcript(tuple(join(segments)), seconds, job.language), response_format, model)

    @app.websocket("/v1/dictation")
    async def dictation(socket: WebSocket) -> None:
        await dictate(socket, service.voices, service.batcher)

    app.openapi = partial(_described, app.openapi, list(service.voices))  # type: ignore[method-assign]
    return app


def _described(made: Callable[[], dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """FastAPI's OpenAPI document, with the names of the models that are there."""
    document = made()
    for schema in document["components"]["schemas"].values():
        if {"file", "model"} <= schema.get("properties", {}).keys():
            schema["properties"]["model"]["enum"] = names
    return document


def _refuse_what_is_not_there(form: FormData) -> None:
    """Answering without what was asked for would look as if it had been given."""
    if "word" in (*form.getlist("timestamp_granularities[]"), *form.getlist("timestamp_granularities")):
        raise HTTPException(400, "there are no times of single words here; leave timestamp_granularities out")
    if "logprobs" in (*form.getlist("include[]"), *form.getlist("include")):
        raise HTTPException(400, "there are no log probabilities here; leave include out")


def _spoken(language: str | None, voice: Voice) -> str | None:
    if not language:
        return voice.language
    try:
        return check_language(language)
    except ValueError as error:
        raise HTTPException(400, str(error)) from None


async def _accept(
    service: Service, voice: Voice, file: UploadFile, language: str | None
) -> tuple[Job, float, asyncio.Event]:
    """Decode an upload and queue its windows; the event is set whenever more of it has been heard."""
    pieces, seconds = await service.uploads.read(file, voice.recogniser)
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    job = Job(voice, language, pieces, lambda: loop.call_soon_threadsafe(changed.set))
    service.batcher.submit(job)
    return job, seconds, changed


async def _answer(service: Service, request: Request, job: Job, changed: asyncio.Event) -> list[Segment]:
    """All segments of a job, in order.

    Raises whatever made the job end before, or an :class:`HTTPException` when it takes too long or nobody waits.
    """
    async with aclosing(_progress(service, request, job, changed)) as progress:
        async for _ in progress:
            pass
    return job.heard


async def _progress(
    service: Service, request: Request, job: Job, changed: asyncio.Event
) -> AsyncGenerator[list[Segment], None]:
    """What has been heard so far, each time there is more, until all is; a client that goes away ends it."""
    gone = asyncio.ensure_future(_disconnected(request))
    deadline = asyncio.get_running_loop().time() + service.settings.request_seconds
    try:
        while True:
            changed.clear()
            if job.error is not None:
                raise job.error
            yield job.heard
            if job.done:
                return
            more = asyncio.ensure_future(changed.wait())
            left = deadline - asyncio.get_running_loop().time()
            await asyncio.wait({more, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
            if gone.done():
                raise HTTPException(400, "the client went away")
            if asyncio.get_running_loop().time() >= deadline:
                raise HTTPException(503, "the recording could not be heard in time")
    finally:
        gone.cancel()
        service.batcher.cancel(job)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(service: Service, request: Request, job: Job, changed: asyncio.Event) -> AsyncIterator[str]:
    """OpenAI's server-sent events: a ``transcript.text.delta`` a segment, at the end a ``transcript.text.done``."""
    said = ""
    try:
        async with aclosing(_progress(service, request, job, changed)) as progress:
            async for segments in progress:
                text = " ".join(segment.text for segment in _settled(segments, whole=job.done) if segment.text)
                if len(text) > len(said):
                    yield _event({"type": "transcript.text.delta", "delta": text[len(said) :]})
                    said = text
        yield _event({"type": "transcript.text.done", "text": said})
    except (HTTPException, OwnvoiceError, RuntimeError, MemoryError) as error:  # the status has been sent long ago
        status, message = _status_of(error)
        yield _event(error_body(status, message))


def _settled(segments: list[Segment], *, whole: bool) -> list[Segment]:
    """The segments whose words nothing that comes can change: one cut in speech waits for the next."""
    joined = list(join(segments))
    return joined[:-1] if joined and joined[-1].cut_in_speech and not whole else joined


def _event(content: dict[str, object]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


def _formatted(transcript: Transcript, form: ResponseFormat, model: str) -> Response:
    if form == "json":
        return JSONResponse(to_openai(transcript, model))
    if form == "verbose_json":
        return JSONResponse(to_openai_verbose(transcript))
    if form == "vtt":
        return PlainTextResponse(to_vtt(transcript), media_type="text/vtt")
    return PlainTextResponse(to_srt(transcript) if form == "srt" else to_text(transcript))


def _status_of(error: Exception) -> tuple[int, str]:
    match error:
        case HTTPException():
            return error.status_code, error.detail
        case QueueFullError():
            return 429, str(error)
        case StoppingError():
            return 503, str(error)
        case AudioError():
            return 400, f"the recording {error.what}" + (f". {error.mend}" if error.mend else "")
        case OwnvoiceError():
            return 400, str(error)
        case _:  # torch's; its words may name files of this computer
            return 500, "the recording could not be heard; the server's own messages say why"


def _respond(error: Exception, headers: Mapping[str, str] | None = None) -> JSONResponse:
    status, message = _status_of(error)
    return JSONResponse(error_body(status, message), status, headers=headers)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    raised = cast("HTTPException", error)
    message = raised.detail
    if message == HTTPStatus(raised.status_code).phrase and raised.status_code in {404, 405}:  # the router's own words
        message = f"there is no {request.method} {request.url.path} here; there are: {_ROUTES}"
    return JSONResponse(error_body(raised.status_code, message), raised.status_code, headers=raised.headers)


async def _expected_error(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, QueueFullError):
        return _respond(error, {"Retry-After": str(error.retry_after)})
    return _respond(error, {"Retry-After": "5"} if isinstance(error, StoppingError) else None)


async def _bad_request(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's list of faults as one sentence, under the status OpenAI gives them."""
    wrong = cast("RequestValidationError", error).errors()
    faults = (f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}" for fault in wrong)
    return JSONResponse(error_body(400, "; ".join(faults)), 400)
