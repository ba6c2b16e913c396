"""The prompt and the features are, bit for bit, those of VoxtralProcessor.apply_transcription_request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ownvoice.errors import AudioError, ModelError
from ownvoice.model.features import Window, log_mel
from ownvoice.model.load import Recogniser, load_processor, load_recogniser
from ownvoice.model.prompt import Prompts
from small_voxtral import SECOND, murmur, write_processor


@pytest.fixture(scope="module")
def recogniser(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu")


def processor_inputs(recogniser: Recogniser, samples: np.ndarray, language: str | None) -> dict[str, torch.Tensor]:
    window = recogniser.window
    return recogniser.processor.apply_transcription_request(
        samples,
        "small",
        language=language,
        sampling_rate=SECOND,
        format="WAV",
        audio_kwargs={"pad_to_multiple_of": window.samples, "max_source_positions": window.mel_frames},
    )


@pytest.mark.parametrize("language", ["en", "hi", "sv", None])
@pytest.mark.parametrize("seconds", [0.3, 0.96, 0.97, 2.5])
def test_prompt_is_the_processors(recogniser: Recogniser, language: str | None, seconds: float) -> None:
    samples = murmur(seconds)
    expected = processor_inputs(recogniser, samples, language)["input_ids"][0].tolist()
    assert list(recogniser.prompts.prompt(recogniser.window.count(samples.size), language)) == expected


@pytest.mark.parametrize("seconds", [0.3, 0.96, 2.5])
def test_features_are_the_processors(recogniser: Recogniser, seconds: float) -> None:
    samples = murmur(seconds)
    expected = processor_inputs(recogniser, samples, "en")["input_features"]
    mel = log_mel(recogniser.processor.feature_extractor, samples, recogniser.window)
    assert mel.dtype == torch.float32
    assert torch.equal(mel, expected)


def test_clip_without_samples_is_refused(recogniser: Recogniser) -> None:
    with pytest.raises(AudioError, match="no sound"):
        log_mel(recogniser.processor.feature_extractor, np.zeros(0, np.float32), recogniser.window)


def test_target_has_no_start_token_and_ends_with_the_end_token(recogniser: Recogniser) -> None:
    ids = recogniser.prompts.target("  Hello there ")
    assert ids[-1] == 2
    assert 1 not in ids
    assert recogniser.prompts.text(ids) == "Hello there"
    assert ids == recogniser.prompts.target("Hello there")


def test_text_drops_a_language_tag_the_model_says_itself(recogniser: Recogniser) -> None:
    assert recogniser.prompts.text(recogniser.prompts.target("lang:enHello")) == "Hello"


def test_published_layout_renders_the_prompt_of_the_issue(tmp_path: Path) -> None:
    """3 s of English with Voxtral-Mini's vocabulary, special tokens and 30 s window."""
    from transformers import VoxtralConfig

    VoxtralConfig(audio_token_id=24).save_pretrained(tmp_path)
    write_processor(tmp_path, ranks=130072, specials=1000, seconds=30)
    processor = load_processor(tmp_path)
    window = Window.of(VoxtralConfig(audio_token_id=24), processor.feature_extractor)
    prompts = Prompts(processor, window)
    assert window.seconds == 30
    assert list(prompts.prompt(window.count(3 * SECOND), "en")) == [1, 3, 25, *[24] * 375, 4, 9909, 1058, 1262, 34]
    assert list(prompts.prompt(1, None)) == [1, 3, 25, *[24] * 375, 4, 34]


def test_tokenizer_of_another_window_is_refused(small_voxtral: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((small_voxtral / "config.json").read_text())
    write_processor(tmp_path, ranks=600, specials=40, seconds=2)
    processor = load_processor(tmp_path)
    with pytest.raises(ModelError, match="25 audio tokens of a window and the encoder 12"):
        Prompts(processor, Window(samples=15360, mel_frames=96, audio_tokens=12, sampling_rate=SECOND))
