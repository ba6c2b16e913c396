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
from ownvoice.training.processes import ALONE, ProcessGroup


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


@dataclass(frozen=True)
class _Heard:
    """What came of one batch."""

    loss: float
    """Sum over its labels (nats)."""
    labels: int
    texts: list[str]


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
    group: ProcessGroup = ALONE,
) -> DevLook:
    """Transcribe and score the dev set, in whole or in short windows; each clip is encoded once for both.

    The processes of ``group`` share its batches, and all come to the same result. The model is in evaluation mode
    afterwards. What ``before_batch`` raises in any of them ends the look.
    """
    recogniser.model.eval()
    loss_of = LabelLoss(recogniser.model)
    lengths = [example.sounds[0].samples for example in examples]
    batches = [indices for _, indices in batches_by_length(lengths, recogniser.window, BATCH_SIZE, short=short)]

    def hear(indices: Sequence[int]) -> _Heard:
        before_batch()
        batch, audio = encoded_batch(recogniser, maker, [examples[index] for index in indices], language, short=short)
        seconds = [lengths[index] / recogniser.window.sampling_rate for index in indices]
        return _Heard(loss_of(batch).item(), batch.labels.numel(), decode(recogniser, audio, seconds, language))

    heard = group.deal(group.together(lambda: [hear(indices) for indices in group.share(batches)]))
    texts = {
        index: text
        for indices, batch in zip(batches, heard, strict=True)
        for index, text in zip(indices, batch.texts, strict=True)
    }
    scored = score([example.clip.text for example in examples], [texts[index] for index in range(len(examples))])
    loss, labels = sum(batch.loss for batch in heard), sum(batch.labels for batch in heard)
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
