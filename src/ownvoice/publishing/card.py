"""The cards of a model and of a data set: their head through the Hub client's own classes, their text from a template.

What is said is in ``templates/``; which facts there are, here. Nothing is read from disk and nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jinja2
from huggingface_hub import DatasetCard, DatasetCardData, EvalResult, ModelCard, ModelCardData

import ownvoice
from ownvoice.config import TINY, VOXTRAL_LANGUAGES, TrainingSettings

ModelForm = Literal["adapter", "merged", "full"]
"""LoRA matrices beside their base, the same added into it, or weights trained as a whole."""

LITTLE_MINUTES = 10.0
"""Below this the card warns. Of 195 speakers 63 % reached their target with 3-4 minutes of recordings and 79 % with
18-20 (Tobin and Tomanek 2021)."""
FEW_PHRASES = 30
"""Below this one phrase moves the figures by more than three points."""
STANDARD_WINDOW = 1500
"""Encoder positions of a 30 s window; a model with others needs a line more in the example."""


@dataclass(frozen=True)
class Wishes:
    """What a person may say for the card."""

    author: str = ""
    """Who publishes, as it shall read; empty for the account's name."""
    licence: str = ""
    """Of the Hub's names for licences; empty for the usual one."""
    conditions: str = ""
    """How and where was recorded, in a sentence."""


@dataclass(frozen=True)
class PhraseSource:
    """Where some of the phrases come from."""

    what: str
    count: int


@dataclass(frozen=True)
class SplitFacts:
    name: str
    utterances: int
    minutes: float


@dataclass(frozen=True)
class DatasetFacts:
    """All that the card of a data set says."""

    repo: str
    author: str
    licence: str
    language: str | None
    transcript_style: Literal["intended", "verbatim"]
    consent: str
    conditions: str
    splits: tuple[SplitFacts, ...]
    sources: tuple[PhraseSource, ...]

    @property
    def utterances(self) -> int:
        return sum(split.utterances for split in self.splits)

    @property
    def minutes(self) -> float:
        return sum(split.minutes for split in self.splits)


@dataclass(frozen=True)
class ModelFacts:
    """All that the card of a model says."""

    repo: str
    author: str
    licence: str
    form: ModelForm
    quantisation: Mapping[str, Any] | None
    """How its weights were made smaller (int8, nf4), and the WER before and after; None where they were not."""
    base: str | None
    """Hub id of the model it was made from; None for one that is not on the Hub."""
    settings: TrainingSettings
    positions: int
    """Encoder positions of one window."""
    dataset: str | None
    """Hub id of the recordings, where everybody can read them."""
    train: int
    """Utterances trained on."""
    minutes: float
    """Of these."""
    device: str
    """What it was trained on, in words; empty where that is not known."""
    train_minutes: float | None
    """How long training took."""
    evaluation: Mapping[str, Any] | None
    """The content of ``evaluation.json``."""

    @property
    def built_in_base(self) -> bool:
        return self.settings.base_model == TINY

    @property
    def little_data(self) -> bool:
        return self.minutes < LITTLE_MINUTES or (self.evaluation is not None and self.evaluation["n"] < FEW_PHRASES)


def dataset_card(facts: DatasetFacts) -> DatasetCard:
    """The card of a data set."""
    head = DatasetCardData(
        language=facts.language,
        license=facts.licence,
        pretty_name=_one_line(f"Voice of {facts.author}"),
        task_categories=["automatic-speech-recognition"],
        size_categories=["n<1K" if facts.utterances < 1000 else "1K<n<10K"],
        tags=["audio", "ownvoice"],
    )
    return DatasetCard(render_card(head.to_yaml(), "dataset_card.md.j2", facts))


def model_card(facts: ModelFacts) -> ModelCard:
    """The card of a model, with its error rates where the Hub shows them."""
    head = ModelCardData(
        language=facts.settings.language,
        license=facts.licence,
        library_name="peft" if facts.form == "adapter" else "transformers",
        pipeline_tag="automatic-speech-recognition",
        base_model=facts.base,
        base_model_relation=(_relation(facts) if facts.base else None),
        datasets=[facts.dataset] if facts.dataset else None,
        tags=["voxtral", "speech-recognition", "ownvoice"],
        model_name=_one_line(f"Voxtral for the voice of {facts.author}"),
        eval_results=_eval_results(facts),
    )
    return ModelCard(render_card(head.to_yaml(), "model_card.md.j2", facts))


def _relation(facts: ModelFacts) -> str:
    if facts.quantisation:
        return "quantized"
    return "adapter" if facts.form == "adapter" else "finetune"


def _eval_results(facts: ModelFacts) -> list[EvalResult] | None:
    """Rates in per cent, as the Hub's other speech models give them; both models', each named."""
    if facts.evaluation is None:
        return None
    phrases = facts.evaluation["n"]
    return [
        EvalResult(
            task_type="automatic-speech-recognition",
            task_name="Speech Recognition",
            dataset_type=facts.dataset or "private",
            dataset_name=f"Phrases of one speaker that were not trained on ({phrases})",
            dataset_split="test",
            metric_type=metric,
            metric_value=round(100 * facts.evaluation[side][metric], 2),
            metric_name=f"{metric.upper()} {name}, 95 % interval "
            + " to ".join(f"{100 * facts.evaluation[side][f'{metric}_{edge}']:.1f}" for edge in ("low", "high"))
            + f", n = {phrases}",
        )
        for side, name in (("tuned", "of this model"), ("base", "of its base model"))
        for metric in ("wer", "cer")
    ]


def render_card(head: str, template: str, facts: object) -> str:
    """A card of this YAML head and the template's text; ``facts`` is what the template speaks of."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ownvoice.publishing"),
        autoescape=False,  # noqa: S701 - it is Markdown; what a person wrote goes through the filters below
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "quoted": quoted, "percent": lambda rate: f"{100 * rate:.1f} %"}
    body = environment.get_template(template).render(
        facts=facts,
        languages=VOXTRAL_LANGUAGES,
        version=ownvoice.__version__,
        few_phrases=FEW_PHRASES,
        little_minutes=LITTLE_MINUTES,
        standard_window=STANDARD_WINDOW,
    )
    return f"---\n{head}\n---\n{body}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def plain(text: str) -> str:
    """``text`` so that Markdown and HTML show it as it is written, in one line."""
    escaped = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", _one_line(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str) -> str:
    """``text`` as a quotation, its lines kept."""
    return "\n".join(f"> {plain(line)}".rstrip() for line in text.strip().splitlines())
