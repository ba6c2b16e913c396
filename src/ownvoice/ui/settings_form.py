"""Turns the training settings into fields of a form, and a filled-in form into settings.

What a field is called, may hold and means is read from the settings classes; only its plain name is the interface's
text (``words/LANGUAGE/train.yaml``, ``field_LORA_RANK``). Decides nothing about training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ownvoice.config import Settings, TrainingSettings, leaf_fields, nested
from ownvoice.errors import ConfigError

Kind = Literal["choice", "switch", "whole", "number", "text"]


@dataclass(frozen=True)
class FormField:
    """One setting as a control."""

    name: str
    """Its place in the settings: "lora.rank"."""
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    optional: bool = False
    """Whether it may be left empty."""

    @property
    def key(self) -> str:
        """The name as a part of ids and of keys of texts: "lora_rank"."""
        return self.name.replace(".", "_")


@dataclass(frozen=True)
class FormGroup:
    """Fields that are set together; ``key`` is "" for the settings that belong to no group."""

    key: str
    help: str
    fields: tuple[FormField, ...]


def form_groups() -> list[FormGroup]:
    """Every field of the training settings, in the order they are written."""
    fields = list(leaf_fields(TrainingSettings))
    groups = []
    for group, members in groupby(fields, key=lambda pair: pair[0][0] if len(pair[0]) > 1 else ""):
        kind = TrainingSettings.model_fields[group].annotation if group else None
        text = (kind.__doc__ or "") if kind else ""
        groups.append(FormGroup(group, text, tuple(_form_field(".".join(path), field) for path, field in members)))
    return groups


def shown_values(settings: Settings, *, only_given: bool = False) -> dict[str, Any]:
    """The settings flat, as the form shows them: ``{"epochs": 12, "lora.rank": 16}``; None is an empty field.

    ``only_given`` leaves out what was never set and has its default.
    """
    values = settings.model_dump(mode="json", exclude_unset=only_given)
    flat = {}
    for path, _ in leaf_fields(type(settings)):
        value: Any = values
        for name in path:
            value = value.get(name, {})
        if value != {}:
            flat[".".join(path)] = value
    return flat


def given_settings(filled: Mapping[str, object]) -> dict[str, Any]:
    """What a person filled in, as nested values for ``TrainingSettings.make``; an empty field is None.

    Raises
    ------
    ConfigError
        when there is no such setting.
    """
    known = {".".join(path) for path, _ in leaf_fields(TrainingSettings)}
    for name in filled:
        if name not in known:
            raise ConfigError(f"{name}: there is no such setting")
    return nested({name: None if value == "" else value for name, value in filled.items()}, ".")


def _form_field(name: str, field: FieldInfo) -> FormField:
    kind, optional = field.annotation, False
    if get_origin(kind) in (Union, UnionType):
        kind, optional = next(option for option in get_args(kind) if option is not NoneType), True
    bounds = {
        bound: getattr(rule, bound)
        for rule in field.metadata
        for bound in ("ge", "gt", "le", "lt")
        if hasattr(rule, bound)
    }
    return FormField(
        name=name,
        kind=_kind(kind),
        help=" ".join((field.description or "").split()),
        choices=get_args(kind) if get_origin(kind) is Literal else (),
        low=bounds.get("ge", bounds.get("gt")),
        high=bounds.get("le", bounds.get("lt")),
        optional=optional,
    )


def _kind(annotation: object) -> Kind:
    if get_origin(annotation) is Literal:
        return "choice"
    if annotation is bool:
        return "switch"
    return "whole" if annotation is int else "number" if annotation is float else "text"
