"""Any audio file in, 16 kHz mono out; every file that is not what it says is refused in one sentence."""

from __future__ import annotations

import os
import resource
import signal
import struct
import subprocess
import sys
import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ownvoice.data.audio import MAX_SECONDS, SAMPLE_RATE, convert_to_wav, load_audio, read_duration, write_wav
from ownvoice.errors import AudioError, StorageError


def tone(seconds: float, rate: int = SAMPLE_RATE, hertz: float = 440.0, peak: float = 0.3) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_with_av(path: Path, codec: str, container: str, samples: np.ndarray, rate: int) -> Path:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def pitch(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)[spectrum.argmax()])


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_soundfile_formats_come_in_at_16_khz_with_their_pitch(tmp_path: Path, suffix: str, rate: int) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(1.0, rate), rate)
    samples = load_audio(path)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) / SAMPLE_RATE == pytest.approx(1.0, abs=0.08)
    assert pitch(samples) == pytest.approx(440, abs=3)
    assert np.abs(samples[2000:-2000]).max() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("codec", "container", "rate"),
    [("aac", "mp4", 44100), ("libopus", "webm", 48000), ("aac", "adts", 22050), ("libopus", "ogg", 48000)],
)
def test_phone_and_browser_formats_come_in_too(tmp_path: Path, codec: str, container: str, rate: int) -> None:
    path = write_with_av(tmp_path / "a.bin", codec, container, tone(2.0, rate), rate)
    samples = load_audio(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    assert pitch(samples) == pytest.approx(440, abs=3)


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(0.5), SAMPLE_RATE)
    (tmp_path / "a.flac").rename(tmp_path / "a.m4a")
    assert len(load_audio(tmp_path / "a.m4a")) == 8000


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(0.1, peak=0.4), tone(0.1, hertz=1000, peak=0.2)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), SAMPLE_RATE, subtype="FLOAT")
    np.testing.assert_allclose(load_audio(tmp_path / "a.wav"), (left + right) / 2, atol=1e-7)


def test_many_channels_are_averaged_and_stay_what_they_are_where_they_are_alike(tmp_path: Path) -> None:
    channels = np.random.default_rng(1).integers(-30000, 30000, (5000, 8)).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", channels, SAMPLE_RATE, subtype="PCM_16")
    expected = channels.mean(axis=1, dtype=np.float64) / 32768
    np.testing.assert_allclose(load_audio(tmp_path / "a.flac"), expected, atol=1e-6)
    soundfile.write(tmp_path / "b.flac", np.repeat(channels[:, :1], 8, axis=1), SAMPLE_RATE, subtype="PCM_16")
    np.testing.assert_array_equal(load_audio(tmp_path / "b.flac"), channels[:, 0] / np.float32(32768))


def test_eight_channels_at_192_khz_stay_small_in_memory(tmp_path: Path) -> None:
    seconds = 8
    soundfile.write(tmp_path / "a.wav", np.repeat(tone(seconds, 192_000)[:, None], 8, axis=1), 192_000)
    raw_bytes = 8 * 192_000 * 4 * seconds
    tracemalloc.start()
    samples = load_audio(tmp_path / "a.wav")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(samples) == seconds * SAMPLE_RATE
    assert peak < raw_bytes / 4


@pytest.mark.parametrize("content", [b"hello, I am a text\n" * 50, b"\0" * 5000, b"#EXTM3U\n#EXTINF:1,\na.wav\n"])
def test_what_is_no_audio_is_refused_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1.0), SAMPLE_RATE)  # what the playlist names must not be opened
    (tmp_path / "b.wav").write_bytes(content)
    with pytest.raises(AudioError, match="not an audio file") as caught:
        load_audio(tmp_path / "b.wav")
    assert caught.value.where == str(tmp_path / "b.wav") and caught.value.mend


