"""Signing in with Hugging Face, and what its machines cost: for every page that reaches the Hub."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from ownvoice.credentials import Secret
from ownvoice.ui.sign_in import Me, SignedIn, has_own_login, sign_ins

router = APIRouter()


class Given(BaseModel):
    """An access token; left out, this computer's own login is meant."""

    token: SecretStr | None = Field(None, max_length=500)


@router.get("/account")
def show(request: Request) -> dict[str, Any]:
    """``{"name": null | str, "places": [str], "own_login": bool}``; no token, and the Hub is not asked."""
    return {**_told(sign_ins.of(request)), "own_login": has_own_login(request)}


@router.post("/account")
def sign_in(request: Request, response: Response, given: Given) -> dict[str, Any]:
    """Ask the Hub who this is, and keep the token in memory."""
    token = Secret(given.token.get_secret_value()) if given.token else None
    return _told(sign_ins.sign_in(request, response, token))


@router.delete("/account")
def sign_out(request: Request) -> dict[str, Any]:
    sign_ins.sign_out(request)
    return _told(None)


@router.get("/account/machines")
def machines(me: Me, purpose: Literal["spaces", "jobs"]) -> list[dict[str, Any]]:
    """``[{"name", "title", "dollars_an_hour"}]``, with today's prices."""
    from ownvoice.publishing.hardware import list_hardware

    offered = list_hardware(me.connect().hub, purpose)
    return [{"name": one.name, "title": one.title, "dollars_an_hour": one.dollars_an_hour} for one in offered]


def _told(me: SignedIn | None) -> dict[str, Any]:
    return {"name": me.name if me else None, "places": list(me.places) if me else []}
