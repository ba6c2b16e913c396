"""Sharing in three steps, so that a person sees what will happen before it does: connect, plan, carry out.

A plan lists every file that would leave this computer and who could read it; carrying it out again after a failure goes
on where it stopped. Plans are made in :mod:`ownvoice.workflow.publish_plan`, and what is in the files is decided in
:mod:`ownvoice.publishing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ownvoice.credentials import Secret, hub_token
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from ownvoice.errors import HubError
from ownvoice.events import StageProgress
from ownvoice.publishing.files import RepoFile, refuse_traces
from ownvoice.publishing.hub import LONGEST_WAIT, Hub, Say
from ownvoice.publishing.identity import Identity
from ownvoice.publishing.push import push
from ownvoice.publishing.record import Published, note_published, now
from ownvoice.publishing.refusals import TOKENS_PAGE
from ownvoice.publishing.repository import RepoKind, RepoState
from ownvoice.publishing.space import SpaceSetup, configure, hear, wait_until_running
from ownvoice.quantities import readable_size
from ownvoice.rundir import VoiceFolder

COPIES_MAY_REMAIN = (
    "What others downloaded until now stays with them, and archives may keep what was public. What is on this computer "
    "stays too."
)
TRANSCRIPTS_MAY_REMAIN = (
    "A model that was published while these recordings were public shows the words of its test phrases: publish it "
    "again, or withdraw it too."
)
_LISTED_ONE_BY_ONE = 12
"""A folder with more files of a kind is told of as a number."""


@dataclass(frozen=True)
class Account:
    """A person's way to the Hub, after it was asked who they are."""

    hub: Hub
    identity: Identity


@dataclass(frozen=True)
class Plan:
    """One repository as it shall be, before anything is sent."""

    kind: RepoKind
    repo: str
    public: bool
    """Whether everybody will be able to read it."""
    files: tuple[RepoFile, ...]
    """All that will be in it."""
    contains: tuple[str, ...]
    """What that is, in sentences."""
    notes: tuple[str, ...]
    """What to know or to look at before."""
    record: Path
    """Where it is written down when it is done."""
    is_ours: Callable[[str], bool]
    """Tells by its path whether a file of the repository was put there by ownvoice."""
    private_folders: tuple[Path, ...]
    """Folders whose names may not be read in any of the files."""
    keeps_history: bool
    """Whether earlier states stay in the repository; never of recordings, so that one taken out is gone."""
    consent: str = ""
    """What the speaker must agree to, word for word; empty where nothing has to be asked."""
    voice: VoiceFolder | None = None
    """Whose settings keep the consent."""
    space: SpaceSetup | None = None
    """What a demo Space needs beside its files."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def costs(self) -> bool:
        """Whether it has to be paid for by the hour."""
        return self.space is not None and self.space.hardware.dollars_an_hour > 0

    @property
    def listing(self) -> tuple[str, ...]:
        """Every file with its size, many of one kind as a number."""
        groups = Counter((str(PurePosixPath(file.path).parent), PurePosixPath(file.path).suffix) for file in self.files)
        lines: dict[str, int] = {}
        for file in self.files:
            path = PurePosixPath(file.path)
            count = groups[str(path.parent), path.suffix]
            name = file.path if count <= _LISTED_ONE_BY_ONE else f"{path.parent}/*{path.suffix} ({count} files)"
            lines[name] = lines.get(name, 0) + file.size
        return tuple(f"{name}  {readable_size(size)}" for name, size in lines.items())


def connect(say: Say, token: Secret | None = None, *, patience: float = LONGEST_WAIT) -> Account:
    """Find out who this is and what the token may do, before anything else.

    Parameters
    ----------
    token
        One given for this time alone; left out, that of the environment or of the Hub client's login.
    patience
        Seconds of a wait that is still waited for when the Hub is busy.

    Raises
    ------
    HubError
        when there is no token, it is not accepted, or the Hub cannot be reached.
    """
    known = token or hub_token()
    if known is None:
        raise HubError(
            "nobody is logged in",
            where="Hugging Face account",
            mend=f"Make an access token with the role 'write' at {TOKENS_PAGE}, then log in with: hf auth login",
            fault="token",
        )
    hub = Hub(known, say, patience=patience)
    return Account(hub, hub.identity())


def carry_out(account: Account, plan: Plan, progress: StageProgress) -> Published:
    """Do what a plan says: the repository holds exactly its files afterwards, or is as it was.

    Run again after a failure, it goes on where it stopped. A repository that shall be public becomes so last, when all
    is in it and was checked.

    Raises
    ------
    HubError
        when the Hub refuses, or a demo does not run; what to do is said.
    StorageError
        when the record cannot be written.
    """
    refuse_traces(plan.files, plan.private_folders)
    if plan.consent and plan.voice is not None:
        keep_consent(plan.voice, plan.consent)
    hub = account.hub
    before = _made(hub, plan)
    pushed = push(
        hub,
        plan.kind,
        plan.repo,
        plan.files,
        "Publish with ownvoice",
        ours=plan.is_ours,
        progress=lambda done, total: progress(f"Sending {plan.repo}", done, total),
    )
    commit, becomes_public = pushed.commit, plan.public and not before.public
    if becomes_public or not plan.keeps_history:
        commit = hub.forget_history(plan.kind, plan.repo)
    if becomes_public:
        hub.make_public(plan.kind, plan.repo)
    published = Published(plan.repo, plan.public, pushed.url, commit, now())
    note_published(plan.record, plan.kind, published)
    if plan.space is not None:
        wait_until_running(hub, plan.repo, commit)
        hub.say(f'The Space hears. Of one recording it wrote: "{hear(hub, plan.repo, plan.space)}"')
    return published


def keep_consent(voice: VoiceFolder, consent: str) -> None:
    """Write down what the speaker agreed to.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    settings = read_voice_settings(voice)
    if settings.consent != consent:
        write_voice_settings(voice, settings.model_copy(update={"consent": consent}))


def _made(hub: Hub, plan: Plan) -> RepoState:
    """The repository, made where it was not there, and a Space with its machine; errors as in :func:`carry_out`."""
    if plan.space is None:
        return hub.ensure_repo(plan.kind, plan.repo, public=plan.public)
    try:
        before = hub.ensure_repo(plan.kind, plan.repo, public=plan.public, machine=plan.space.hardware.name)
        configure(hub, plan.repo, plan.space)
    except HubError as error:
        mend = f"{error.mend or ''} {plan.space.here}".strip()
        raise HubError(error.what, where=error.where, mend=mend, fault=error.fault) from None
    return before


def withdraw(account: Account, kind: RepoKind, repo: str) -> tuple[str, ...]:
    """Delete what was published, with its history, and return what may remain nevertheless, in sentences.

    Raises
    ------
    HubError
        when there is no such repository, or this token may not delete it.
    """
    account.hub.delete(kind, account.hub.writable_name(account.identity, repo))
    return (COPIES_MAY_REMAIN, TRANSCRIPTS_MAY_REMAIN) if kind == "dataset" else (COPIES_MAY_REMAIN,)