def test_empty_missing_folder_and_pipe(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    soundfile.write(tmp_path / "header.wav", np.zeros(0, np.float32), SAMPLE_RATE)
    for name, message in {
        "empty.wav": "0 bytes",
        "folder.wav": "is a folder or a device",
        "pipe.wav": "is a folder or a device",
        "header.wav": "length is zero",
        "none.wav": "no such file",
    }.items():
        with pytest.raises(AudioError, match=message):
            load_audio(tmp_path / name)


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        file.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(AudioError, match="holds no sound"):
        load_audio(tmp_path / "a.mp4")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e6])
def test_samples_that_are_no_sound_are_refused(tmp_path: Path, bad: float) -> None:
    samples = tone(0.5)
    samples[7000] = bad
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    for reader in (load_audio, read_duration):
        with pytest.raises(AudioError, match=r"no numbers|no sound"):
            reader(tmp_path / "a.wav")


@pytest.mark.parametrize(("suffix", "share"), [("wav", 0.5), ("flac", 0.5), ("aiff", 0.5), ("wav", 0.9)])
def test_a_file_that_ends_before_it_says_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 32000), SAMPLE_RATE)
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    for reader in (load_audio, read_duration, lambda source: convert_to_wav(source, tmp_path / "out.wav")):
        with pytest.raises(AudioError, match="cut off") as caught:
            reader(path)
        assert caught.value.mend
    assert not (tmp_path / "out.wav").exists()


def test_a_phone_recording_cut_off_is_refused(tmp_path: Path) -> None:
    whole = write_with_av(tmp_path / "a.m4a", "aac", "mp4", tone(3.0, 44100), 44100).read_bytes()
    (tmp_path / "end.m4a").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match="only a part"):
        load_audio(tmp_path / "end.m4a")
    with av.open(str(tmp_path / "fast.m4a"), "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(3.0, 44100)[None], format="fltp", layout="mono")
        frame.sample_rate = 44100
        file.mux([*stream.encode(frame), *stream.encode(None)])
    whole = (tmp_path / "fast.m4a").read_bytes()  # its table of contents comes first and promises all of it
    (tmp_path / "fast.m4a").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(AudioError, match="cut off"):
        load_audio(tmp_path / "fast.m4a")


def lie_about_length(path: Path, claimed: int) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", claimed)
    path.write_bytes(content)


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFF000])
def test_wavs_from_a_pipe_have_no_length_and_are_read_to_their_end(tmp_path: Path, claimed: int) -> None:
    write_wav(tmp_path / "a.wav", tone(1.0))
    lie_about_length(tmp_path / "a.wav", claimed)
    assert read_duration(tmp_path / "a.wav") == 1.0


def test_a_header_that_promises_hours_is_refused_without_making_room_for_them(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(1.0))
    lie_about_length(tmp_path / "a.wav", 0x70000000)
    tracemalloc.start()
    with pytest.raises(AudioError, match=r"says it lasts 58720\.3 s and 1\.0 s are there"):
        load_audio(tmp_path / "a.wav")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


@pytest.mark.parametrize("rate", [1, 100, 1_000_000])
def test_a_sampling_rate_that_is_no_speech_is_refused(tmp_path: Path, rate: int) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(b"\1\0" * 5000)
    with pytest.raises(AudioError, match=f"{rate} samples a second"):
        load_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("rates", [(16000, 44100), (44100, 16000)])
def test_a_sampling_rate_that_changes_on_the_way_is_refused(tmp_path: Path, rates: tuple[int, int]) -> None:
    halves = [write_with_av(tmp_path / "half", "aac", "adts", tone(1.0, rate), rate).read_bytes() for rate in rates]
    (tmp_path / "a.aac").write_bytes(b"".join(halves))
    with pytest.raises(AudioError, match="changes its sampling rate"):
        load_audio(tmp_path / "a.aac")


