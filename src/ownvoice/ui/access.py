"""Whose voices a request may see, and where they lie; and who may ask at all, decided once when the server starts.

The deciding for each request is in ``guard.py``.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from ownvoice.errors import UsageError
from ownvoice.rundir import VoiceFolder
from ownvoice.ui.frame import PageError
from ownvoice.ui.guard import LOOPBACK_HOSTS, Access, Guard, Login

LONGEST_NAME = 255
"""Bytes that a file system takes as a name; of a longer one it says that it is wrong, not that it is missing."""

_ACCOUNT = re.compile(r"[0-9A-Za-z_-]{1,64}")


def access_for(host: str, *, space: str | None) -> Access:
    """Who may ask a server that listens on ``host``.

    Parameters
    ----------
    space
        Id of the Hugging Face Space it runs on, where it does.
    """
    if space:
        return Access(hosts=None, hosted=True)
    if is_loopback(host):
        own = f"[{host}]" if ":" in host else host.lower()
        return Access(hosts=LOOPBACK_HOSTS | {own}, own_account=True)
    return Access(hosts=None, login=Login())


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def install(app: FastAPI, access: Access) -> None:
    """Put the guard before all of ``app``'s routes, and on a Space the sign-in with Hugging Face before the guard.

    Raises
    ------
    UsageError
        when the Space is not set up for signing in.
    """
    app.state.hosted = access.hosted
    app.state.local = access.login is None and not access.hosted  # whoever asks sits at this computer
    app.add_middleware(Guard, access=access)
    if access.hosted:
        from huggingface_hub import attach_huggingface_oauth

        try:
            attach_huggingface_oauth(app)
        except ValueError:
            raise UsageError(
                "people cannot sign in on this Space, so nobody's recordings would be safe",
                mend="Write hf_oauth: true into the Space's README.md and start it again.",
            ) from None


def voices_folder(request: HTTPConnection) -> Path:
    """The folder that holds the voices of whoever asks; it may not exist yet.

    Raises
    ------
    PageError
        401 when the server is hosted and nobody is signed in.
    """
    folder: Path = request.app.state.voices
    return folder / account_of(request) if request.app.state.hosted else folder


def voice_of(request: HTTPConnection, voice: str) -> VoiceFolder:
    """The voice named in the path: a folder directly inside :func:`voices_folder`, and nothing else.

    Raises
    ------
    PageError
        404 when there is none of that name.
    """
    folder = voices_folder(request) / voice
    if (
        voice.startswith(".")
        or Path(voice).name != voice
        or "\\" in voice
        or not voice.isprintable()
        or len(voice.encode()) > LONGEST_NAME
        or not folder.is_dir()
        or folder.is_symlink()
    ):
        raise PageError(404, f"there is no voice called {voice!r} here", mend="Choose one on the start page.")
    return VoiceFolder(folder)


def account_of(request: HTTPConnection) -> str:
    """On a Space, the lasting id of who is signed in: a name can be given up and taken by somebody else.

    Raises
    ------
    PageError
        401 when nobody is.
    """
    signed_in: dict[str, Any] = request.session.get("oauth_info", {}).get("userinfo", {})
    account = signed_in.get("sub")
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        raise PageError(401, "nobody is signed in", mend="Sign in with Hugging Face.")
    return account


Voices = Annotated[Path, Depends(voices_folder)]
Voice = Annotated[VoiceFolder, Depends(voice_of)]
