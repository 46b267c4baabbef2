# SPDX-License-Identifier: Apache-2.0
"""Mailboxes in torch.distributed's key-value store.

A mailbox holds the four newest mails of a rank. The keys, below a prefix that no other diagnosis
has:

    RANK/n      how many mails the rank has posted
    RANK/0 … 3  mail number n lies at n mod 4: its sequence in 8 bytes, then the mail

Mail first, number second: what the number promises is there. Where it is not, because somebody else
wrote to the store, that rank is passed over and nobody waits (_peek.py). All traffic is on a thread
of its own, over a connection of its own where the store allows one. Whoever publishes or collects
touches memory only, whatever state the store and the others are in.
"""
from __future__ import annotations

import collections
import contextlib
import datetime
import os
import socket
import struct
import threading
import time
import weakref
from typing import Any, Callable, Deque, Dict, List, Optional, Set, Tuple

from . import _threads
from ._news import News
from ._peek import Peek

#: Mails of a mailbox, as DXT_GATHER_DEPTH.
DEPTH = 4
_HEAD = struct.Struct("<Q")
#: For how long after a question the store is asked again and again.
_EAGER_SECONDS = 0.05
_EAGER_PAUSE_SECONDS = 0.001
_SHORTEST_PERIOD_SECONDS, _LONGEST_PERIOD_SECONDS = 0.02, 5.0
_CONNECT_SECONDS = 5
_FOR_EVER = datetime.timedelta(days=1)
_LONGEST_RETRY_SECONDS = 60.0
_JOIN_SECONDS = 0.8

#: Mailrooms that are open.
_open: "weakref.WeakSet[Mailroom]" = weakref.WeakSet()
#: Threads that were stuck in the store when their mailroom closed.
_left: List[threading.Thread] = []


def _close_all() -> None:
    """No thread may come back from the store while the interpreter is going down. One that is
    still stuck after this does not come back."""
    for room in list(_open):
        room.close()
    _threads.join(_left)
    _left.clear()


def _forget_all() -> None:
    """In a forked child: the threads stayed with the parent."""
    _open.clear()
    _left.clear()


_threads.at_end(_threads.MAILROOMS, _close_all)
os.register_at_fork(after_in_child=_forget_all)


def own_connection(store: Any) -> Any:
    """A second connection to the same store, so that a wait of the job on its own one is not ours,
    nor ours the job's; stores without connections are used as they are."""
    root = store
    while hasattr(root, "underlying_store"):
        root = root.underlying_store
    if hasattr(root, "host") and hasattr(root, "port"):
        # Some versions of torch hold the interpreter's lock for as long as they try to connect,
        # and the job would stand still. A server that takes this one will take theirs at once.
        socket.create_connection((root.host, root.port), _CONNECT_SECONDS).close()
        own = type(root)(host_name=root.host, port=root.port, is_master=False,
                         wait_for_workers=False,
                         timeout=datetime.timedelta(seconds=_CONNECT_SECONDS))
        # No key is asked for that is not there, so only a server that hangs makes a call last. Such
        # a call must not give up: if it did while the interpreter ends, it would end in abort().
        own.set_timeout(_FOR_EVER)
        return own
    return store


