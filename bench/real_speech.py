"""Real recorded speech through every command: import, check, train, evaluate; prints base and tuned WER and CER.

    python bench/real_speech.py [--language en|es] [--clips N] [--epochs N] [--json]

The recordings are one speaker's telephone prompts from Debian's asterisk-core-sounds packages (CC-BY-SA 3.0; nothing of
them is kept in this repository), fetched with apt-get where they are not installed. The built-in model has never heard
a human voice, so the figure says that every stage works on real recordings, and how far so small a model gets; it says
nothing about Voxtral.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent.parent / ".cache" / "real_speech"
INSTALLED = Path("/")
LICENCE = "CC-BY-SA 3.0"
SPEAKER = "Allison Smith"
VOICES = {"en": "en_US_f_Allison", "es": "es_MX_f_Allison"}
"""Folder of the speaker below /usr/share/asterisk/sounds, by language."""

MIN_WORDS = 3
"""Shorter prompts are parts that a telephone system joins ("press", "seven"), not phrases."""


class BenchError(Exception):
    """Why the figures cannot be had, and what to do."""


@dataclass(frozen=True)
class Prompt:
    """One recording with its published transcript."""

    key: str
    text: str
    audio: Path


@dataclass(frozen=True)
class Result:
    """What a run brought; its fields are the keys of ``--json``."""

    source: str
    licence: str
    language: str
    clips: int
    """Imported."""
    left_out: list[dict[str, Any]]
    """By ``ownvoice import``, each with its reason."""
    problems: dict[str, int]
    """How often ``ownvoice check`` found what."""
    epochs: int
    steps: int
    n: int
    """Held-out utterances judged."""
    base: dict[str, float]
    tuned: dict[str, float]
    run: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=sorted(VOICES), default="en")
    parser.add_argument("--clips", type=int, help="use this many of the recordings, chosen by a fixed seed")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    try:
        prompts = list(find_prompts(options.language))
        if options.clips is not None:
            prompts = random.Random(0).sample(prompts, min(options.clips, len(prompts)))  # noqa: S311 - no secret
        result = measure(prompts, options.language, options.epochs)
    except BenchError as error:
        sys.exit(f"real_speech: {error}")
    print(json.dumps(asdict(result), ensure_ascii=False, indent=2) if options.json else describe(result))


def find_prompts(language: str) -> Iterator[Prompt]:
    """The phrases of :data:`MIN_WORDS` words or more; tones, silences and prompts with remarks are passed over."""
    spoken = Path("usr/share/asterisk/sounds", VOICES[language])
    installed = (INSTALLED / spoken).is_dir() and (INSTALLED / transcript_path(language)).is_file()
    root = INSTALLED if installed else fetch(language)
    for line in gzip.decompress((root / transcript_path(language)).read_bytes()).decode().splitlines():
        key, _, text = line.partition(": ")
        audio = root / spoken / f"{key}.wav"
        if len(text.split()) >= MIN_WORDS and not re.search(r"[\[\](){}<>]", text) and audio.is_file():
            yield Prompt(key, text.strip(), audio)


def transcript_path(language: str) -> str:
    return f"usr/share/doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz"


def fetch(language: str) -> Path:
    """Download and unpack the language's two packages below :data:`CACHE`, once; nothing is installed."""
    root = CACHE / f"packages-{language}"
    if (root / transcript_path(language)).is_file():
        return root
    root.mkdir(parents=True, exist_ok=True)
    package = f"asterisk-core-sounds-{language}"
    print(f"Fetching {package} and {package}-wav ({LICENCE})", file=sys.stderr)
    try:
        subprocess.run(["apt-get", "download", f"{package}-wav", package], cwd=root, stdout=sys.stderr, check=True)
        # the transcripts last: they are what tells that the folder is complete
        for archive in (*root.glob(f"{package}-wav_*.deb"), *root.glob(f"{package}_*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=root, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"{package} cannot be fetched ({error}); it needs Debian, and apt-get update first") from None
    return root


def measure(prompts: list[Prompt], language: str, epochs: int) -> Result:
    """Drive the commands a person would type, each in a process of its own."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{language}-", dir=CACHE))
    voice = folder / "voice"
    table = folder / "prompts.jsonl"
    rows = [{"audio_path": str(prompt.audio), "text": prompt.text} for prompt in prompts]
    table.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    imported = ownvoice("import", table, voice, "--language", language, may_complain=True)
    problems = ownvoice("check", voice, may_complain=True)
    settings = ("--base-model", "tiny", "--method", "full", "--epochs", epochs)
    trained = ownvoice("train", voice, *settings)
    judged = ownvoice("evaluate", trained["run"])
    return Result(
        source=f"asterisk-core-sounds-{language}, spoken by {SPEAKER}",
        licence=LICENCE,
        language=language,
        clips=imported["added"],
        left_out=imported["left_out"],
        problems=dict(Counter(f"{problem['severity']}: {problem['kind']}" for problem in problems)),
        epochs=epochs,
        steps=trained["steps"],
        n=judged["n"],
        base=judged["base"],
        tuned=judged["tuned"],
        run=trained["run"],
    )


def ownvoice(verb: str, *arguments: object, may_complain: bool = False) -> Any:
    """Run ``ownvoice VERB ... --json`` and return what it printed.

    ``may_complain``: the verb ends with 1 also where it did its work and found something to tell.
    """
    command = [sys.executable, "-m", "ownvoice", verb, *map(str, arguments), "--json"]
    print("$ ownvoice " + " ".join(command[3:]), file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if answer is None or (done.returncode and not may_complain):
        raise BenchError(f"ownvoice {verb} ended with {done.returncode}; what it said stands above")
    return answer


def describe(result: Result) -> str:
    """The result as a person reads it."""
    lines = [
        f"{result.source} ({result.licence})",
        f"{result.clips} recordings, {len(result.left_out)} left out; {result.epochs} epochs, {result.steps} steps",
        *(f"  left out: {clip['name']}: {clip['reason']}" for clip in result.left_out),
        *(f"  check: {count} x {kind}" for kind, count in sorted(result.problems.items())),
        f"{result.n} phrases never trained on, 95 % intervals over them:",
        f"{'':8}{'WER':>8}{'from':>8}{'to':>8}{'CER':>8}",
    ]
    for name, rates in (("base", result.base), ("tuned", result.tuned)):
        shown = (f"{100 * rates[key]:.1f} %" for key in ("wer", "wer_low", "wer_high", "cer"))
        lines.append(f"{name:8}" + "".join(f"{value:>8}" for value in shown))
    lines.append(f"Both transcripts side by side: {Path(result.run) / 'evaluation.html'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
