"""``ownvoice jobs``: trainings on rented machines, one table; and ``ownvoice train --on``, which starts them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ownvoice.events import Event, Listener
    from ownvoice.publishing.jobs import JobState
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow.publish import Account
    from ownvoice.workflow.remote import RemotePlan

PREFIX = "hf-jobs:"
_LOOK_SECONDS = 0.5
_USUAL = Path("voices")
"""Where voices are, unless somebody says otherwise."""


@click.command("jobs")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option("--attach", is_flag=True, help="Follow the run given, from where it was left; fetch what it brought.")
@click.option("--cancel", is_flag=True, help="End the job of the run given.")
@click.option("--work", metavar="REPO", hidden=True)  # what a job itself runs
@click.option("--seconds", type=float, default=3600.0, hidden=True)  # until it is ended
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def command(
    folders: tuple[Path, ...], attach: bool, cancel: bool, work: str | None, seconds: float, as_json: bool
) -> None:
    """Trainings on rented machines: list, follow, cancel.

    Lists those of the voices in FOLDERS, each with its state  [default: voices]. They go on without this computer.
    ownvoice train VOICE --on hf-jobs:FLAVOR starts one.
    """
    from ownvoice.cli.account import connect_account
    from ownvoice.errors import UsageError
    from ownvoice.rundir import RunFolder
    from ownvoice.workflow import remote
    from ownvoice.workflow.remote_record import works_elsewhere

    if work:
        _work(work, seconds)
        return
    if attach or cancel:
        if len(folders) != 1 or (attach and cancel):
            raise UsageError("one run is needed, and one thing to do", mend="For example: ownvoice jobs --attach RUN")
        run = RunFolder(folders[0])
        account = connect_account()
        if cancel:
            remote.cancel(account, run)
            click.echo(f"The job of {run.path} is cancelled.", err=True)
            return
        _follow_all(account, [run], 1)
        _print([run], as_json)
        return
    if not folders and _USUAL.is_dir():
        folders = (_USUAL,)
    runs = [run for folder in folders for run in remote.remote_runs(folder)]
    going_on = [run for run in runs if works_elsewhere(run)]
    jobs = {}
    if going_on:
        account = connect_account()
        jobs = {run.path: remote.look(account, run) for run in going_on}
    _print(runs, as_json, jobs)


def train_remotely(
    voices: Sequence[Path],
    on: str,
    recipe: Path | None,
    given: Mapping[str, Any],
    *,
    hours: float,
    parallel: int,
    keeps: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Plan a training for each voice, show all, ask once, and follow them, at most ``parallel`` at a time.

    Raises
    ------
    UsageError
        when ``on`` names no rented machine.
    OwnvoiceError
        when one cannot be planned, before anything is sent; or at the end, when one failed.
    """
    from ownvoice import workflow
    from ownvoice.cli.account import confirm, connect_account
    from ownvoice.errors import UsageError
    from ownvoice.rundir import VoiceFolder
    from ownvoice.workflow.prepare import prepare_recordings
    from ownvoice.workflow.remote import begin, plan_remote

    if not on.startswith(PREFIX) or on == PREFIX:
        raise UsageError("is no place to train on", where=on, mend=f"Write {PREFIX}FLAVOR, for example {PREFIX}l4x1")
    account = connect_account()
    plans = []
    for voice in map(VoiceFolder, voices):
        prepared = prepare_recordings(voice, workflow.training_settings(voice, recipe, given))
        plans.append(plan_remote(account, prepared, on.removeprefix(PREFIX), hours=hours, keeps=keeps))
    _show(plans)
    confirm("Shall this be sent and paid for?", yes)
    runs = [begin(plan) for plan in plans]
    _follow_all(account, runs, parallel)
    _print(runs, as_json)


