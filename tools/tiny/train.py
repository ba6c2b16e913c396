"""Teaches the built-in model to hear, from nothing, on synthetic voices alone.

    python tools/tiny/train.py --corpus build/tiny/corpus --out build/tiny/model

Three phases, as the trials behind this recipe found necessary: letters by CTC on the encoder (hearing), then the next
token together with CTC (writing), then a mix of short and full windows (Voxtral's own). Seeded; a run takes about an
hour on two cores. It prints the word error rate on phrases no voice has spoken to it, in full windows.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jiwer
import network
import numpy as np
import torch
from corpus import FRAMES_PER_TOKEN, Clip, load_corpus
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from phrases import is_word_string
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import VoxtralForConditionalGeneration, VoxtralProcessor, WhisperFeatureExtractor
from transformers.tokenization_mistral_common import MistralCommonBackend
from vocabulary import write_tekken

from ownvoice.model.features import splice

LETTERS = " abcdefghijklmnopqrstuvwxyz"
FULL_FRAMES = network.POSITIONS * 2


@dataclass(frozen=True)
class Phase:
    """A stretch of training: which losses count, how long the windows are, and the learning rate's course."""

    name: str
    steps: int
    peak: float
    end: float
    ctc: float
    """Weight of the CTC loss."""
    writing: float
    """Weight of the next-token loss."""
    full: float
    """Share of batches in full windows."""
    masked: bool = False
    """Whether bands of pitch and time are blanked."""
    sentences: float = 1.0
    """Share of the sentences that take part beside the strings of unrelated words: those alone force a decoder to
    listen to each word, where a sentence lets it guess the words from their template."""


PHASES = [
    Phase("hear", 3000, 1.2e-3, 7e-4, ctc=1.0, writing=0.0, full=0.0, masked=True),
    Phase("write", 1420, 1e-3, 7.4e-4, ctc=0.3, writing=1.0, full=0.04, masked=True),
    Phase("align", 1300, 8e-4, 4e-4, ctc=0.2, writing=1.0, full=0.0, sentences=0.0),
    Phase("practise", 2200, 5e-4, 5e-5, ctc=0.2, writing=1.0, full=0.05, sentences=0.4),
    Phase("settle", 500, 1.5e-4, 1e-5, ctc=0.1, writing=1.0, full=0.2),
]
FRAMES_A_BATCH = 6_400
"""Mel frames in one batch of short windows: about 20 phrases."""
FRAMES_STEP = 8 * FRAMES_PER_TOKEN


