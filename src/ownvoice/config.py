"""Settings: of a voice (``voice.yaml``) and of a training run (``config.yaml`` and recipes).

Frozen, checked when made, written to and read from YAML. Each field is documented under itself; the command
line's help and the guide take their sentences from there. No secret is ever a setting.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ownvoice.errors import ConfigError
from ownvoice.rundir import write_atomically

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

VOXTRAL_LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "pt": "Portuguese",
    "hi": "Hindi",
    "de": "German",
    "nl": "Dutch",
    "it": "Italian",
}
"""The languages Voxtral was made for (model card of Voxtral-Mini-3B-2507). Others can be trained too."""

VOXTRAL_MINI = "mistralai/Voxtral-Mini-3B-2507"
VOXTRAL_SMALL = "mistralai/Voxtral-Small-24B-2507"
TINY = "tiny"
"""The name under which the built-in small model is asked for."""


def check_language(code: str) -> str:
    """Return ``code`` when it is an ISO 639-1 two-letter language code, which is all the prompt can carry.

    Raises
    ------
    ValueError
        for anything else, "auto" included: leave the language out to have it detected.
    """
    if code in VOXTRAL_LANGUAGES:
        return code
    import pycountry  # slow to import, and only needed outside Voxtral's own languages

    if len(code) == 2 and code.islower() and pycountry.languages.get(alpha_2=code):
        return code
    raise ValueError(
        f"{code!r} is not a two-letter language code such as {', '.join(VOXTRAL_LANGUAGES)}; "
        "leave it out to have it detected"
    )


Language = Annotated[str, AfterValidator(check_language)]


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown names, documented under each field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def make(cls, values: dict[str, object], *, where: str | Path | None = None) -> Self:
        """Make the settings from plain values.

        Raises
        ------
        ConfigError
            naming every wrong or unknown field, and ``where`` it was written.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(
                "; ".join(_complaint(problem) for problem in error.errors()),
                where=where,
                mend="Correct these settings and run the command again.",
            ) from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a YAML file.

        Raises
        ------
        ConfigError
            when there is no such file, it is no YAML mapping, or a value is wrong.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot be read as YAML ({error})", where=path) from None
        return cls.parse(text, where=path)

    @classmethod
    def parse(cls, text: str, *, where: str | Path) -> Self:
        """Read YAML.

        Raises
        ------
        ConfigError
            naming ``where`` it was written, when it is no YAML mapping, gives a name twice, or a value is wrong.
        """
        try:
            values = yaml.load(text, _PlainYaml)  # noqa: S506 - a SafeLoader
        except (yaml.YAMLError, RecursionError) as error:
            raise ConfigError(f"cannot be read as YAML ({error})", where=where) from None
        if not isinstance(values, dict):
            raise ConfigError("holds no settings: expected lines of 'name: value'", where=where)
        return cls.make(values, where=where)

    def save(self, path: Path) -> None:
        """Write all settings as YAML, atomically; only the owner can read them, as they may hold a consent text."""
        content = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        write_atomically(path, content)


class _PlainYaml(yaml.SafeLoader):
    """Safe YAML in which ``no`` is Norwegian, as YAML 1.2 has it, and of a name given twice none wins in silence."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for name, _ in node.value:
            if str(name.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name.value!r} is given twice", name.start_mark)
            seen.add(str(name.value))
        return super().construct_mapping(node, deep)


_PlainYaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))


class VoiceSettings(Settings):
    """What is known of a voice as a whole (``voice.yaml``)."""

    language: Language | None = "en"
    """Two-letter code of the language spoken; none to have the model detect it."""
    transcript_style: Literal["intended", "verbatim"] = "intended"
    """Whether transcripts hold the words meant ("I want tea") or every sound made ("I I w-want tea")."""
    consent: str = ""
    """The consent text the speaker agreed to, word for word; empty while nothing may leave this computer."""


class LoraSettings(Settings):
    """Low-rank adapters (Hu et al. 2021): small trained matrices beside frozen weights."""

    rank: int = Field(16, ge=1, le=512)
    """Width of each adapter: larger learns more and forgets more."""
    alpha: int = Field(32, ge=1)
    """Strength of the adapters; they are scaled by alpha / rank."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Share of the adapter's inputs silenced while training, against learning by heart."""


class OptimiserSettings(Settings):
    """AdamW with warm-up, then a falling learning rate."""

    learning_rate: float | None = Field(None, gt=0)
    """Peak learning rate; left out, 1e-3 for LoRA on the built-in model, 1e-4 for LoRA on Voxtral and a tenth of
    that for full training."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """How the learning rate falls to zero after the warm-up."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of all steps in which the learning rate rises."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's decay of trained weights."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients longer than this are scaled down to it."""
    eight_bit: bool = False
    """Keep AdamW's two moments in 8 bits each (Dettmers et al. 2022), a quarter of their memory; needs bitsandbytes.
    With method qlora they always are."""


class AugmentSettings(Settings):
    """Variants of each clip, made once and cached; version 0 is always the clip itself."""

    variants: int = Field(1, ge=1, le=16)
    """Versions of each clip that take turns from epoch to epoch; 1 is the recording alone."""
    rate: float = Field(0.1, ge=0, le=0.3)
    """How much faster or slower a variant may be: 0.1 is from 0.9 to 1.1 of the recorded rate (Ko et al. 2015)."""
    specaugment: bool = False
    """Blank out random bands of time and pitch while training (Park et al. 2019); needs the encoder in the scope."""


