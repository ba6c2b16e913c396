"""Commands on rented machines, through the Hub's Jobs API: start, look, read the log, cancel.

Knows nothing of voices and training (:mod:`ownvoice.workflow.remote` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ownvoice.publishing.hub import Hub

if TYPE_CHECKING:
    from huggingface_hub import HfApi, JobInfo

IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
"""A small system with Python and uv, which installs what the command names."""
_LABEL = "ownvoice-run"


@dataclass(frozen=True)
class JobState:
    """How a job stands."""

    id: str
    stage: str
    """The Hub's word: SCHEDULING, RUNNING, COMPLETED, CANCELED, ERROR, DELETED."""
    message: str
    """Why it ended, where the Hub says so."""

    @classmethod
    def of(cls, info: JobInfo) -> JobState:
        """From what the Hub answers."""
        stage = info.status.stage
        return cls(info.id, str(getattr(stage, "value", stage)), info.status.message or "")

    @property
    def is_over(self) -> bool:
        return self.stage not in ("SCHEDULING", "RUNNING")


def start_job(hub: Hub, owner: str, name: str, command: Sequence[str], *, machine: str, seconds: int) -> JobState:
    """Start ``command`` on a rented machine, with the person's token as a secret; once for each name.

    Parameters
    ----------
    owner
        Who pays: a person or an organisation.
    name
        Found again by it: asked twice, after an answer that was lost, one job is started.
    seconds
        The Hub ends it after this time.

    Raises
    ------
    HubError
        when the Hub refuses, for example because there is nothing to pay with.
    """

    def start(api: HfApi) -> JobState:
        for known in api.list_jobs(namespace=owner, labels={_LABEL: name}):
            if (known.labels or {}).get(_LABEL) == name:
                return JobState.of(known)
        made = api.run_job(
            image=IMAGE,
            command=list(command),
            env={"PYTHONUNBUFFERED": "1"},
            secrets={"HF_TOKEN": hub.token.reveal().strip()},
            flavor=machine,
            timeout=seconds,
            labels={_LABEL: name},
            namespace=owner,
        )
        return JobState.of(made)

    return hub.call(start, where=f"job {name}")


def job_state(hub: Hub, owner: str, job: str) -> JobState:
    """How a job stands now.

    Raises
    ------
    HubError
        when there is none, or the Hub cannot be asked.
    """
    return hub.call(lambda api: JobState.of(api.inspect_job(job_id=job, namespace=owner)), where=f"job {job}")


def read_log(hub: Hub, owner: str, job: str, take: Callable[[str], None]) -> None:
    """Hand over each line of a job's log so far, from the first; one may come twice where the connection breaks.

    Raises
    ------
    HubError
        when the Hub cannot be asked.
    """

    def read(api: HfApi) -> None:
        for line in api.fetch_job_logs(job_id=job, namespace=owner):
            take(line)

    hub.call(read, where=f"job {job}")


def cancel_job(hub: Hub, owner: str, job: str) -> None:
    """End a job, and what it costs.

    Raises
    ------
    HubError
        when this token may not do that.
    """
    hub.call(lambda api: api.cancel_job(job_id=job, namespace=owner), where=f"job {job}")
