"""The event file as a reader meets it: from where it stopped, while lines are half written, after a run went back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ownvoice import events
from ownvoice.errors import ManifestError
from ownvoice.events import Cursor, EventLog, read_events, read_tail


def step(number: int) -> events.Step:
    return events.Step(number, number / 10, 1.5, 1e-3, 0.5, 0.1, 20.0, 10**9, 60.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_tail_gives_each_event_once(path: Path) -> None:
    assert read_tail(path).records == () and read_tail(path).cursor == Cursor()
    log, cursor, seen = EventLog(path), Cursor(), []
    for number in range(1, 7):
        log.emit(step(number))
        if number % 2:
            tail = read_tail(path, Cursor.parse(str(cursor)))
            assert not tail.rewritten
            seen += [record.event for record in tail.records]
            cursor = tail.cursor
    assert seen == [step(number) for number in range(1, 6)]
    assert read_tail(path, cursor).records[0].event == step(6)
    assert read_tail(path, read_tail(path).cursor).records == ()


def test_record_is_the_line_as_json(path: Path) -> None:
    EventLog(path).emit(events.Failed(3, "no", "disk_full"))
    (record,) = read_tail(path).records
    written, told = json.loads(path.read_text()), record.to_json()
    assert written.pop("time")[:19] == str(told.pop("time"))[:19]
    assert told == written
    assert told["kind"] == "disk_full"


def test_half_a_line_waits_for_its_end(path: Path) -> None:
    EventLog(path).emit(step(1))
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:20])
    tail = read_tail(path)
    assert len(tail.records) == 1
    with path.open("ab") as file:
        file.write(whole[20:])
    assert [record.event for record in read_tail(path, tail.cursor).records] == [step(1)]


def test_run_that_went_back_is_read_anew(path: Path) -> None:
    log = EventLog(path)
    for number in range(1, 6):
        log.emit(step(number))
    before = read_tail(path)
    log.rewind(9)
    assert not read_tail(path, before.cursor).rewritten  # there was nothing to forget
    log.rewind(3)
    log.emit(step(4))
    tail = read_tail(path, before.cursor)
    assert tail.rewritten and [record.event for record in tail.records] == [step(number) for number in range(1, 5)]
    path.unlink()
    assert read_tail(path, tail.cursor).rewritten


def test_line_torn_by_a_kill_is_cut_off_before_the_next(path: Path) -> None:
    EventLog(path).emit(step(1))
    path.write_bytes(path.read_bytes() * 2 + b'{"event": "st')
    EventLog(path).emit(events.Queued())
    assert read_events(path) == [step(1), step(1), events.Queued()]
    path.write_text('{"event": "unheard-of"}\n' + path.read_text())
    with pytest.raises(ManifestError, match="line 1 is not an event"):
        read_events(path)


@pytest.mark.parametrize("text", ["", "-", "7", "7-", "-7", "a-b", "1-2-3", "²-²", "-1--1"])
def test_cursor_of_anything_else_is_the_start(text: str) -> None:
    assert Cursor.parse(text) == Cursor()


def test_cursor_goes_through_text() -> None:
    assert Cursor.parse(str(Cursor(12, 345))) == Cursor(12, 345)
