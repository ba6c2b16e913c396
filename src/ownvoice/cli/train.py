"""``ownvoice train``: settings from options and a recipe, a progress bar, and the run's folder at the end."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ownvoice.cli.progress import RunProgress
    from ownvoice.workflow import SearchResult, TrainedRun


class _TrainCommand(click.Command):
    """Has an option for each training setting, made when they are first needed: pydantic is slow to load."""

    @cached_property
    def _settings_options(self) -> list[click.Option]:
        from ownvoice.cli.settings_options import options_of
        from ownvoice.config import TrainingSettings

        return options_of(TrainingSettings)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *self._settings_options]


@click.command("train", cls=_TrainCommand)
@click.argument("voices", metavar="[VOICE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--dataset-jsonl",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Import this table into a voice folder beside it first, and train that.",
)
@click.option(
    "--recipe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with settings; options given here count more.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with VOICE's latest unfinished run, or with the run given as VOICE."
)
@click.option(
    "--search",
    metavar="N",
    type=click.IntRange(2, 200),
    help="Try N settings (learning rate, rank, dropout, rate variants), each as a run of its own, and name the best.",
)
@click.option("--only-best", is_flag=True, help="--search: delete the models of all runs but the best.")
@click.option("--on", metavar="hf-jobs:FLAVOR", help="Train on a machine rented from the Hub; many voices at a time.")
@click.option(
    "--hours", type=click.FloatRange(0, 24, min_open=True), default=4.0, help="--on: end it then  [default: 4]"
)
@click.option("--parallel", type=click.IntRange(1, 64), default=1, help="--on: so many voices at a time  [default: 1]")
@click.option("--keep-on-hub", is_flag=True, help="--on: keep the private repositories afterwards.")
@click.option("--yes", is_flag=True, help="--on: do not ask.")
@click.option("--job", is_flag=True, hidden=True)  # VOICE is a run that the app made: wait, train, evaluate
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def command(
    voices: tuple[Path, ...],
    dataset_jsonl: Path | None,
    recipe: Path | None,
    resume: bool,
    search: int | None,
    only_best: bool,
    on: str | None,
    hours: float,
    parallel: int,
    keep_on_hub: bool,
    yes: bool,
    job: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Teach a model the voice.

    Trains on the recordings in the folder VOICE, keeps the state that heard the dev set best, and prints the folder of
    the run. Stopped at any time, it goes on with --resume. The language is the voice's own unless you give another.
    """
    from ownvoice import workflow
    from ownvoice.cli.progress import RunProgress
    from ownvoice.cli.settings_options import given_values
    from ownvoice.errors import UsageError
    from ownvoice.rundir import RunFolder, VoiceFolder

    if workflow.is_follower():  # of the processes a launcher started, the first does all that follows
        workflow.follow()
        return
    given = given_values(options)
    if on is not None:
        if not voices or resume or dataset_jsonl or search:
            raise UsageError(
                "--on takes voices and starts new runs", mend="For example: ownvoice train voices/* --on ..."
            )
        from ownvoice.cli.jobs import train_remotely

        train_remotely(
            voices, on, recipe, given, hours=hours, parallel=parallel, keeps=keep_on_hub, yes=yes, as_json=as_json
        )
        return
    if len(voices) > 1:
        raise UsageError(
            "one voice is trained at a time on this computer", mend="Several train with --on hf-jobs:FLAVOR"
        )
    voice = next(iter(voices), None)
    with workflow.leading(), RunProgress() as progress:
        if job and voice:
            workflow.run_job(RunFolder(voice), progress)
            return
        folder = _folder_of(voice, dataset_jsonl, progress)
        try:
            if search:
                found = workflow.search(
                    VoiceFolder(folder), recipe, given, search, resume=resume, listener=progress, tell=progress.say
                )
            else:
                trained = _train(folder, recipe, given, resume, progress)
        except KeyboardInterrupt:
            again = f"{folder} --search {search}" if search else folder
            progress.say(f"Once training has begun, it goes on with: ownvoice train {again} --resume")
            raise
    if search:
        _print_search(found, only_best, as_json)
    else:
        _print(trained, as_json)


def _train(folder: Path, recipe: Path | None, given: dict[str, Any], resume: bool, progress: RunProgress) -> TrainedRun:
    from ownvoice import workflow
    from ownvoice.rundir import VoiceFolder

    if resume:
        return workflow.resume_run(folder, given, progress)
    settings = workflow.training_settings(VoiceFolder(folder), recipe, given)
    prepared = workflow.prepare(VoiceFolder(folder), settings)
    if prepared.outlook:
        progress.say(prepared.outlook)
    return workflow.train_voice(prepared, progress)


def _folder_of(voice: Path | None, table: Path | None, progress: RunProgress) -> Path:
    """The folder VOICE, or the one into which ``table`` is imported first."""
    from ownvoice import workflow
    from ownvoice.errors import UsageError

    if voice is not None and table is None:
        return voice
    if table is None or voice is not None:
        raise UsageError("either VOICE or --dataset-jsonl is needed", mend="For example: ownvoice train voices/me")
    imported, failed = workflow.import_table(table, progress.stage)
    progress.say(f"The recordings of {table} are in the voice folder {imported.path}")
    for clip in failed:
        progress.say(f"Left out: {clip}")
    return imported.path


def _print_search(found: SearchResult, only_best: bool, as_json: bool) -> None:
    from ownvoice import workflow

    if only_best:
        workflow.delete_other_models(found)
    if as_json:
        import json

        click.echo(json.dumps(found.to_json()))
    else:
        click.echo(found.table())
        click.echo(f"See what the best brought with: ownvoice evaluate {found.run.path}", err=True)


def _print(trained: TrainedRun, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(trained.summary()))
    else:
        click.echo(trained.run.path)
        click.echo(f"See what it brought with: ownvoice evaluate {trained.run.path}", err=True)
