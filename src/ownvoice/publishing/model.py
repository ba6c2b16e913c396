"""A trained model as a repository: exactly the files that make it load, its settings, its figures, its card.

No optimiser state, checkpoint or recording is ever among them, and no file names a folder of this computer. Transcripts
are in it only where the recordings are public as well. Opens no weights and sends nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from ownvoice import events
from ownvoice.config import TINY, TrainingSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.shelf import counted_seconds
from ownvoice.data.split import load_split
from ownvoice.data.utterance import utterance_id
from ownvoice.errors import ModelError
from ownvoice.model.source import read_json
from ownvoice.publishing.card import ModelFacts, ModelForm, Wishes, model_card
from ownvoice.publishing.files import RepoFile
from ownvoice.rundir import RunFolder

LICENCE = "apache-2.0"
"""That of Voxtral itself."""
_ADAPTER = re.compile(r"adapter_model\.safetensors|adapter_config\.json")
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json")
_CONFIG = re.compile(r"config\.json|generation_config\.json")
_PROCESSOR = re.compile(r"(pre)?processor_config\.json|tekken\.json")
_TOLD = re.compile(r"README\.md|training_config\.yaml|evaluation\.json|quantisation\.json")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_NOT_ON_THE_HUB = "not on the Hub"
"""Stands in published settings for a folder of this computer."""


def is_ours(path: str) -> bool:
    """Whether a file of a model's repository is one that publishing puts there."""
    return any(kind.fullmatch(path) for kind in (_ADAPTER, _WEIGHTS, _CONFIG, _PROCESSOR, _TOLD))


def hub_base(settings: TrainingSettings) -> str | None:
    """The Hub id of the model a run started from; None where it is built in or a folder of this computer."""
    name = settings.base_model
    return name if _HUB_ID.fullmatch(name) and not Path(name).exists() else None


def describe_model(
    run: RunFolder,
    form: ModelForm,
    *,
    base: Path,
    repo: str,
    author: str,
    dataset: str | None,
    quantisation: dict[str, Any] | None,
    wishes: Wishes,
) -> ModelFacts:
    """Gather what the card of a run's model says.

    Parameters
    ----------
    base
        Folder of the model it was made from.
    dataset
        Hub id of the recordings, where everybody can read them.
    quantisation
        What was measured when its weights were made smaller.

    Raises
    ------
    DataError
        when the voice of the run or its split cannot be read.
    ModelError
        when a file of the run or of the base cannot be read.
    """
    settings = TrainingSettings.load(run.require().config)
    utterances = {utterance_id(utterance): utterance for utterance in read_manifest(run.voice).everything}
    trained_on = [utterances[name] for name in load_split(run, utterances.values()).train]
    happened = events.read_events(run.events) if run.events.is_file() else []
    start = next((event for event in happened if isinstance(event, events.Start)), None)
    done = next((event for event in reversed(happened) if isinstance(event, events.Done)), None)
    return ModelFacts(
        repo=repo,
        author=wishes.author or author,
        licence=wishes.licence or LICENCE,
        form=form,
        quantisation=quantisation,
        base=hub_base(settings),
        settings=settings,
        positions=read_json(base / "config.json")["audio_config"]["max_source_positions"],
        dataset=dataset,
        train=len(trained_on),
        minutes=sum(counted_seconds(utterance) for utterance in trained_on) / 60,
        device=f"{start.device}, {start.dtype}" if start else "",
        train_minutes=done.seconds / 60 if done else None,
        evaluation=read_json(run.evaluation_json) if run.evaluation_json.is_file() else None,
    )


def model_repository(
    facts: ModelFacts, *, weights: Path, base: Path, public_phrases: Collection[str]
) -> tuple[RepoFile, ...]:
    """Choose and clean the files of a model.

    Parameters
    ----------
    weights
        Folder of the adapter, or of the merged or whole model.
    base
        Folder of the model it was made from: an adapter's processor is taken from there.
    public_phrases
        Ids of the utterances that everybody can read; no words of any other are among the files.

    Raises
    ------
    ModelError
        when a file is missing, or an adapter's base is not on the Hub.
    """
    chosen = _model_files(facts.form, weights, base)
    files = [RepoFile("README.md", str(model_card(facts)).encode())]
    files += [RepoFile(name, _clean(path, facts.base)) for name, path in sorted(chosen.items())]
    files.append(RepoFile("training_config.yaml", _public_settings(facts)))
    if facts.evaluation is not None:
        files.append(RepoFile("evaluation.json", _json(_public_figures(facts.evaluation, public_phrases))))
    if facts.quantisation is not None:
        files.append(RepoFile("quantisation.json", _json(facts.quantisation)))
    return tuple(files)


def _model_files(form: ModelForm, weights: Path, base: Path) -> dict[str, Path]:
    """The files that make the model load, by their names in the repository.

    Beside an adapter stand its base's processor and config.json: without the latter transformers takes another
    tokenizer, and says nothing.
    """
    kinds = (_ADAPTER,) if form == "adapter" else (_PROCESSOR, _WEIGHTS, _CONFIG)
    chosen = {path.name: path for path in weights.iterdir() if any(kind.fullmatch(path.name) for kind in kinds)}
    if form == "adapter":
        chosen |= {path.name: path for path in base.iterdir() if _PROCESSOR.fullmatch(path.name)}
        chosen["config.json"] = base / "config.json"
    _require_whole(form, chosen, weights)
    return chosen


def _require_whole(form: ModelForm, names: Collection[str], weights: Path) -> None:
    needed = {"tekken.json", "config.json"}
    if form == "adapter":
        needed |= {"adapter_config.json", "adapter_model.safetensors"}
    elif "model.safetensors.index.json" in names:
        index = read_json(weights / "model.safetensors.index.json")
        needed |= set(index["weight_map"].values())
    else:
        needed.add("model.safetensors")
    if missing := sorted(needed - set(names)):
        raise ModelError(f"the model is not whole: {missing[0]} is missing", where=weights)


def _clean(path: Path, base: str | None) -> Path | bytes:
    """A configuration without the names of folders; every other file as it is."""
    if path.name == "adapter_config.json":
        content = read_json(path)
        if base is None:
            raise ModelError(
                "this adapter belongs to a model that is not on the Hub, so nobody else could load it",
                where=path.parent,
                mend="Publish it merged, with all its weights: --format merged",
            )
        return _json(content | {"base_model_name_or_path": base})
    if path.name == "config.json" and "_name_or_path" in (content := read_json(path)):
        return _json({name: value for name, value in content.items() if name != "_name_or_path"})
    return path


def _public_settings(facts: ModelFacts) -> bytes:
    known = facts.base or (TINY if facts.built_in_base else _NOT_ON_THE_HUB)
    values = facts.settings.model_dump(mode="json") | {"base_model": known}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode()


def _public_figures(evaluation: Mapping[str, Any], public_phrases: Collection[str]) -> dict[str, Any]:
    """The figures, with what was said and heard only where the recording is public, and never with a person's names."""
    figures = {name: value for name, value in evaluation.items() if name != "names"}
    figures["phrases"] = [
        _without(phrase, {"id", "audio"} | (set() if phrase["id"] in public_phrases else {"text", "edits"}))
        for phrase in evaluation.get("phrases", [])
    ]
    return figures


def _without(value: Any, hidden: set[str]) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without(inner, hidden) for name, inner in value.items() if name not in hidden}


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