class DevSettings(Settings):
    """How the dev set chooses the checkpoint and ends the run."""

    every: float = Field(2.0, gt=0)
    """Transcribe the dev set each this many epochs."""
    patience: int = Field(4, ge=1)
    """Stop when this many transcriptions in a row brought no better WER."""


class TrainingSettings(Settings):
    """Everything that repeats a run (``config.yaml``)."""

    base_model: str = VOXTRAL_MINI
    """What to start from: "tiny" for the built-in small model, a folder, or a Hub id."""
    method: Literal["lora", "qlora", "full"] = "lora"
    """Train small adapters beside the frozen model (lora); the same beside one squeezed into 4 bits a weight, in less
    memory (qlora; Dettmers et al. 2023); or every weight of the scope (full)."""
    scope: Literal["decoder", "encoder", "both"] = "both"
    """Where to train: the encoder hears, the decoder writes. A voice is learned in the encoder."""
    window: Literal["standard", "short", "auto"] = "auto"
    """How much silence is heard after a clip: up to the model's whole window (standard); hardly any in most steps,
    which takes a fraction of the time (short); or short if the base model hears your dev phrases no worse so (auto)."""
    short_share: float = Field(0.75, gt=0, le=1)
    """Share of the steps in short windows with window short; the others keep the whole window familiar."""
    language: Language | None = "en"
    """Two-letter code written into each prompt; none to have it detected."""
    epochs: int = Field(12, ge=1, le=1000)
    """How often each utterance is heard at most; ownvoice train takes from 16 for minutes of speech to 4 for hours."""
    batch_size: int = Field(4, ge=1)
    """Utterances in one forward pass."""
    accumulate: int = Field(1, ge=1)
    """Forward passes in one optimiser step."""
    checkpointing: Literal["auto", "always", "never"] = "auto"
    """Compute the inside of each layer a second time on the way back instead of keeping it: far less memory, a third
    more arithmetic, the same result (Chen et al. 2016). Left to "auto", only where memory would be short without."""
    cache_gb: float = Field(10.0, ge=0)
    """Room on disk for what was computed of the voice's recordings; what does not fit is computed each time it is
    heard, which gives the same result more slowly."""
    seed: int = Field(0, ge=0)
    """Decides split, order, adapters' start and augmentation."""
    lora: LoraSettings = LoraSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    augment: AugmentSettings = AugmentSettings()
    dev: DevSettings = DevSettings()

    @property
    def eight_bit_moments(self) -> bool:
        """Whether AdamW's moments are kept in 8 bits."""
        return self.method == "qlora" or self.optimiser.eight_bit

    @model_validator(mode="after")
    def _augmentation_fits_scope(self) -> Self:
        if self.augment.specaugment and self.scope == "decoder":
            raise ValueError(
                "specaugment changes what the encoder hears, and with scope 'decoder' its output is computed once; "
                "use scope 'encoder' or 'both', or rate variants instead"
            )
        return self


def leaf_fields(settings: type[Settings], *outer: str) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Path and description of every field of ``settings`` and of the settings inside it, in the order written."""
    for name, field in settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            yield from leaf_fields(kind, *outer, name)
        else:
            yield (*outer, name), field


def nested(flat: Mapping[str, Any], separator: str) -> dict[str, Any]:
    """``{"epochs": 3, "lora.rank": 8}`` with separator "." as values for ``Settings.make``."""
    values: dict[str, Any] = {}
    for name, value in flat.items():
        *groups, last = name.split(separator)
        level = values
        for group in groups:
            level = level.setdefault(group, {})
        level[last] = value
    return values


def flattened(values: Mapping[str, Any], separator: str, outer: str = "") -> dict[str, Any]:
    """The reverse of :func:`nested`; ``outer`` is put before every name."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        within = isinstance(value, Mapping)
        flat |= flattened(value, separator, f"{outer}{name}{separator}") if within else {outer + name: value}
    return flat


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``below`` with the values of ``above`` laid over it, group by group."""
    values = dict(below)
    for name, value in above.items():
        values[name] = merged(values.get(name, {}), value) if isinstance(value, Mapping) else value
    return values


class ServeSettings(Settings):
    """What ``ownvoice serve`` lets in, and how much of it."""

    host: str = "127.0.0.1"
    """Address to listen on; another than this computer's own needs a key in OWNVOICE_API_KEY."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    origins: str = ""
    """Web pages that may ask, as https://example.org, separated by commas; none but the server's own otherwise."""
    max_megabytes: float = Field(100, gt=0)
    """Largest request body."""
    max_seconds: float = Field(1800, gt=0, le=7200)
    """Longest recording."""
    max_requests: int = Field(64, ge=1, le=1024)
    """Requests held at a time, being received, waiting or heard; one more is answered with 429."""
    max_waiting_seconds: float = Field(3600, gt=0)
    """Sound held at a time, of all requests together; 4 MB of memory a minute."""
    upload_seconds: float = Field(120, gt=0)
    """How long a client may take to send its request."""
    request_seconds: float = Field(900, gt=0)
    """How long a request may wait for its answer."""


def _complaint(problem: ErrorDetails) -> str:  # pydantic's own wording, with our name for the place
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"{place}: there is no such setting"
    return f"{place}: {message}" if place else message
