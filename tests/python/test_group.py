# SPDX-License-Identifier: Apache-2.0
"""What ranks agree on, also in a store that has seen other runs; where they are; what is worth a
line; and what the launcher says at its end."""

from __future__ import annotations

import datetime
import json
import os
import random
import time
import uuid
from pathlib import Path
from typing import Any, Dict, List

import pytest

dist = pytest.importorskip("torch").distributed

from deepxtrace import _group, _notes, _place  # noqa: E402
from deepxtrace._changes import REPEAT_SECONDS, Changes  # noqa: E402
from threads import Group  # noqa: E402


class OldStore:
    """A store of three calls."""

    def __init__(self) -> None:
        self.values: Dict[str, bytes] = {}

    def set(self, key: str, value: Any) -> None:
        self.values[key] = value.encode() if isinstance(value, str) else value

    def get(self, key: str) -> bytes:
        return self.values[key]

    def add(self, key: str, amount: int) -> int:
        number = int(self.values.get(key, b"0")) + amount
        self.values[key] = b"%d" % number
        return number


def agree(store: Any, rank: int, ranks: int = 4, number: int = 0) -> str:
    """In a process of its own."""
    _group._constructed.clear()
    for _ in range(number):
        _group._constructed[tuple(range(ranks))] = number - 1
    try:
        return str(_group.agree(store, Group(rank, ranks), rank)[0])
    finally:
        _group._constructed.clear()


@pytest.mark.parametrize("make", [dist.HashStore, OldStore])
def test_runs_on_one_store_have_ids_of_their_own(make: Any) -> None:
    store, chooser, ids = make(), random.Random(1), []
    for _ in range(5):
        order = list(range(4))
        chooser.shuffle(order)
        found = {agree(store, rank) for rank in order}
        assert len(found) == 1
        ids += found
    assert len(set(ids)) == 5
    # Another group, and a second diagnosis of the same one, are others.
    assert agree(store, 0, 2) not in ids and agree(store, 0, number=1) not in ids


def test_a_rank_that_missed_a_run_joins_the_next(monkeypatch: Any) -> None:
    store = dist.HashStore()
    now = time.time()
    monkeypatch.setattr(_group.time, "time", lambda: now - 3600)
    monkeypatch.setattr(_group, "_process_start", lambda: now - 3700)
    first = {agree(store, rank) for rank in (0, 1, 2)}  # rank 3 died before
    assert len(first) == 1
    monkeypatch.setattr(_group.time, "time", lambda: now)
    monkeypatch.setattr(_group, "_process_start", lambda: now - 60)
    second = {agree(store, rank) for rank in (3, 1, 0, 2)}
    assert len(second) == 1 and not first & second


@pytest.mark.parametrize("word", [b"", b"no-id 1", b"%s nan" % str(uuid.uuid4()).encode(), b"\xff",
                                  b"%s 1e300" % str(uuid.uuid4()).encode()])
def test_what_is_no_id_is_an_error(word: bytes) -> None:
    class Liar(OldStore):
        def get(self, key: str) -> bytes:
            return word

    store = Liar()
    agree(store, 0)
    with pytest.raises(RuntimeError, match="is not an id"):
        agree(store, 1)


def test_a_store_that_counts_wrongly_is_given_up(monkeypatch: Any) -> None:
    class Liar(OldStore):
        def add(self, key: str, amount: int) -> int:
            return 7

    monkeypatch.setattr(_group, "_ID_SECONDS", 0.05)
    with pytest.raises(RuntimeError, match="has not agreed on an id"):
        agree(Liar(), 0)


def test_a_store_that_counts_wrongly_is_not_filled(monkeypatch: Any) -> None:
    class Liar(OldStore):
        def add(self, key: str, amount: int) -> int:
            super().add(key, amount)
            return 7

    store = Liar()
    monkeypatch.setattr(_group, "_ID_SECONDS", 1)
    with pytest.raises(RuntimeError, match="has not agreed on an id"):
        agree(store, 0)
    assert len(store.values) < 50  # without pauses, some hundred thousand
    monkeypatch.setattr(_group, "_ID_SECONDS", 60)
    monkeypatch.setattr(_group, "_PAUSES", (0, 0))
    with pytest.raises(RuntimeError, match="has not agreed on an id"):
        agree(store, 0)
    assert len(store.values) < 1000


