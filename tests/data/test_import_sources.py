"""Every kind of source comes in whole: the right words with the right sound, nothing shifted, nothing lost unsaid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import load_audio
from ownvoice.data.importers import import_recordings
from ownvoice.data.manifest import append_utterances, read_manifest
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from ownvoice.errors import ConfigError, SourceError
from ownvoice.rundir import VoiceFolder
from sources import bring, pack, put, reasons, record, texts


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    return VoiceFolder(tmp_path / "voices" / "anna")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with three recordings and nothing else."""
    for number in (1, 2, 3):
        record(tmp_path / "in" / "clips" / f"{number}.wav", number)
    return tmp_path / "in"


def same_sound(voice: VoiceFolder, audio_path: str, original: Path) -> bool:
    return np.array_equal(load_audio(voice.path / audio_path), load_audio(original))


def test_folder_with_texts_beside(tmp_path: Path, voice: VoiceFolder) -> None:
    source = tmp_path / "in"
    for name, words in (("b", "second\n words "), ("a", "First, words."), ("deep/a", "Ünder a name used twice")):
        record(source / f"{name}.wav", len(words))
        put(source / f"{name}.txt", words)
    result = bring(source, voice, language="de")
    assert texts(result) == ["First, words.", "second words", "Ünder a name used twice"]
    assert [utterance.audio_path for utterance in result.added] == ["wavs/0001.wav", "wavs/0002.wav", "wavs/0003.wav"]
    assert [utterance.source for utterance in result.added] == ["in/a.wav", "in/b.wav", "in/deep/a.wav"]
    assert same_sound(voice, "wavs/0003.wav", source / "deep" / "a.wav")
    assert result.added[0].duration == 0.3
    assert (result.left_out, result.warnings) == ([], [])
    assert read_voice_settings(voice).language == "de"


def test_one_without_the_other_is_named_and_shifts_nothing(tmp_path: Path, voice: VoiceFolder) -> None:
    source = tmp_path / "in"
    for number in (1, 2, 4):
        record(source / f"{number}.wav", number)
    for number in (1, 3, 4):
        put(source / f"{number}.txt", f"words {number}")
    put(source / "5.txt", " \n")
    record(source / "5.wav", 5)
    result = bring(source, voice)
    assert texts(result) == ["words 1", "words 4"]
    assert same_sound(voice, result.added[1].audio_path, source / "4.wav")
    assert reasons(result) == {
        "2.wav": "has no transcript: there is no 2.txt beside it",
        "3.txt": "has no recording: there is no audio file of its name beside it",
        "5.txt": "has no text",
    }


def test_any_format_and_rate(tmp_path: Path, voice: VoiceFolder) -> None:
    for number, (name, rate) in enumerate((("a.FLAC", 44100), ("b.ogg", 48000), ("c.mp3", 22050), ("d.wav", 8000))):
        record(tmp_path / "in" / name, number, rate=rate)
        put(tmp_path / "in" / f"{name[0]}.TXT", f"words {name}")
    result = bring(tmp_path / "in", voice)
    assert texts(result) == ["words a.FLAC", "words b.ogg", "words c.mp3", "words d.wav"]


def test_two_recordings_of_one_text_both_come_in_and_it_is_said(tmp_path: Path, voice: VoiceFolder) -> None:
    record(tmp_path / "in" / "a.wav", 1)
    record(tmp_path / "in" / "a.flac", 2)
    put(tmp_path / "in" / "a.txt", "words")
    result = bring(tmp_path / "in", voice, language="en")
    assert texts(result) == ["words", "words"]
    assert result.warnings == ["2 recordings share the transcript a.txt"]