def _show(plans: Sequence[RemotePlan]) -> None:
    for plan in plans:
        click.echo(f"\n{plan.prepared.voice.path}:", err=True)
        for sentence in plan.sentences:
            click.echo(f"  - {sentence}", err=True)
        for note in plan.prepared.notes:
            click.echo(f"Note: {note}", err=True)
        if plan.consent:
            click.echo(f'What the speaker agrees to, kept in voice.yaml:\n  "{plan.consent}"', err=True)
    click.echo(f"\nAll of it costs at most ${sum(plan.most_dollars for plan in plans):.2f}.", err=True)


def _follow_all(account: Account, runs: Sequence[RunFolder], parallel: int) -> None:
    """Follow runs until each has ended or the person leaves; those that failed are told at the end."""
    from ownvoice.errors import OwnvoiceError
    from ownvoice.workflow.remote import follow

    leave = threading.Event()
    failed: list[str] = []
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        waiting: dict[Future[bool], RunFolder] = {
            pool.submit(follow, account, run, _teller(run), leaves=leave.is_set): run for run in runs
        }
        try:
            while any(not future.done() for future in waiting):
                wait_for(waiting, timeout=_LOOK_SECONDS)
        except KeyboardInterrupt:
            leave.set()
            pool.shutdown(cancel_futures=True)
            for run in runs:
                click.echo(f"What was started goes on. Come back with: ownvoice jobs --attach {run.path}", err=True)
            raise
    for future, run in waiting.items():
        error = future.exception()
        if isinstance(error, OwnvoiceError):
            failed.append(f"{run.path}: {error}")
        elif error is not None:
            raise error
    if failed:
        _print(runs, as_json=False)
        raise OwnvoiceError("\n".join(failed))


def _teller(run: RunFolder) -> Listener:
    """Says in a line what a run has come to."""
    from ownvoice import events
    from ownvoice.quantities import counted

    name = run.voice.path.resolve().name

    def tell(event: Event) -> None:
        match event:
            case events.Start(steps=steps, device=device):
                line = f"trains {counted(steps, 'step')} on {device}"
            case events.Eval(step=step, dev_wer=wer):
                line = f"step {step}: WER on the dev set {wer:.1%}"
            case events.Warning(message=message):
                line = f"note: {message}"
            case events.Evaluated(base_wer=base, tuned_wer=tuned):
                line = f"WER {base:.1%} before, {tuned:.1%} now"
            case _:
                return
        click.echo(f"{name}: {line}", err=True)

    return tell


def _print(runs: Sequence[RunFolder], as_json: bool, jobs: Mapping[Path, JobState | None] = {}) -> None:
    """One row a run as it is known here, with how its job stands on the Hub, for those asked for."""
    import json

    from rich.console import Console
    from rich.table import Table

    rows = [_row(run, jobs.get(run.path)) for run in runs]
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        click.echo("Nothing was trained on a rented machine: ownvoice train VOICE --on hf-jobs:FLAVOR", err=True)
        return
    table = Table("voice", "run", "machine", "state", "job", "step", "WER before", "WER now")
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in _COLUMNS))
    Console(highlight=False).print(table)


_COLUMNS = ("voice", "run", "machine", "state", "stage", "step", "base_wer", "tuned_wer")


def _row(run: RunFolder, job: JobState | None) -> dict[str, object]:
    from ownvoice.workflow.remote_record import read_remote
    from ownvoice.workflow.run_view import RunWatch

    view, remote = RunWatch(run).look(), read_remote(run)
    evaluated = view.story.evaluated
    return {
        "voice": run.voice.path.resolve().name,
        "run": str(run.path),
        "machine": remote.machine if remote else None,
        "job": remote.job if remote else None,
        "state": view.state,
        "stage": job.stage if job else None,
        "step": view.story.step.step if view.story.step else None,
        "base_wer": evaluated.base_wer if evaluated else None,
        "tuned_wer": evaluated.tuned_wer if evaluated else None,
    }


def _work(repo: str, seconds: float) -> None:
    from ownvoice.cli.account import connect_account
    from ownvoice.workflow.remote_job import work

    work(connect_account(), repo, Path("voice"), click.echo, seconds=seconds)