def test_a_store_without_the_id_is_given_up(monkeypatch: Any) -> None:
    class Liar:
        """A store that says that something was set, and waits for it for 300 s."""

        def __init__(self) -> None:
            self.store = dist.HashStore()
            self.wait, self.get = self.store.wait, self.store.get

        def add(self, key: str, amount: int) -> int:
            return 1 if "/rank/" in key else 2

    monkeypatch.setattr(_group, "_ID_SECONDS", 0.2)
    store = Liar()
    store.store.set_timeout(datetime.timedelta(seconds=20))  # not to wait for it
    with pytest.raises(RuntimeError, match="has not agreed on an id"):
        agree(store, 1)  # get() fails in other words, after its 20 s


def test_the_begin_is_common_too() -> None:
    store = dist.HashStore()
    begins = set()
    for rank in range(3):
        _group._constructed.clear()
        begins.add(_group.agree(store, Group(rank, 3), rank)[1])
    assert len(begins) == 1 and len(begins.pop()) == len("20261126T031240")


def test_places(monkeypatch: Any) -> None:
    place = _place.place("cpu", Group(1, 2))
    assert place.pid == os.getpid() and place.gpu == -1 and place.rank == -1
    assert place.host.decode() == os.uname().nodename and place.uuid == place.pci == b""
    monkeypatch.setenv("RANK", "7")
    assert _place.place("cpu", Group(1, 2)).rank == 7
    monkeypatch.setattr(_place, "_identity", lambda ordinal: ("GPU-5f", "0000:3b:00.0"))
    monkeypatch.setattr(_place, "_index_on_host", lambda pci: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    place = _place.place("cuda:1", Group(1, 2))
    assert (place.gpu, place.uuid, place.pci) == (6, b"GPU-5f", b"0000:3b:00.0")
    monkeypatch.setattr(_place, "_index_on_host", lambda pci: 2)
    assert _place.place("cuda:1", Group(1, 2)).gpu == 2

    def broken(ordinal: int) -> Any:
        raise OSError("no driver")

    monkeypatch.setattr(_place, "_identity", broken)
    assert _place.place("cuda:1", Group(1, 2)).gpu == -1


@pytest.mark.parametrize("ranks, name", [
    (range(8), "0-7"), ((8, 9, 10, 11), "8-11"), ((0, 8, 16, 24), "0,8,16,24"), ((3,), "3"),
    (range(0, 64, 8), "0-56by8"), ((0, 1, 5, 9, 100), "0-100of5")])
def test_groups_have_names(ranks: Any, name: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(_place, "ranks_of", lambda group: tuple(ranks))
    assert _place.group_name(None) == name


def test_crowded_machines(monkeypatch: Any) -> None:
    class Here:
        host = "127.0.0.1"

    class There:
        host = "gpu-03"

    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    for name in ("LOCAL_WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    assert _place.crowded(4, Here()) == (4, 2) and _place.crowded(2, Here()) is None
    assert _place.crowded(4, There()) is None and _place.crowded(4, object()) is None
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert _place.crowded(64, There()) == (3, 2)


# ---- the log of changes

def finding(rank: int, severity: str = "major", kind: str = "late_rank") -> Dict[str, Any]:
    return {"kind": kind, "rank": rank, "severity": severity, "text": f"rank {rank} is {kind}"}


def test_a_finding_is_said_when_it_begins_and_when_it_is_over() -> None:
    changes, now = Changes(), 1_700_000_000.0
    lines = changes.follow("dispatch", [finding(3), finding(1, "minor", "early_rank")], now)
    assert lines[0].startswith("MAJOR    2023-11-1") and "begins: rank 3" in lines[0]
    assert "; next: look at that rank's own work" in lines[0]
    assert lines[1].startswith("MINOR ") and "do nothing" in lines[1]
    said = [changes.follow("dispatch", [finding(3)], now + 20 * k) for k in range(1, 40)]
    assert ["over: rank 1" in line for line in said[1]] == [True] and said[0] == []
    repeated = [k for k, line in enumerate(said, 1) if line and "goes on" in line[0]]
    assert repeated == [REPEAT_SECONDS / 20] and "since 2023-11-1" in said[repeated[0] - 1][0]
    assert changes.now_open() == ["rank 3 is late_rank"] and changes.begun == 2
    # One window without it is not the end; what grows worse is said at once.
    assert changes.follow("dispatch", [], now + 900) == []
    worse = changes.follow("dispatch", [finding(3, "critical")], now + 920)
    assert len(worse) == 1 and worse[0].startswith("CRITICAL ")
    assert changes.follow("dispatch", [finding(3, "critical")], now + 940) == []
    # The other operator's windows are its own.
    assert len(changes.follow("combine", [finding(3)], now + 940)) == 1
    for _ in range(2):
        over = changes.follow("dispatch", [], now + 960)
    assert len(over) == 1 and " over: rank 3" in over[0] and "since" in over[0]
    assert changes.now_open() == ["rank 3 is late_rank"]


def test_paths_of_one_cause_are_one_finding_whichever_of_them_are_slow() -> None:
    changes = Changes()

    def paths(step: int) -> List[Dict[str, Any]]:
        both = {"kind": "slow_path", "severity": "major", "path_count": 3}
        return [{**both, "source": 3, "paths": [[step, 3]], "text": "from 3"},
                {**both, "ranks": [0, 1, 2, 3][step % 2:], "paths": [[0, 1]], "text": "low"},
                {**both, "ranks": [4, 5, 6, 7], "paths": [[4, 5 + step % 2]], "text": "high"}]
    lines = [line for step in range(6) for line in changes.follow("dispatch", paths(step), 1e9)]
    assert [line.partition("begins: ")[2].partition(";")[0] for line in lines] == [
        "from 3", "low", "high"]
    assert changes.now_open() == ["from 3", "low", "high"] and changes.begun == 3


def test_a_finding_of_a_kind_that_is_not_known_is_one_too() -> None:
    changes = Changes()
    line = changes.follow("dispatch", [{"kind": "new", "text": "x", "severity": "odd"}])[0]
    assert line.startswith("MINOR ") and line.endswith("next: see docs/diagnosis.md")


# ---- the launcher's last line

@pytest.fixture
def notes(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setenv(_notes.VARIABLE, str(tmp_path))
    return tmp_path


def last(folder: Path) -> str:
    return _notes.summary(_notes.read(str(folder)), ("deep_ep",))


def test_the_last_line(notes: Path) -> None:
    assert last(notes).startswith("nothing was diagnosed: no Python program imported deep_ep; what")
    for _ in range(3):
        _notes.tell("imported", module="deep_ep")
    assert "no Buffer in low-latency mode was made (deep_ep was imported)" in last(notes)
    assert len(list(notes.iterdir())) == 1
    _notes.tell("nothing", why="a Buffer was made in normal mode")
    assert last(notes) == "nothing was diagnosed: a Buffer was made in normal mode"
    for rank in (9, 10):
        _notes.tell("rank", ranks=16, rank=rank, instance="i")
    assert last(notes).startswith("2 of 16 ranks were diagnosed here; rank 0 of the group has")
    about = {"ranks": 16, "log": "/l", "windows": 0, "begun": 0, "open": []}
    _notes.update("i", **about)
    assert last(notes) == "0 windows of 16 ranks, no window was complete; see /l"
    _notes.update("i", **{**about, "windows": 7})
    assert last(notes) == "7 windows of 16 ranks, nobody stood out; see /l"
    _notes.update("i", **{**about, "windows": 1, "begun": 1, "open": ["rank 3 is late"]})
    assert last(notes) == "1 window of 16 ranks, 1 finding, at the end: rank 3 is late; see /l"
    for number in range(6):
        _notes.update(f"more{number}", **{**about, "windows": 7})
    assert last(notes).endswith("; and 3 more groups")


def test_what_others_leave_in_the_folder_is_no_note(notes: Path) -> None:
    (notes / "a.json").write_text("{")
    (notes / "b.json").write_text("[1]")
    (notes / "c.json").write_bytes(b"\xff\x00")
    (notes / "d.json").mkdir()
    (notes / "e.json").write_text(json.dumps({"kind": "nothing"}))
    assert last(notes) == "nothing was diagnosed: None"


def test_without_a_launcher_nothing_is_written(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv(_notes.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    _notes.tell("imported", module="deep_ep")
    monkeypatch.setenv(_notes.VARIABLE, str(tmp_path / "gone"))
    _notes.tell("imported", module="deep_ep")
    assert list(tmp_path.iterdir()) == []
