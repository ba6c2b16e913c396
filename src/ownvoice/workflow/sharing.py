"""Sharing as a person does it in the app: look what would be shared, say yes, go on after a failure, take it back.

The work is done by a process of its own (:mod:`ownvoice.workflow.sharing_job`), which writes how far it is into the
voice's folder: a page that was closed and a server that was started anew find it there. A token is handed to that
process and is in no file, so whoever goes on after it ended must be signed in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ownvoice.credentials import Tokens
from ownvoice.errors import UsageError
from ownvoice.publishing.record import Published, forget_published, read_published
from ownvoice.publishing.repository import RepoKind
from ownvoice.rundir import VoiceFolder
from ownvoice.training.durable import is_held
from ownvoice.workflow.launch import launch
from ownvoice.workflow.queue import START_SECONDS
from ownvoice.workflow.sharing_record import Sharing, Wanted, read_sharing, write_sharing

if TYPE_CHECKING:
    from ownvoice.workflow.publish import Account

SETTLE_SECONDS = 3.0
"""Between making its lock and holding it a process looks as if it had ended."""
_starting = threading.Lock()


@dataclass(frozen=True)
class Shared:
    """Something of a voice that is on the Hub."""

    kind: RepoKind
    published: Published
    run: str
    """The training it belongs to; empty for recordings."""
    record: Path
    """Where that is written down."""


def is_working(voice: VoiceFolder) -> bool:
    """Whether a process shares something of this voice, or was just started to."""
    if is_held(voice.sharing_lock):
        return True
    known = read_sharing(voice)
    if known is None or known.state not in ("looking", "sending"):
        return False
    has_begun = voice.sharing_lock.exists()
    return time.time() - voice.sharing.stat().st_mtime < (SETTLE_SECONDS if has_begun else START_SECONDS)


def look_over(voice: VoiceFolder, wanted: Wanted, owner: str, tokens: Tokens) -> None:
    """Have it listed what would be shared; nothing is sent.

    Raises
    ------
    UsageError
        when nothing was chosen, or something of this voice is being shared already.
    StorageError
        when the voice's folder cannot be written.
    """
    if not wanted.kinds:
        raise UsageError("nothing was chosen to be shared")
    if not wanted.run and set(wanted.kinds) != {"dataset"}:
        raise UsageError("a model or a demo belongs to a training", mend="Choose a training.")
    _start(voice, Sharing(wanted, owner), tokens)


def agree(voice: VoiceFolder, digest: str, owner: str, tokens: Tokens, *, consents: bool) -> None:
    """Share what was listed.

    Parameters
    ----------
    digest
        Of the plan that the person saw.
    consents
        Whether the speaker agrees, where a consent is asked for.

    Raises
    ------
    UsageError
        when this is not the plan any more, somebody else is signed in now, or the speaker's consent is missing.
    """
    known = _require(voice, owner)
    if known.state != "asking" or known.digest != digest:
        raise UsageError("what would be shared is not what you saw", mend="Reload the page and look at it again.")
    if any(step.consent for step in known.steps) and not consents:
        raise UsageError("the speaker has to agree before recordings are shared")
    _start(voice, replace(known, state="sending", agreed=True, has_changed=False), tokens)


def go_on(voice: VoiceFolder, owner: str, tokens: Tokens) -> None:
    """Go on after a failure or an end from outside: what has arrived is not sent again.

    Raises
    ------
    UsageError
        when there is nothing to go on with, or somebody else is signed in now.
    """
    known = _require(voice, owner)
    if known.state in ("asking", "done"):
        raise UsageError("there is nothing to go on with")
    _start(voice, replace(known, state="sending" if known.agreed else "looking", trouble=None), tokens)


def put_aside(voice: VoiceFolder) -> None:
    """Forget the plan or its end; what is on the Hub stays there.

    Raises
    ------
    UsageError
        while it is being worked on.
    """
    _require_idle(voice)
    voice.sharing.unlink(missing_ok=True)


def shared_of(voice: VoiceFolder) -> Iterator[Shared]:
    """All of a voice that was published from here and not taken back, the newest training first."""
    for kind, published in read_published(voice.published).items():
        yield Shared(kind, published, "", voice.published)
    for run in reversed(voice.started_runs()):
        for kind, published in read_published(run.published).items():
            yield Shared(kind, published, run.path.name, run.published)


def take_back(account: Account, voice: VoiceFolder, kind: RepoKind, repo: str) -> None:
    """Delete something that was published from here, with its history; copies that others made may remain.

    Raises
    ------
    UsageError
        when it is none of this voice's.
    HubError
        when this token may not delete it, or the Hub refuses.
    """
    from ownvoice.workflow.publish import withdraw

    _require_idle(voice)
    for shared in shared_of(voice):
        if (shared.kind, shared.published.repo) == (kind, repo):
            account.hub.writable_name(
                account.identity, repo
            )  # before it may be taken for gone by one who cannot see it
            if account.hub.state(kind, repo) is not None:
                withdraw(account, kind, repo)
            forget_published(shared.record, kind)
            return
    raise UsageError("this was not shared from here", where=repo, mend="Reload the page.")


def _require(voice: VoiceFolder, owner: str) -> Sharing:
    known = read_sharing(voice)
    if known is None:
        raise UsageError("there is nothing to go on with", mend="Choose what to share.")
    if known.owner != owner:
        raise UsageError(f"this was begun by {known.owner}", mend=f"Sign in as {known.owner}, or start over.")
    return known


def _require_idle(voice: VoiceFolder) -> None:
    if is_working(voice):
        raise UsageError("something of this voice is being shared just now", mend="Wait until that is done.")


def _start(voice: VoiceFolder, sharing: Sharing, tokens: Tokens) -> None:
    with _starting:
        _require_idle(voice)
        voice.sharing_lock.unlink(missing_ok=True)  # of a process that has ended: the new one makes it again
        write_sharing(voice, sharing)
    launch(["publish", "work", str(voice.path.resolve())], voice.sharing_log, tokens)
