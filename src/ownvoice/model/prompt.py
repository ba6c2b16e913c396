"""Token ids around the audio: the prompt of a transcription request, and the transcript as training target.

Both come from the model's own tokenizer (mistral-common); no token id is written here. The prompt depends on the number
of windows and the language alone, so it is rendered once for each pair, from silence, and kept.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from ownvoice.errors import ModelError
from ownvoice.model.features import Window

if TYPE_CHECKING:
    from transformers import VoxtralProcessor


class Prompts:
    """Renders prompts and targets with the tokenizer of one processor.

    Raises
    ------
    ModelError
        when the tokenizer has no audio tokens, or its windows are not as long as the encoder's.
    """

    def __init__(self, processor: VoxtralProcessor, window: Window) -> None:
        self._tokenizer = processor.tokenizer
        self._window = window
        self._rendered: dict[tuple[int, str | None], tuple[int, ...]] = {}
        self.audio_id: int = processor.audio_token_id
        self.end_id: int = processor.tokenizer.eos_token_id
        self.pad_id: int = processor.tokenizer.pad_token_id
        rendered = self.prompt(1, None).count(self.audio_id)
        if rendered != window.audio_tokens:
            raise ModelError(
                f"the tokenizer makes {rendered} audio tokens of a window and the encoder {window.audio_tokens}: "
                "they do not belong together",
                mend="Put config.json, the weights and tekken.json of one model into one folder.",
            )

    def prompt(self, windows: int, language: str | None, audio_tokens: int | None = None) -> tuple[int, ...]:
        """The whole prompt for a clip of so many windows, up to the token after which the transcript starts.

        Parameters
        ----------
        audio_tokens
            Of each window, where they are short ones.
        language
            Two-letter ISO 639-1 code, or None to have the language detected.
        """
        key = (windows, language)
        if key not in self._rendered:
            self._rendered[key] = self._render(windows, language)
        rendered = self._rendered[key]
        if audio_tokens is None or audio_tokens == self._window.audio_tokens:
            return rendered
        first = rendered.index(self.audio_id)
        after = first + windows * self._window.audio_tokens
        return rendered[:first] + (self.audio_id,) * (windows * audio_tokens) + rendered[after:]

    def _render(self, windows: int, language: str | None) -> tuple[int, ...]:
        import soundfile
        from mistral_common.exceptions import MistralCommonException
        from mistral_common.protocol.transcription.request import TranscriptionRequest

        silence = io.BytesIO()
        # The amount of audio decides the number of audio tokens; what is to be heard in it does not.
        soundfile.write(
            silence, np.zeros(windows * self._window.samples, np.int16), self._window.sampling_rate, format="WAV"
        )
        request = TranscriptionRequest(model="voxtral", audio=silence.getvalue(), language=language)
        try:
            return tuple(self._tokenizer.tokenizer.encode_transcription(request).tokens)
        except MistralCommonException as error:
            raise ModelError(f"the tokenizer of this model cannot write a transcription prompt: {error}") from None

    def target(self, text: str) -> list[int]:
        """Ids of a transcript and the end token: what the model is taught to say.

        No space goes before the first word ("Hello" and " Hello" are different ids), as in Voxtral's own answers.
        """
        return [*self._tokenizer.encode(text.strip(), add_special_tokens=False), self.end_id]

    def text(self, ids: list[int]) -> str:
        """What the model said, without special tokens and without a language tag it may put in front."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip()
