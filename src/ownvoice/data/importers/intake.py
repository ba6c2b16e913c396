"""The front door of importing: opens a source, and copies each clip into the voice or says why not.

A clip is first decoded outside the voice, so a bad file never touches it; then its recording is saved, and only then
its line. Killed at any moment, every line has its recording, and importing again goes on: what is already in the voice
(same sound, same words) is left out, and a recording that was saved without its line gets it. What the formats look
like is told in the readers beside this module.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import convert_to_wav, load_audio, read_duration
from ownvoice.data.importers.archive import open_archive
from ownvoice.data.importers.columns import Wanted
from ownvoice.data.importers.folders import read_tree, walk_folder
from ownvoice.data.importers.hub import PREFIX, open_hub
from ownvoice.data.importers.scratch import scratch_folder
from ownvoice.data.importers.source import Clip, LeftOut, Source, is_audio, printable, read_content
from ownvoice.data.importers.tables import TABLE_SUFFIXES, read_table_file
from ownvoice.data.manifest import append_utterances, next_wav_name, read_manifest
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from ownvoice.errors import AudioError, OwnvoiceError, SourceError, storage_faults
from ownvoice.rundir import VoiceFolder

Progress = Callable[[int, int | None], None]
"""Told after each clip: how many are done, and of how many, or None where that is not known."""

_LISTED = 20
"""How many of the clips left out an error names; the result of an import that brought something in has them all."""


@dataclass(frozen=True)
class ImportResult:
    """What became of a source."""

    added: list[Utterance]
    left_out: list[LeftOut]
    """Everything that did not come in, each with its reason."""
    warnings: list[str]
    read_as: list[str]
    """What the source was taken for and which columns were used, in words."""

    @property
    def failed(self) -> list[LeftOut]:
        """What was left out and is not in the voice already."""
        return [clip for clip in self.left_out if not clip.already_there]


def import_recordings(
    source: str,
    voice: VoiceFolder,
    *,
    text_column: str | None = None,
    audio_column: str | None = None,
    language: str | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Copy every recording of ``source`` that has a transcript into ``voice``, which is made when there is none.

    ``source`` is a folder, a CSV, TSV or JSONL table, a zip of either, or ``hub:OWNER/NAME[:CONFIG[:SPLIT]]``. The
    columns are guessed from their names where they are not given. ``language`` (ISO 639-1) is that of the recordings;
    left out, the source's own, else the voice's.

    Raises
    ------
    SourceError
        when the source cannot be read or nothing in it could be imported; the voice is then as it was.
    ConfigError
        when ``language`` is no language code or the voice's settings cannot be read.
    HubError
        when the Hub refuses or breaks off; what came in until then stays, and importing again goes on.
    ManifestError
        when the voice's own table cannot be trusted.
    StorageError
        when the disk is full or the voice cannot be written; what came in until then stays.
    """
    if language is not None:
        VoiceSettings.make({"language": language})
    with _opened(source, voice, Wanted(text_column, audio_column)) as opened:
        label = source if source.startswith(PREFIX) else Path(source).resolve().name
        result = take_in(opened, voice, label=label, language=language, progress=progress)
    if not result.added and len(result.failed) == len(result.left_out):
        raise _nothing_imported(source, result.left_out)
    return result


def take_in(
    opened: Source, voice: VoiceFolder, *, label: str, language: str | None = None, progress: Progress | None = None
) -> ImportResult:
    """Copy every clip of an opened source into ``voice``; where nothing could be, the result says why.

    ``label`` is what the source is called in each utterance's ``source``.

    Raises
    ------
    ConfigError, HubError, ManifestError, StorageError
        as :func:`import_recordings`.
    """
    result = ImportResult([], [], opened.warnings, opened.read_as)
    with scratch_folder() as scratch, _no_empty_voice(voice):
        intake = _Intake(voice, language, label, scratch, opened)
        for done, found in enumerate(opened.found, 1):
            outcome = found if isinstance(found, LeftOut) else intake.take(found)
            if isinstance(outcome, Utterance):
                result.added.append(outcome)
            else:
                result.left_out.append(outcome)
            if progress:
                progress(done, opened.total)
    return result


