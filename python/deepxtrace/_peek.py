# SPDX-License-Identifier: Apache-2.0
"""Values of a key-value store that may not be there. A get() waits for its key, with some versions
of torch for as long as the store does, and an add() to what is no number ends the connection or the
server. So values are asked for in the ways that do neither, as far as a store has them.

Not by compare_set(): torch 1.13 makes the bytes that it returns without the interpreter's lock,
which damages the memory of the process.
"""
from __future__ import annotations

import datetime
import threading
from typing import Any, List, Optional

_PATIENCE_SECONDS = 0.1
#: A get() of a store that offers nothing else.
_GET_SECONDS = 1.0


class Peek:
    """Looks at one store. Threads: one."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._stuck: List[threading.Thread] = []

    def value(self, key: str) -> Optional[bytes]:
        """The value of a key; None if it is not there."""
        if hasattr(self._store, "check"):
            return bytes(self._store.get(key)) if self._store.check([key]) else None
        if hasattr(self._store, "wait"):
            try:
                self._store.wait([key], datetime.timedelta(seconds=_PATIENCE_SECONDS))
            except Exception:  # their time-outs have no common name
                return None
            return bytes(self._store.get(key))
        return self._get(key)

    def number(self, key: str) -> int:
        """The value of a key that is counted up. ValueError if it is no number."""
        if not hasattr(self._store, "check"):
            return int(self._store.add(key, 0))
        value = self.value(key)
        return 0 if value is None else int(value)

    def _get(self, key: str) -> Optional[bytes]:
        """A get() on a thread that is left behind if it does not come back."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) >= 4:
            return None
        found: List[bytes] = []
        thread = threading.Thread(target=lambda: found.append(bytes(self._store.get(key))),
                                  name="dxt-peek", daemon=True)
        thread.start()
        thread.join(_GET_SECONDS)
        if thread.is_alive():
            self._stuck.append(thread)
        return found[0] if found else None
