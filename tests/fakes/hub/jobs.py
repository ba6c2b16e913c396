"""Jobs: a command that runs as a process of this machine, with its log, its time limit and its end.

The image is not looked at: what a job needs must be on :attr:`~fakes.hub.state.Hub.job_path` or on PATH.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes.hub.state import Hub
from fakes.hub.wire import Answer, Refused, Request, route

NAMESPACE = r"/api/jobs/(?P<namespace>[\w.-]+)"
ONE = NAMESPACE + r"/(?P<job>[\w.-]+)"


@dataclass
class Job:
    """One job; the process may have ended."""

    id: str
    namespace: str
    asked: dict[str, Any]
    folder: Path
    stage: str = "SCHEDULING"
    message: str | None = None
    created: str = field(default_factory=lambda: _now())
    finished: str | None = None
    log: list[tuple[str, str]] = field(default_factory=list)
    """Time and text of each line."""
    process: subprocess.Popen[str] | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self, hub: Hub) -> None:
        environment = {"PATH": f"{hub.job_path}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
        environment |= {"HOME": str(self.folder), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "JOB_ID": self.id}
        environment |= {"HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self.folder.mkdir()
        self.process = subprocess.Popen(
            [*self.asked["command"], *self.asked.get("arguments", [])],
            env=environment | self.asked.get("environment", {}) | self.asked.get("secrets", {}),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.stage = "RUNNING"
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self, stage: str, message: str) -> None:
        """End the process and all it started."""
        if not self.ended.is_set() and self.process is not None:
            self.stage, self.message = stage, message
            os.killpg(self.process.pid, signal.SIGKILL)

    def _follow(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        limit = threading.Timer(
            self.asked.get("timeoutSeconds") or 1800, self.stop, ("ERROR", "Job timeout: its time limit was reached")
        )
        limit.daemon = True
        limit.start()
        for line in self.process.stdout:
            self.log.append((_now(), line.rstrip("\n")))
        code = self.process.wait()
        limit.cancel()
        if self.stage == "RUNNING":
            self.stage = "ERROR" if code else "COMPLETED"
            self.message = f"Job failed with exit code: {code}" if code else None
        self.finished = _now()
        self.ended.set()

    def shown(self) -> dict[str, Any]:
        """As the Hub shows it: secrets by their names alone."""
        owner = {"id": f"id-of-{self.namespace}", "name": self.namespace, "type": "user"}
        hidden = dict.fromkeys(self.asked.get("secrets", {}), "")
        kept = {key: value for key, value in self.asked.items() if key != "secrets"}
        return kept | {
            "id": self.id,
            "createdAt": self.created,
            "finishedAt": self.finished,
            "secrets": hidden,
            "owner": owner,
            "status": {"stage": self.stage, "message": self.message},
        }

    def events(self) -> Iterator[bytes]:
        """The log from its beginning, as server-sent events, until the job has ended."""
        sent = 0
        while True:
            over = self.ended.is_set()
            while sent < len(self.log):
                when, text = self.log[sent]
                sent += 1
                yield f"data: {json.dumps({'data': text, 'timestamp': when})}\n\n".encode()
            if over:
                return
            time.sleep(0.02)


@route("POST", NAMESPACE)
def start(hub: Hub, request: Request, namespace: str) -> Answer:
    hub.require_writer(request, f"{namespace}/a-job")
    name = f"job{len(hub.jobs) + 1:04}"
    job = Job(name, namespace, request.json(), hub.folder / name)
    hub.jobs[name] = job
    job.start(hub)
    return Answer(job.shown())


@route("GET", NAMESPACE)
def listing(hub: Hub, request: Request, namespace: str) -> Answer:
    return Answer([job.shown() for job in hub.jobs.values() if _may_see(request, job) and job.namespace == namespace])


@route("GET", ONE)
def show(hub: Hub, request: Request, namespace: str, job: str) -> Answer:
    return Answer(_find(hub, request, namespace, job).shown())


@route("GET", ONE + "/logs")
def logs(hub: Hub, request: Request, namespace: str, job: str) -> Answer:
    events = _find(hub, request, namespace, job).events()
    return Answer(events, headers={"Content-Type": "text/event-stream"})


@route("POST", ONE + "/cancel")
def cancel(hub: Hub, request: Request, namespace: str, job: str) -> Answer:
    found = _find(hub, request, namespace, job)
    hub.require_writer(request, f"{namespace}/a-job")
    found.stop("CANCELED", "Canceled by the user")
    return Answer(found.shown())


def _find(hub: Hub, request: Request, namespace: str, name: str) -> Job:
    job = hub.jobs.get(name)
    if job is None or job.namespace != namespace or not _may_see(request, job):
        raise Refused(404, "Job not found")
    return job


def _may_see(request: Request, job: Job) -> bool:
    return request.token is not None and job.namespace in (request.token.user, *request.token.orgs)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