class _Intake:
    """Takes clips into one voice, one by one."""

    def __init__(self, voice: VoiceFolder, language: str | None, label: str, scratch: Path, opened: Source) -> None:
        self.voice = voice
        self.language = language
        self.label = label
        self.scratch = scratch / "clip"
        self.warnings = opened.warnings
        self.origin = opened.settings
        self.settings = read_voice_settings(voice) if voice.settings.exists() else None
        self.ids: set[str | None] = set()
        self.by_text: dict[str, list[Utterance]] = defaultdict(list)
        self.fingerprints: dict[str, str | None] = {}
        self.left_behind: dict[str | None, str] | None = None
        if voice.manifest.exists():
            reading = read_manifest(voice)
            self.warnings += reading.warnings
            for utterance in reading.everything:
                self._remember(utterance)
        if self.settings and self.origin and self.settings.transcript_style != self.origin.transcript_style:
            self.warnings.append(
                f"what comes in is written as {self.origin.transcript_style!r} and this voice as "
                f"{self.settings.transcript_style!r} (transcript_style in {self.voice.settings.name}): "
                "write all of it one way, or the model learns both"
            )

    def take(self, clip: Clip) -> Utterance | LeftOut:
        """Save the clip's recording, then its line; or the reason why it stays out."""
        wav = self.scratch.with_suffix(".wav")
        try:
            if isinstance(clip.audio, Path):
                convert_to_wav(clip.audio, wav)
            else:
                data = read_content(clip.audio, clip.name)
                with storage_faults(self.scratch):
                    self.scratch.write_bytes(data)
                convert_to_wav(self.scratch, wav)
            if twin := self._find_twin(clip.text, wav):
                reason = f"already in this voice: {twin.audio_path}"
                return LeftOut(clip.name, clip.line, reason, already_there=True)
            return self._save(clip, wav)
        except (SourceError, AudioError) as error:
            return LeftOut(clip.name, clip.line, error.what)
        finally:
            wav.unlink(missing_ok=True)

    def _save(self, clip: Clip, wav: Path) -> Utterance:
        settings = self.settings = self.settings or self._new_settings(clip.language)
        spoken = self.language or clip.language
        audio_path = self._saved_without_line(wav) or next_wav_name(self.voice)
        target = self.voice.path / audio_path
        seconds = read_duration(target) if target.exists() else convert_to_wav(wav, target)
        known = clip.recorded or Utterance(audio_path, clip.text)
        utterance = replace(
            known,
            audio_path=audio_path,
            text=clip.text,
            id=None if known.id in self.ids else known.id,
            language=spoken if spoken != settings.language else None,
            source=known.source or printable(f"{self.label}/{clip.name}"),
            duration=round(seconds, 3),
            replaces=None,  # what it replaced comes in as excluded; here, that id may be another recording's
        )
        try:
            self.warnings += append_utterances(self.voice, [utterance])
        except OwnvoiceError:
            target.unlink()  # the original is still where it came from
            raise
        self._remember(utterance)
        return utterance

    def _new_settings(self, source_language: str | None) -> VoiceSettings:
        known = self.origin or VoiceSettings()
        spoken = self.language or source_language
        settings = VoiceSettings(language=spoken or known.language, transcript_style=known.transcript_style)
        if not spoken and not self.origin:
            self.warnings.append(
                f"no language was given, so {self.voice.settings.name} says {settings.language!r}; change it there"
            )
        write_voice_settings(self.voice, settings)
        return settings

    def _saved_without_line(self, wav: Path) -> str | None:
        """Path of the copy of ``wav`` that an import, killed right after saving it, left in the voice."""
        if self.left_behind is None:
            named = {PurePosixPath(utterance.audio_path) for same in self.by_text.values() for utterance in same}
            saved = [path for path in self.voice.wavs.glob("*.wav") if not path.is_symlink()]
            paths = {PurePosixPath(path.relative_to(self.voice.path).as_posix()) for path in saved} - named
            self.left_behind = {self._fingerprint_at(str(path)): str(path) for path in paths}
        return self.left_behind.pop(_fingerprint(wav), None) if self.left_behind else None

    def _remember(self, utterance: Utterance) -> None:
        self.ids.add(utterance_id(utterance))
        self.by_text[utterance.text].append(utterance)

    def _find_twin(self, text: str, wav: Path) -> Utterance | None:
        """The utterance of the voice with this very text and these very samples; only those of the text are opened."""
        same_text = self.by_text.get(text, [])
        fingerprint = _fingerprint(wav) if same_text else None
        return next((twin for twin in same_text if self._fingerprint_at(twin.audio_path) == fingerprint), None)

    def _fingerprint_at(self, audio_path: str) -> str | None:
        if audio_path not in self.fingerprints:
            try:
                fingerprint = _fingerprint(self.voice.path / audio_path)
            except AudioError:  # check.py names it; what cannot be heard is nobody's twin
                fingerprint = None
            self.fingerprints[audio_path] = fingerprint
        return self.fingerprints[audio_path]


