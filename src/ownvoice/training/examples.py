"""From clips on disk to what a training step needs: target ids, and features that are computed once.

With the encoder in the scope the features are log-mel windows, of which a short window is the beginning; where the
scope leaves the encoder alone they are the audio embeddings it makes of them, for whole and for short windows apart.
Batches are put together here, of features that a thread reads ahead; their order is :mod:`ownvoice.training.plan`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from ownvoice.config import AugmentSettings, TrainingSettings
from ownvoice.data.computed import folder_of
from ownvoice.data.recording import AudioSource, load_recording
from ownvoice.errors import AudioError
from ownvoice.model.augment import change_rate, rate_factor, spec_augment
from ownvoice.model.cache import FeatureStore, clip_digest, embedding_key, encoder_fingerprint, mel_key
from ownvoice.model.features import Window, encode, log_mel
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
    short_key: str
    """Of its features in the short window; the same where they are the beginning of those in whole windows."""
    factor: float
    """How many times as fast as it was recorded."""
    samples: int
    windows: int
    short: Window
    """Its short window."""


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
    def length(self) -> tuple[int, int, int]:
        """Windows, audio tokens of its short window, and target tokens: what a forward pass over it costs."""
        return self.sounds[0].windows, self.sounds[0].short.audio_tokens, len(self.target)


class ExampleMaker:
    """Makes examples and gives their features, from the store or computed."""

    def __init__(self, recogniser: Recogniser, store: FeatureStore, settings: TrainingSettings) -> None:
        self._recogniser = recogniser
        self._store = store
        self._settings = settings
        self.encoded = settings.scope == "decoder"
        """Whether features are audio embeddings."""
        self.short = settings.window != "standard"
        """Whether short windows are made ready too."""
        self._encoder = encoder_fingerprint(recogniser.model) if self.encoded else ""
        self._reader = ThreadPoolExecutor(1, "read-ahead")
        self._ahead: tuple[dict[str, Future[torch.Tensor]], ...] = ({}, {})  # of this step and of the next
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
            sounds.append(self._sound(clip, played, digest, factor))
        return Example(clip, digest, tuple(self._recogniser.prompts.target(clip.text)), tuple(sounds))

    def _sound(self, clip: Clip, played: np.ndarray, digest: str, factor: float) -> Sound:
        whole = self._recogniser.window
        short = whole.ending_after(played.size)
        key = self._key(clip, digest, factor, whole)
        short_key = self._key(clip, digest, factor, short) if self.encoded else key
        for name, window in {key: whole, short_key: short}.items() if self.short else {key: whole}.items():
            if not self._store.has(name) and (
                self._store.is_full or not self._store.write(name, self._features(played, window))
            ):
                self.unkept += 1
        return Sound(key, short_key, factor, played.size, whole.count(played.size), short)

    def _key(self, clip: Clip, digest: str, factor: float, window: Window) -> str:
        """In the clip's own folder, so that it can go with the recording."""
        key = mel_key(digest, factor, self._recogniser.processor.feature_extractor, window)
        return f"{folder_of(clip.id)}/{embedding_key(key, self._encoder) if self.encoded else key}"

    def _features(self, samples: np.ndarray, window: Window) -> torch.Tensor:
        recogniser = self._recogniser
        mel = log_mel(recogniser.processor.feature_extractor, samples, recogniser.window)
        if not self.encoded:
            return mel
        # the same in the midst of training as before it
        with torch.no_grad(), torch.autocast(recogniser.device.type, enabled=False):
            return encode(recogniser.model, mel[..., : window.mel_frames]).cpu()

    def features(self, example: Example, variant: int, *, short: bool = False) -> torch.Tensor:
        """Features of one variant: from the store, or computed anew where the entry was lost or damaged since.

        Parameters
        ----------
        short
            Those of its short window.

        Raises
        ------
        AudioError
            when it must be computed and the recording is gone, or is no longer the one the run began with.
        """
        sound = example.sounds[variant]
        key = sound.short_key if short else sound.key
        read = next((future for step in self._ahead if (future := step.pop(key, None))), None)
        features = read.result() if read else self._read(example, sound, short)
        return features[..., : sound.short.mel_frames] if short and not self.encoded else features

    def read_ahead(self, examples: Sequence[Example], epoch: int, *, short: bool) -> None:
        """Begin to read, in the background, what the batches of the next step will ask for.

        What goes wrong comes up where the features are taken.
        """
        coming = {}
        for example in examples:
            sound = example.sounds[epoch % len(example.sounds)]
            key = sound.short_key if short else sound.key
            coming[key] = self._reader.submit(self._read, example, sound, short)
        self._ahead = (self._ahead[-1], coming)

    def let_encoder_rest(self) -> None:
        """Take the encoder off a graphics card when every audio embedding is kept, which leaves its room to training.

        An embedding that is lost later is computed where the encoder then is.
        """
        if self.encoded and not self.unkept:
            self._recogniser.model.model.audio_tower.cpu()
            self._recogniser.model.model.multi_modal_projector.cpu()

    def _read(self, example: Example, sound: Sound, short: bool) -> torch.Tensor:
        if short:
            return self._store.get(sound.short_key, lambda: self._again(example, sound.factor, sound.short))
        return self._store.get(sound.key, lambda: self._again(example, sound.factor, self._recogniser.window))

    def _again(self, example: Example, factor: float, window: Window) -> torch.Tensor:
        samples = load_recording(example.clip.audio)
        if clip_digest(samples) != example.digest:
            raise AudioError(
                "the recording was changed while it was being trained on",
                where=str(example.clip.audio),
                mend="Put the old recording back and go on with --resume, or start a new run.",
            )
        return self._features(change_rate(samples, factor), window)

    def batch(
        self, examples: Sequence[Example], epoch: int, generator: torch.Generator | None = None, *, short: bool = False
    ) -> Batch:
        """Put examples into one forward pass; each takes the variant whose turn it is in this epoch.

        Parameters
        ----------
        generator
            Decides the masks of SpecAugment; without one there are none.
        short
            Whether each clip comes in its short window, which does not depend on the others of the batch.
        """
        prompts = self._recogniser.prompts
        heads, sounds = [], []
        for example in examples:
            variant = epoch % len(example.sounds)
            features = self.features(example, variant, short=short)
            sound = example.sounds[variant]
            if generator is not None:
                features = spec_augment(features, self._sounding_frames(sound), generator)
            tokens = sound.short.audio_tokens if short else None
            heads.append(prompts.prompt(sound.windows, self._settings.language, tokens))
            sounds.append(features)
        targets = [example.target for example in examples]
        return make_batch(heads, targets, sounds, encoded=self.encoded, pad_id=prompts.pad_id)

    def _sounding_frames(self, sound: Sound) -> int:
        window = self._recogniser.window
        return math.ceil(sound.samples * window.mel_frames / window.samples)
