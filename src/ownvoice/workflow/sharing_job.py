"""What the process does that shares for the app: make the plan, or carry out the one the person said yes to.

It knows no server and no page; how far it is it writes into the voice's folder (``sharing_record.py``).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ownvoice.credentials import Secret, space_token
from ownvoice.errors import HubError, OwnvoiceError
from ownvoice.rundir import VoiceFolder
from ownvoice.training.durable import held
from ownvoice.workflow import runs
from ownvoice.workflow.publish import Account, Plan, carry_out, connect
from ownvoice.workflow.publish_space import plan_together
from ownvoice.workflow.sharing_record import Sharing, Step, Trouble, read_sharing, write_sharing

EACH_SECONDS = 0.5
"""Between two notes of how far something is: whoever reads them looks once a second."""


def work(voice: VoiceFolder) -> None:
    """Do what the person wants next; nothing where another process does it already.

    Raises
    ------
    OwnvoiceError
        whatever ended it; the record says it too.
    """
    with held(voice.sharing_lock) as is_ours:
        known = read_sharing(voice.require()) if is_ours else None
        if known is None or known.state not in ("looking", "sending"):
            return
        notes = _Notes(voice, known)
        try:
            _work(voice, known, notes)
        except OwnvoiceError as error:
            fault = error.fault if isinstance(error, HubError) else "other"
            notes.change(state="failed", said="", trouble=Trouble(error.what, error.where, error.mend, fault))
            raise


def _work(voice: VoiceFolder, known: Sharing, notes: _Notes) -> None:
    account = connect(notes.say)
    if account.identity.name != known.owner:
        raise HubError(f"this was begun by {known.owner}", where=account.identity.name, fault="token")
    plans = _plans(account, voice, known, notes)
    steps = tuple(_step(plan) for plan in plans)
    digest = _digest(plans)
    if known.state == "looking" or digest != known.digest or _new_consents(known.steps, steps):
        notes.change(state="asking", steps=steps, digest=digest, agreed=False, said="", has_changed=known.agreed)
        return
    for number, plan in enumerate(plans):
        published = carry_out(account, plan, lambda _, done, total, at=number: notes.sent(at, done, total))  # type: ignore[misc]
        notes.change_step(number, url=published.url)
    notes.change(state="done", said="")


def _plans(account: Account, voice: VoiceFolder, known: Sharing, notes: _Notes) -> tuple[Plan, ...]:
    def given_token(model: str) -> Secret | None:
        return space_token()

    run = runs.find(voice, known.wanted.run) if known.wanted.run else None
    return plan_together(account, voice, run, known.wanted, ask_token=given_token, progress=notes.stage)


class _Notes:
    """Writes down how far it is."""

    def __init__(self, voice: VoiceFolder, known: Sharing) -> None:
        self._voice, self._known, self._last = voice, known, 0.0

    def change(self, **changes: Any) -> None:
        self._known = replace(self._known, **changes)
        write_sharing(self._voice, self._known)
        self._last = time.monotonic()

    def change_step(self, number: int, **changes: Any) -> None:
        steps = list(self._known.steps)
        steps[number] = replace(steps[number], **changes)
        self.change(steps=tuple(steps), said="")

    def say(self, sentence: str) -> None:
        self.change(said=sentence)

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Of what a plan needs before it can be shown, as a merged model."""
        if time.monotonic() - self._last >= EACH_SECONDS:
            self.change(said=name)

    def sent(self, number: int, done: int, total: int | None) -> None:
        if done in (0, total) or time.monotonic() - self._last >= EACH_SECONDS:
            self.change_step(number, sent=done, to_send=total)


def _step(plan: Plan) -> Step:
    return Step(
        kind=plan.kind,
        repo=plan.repo,
        contains=plan.contains,
        notes=plan.notes,
        listing=plan.listing,
        recordings=sum(file.path.endswith(".wav") for file in plan.files),
        size=plan.size,
        consent=plan.consent,
        dollars_an_hour=plan.space.hardware.dollars_an_hour if plan.space else 0.0,
    )


def _digest(plans: Sequence[Plan]) -> str:
    """Changes when a repository, who can read it, or the content of any of its files does."""
    told = [(plan.kind, plan.repo, plan.public, [(file.path, file.sha256) for file in plan.files]) for plan in plans]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _new_consents(shown: Sequence[Step], now: Sequence[Step]) -> bool:
    """Whether something must be agreed to that the person has not seen; one given meanwhile is asked for no more."""
    return bool({step.consent for step in now} - {step.consent for step in shown} - {""})
