"""Spaces: secrets that cannot be read back, variables, hardware, and a build that goes through its stages."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fakes.hub.repos import Repo
from fakes.hub.state import Hub
from fakes.hub.wire import REPO, Answer, Refused, Request, route

PAID = ("t4-small", "t4-medium", "l4x1", "a10g-small", "cpu-upgrade")
WHEN = "2026-01-01T00:00:00.000Z"


@route("GET", rf"/api/spaces/{REPO}/runtime")
def runtime(hub: Hub, request: Request, repo: str) -> Answer:
    space = hub.readable(request, "space", repo)
    answer = _runtime(hub, space)
    space.stages_shown += 1
    return Answer(answer)


@route("POST", rf"/api/spaces/{REPO}/hardware")
def hardware(hub: Hub, request: Request, repo: str) -> Answer:
    space = hub.writable(request, "space", repo)
    flavour = request.json()["flavor"]
    if flavour in PAID and hub.gradio_costs:
        raise Refused(402, "You need to add a payment method to use this hardware")
    space.hardware = flavour
    return Answer(_runtime(hub, space))


@route("POST", rf"/api/spaces/{REPO}/(?P<change>sleeptime|pause|restart)")
def change(hub: Hub, request: Request, repo: str, change: str) -> Answer:
    space = hub.writable(request, "space", repo)
    if change == "restart":
        space.stages_shown = 0
    return Answer(_runtime(hub, space))


@route("POST", rf"/api/spaces/{REPO}/(?P<what>secrets|variables)")
def keep(hub: Hub, request: Request, repo: str, what: str) -> Answer:
    space, asked = hub.writable(request, "space", repo), request.json()
    _values(space, what)[asked["key"]] = asked["value"]
    return Answer(_shown(space, what))


@route("GET", rf"/api/spaces/{REPO}/(?P<what>secrets|variables)")
def show(hub: Hub, request: Request, repo: str, what: str) -> Answer:
    return Answer(_shown(hub.readable(request, "space", repo), what))


@route("DELETE", rf"/api/spaces/{REPO}/(?P<what>secrets|variables)")
def forget(hub: Hub, request: Request, repo: str, what: str) -> Answer:
    space = hub.writable(request, "space", repo)
    _values(space, what).pop(request.json()["key"], None)
    return Answer(_shown(space, what))


@route("GET", rf"/api/spaces/{REPO}/logs/(?P<kind>build|run)")
def logs(hub: Hub, request: Request, repo: str, kind: str) -> Answer:
    hub.readable(request, "space", repo)
    return Answer(_events(hub.build_log if kind == "build" else ()), headers={"Content-Type": "text/event-stream"})


def _events(lines: tuple[str, ...]) -> Iterator[bytes]:
    for line in lines:
        yield f"data: {json.dumps({'data': line, 'timestamp': WHEN})}\n\n".encode()


def _runtime(hub: Hub, space: Repo) -> dict[str, object]:
    stage = hub.space_stages[min(space.stages_shown, len(hub.space_stages) - 1)]
    failed = {"errorMessage": hub.build_log[-1]} if stage.endswith("ERROR") and hub.build_log else {}
    return {
        "stage": stage,
        "hardware": {"current": space.hardware if stage == "RUNNING" else None, "requested": space.hardware},
        "gcTimeout": 172_800,
        "storage": None,
        **failed,
    }


def _values(space: Repo, what: str) -> dict[str, str]:
    return space.secrets if what == "secrets" else space.variables


def _shown(space: Repo, what: str) -> dict[str, dict[str, str]]:
    values = _values(space, what)
    shown = {key: {"key": key, "updatedAt": WHEN} for key in values}
    if what == "variables":
        for key, value in values.items():
            shown[key]["value"] = value
    return shown
