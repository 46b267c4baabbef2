# SPDX-License-Identifier: Apache-2.0
"""Mailboxes in a key-value store: what is posted arrives, and nothing ever blocks."""
import datetime
import random
import threading
import time
import weakref

import pytest

torch = pytest.importorskip("torch")
import torch.distributed as dist  # noqa: E402

from deepxtrace import _mailroom  # noqa: E402
from deepxtrace._mailroom import DEPTH, Mailroom, own_connection  # noqa: E402
from deepxtrace._news import News  # noqa: E402
from deepxtrace._peek import Peek  # noqa: E402


def until(condition):
    """Wait for what a thread will do; the machine may be busy."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)
    return condition()


class Rooms:
    def __init__(self, store, ranks=2, connect=None):
        self.news = [[] for _ in range(ranks)]
        self.rooms = [Mailroom(connect or (lambda: store), "job", rank, ranks,
                               self.news[rank].append, interval=0.1) for rank in range(ranks)]

    def __enter__(self):
        return self.rooms

    def __exit__(self, *_):
        for room in self.rooms:
            room.close()


@pytest.fixture(params=["hash", "tcp", "file"])
def store(request, tmp_path):
    if request.param == "hash":
        return dist.HashStore()
    if request.param == "file":
        return dist.FileStore(str(tmp_path / "store"), 2)
    return dist.PrefixStore("default", dist.TCPStore("127.0.0.1", 0, 1, True))


def test_mails_arrive(store):
    with Rooms(store, connect=lambda: own_connection(store)) as (zero, one):
        assert zero.collect(1, 7) is None and zero.collect(1, None) is None
        one.publish(7, b"\x00\xffseven")
        assert until(lambda: zero.collect(1, 7)) == (7, b"\x00\xffseven")
        one.publish(9, b"nine")
        assert until(lambda: zero.collect(1, 9)) == (9, b"nine")
        assert zero.collect(1, None) == (9, b"nine") and zero.collect(1, 8) is None
        zero.publish(9, b"own")
        assert zero.collect(0, 9) == (9, b"own")


def test_the_newest_are_kept():
    store = dist.HashStore()
    with Rooms(store) as (zero, one):
        for number in range(1, 3 * DEPTH + 1):
            one.publish(number, b"%d" % number)
            until(lambda: not one._outgoing)
        assert until(lambda: zero.collect(1, 12)) == (12, b"12")
        kept = [number for number in range(1, 13) if zero.collect(1, number)]
        assert kept[-DEPTH:] == [9, 10, 11, 12] and len(kept) == DEPTH


def test_mails_from_before_a_restart_are_passed_on():
    store = dist.HashStore()
    with Rooms(store) as (_, one):
        one.publish(1, b"a")
        until(lambda: not one._outgoing)
    with Rooms(store) as (zero, one):
        one.publish(2, b"b")
        assert until(lambda: zero.collect(1, 2)) == (2, b"b")
        assert zero.collect(1, 1) == (1, b"a")


def test_what_is_published_last_arrives():
    store = dist.HashStore()
    rooms = Rooms(store)
    until(lambda: rooms.rooms[1]._store)
    rooms.rooms[1].publish(1, b"last words")
    rooms.rooms[1].close()
    assert until(lambda: rooms.rooms[0].collect(1, 1)) == (1, b"last words")
    rooms.rooms[0].close()


class Troubled:
    """A store that fails, or hangs, when told so."""

    def __init__(self):
        self.store, self.failing, self.calls = dist.HashStore(), False, 0
        self.open = threading.Event()
        self.open.set()

    def _trouble(self):
        self.calls += 1
        self.open.wait()
        if self.failing:
            raise RuntimeError("Connection reset by peer")

    def add(self, *arguments):
        self._trouble()
        return self.store.add(*arguments)

    def set(self, *arguments):
        self._trouble()
        return self.store.set(*arguments)

    def get(self, *arguments):
        self._trouble()
        return self.store.get(*arguments)


class Plain:
    """A store with nothing but the three calls, whose get() waits for its key."""

    def __init__(self):
        self.store, self.waiting = dist.HashStore(), threading.Event()
        self.add, self.set = self.store.add, self.store.set

    def get(self, key):
        while self.store.compare_set(key, "none", "none") == b"none":
            self.waiting.wait(0.01)
        return self.store.get(key)


@pytest.fixture(params=["hash", "tcp", "file", "plain"])
def any_store(request, tmp_path):
    if request.param == "hash":
        return dist.HashStore()
    if request.param == "file":
        return dist.FileStore(str(tmp_path / "store"), 2)
    if request.param == "plain":
        return Plain()
    return dist.PrefixStore("default", dist.TCPStore("127.0.0.1", 0, 1, True))


def test_a_number_without_its_mails_holds_up_its_rank_alone(any_store, request):
    any_store.add("job/1/n", 3)
    # An add() to that, which is all that torch 1.13 leaves us, ends its TCP server.
    damaged = [1]
    if hasattr(any_store, "check") or "tcp" not in request.node.name:
        any_store.set("job/3/n", "what is no number")
        damaged.append(3)
    rooms = Rooms(any_store, 5)
    with rooms as (zero, one, two, three, four):
        for sequence in (1, 2):
            two.publish(sequence, b"two")
            four.publish(sequence, b"four")
            for rank in (1, 2, 3, 4):
                zero.collect(rank, None)
            assert until(lambda: zero.collect(2, sequence)) == (sequence, b"two")
            assert until(lambda: zero.collect(4, sequence)) == (sequence, b"four")
        # It is heard when its mails are there.
        one.publish(7, b"one")
        assert until(lambda: zero.collect(1, 7)) == (7, b"one")
        until(lambda: len(rooms.news[0]) == len(damaged))
    assert sorted(rooms.news[0]) == [
        f"the mailbox of rank {rank} in the key-value store is damaged; its mails are left out "
        "until it is whole again" for rank in damaged]


def test_whatever_is_written_to_a_mailbox_costs_its_rank_alone():
    store, dice = dist.HashStore(), random.Random(19)
    rooms = Rooms(store, 3)
    with rooms as (zero, one, two):
        for sequence in range(1, 60):
            one.publish(sequence, b"one")
            for _ in range(5):
                key = f"job/1/{dice.choice(['n', 0, 1, 2, 3])}"
                value = bytes(dice.choices(range(256), k=dice.choice([0, 1, 7, 8, 9, 500])))
                store.set(key, dice.choice([value, b"-5", b"9" * 30, b"2.5", b"\xff\xfe"]))
                found = zero.collect(1, dice.choice([None, sequence]))
                assert found is None or isinstance(found[1], bytes)
            two.publish(sequence, b"two")
            zero.collect(2, None)
            assert until(lambda: zero.collect(2, sequence)) == (sequence, b"two")
    assert len(rooms.news[0]) <= 1 and not rooms.news[2]


def test_a_value_that_is_not_there(any_store):
    any_store.set("k", b"\x00\xff")
    any_store.add("n", 12)
    look = Peek(any_store)
    before = time.monotonic()
    assert look.value("none") is None and look.value("k") == b"\x00\xff"
    assert look.number("n") == 12 and look.number("m") == 0
    assert time.monotonic() - before < 20
    assert any_store.add("n", 1) == 13


def test_what_comes_and_goes_is_told_less_and_less():
    news = News()
    told = [news.changes(number % 2 == 0) for number in range(64)]
    assert [number for number in range(0, 64, 2) if told[number]] == [0, 2, 6, 14, 30, 62]
    assert told[0::2] == told[1::2]
    assert not news.changes(False)


def test_a_store_that_fails_is_told_once_and_again_when_it_is_back():
    store = Troubled()
    rooms = Rooms(store)
    with rooms as (zero, one):
        one.publish(1, b"a")
        assert until(lambda: zero.collect(1, 1))
        store.failing = True
        for number in range(2, 9):
            one.publish(number, b"x")
            zero.collect(1, number)
        until(lambda: rooms.news[1])
        calls = store.calls
        until(lambda: store.calls > calls)
        assert [text for text in rooms.news[1]] == [
            "the key-value store is out of reach, no counters travel: RuntimeError: Connection "
            "reset by peer; trying again"]
        store.failing = False
        assert until(lambda: zero.collect(1, 8)) == (8, b"x")
        until(lambda: len(rooms.news[1]) == 2)
        assert rooms.news[1][1] == "the key-value store answers again"


def test_a_store_that_failed_is_let_go(monkeypatch):
    """Before the room waits until it tries again, which may last a minute."""
    made, held = [], []

    def connect():
        store = Troubled()
        store.failing = True
        made.append(weakref.ref(store))
        return store

    def sleep(room, _):
        held.append(made[-1]() is not None)
        with room._changed:
            return room._changed.wait_for(lambda: room._stopping, 0.01)

    monkeypatch.setattr(Mailroom, "_sleep", sleep)
    with Rooms(None, ranks=1, connect=connect):
        until(lambda: len(held) >= 3)
    assert not any(held)


def test_a_store_that_hangs_holds_nobody():
    store = Troubled()
    rooms = Rooms(store)
    zero, one = rooms.rooms
    until(lambda: zero._store is not None and one._store is not None)
    store.open.clear()
    before = time.monotonic()
    for number in range(1, 1000):
        one.publish(number, b"x")
        assert zero.collect(1, number) is None
    one.close()
    zero.close()
    assert time.monotonic() - before < 30
    store.open.set()
    until(lambda: not one._thread.is_alive() and not zero._thread.is_alive())


def test_a_thread_that_was_left_is_waited_for_at_the_end():
    """Come back while the interpreter goes down, it would end the process with SIGABRT."""
    stuck, free = threading.Event(), threading.Event()

    def connect():
        stuck.set()
        free.wait(60)
        raise RuntimeError("no store any more")

    room = Mailroom(connect, "left", 1, 2, lambda text: None)
    room.publish(1, b"mail")
    assert stuck.wait(20)
    room.close()
    left = list(_mailroom._left)
    assert len(left) == 1 and left[0].is_alive()
    threading.Timer(0.2, free.set).start()
    _mailroom._close_all()
    assert not left[0].is_alive() and not _mailroom._left


def test_a_connection_of_its_own():
    root = dist.TCPStore("127.0.0.1", 0, 1, True)
    prefixed = dist.PrefixStore("a", dist.PrefixStore("b", root))
    own = own_connection(prefixed)
    assert isinstance(own, dist.TCPStore) and own is not root and own.port == root.port
    assert own.timeout >= datetime.timedelta(hours=1)
    own.set("key", "value")
    assert root.get("key") == b"value"
    # A wait on the job's connection does not hold ours.
    root.set_timeout(datetime.timedelta(seconds=20))
    waiting = threading.Thread(target=lambda: root.wait(["late"]))
    waiting.start()
    assert own.add("n", 1) == 1
    own.set("late", "now")
    waiting.join(20)
    assert not waiting.is_alive()
    memory = dist.HashStore()
    assert own_connection(memory) is memory


def test_a_server_that_is_gone_is_not_handed_to_torch():
    """Whose constructor may hold the interpreter's lock until it gives up."""
    class Client:
        host, port = "127.0.0.1", 1

        def __init__(self, **_arguments):
            raise AssertionError("the job would stand still")

    with pytest.raises(OSError):
        own_connection(Client.__new__(Client))
