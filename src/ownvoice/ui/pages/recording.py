"""What the record page talks to: phrases with their states, takes from the first sample to "saved", the room check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from ownvoice.data.audio import decode_pcm16
from ownvoice.data.hints import RoomCheck, check_room
from ownvoice.data.phrase_marks import Mark, mark_phrase
from ownvoice.data.phrases import Phrase, bank_languages
from ownvoice.data.phrases.free_speech import PROMPT, find_prompt
from ownvoice.data.phrases.next_up import latest_evaluated, next_phrases
from ownvoice.data.phrases.source import PhraseSource, phrases_for
from ownvoice.data.session import MAX_UTTERANCES, Queue, SavedTake, Session
from ownvoice.data.take_folder import MAX_SECONDS, SamplesMissingError, Take, TakeTooLongError
from ownvoice.data.takes import NoSuchTakeError
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import OwnvoiceError
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import PageError

router = APIRouter(prefix="/voices/{voice}")

MOST_AGAINST_ERRORS = 50
"""Phrases chosen by what the model gets wrong: after so many it is worth teaching it again first."""


ROOM_SECONDS = 30
"""The most of a room that is listened to; the page sends five."""


def session_of(voice: Voice) -> Session:
    return _session(voice)


@lru_cache(maxsize=64)
def _session(voice: VoiceFolder) -> Session:
    """The session of one of the voices used last: it only remembers, so a new one goes on where it was."""
    return Session(voice)


async def raw_body(request: Request) -> bytes:
    return await request.body()


SessionOf = Annotated[Session, Depends(session_of)]
Samples16 = Annotated[bytes, Depends(raw_body)]


class TakeStart(BaseModel):
    """What is read, and what it is recorded with."""

    model_config = ConfigDict(extra="forbid")

    phrase_id: str | None = Field(None, min_length=1, max_length=200)
    text: str = ""
    sample_rate: int
    language: str | None = None
    replaces: str | None = Field(None, max_length=200)
    prompt: str | None = Field(None, max_length=200)
    """The question or drawing that is answered freely; ``text`` then comes with the end."""


class Wording(BaseModel):
    """What was said in an answer, and what a model had made of it."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(None, max_length=100_000)
    draft: str = Field("", max_length=100_000)


class TakeEnd(Wording):
    """How many samples were sent in all."""

    samples: int = Field(ge=0)


class PhraseState(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Mark


@router.get("/session")
def show_session(
    session: SessionOf,
    source: PhraseSource = "builtin",
    language: Annotated[str | None, Query(pattern="^[a-z]{2}$")] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=0, le=500)] = 10,
    search: Annotated[str, Query(max_length=200)] = "",
    topic: str | None = None,
    starred: bool = False,
    by: Literal["order", "errors"] = "order",
) -> dict[str, Any]:
    """The phrases to read, in the voice's language where none is asked for; ``by`` "errors" gives those that teach
    most against what the voice's model gets wrong."""
    settings = read_voice_settings(session.voice)
    unfinished = session.takes.unfinished()
    language = language or settings.language
    phrases = _phrases(source, language, session.voice)
    if by == "errors":
        phrases = _against_errors(session.voice, latest_evaluated(session.voice), phrases, language)
    queue = session.queue(phrases, offset, count, search=search, topic=topic, starred=starred)
    return {
        "voice": session.voice.path.name,
        "language": language,
        "transcript_style": settings.transcript_style,
        **_queue_json(queue),
        "progress": asdict(session.progress()),
        "unfinished": [
            {
                "take": found.take.id,
                "phrase_id": found.take.phrase_id,
                "text": found.take.text,
                "prompt": _asked(found.take),
                "seconds": round(found.seconds, 2),
                "started": found.take.started,
                "is_live": found.is_live,
            }
            for found in unfinished
        ],
        "limits": {"max_seconds": MAX_SECONDS, "max_takes": MAX_UTTERANCES},
    }


@router.post("/takes", status_code=201)
def start_take(session: SessionOf, start: TakeStart) -> dict[str, str]:
    take = session.start(
        start.text,
        start.sample_rate,
        phrase_id=start.phrase_id,
        language=start.language,
        replaces=start.replaces,
        prompt=start.prompt,
    )
    return {"take": take.id}


@router.put("/takes/{take}/audio")
def add_to_take(
    session: SessionOf, take: str, data: Samples16, at: Annotated[int, Query(ge=0, le=2**40)]
) -> dict[str, int]:
    with _take_faults():
        return {"samples": session.takes.append(take, at, data)}


@router.get("/takes/{take}/audio")
def hear_take(session: SessionOf, take: str) -> Response:
    """What an unfinished take holds, to decide about it."""
    with _take_faults():
        return Response(session.takes.wav(take), media_type="audio/wav")


@router.post("/takes/{take}/finish")
def finish_take(session: SessionOf, take: str, end: TakeEnd) -> dict[str, Any]:
    with _take_faults():
        return _saved_json(session.finish(take, end.samples, text=end.text, draft=end.draft))


