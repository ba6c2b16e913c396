"""The page of a demo Space: record or upload, and read what a voice's model hears, beside its base where wanted.

The one place of Gradio, the custom on Spaces (docs/adr/0004-own-pages.md). Nothing that is said here is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ownvoice.config import TINY, VOXTRAL_LANGUAGES
from ownvoice.data.audio import load_audio
from ownvoice.errors import AudioError

if TYPE_CHECKING:
    import gradio

    from ownvoice.model.load import Recogniser

LONGEST_SECONDS = 120.0
"""Of one recording: a Space without a graphics card should answer while somebody waits."""
LARGEST_UPLOAD = "50mb"
KEPT_SECONDS = 600
"""Gradio writes what comes in to a temporary file, which is deleted after this time."""
DETECT = ""
"""The choice of language that leaves it to the model."""

_STYLE = """
.gradio-container button, .gradio-container input[type="text"], .gradio-container select {
  min-height: 44px; min-width: 44px;
}
.gradio-container input[type="checkbox"] { min-height: 24px; min-width: 24px; }
body:not(.dark) .gradio-container { --neutral-400: #475569; }
.transcript textarea { font-size: 1.25rem; line-height: 1.6; }
"""
_ANNOUNCE = """
() => {
  document.documentElement.lang = "en";
  document.getElementById("status").setAttribute("role", "status");
}
"""
"""Gradio's page says no language, and no change of what it shows is announced by itself."""


@dataclass(frozen=True)
class DemoSettings:
    """What a Space's variables say."""

    model: str = TINY
    """A Hub id, a folder, a run, or "tiny"."""
    language: str | None = None
    """Two-letter code that is chosen at first; None to detect it."""
    base: str | None = None
    """The model to compare with; None not to compare."""

    @classmethod
    def of_environment(cls) -> DemoSettings:
        """The settings in ``OWNVOICE_MODEL``, ``OWNVOICE_LANGUAGE`` and ``OWNVOICE_BASE``."""
        known = os.environ.get
        return cls(
            model=known("OWNVOICE_MODEL") or TINY,
            language=known("OWNVOICE_LANGUAGE") or None,
            base=known("OWNVOICE_BASE") or None,
        )


@dataclass(frozen=True)
class Hearing:
    """The models of a demo, loaded."""

    tuned: Recogniser
    base: Recogniser | None
    """None where nothing is compared, or an adapter can be switched off instead."""

    @classmethod
    def load(cls, settings: DemoSettings) -> Hearing:
        """Load what the settings name.

        Raises
        ------
        ModelError
            when a model is not there or cannot be used.
        """
        from ownvoice.model.load import load_recogniser

        tuned = load_recogniser(settings.model)
        if settings.base is None or tuned.adapter is not None:
            return cls(tuned, None)
        return cls(tuned, load_recogniser(settings.base))

    def text(self, path: Path, language: str | None) -> str:
        """What the voice's own model hears.

        Raises
        ------
        AudioError
            when the recording cannot be read or is too long.
        """
        return _heard(self.tuned, path, language)

    def base_text(self, path: Path, language: str | None) -> str:
        """What the base model hears; errors as in :meth:`text`."""
        if self.base is not None:
            return _heard(self.base, path, language)
        with self.tuned.as_base() as silent:
            return _heard(silent, path, language)


def _heard(recogniser: Recogniser, path: Path, language: str | None) -> str:
    from ownvoice.model.recording import transcribe_long

    return transcribe_long(recogniser, load_audio(path, longest=LONGEST_SECONDS), language).text


def launch() -> None:
    """Serve the demo that the environment's variables describe, until the process is ended.

    Where it listens is Gradio's to know: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, else this computer alone.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
    on_gpu = _graphics_card_on_demand()
    settings = DemoSettings.of_environment()
    page = build_demo(settings, Hearing.load(settings), on_gpu)
    page.launch(
        theme=_theme(),
        css=_STYLE,
        js=_ANNOUNCE,
        footer_links=["api"],
        run_history=False,
        ssr_mode=False,
        max_file_size=LARGEST_UPLOAD,
    )


def _graphics_card_on_demand() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """ZeroGPU's decorator where this runs there, which has to be imported before torch; else one that does nothing."""
    try:
        import spaces
    except ImportError:
        return lambda function: function
    return spaces.GPU  # type: ignore[no-any-return]


def build_demo(
    settings: DemoSettings, hearing: Hearing, on_gpu: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> gradio.Blocks:
    """The page; its one function is also the API's ``/transcribe``: (recording, language) to the texts and a status.

    Parameters
    ----------
    on_gpu
        Wraps the function that computes.
    """
    import gradio

    compares = settings.base is not None

    @on_gpu
    def transcribe(recording: str | None, language: str) -> tuple[str, ...]:
        if not recording:
            return _answer("", "", "Record something or choose a file first.", compares)
        chosen, path = language or None, Path(recording)
        try:
            text = hearing.text(path, chosen)
            base = hearing.base_text(path, chosen) if compares else ""
        except AudioError as error:
            return _answer("", "", f"This recording cannot be used: {error.what}.", compares)
        return _answer(text, base, "Done." if text else "Nobody seems to speak in this recording.", compares)

    with gradio.Blocks(
        title="Voxtral with a voice of its own", analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)
    ) as page:
        gradio.Markdown(
            "# Voxtral with a voice of its own\n\nA speech model that was taught one person's voice with "
            "[ownvoice](https://pypi.org/project/ownvoice/). What you say is deleted within minutes and used for "
            "nothing else."
        )
        recording = gradio.Audio(
            sources=["microphone", "upload"], type="filepath", label="Recording, up to two minutes", buttons=[]
        )
        languages = [("Detect the language", DETECT), *((name, code) for code, name in VOXTRAL_LANGUAGES.items())]
        if settings.language and settings.language not in VOXTRAL_LANGUAGES:
            languages.append((settings.language, settings.language))
        language = gradio.Radio(languages, value=settings.language or DETECT, label="Language that is spoken")
        button = gradio.Button("Write down what is said", variant="primary")
        outputs: list[gradio.components.Component] = [
            gradio.Textbox(label="This voice's model heard", lines=3, elem_classes="transcript")
        ]
        if compares:
            outputs.append(gradio.Textbox(label="Its base model heard", lines=3, elem_classes="transcript"))
        outputs.append(gradio.Markdown("Ready.", elem_id="status"))
        button.click(transcribe, [recording, language], outputs, api_name="transcribe", show_progress="minimal")
    return page  # type: ignore[no-any-return]


def _answer(text: str, base: str, status: str, compares: bool) -> tuple[str, ...]:
    return (text, base, status) if compares else (text, status)


def _theme() -> gradio.themes.Base:
    """Colours with a contrast of 4.5 and more; the default theme's grey labels and orange button have less."""
    import gradio

    colours = gradio.themes.colors
    theme = gradio.themes.Base(
        primary_hue=colours.blue,
        neutral_hue=colours.slate,
        text_size=gradio.themes.sizes.text_lg,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    values = {
        "button_primary_background_fill": "#1d4ed8",
        "button_primary_background_fill_hover": "#1e40af",
        "button_primary_text_color": "#ffffff",
        "block_label_text_color": "#1e293b",
        "block_title_text_color": "#1e293b",
        "block_info_text_color": "#334155",
        "body_text_color": "#0f172a",
        "body_text_color_subdued": "#334155",
        "input_placeholder_color": "#475569",
        "link_text_color": "#1d4ed8",
    }
    dark = {
        "block_label_text_color_dark": "#f1f5f9",
        "block_title_text_color_dark": "#f1f5f9",
        "block_info_text_color_dark": "#cbd5e1",
        "body_text_color_dark": "#f8fafc",
        "body_text_color_subdued_dark": "#cbd5e1",
        "button_primary_background_fill_dark": "#1d4ed8",
        "button_primary_text_color_dark": "#ffffff",
        "input_placeholder_color_dark": "#cbd5e1",
        "link_text_color_dark": "#93c5fd",
    }
    return theme.set(**values, **dark)
