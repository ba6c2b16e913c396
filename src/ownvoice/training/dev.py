"""Looks at the dev set: transcribes it as a person would have it transcribed, and measures its loss.

A model is chosen by what it writes and not by its loss, which goes on falling when WER already rises. How transcripts
are scored is handed in; nothing here knows a normaliser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ownvoice.model.features import encode
from ownvoice.model.load import Recogniser
from ownvoice.model.loss import Batch, LabelLoss, make_batch
from ownvoice.model.transcribe import BATCH_SIZE, batches_by_length, decode
from ownvoice.training.examples import Example, ExampleMaker


@dataclass(frozen=True)
class DevScore:
    """Error rates as fractions."""

    wer: float
    cer: float


Score = Callable[[Sequence[str], Sequence[str]], DevScore]
"""Called with references and hypotheses, in the same order."""


@dataclass(frozen=True)
class DevLook:
    """What one look at the dev set found."""

    wer: float
    cer: float
    loss: float
    """Mean negative log-likelihood of a label token (nats)."""


@torch.no_grad()
def look_at_dev(
    recogniser: Recogniser,
    maker: ExampleMaker,
    examples: Sequence[Example],
    language: str | None,
    score: Score,
    before_batch: Callable[[], None],
    *,
    short: bool = False,
) -> DevLook:
    """Transcribe and score the dev set, in whole or in short windows; each clip is encoded once for both.

    The model is in evaluation mode afterwards. What ``before_batch`` raises ends the look.
    """
    recogniser.model.eval()
    loss_of = LabelLoss(recogniser.model)
    texts = [""] * len(examples)
    loss, labels = 0.0, 0
    lengths = [example.sounds[0].samples for example in examples]
    for _, group in batches_by_length(lengths, recogniser.window, BATCH_SIZE, short=short):
        before_batch()
        batch, audio = encoded_batch(recogniser, maker, [examples[index] for index in group], language, short=short)
        loss += loss_of(batch).item()
        labels += batch.labels.numel()
        seconds = [lengths[index] / recogniser.window.sampling_rate for index in group]
        for index, text in zip(group, decode(recogniser, audio, seconds, language), strict=True):
            texts[index] = text
    scored = score([example.clip.text for example in examples], texts)
    return DevLook(scored.wer, scored.cer, loss / labels)


def encoded_batch(
    recogniser: Recogniser, maker: ExampleMaker, examples: Sequence[Example], language: str | None, *, short: bool
) -> tuple[Batch, torch.Tensor]:
    """Examples of one shape (:func:`batches_by_length`) as a batch, and their audio embeddings.

    These are ``(windows, audio tokens, decoder width)``, on the model's device.
    """
    features = torch.cat([maker.features(example, 0, short=short) for example in examples]).to(recogniser.device)
    audio = features if maker.encoded else encode(recogniser.model, features)
    windows = audio.shape[0] // len(examples)
    prompt = recogniser.prompts.prompt(windows, language, audio.shape[1])
    batch = make_batch(
        [prompt] * len(examples),
        [example.target for example in examples],
        torch.split(audio, windows),
        encoded=True,
        pad_id=recogniser.prompts.pad_id,
    )
    return batch.to(recogniser.device), audio