@pytest.mark.parametrize(
    ("audio", "text"), [("audio_path", "text"), ("audio", "transcript"), ("audio_filepath", "sentence")]
)
def test_json_lines(clips: Path, voice: VoiceFolder, audio: str, text: str) -> None:
    lines = [{audio: f"clips/{number}.wav", text: f"line {number}", "more": None} for number in (3, 1)]
    lines.append({audio: str((clips / "clips" / "2.wav").absolute()), text: "absolute\u2028 path"})
    table = put(clips / "mine.jsonl", "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    result = bring(table, voice)
    assert texts(result) == ["line 3", "line 1", "absolute path"]
    assert same_sound(voice, "wavs/0001.wav", clips / "clips" / "3.wav")
    assert result.read_as == [f"mine.jsonl as JSON lines: audio from '{audio}', text from '{text}'"]


def test_language_of_a_line_is_kept_where_it_is_not_the_voices(clips: Path, voice: VoiceFolder) -> None:
    lines = [
        {"audio": f"clips/{number}.wav", "text": "hola", "language": language}
        for number, language in ((1, "en"), (2, "es"), (3, "Spanish"))
    ]
    result = bring(put(clips / "t.jsonl", "\n".join(map(json.dumps, lines))), voice)
    assert [utterance.language for utterance in result.added] == [None, "es", None]
    assert read_voice_settings(voice).language == "en"
    assert len(result.warnings) == 1 and "'Spanish' is not a two-letter language code" in result.warnings[0]


def test_language_asked_for_wins_and_differs_from_an_older_voices(clips: Path, voice: VoiceFolder) -> None:
    write_voice_settings(voice, VoiceSettings(language="fr"))
    table = put(clips / "t.csv", "audio,text,locale\nclips/1.wav,hallo,en\n")
    assert bring(table, voice, language="de").added[0].language == "de"
    assert read_voice_settings(voice).language == "fr"


def test_a_new_voice_without_a_language_says_so(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "audio,text\nclips/1.wav,hello\nclips/2.wav,there\n")
    assert bring(table, voice).warnings == ["no language was given, so voice.yaml says 'en'; change it there"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_with_quotes_and_line_ends_of_any_kind(clips: Path, voice: VoiceFolder, separator: str, mark: str) -> None:
    rows = [
        ["path", "note", "Text"],
        ["clips/1.wav", "x", '"So, he; said ""now"""'],
        ["clips/2.wav", "", '"two\nlines"'],
        ["clips/3.wav", "x", "¿y tú?"],
    ]
    table = put(clips / "t.csv", mark + "\r\n".join(separator.join(row) for row in rows) + "\r\n\r\n")
    result = bring(table, voice)
    assert texts(result) == ['So, he; said "now"', "two lines", "¿y tú?"]
    assert same_sound(voice, "wavs/0003.wav", clips / "clips" / "3.wav")


def test_tsv_with_any_two_columns_by_name(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.tsv", "Lautschrift\tDatei\ttext\nhallo du\tclips/1.wav\tno\n")
    result = bring(table, voice, text_column="Lautschrift", audio_column="datei")
    assert texts(result) == ["hallo du"]


@pytest.mark.parametrize(
    "names", ["Datei;Gesprochen", "File name;Words", "Archivo;Transcripcio\u0301n", "Nom du fichier;Texte"]
)
def test_a_spreadsheets_own_headings(clips: Path, voice: VoiceFolder, names: str) -> None:
    table = put(clips / "t.csv", f"Nr;{names};Text 2\n1;clips/1.wav;hello;no\n")
    assert texts(bring(table, voice, language="en")) == ["hello"]


def test_several_columns_that_could_be_meant_are_told(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "sentence,text,path\nno,yes,clips/1.wav\n")
    result = bring(table, voice, language="en")
    assert texts(result) == ["yes"]
    assert result.warnings == ["t.csv: used column 'text'; 'sentence' could be meant too (--text-column chooses)"]


@pytest.mark.parametrize("by", ["folder", "table", "texts"])
def test_a_recorder_writes_large_letters_and_a_person_small_ones(tmp_path: Path, voice: VoiceFolder, by: str) -> None:
    record(tmp_path / "in" / "REC1.wav", 1).rename(tmp_path / "in" / "REC1.WAV")
    if by == "texts":
        put(tmp_path / "in" / "rec1.TXT", "hello")
    table = (
        tmp_path / "in" / "t.csv" if by == "texts" else put(tmp_path / "in" / "t.csv", "file,text\nrec1.wav,hello\n")
    )
    result = bring(table if by == "table" else tmp_path / "in", voice)
    assert (texts(result), result.left_out) == (["hello"], [])


def test_names_that_differ_in_large_letters_alone_stay_apart(tmp_path: Path, voice: VoiceFolder) -> None:
    for number, name in enumerate(("a.wav", "A.wav")):
        record(tmp_path / "in" / name, number)
        put(tmp_path / "in" / name.replace("wav", "txt"), name)
    assert sorted(texts(bring(tmp_path / "in", voice))) == ["A.wav", "a.wav"]


@pytest.mark.parametrize(
    ("name", "mend"), [("List.xlsx", "CSV UTF-8"), ("a.docx", "plain text"), ("a.TextGrid", "plain text")]
)
def test_words_in_a_form_that_is_not_read_are_told(tmp_path: Path, voice: VoiceFolder, name: str, mend: str) -> None:
    record(tmp_path / "in" / "a.wav", 1)
    put(tmp_path / "in" / name, "x")
    put(tmp_path / "in" / "~$List.xlsx", "x")
    with pytest.raises(SourceError, match=f"{name}: is not read: .*{mend}") as refused:
        bring(tmp_path / "in", voice)
    assert "~$" not in str(refused.value)
    put(tmp_path / "in" / "a.txt", "hello")
    assert bring(tmp_path / "in", voice).left_out == [], (
        "where all words are there, a letter beside them is nobody's business"
    )


def test_windows_paths(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "path,text\nclips\\1.wav,one\n.\\clips\\2.wav,two\nC:\\rec\\3.wav,three\n")
    result = bring(table, voice)
    assert texts(result) == ["one", "two"]
    assert reasons(result) == {
        "C:\\rec\\3.wav": "there is no such file",
        "clips/3.wav": "has no transcript: no line of t.csv names it",
    }


def test_accents_of_a_name_written_by_another_system(tmp_path: Path, voice: VoiceFolder) -> None:
    record(tmp_path / "in" / "cafe\u0301.wav", 1)
    put(tmp_path / "in" / "metadata.csv", "file_name,text\ncaf\u00e9.wav,decomposed on disk\n")
    assert texts(bring(tmp_path / "in", voice)) == ["decomposed on disk"]


def common_voice(folder: Path) -> Path:
    for number in (1, 2):
        record(folder / "clips" / f"common_voice_en_{number}.mp3", number)
    header = "client_id\tpath\tsentence\tup_votes\tlocale\n"
    rows = ['x\tcommon_voice_en_1.mp3\t"Open quote, he said.\t2\tes\n', "x\tcommon_voice_en_2\tEn fin.\t2\tes\n"]
    put(folder / "validated.tsv", header + "".join(rows))
    put(folder / "other.tsv", header)
    return folder


@pytest.mark.parametrize("named", ["", "validated.tsv"])
def test_common_voice(tmp_path: Path, voice: VoiceFolder, named: str) -> None:
    result = bring(common_voice(tmp_path / "cv") / named, voice)
    assert texts(result) == ['"Open quote, he said.', "En fin."]
    assert result.read_as == ["validated.tsv as Common Voice: audio from 'path', text from 'sentence'"]
    assert read_voice_settings(voice).language == "es"
    assert result.left_out == []


def ljspeech(folder: Path) -> Path:
    for number in (1, 2):
        record(folder / "wavs" / f"LJ001-000{number}.wav", number)
    rows = ['LJ001-0001|In 1800, a "half|In eighteen hundred, a "half', "LJ001-0002|Dr. Who|Doctor Who"]
    put(folder / "metadata.csv", "\n".join(rows))
    return folder


@pytest.mark.parametrize("named", ["", "metadata.csv"])
def test_ljspeech(tmp_path: Path, voice: VoiceFolder, named: str) -> None:
    result = bring(ljspeech(tmp_path / "lj") / named, voice)
    assert texts(result) == ['In 1800, a "half', "Dr. Who"]
    assert result.read_as == ["metadata.csv as LJSpeech: audio from 'audio', text from 'text'"]


def test_ljspeech_spoken_forms(tmp_path: Path, voice: VoiceFolder) -> None:
    result = bring(ljspeech(tmp_path / "lj"), voice, text_column="normalized_text")
    assert texts(result)[1] == "Doctor Who"


def test_pipes_below_a_line_of_names(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "file_name|text\nclips/1.wav|Well, hello\n")
    assert texts(bring(table, voice)) == ["Well, hello"]


def test_audiofolder_with_a_table_in_each_split(tmp_path: Path, voice: VoiceFolder) -> None:
    for split, number in (("train", 1), ("test", 2)):
        record(tmp_path / "af" / split / "a.wav", number)
        record(tmp_path / "af" / split / "unlisted.wav", number)
    put(tmp_path / "af" / "train" / "metadata.csv", "file_name,transcription\na.wav,from train\n")
    put(tmp_path / "af" / "test" / "metadata.jsonl", '{"file_name": "a.wav", "transcription": "from test"}\n')
    result = bring(tmp_path / "af", voice)
    assert texts(result) == ["from test", "from train"]
    assert same_sound(voice, "wavs/0002.wav", tmp_path / "af" / "train" / "a.wav")
    said = "has no transcript: no line of test/metadata.jsonl or train/metadata.csv names it"
    assert reasons(result) == {"test/unlisted.wav": said, "train/unlisted.wav": said}


def test_the_only_table_of_a_folder(clips: Path, voice: VoiceFolder) -> None:
    put(clips / "takes.tsv", "audio\ttext\nclips/2.wav\thello\n")
    result = bring(clips, voice)
    assert texts(result) == ["hello"]
    assert set(reasons(result)) == {"clips/1.wav", "clips/3.wav"}


def test_a_table_beside_pairs_is_not_silently_ignored(tmp_path: Path, voice: VoiceFolder) -> None:
    record(tmp_path / "in" / "a.wav")
    put(tmp_path / "in" / "a.txt", "words")
    put(tmp_path / "in" / "notes.csv", "day,mood\n1,good\n")
    result = bring(tmp_path / "in", voice, language="en")
    assert result.warnings == ["notes.csv was not read; name it itself to import from it"]


def full_voice(folder: Path) -> VoiceFolder:
    voice = VoiceFolder(folder)
    write_voice_settings(voice, VoiceSettings(language="hi"))
    for number in (1, 2):
        record(voice.wavs / f"000{number}.wav", number)
    known = {"phrase_id": "p1", "take": 2, "created": "2026-01-01T10:00:00Z", "source": "recorder"}
    append_utterances(
        voice,
        [
            Utterance("wavs/0001.wav", "with much known", id="first", extra={"mood": "tired"}, **known),  # type: ignore[arg-type]
            Utterance("wavs/0002.wav", "misheard"),
            Utterance("wavs/0002.wav", "corrected"),
        ],
    )
    return voice


@pytest.mark.parametrize("packed", [False, True])
def test_another_voice_folder_with_all_it_knows(tmp_path: Path, voice: VoiceFolder, packed: bool) -> None:
    other = full_voice(tmp_path / "other")
    before = {path: path.read_bytes() for path in other.path.rglob("*") if path.is_file()}
    result = bring(pack(other.path, tmp_path / "other.zip", below="other/") if packed else other.path, voice)
    assert texts(result) == ["with much known", "corrected"]
    first = result.added[0]
    assert (first.id, first.phrase_id, first.take, first.source) == ("first", "p1", 2, "recorder")
    assert first.extra == {"mood": "tired"}
    assert read_voice_settings(voice).language == "hi"
    assert before == {path: path.read_bytes() for path in other.path.rglob("*") if path.is_file()}


def test_lines_of_a_voice_folder_that_cannot_be_used_are_named(tmp_path: Path, voice: VoiceFolder) -> None:
    other = full_voice(tmp_path / "other")
    record(other.wavs / "orphan.wav", 3)
    with other.manifest.open("a") as file:
        file.write('{"audio_path": "../x.wav", "text": "x"}\n{"audio_path": "wavs/9.wav", "text": "x"}\n{"audio_pa')
    result = bring(other.path, voice)
    assert texts(result) == ["with much known", "corrected"]
    assert [str(clip) for clip in result.left_out] == [
        "wavs/9.wav (line 5): there is no such file",
        "data.jsonl (line 4): \"audio_path\" '../x.wav' leads out of its folder by ..",
        "data.jsonl (line 6): the last line was cut off while being written",
        "wavs/orphan.wav: has no transcript: no line of data.jsonl names it",
    ]


def test_how_a_voice_is_written_down_comes_with_it_and_what_does_not_is_told(
    tmp_path: Path, voice: VoiceFolder
) -> None:
    other = full_voice(tmp_path / "other")
    write_voice_settings(other, VoiceSettings(language=None, transcript_style="verbatim", consent="I agree."))
    put(other.own_phrases, "")
    result = bring(pack(other.path, tmp_path / "other.zip", below="other/"), voice)
    assert read_voice_settings(voice) == VoiceSettings(language=None, transcript_style="verbatim")
    consent, phrases = result.warnings
    assert "ask again before sharing" in consent
    assert "own_phrases.jsonl not brought over" in phrases and "copy its folder" in phrases
    write_voice_settings(voice, VoiceSettings(transcript_style="intended"))
    assert "'verbatim' and this voice as 'intended'" in bring(other.path, voice).warnings[-1]


@pytest.mark.parametrize("packed", [False, True])
def test_copies_and_what_is_not_saved_yet_are_no_recordings_without_words(
    tmp_path: Path, voice: VoiceFolder, packed: bool
) -> None:
    other = full_voice(tmp_path / "other")
    for number, folder in enumerate((other.exports / "1" / "wavs", other.takes / "2", other.uploads / "3")):
        record(folder / "a.wav", 10 + number)
    put(other.exports / "1" / "data.jsonl", "")
    result = bring(pack(other.path, tmp_path / "other.zip", below="other/") if packed else other.path, voice)
    assert len(result.added) == 2 and result.left_out == []
    assert "takes and uploads not brought over" in result.warnings[-1]


def test_settings_of_a_voice_that_cannot_be_read_are_named_where_they_are(tmp_path: Path, voice: VoiceFolder) -> None:
    other = full_voice(tmp_path / "other")
    put(other.settings, "language: [")
    with pytest.raises(ConfigError, match=r"^voice\.yaml: "):
        bring(other.path, voice)


def test_an_id_the_voice_already_has_is_not_given_twice(tmp_path: Path, voice: VoiceFolder) -> None:
    record(voice.wavs / "0001.wav", 9)
    append_utterances(voice, [Utterance("wavs/0001.wav", "older", id="first")])
    result = bring(full_voice(tmp_path / "other").path, voice)
    assert [utterance.id for utterance in result.added] == [None, None]
    assert len(read_manifest(voice).utterances) == 3


@pytest.mark.parametrize("below", ["", "corpus/", "a/b/"])
@pytest.mark.parametrize("make", [common_voice, ljspeech])
def test_zip_of_a_data_set(tmp_path: Path, voice: VoiceFolder, make: object, below: str) -> None:
    folder = make(tmp_path / "in")  # type: ignore[operator]
    put(folder / "__MACOSX" / "clips" / "._1.wav", b"\0\5\x16\7")
    put(folder / "._metadata.csv", b"\0\5\x16\7")
    result = bring(pack(folder, tmp_path / "in.zip", below=below), voice)
    assert len(result.added) == 2 and result.left_out == []


def test_zip_of_pairs_with_one_name_in_two_folders(tmp_path: Path, voice: VoiceFolder) -> None:
    for folder in ("x", "y"):
        record(tmp_path / "in" / folder / "a.wav", ord(folder))
        put(tmp_path / "in" / folder / "a.txt", f"from {folder}")
    result = bring(pack(tmp_path / "in", tmp_path / "in.zip"), voice)
    assert texts(result) == ["from x", "from y"]
    assert same_sound(voice, "wavs/0002.wav", tmp_path / "in" / "y" / "a.wav")


def test_importing_twice_adds_nothing_and_says_so(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "path,text\nclips/1.wav,one\nclips/2.wav,two\n")
    bring(table, voice)
    put(table, "path,text\nclips/1.wav,one\nclips/2.wav,other words\nclips/3.wav,one\nclips/3.wav,one\n")
    result = bring(table, voice)
    assert texts(result) == ["other words", "one"]
    assert [(clip.line, clip.reason) for clip in result.left_out] == [
        (2, "already in this voice: wavs/0001.wav"),
        (5, "already in this voice: wavs/0004.wav"),
    ]
    assert bring(table, voice).added == []


def test_a_recording_the_voice_lost_is_imported_again(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "path,text\nclips/1.wav,one\n")
    bring(table, voice)
    (voice.wavs / "0001.wav").write_bytes(b"")
    again = import_recordings(str(table), voice)
    assert [utterance.audio_path for utterance in again.added] == ["wavs/0002.wav"]


def test_the_voice_may_lie_in_the_folder_it_imports(tmp_path: Path) -> None:
    record(tmp_path / "a.wav")
    put(tmp_path / "a.txt", "words")
    voice = VoiceFolder(tmp_path / "voice")
    assert len(bring(tmp_path, voice).added) == 1
    again = bring(tmp_path, voice)
    assert reasons(again) == {"a.wav": "already in this voice: wavs/0001.wav"}


def test_progress_counts_every_clip(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "path,text\nclips/1.wav,one\nclips/9.wav,two\nclips/2.wav,three\nclips/3.wav,four\n")
    told: list[tuple[int, int | None]] = []
    import_recordings(str(table), voice, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_originals_are_copied_not_referenced(clips: Path, voice: VoiceFolder) -> None:
    table = put(clips / "t.csv", "path,text\nclips/1.wav,one\n")
    added = bring(table, voice).added[0]
    sound = load_audio(clips / "clips" / "1.wav")
    (clips / "clips" / "1.wav").unlink()
    assert np.array_equal(load_audio(voice.path / added.audio_path), sound)
    assert not (voice.path / added.audio_path).is_symlink()


def test_an_unknown_language_is_refused_before_anything_is_made(clips: Path, voice: VoiceFolder) -> None:
    with pytest.raises(ConfigError, match="language: 'english' is not a two-letter language code"):
        bring(put(clips / "t.csv", "path,text\nclips/1.wav,one\n"), voice, language="english")
    assert not voice.path.exists()


def test_the_voice_itself_is_no_source(tmp_path: Path) -> None:
    other = full_voice(tmp_path / "other")
    with pytest.raises(SourceError, match="is the voice itself"):
        import_recordings(str(other.path), other)


def test_eight_channels_at_a_high_rate(tmp_path: Path, voice: VoiceFolder) -> None:
    put(tmp_path / "in" / "a.txt", "words")
    soundfile.write(tmp_path / "in" / "a.wav", np.full((19200, 8), 0.1, np.float32), 192000)
    assert bring(tmp_path / "in", voice).added[0].duration == 0.1
