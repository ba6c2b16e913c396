"""``ownvoice track``: the figures of a voice's runs in Trackio's dashboard, kept up to date while it is open."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("track")
@click.argument("voice", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="Port; left out, the first free from 7860 on.")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
@click.option("--while-pid", type=int, hidden=True)  # the app ends it with itself
def command(voice: Path, port: int | None, no_browser: bool, while_pid: int | None) -> None:
    """The figures of all runs in a dashboard on this computer.

    Trackio shows loss, word error rate, speed and memory of every run of VOICE, to this computer alone, and nothing is
    sent anywhere. Runs that go on are followed. Ctrl-C ends it.
    """
    import webbrowser

    from ownvoice.rundir import VoiceFolder
    from ownvoice.workflow.dashboard import serve_dashboard

    def ready(url: str) -> None:
        click.echo(url)
        if not no_browser:
            webbrowser.open(url)

    serve_dashboard(VoiceFolder(voice), port=port, ready=ready, while_pid=while_pid)
