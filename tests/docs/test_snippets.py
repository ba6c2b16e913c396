"""Every command and piece of code in the documentation runs, or its page says why it is not run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
import yaml
from snippet_desk import Desk
from snippets import ROOT, SNIPPETS, Snippet, looks_like_commands

from ownvoice.cli import cli
from ownvoice.config import TrainingSettings

if TYPE_CHECKING:
    from fakes.hub.app import Hub

COMMANDS = [snippet for snippet in SNIPPETS if snippet.language == "sh"]
RUN = [snippet for snippet in COMMANDS if snippet.not_run is None]
PROGRAMS = [snippet for snippet in SNIPPETS if snippet.language == "python" and snippet.not_run is None]
KNOWN = {"", "sh", "python", "yaml", "text", "mermaid", "json"}


def test_every_block_says_what_it_is() -> None:
    """A block of commands that is not marked as one would never be run."""
    assert [str(snippet) for snippet in SNIPPETS if snippet.language not in KNOWN] == []
    unmarked = [str(snippet) for snippet in SNIPPETS if snippet.language == "" and looks_like_commands(snippet)]
    assert unmarked == []


@pytest.mark.parametrize("snippet", COMMANDS, ids=str)
def test_every_command_is_one_that_exists(snippet: Snippet, desk: Desk) -> None:
    """Those that are not run too: their options are those of the command, and their targets those of the Makefile."""
    for command in snippet.commands:
        last = command.rpartition("|")[2].strip()
        if last.removeprefix(".venv/bin/").startswith("ownvoice "):
            understand(desk.arguments(last))
        elif target := re.fullmatch(r"(?:\w+=\S+ |\w+='[^']*' )*make (\S+)", command):
            assert f"\n{target[1]}:" in (ROOT / "Makefile").read_text(), command
        elif script := re.match(r"(?:bash|python) (\S+)", command):
            assert (ROOT / script[1]).is_file(), command


def understand(arguments: list[str]) -> None:
    """Have the command line read the arguments, without doing what they say."""
    command: click.Command = cli
    context = click.Context(cli, info_name="ownvoice")
    while isinstance(command, click.Group):
        name, *arguments = arguments
        inner = command.get_command(context, name)
        assert inner is not None, name
        command, context = inner, click.Context(inner, info_name=name, parent=context)
    command.parse_args(context, arguments)


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({snippet.page for snippet in RUN}))
def test_commands_run(page: str, desk: Desk, local_hub: Hub) -> None:
    for snippet in RUN:
        if snippet.page == page:
            for command in snippet.commands:
                desk.do(command)


@pytest.mark.slow
@pytest.mark.parametrize("snippet", PROGRAMS, ids=str)
def test_programs_run(snippet: Snippet, desk: Desk) -> None:
    assert desk.do_python(snippet.text).strip()


@pytest.mark.parametrize("snippet", [one for one in SNIPPETS if one.language == "yaml"], ids=str)
def test_recipes_are_settings(snippet: Snippet) -> None:
    TrainingSettings.make(yaml.safe_load(snippet.text))