def _fingerprint(wav: Path) -> str:
    """SHA-256 of the samples at 16 kHz, whatever the file is called and whatever else its header says."""
    return hashlib.sha256(load_audio(wav).tobytes()).hexdigest()


@contextmanager
def _opened(source: str, voice: VoiceFolder, wanted: Wanted) -> Iterator[Source]:
    if source.startswith(PREFIX):
        yield open_hub(source, wanted)
        return
    path = Path(source)
    if not os.path.exists(path):  # noqa: PTH110 - pathlib's raises for a name too long to exist
        raise SourceError(
            "there is no such file or folder",
            where=source,
            mend="Check the name; a data set on the Hugging Face Hub is written hub:OWNER/NAME.",
        )
    if path.is_dir():
        if path.resolve() == voice.path.resolve():
            raise SourceError("is the voice itself", where=path, mend="Give another folder to import from.")
        yield read_tree(walk_folder(path, leaving_out=voice.path), wanted)
    elif path.suffix.lower() in TABLE_SUFFIXES:
        yield read_table_file(path, wanted)
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with open_archive(path) as tree:
            yield read_tree(tree, wanted)
    else:
        mend = "Give a folder, a .csv, .tsv or .jsonl table, a .zip, or hub:OWNER/NAME."
        if is_audio(path.name):
            mend = "Put its words in a .txt of the same name beside it and give the folder."
        raise SourceError("cannot be imported by itself", where=path, mend=mend)


@contextmanager
def _no_empty_voice(voice: VoiceFolder) -> Iterator[None]:
    """Take back the files an import made around its first recording when none was saved."""
    around = [voice.wav_counter, voice.wavs, voice.settings, voice.lock, voice.path]
    with storage_faults(voice.path):
        made = [path for path in around if not path.exists()]
    try:
        yield
    finally:
        if not voice.manifest.exists():
            for path in made:
                with contextlib.suppress(OSError):  # not made after all, or no longer empty
                    path.rmdir() if path.is_dir() else path.unlink()


def _nothing_imported(source: str, left_out: list[LeftOut]) -> SourceError:
    lines = [f"  {clip}" for clip in left_out[:_LISTED]]
    if len(left_out) > _LISTED:
        lines.append(f"  and {len(left_out) - _LISTED} more")
    what = "\n".join(["nothing could be imported:", *lines]) if lines else "holds no clip"
    return SourceError(what, where=source, mend="Mend what is listed and import it again.")
