"""Zips: those of any make come in, and none writes, reads or fills more than it may."""

from __future__ import annotations

import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ownvoice.rundir import VoiceFolder
from sources import bring, pack, put, reasons, record, refused, texts


def make_zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def with_good_pair(folder: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    pair = (("good.wav", (folder / "good.wav").read_bytes()), ("good.txt", b"hello"))
    return make_zip(folder.parent / "in.zip", *pair, *members)


def restate_size(archive: Path, name: str, size: int) -> Path:
    """Let the archive's directory claim that ``name`` is ``size`` bytes unpacked."""
    data = bytearray(archive.read_bytes())
    entry = data.index(b"PK\x01\x02")
    while data[entry + 46 : entry + 46 + len(name)] != name.encode():
        entry = data.index(b"PK\x01\x02", entry + 4)
    data[entry + 24 : entry + 28] = struct.pack("<I", size)
    return put(archive, bytes(data))


@pytest.mark.parametrize(
    "name", ["../x.wav", "/x.wav", "a/../../x.wav", "..\\x.wav", "\\x.wav", "C:\\x.wav", "C:x.wav", "a/..", "//h/x.wav"]
)
def test_zip_slip(folder: Path, voice: VoiceFolder, name: str) -> None:
    before = sorted(folder.parent.rglob("*"))
    archive = with_good_pair(folder, (name, b"x"))
    refused(archive, voice, "name leads out of the archive")
    assert sorted(folder.parent.rglob("*")) == sorted([*before, archive])


def test_zip_made_on_windows(folder: Path, voice: VoiceFolder) -> None:
    data = (folder / "good.wav").read_bytes()
    archive = make_zip(
        folder / "in.zip", ("clips\\a.wav", data), ("clips\\metadata.csv", b"file_name,text\na.wav,hi\n")
    )
    assert texts(bring(archive, voice)) == ["hi"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK])
def test_zip_with_a_link_or_device(folder: Path, voice: VoiceFolder, kind: int) -> None:
    link = zipfile.ZipInfo("link.wav")
    link.create_system = 3
    link.external_attr = (kind | 0o644) << 16
    refused(with_good_pair(folder, (link, b"/etc/hostname")), voice, "'link.wav' is a link or no ordinary file")


def test_a_table_in_a_zip_reaches_nothing_outside_it(folder: Path, voice: VoiceFolder) -> None:
    private = record(folder.parent / "private.wav", 5)
    rows = "\n".join(["file_name,text", "../private.wav,x", f"{private},x", "..\\private.wav,x", "good.wav,fine"])
    put(folder / "metadata.csv", rows)
    result = bring(pack(folder, folder.parent / "in.zip"), voice)
    assert texts(result) == ["fine"]
    assert {clip.reason for clip in result.left_out} == {"leads out of the folder; only files in it are imported"}


def test_zip_with_a_file_beyond_the_limit(folder: Path, voice: VoiceFolder) -> None:
    archive = with_good_pair(folder, ("huge.wav", b"x"))
    refused(restate_size(archive, "huge.wav", 1 << 30), voice, "'huge.wav' is 1024 MB unpacked")


def test_zip_with_too_much_in_all(folder: Path, voice: VoiceFolder) -> None:
    names = [f"{number:03}.wav" for number in range(200)]
    archive = with_good_pair(folder, *((name, b"x") for name in names))
    for name in names:
        restate_size(archive, name, 200 << 20)
    refused(archive, voice, "is 39 GB unpacked; at most 32 GB")


@pytest.mark.slow
def test_zip_with_too_many_files(folder: Path, voice: VoiceFolder) -> None:
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(50_001):
            archive.writestr(zipfile.ZipInfo(f"{number}.wav"), b"")
    refused(folder / "many.zip", voice, "holds 50001 files; at most 50000")


def test_zip_bomb_that_lies_about_its_size(folder: Path, voice: VoiceFolder) -> None:
    """150 MB behind a stated 1000 bytes: reading stops at the stated size, so little memory is ever taken."""
    archive = restate_size(with_good_pair(folder, ("bomb.wav", bytes(150 << 20)), ("bomb.txt", b"x")), "bomb.wav", 1000)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from ownvoice.data.importers import import_recordings; from ownvoice.rundir import VoiceFolder\n"
        "import soundfile, soxr, numpy\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "result = import_recordings(sys.argv[1], VoiceFolder(Path(sys.argv[2])))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        "print(len(result.added), *result.left_out)\n"
    )
    command = [sys.executable, "-c", code, str(archive), str(voice.path)]
    grown, outcome = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert int(grown) < 100_000  # kilobytes
    assert outcome.startswith("1 bomb.wav: is damaged in the archive")


def test_zip_with_one_damaged_member(folder: Path, voice: VoiceFolder) -> None:
    record(folder / "later.wav", 2)
    for name in ("good", "later"):
        put(folder / f"{name}.txt", name)
    archive = pack(folder, folder.parent / "in.zip")
    with zipfile.ZipFile(archive) as file:
        start = file.getinfo("good.wav").header_offset + 200
    data = bytearray(archive.read_bytes())
    data[start : start + 100] = bytes(100)
    result = bring(put(archive, bytes(data)), voice)
    assert texts(result) == ["later"]
    assert "is damaged in the archive" in reasons(result)["good.wav"]


def lock(archive: Path) -> Path:
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return put(archive, bytes(data))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: put(path, path.read_bytes()[:-30]), "cannot be read as a zip"),
        (lambda path: put(path, b"no zip at all"), "cannot be read as a zip"),
        (lambda path: put(path, b""), "cannot be read as a zip"),
        (lock, "locked with a password"),
    ],
)
def test_zip_that_cannot_be_read(folder: Path, voice: VoiceFolder, spoil: Callable[[Path], Path], said: str) -> None:
    refused(spoil(with_good_pair(folder)), voice, said)


def test_zip_packed_in_an_uncommon_way(folder: Path, voice: VoiceFolder) -> None:
    with zipfile.ZipFile(folder / "in.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(folder / "good.wav", "good.wav")
    refused(folder / "in.zip", voice, "packed in an uncommon way")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_with_one_name_twice(folder: Path, voice: VoiceFolder) -> None:
    refused(with_good_pair(folder, ("good.wav", b"another")), voice, "holds two files called good.wav")


def test_zip_with_nothing_in_it(folder: Path, voice: VoiceFolder) -> None:
    refused(make_zip(folder / "in.zip"), voice, "holds no audio file and no table")
    refused(make_zip(folder / "in.zip", ("again.zip", b"PK")), voice, "holds no audio file and no table")
