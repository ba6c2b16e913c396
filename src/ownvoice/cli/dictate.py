"""``ownvoice dictate``: speak, and have it written to the terminal or the clipboard."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.workflow.dictate import Dictation

CLIPBOARDS = {"wl-copy": [], "xclip": ["-selection", "clipboard"], "xsel": ["-ib"], "pbcopy": [], "clip.exe": []}
"""Programs that put what they read into the clipboard: Wayland, X11 (two), Mac, Windows."""


@click.command("dictate")
@click.option(
    "--model", required=True, metavar="RUN|ID", help='A training run, a model\'s folder, a Hub id, or "tiny".'
)
@click.option("--language", metavar="CODE", help="Two-letter code of what is spoken  [default: the run's, or detected]")
@click.option(
    "--hands-free", is_flag=True, help="Write each phrase when a pause ends it, instead of when you press Enter."
)
@click.option(
    "--pause",
    type=click.FloatRange(0.3, 10),
    default=1.2,
    show_default=True,
    help="Seconds of silence that end a phrase, with --hands-free.",
)
@click.option("--clipboard", is_flag=True, help="Put the text into the clipboard too.")
def command(model: str, language: str | None, hands_free: bool, pause: float, clipboard: bool) -> None:
    """Speak, and have it written to the terminal or the clipboard.

    Press Enter, speak, press Enter again; take all the time you want in between. Ctrl-D or Ctrl-C ends it. The sound
    is kept nowhere.
    """
    from ownvoice.serving.microphone import find_recorder, microphone
    from ownvoice.workflow.dictate import Dictation

    copy = _clipboard() if clipboard else None
    recorder = find_recorder()
    dictation = Dictation(model, language)
    if not hands_free:
        _push_to_talk(dictation, recorder, copy)
        return
    click.echo("Listening; Ctrl-C ends it.", err=True)
    with microphone(recorder) as sound:
        for text in dictation.hands_free(sound, pause):
            _give(text, copy)


def _push_to_talk(dictation: Dictation, recorder: list[str], copy: list[str] | None) -> None:
    from ownvoice.serving.microphone import microphone

    while True:
        click.echo("Press Enter and speak.", err=True)
        if not sys.stdin.readline():  # Ctrl-D
            return
        with microphone(recorder) as sound:
            click.echo("Listening; press Enter when you are done.", err=True)
            text = dictation.push_to_talk(sound, _key_pressed)
        _give(text, copy)


def _key_pressed() -> bool:
    """Whether a line waits on the terminal; it is taken."""
    if not select.select([sys.stdin], [], [], 0)[0]:
        return False
    sys.stdin.readline()
    return True


def _give(text: str, copy: list[str] | None) -> None:
    click.echo(text)
    if copy is not None:
        subprocess.run(copy, input=text.encode(), check=False)  # noqa: S603 - a fixed command


def _clipboard() -> list[str]:
    from ownvoice.errors import UsageError

    for program, arguments in CLIPBOARDS.items():
        if (found := shutil.which(program)) is not None:
            return [found, *arguments]
    raise UsageError(
        "there is no program here that reaches the clipboard", mend="Install wl-clipboard (Wayland) or xclip (X11)."
    )