class Batches:
    """Endless shuffled batches of clips of like length, a pure function of the seed."""

    def __init__(self, mel: np.ndarray, clips: list[Clip], tokenizer: Tekkenizer, seed: int) -> None:
        self._mel, self._clips, self._tokenizer = mel, clips, tokenizer
        self._rng = random.Random(seed)
        self._strings = {clip for clip in clips if is_word_string(clip.text)}

    def endless(self, sentences: float) -> Iterator[list[Clip]]:
        """Batch after batch: all strings of words, and in each round another share of the other clips."""
        while True:
            rooms: dict[int, list[Clip]] = {}
            for clip in self._rng.sample(self._clips, len(self._clips)):
                if clip in self._strings or self._rng.random() < sentences:
                    rooms.setdefault(rounded(clip.frames), []).append(clip)
            batches = [
                clips[start : start + FRAMES_A_BATCH // frames]
                for frames, clips in rooms.items()
                for start in range(0, len(clips), FRAMES_A_BATCH // frames)
            ]
            self._rng.shuffle(batches)
            yield from batches

    def features(self, clips: list[Clip], frames: int) -> Tensor:
        """(batch, 128, frames): each clip, then what silence looks like after it.

        Whisper's features end 8 decades below the clip's peak, which is 2 in its units ((log10 power + 4) / 4).
        """
        out = torch.empty(len(clips), frames, 128)
        for row, clip in zip(out, clips, strict=True):
            mel = torch.from_numpy(self._mel[clip.start : clip.start + clip.frames].astype(np.float32))
            row.fill_(mel.max() - 2.0)
            row[: len(mel)] = mel
        return out.transpose(1, 2).contiguous()

    def mask(self, mel: Tensor) -> None:
        """SpecAugment (Park et al. 2019), lightly: two bands of pitch and two stretches of time in each clip."""
        for row in mel:
            for _ in range(2):
                width, low = self._rng.randint(0, 14), self._rng.randint(0, 127)
                row[low : low + width] = row.mean()
                length, start = self._rng.randint(0, 16), self._rng.randint(0, mel.shape[2])
                row[:, start : start + length] = row.mean()

    def prompts(self, clips: list[Clip], tokens: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """ids and mask (batch, length), the flat places before labels, and the labels.

        Lengths are rounded up, places and labels with them (-100 is no label): few shapes of tensors, few kernels made.
        """
        rows = []
        for clip in clips:
            prompt = _prompt(self._tokenizer, tokens, language=self._rng.random() < 0.7)
            rows.append((prompt, [*self._tokenizer.encode(clip.text, bos=False, eos=False), network.EOS]))
        length = -(-max(len(prompt) + len(labels) for prompt, labels in rows) // 16) * 16
        ids = torch.full((len(rows), length), network.PAD)
        places, targets = [], []
        mask = torch.zeros(len(rows), length, dtype=torch.bool)
        for index, (prompt, labels) in enumerate(rows):
            both = torch.tensor(prompt + labels)
            ids[index, -len(both) :] = both
            mask[index, -len(both) :] = True
            end = (index + 1) * length - 1
            places += range(end - len(labels), end)
            targets += labels
        spare = -len(places) % 64
        return ids, mask, torch.tensor(places + [0] * spare), torch.tensor(targets + [-100] * spare)


def rounded(frames: int) -> int:
    """The next longer of a few window lengths: few shapes of tensors, whose kernels are then made once."""
    return -(-frames // FRAMES_STEP) * FRAMES_STEP


def _prompt(tokenizer: Tekkenizer, tokens: int, *, language: bool) -> list[int]:
    """The ids of a transcription request for so many audio tokens, in English or in a language not said."""
    spoken = tokenizer.encode("lang:en", bos=False, eos=False) if language else []
    audio = [network.BEGIN_AUDIO, *[network.AUDIO] * tokens]
    return [network.BOS, network.INST, *audio, network.END_INST, *spoken, network.TRANSCRIBE]


def letters_loss(head: nn.Linear, encoded: Tensor, clips: list[Clip]) -> Tensor:
    """CTC over letters at 50 frames a second (Graves et al. 2006); 0 is the blank."""
    logits = head(encoded).float().log_softmax(-1).transpose(0, 1)
    spelled = [[LETTERS.index(letter) + 1 for letter in clip.text] for clip in clips]
    target = torch.tensor(list(itertools.chain.from_iterable(spelled)))
    lengths = torch.tensor([len(letters) for letters in spelled])
    heard = torch.tensor([min(encoded.shape[1], clip.frames // 2) for clip in clips])
    return nn.functional.ctc_loss(logits, target, heard, lengths, zero_infinity=True)


def train(corpus: Path, out: Path, *, seed: int, scale: float, after: str | None) -> None:
    """Run the phases, or those that come ``after`` the named one, whose result lies in ``out``."""
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    write_tekken(out / "tekken.json", window_seconds=network.WINDOW_SECONDS)
    tokenizer = Tekkenizer.from_file(out / "tekken.json")
    mel, clips = load_corpus(corpus / "train")
    batches = Batches(mel, clips, tokenizer, seed)
    model, head = network.new_model(), nn.Linear(256, len(LETTERS) + 1)
    phases = PHASES
    if after is not None:
        phases = PHASES[[phase.name for phase in PHASES].index(after) + 1 :]
        load_model(nn.ModuleList([model, head]), out / f"after-{after}.safetensors")
    weights = [weight for weight in [*model.parameters(), *head.parameters()] if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.02)
    for phase in phases:
        source = batches.endless(phase.sentences)
        steps = max(1, round(phase.steps * scale))
        began, losses = time.monotonic(), []
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = _rate(phase, step, steps)
            losses.append(_step(model, head, optimiser, weights, batches, next(source), phase))
            if (step + 1) % 100 == 0:
                mean, pace = np.mean(losses[-100:], axis=0), (time.monotonic() - began) / (step + 1)
                print(
                    f"{phase.name} {step + 1}/{steps} ctc {mean[0]:.3f} writing {mean[1]:.3f} ({pace:.2f} s/step)",
                    flush=True,
                )
            if phase.writing and (step + 1) % 500 == 0:
                rate = word_errors(model, corpus / "test", tokenizer, full=False, count=96)
                print(f"  WER of 96 unseen phrases in short windows: {rate:.3f}", flush=True)
                save_model(nn.ModuleList([model, head]), out / f"after-{phase.name}.safetensors")
        save_model(nn.ModuleList([model, head]), out / f"after-{phase.name}.safetensors")
    for full in (False, True):
        print(f"WER on unseen phrases, {'full' if full else 'short'} windows: "
              f"{word_errors(model, corpus / 'test', tokenizer, full=full):.4f}")  # fmt: skip
    save(model, out / "weights", out / "tekken.json")


def save(model: VoxtralForConditionalGeneration, folder: Path, tekken: Path) -> None:
    """A complete model folder in half precision, as the package carries it."""
    processor = VoxtralProcessor(
        WhisperFeatureExtractor(feature_size=128, chunk_length=network.WINDOW_SECONDS),
        MistralCommonBackend(tokenizer_path=str(tekken)),
    )
    model.config._attn_implementation = None
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)


def _rate(phase: Phase, step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / min(200, max(1, steps // 5)))
    fall = 0.5 * (1 + np.cos(np.pi * step / steps))
    return float(warm * (phase.end + (phase.peak - phase.end) * fall))


def _step(model, head, optimiser, weights, batches: Batches, clips: list[Clip], phase: Phase) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    full = batches._rng.random() < phase.full
    if full:
        clips = clips[:: max(1, len(clips) // 8)]
    frames = FULL_FRAMES if full else rounded(max(clip.frames for clip in clips))
    mel = batches.features(clips, frames)
    if phase.masked:
        batches.mask(mel)
    with torch.autocast("cpu", torch.bfloat16):
        encoded = network.encode(model, mel)
        hearing = letters_loss(head, encoded, clips)
        writing = torch.zeros(())
        if phase.writing:
            audio = network.audio_tokens(model, encoded)
            ids, mask, places, labels = batches.prompts(clips, audio.shape[1])
            logits = network.label_logits(model, audio, ids, mask, places)
            writing = nn.functional.cross_entropy(logits.float(), labels)
    (phase.ctc * hearing + phase.writing * writing).backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return hearing.item(), writing.item()


@torch.no_grad()
def word_errors(model, corpus: Path, tokenizer: Tekkenizer, *, full: bool, count: int | None = None) -> float:  # type: ignore[no-untyped-def]
    """Greedy transcription of the test clips, compared word by word."""
    model.eval()
    mel, clips = load_corpus(corpus)
    clips = sorted(clips[:count], key=lambda clip: clip.frames)
    batches = Batches(mel, clips, tokenizer, 0)
    heard: list[str] = []
    for start in range(0, len(clips), 16):
        part = clips[start : start + 16]
        longest = rounded(max(clip.frames for clip in part))
        encoded = network.encode(model, batches.features(part, FULL_FRAMES if full else longest))
        audio = network.audio_tokens(model, encoded)
        ids = torch.tensor([_prompt(tokenizer, audio.shape[1], language=True)] * len(part))
        embedded = splice(model, ids, audio)
        written = model.generate(
            inputs_embeds=embedded, attention_mask=torch.ones_like(ids), max_new_tokens=60, do_sample=False
        )
        heard += [tokenizer.decode([token for token in row if token > 39]) for row in written.tolist()]
    model.train()
    return float(jiwer.wer([clip.text for clip in clips], [text.strip() for text in heard]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("build/tiny/corpus"))
    parser.add_argument("--out", type=Path, default=Path("build/tiny/model"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of steps, for a quick look")
    parser.add_argument("--after", choices=[phase.name for phase in PHASES], help="go on after a phase already done")
    arguments = parser.parse_args()
    train(arguments.corpus, arguments.out, seed=arguments.seed, scale=arguments.scale, after=arguments.after)
