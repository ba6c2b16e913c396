"""Trainings on rented machines as a person starts and follows them in the app.

A process of its own follows each (``ownvoice jobs --attach``), so that no closing of a page or a server ends it. The
token is handed to that process and is in no file: when the computer was switched off, whoever comes back signs in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ownvoice.config import TrainingSettings
from ownvoice.credentials import Tokens
from ownvoice.errors import TrainingError, UsageError
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.training.durable import is_held
from ownvoice.workflow.launch import launch
from ownvoice.workflow.prepare import prepare_recordings
from ownvoice.workflow.remote_record import works_elsewhere

if TYPE_CHECKING:
    from ownvoice.workflow.publish import Account


def rent(
    account: Account,
    tokens: Tokens,
    voice: VoiceFolder,
    settings: TrainingSettings,
    *,
    machine: str,
    hours: float,
    consents: bool,
) -> RunFolder:
    """Make a run and have it trained on a rented machine.

    Parameters
    ----------
    hours
        The machine is given back after this time at the latest.
    consents
        Whether the speaker agrees that the recordings are kept on the Hub, where that is not on file.

    Raises
    ------
    UsageError
        when there is no such machine, or the consent is missing.
    HubError
        when this token may not write, or the Hub cannot be asked.
    DataError
        when there are too few recordings.
    """
    from ownvoice.workflow.remote import begin, plan_remote

    plan = plan_remote(account, prepare_recordings(voice, settings), machine, hours=hours)
    if plan.consent and not consents:
        raise UsageError("the speaker has to agree before recordings leave this computer")
    run = begin(plan)
    attend(run, tokens)
    return run


def attend(run: RunFolder, tokens: Tokens) -> None:
    """Have a run's machine followed from where it was left, unless that is so already.

    Raises
    ------
    TrainingError
        when no rented machine works on it.
    """
    if not works_elsewhere(run):
        raise TrainingError("no rented machine works on this run", where=run.path)
    if not is_held(run.job_lock):
        launch(["jobs", "--attach", str(run.path.resolve())], run.log, tokens)
