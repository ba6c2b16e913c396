"""The command line: ``ownvoice VERB``. It finds the verb's file, runs it, and turns how it ended into an exit code.

Each verb has a file of its own here, read only when that verb is asked for, and holds no domain logic: it calls
:mod:`ownvoice.workflow` or one library function and prints what comes back. Results go to stdout, progress and
complaints to stderr. Exit codes: 0 success, 1 it could not be done, 2 bad usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module

import click

import ownvoice
from ownvoice.errors import OwnvoiceError, storage_faults

VERBS = {
    "demo": "The whole way on the built-in model and sample voice.",
    "app": "The web app: record, train, compare.",
    "phrases": "Phrases to read aloud, the ones that teach the most first.",
    "import": "Bring recordings and their transcripts into a voice folder.",
    "check": "Every problem of a voice's recordings, with its place and its mend.",
    "train": "Teach a model the voice.",
    "jobs": "Trainings on rented machines: list, follow, cancel.",
    "evaluate": "Base model against tuned model, on phrases never trained on.",
    "track": "The figures of all runs in a dashboard on this computer.",
    "transcribe": "Write down what is said in audio files.",
    "serve": "An OpenAI-compatible transcription server for one model or several voices.",
    "dictate": "Speak, and have it written to the terminal or the clipboard.",
    "export": "Write a trained model in a form that other programs read.",
    "publish": "Share recordings, a model or a demo on the Hugging Face Hub, private unless you say otherwise.",
    "card": "The card a model would have on the Hub, to read before publishing.",
    "doctor": "What this machine can train, and why not more.",
}
"""Every command with its one line of help, so that ``ownvoice --help`` reads no verb's file."""


class _Verbs(click.Group):
    """Loads ``cli/VERB.py`` when VERB is asked for, and prints an expected error instead of its traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = import_module(f"ownvoice.cli.{'import_' if name == 'import' else name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            with storage_faults("."):
                return super().invoke(ctx)
        except OwnvoiceError as error:
            click.echo(f"ownvoice: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nownvoice: stopped; everything saved so far is still there.", err=True)
            ctx.exit(130)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(ownvoice.__version__, prog_name="ownvoice")
def cli() -> None:
    """Teach Mistral's Voxtral speech model one person's voice, and see how much better it hears them.

    Nothing leaves this computer unless a command says so.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process with its exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn programmers, and this is read by everyone else
    cli.main(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="ownvoice")