def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 4000, 1) as file:  # silence: a small file, a long recording
        for _ in range(MAX_SECONDS // 600 + 1):
            file.write(np.zeros(4000 * 600, np.float32))
    with pytest.raises(AudioError, match="longer than 2 hours"):
        read_duration(tmp_path / "a.flac")


@pytest.mark.parametrize("suffix", ["flac", "m4a"])
def test_what_says_it_is_too_long_is_refused_before_it_is_decoded(tmp_path: Path, suffix: str) -> None:
    """Its beginning is damaged, which would be told if anything were decoded."""
    path = tmp_path / f"a.{suffix}"
    if suffix == "flac":
        soundfile.write(path, tone(4.0), SAMPLE_RATE)
    else:
        write_with_av(path, "aac", "mp4", tone(4.0, 44100), 44100)
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes(len(content) // 2 - 200) + content[len(content) // 2 :])
    with pytest.raises(AudioError, match="longer than 3 s"):
        load_audio(path, longest=3.0)
    with pytest.raises(AudioError, match=r"damaged|cut off|only a part"):
        load_audio(path, longest=5.0)


def test_a_16_khz_recording_is_copied_bit_for_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(-32768, 32768, 5000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", values, SAMPLE_RATE, subtype="PCM_16")
    assert convert_to_wav(tmp_path / "a.wav", tmp_path / "b.wav") == 5000 / SAMPLE_RATE
    copied, rate = soundfile.read(tmp_path / "b.wav", dtype="int16")
    assert rate == SAMPLE_RATE and soundfile.info(tmp_path / "b.wav").subtype == "PCM_16"
    np.testing.assert_array_equal(copied, values)


def test_written_samples_are_read_back_and_clipped_at_full_scale(tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "a.wav", np.array([0.0, 0.5, -1.0, 1.5, -1.5], np.float32))
    assert load_audio(tmp_path / "new" / "a.wav").tolist() == [0.0, 0.5, -1.0, 32767 / 32768, -1.0]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1))
    before = (tmp_path / "a.wav").read_bytes()
    with pytest.raises(FileExistsError):
        write_wav(tmp_path / "a.wav", tone(0.2))
    with pytest.raises(FileExistsError):
        convert_to_wav(tmp_path / "a.wav", tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.array([0, np.nan], np.float32)])
def test_nothing_and_nan_are_not_written(tmp_path: Path, samples: np.ndarray) -> None:
    with pytest.raises(AudioError):
        write_wav(tmp_path / "a.wav", samples)
    assert not list(tmp_path.iterdir())


def test_samples_of_another_shape_are_a_programmers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"):
        write_wav(tmp_path / "a.wav", np.zeros((2, 5), np.float32))


def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "wavs").write_text("not a folder")
    with pytest.raises(StorageError):
        write_wav(tmp_path / "wavs" / "a.wav", tone(0.1))


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, before[1]))  # python ignores the signal, so writing fails
    try:
        with pytest.raises(StorageError, match="grow past"):
            write_wav(tmp_path / "a.wav", tone(1.0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_killed_while_writing_every_file_there_is_whole(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import numpy as np; from ownvoice.data.audio import write_wav\n"
        "for n in range(10**6):\n"
        "    write_wav(Path(sys.argv[1], f'{n:06d}.wav'), np.full(16000, 0.1, np.float32)); print(n, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(15):
        done = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    done = max([done, *map(int, child.communicate()[0].split())])
    for number in range(done + 1):
        assert read_duration(tmp_path / f"{number:06d}.wav") == 1.0


def test_random_bytes_and_broken_files_end_in_an_audio_error_or_in_sound(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    originals = [write_with_av(tmp_path / "a.m4a", "aac", "mp4", tone(0.5, 44100), 44100).read_bytes()]
    originals.append(write_with_av(tmp_path / "a.webm", "libopus", "webm", tone(0.5, 48000), 48000).read_bytes())
    for suffix in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(tmp_path / f"a.{suffix}", tone(0.5), SAMPLE_RATE)
        originals.append((tmp_path / f"a.{suffix}").read_bytes())
    refused = 0
    for original in originals:
        for _ in range(12):
            content = bytearray(original)
            for position in rng.integers(0, min(len(content), 400), 6):
                content[position] = rng.integers(256)
            (tmp_path / "broken").write_bytes(content)
            try:
                assert np.isfinite(load_audio(tmp_path / "broken")).all()
            except AudioError:
                refused += 1
    assert refused
