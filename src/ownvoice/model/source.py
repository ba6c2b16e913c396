"""Finds the files of a model: the built-in one, a folder, a training run, or a repository of the Hugging Face Hub.

Says what is there and what is missing, and downloads from the Hub where that is asked for. Reads no weights:
:mod:`ownvoice.model.load` does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ownvoice.config import TINY, TrainingSettings
from ownvoice.credentials import hub_token
from ownvoice.errors import ModelError, storage_faults
from ownvoice.events import Eval, read_tail
from ownvoice.rundir import RunFolder, VoiceFolder

TINY_WEIGHTS = Path(__file__).parent / "tiny" / "weights"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# Voxtral's repositories hold the same weights a second time, in Mistral's own layout (consolidated.safetensors).
_HUB_FILES = ["config.json", "generation_config.json", "model*.safetensors", "model.safetensors.index.json"]
_HUB_FILES += ["tekken.json", "*processor*.json", "adapter_config.json", "adapter_model.safetensors"]


@dataclass(frozen=True)
class ModelSource:
    """Where the files of one model lie on this disk."""

    name: str
    """What was asked for."""
    base: Path
    """Folder of the full model."""
    base_name: str
    """What to ask for to get the full model alone."""
    adapter: Path | None = None
    """Folder of the adapter put onto it."""
    language: str | None = None
    """Language written into the prompts of the run it comes from."""
    short_windows: bool = False
    """Whether the run it comes from heard its dev set no worse in short windows than in whole ones."""


def find_model(asked: str | Path) -> ModelSource:
    """Find ``"tiny"``, a folder (full model, adapter, or training run) or a Hub id.

    Raises
    ------
    ModelError
        when it is not there, is no Voxtral, is incomplete, or the Hub does not give it.
    """
    folder, run = _folder(asked)
    language = TrainingSettings.load(run.config).language if run else None
    short = run is not None and hears_short_windows(run)
    if not (folder / "adapter_config.json").is_file():
        check_voxtral(folder)
        return ModelSource(str(asked), folder, str(asked), language=language, short_windows=short)
    base_name = adapter_base(folder)
    base = _base_folder(base_name, folder)
    check_voxtral(base)
    return ModelSource(str(asked), base, base_name, adapter=folder, language=language, short_windows=short)


def hears_short_windows(run: RunFolder) -> bool:
    """Whether the best look of a run at its dev set was no worse in short windows, and so good that this says anything:
    of two models that get nothing right neither is better."""
    looks = [record.event for record in read_tail(run.events).records if isinstance(record.event, Eval)]
    best = next((look for look in reversed(looks) if look.best), None)
    return best is not None and best.short_wer is not None and best.short_wer <= best.dev_wer and best.short_wer < 1


def check_voxtral(folder: Path) -> None:
    """Raise :class:`ModelError` unless ``folder`` holds the configuration, tokenizer and weights of a Voxtral."""
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind in {"voxtral_realtime", "voxtral_streaming"}:
        raise ModelError(
            "this is a Voxtral Realtime model, another architecture that cannot be trained here",
            where=folder,
            mend="Use mistralai/Voxtral-Mini-3B-2507 or mistralai/Voxtral-Small-24B-2507.",
        )
    if kind != "voxtral":
        raise ModelError(
            f"this is no Voxtral model but {kind!r}" if kind else "config.json names no kind of model",
            where=folder,
            mend="Use mistralai/Voxtral-Mini-3B-2507, or a model trained from it.",
        )
    # transformers wrote the feature extractor's settings as preprocessor_config.json before version 5
    for names in (("tekken.json",), ("processor_config.json", "preprocessor_config.json")):
        if not any((folder / name).is_file() for name in names):
            raise ModelError(
                f"{names[0]} is missing", where=folder, mend="Copy it from the model this one was made from."
            )
    if not any(folder.glob("model*.safetensors")):
        raise ModelError(
            "there are no weights in the safetensors format (model.safetensors)",
            where=folder,
            mend="Weights in other formats can run foreign code and are not read; save them as safetensors.",
        )


def adapter_base(folder: Path) -> str:
    """The name of the model an adapter was trained for.

    Raises
    ------
    ModelError
        when the adapter does not say, or its weights are not there as safetensors.
    """
    base = read_json(folder / "adapter_config.json").get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelError(
            "the adapter does not say which model it belongs to",
            where=folder / "adapter_config.json",
            mend='Write the model\'s name there as "base_model_name_or_path".',
        )
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError("the adapter's weights (adapter_model.safetensors) are missing", where=folder)
    return base


def _folder(asked: str | Path) -> tuple[Path, RunFolder | None]:
    """The folder that holds the model itself, and the run it comes from."""
    if str(asked) == TINY:
        if not (TINY_WEIGHTS / "config.json").is_file():
            raise ModelError("the built-in model is missing from this installation", where=TINY_WEIGHTS)
        return TINY_WEIGHTS, None
    path = Path(asked)
    if path.is_dir():
        run, voice = RunFolder(path), VoiceFolder(path)
        if voice.manifest.is_file() and not (path / "config.json").is_file():
            latest = voice.latest_run()
            mend = f"Give one of its runs, as {latest.path}" if latest else f"Train one: ownvoice train {path}"
            raise ModelError("this is a voice, and no model", where=path, mend=mend)
        return (_trained(run), run) if run.config.is_file() else (path, None)
    if isinstance(asked, str) and _HUB_ID.fullmatch(asked) and not path.exists():
        return _download(asked), None
    raise ModelError(
        "there is no such model",
        where=asked,
        mend='Give "tiny", the folder of a model or of a run, or a Hub id such as mistralai/Voxtral-Mini-3B-2507.',
    )


def _trained(run: RunFolder) -> Path:
    for folder in (run.adapter, run.model):
        if folder.is_dir():
            return folder
    raise ModelError(
        "this run has no trained model yet",
        where=run.path,
        mend="Let the training go on with --resume until its dev set was transcribed once.",
    )


def _base_folder(name: str, adapter: Path) -> Path:
    try:
        base, _ = _folder(name)
    except ModelError as error:
        raise ModelError(
            f"the model this adapter belongs to, {name}, cannot be used: {error.what}", where=adapter, mend=error.mend
        ) from None
    if (base / "adapter_config.json").is_file():
        raise ModelError(f"the adapter belongs to {name}, which is itself an adapter", where=adapter)
    return base


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a model or a run.

    Raises
    ------
    ModelError
        when it is not there or holds none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"this is no model folder: {path.name} is missing",
            where=path.parent,
            mend="Give the folder of a run, or one that holds a whole model.",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"cannot be read as JSON ({error})", where=path) from None
    if not isinstance(content, dict):
        raise ModelError("holds no JSON object", where=path)
    return content


def _download(repository: str) -> Path:
    """Fetch a repository's model files, or find them in the Hub client's cache when they are there already."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    token = hub_token()
    try:
        with storage_faults(HF_HUB_CACHE):
            folder = snapshot_download(repository, allow_patterns=_HUB_FILES, token=token.reveal() if token else False)
        return Path(folder)
    except GatedRepoError:
        what = "the Hub gives this model only to people who accepted its terms"
        mend = f"Accept them at https://huggingface.co/{repository}, then log in with: hf auth login"
    except RepositoryNotFoundError:
        what = "the Hub has no such model, or it is private and you are not logged in"
        mend = "Check the spelling; for a private model log in with: hf auth login"
    except HFValidationError:
        what, mend = "this is neither a folder here nor a possible Hub id", "Check the spelling."
    except (LocalEntryNotFoundError, HfHubHTTPError) as error:
        answer = error if isinstance(error, HfHubHTTPError) else error.__cause__
        if isinstance(answer, HfHubHTTPError):
            what = f"the Hugging Face Hub answered with an error ({answer.response.status_code})"
            mend = "Try again later."
        else:
            what = "the model is not on this computer yet, and the Hugging Face Hub cannot be reached"
            mend = 'Connect to the internet for the first download, or use the built-in model "tiny".'
    raise ModelError(what, where=repository, mend=mend)
