"""Turns a settings class into command-line options, one a field, so that help, default and choices are written once.

A field ``lora.rank`` becomes ``--lora-rank``; its help is the sentence under the field, its default is shown, and the
values of a ``Literal`` become choices. Values stay text here: the settings class reads and checks them, so that a
recipe and an option are refused with the same words. ``none`` empties a field that may be empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from ownvoice.config import Settings, leaf_fields, nested

_NONE = "none"
_SEPARATOR = "__"  # between the names of a nested field in the parameter's Python name


def options_of(settings: type[Settings]) -> list[click.Option]:
    """One option for each field of ``settings``, nested fields included, in the order they are written."""
    return [_option(path, field) for path, field in leaf_fields(settings)]


def given_values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The options a person gave, as nested values for ``Settings.make``; options left out are absent.

    ``{"epochs": "3", "lora__rank": "8", "method": None}`` becomes ``{"epochs": "3", "lora": {"rank": "8"}}``.
    """
    given = {name: None if value == _NONE else value for name, value in parameters.items() if value is not None}
    return nested(given, _SEPARATOR)


def _option(path: tuple[str, ...], field: FieldInfo) -> click.Option:
    flag = "-".join(path).replace("_", "-")
    kind = field.annotation
    shown = _NONE if field.default is None else str(field.default)
    default = f"  [default: {shown}]" if shown else ""
    help_text = f"{' '.join((field.description or '').split())}{default}"
    name = _SEPARATOR.join(path)
    if kind is bool:
        return click.Option([f"--{flag}/--no-{flag}", name], default=None, help=help_text)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return click.Option(
        [f"--{flag}", name],
        type=click.Choice(choices) if choices else click.STRING,
        metavar=None if choices else _metavar(kind),
        help=help_text,
    )


def _metavar(kind: object) -> str:
    if get_origin(kind) in (Union, UnionType):
        kind = next(option for option in get_args(kind) if option is not NoneType)
    return {int: "WHOLE NUMBER", float: "NUMBER"}.get(kind, "TEXT")  # type: ignore[call-overload, no-any-return]
