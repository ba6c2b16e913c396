"""Trackio's dashboard of one voice: served on this computer, or opened in a process of its own for the app.

What it shows is kept up to date by :mod:`ownvoice.training.tracking`. The app's own pages do not need it.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from ownvoice.errors import StorageError, UsageError
from ownvoice.rundir import VoiceFolder, write_atomically
from ownvoice.training.durable import held, is_held

FOLLOW_SECONDS = 1.0
START_SECONDS = 60.0
"""Longest that the dashboard's libraries take to load on a busy machine."""


def serve_dashboard(
    voice: VoiceFolder, *, port: int | None, ready: Callable[[str], None], while_pid: int | None = None
) -> None:
    """Serve the dashboard on 127.0.0.1 and follow the voice's runs, until Ctrl-C or the end of process ``while_pid``.

    Raises
    ------
    DataError
        when this is no voice folder.
    UsageError
        when the port is taken.
    StorageError
        when another process serves it already.
    """
    from ownvoice.training.tracking import Tracker

    tracker = Tracker(voice.require())
    tracker.update()
    with held(voice.tracking_lock) as is_ours:
        if not is_ours:
            raise StorageError(f"the dashboard is open already at {_address(voice)}", where=voice.path)
        url = _launch(tracker.project, port)
        write_atomically(voice.tracking_address, url)
        ready(url)
        while while_pid is None or psutil.pid_exists(while_pid):
            time.sleep(FOLLOW_SECONDS)
            tracker.update()


def open_dashboard(voice: VoiceFolder) -> str:
    """The address of the voice's dashboard, which is started if it is not open; it ends with this process.

    Raises
    ------
    StorageError
        when it does not start.
    """
    if not is_held(voice.tracking_lock):
        command = ["track", str(voice.require().path.resolve()), "--no-browser", "--while-pid", str(os.getpid())]
        voice.tracking_address.unlink(missing_ok=True)
        subprocess.Popen(  # noqa: S603 (our own program, and a path that was checked)
            [sys.executable, "-m", "ownvoice", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    until = time.monotonic() + START_SECONDS
    while not (address := _address(voice)):
        if time.monotonic() > until:
            raise StorageError("the dashboard did not start", where=voice.path, mend="Try: ownvoice track VOICE")
        time.sleep(0.1)
    return address


def _launch(project: str, port: int | None) -> str:
    import trackio

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints an address that lets one delete runs
            _, url, _, _ = trackio.show(
                project, open_browser=False, block_thread=False, host="127.0.0.1", share=False, server_port=port
            )
    except OSError:
        mend = "Leave the port out to take a free one."
        raise UsageError("there is no free port", where=f"--port {port}" if port else None, mend=mend) from None
    return f"{url.rstrip('/')}/?project={project}"


def _address(voice: VoiceFolder) -> str:
    """Where the dashboard is served; empty while it is not."""
    try:
        return voice.tracking_address.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
