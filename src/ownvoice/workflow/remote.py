"""Training on a rented machine, seen from this computer: plan, follow, come back to it, cancel.

The machine's half is ``remote_job.py``; ``remote_send.py`` sends what it needs, ``remote_fetch.py`` fetches what it
brought. Between them stand two private repositories of one name: a data set with one run's recordings and settings, and
a model. Events come through the job's log into the run's own ``events.jsonl``: all that shows a run shows this one.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ownvoice import events
from ownvoice.config import TINY
from ownvoice.data.split import save_split
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import DataError, TrainingError, UsageError
from ownvoice.events import EventLog, Listener, parse_record, read_tail
from ownvoice.publishing.dataset import needed_consent
from ownvoice.publishing.hardware import Hardware, find_hardware
from ownvoice.publishing.jobs import JobState, cancel_job, job_state, read_log
from ownvoice.publishing.model import hub_base
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.durable import held
from ownvoice.training.ending import wish_of
from ownvoice.workflow.prepare import Prepared
from ownvoice.workflow.publish import Account, keep_consent
from ownvoice.workflow.publish_plan import voice_slug
from ownvoice.workflow.remote_fetch import finish
from ownvoice.workflow.remote_job import EVENT_MARK
from ownvoice.workflow.remote_record import Remote, read_remote, write_remote
from ownvoice.workflow.remote_send import send

POLL_SECONDS = 2.0
SAID_LAST = 6
"""Lines of the job's log that a failure tells."""


@dataclass(frozen=True)
class RemotePlan:
    """One training on a rented machine, before anything is sent."""

    prepared: Prepared
    owner: str
    hardware: Hardware
    hours: float
    """The job is ended after this time."""
    keeps: bool
    """Whether what is on the Hub stays there afterwards."""
    consent: str
    """What the speaker must agree to; empty where that is on file."""

    @property
    def most_dollars(self) -> float:
        """What it costs at most."""
        return self.hours * self.hardware.dollars_an_hour

    @property
    def sentences(self) -> Iterator[str]:
        """What will happen, for the person."""
        split = self.prepared.split
        sent = counted(len(split.train) + len(split.dev) + len(split.test), "recording")
        yield f"Into a private data set: {sent} of {self.prepared.voice.path.name}, with their words"
        limit = counted(self.hours, "hour")
        yield f"{self.hardware.sentence}; after {limit} it is ended, so at most ${self.most_dollars:.2f}"
        yield "Your access token goes to the job as its secret, so that it can read the recordings and write the model"
        if not self.keeps:
            yield "Both are deleted from the Hub when the model is here"


def plan_remote(account: Account, prepared: Prepared, machine: str, *, hours: float, keeps: bool = False) -> RemotePlan:
    """Plan a training on a rented machine; nothing is sent.

    Raises
    ------
    UsageError
        when there is no such machine, or the base model lies on this computer alone.
    HubError
        when this token may not write, or the Hub cannot be asked.
    """
    base = prepared.settings.base_model
    if base != TINY and hub_base(prepared.settings) is None:
        raise UsageError(
            "the base model is a folder of this computer, which a rented machine does not have", where=base
        )
    owner = account.identity.name
    account.hub.writable_name(account.identity, f"{owner}/any")
    voice = read_voice_settings(prepared.voice)
    consent = needed_consent(voice, public=False)
    hardware = find_hardware(account.hub, "jobs", machine)
    return RemotePlan(prepared, owner, hardware, hours, keeps, consent if consent != voice.consent else "")


def begin(plan: RemotePlan) -> RunFolder:
    """Make the run; nothing is sent yet: :func:`follow` does that.

    Raises
    ------
    StorageError
        when the folder cannot be written.
    """
    prepared = plan.prepared
    if plan.consent:
        keep_consent(prepared.voice, plan.consent)
    run = prepared.voice.new_run()
    name = f"{plan.owner}/ownvoice-job-{voice_slug(prepared.voice)}-{secrets.token_hex(4)}"
    hardware = plan.hardware
    remote = Remote(
        plan.owner, name, hardware.name, hardware.dollars_an_hour, round(plan.hours * 3600), keeps=plan.keeps
    )
    write_remote(run, remote)
    save_split(run, prepared.split)
    prepared.settings.save(run.config)
    log = EventLog(run.events)
    log.emit(events.Queued())
    for note in prepared.notes:
        log.emit(events.Warning(note))
    return run


