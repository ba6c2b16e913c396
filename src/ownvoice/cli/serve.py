"""``ownvoice serve``: an OpenAI-compatible transcription server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import click


class _ServeCommand(click.Command):
    """Has an option for each setting of the server, made when they are first needed: pydantic is slow to load."""

    @cached_property
    def _settings_options(self) -> list[click.Option]:
        from ownvoice.cli.settings_options import options_of
        from ownvoice.config import ServeSettings

        return options_of(ServeSettings)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *self._settings_options]


@click.command("serve", cls=_ServeCommand)
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    metavar="[NAME=]RUN|ID",
    help='A run, a model\'s folder, a Hub id, or "tiny"; repeated for several, each base is loaded once.',
)
@click.option("--while-pid", type=int, hidden=True, help="Stop when this process has ended.")
def command(models: tuple[str, ...], while_pid: int | None, **options: Any) -> None:
    """An OpenAI-compatible transcription server for one model or several voices.

    Programs that know OpenAI's /v1/audio/transcriptions use it with base_url http://127.0.0.1:8000/v1 and the NAME as
    model. It listens on this computer alone unless OWNVOICE_API_KEY holds a key for others to show. docs/serving.md
    tells of clients, limits and live dictation.
    """
    from ownvoice.cli.settings_options import given_values
    from ownvoice.config import ServeSettings
    from ownvoice.credentials import server_key
    from ownvoice.serving.stopping import serve

    settings = ServeSettings.make(given_values(options))

    def say(address: str, names: Sequence[str]) -> None:
        click.echo(f"ownvoice listens at {address}/v1", err=True)
        key = (
            "the one in OWNVOICE_API_KEY" if server_key() else "none is needed; where one has to be given, any will do"
        )
        click.echo(f"Model: {', '.join(names)}\nKey: {key}", err=True)

    serve(models, settings, say, while_pid=while_pid)
