"""The reference of all settings as Markdown, made from the classes of ``ownvoice.config``; writes no file."""

from __future__ import annotations

import inspect
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ownvoice import config
from ownvoice.config import Settings, leaf_fields

_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
_KINDS = {int: "whole number", float: "number", bool: "yes or no", str: "text"}


def settings_classes() -> list[type[Settings]]:
    """The classes that stand for a file or a command, in the order written; those inside another are left to it."""
    classes = [
        kind
        for _, kind in inspect.getmembers(config, inspect.isclass)
        if issubclass(kind, Settings) and kind is not Settings and kind.__module__ == config.__name__
    ]
    inside = {field.annotation for kind in classes for field in kind.model_fields.values()}
    return sorted((kind for kind in classes if kind not in inside), key=lambda kind: inspect.getsourcelines(kind)[1])


def settings_reference() -> str:
    """A section a class, with a row for each setting and each setting inside it."""
    return "\n\n".join(_section(kind) for kind in settings_classes())


def _section(kind: type[Settings]) -> str:
    rows = [_row(path, field) for path, field in leaf_fields(kind)]
    head = ["| setting | values | default | what it does |", "|---|---|---|---|"]
    return "\n".join([f"## {kind.__name__}", "", " ".join((kind.__doc__ or "").split()), "", *head, *rows])


def _row(path: tuple[str, ...], field: FieldInfo) -> str:
    default = "none" if field.default is None else str(field.default)
    cells = [f"`{'.'.join(path)}`", _values(field), f"`{default}`" if default else "", field.description or ""]
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '&#124;') for cell in cells)} |"


def _values(field: FieldInfo) -> str:
    bounds = [
        wording.format(f"{getattr(limit, name):g}")
        for limit in field.metadata
        for name, wording in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join([_kind(field.annotation), *bounds])


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        inner = [_kind(kind) for kind in get_args(annotation) if kind is not NoneType]
        return ", ".join([*inner, "none"])
    return _KINDS.get(annotation, "text")
