"""Spaces: secrets that cannot be read back, variables, hardware, and a build that goes through its stages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator

from fakes.hub.repos import Repo
from fakes.hub.state import Hub
from fakes.hub.wire import REPO, Answer, Refused, Request, route

PAID = ("t4-small", "t4-medium", "l4x1", "a10g-small", "cpu-upgrade")
WHEN = "2026-01-01T00:00:00.000Z"


@route("GET", rf"/api/spaces/{REPO}/runtime")
def runtime(hub: Hub, request: Request, repo: str) -> Answer:
    space = hub.readable(request, "space", repo)
    if hub.space_python:
        _run(hub, space)
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
    lines = hub.build_log if kind == "build" else hub.spaces[repo].log if repo in hub.spaces else ()
    return Answer(_events(lines), headers={"Content-Type": "text/event-stream"})


def _events(lines: tuple[str, ...]) -> Iterator[bytes]:
    for line in lines:
        yield f"data: {json.dumps({'data': line, 'timestamp': WHEN})}\n\n".encode()


class RunningSpace:
    """The process of a Space: its folder as it was pushed, its variables and secrets as environment."""

    def __init__(self, hub: Hub, space: Repo) -> None:
        self.commit = space.commits[-1].oid
        self.environment = space.variables | space.secrets
        self.folder = hub.folder / f"space-{len(list(hub.folder.iterdir()))}"
        self.folder.mkdir()
        for path, file in space.files.items():
            (self.folder / path).write_bytes(hub.content(file.sha256))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GRADIO_SERVER_PORT": str(self.port)}
        environment |= {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        environment |= {"GRADIO_TEMP_DIR": str(self.folder / "uploads"), "OMP_NUM_THREADS": "1"}
        with (self.folder / "log.txt").open("wb") as log:
            self.process = subprocess.Popen(
                [hub.space_python, "app.py"],
                cwd=self.folder,
                env=environment | self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stage(self) -> str:
        if self.process.poll() is not None:
            return "RUNTIME_ERROR"
        with socket.socket() as probe:
            return "APP_STARTING" if probe.connect_ex(("127.0.0.1", self.port)) else "RUNNING"

    @property
    def log(self) -> tuple[str, ...]:
        return tuple((self.folder / "log.txt").read_text().splitlines())

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def _run(hub: Hub, space: Repo) -> None:
    """Start a Space that has an app, anew when its files, variables or secrets have changed."""
    running = hub.spaces.get(space.name)
    if "app.py" not in space.files:
        return
    if running and (running.commit, running.environment) == (space.commits[-1].oid, space.variables | space.secrets):
        return
    if running:
        running.stop()
    hub.spaces[space.name] = RunningSpace(hub, space)


def _runtime(hub: Hub, space: Repo) -> dict[str, object]:
    stage = hub.space_stages[min(space.stages_shown, len(hub.space_stages) - 1)]
    if hub.space_python:
        stage = hub.spaces[space.name].stage if space.name in hub.spaces else "NO_APP_FILE"
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
