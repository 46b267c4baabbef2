# SPDX-License-Identifier: Apache-2.0
"""Diagnosis of programs that know nothing of it.

attach() puts a thin layer around the operators of the libraries that the folder `adapters` knows,
which hands them wait counters where the program does not, and starts a Diagnose for each Buffer.
A Diagnose that a program makes has the same layer watch the calls that carry its counters, so that
their number is known. Nothing of this may reach the program: whatever goes wrong here is said in
the log, and its call is made as it made it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import weakref
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple

from . import _notes, _threads, adapters
from ._graphs import GraphWatch
from ._lib import default
from ._values import method, seconds, share, switch
from ._watch import COLLECTIVES, PACKAGES, ImportWatcher

log = logging.getLogger("deepxtrace")


@dataclass(frozen=True)
class AttachSettings:
    """What attach() was told, by its arguments and the environment."""

    enabled: bool
    interval: float
    output: Optional[str]
    method: str
    modules: Tuple[str, ...]
    min_share: Optional[float]
    quiet: bool
    collectives: bool = False

    @classmethod
    def read(
        cls, given: Mapping[str, Any], environment: Optional[Mapping[str, str]] = None
    ) -> "AttachSettings":
        """Arguments go before the environment. Raises ValueError with all that is wrong."""
        variables = os.environ if environment is None else environment
        wrong: List[str] = []

        def get(name: str, default: Any, read: Callable[[Any], Any]) -> Any:
            value, called = given.get(name), name
            if value is None:
                called = "DEEPXTRACE_" + name.upper()
                value = variables.get(called, "").strip() or None
            if value is None:
                return default
            try:
                return read(value)
            except ValueError as error:
                wrong.append(f"{called}={value!r} {error}")
                return default

        enabled, word = True, variables.get("DEEPXTRACE", "").strip().lower() or "1"
        try:
            enabled = switch(word)
        except ValueError as error:
            wrong.append(f"DEEPXTRACE={word!r} {error}")
        settings = cls(
            enabled,
            get("interval", default("interval_s"), lambda value: seconds(value, 0.1)),
            get("output", None, os.fspath),
            get("method", "robust", method),
            get("modules", PACKAGES, _names),
            get("min_share", None, share),
            get("quiet", False, switch),
            get("collectives", False, switch),
        )
        if wrong:
            raise ValueError("deepxtrace cannot be attached: " + "; ".join(wrong))
        return settings


def _names(value: Any) -> Tuple[str, ...]:
    names = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    if not names or not all(part.isidentifier() for name in names for part in name.split(".")):
        raise ValueError("must be names of modules, such as deep_ep")
    return tuple(names)


class _Once:
    """Says each thing once in the life of the process."""

    def __init__(self) -> None:
        self._said: Set[str] = set()

    def __call__(self, level: int, text: str, *arguments: Any, key: str = "") -> None:
        key = key or text % arguments
        if key not in self._said:
            self._said.add(key)
            log.log(level, "DeepXTrace: " + text, *arguments)


class Attachment:
    """The layer: what attach() does, and what watches the calls of a Diagnose. Threads: any."""

    def __init__(self, settings: AttachSettings) -> None:
        self.settings = settings
        self.active = self.attaching = False
        self.once = _Once()
        self._lock = threading.RLock()
        self._wrapped: List[Tuple[type, str, Any, Any]] = []
        self._adapters: List[adapters.Adapter] = []
        self._graphs = GraphWatch()
        self._running: Dict[int, Any] = {}
        #: Diagnoses of the program's own, by the addresses of their counters.
        self._watched: Dict[int, "weakref.ref[Any]"] = {}
        self._watcher = ImportWatcher(settings.modules, self.examine,
                                      COLLECTIVES if settings.collectives else ())

    def start(self) -> None:
        """Wrap what has been imported, and what will be."""
        with self._lock:
            if self.active:
                return
            self.active = True
            self._adapters = list(adapters.load(self))
        self._watcher.install()
        for name, module in list(sys.modules.items()):
            if self._watcher.concerns(name):
                self.examine(module)

    def stop(self) -> None:
        """Undo all of it. A method that somebody else has wrapped in turn is left in place and only
        passes calls on."""
        self.active = self.attaching = False
        self._watcher.remove()
        with self._lock:
            for owner, name, wrapper, original in self._wrapped:
                if owner.__dict__.get(name) is wrapper:
                    setattr(owner, name, original)
            self._wrapped.clear()
            for adapter in self._adapters:
                adapter.forget()
        self._graphs.remove()
        self.end_all()

    def end_all(self) -> None:
        """Stop the diagnoses that attach() has started."""
        with self._lock:
            running, self._running = self._running, {}
        for diagnose in running.values():
            self.quietly("stopping the diagnosis", diagnose.close)

    def examine(self, module: Any) -> None:
        """Look at a module that has been executed."""
        if not self.active or module is None:
            return
        name = getattr(module, "__name__", "?")
        if self.attaching:
            _notes.tell("imported", module=name.split(".")[0])
        with self._lock:
            self.quietly("watching CUDA graphs", self._graphs.install)
            for adapter in self._adapters:
                self.quietly("looking at " + name, adapter.examine, module)

    # ---- for the adapters: adapters.Services

    def replace(self, owner: type, name: str, wrapper: Any) -> None:
        original = owner.__dict__[name]
        if getattr(original, "__deepxtrace__", None) is self:
            return
        wrapper.__deepxtrace__ = self
        setattr(owner, name, wrapper)
        self._wrapped.append((owner, name, wrapper, original))

    def nothing(self, why: str) -> None:
        _notes.tell("nothing", why=why)

    def quietly(self, doing: str, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except Exception as error:
            self.failed(doing, error)
            return None

    def failed(self, doing: str, error: Exception) -> None:
        self.once(logging.ERROR, "%s failed: %s: %s", doing, type(error).__name__, error)

    def diagnose(self, group: Any, device: Any, **more: Any) -> Any:
        diagnose = _make_diagnose(group, device or _accelerator(), self.settings, **more)
        with self._lock:
            self._running[id(diagnose)] = diagnose
        return diagnose

    def end(self, diagnose: Any) -> None:
        # The garbage collector may call this in any thread, also in one that is to be stopped here,
        # and while it holds any lock.
        _threads.start_anywhere(self._end, id(diagnose))

    def _end(self, key: int) -> None:
        diagnose = self._running.pop(key, None)
        if diagnose is not None:
            self.quietly("stopping the diagnosis", diagnose.close)

    def watched(self, tensor: Any) -> Any:
        found = self._watched.get(tensor.data_ptr())
        return found() if found is not None else None

    # ---- for a Diagnose that a program has made

    def watch(self, diagnose: Any, tensors: List[Any]) -> None:
        """Count the operations of calls that carry one of these tensors."""
        for tensor in tensors:
            self._watched[tensor.data_ptr()] = weakref.ref(diagnose)

    def unwatch(self, diagnose: Any) -> bool:
        """End that. True if nobody is watched any more."""
        for address, found in list(self._watched.items()):
            if found() is diagnose or found() is None:
                del self._watched[address]
        return not self._watched

    def after_fork(self) -> None:
        """In the child, where no other thread is left to release a lock."""
        self._lock = threading.RLock()
        self._running.clear()
        for adapter in self._adapters:
            adapter.renew_locks()


def _accelerator() -> str:
    import torch

    for kind in ("cuda", "npu", "xpu"):
        module = getattr(torch, kind, None)
        if module is not None and module.is_available():
            return kind
    return "cpu"


def _make_diagnose(group: Any, device: Any, settings: AttachSettings, **more: Any) -> Any:
    from .diagnose import Diagnose

    return Diagnose(
        group,
        settings.interval,
        enable_async=True,
        device=device,
        log_path=settings.output,
        method=settings.method,
        min_share=settings.min_share,
        _attached=True,
        _quiet=settings.quiet,
        **more,
    )


#: The layer, whether attach() has made it or a Diagnose; one in a process.
_layer: Optional[Attachment] = None
#: The layer as attach() returned it.
_attached: Optional[Attachment] = None
_attached_lock = threading.Lock()


def attach(
    *,
    interval: Optional[float] = None,
    output: Optional[str] = None,
    method: Optional[str] = None,
    modules: Optional[Any] = None,
    min_share: Optional[Any] = None,
    quiet: Optional[bool] = None,
    collectives: Optional[bool] = None,
) -> Attachment:
    """Diagnose whatever dispatches and combines through a library that the folder `adapters` knows,
    whether it is imported already or later. A second call changes nothing.

    interval: seconds from one diagnosis to the next; DEEPXTRACE_INTERVAL, 20.
    output: folder of the log and the recording; DEEPXTRACE_OUTPUT, the current folder.
    method: of the findings, "robust" or "ratio"; DEEPXTRACE_METHOD, robust.
    modules: packages to look for such a class in; DEEPXTRACE_MODULES, and those of _watch.py.
    min_share: smallest share of the step worth a finding, such as 0.05 or "5%";
        DEEPXTRACE_MIN_SHARE, 1 %.
    quiet: say nothing on standard error; DEEPXTRACE_QUIET, False. Otherwise rank 0 of a group says
        in one line where it writes.
    collectives: torch.distributed.all_to_all_single as well; DEEPXTRACE_COLLECTIVES, no.

    Arguments go before the environment. DEEPXTRACE=0 makes this do nothing. Raises ValueError if a
    setting makes no sense. Threads: any. On all ranks of a group or on none.
    """
    global _attached, _layer
    with _attached_lock:
        if _attached is None:
            given = {"interval": interval, "output": output, "method": method, "modules": modules,
                     "min_share": min_share, "quiet": quiet, "collectives": collectives}
            settings = AttachSettings.read(given)
            before, _layer = _layer, Attachment(settings)
            if before is not None:
                _layer._watched.update(before._watched)
                before.stop()
            if settings.enabled:
                _layer.attaching = True
                _layer.start()
            _attached = _layer
        return _attached


def detach() -> None:
    """Undo attach(): stop the diagnoses, and leave `deep_ep.Buffer` as it was, unless a Diagnose of
    the program's own has its calls watched. What a captured graph counts into stays valid."""
    global _attached, _layer
    with _attached_lock:
        attachment, _attached = _attached, None
        if attachment is None:
            return
        attachment.attaching = False
        if attachment._watched and attachment.active:
            attachment.end_all()
        else:
            _layer = None
            attachment.stop()


def watch(diagnose: Any, tensors: List[Any]) -> None:
    """Count the operations of a Diagnose that the program has made, by the calls that carry these
    tensors of it, until unwatch(). Never raises."""
    global _layer
    with _attached_lock:
        if _layer is None:
            try:
                settings = AttachSettings.read({})
            except ValueError:  # of an attach() that nobody has asked for
                settings = AttachSettings.read({}, {})
            _layer = Attachment(settings)
        _layer.quietly("watching the calls", _layer.watch, diagnose, tensors)
        _layer.quietly("watching the calls", _layer.start)


def unwatch(diagnose: Any) -> None:
    """End that."""
    global _layer
    with _attached_lock:
        layer = _layer
        if layer is not None and layer.unwatch(diagnose) and _attached is None:
            _layer = None
            layer.stop()


def _after_fork() -> None:
    """In the child, where no other thread is left to release a lock, nor any diagnosis to stop."""
    global _attached_lock
    _attached_lock = threading.Lock()
    if _layer is not None:
        _layer.after_fork()


os.register_at_fork(after_in_child=_after_fork)
