"""From clips on disk to what a training step needs: target ids, and features that are computed once.

With the encoder in the scope the features are log-mel windows; where the scope leaves the encoder alone they are the
audio embeddings it makes of them. Batches are put together here; in which order is :mod:`ownvoice.training.plan`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ownvoice.config import AugmentSettings, TrainingSettings
from ownvoice.data.recording import AudioSource, load_recording
from ownvoice.errors import AudioError
from ownvoice.model.augment import change_rate, rate_factor, spec_augment
from ownvoice.model.cache import FeatureStore, clip_digest, embedding_key, encoder_fingerprint, mel_key
from ownvoice.model.features import encode, log_mel
from ownvoice.model.load import Recogniser
from ownvoice.model.loss import Batch, make_batch


@dataclass(frozen=True)
class Clip:
    """An utterance to train on or to choose by."""

    id: str
    audio: AudioSource
    text: str


@dataclass(frozen=True)
class Sound:
    """One variant of a clip, as kept in the feature store."""

    key: str
    factor: float
    """How many times as fast as it was recorded."""
    samples: int
    windows: int


@dataclass(frozen=True)
class Example:
    """A clip made ready."""

    clip: Clip
    digest: str
    """Identifies its samples."""
    target: tuple[int, ...]
    sounds: tuple[Sound, ...]
    """The clip itself, then its variants."""

    @property
    def length(self) -> tuple[int, int]:
        """Windows and target tokens: what a forward pass over it costs."""
        return self.sounds[0].windows, len(self.target)


class ExampleMaker:
    """Makes examples and gives their features, from the store or computed."""

    def __init__(self, recogniser: Recogniser, store: FeatureStore, settings: TrainingSettings) -> None:
        self._recogniser = recogniser
        self._store = store
        self._settings = settings
        self.encoded = settings.scope == "decoder"
        """Whether features are audio embeddings."""
        self._encoder = encoder_fingerprint(recogniser.model) if self.encoded else ""
        self.unkept = 0
        """Sounds that the store had no room for: they are computed anew each time."""

    def prepare(
        self, clips: Sequence[Clip], augment: AugmentSettings | None, done: Callable[[], None]
    ) -> list[Example]:
        """Decode clips and fill the store with what it lacks; ``done`` is called after each.

        Raises
        ------
        AudioError
            when a clip cannot be decoded.
        StorageError
            when the features cannot be kept.
        """
        examples = []
        for clip in clips:
            examples.append(self._example(clip, augment))
            done()
        return examples

    def _example(self, clip: Clip, augment: AugmentSettings | None) -> Example:
        samples = load_recording(clip.audio)
        digest = clip_digest(samples)
        sounds = []
        for variant in range(augment.variants if augment else 1):
            factor = rate_factor(digest, variant, self._settings.seed, augment.rate) if augment else 1.0
            played = change_rate(samples, factor)
            key = self._key(digest, factor)
            if not self._store.has(key) and (self._store.is_full or not self._store.write(key, self._features(played))):
                self.unkept += 1
            sounds.append(Sound(key, factor, played.size, self._recogniser.window.count(played.size)))
        return Example(clip, digest, tuple(self._recogniser.prompts.target(clip.text)), tuple(sounds))

    def _key(self, digest: str, factor: float) -> str:
        key = mel_key(digest, factor, self._recogniser.processor.feature_extractor, self._recogniser.window)
        return embedding_key(key, self._encoder) if self.encoded else key

    def _features(self, samples: np.ndarray) -> torch.Tensor:
        recogniser = self._recogniser
        mel = log_mel(recogniser.processor.feature_extractor, samples, recogniser.window)
        if not self.encoded:
            return mel
        # the same in the midst of training as before it
        with torch.no_grad(), torch.autocast(recogniser.device.type, enabled=False):
            return encode(recogniser.model, mel.to(recogniser.device)).cpu()

    def features(self, example: Example, variant: int) -> torch.Tensor:
        """Features of one variant: from the store, or computed anew where the entry was lost or damaged since.

        Raises
        ------
        AudioError
            when it must be computed and the recording is gone, or is no longer the one the run began with.
        """
        sound = example.sounds[variant]
        return self._store.get(sound.key, lambda: self._again(example, sound.factor))

    def _again(self, example: Example, factor: float) -> torch.Tensor:
        samples = load_recording(example.clip.audio)
        if clip_digest(samples) != example.digest:
            raise AudioError(
                "the recording was changed while it was being trained on",
                where=str(example.clip.audio),
                mend="Put the old recording back and go on with --resume, or start a new run.",
            )
        return self._features(change_rate(samples, factor))

    def batch(self, examples: Sequence[Example], epoch: int, generator: torch.Generator | None = None) -> Batch:
        """Put examples into one forward pass; each takes the variant whose turn it is in this epoch.

        Parameters
        ----------
        generator
            Decides the masks of SpecAugment; without one there are none.
        """
        prompts = self._recogniser.prompts
        heads, sounds = [], []
        for example in examples:
            variant = epoch % len(example.sounds)
            features = self.features(example, variant)
            if generator is not None:
                frames = self._sounding_frames(example.sounds[variant])
                features = spec_augment(features, frames, generator)
            heads.append(prompts.prompt(features.shape[0], self._settings.language))
            sounds.append(features)
        targets = [example.target for example in examples]
        return make_batch(heads, targets, sounds, encoded=self.encoded, pad_id=prompts.pad_id)

    def _sounding_frames(self, sound: Sound) -> int:
        window = self._recogniser.window
        return math.ceil(sound.samples * window.mel_frames / window.samples)
