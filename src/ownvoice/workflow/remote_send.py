"""Sends a run to a rented machine: its recordings and settings as a private data set, then the job that trains it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import yaml

import ownvoice
from ownvoice.data.manifest import read_manifest
from ownvoice.data.recording import recording_of
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.publishing.dataset import bare_sound
from ownvoice.publishing.files import RepoFile, refuse_traces
from ownvoice.publishing.jobs import start_job
from ownvoice.publishing.push import push
from ownvoice.rundir import RunFolder
from ownvoice.workflow.publish import Account
from ownvoice.workflow.remote_job import is_ours
from ownvoice.workflow.remote_record import Remote, write_remote


def send(account: Account, run: RunFolder, remote: Remote) -> Remote:
    """Push the recordings and start the job; done twice, it changes nothing.

    Raises
    ------
    HubError
        when the Hub refuses, or a text would leave that names a folder of this computer.
    """
    files = tuple(_files(run))
    refuse_traces(files, [run.voice.path])
    hub = account.hub
    hub.say(f"Sending the recordings to {remote.repo}, which is private.")
    hub.ensure_repo("dataset", remote.repo, public=False)
    message = "Train with ownvoice"
    push(hub, "dataset", remote.repo, files, message, ours=is_ours)
    command = ["uvx", "--from", f"ownvoice=={ownvoice.__version__}", "ownvoice", "jobs", "--work", remote.repo]
    command += ["--seconds", str(remote.seconds)]
    name = remote.repo.partition("/")[2]
    job = start_job(hub, remote.owner, name, command, machine=remote.machine, seconds=remote.seconds)
    started = replace(remote, job=job.id)
    write_remote(run, started)
    hub.say(f"Job {job.id} is started on {remote.machine}.")
    return started


def _files(run: RunFolder) -> Iterator[RepoFile]:
    """A voice of the run's recordings alone, with the run in it; where a recording came from stays here."""
    split = json.loads(run.split.read_text(encoding="utf-8"))
    chosen = {*split["train"], *split["dev"], *split["test"]}
    voice, lines = run.voice, []
    for utterance in read_manifest(voice).utterances:
        if utterance_id(utterance) in chosen:
            yield RepoFile(utterance.audio_path, bare_sound(recording_of(voice, utterance)))
            lines.append(_stripped(utterance).to_line() + "\n")
    settings = read_voice_settings(voice).model_copy(update={"consent": ""})
    yield RepoFile("data.jsonl", "".join(lines).encode())
    yield RepoFile("voice.yaml", yaml.safe_dump(settings.model_dump(mode="json"), allow_unicode=True).encode())
    for path in (run.config, run.split):
        yield RepoFile(f"runs/{run.path.resolve().name}/{path.name}", path.read_bytes())


def _stripped(utterance: Utterance) -> Utterance:
    length = utterance.trim[1] - utterance.trim[0] if utterance.trim else utterance.duration
    return replace(
        utterance, trim=None, duration=length, source=None, created=None, edited=None, replaces=None, extra={}
    )