@router.post("/takes/{take}/recover")
def recover_take(session: SessionOf, take: str, wording: Wording | None = None) -> dict[str, Any]:
    said = wording or Wording()
    with _take_faults():
        return _saved_json(session.finish(take, text=said.text, draft=said.draft))


@router.post("/takes/{take}/discard")
def discard_take(session: SessionOf, take: str) -> dict[str, str]:
    with _take_faults():
        session.takes.discard(take)
    return {"take": take}


@router.post("/takes/{take}/undiscard")
def undiscard_take(session: SessionOf, take: str) -> dict[str, str]:
    with _take_faults():
        session.takes.undiscard(take)
    return {"take": take}


@router.post("/phrases/{phrase_id}/state")
def set_phrase_state(voice: Voice, phrase_id: str, wanted: PhraseState) -> dict[str, str]:
    mark_phrase(voice, phrase_id, wanted.state)
    return {"phrase_id": phrase_id, "state": wanted.state}


@router.post("/room-check")
def room_check(
    voice: Voice, data: Samples16, sample_rate: Annotated[int, Query(ge=8000, le=384_000)]
) -> dict[str, Any]:
    """Judge a few seconds of room and voice; nothing of them is kept."""
    if not sample_rate <= len(data) // 2 <= ROOM_SECONDS * sample_rate:
        raise PageError(422, f"a check of the room takes 1 to {ROOM_SECONDS} seconds", mend="Check it again.")
    checked = check_room(decode_pcm16(data, sample_rate))
    return {**asdict(checked), "text_keys": _room_keys(checked)}


async def say_what_is_missing(request: Request, error: Exception) -> Response:
    """409 with the number of samples stored, from which on the page sends again."""
    if not isinstance(error, SamplesMissingError):
        raise error
    return JSONResponse({"samples": error.stored, "message": error.what, "where": None, "mend": error.mend}, 409)


def _phrases(source: PhraseSource, language: str | None, voice: VoiceFolder) -> tuple[Phrase, ...]:
    """The phrases of a source; none of the built-in ones where nobody has written any in this language."""
    chosen = language or "en"
    if source == "builtin" and chosen not in bank_languages():
        return ()
    return phrases_for(source, chosen, voice=voice)


@lru_cache(maxsize=16)
def _against_errors(
    voice: VoiceFolder, judged: RunFolder | None, phrases: tuple[Phrase, ...], language: str | None
) -> tuple[Phrase, ...]:
    """Chosen once for each run that was judged, so that what is recorded meanwhile keeps its place in the list."""
    return next_phrases(voice, phrases, language, MOST_AGAINST_ERRORS, by_errors=True).phrases


def _asked(take: Take) -> str | None:
    """The question that an unfinished take answers; None of one that was read."""
    name = take.extra.get(PROMPT)
    prompt = find_prompt(name) if name else None
    return prompt.text if prompt else name


def _queue_json(queue: Queue) -> dict[str, Any]:
    phrases = [
        {
            "phrase_id": queued.phrase.id,
            "text": queued.phrase.text,
            "topic": queued.phrase.topic,
            "state": queued.state,
            "starred": queued.starred,
            "utterances": [utterance_id(utterance) for utterance in queued.utterances],
            "said": _said_json(queued.utterances[-1]) if queued.utterances else None,
        }
        for queued in queue.phrases
    ]
    return {"phrases": phrases, "total": queue.total, "next": queue.next}


def _said_json(utterance: Utterance) -> dict[str, Any]:
    """The latest recording of a phrase, whose words need not be the phrase's own."""
    return {"text": utterance.text, "seconds": utterance.duration, "trim": utterance.trim}


def _saved_json(saved: SavedTake) -> dict[str, Any]:
    heard = saved.heard
    return {
        "utterance": saved.utterance.id,
        "audio_path": saved.utterance.audio_path,
        "phrase_id": saved.utterance.phrase_id,
        "text": saved.utterance.text,
        "seconds": saved.utterance.duration,
        "hints": [{"kind": hint.kind, "text_key": f"hint_{hint.kind}", "values": hint.values} for hint in heard.hints],
        "speech": heard.speech,
        "trim": saved.utterance.trim,
        "progress": asdict(saved.progress),
    }


def _room_keys(checked: RoomCheck) -> list[str]:
    """Of the sentences that say it: first the voice, then the room, where there is something to say of it."""
    return [f"voice_{checked.voice}", *([] if checked.room == "unknown" else [f"room_is_{checked.room}"])]


@contextmanager
def _take_faults() -> Iterator[None]:
    try:
        yield
    except (NoSuchTakeError, TakeTooLongError) as error:
        raise _with_status(404 if isinstance(error, NoSuchTakeError) else 413, error) from None


def _with_status(status: int, error: OwnvoiceError) -> PageError:
    return PageError(status, error.what, mend=error.mend)
