# SPDX-License-Identifier: Apache-2.0
"""Values of a key-value store that may not be there. A get() waits for its key, with some versions
of torch for as long as the store does, and an add() to what is no number ends the connection or the
server. So values are asked for in the ways that do neither, as far as a store has them."""
from __future__ import annotations

import datetime
import threading
from typing import Any, List, Optional

#: What is expected of a key that is not there; a value of this would be replaced by itself.
_NOTHING = "deepxtrace: nothing"
_PATIENCE_SECONDS = 0.1
#: A get() of a store that offers nothing else.
_GET_SECONDS = 1.0


class Peek:
    """Looks at one store. ``probe`` is a key below the prefix of the caller. Threads: one."""

    def __init__(self, store: Any, probe: str) -> None:
        self._store = store
        self._compares = self._can_compare(probe)
        self._stuck: List[threading.Thread] = []

    def _can_compare(self, probe: str) -> bool:
        """Not every kind of store implements it."""
        if not hasattr(self._store, "compare_set"):
            return False
        try:
            self._store.compare_set(probe, _NOTHING, _NOTHING)
        except Exception:  # one that is out of reach is noticed with the next call
            return False
        return True

    def value(self, key: str) -> Optional[bytes]:
        """The value of a key; None if it is not there."""
        if self._compares:
            value = bytes(self._store.compare_set(key, _NOTHING, _NOTHING))
            return None if value == _NOTHING.encode() else value
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
        if not self._compares:
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
