# SPDX-License-Identifier: Apache-2.0
"""torch.distributed.all_to_all_single, for whatever else dispatches with it; only where
--collectives asks for it: a program may use it for other things, too."""
from __future__ import annotations

import logging
import sys
import weakref
from typing import Any, Dict, Optional, Tuple

from . import Adapter, Services
from ._timed import Timed, timed_call

_MODULE, _NAME = "torch.distributed.distributed_c10d", "all_to_all_single"


class Collectives(Adapter):
    """`torch.distributed.all_to_all_single`."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        #: By the id of a group and whether it is on a GPU.
        self._timed: Dict[Tuple[int, bool], Optional[Timed]] = {}

    def examine(self, module: Any) -> None:
        """Whichever module it was: torch is there when any of the others is."""
        c10d = sys.modules.get(_MODULE)
        original = getattr(c10d, _NAME, None)
        if (not self.services.attaching or not getattr(self.services.settings, "collectives", False)
                or original is None or hasattr(original, "__deepxtrace__")):
            return
        wrapper = timed_call(original, self._of, 0, self._waits_later)
        for name in (_MODULE, "torch.distributed"):
            owner: Any = sys.modules.get(name)
            if owner is not None and vars(owner).get(_NAME) is original:
                self.services.replace(owner, _NAME, wrapper)
        logging.getLogger("deepxtrace").info("DeepXTrace: durations of torch.distributed.%s", _NAME)

    def forget(self) -> None:
        self._timed.clear()

    def _waits_later(self, output: Any = None, input: Any = None, output_split_sizes: Any = None,
                     input_split_sizes: Any = None, group: Any = None, async_op: bool = False
                     ) -> bool:
        return async_op

    def _of(self, output: Any = None, input: Any = None, output_split_sizes: Any = None,
            input_split_sizes: Any = None, group: Any = None, async_op: bool = False
            ) -> Optional[Timed]:
        """Whose operation a call is. Arguments as the function has them."""
        try:
            return self._timed[id(group), output.is_cuda]
        except KeyError:
            begun: Optional[Timed] = self.services.quietly("looking at a group", self._begin, group,
                                                           output)
            return begun
        except AttributeError:
            return None  # not a tensor; the function says so

    def _begin(self, group: Any, output: Any) -> Optional[Timed]:
        key = (id(group), output.is_cuda)
        self._timed[key] = None  # one attempt
        if not self.services.active:
            return None
        found = sys.modules["torch.distributed"].group.WORLD if group is None else group
        if found.size() < 2:
            return None
        timed = Timed(self.services, found, ("all-to-all",), f"torch.distributed.{_NAME}",
                      output.device if output.is_cuda else None, {})
        self._timed[key] = timed
        weakref.finalize(found, self._end, key, timed).atexit = False
        return timed

    def _end(self, key: Tuple[int, bool], timed: Timed) -> None:
        """A group is no more; its id may become another's."""
        self._timed.pop(key, None)
        timed.end()


LIBRARY = Collectives
