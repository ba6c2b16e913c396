"""``ownvoice app``: the web app on this computer."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

import click
from click.core import ParameterSource

from ownvoice.errors import UsageError

_PORTS_TRIED = 50
"""After the usual port, where it is taken: each ownvoice that runs already takes one."""

_LAST_WORDS_SECONDS = 3
"""What is being saved when Ctrl-C comes is finished; a player that streams sound does not hold up the end."""


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; with any but this computer's own, a token is needed to come in.",
)
@click.option("--port", default=7860, show_default=True, help="Port to listen on; the next free one if it is taken.")
@click.option(
    "--voices",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("voices"),
    show_default=True,
    help="Folder that holds the voices.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser window.")
@click.pass_context
def command(ctx: click.Context, host: str, port: int, voices: Path, no_browser: bool) -> None:
    """The web app: record, train, compare.

    Opens in your browser. Everything stays in the folder of the voices. Ctrl-C ends it; what was saved stays.
    """
    wanted = ctx.get_parameter_source("port") == ParameterSource.COMMANDLINE
    with contextlib.closing(_listen(host, port, 1 if wanted else _PORTS_TRIED)) as listening:
        _serve(listening, host, voices, open_browser=not no_browser)


def _serve(listening: socket.socket, host: str, voices: Path, *, open_browser: bool) -> None:
    import uvicorn

    from ownvoice.ui.access import access_for, is_loopback
    from ownvoice.ui.app import build_app

    access = access_for(host, space=os.environ.get("SPACE_ID"))
    port = listening.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{port}/"
    config = uvicorn.Config(
        build_app(voices, access),
        log_level="warning",
        access_log=False,  # addresses may hold the token
        server_header=False,
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
    )
    if access.login is not None:
        url += "?" + urlencode({"token": access.login.token})
        click.echo("Other computers can reach this. Whoever has the address below can hear what is recorded.", err=True)
        click.echo(
            "Their browsers give a microphone over https alone: put a proxy that speaks it before this.", err=True
        )
    click.echo(f"ownvoice is at {url}  (Ctrl-C ends it)", err=True)
    if open_browser and access.login is None and is_loopback(host):  # a token would show in the browser's arguments
        threading.Timer(0.5, webbrowser.open, [url]).start()
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int, tries: int) -> socket.socket:
    """A socket that listens on the first free one of ``tries`` ports; taken now, so that nobody can come between.

    Raises
    ------
    UsageError
        when all are taken or ``host`` is no address of this computer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, port + tries):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left can be taken again
        try:
            listening.bind((host, number))
            listening.listen()
        except OSError as error:
            listening.close()
            if error.errno != errno.EADDRINUSE:
                raise UsageError(f"cannot listen there ({error.strerror})", where=f"{host}:{number}") from None
            continue
        if number != port:
            click.echo(f"Port {port} is taken, perhaps by an ownvoice that runs already.", err=True)
        return listening
    raise UsageError("this port is taken", where=f"{host}:{port}", mend="Choose another with --port.")
