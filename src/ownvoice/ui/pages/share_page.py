"""Sharing in the browser: who one is, what would be made and who could read it, one yes, how far it is, taking it back.

Everything shown is read from the voice's folder, so a reload and a restarted server show the same. The page asks again
every second while something goes on.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, SecretStr

from ownvoice.credentials import Secret
from ownvoice.data.shelf import summarise
from ownvoice.publishing.repository import RepoKind
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import page
from ownvoice.ui.runs import date_of, watches
from ownvoice.ui.sign_in import Me, SignedIn, sign_ins
from ownvoice.workflow import sharing
from ownvoice.workflow.sharing_record import Step, Wanted, read_sharing

router = APIRouter()


class DemoToken(BaseModel):
    """A token that can only read, for the demo of a private model; left out, the one that is known."""

    space_token: SecretStr | None = Field(None, max_length=500)


class Choices(DemoToken):
    """What a person wants to share."""

    kinds: list[RepoKind] = Field(max_length=3)
    run: str = Field("", max_length=200)
    public: bool = False
    author: str = Field("", max_length=200)
    licence: str = Field("", max_length=100)
    conditions: str = Field("", max_length=2000)
    machine: str = Field("", max_length=100)
    compares: bool = False


class Yes(BaseModel):
    """A person's yes to the plan they saw."""

    digest: str = Field(max_length=100)
    consents: bool


class Taken(BaseModel):
    """Something shared from here that shall be deleted."""

    kind: RepoKind
    repo: str = Field(max_length=200)


@router.get("/voices/{voice}/publish")
def show(request: Request, voice: Voice, run: str = "") -> HTMLResponse:
    """The page; ``run`` names the training that is chosen at first."""
    views = [watches.look(one) for one in reversed(voice.started_runs())]
    trained = [{"name": view.run.path.name, "date": date_of(view)} for view in views if view.has_model]
    return page(
        request,
        "publish.html",
        ("share", "training"),
        voice=voice.path.name,
        recordings=summarise(voice).utterances,
        runs=trained,
        chosen=run,
        state=_state(voice, is_local=request.app.state.local),
    )


@router.get("/voices/{voice}/publish/state")
def state(request: Request, voice: Voice) -> dict[str, Any]:
    """``{"sharing": null | {...}, "shared": [{"kind", "repo", "url", "public", "when", "run"}]}``.

    ``sharing`` is what :class:`~ownvoice.workflow.sharing_record.Sharing` holds, with ``working``, whether something
    goes on, and in each step ``consent_kind``: public, private, own or none.
    """
    return _state(voice, is_local=request.app.state.local)


@router.post("/voices/{voice}/publish", status_code=202)
def look_over(request: Request, voice: Voice, me: Me, choices: Choices) -> dict[str, Any]:
    """Have it listed what would be shared; nothing is sent."""
    me = _with_token(request, me, choices)
    values = choices.model_dump(exclude={"space_token", "kinds"})
    sharing.look_over(voice, Wanted(kinds=tuple(choices.kinds), **values), me.name, me.tokens)
    return state(request, voice)


@router.post("/voices/{voice}/publish/agree", status_code=202)
def agree(request: Request, voice: Voice, me: Me, yes: Yes) -> dict[str, Any]:
    sharing.agree(voice, yes.digest, me.name, me.tokens, consents=yes.consents)
    return state(request, voice)


@router.post("/voices/{voice}/publish/go-on", status_code=202)
def go_on(request: Request, voice: Voice, me: Me, given: DemoToken) -> dict[str, Any]:
    me = _with_token(request, me, given)
    sharing.go_on(voice, me.name, me.tokens)
    return state(request, voice)


@router.delete("/voices/{voice}/publish")
def put_aside(request: Request, voice: Voice) -> dict[str, Any]:
    """Forget the plan or its end; what is on the Hub stays there."""
    sharing.put_aside(voice)
    return state(request, voice)


@router.post("/voices/{voice}/publish/withdraw")
def withdraw(request: Request, voice: Voice, me: Me, taken: Taken) -> dict[str, Any]:
    """Delete something from the Hub, with its history."""
    sharing.take_back(me.connect(), voice, taken.kind, taken.repo)
    return state(request, voice)


def _with_token(request: Request, me: SignedIn, given: DemoToken) -> SignedIn:
    if given.space_token is None:
        return me
    return sign_ins.keep_space_token(request, Secret(given.space_token.get_secret_value()))


def _state(voice: VoiceFolder, *, is_local: bool) -> dict[str, Any]:
    known = read_sharing(voice)
    shared = [
        {"kind": one.kind, "run": one.run, **asdict(one.published), "when": one.published.when[:10]}
        for one in sharing.shared_of(voice)
    ]
    if known is None:
        return {"sharing": None, "shared": shared}
    told = {**asdict(known), "working": sharing.is_working(voice)}
    told["steps"] = [{**asdict(step), "consent_kind": _consent_kind(step)} for step in known.steps]
    if known.trouble and not is_local:  # what to do may name folders of this computer
        told["trouble"] |= {"where": None, "mend": None}
    return {"sharing": told, "shared": shared}


def _consent_kind(step: Step) -> str:
    """Which text the speaker is asked to agree to, where the page has it in the person's language."""
    if not step.consent:
        return "none"
    from ownvoice.publishing.dataset import PRIVATE_CONSENT, PUBLIC_CONSENT

    return {PUBLIC_CONSENT: "public", PRIVATE_CONSENT: "private"}.get(step.consent, "own")
