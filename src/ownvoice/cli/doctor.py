"""``ownvoice doctor``: prints what :mod:`ownvoice.workflow.doctor` found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ownvoice.workflow.doctor import Diagnosis


@click.command("doctor")
@click.option("--hub", "ask_hub", is_flag=True, help="Ask the Hugging Face Hub who you are there and what you may do.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def command(ask_hub: bool, as_json: bool) -> None:
    """What this machine can train, and why not more.

    Each thing that is not as it should be comes with what to do about it. Sizes are estimates from the models' shapes.
    The microphone is heard for a moment, and nothing of it kept; without --hub no connection is opened.
    """
    from pathlib import Path

    from ownvoice.workflow.doctor import examine

    diagnosis = examine(Path.cwd(), ask_hub=ask_hub)
    if as_json:
        _print_json(diagnosis)
    else:
        _print_tables(diagnosis)


def _print_json(diagnosis: Diagnosis) -> None:
    import dataclasses
    import json

    fits = [{**dataclasses.asdict(fit), "fits": fit.fits, "remedy": fit.remedy} for fit in diagnosis.fits]
    click.echo(
        json.dumps({"findings": [dataclasses.asdict(found) for found in diagnosis.findings], "fits": fits}, indent=2)
    )


def _print_tables(diagnosis: Diagnosis) -> None:
    from rich.console import Console
    from rich.table import Table

    from ownvoice.workflow.doctor import GIGABYTE

    console = Console()
    machine = Table("", "this machine", "has", "what to do", box=None, pad_edge=False)
    for found in diagnosis.findings:
        machine.add_row("ok" if found.ok else "!!", found.name, found.value, found.remedy)
    console.print(machine)

    fits = Table("", "base model", "method", "needs about", "free", "what to do", box=None, pad_edge=False)
    for fit in diagnosis.fits:
        mark = "ok" if fit.fits else "!!"
        needs, free = (f"{count / GIGABYTE:.0f} GB" for count in (fit.needed_bytes, fit.available_bytes))
        fits.add_row(mark, fit.base_model, fit.method, needs, free, fit.remedy)
    console.print()
    console.print(fits)
