"""The Hub's refusals in plain words: what is wrong, and what to do.

Says what an answer means; whether a request is worth another try is decided here too, since that follows from the same
answer. Sends nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

from ownvoice.errors import HubError, HubFault, UsageError

TOKENS_PAGE = "https://huggingface.co/settings/tokens"
GOES_ON = "Run the same command again: what has arrived is not sent twice."

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHANGED_MEANWHILE = frozenset({409, 412})
_CLOSED = ("client has been closed", "'NoneType' object has no attribute 'request'")
"""The client shares its connections among threads, and closes them for all when one breaks; a thread just about to use
them finds them closed, or (``get_session`` of huggingface_hub 2.4 holds no lock as it returns) gone."""
_DAMAGED = frozenset({422})
"""How the Hub's storage refuses a file that did not come in whole."""

_MEANINGS: dict[int, tuple[str, str]] = {
    400: (
        "the Hub does not accept what was sent",
        "If the message does not tell you what to change, please report it.",
    ),
    401: (
        "the Hub does not accept this access token: it is mistyped, has expired, or was withdrawn",
        f"Make one with the role 'write' at {TOKENS_PAGE}, then log in with: hf auth login",
    ),
    402: (
        "the Hub asks for payment for this",
        "See https://huggingface.co/settings/billing, or choose something that is free. Nothing was charged by this.",
    ),
    403: (
        "this access token may not do that",
        f"Give it the right to write to this place, or make one with the role 'write', at {TOKENS_PAGE}",
    ),
    404: ("the Hub has no such thing, or this account may not see it", "Check the name and who is logged in."),
    409: ("somebody else changed this repository at the same moment", GOES_ON),
    412: ("somebody else changed this repository at the same moment", GOES_ON),
    413: (
        "what was sent is larger than this account may store",
        "Free some storage (https://huggingface.co/settings/billing shows it), or publish less.",
    ),
    422: ("a file did not arrive whole", GOES_ON),
    429: ("the Hub asks to wait: too many requests came from this account", f"Wait a few minutes. {GOES_ON}"),
}

_FAULTS: dict[int, HubFault] = {
    401: "token",
    402: "payment",
    403: "rights",
    404: "missing",
    409: "changed",
    412: "changed",
    413: "full",
    429: "busy",
}


@contextmanager
def hub_refusals(where: str) -> Iterator[None]:
    """Turn the client's errors into a :class:`~ownvoice.errors.HubError` about ``where``.

    Raises
    ------
    HubError
        with what to do.
    UsageError
        when a name is none the Hub could have.
    """
    try:
        yield
    except HFValidationError as error:
        raise UsageError(f"is no name the Hub could give ({error})", where=where) from None
    except HfHubHTTPError as error:
        raise _explained(where, error) from None
    except OfflineModeIsEnabled:
        mend = "Take HF_HUB_OFFLINE out of the environment and run the same command again."
        raise HubError("connections to the Hub are switched off here", where=where, mend=mend) from None
    except httpx.TransportError as error:
        raise _broken(where, error) from None
    except (RuntimeError, ValueError, OSError) as error:  # how the client wraps a failed upload; OSError: Xet's
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's own word, on a file of this computer
        cause = _cause(error)
        if cause is None:
            raise HubError(f"the request failed ({_first_line(error)})", where=where, mend=GOES_ON) from None
        raise (_explained(where, cause) if isinstance(cause, HfHubHTTPError) else _broken(where, cause)) from None


def is_transient(error: Exception) -> bool:
    """Whether the same request may well succeed a little later."""
    cause = _cause(error)
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code in _BUSY | _CHANGED_MEANWHILE | _DAMAGED
    if isinstance(error, json.JSONDecodeError):  # a proxy's error page
        return True
    if any(closed in str(error) for closed in _CLOSED):
        return True
    return isinstance(cause, httpx.TransportError)


def asked_to_wait(error: Exception) -> float | None:
    """Seconds the Hub itself asks to wait, where it does."""
    cause = _cause(error)
    header = cause.response.headers.get("Retry-After", "") if isinstance(cause, HfHubHTTPError) else ""
    return float(header) if header.isdigit() else None


def in_short(error: Exception) -> str:
    """A few words on an error that is met with another try."""
    cause = _cause(error)
    if not isinstance(cause, HfHubHTTPError):
        return "The connection to the Hub broke"
    status = cause.response.status_code
    meaning = _MEANINGS.get(status, ("the Hub has a fault of its own", ""))[0]
    return f"{meaning[0].upper()}{meaning[1:]} ({status})"


def _cause(error: BaseException | None) -> Exception | None:
    """The answer or the broken connection behind an error; the client wraps those of an upload."""
    while error is not None:
        if isinstance(error, HfHubHTTPError | httpx.TransportError):
            return error
        error = error.__cause__
    return None


def _explained(where: str, error: HfHubHTTPError) -> HubError:
    status = error.response.status_code
    if isinstance(error, RepositoryNotFoundError):
        status = 404  # the Hub answers 401 for a repository it will not speak of
    what, mend = _MEANINGS.get(status, (f"the Hub has a fault of its own ({status})", f"Try again later. {GOES_ON}"))
    said = error.server_message
    told = f"{what} (it says: {_first_line(said)})" if said else what
    return HubError(told, where=where, mend=mend, fault=_FAULTS.get(status, "broken" if status >= 500 else "other"))


def _broken(where: str, error: Exception) -> HubError:
    return HubError(
        f"the connection to the Hub broke or could not be made ({type(error).__name__})",
        where=where,
        mend=f"Check the connection. {GOES_ON}",
        fault="connection",
    )


def _first_line(error: object) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