def follow(account: Account, run: RunFolder, listener: Listener, *, leaves: Callable[[], bool] = lambda: False) -> bool:
    """Send what is not sent, start the job where it is not started, and follow it to its end; fetch what it brought.

    Whoever stops following loses nothing: followed again, events that were missed come first. A wish to cancel or to
    pause, from a page or another process, cancels the job: a rented machine that waits would cost.

    Parameters
    ----------
    leaves
        Asked now and then whether to stop following.

    Returns
    -------
    False when it was left before its end.

    Raises
    ------
    HubError
        when the Hub refuses or cannot be reached; the job goes on.
    TrainingError
        when the job failed, or another process follows it.
    """
    remote = _require_remote(run)
    if remote.is_over:
        raise TrainingError("nothing more comes from the Hub for this run", where=run.path)
    with held(run.job_lock) as is_ours_to_follow:
        if not is_ours_to_follow:
            raise TrainingError("another process follows this run already", where=run.path)
        if not remote.job:
            remote = send(account, run, remote)
        state, said = _follow(account, run, remote, listener, leaves)
        if state is None:
            return False
        finish(account, run, remote, state, said, EventLog(run.events, listener))
    return True


def cancel(account: Account, run: RunFolder) -> None:
    """End a run's job, whether somebody follows it or not.

    Raises
    ------
    TrainingError
        when the run has no job.
    HubError
        when the Hub refuses.
    """
    remote = _require_remote(run)
    if remote.is_over or not remote.job:
        raise TrainingError("no job works on this run", where=run.path)
    cancel_job(account.hub, remote.owner, remote.job)


def look(account: Account, run: RunFolder) -> JobState | None:
    """How a run's job stands on the Hub; None where it was not started or nothing more comes from it.

    Raises
    ------
    HubError
        when the Hub cannot be asked.
    """
    remote = _require_remote(run)
    return None if remote.is_over or not remote.job else job_state(account.hub, remote.owner, remote.job)


def remote_runs(folder: Path) -> list[RunFolder]:
    """The runs on rented machines of a voice, or of every voice in a folder, the one started first first.

    Raises
    ------
    DataError
        when there is no such folder.
    """
    if not folder.is_dir():
        raise DataError("there is no such folder", where=folder, mend="Give a voice, or the folder of your voices.")
    voices = [VoiceFolder(folder)]
    if not voices[0].manifest.is_file():
        voices = [VoiceFolder(path) for path in sorted(folder.iterdir())]
    return [run for voice in voices for run in voice.started_runs() if run.remote.is_file()]


def _require_remote(run: RunFolder) -> Remote:
    remote = read_remote(run.require())
    if remote is None:
        raise TrainingError("this run was trained on this computer and has no job", where=run.path)
    return remote


def _follow(
    account: Account, run: RunFolder, remote: Remote, listener: Listener, leaves: Callable[[], bool]
) -> tuple[JobState | None, deque[str]]:
    """Copy events until the job is over; the last lines of its log that were none, for a failure."""
    hub, log = account.hub, EventLog(run.events, listener)
    known = {json.dumps(record.to_json()) for record in read_tail(run.events).records}
    said: deque[str] = deque(maxlen=SAID_LAST)

    def take(line: str) -> None:
        record = parse_record(line.removeprefix(EVENT_MARK)) if line.startswith(EVENT_MARK) else None
        if record is None:
            said.append(line)
        elif (text := json.dumps(record.to_json())) not in known:
            known.add(text)
            log.copy(record)

    asked = False
    while not leaves():
        if not asked and wish_of(run) is not None:
            cancel_job(hub, remote.owner, remote.job)
            asked = True
        state = job_state(hub, remote.owner, remote.job)  # before its last lines are read
        said.clear()
        read_log(hub, remote.owner, remote.job, take)
        if state.is_over:
            return state, said
        hub.pause(POLL_SECONDS)
    return None, said
