"""The reference of the command line as Markdown, made from the commands themselves.

Used when the site is built (``site_hooks.py``), so that it cannot be out of date; writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from ownvoice.cli import VERBS, cli


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command but hidden ones, with the words that call it: ``ownvoice publish dataset``, and its context."""
    root = click.Context(cli, info_name="ownvoice")
    for verb in VERBS:
        if command := cli.get_command(root, verb):
            yield from _below(command, click.Context(command, info_name=verb, parent=root))


def _below(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from _below(inner, click.Context(inner, info_name=name, parent=context))


def command_reference() -> str:
    """A section a command: how it is called, what it does, its options."""
    return "\n\n".join(_section(words, command, context) for words, command, context in commands())


def _section(words: str, command: click.Command, context: click.Context) -> str:
    level = "#" * (len(words.split()))
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    parts = [f"{level} {words}", f"```text\n{usage}\n```", _help(command)]
    rows = [_row(parameter, context) for parameter in command.get_params(context)]
    rows = [row for row in rows if row]
    if rows:
        parts.append("\n".join(["| option | what it does |", "|---|---|", *rows]))
    return "\n\n".join(part for part in parts if part)


def _help(command: click.Command) -> str:
    """The command's own text: paragraphs as they are, each line break of click's ``\\b`` kept."""
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(_paragraph(paragraph) for paragraph in paragraphs)


def _paragraph(text: str) -> str:
    if text.startswith("\b"):
        return text.removeprefix("\b\n").replace("\n", "  \n")
    return " ".join(text.split())


def _row(parameter: click.Parameter, context: click.Context) -> str | None:
    record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
    if record is None:  # an argument, which the text above explains, or a hidden option
        return None
    flags, meaning = (_cell(text) for text in record)
    return f"| `{flags}` | {meaning} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
