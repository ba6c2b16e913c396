"""What every verb shares: help, exit codes, no traceback for an expected error."""

from __future__ import annotations

import errno
import resource
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from ownvoice.cli import VERBS, cli
from ownvoice.errors import ConfigError, DataError


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ownvoice", *arguments], capture_output=True, text=True, check=False)


def test_help_lists_every_verb_and_takes_under_half_a_second_of_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert done.returncode == 0
    assert all(f"\n  {verb} " in done.stdout for verb in VERBS)
    assert seconds < 0.5


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_explains_itself_with_the_sentence_of_the_list(verb: str) -> None:
    done = CliRunner().invoke(cli, [verb, "--help"], terminal_width=300)
    assert done.exit_code == 0
    assert VERBS[verb] in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        ["check"],
        ["check", "--tall", "x"],
        ["import", "only-one"],
        ["transcribe", "--model", "tiny"],
        ["--fast"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_exit_code_2_with_a_hint(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Usage: " in done.stderr


@pytest.fixture
def verb_that_raises(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Make ``ownvoice check`` raise what the test puts into the list."""
    raised: list[BaseException] = []

    @click.command("check")
    def command() -> None:
        raise raised[0]

    import ownvoice.cli.check

    monkeypatch.setattr(ownvoice.cli.check, "command", command)
    return raised


@pytest.mark.parametrize(
    ("error", "code"), [(DataError("bad voice", where="v", mend="Mend it."), 1), (ConfigError("bad setting"), 2)]
)
def test_an_expected_error_is_said_in_plain_words(
    verb_that_raises: list[BaseException], error: DataError | ConfigError, code: int
) -> None:
    verb_that_raises.append(error)
    done = CliRunner().invoke(cli, ["check"])
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"ownvoice: {error}\n")


def test_a_full_disk_anywhere_is_an_expected_error(verb_that_raises: list[BaseException]) -> None:
    verb_that_raises.append(OSError(errno.ENOSPC, "No space left on device", "some/file"))
    done = CliRunner().invoke(cli, ["check"])
    assert done.exit_code == 1
    assert "some/file: the disk is full" in done.stderr


def test_control_c_is_exit_code_130(verb_that_raises: list[BaseException]) -> None:
    verb_that_raises.append(KeyboardInterrupt())
    done = CliRunner().invoke(cli, ["check"])
    assert done.exit_code == 130
    assert "stopped" in done.stderr


def test_a_bug_is_not_hidden(verb_that_raises: list[BaseException]) -> None:
    verb_that_raises.append(ZeroDivisionError("a bug"))
    assert isinstance(CliRunner().invoke(cli, ["check"]).exception, ZeroDivisionError)


def test_a_reader_that_goes_away_is_no_fault() -> None:
    pipe = f"{sys.executable} -m ownvoice doctor --json | true"
    done = subprocess.run(pipe, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
