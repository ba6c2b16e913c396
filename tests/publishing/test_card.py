"""Cards: every conditional section, odd names, and a head that the Hub takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from huggingface_hub import DatasetCard, ModelCard

from fakes.hub.app import Hub as LocalHub
from ownvoice.config import TrainingSettings
from ownvoice.publishing.card import DatasetFacts, ModelFacts, PhraseSource, SplitFacts, dataset_card, model_card

RATES = {"wer": 0.5, "wer_low": 0.4, "wer_high": 0.6, "cer": 0.25, "cer_low": 0.2, "cer_high": 0.3}
EVALUATION: dict[str, Any] = {
    "n": 40,
    "base": RATES,
    "tuned": {name: rate / 5 for name, rate in RATES.items()},
    "sentence": "The tuned model makes fewer mistakes.",
}
MODEL = ModelFacts(
    repo="anna/voxtral",
    author="Anna",
    licence="apache-2.0",
    form="adapter",
    quantisation=None,
    base="mistralai/Voxtral-Mini-3B-2507",
    settings=TrainingSettings(),
    positions=1500,
    dataset=None,
    train=300,
    minutes=25.0,
    device="NVIDIA H100 (bfloat16)",
    train_minutes=12.0,
    evaluation=EVALUATION,
)
DATASET = DatasetFacts(
    repo="anna/voice",
    author="Anna",
    licence="cc-by-4.0",
    language="en",
    transcript_style="intended",
    consent="I agree.\nTo *all* of it.",
    conditions="",
    splits=(SplitFacts("train", 30, 2.0), SplitFacts("test", 10, 0.5)),
    sources=(PhraseSource("the speaker's own text", 40),),
)
ODD_NAMES = [
    'Ann: "the voice" O\'Hara',
    "Zoë 🗣️ #1",
    "שרה כהן",
    "- {{ 7 * 7 }} | `rm`",
    "<script>alert(1)</script>",
    "a\nlicense: mit",
    "---",
    "null",
]


@pytest.mark.parametrize("author", ODD_NAMES)
def test_odd_names_come_back_as_they_were(author: str, local_hub: LocalHub) -> None:
    name = " ".join(author.split())
    card = model_card(replace(MODEL, author=author))
    card.validate()
    read = ModelCard(str(card))
    assert read.data.model_name == f"Voxtral for the voice of {name}"
    assert read.data.license == "apache-2.0"
    assert str(read) == str(card)
    recordings = dataset_card(replace(DATASET, author=author))
    recordings.validate()
    assert DatasetCard(str(recordings)).data.pretty_name == f"Voice of {name}"
    for text in (read.text, recordings.text):
        assert "<script" not in text
        assert "49" not in text


def test_a_head_that_the_hub_would_refuse_is_found(local_hub: LocalHub) -> None:
    with pytest.raises(ValueError, match="license"):
        model_card(replace(MODEL, licence="my own rules")).validate()


def test_error_rates_stand_where_the_hub_shows_them() -> None:
    results = ModelCard(str(model_card(MODEL))).data.eval_results
    assert [(result.metric_type, result.metric_value) for result in results] == [
        ("wer", 10.0),
        ("cer", 5.0),
        ("wer", 50.0),
        ("cer", 25.0),
    ]
    assert results[0].metric_name == "WER of this model, 95 % interval 8.0 to 12.0, n = 40"
    assert results[2].metric_name == "WER of its base model, 95 % interval 40.0 to 60.0, n = 40"
    text = model_card(MODEL).text
    assert "| base model | 50.0 % | 40.0 % to 60.0 % | 25.0 % | 20.0 % to 30.0 % |" in text
    assert "| **this model** | 10.0 % | 8.0 % to 12.0 % | 5.0 % | 4.0 % to 6.0 % |" in text


def test_only_what_applies_is_said() -> None:
    adapter = model_card(MODEL)
    assert adapter.data.base_model == MODEL.base
    assert adapter.data.to_dict()["base_model_relation"] == "adapter"
    assert adapter.data.library_name == "peft"
    assert "**An adapter.**" in adapter.text and "PeftModel.from_pretrained(base, repo)" in adapter.text
    for absent in ("Little data", "Quantised", "merged model", "built into", "bitsandbytes", "audio_kwargs", "None"):
        assert absent not in adapter.text
    assert "| trained on | NVIDIA H100 (bfloat16) |" in adapter.text and "| time | 12 minutes |" in adapter.text
    assert adapter.data.datasets is None and "minutes; private |" in adapter.text

    merged = model_card(replace(MODEL, form="merged"))
    assert merged.data.to_dict()["base_model_relation"] == "finetune"
    assert "**A merged model.**" in merged.text and "PeftModel" not in merged.text and "peft" not in merged.text
    whole = model_card(replace(MODEL, form="full"))
    assert "**A whole model.**" in whole.text and "rank" not in whole.text

    figures = {"quantised": "nf4", "n": 40, "wer_run": 0.1, "wer_export": 0.12}
    small = model_card(replace(MODEL, form="merged", quantisation=figures))
    assert small.data.to_dict()["base_model_relation"] == "quantized"
    assert "**Quantised** (nf4)" in small.text and "the word error rate went from 10.0 % to 12.0 %" in small.text
    assert "accelerate bitsandbytes" in small.text


def test_little_data_is_warned_of() -> None:
    assert "**Little data.** 300 recordings (3.0 minutes)" in model_card(replace(MODEL, minutes=3.0)).text
    few = model_card(replace(MODEL, evaluation=EVALUATION | {"n": 12}))
    assert "and 12 phrases judged" in few.text
    unjudged = model_card(replace(MODEL, evaluation=None, minutes=3.0))
    assert "phrases judged" not in unjudged.text.split("With less")[0] and "Not measured." in unjudged.text
    assert unjudged.data.eval_results is None


def test_a_base_that_is_not_on_the_hub_is_not_linked() -> None:
    tiny = model_card(
        replace(MODEL, form="merged", base=None, settings=TrainingSettings(base_model="tiny"), positions=500)
    )
    assert "base_model" not in tiny.data.to_dict()
    assert "built into ownvoice" in tiny.text
    assert 'window = {"pad_to_multiple_of": 160000, "max_source_positions": 1000}' in tiny.text
    local = model_card(replace(MODEL, form="merged", base=None, settings=TrainingSettings(base_model="/home/me/model")))
    assert "not on the Hub" in local.text and "/home/me" not in str(local)


def test_public_recordings_are_linked_and_a_detected_language_is_left_out() -> None:
    card = model_card(replace(MODEL, dataset="anna/voice", settings=TrainingSettings(language=None)))
    assert card.data.datasets == ["anna/voice"]
    assert "https://huggingface.co/datasets/anna/voice" in card.text
    assert "language=" not in card.text and "| language | detected |" in card.text


def test_a_data_sets_card_says_what_it_holds() -> None:
    card = dataset_card(DATASET)
    assert "| train | 30 | 2.0 |" in card.text and "| all | 40 | 2.5 |" in card.text
    assert "> I agree.\n> To \\*all\\* of it." in card.text
    assert "intended words" in card.text and "not stated" in card.text
    assert "the speaker's own text: 40" in card.text
    assert "ownvoice publish withdraw dataset anna/voice" in card.text
    verbatim = dataset_card(replace(DATASET, transcript_style="verbatim", conditions="A quiet room, a headset"))
    assert "verbatim" in verbatim.text and "A quiet room, a headset" in verbatim.text
