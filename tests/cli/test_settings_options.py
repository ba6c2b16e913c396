"""Command-line options made from the fields of a settings class."""

from __future__ import annotations

from typing import Literal

import click
import pytest
from click.testing import CliRunner

from ownvoice.cli.settings_options import given_values, options_of
from ownvoice.config import Settings, TrainingSettings


class Inner(Settings):
    depth_limit: int = 3
    """How deep."""


class Outer(Settings):
    kind: Literal["a", "b"] = "a"
    """Which kind
    of thing."""
    ratio: float | None = None
    """A ratio."""
    bold: bool = False
    """Whether to be bold."""
    inner: Inner = Inner()


@pytest.fixture
def command() -> click.Command:
    def show(**values: object) -> None:
        click.echo(repr(Outer.make(given_values(values))))

    return click.Command("show", params=list(options_of(Outer)), callback=show)


def test_help_has_sentence_default_and_choices(command: click.Command) -> None:
    text = CliRunner().invoke(command, ["--help"], terminal_width=200).stdout
    assert "--kind [a|b]" in text and "Which kind of thing.  [default: a]" in text
    assert "--ratio NUMBER" in text and "A ratio.  [default: none]" in text
    assert "--bold / --no-bold" in text
    assert "--inner-depth-limit WHOLE NUMBER" in text and "How deep.  [default: 3]" in text


def test_options_left_out_keep_the_defaults(command: click.Command) -> None:
    assert CliRunner().invoke(command, []).stdout.strip() == repr(Outer())


def test_options_reach_their_fields(command: click.Command) -> None:
    given = ["--kind", "b", "--ratio", "0.5", "--bold", "--inner-depth-limit", "7"]
    made = Outer(kind="b", ratio=0.5, bold=True, inner=Inner(depth_limit=7))
    assert CliRunner().invoke(command, given).stdout.strip() == repr(made)


def test_none_empties_a_field_and_is_kept_apart_from_not_given() -> None:
    assert given_values({"ratio": "none", "kind": None, "inner__depth_limit": "2"}) == {
        "ratio": None,
        "inner": {"depth_limit": "2"},
    }


def test_every_training_setting_is_an_option_with_a_sentence() -> None:
    options = options_of(TrainingSettings)
    flags = {option.opts[0] for option in options}
    assert {"--base-model", "--method", "--scope", "--epochs", "--seed", "--lora-rank", "--dev-patience"} <= flags
    assert [option.name for option in options if (option.help or "").startswith("  [")] == []
