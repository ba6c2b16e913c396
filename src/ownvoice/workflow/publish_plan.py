"""Makes the plans of what to publish: a voice as a data set, a run's model; and a model's card to read before.

Looks and computes, and sends nothing; the Hub is asked who this is and whether a repository is there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ownvoice.config import TrainingSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import Split, load_split, split_utterances
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import StorageError, TooLittleDataError, UsageError
from ownvoice.events import StageProgress
from ownvoice.model.source import read_json
from ownvoice.publishing import dataset, model
from ownvoice.publishing.card import DatasetFacts, ModelFacts, ModelForm, Wishes, model_card
from ownvoice.publishing.hub import refuse_unwanted_public
from ownvoice.publishing.model import hub_base
from ownvoice.publishing.record import read_published
from ownvoice.publishing.repository import RepoKind
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.export import export_model
from ownvoice.workflow.prepare import usable_utterances
from ownvoice.workflow.publish import Account, Plan

if TYPE_CHECKING:
    from ownvoice.model.quantised import Quantisation
    from ownvoice.model.source import ModelSource

SharedForm = Literal["adapter", "merged"]


def plan_dataset(
    account: Account,
    voice: VoiceFolder,
    *,
    run: RunFolder | None = None,
    repo: str | None = None,
    public: bool = False,
    wishes: Wishes,
) -> Plan:
    """Plan a voice's recordings as a data set; they need not have been trained on.

    Parameters
    ----------
    run
        Whose split is kept, so that what its model was judged on is "test" here too; left out, the latest run.

    Raises
    ------
    DataError
        when this is no voice, or there is nothing to publish.
    HubError
        when this token may not write there, or the repository is public though it should not be.
    """
    settings = read_voice_settings(voice.require())
    utterances, notes = usable_utterances(voice)
    if not utterances:
        raise TooLittleDataError("there is no recording to publish", where=voice.path)
    name = place(
        account, "dataset", repo, voice.published, f"{voice_slug(voice).removesuffix('-voice')}-voice", public=public
    )
    consent = dataset.needed_consent(settings, public=public)
    built = dataset.build_dataset(
        voice,
        utterances,
        _split(voice, run, utterances),
        repo=name,
        author=account.identity.name,
        settings=settings,
        consent=consent,
        wishes=wishes,
    )
    return Plan(
        kind="dataset",
        repo=name,
        public=public,
        files=built.files,
        contains=tuple(_dataset_contains(built.facts)),
        notes=(*notes, *_dataset_notes(voice, built.facts)),
        record=voice.published,
        is_ours=dataset.is_ours,
        private_folders=(voice.path,),
        keeps_history=False,
        consent=consent if public or consent != settings.consent else "",
        voice=voice,
    )


def _dataset_contains(facts: DatasetFacts) -> Iterator[str]:
    yield f"{counted(facts.utterances, 'recording')} of this voice, {facts.minutes:.1f} minutes, each with its words"
    yield f"A card with the name {facts.author}, the language, the consent below and the licence {facts.licence}"
    for source in facts.sources:
        yield f"{counted(source.count, 'phrase')} from {source.what}"


def _dataset_notes(voice: VoiceFolder, facts: DatasetFacts) -> Iterator[str]:
    if excluded := sum(utterance.excluded for utterance in read_manifest(voice).everything):
        yield f"Left on this computer: {counted(excluded, 'excluded recording')}."
    if own := sum(source.count for source in facts.sources if source.what == dataset.OWN_TEXT):
        yield f"Your own text is in {counted(own, 'phrase')}: look that it holds nothing private."


def plan_model(
    account: Account,
    run: RunFolder,
    *,
    form: SharedForm | None = None,
    quantise: Quantisation | None = None,
    repo: str | None = None,
    public: bool = False,
    dataset_plan: Plan | None = None,
    wishes: Wishes,
    progress: StageProgress,
) -> Plan:
    """Plan a run's model; weights are merged first where that is asked for, or where an adapter alone would not load.

    Parameters
    ----------
    form
        Left out, the adapter where its base is on the Hub, else merged.
    dataset_plan
        A plan for the run's recordings that will have been carried out before this one.

    Raises
    ------
    TrainingError, ModelError
        when this is no run, it has no model yet, or an adapter's base is not on the Hub.
    UsageError
        when the form does not go with the run or the quantisation.
    HubError
        when this token may not write there, or the repository is public though it should not be.
    """
    name = place(account, "model", repo, run.require().published, f"{voice_slug(run.voice)}-voxtral", public=public)
    found, chosen = _form(run, form, quantise)
    weights = _weights(run, found, chosen, quantise, progress)
    recordings = _public_dataset(account, run.voice, dataset_plan)
    figures = weights / "quantisation.json"
    facts = model.describe_model(
        run,
        chosen,
        base=found.base,
        repo=name,
        author=account.identity.name,
        dataset=recordings,
        quantisation=read_json(figures) if figures.is_file() else None,
        wishes=wishes,
    )
    readable = {utterance_id(utterance) for utterance in usable_utterances(run.voice)[0]} if recordings else set()
    return Plan(
        kind="model",
        repo=name,
        public=public,
        files=model.model_repository(facts, weights=weights, base=found.base, public_phrases=readable),
        contains=tuple(_model_contains(facts)),
        notes=tuple(_model_notes(run, facts, weights)),
        record=run.published,
        is_ours=model.is_ours,
        private_folders=(run.voice.path,),
        keeps_history=True,
    )


def _model_contains(facts: ModelFacts) -> Iterator[str]:
    yield f"{_FORMS[facts.form]}, shaped by {counted(facts.train, 'recording')} of this voice; no recording is in it"
    yield f"A card with the name {facts.author}, how it was trained, and the licence {facts.licence}"
    if facts.evaluation:
        words = "and what was said in them" if facts.dataset else "without any words that were said"
        yield f"Error rates of base and tuned model on {counted(facts.evaluation['n'], 'phrase')}, {words}"


def _model_notes(run: RunFolder, facts: ModelFacts, weights: Path) -> Iterator[str]:
    if not facts.evaluation:
        yield f"It was never judged. Before you publish: ownvoice evaluate {run.path}"
    if facts.form == "merged":
        yield f"The merged model stays on this computer too, in {weights}; delete that folder when you like."
    if not facts.built_in_base and not (facts.base or "").startswith("mistralai/"):
        yield "The licence is Voxtral's own. Where its base model has another, say so with --licence."


def card_of_run(run: RunFolder, repo: str | None, wishes: Wishes) -> str:
    """The card a run's model would have, from this computer alone.

    Raises
    ------
    TrainingError, ModelError
        when this is no run, or it has no model yet.
    """
    known = read_published(run.require().published).get("model")
    name = repo or (known.repo if known else "OWNER/NAME")
    found, form = _form(run, None, None)
    recordings = read_published(run.voice.published).get("dataset")
    facts = model.describe_model(
        run,
        form,
        base=found.base,
        repo=name,
        author=name.partition("/")[0],
        dataset=recordings.repo if recordings and recordings.public else None,
        quantisation=None,
        wishes=wishes,
    )
    return str(model_card(facts))


_FORMS: dict[ModelForm, str] = {
    "adapter": "The trained adapter",
    "merged": "The whole model with the adapter added into its weights",
    "full": "The whole trained model",
}


def place(account: Account, kind: RepoKind, asked: str | None, record: Path, usual: str, *, public: bool) -> str:
    """The repository to publish in: the one asked for, the last one, or the usual one; checked before any work."""
    known = read_published(record).get(kind)
    name = account.hub.writable_name(account.identity, asked or (known.repo if known else usual))
    refuse_unwanted_public(name, account.hub.state(kind, name), public=public)
    return name


def voice_slug(voice: VoiceFolder) -> str:
    """The voice's name with what a repository's may have."""
    letters = unicodedata.normalize("NFKD", voice.path.resolve().name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60].strip("-") or "my"


def _split(voice: VoiceFolder, run: RunFolder | None, utterances: list[Utterance]) -> Split | None:
    """A run's split; where nothing was trained a new one, or none where there is too little for it."""
    for known in [run] if run else reversed(voice.started_runs()):
        if known.split.is_file():
            return load_split(known, read_manifest(voice).everything)
    try:
        return split_utterances(utterances, seed=0)
    except TooLittleDataError:
        return None


