"""The one way to the Hub: every request tried again where that may help, every refusal a HubError; and repositories.

It knows nothing of voices and models. A repository is made private, and becomes public only when that is asked for.
What is in it is ``push.py``'s.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.utils import disable_progress_bars, httpx, logging, validate_repo_id  # type: ignore[attr-defined]

from ownvoice.credentials import Secret
from ownvoice.errors import HubError, UsageError
from ownvoice.publishing.identity import Identity
from ownvoice.publishing.refusals import GOES_ON, TOKENS_PAGE, asked_to_wait, hub_refusals, in_short, is_transient
from ownvoice.publishing.repository import RepoKind, RepoState

Say = Callable[[str], None]
"""Takes a sentence for the person."""
TRIES = 5
LONGEST_WAIT = 300.0
"""Seconds. A Hub that asks to wait longer is not waited for: the person is told."""
_T = TypeVar("_T")


@dataclass
class Hub:
    """The Hub, as one person sees it."""

    token: Secret
    say: Say
    """Told of every wait."""
    pause: Callable[[float], None] = time.sleep
    patience: float = LONGEST_WAIT
    """Seconds of a wait that is still waited for."""
    _api: HfApi = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._api = HfApi(token=self.token.reveal().strip())
        # The client's warnings show addresses of storage that anyone who has them can write to for a while.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        if not sys.stderr.isatty():  # its bars are for people
            disable_progress_bars()

    def call(self, request: Callable[[HfApi], _T], *, where: str) -> _T:
        """Run ``request``, again after a pause where the Hub is busy or the connection breaks.

        Parameters
        ----------
        request
            Must be safe to run twice.
        where
            What it is about, for the message.

        Raises
        ------
        HubError
            saying what to do.
        """
        with hub_refusals(where):
            for attempt in range(1, TRIES):
                try:
                    return request(self._api)
                except (HfHubHTTPError, httpx.TransportError, RuntimeError, ValueError, AttributeError) as error:
                    seconds = asked_to_wait(error) or 2.0 ** (attempt - 1)
                    if not is_transient(error) or seconds > self.patience:
                        raise
                    self.say(f"{in_short(error)}. Trying again in {seconds:.0f} s.")
                self.pause(seconds)
            return request(self._api)

    def identity(self) -> Identity:
        """Ask the Hub who this is.

        Raises
        ------
        HubError
            when the token is not accepted or the Hub cannot be reached.
        """
        return Identity.of(self.call(lambda api: api.whoami(), where="Hugging Face account"))

    def writable_name(self, identity: Identity, repo: str) -> str:
        """The full name of ``repo``, which may lack its owner; checked against what the token may do.

        Raises
        ------
        UsageError
            when it is no possible name.
        HubError
            when this token may not write there.
        """
        name = repo if "/" in repo else f"{identity.name}/{repo}"
        with hub_refusals(repo):
            validate_repo_id(name)
        if name.count("/") != 1:
            raise UsageError("is no name of a repository", where=repo, mend="Write OWNER/NAME, or NAME for your own.")
        if not identity.may_write(name):
            raise HubError(
                f"this access token may not write there. {identity.sentence}",
                where=name,
                mend=f"Choose another name, or make a token with the role 'write' at {TOKENS_PAGE}",
                fault="rights",
            )
        return name

    def state(self, kind: RepoKind, repo: str) -> RepoState | None:
        """A repository as it is now, or None where there is none that this person may see."""

        def ask(api: HfApi) -> RepoState | None:
            try:
                info = api.repo_info(repo, repo_type=kind)
            except RepositoryNotFoundError:
                return None
            return RepoState(public=not info.private, head=str(info.sha))

        return self.call(ask, where=repo)

    def ensure_repo(self, kind: RepoKind, repo: str, *, public: bool, machine: str | None = None) -> RepoState:
        """Make the repository, private, unless it is there.

        Parameters
        ----------
        machine
            Of a Space, which is made for it: on a paid one it needs no subscription.

        Raises
        ------
        HubError
            when it is there and everybody can read it though ``public`` is false, or it cannot be made.
        """
        state = self.state(kind, repo)
        if state is None:
            self.call(
                lambda api: api.create_repo(
                    repo,
                    repo_type=kind,
                    private=True,
                    exist_ok=True,
                    space_sdk="gradio" if kind == "space" else None,
                    space_hardware=machine,  # type: ignore[arg-type]  # newer machines are not in its list
                ),
                where=repo,
            )
            state = self.state(kind, repo)
        if state is None:
            raise HubError("was made, and yet the Hub does not show it", where=repo, mend=GOES_ON)
        refuse_unwanted_public(repo, state, public=public)
        return state

    def make_public(self, kind: RepoKind, repo: str) -> None:
        """Let everybody read the repository, its history included."""
        self.call(lambda api: api.update_repo_settings(repo, repo_type=kind, private=False), where=repo)

    def forget_history(self, kind: RepoKind, repo: str) -> str:
        """Leave only the latest state of a repository, and return its commit: what was taken out is really gone."""

        def forget(api: HfApi) -> None:
            if len(api.list_repo_commits(repo, repo_type=kind)) > 1:
                api.super_squash_history(repo, repo_type=kind, commit_message="Publish with ownvoice")

        self.call(forget, where=repo)
        return self.call(lambda api: str(api.repo_info(repo, repo_type=kind).sha), where=repo)

    def delete(self, kind: RepoKind, repo: str) -> None:
        """Delete the repository with all its history.

        Raises
        ------
        HubError
            when there is none, or the Hub refuses.
        """
        if self.state(kind, repo) is None:
            raise HubError("the Hub has no such thing, or this account may not see it", where=repo)
        self.call(lambda api: api.delete_repo(repo, repo_type=kind, missing_ok=True), where=repo)


def refuse_unwanted_public(repo: str, state: RepoState | None, *, public: bool) -> None:
    """Raise :class:`HubError` when everybody can read ``repo`` though that is not wanted."""
    if state is not None and state.public and not public:
        raise HubError(
            "is public already, so everybody could read what you publish there",
            where=repo,
            mend="Choose another name, make it private on its settings page, or say --public.",
        )
