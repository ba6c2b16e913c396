"""A folder in which the documentation's commands and code do what they say, with the built-in model.

What stands in for what: ``RUN`` is a trained run of the voice ``voices/me``; ``OWNER/NAME`` what was published before;
``arecord`` a program that plays a recording to its standard output. ``train`` takes the built-in model, one epoch and
few clips, and what would ask a person is answered with yes. Everything else is as on the page.
"""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import av
from click.testing import CliRunner
from snippets import ROOT

from live_server import CLIPS, Server, serving
from ownvoice.cli import cli
from ownvoice.data.audio import SAMPLE_RATE, load_audio, write_wav
from ownvoice.publishing.record import read_published
from ownvoice.rundir import RunFolder
from ownvoice.workflow.demo import SAMPLE_VOICE
from trained_run import CLIPS as CLIPS_TRAINED

NAMES = "BEGIN:VCARD\nVERSION:3.0\nN:Okafor;Ada;;;\nFN:Ada Okafor\nEND:VCARD\n"


class Desk:
    """The folder, and what was run in it. Words that were run once are not run again."""

    def __init__(self, folder: Path, trained: RunFolder) -> None:
        self.folder = folder
        shutil.copytree(trained.voice.path, folder / "voices" / "me")
        self.run = RunFolder(folder / "voices" / "me" / "runs" / trained.path.name)
        self.done: set[str] = set()
        self.open_ones = contextlib.ExitStack()
        self.server: Server | None = None
        self._lay_files()

    def _lay_files(self) -> None:
        recordings = self.folder / "my-recordings"
        recordings.mkdir()
        lines = (SAMPLE_VOICE / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        for row in map(json.loads, lines[CLIPS_TRAINED : CLIPS_TRAINED + 12]):
            clip = SAMPLE_VOICE / row["file_name"]
            shutil.copy(clip, recordings)
            (recordings / clip.name).with_suffix(".txt").write_text(row["text"])
        samples = load_audio(CLIPS[0])
        write_wav(self.folder / "letter.wav", samples)
        write_m4a(self.folder / "letter.m4a", CLIPS[0])
        (self.folder / "talks").mkdir()
        shutil.copy(CLIPS[1], self.folder / "talks")
        (self.folder / "speech.txt").write_text("We came early. The hall was cold, and nobody had lit the stove.\n")
        (self.folder / "contacts.vcf").write_text(NAMES)
        shutil.copytree(ROOT / "recipes", self.folder / "recipes")
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "arecord").write_text(f"#!/bin/sh\nexec cat '{self.folder / 'letter.wav'}'\n")
        (programs / "arecord").chmod(0o755)

    def meant(self, text: str) -> str:
        """``text`` with the folder's own names in place of those that stand for any."""
        run = self.run.path.relative_to(self.folder).as_posix()
        if published := read_published(self.run.voice.published).get("dataset"):
            text = text.replace("OWNER/NAME", published.repo)
        return text.replace(".venv/bin/", "").replace("voices/me/runs/RUN", run).replace("RUN", run)

    def arguments(self, command: str) -> list[str]:
        """The words after ``ownvoice``, as the shell would part them."""
        words = shlex.split(self.meant(command))
        assert words[0] == "ownvoice", command
        return words[1:]

    def do(self, command: str) -> None:
        """Run a command line; it has to end well."""
        before, _, last = command.rpartition("|")
        arguments = self._answered(self.arguments(last.strip()))
        if shlex.join(arguments) in self.done:
            return
        self.done.add(shlex.join(arguments))
        heard = self._output_of(before) if before else None
        if arguments[0] == "serve":
            self.serve()
            return
        result = CliRunner().invoke(cli, arguments, input=heard, catch_exceptions=False)
        assert result.exit_code == 0, f"{command}\n{result.output}"

    def _output_of(self, command: str) -> bytes:
        words = shlex.split(command)
        done = subprocess.run([self.folder / "bin" / words[0], *words[1:]], capture_output=True, check=True, timeout=30)
        return done.stdout

    def _answered(self, arguments: list[str]) -> list[str]:
        if arguments[0] == "train":
            small = ["--base-model", "tiny", "--epochs", "1"]
            return [*(word for word in arguments if word not in small), *small]
        if arguments[0] == "publish":
            return [*arguments, "--yes"]
        if arguments[0] == "export":
            return [*arguments, "--to", f"exports/{len(self.done)}"]
        return arguments

    def serve(self) -> Server:
        """The server of the trained run, started when it is first asked for."""
        if self.server is None:
            self.server = self.open_ones.enter_context(serving(self.run.path))
        return self.server

    def do_python(self, code: str) -> str:
        """Run a program; returns what it printed."""
        text = self.meant(code)
        if "127.0.0.1:8000" in text:
            text = text.replace("127.0.0.1:8000", urlsplit(self.serve().url).netloc)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(text, "snippet", "exec"), {"__name__": "__main__"})
        return printed.getvalue()


def write_m4a(path: Path, source: Path) -> None:
    """``source`` as AAC in an MP4, as phones record it."""
    with av.open(path, "w") as target, av.open(source) as original:
        stream = target.add_stream("aac", rate=SAMPLE_RATE)
        for frame in original.decode(audio=0):
            frame.pts = None
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