def _form(run: RunFolder, form: SharedForm | None, quantise: Quantisation | None) -> tuple[ModelSource, ModelForm]:
    from ownvoice.model.source import find_model

    found = find_model(run.path)
    if found.adapter is None:
        if form == "adapter":
            raise UsageError("this run trained the whole model and has no adapter", where=run.path)
        return found, "full"
    if quantise and form == "adapter":
        raise UsageError("an adapter is not quantised", mend="Leave out one of --format adapter and --quantize.")
    on_hub = hub_base(TrainingSettings.load(run.config)) is not None
    return found, form or ("adapter" if on_hub and not quantise else "merged")


def _weights(
    run: RunFolder, found: ModelSource, form: ModelForm, quantise: Quantisation | None, progress: StageProgress
) -> Path:
    if form == "adapter" and found.adapter is not None:
        return found.adapter
    if form == "full" and quantise is None:
        return found.base
    folder = run.export(f"merged-{quantise}" if quantise else "merged")
    if not folder.exists():
        return export_model(str(run.path), "merged", quantise=quantise, progress=progress).folder
    trained = run.adapter if run.adapter.is_dir() else run.model
    if folder.stat().st_mtime < trained.stat().st_mtime:
        raise StorageError("is older than the model it was made from", where=folder, mend="Delete this folder.")
    return folder


def _public_dataset(account: Account, voice: VoiceFolder, plan: Plan | None) -> str | None:
    """The recordings' data set, where everybody can read it or will have been able to by then."""
    if plan is not None:
        return plan.repo if plan.public else None
    known = read_published(voice.published).get("dataset")
    if known is None:
        return None
    state = account.hub.state("dataset", known.repo)
    return known.repo if state is not None and state.public else None