class Mailroom:
    """One rank's mailbox, and on rank 0 a mirror of all.

    ``connect()`` makes the store to use; ``say(text)`` takes news for the log; ``interval`` is the
    time between two mails in seconds, where that is known.
    """

    def __init__(self, connect: Callable[[], Any], prefix: str, rank: int, ranks: int,
                 say: Callable[[str], Any], interval: float = 4.0) -> None:
        self._connect, self._prefix = connect, prefix
        self._rank, self._ranks, self._say = rank, ranks, say
        self._period = self._quarter(interval)
        self._published = 0.0
        self._changed = threading.Condition()
        # under the condition's lock
        self._outgoing: Deque[bytes] = collections.deque(maxlen=DEPTH)
        self._mirror: Dict[int, Dict[int, bytes]] = {}
        self._asked: Dict[int, float] = {}
        self._stopping = False
        # of the thread alone
        self._store: Any = None
        self._posted = 0
        self._seen: Dict[int, int] = {}
        self._peek: Any = None
        self._damaged: Set[int] = set()  # ranks of which that has been said
        self._rest: Dict[int, Tuple[float, float]] = {}  # they are passed over until, and so long
        self._outage = News()
        self._thread = threading.Thread(target=self._run, name="dxt-mailroom", daemon=True)
        self._thread.start()
        _open.add(self)

    @staticmethod
    def _quarter(seconds: float) -> float:
        return min(max(seconds / 4, _SHORTEST_PERIOD_SECONDS), _LONGEST_PERIOD_SECONDS)

    # ---- for the session; nothing here touches the store

    def publish(self, sequence: int, mail: bytes) -> None:
        letter = _HEAD.pack(sequence) + mail
        with self._changed:
            now, before = time.monotonic(), self._published
            self._published = now
            if before:  # windows may be shorter than was thought
                self._period = min(self._period, self._quarter(now - before))
            self._outgoing.append(letter)
            if self._rank == 0:
                self._keep(0, letter)
            self._changed.notify()

    def collect(self, rank: int, wanted: Optional[int]) -> Optional[Tuple[int, bytes]]:
        """The mail with that sequence, or the newest; None if it is not there (yet)."""
        with self._changed:
            box = self._mirror.get(rank, {})
            sequence = next(reversed(box), None) if wanted is None else wanted
            mail = box.get(sequence) if sequence is not None else None
            if (mail is None or wanted is None) and rank != self._rank:
                self._asked[rank] = time.monotonic() + _EAGER_SECONDS
                self._changed.notify()
            return None if mail is None or sequence is None else (sequence, mail)

    def close(self) -> None:
        """Post what waits to be posted and stop the thread. One that is stuck in the store is left
        behind: it touches nothing of ours any more, and is waited for when the process ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)
            _open.discard(self)
            _left[:] = [one for one in (*_left, self._thread) if one.is_alive()]

    # ---- the thread

    def _keep(self, rank: int, letter: bytes) -> None:
        box = self._mirror.setdefault(rank, {})  # in the order of posting
        sequence = _HEAD.unpack_from(letter)[0]
        box.pop(sequence, None)
        box[sequence] = letter[_HEAD.size:]
        while len(box) > DEPTH:
            del box[next(iter(box))]

    def _key(self, rank: int, name: Any) -> str:
        return f"{self._prefix}/{rank}/{name}"

    def _run(self) -> None:
        retry, due = 0.0, 0.0
        while True:
            pause = max(due - time.monotonic(), 0.0)
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopping or self._outgoing or self._asked, pause)
            if self._stopping:
                self._post_last()
                return
            try:
                self._exchange(time.monotonic() >= due)
                retry = 0.0
                if time.monotonic() >= due:
                    due = time.monotonic() + self._period
                continue
            except Exception as error:  # the store's exceptions have no common name
                if self._stopping:
                    return
                self._tell(error)
            # A connection of torch whose server is gone has a thread that takes a processor, and
            # the exception, which is over here, holds it too.
            self._store = self._peek = None
            retry = min(max(2 * retry, 1.0), _LONGEST_RETRY_SECONDS)
            if self._sleep(retry):
                return

    def _post_last(self) -> None:
        """The window that ends with the program is a window too."""
        if self._store is not None:
            with contextlib.suppress(Exception):  # nobody is left to be told
                self._post()

    def _sleep(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, seconds)

    def _tell(self, error: Optional[BaseException]) -> None:
        if not self._outage.changes(error is not None):
            return
        if error is not None:
            self._say("the key-value store is out of reach, no counters travel: "
                      f"{type(error).__name__}: {error}; trying again")
        else:
            self._say("the key-value store answers again")

    def _exchange(self, everybody: bool) -> None:
        if self._store is None:
            self._store = self._connect()
            self._peek = Peek(self._store)
            self._posted = self._own_number()
        self._post()
        if self._rank == 0:
            with self._changed:
                now = time.monotonic()
                self._asked = {r: until for r, until in self._asked.items() if until > now}
                ranks = list(range(1, self._ranks)) if everybody else list(self._asked)
            for rank in ranks:
                if self._stopping:
                    return
                self._look_at(rank)
            if self._asked:
                self._sleep(_EAGER_PAUSE_SECONDS)
        self._tell(None)

    def _own_number(self) -> int:
        try:
            return int(self._peek.number(self._key(self._rank, "n")))
        except ValueError:
            return 0

    def _post(self) -> None:
        while True:
            with self._changed:
                if not self._outgoing:
                    return
                letter = self._outgoing[0]
            self._store.set(self._key(self._rank, (self._posted + 1) % DEPTH), letter)
            # Nobody else counts here, and with some versions an add() to what somebody wrote there
            # would end the store.
            self._store.set(self._key(self._rank, "n"), str(self._posted + 1))
            self._posted += 1
            with self._changed:
                if self._outgoing and self._outgoing[0] is letter:
                    self._outgoing.popleft()

    def _look_at(self, rank: int) -> None:
        """What one rank has posted; a mailbox that is damaged holds up nobody but its rank."""
        until, rest = self._rest.get(rank, (0.0, 0.0))
        if time.monotonic() < until:
            return
        try:
            whole = self._fetch(rank)
        except Exception:
            self._own_number()  # raises if it is the store that is out of reach
            whole = False
        if whole:
            self._rest.pop(rank, None)
            return
        rest = min(max(2 * rest, self._period), _LONGEST_PERIOD_SECONDS)
        self._rest[rank] = (time.monotonic() + rest, rest)
        if rank not in self._damaged:
            self._damaged.add(rank)
            self._say(f"the mailbox of rank {rank} in the key-value store is damaged; its mails "
                      "are left out until it is whole again")

    def _fetch(self, rank: int) -> bool:
        """Whether the mails are there that the number promises."""
        newest = self._peek.number(self._key(rank, "n"))
        seen = self._seen.get(rank, 0)
        if newest == seen:
            return True
        first = seen + 1 if seen < newest else 1  # fewer than before: the store began anew
        letters: List[bytes] = []
        whole = True
        for number in range(newest, max(first, newest - DEPTH + 1) - 1, -1):
            letter = self._peek.value(self._key(rank, number % DEPTH))
            if letter is None:
                whole = False
                break
            if len(letter) > _HEAD.size:
                letters.append(letter)
        self._seen[rank] = newest
        with self._changed:
            for letter in reversed(letters):
                self._keep(rank, letter)
            self._asked.pop(rank, None)
        return whole
