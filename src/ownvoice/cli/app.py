"""``ownvoice app``: the web app on this computer."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=7860, show_default=True, help="Port to listen on.")
@click.option(
    "--voices",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("voices"),
    show_default=True,
    help="Folder that holds the voices.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser window.")
def command(host: str, port: int, voices: Path, no_browser: bool) -> None:
    """Open the studio: read phrases aloud, bring recordings, look through them."""
    import uvicorn

    from ownvoice.ui.app import build_app

    click.echo(f"ownvoice is at http://{host}:{port}/  (Ctrl-C ends it)", err=True)
    uvicorn.run(build_app(voices), host=host, port=port, log_level="warning", access_log=False)
