# SPDX-License-Identifier: Apache-2.0
"""Diagnosis of programs that know nothing of it.

attach() puts a thin layer around the low-latency operators of `deep_ep.Buffer`, which hands them
wait counters where the program does not, and starts a Diagnose for each Buffer. Nothing of this may
reach the program: whatever goes wrong here is said in the log, and its call is made as it made it.
"""

from __future__ import annotations

import _thread
import functools
import inspect
import logging
import os
import sys
import threading
import weakref
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple

from ._watch import ImportWatcher

log = logging.getLogger("deepxtrace")

#: Method, and what its argument for wait counters is called.
_OPERATORS = (
    ("low_latency_dispatch", "dispatch_wait_recv_cost_stats"),
    ("low_latency_combine", "combine_wait_recv_cost_stats"),
)
_STATE = "_deepxtrace_state"
_YES, _NO = ("1", "true", "on", "yes"), ("0", "false", "off", "no")
_METHODS = ("robust", "ratio")


@dataclass(frozen=True)
class AttachSettings:
    """What attach() was told, by its arguments and the environment."""

    enabled: bool
    interval: float
    output: Optional[str]
    method: str
    modules: Tuple[str, ...]

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

        enabled = variables.get("DEEPXTRACE", "").strip().lower() or "1"
        if enabled not in _YES + _NO:
            wrong.append(f"DEEPXTRACE={enabled!r} is neither 1 nor 0")
        settings = cls(
            enabled in _YES,
            get("interval", 20.0, _seconds),
            get("output", None, os.fspath),
            get("method", "robust", _method),
            get("modules", ("deep_ep",), _names),
        )
        if wrong:
            raise ValueError("deepxtrace cannot be attached: " + "; ".join(wrong))
        return settings


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError("is not a number of seconds") from None
    if not 0.1 <= seconds <= 864000:
        raise ValueError("is no number of seconds from 0.1 to 864000")
    return seconds


def _method(value: str) -> str:
    if value not in _METHODS:
        raise ValueError("is not one of " + ", ".join(_METHODS))
    return value


def _names(value: Any) -> Tuple[str, ...]:
    names = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    if not names or not all(part.isidentifier() for name in names for part in name.split(".")):
        raise ValueError("are not names of modules")
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


class _Counted:
    """What belongs to one Buffer: its counters and the diagnosis of them."""

    def __init__(self, diagnose: Any) -> None:
        self.diagnose = diagnose
        self.counters = diagnose.get_stats_ll_stats_tensor()
        self.started = False


class Attachment:
    """attach() at work. Threads: any."""

    def __init__(self, settings: AttachSettings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._once = _Once()
        self._wrapped: List[Tuple[type, str, Any, Any]] = []
        self._seen: "weakref.WeakSet[type]" = weakref.WeakSet()
        self._running: Dict[int, Any] = {}
        self._watcher = ImportWatcher(settings.modules, self.examine)
        self.active = False

    def start(self) -> None:
        """Wrap what has been imported, and what will be."""
        self.active = True
        self._watcher.install()
        for name, module in list(sys.modules.items()):
            if self._watcher.concerns(name):
                self.examine(module)

    def stop(self) -> None:
        """Undo all of it. A method that somebody else has wrapped in turn is left in place and only
        passes calls on."""
        self.active = False
        self._watcher.remove()
        with self._lock:
            for owner, name, wrapper, original in self._wrapped:
                if owner.__dict__.get(name) is wrapper:
                    setattr(owner, name, original)
            self._wrapped.clear()
            self._seen.clear()
            running, self._running = self._running, {}
        for diagnose in running.values():
            self._quietly("stopping the diagnosis", diagnose.close)

    # ---- classes

    def examine(self, module: Any) -> None:
        """Wrap the classes of a module that dispatch and combine."""
        self._quietly("looking at " + getattr(module, "__name__", "?"), self._examine, module)

    def _examine(self, module: Any) -> None:
        if not self.active or module is None:
            return
        for value in list(vars(module).values()):
            if isinstance(value, type) and any(hasattr(value, name) for name, _ in _OPERATORS):
                with self._lock:
                    if value not in self._seen:
                        self._seen.add(value)
                        self._wrap_class(value, module)

    def _wrap_class(self, cls: type, module: Any) -> None:
        what = f"{cls.__module__}.{cls.__name__}"
        version = _version(module.__name__.split(".")[0])
        places = [_find(cls, name, argument) for name, argument in _OPERATORS]
        if not any(places):
            self._once(
                logging.WARNING,
                "%s%s takes no wait counters: nothing can be diagnosed. DeepEP has them since July"
                " 2025",
                what,
                version,
                key=what,
            )
            return
        for index, place in enumerate(places):
            name = _OPERATORS[index][0]
            if place is None:
                self._once(
                    logging.WARNING,
                    "%s.%s%s takes no wait counters: this operator is not diagnosed",
                    what,
                    name,
                    version,
                    key=what + name,
                )
            else:
                owner, original, arguments = place
                self._replace(owner, name, self._operator(original, index, arguments))
        owner = next(base for base in cls.__mro__ if "__init__" in base.__dict__)
        if owner is not object:
            self._replace(owner, "__init__", self._constructor(owner.__dict__["__init__"]))
        log.info("DeepXTrace: attached to %s%s", what, version)

    def _replace(self, owner: type, name: str, wrapper: Any) -> None:
        original = owner.__dict__[name]
        if getattr(original, "__deepxtrace__", None) is self:
            return
        wrapper.__deepxtrace__ = self
        setattr(owner, name, wrapper)
        self._wrapped.append((owner, name, wrapper, original))

    def _operator(self, original: Any, index: int, arguments: "_Arguments") -> Any:
        @functools.wraps(original)
        def wrapper(self_: Any, *args: Any, **kwargs: Any) -> Any:
            if self.active:
                # A failure leaves the arguments as they were.
                try:
                    args, kwargs = self._with_counters(self_, index, arguments, args, kwargs)
                except Exception as error:
                    self._failed("adding wait counters", error)
            return original(self_, *args, **kwargs)

        return wrapper

    def _constructor(self, original: Any) -> Any:
        @functools.wraps(original)
        def wrapper(self_: Any, *args: Any, **kwargs: Any) -> None:
            original(self_, *args, **kwargs)
            # Here rather than at the first operation, which may be inside the capture of a graph.
            if self.active and getattr(self_, "low_latency_mode", True):
                self._quietly("starting the diagnosis", self._state_of, self_)

        return wrapper

    # ---- objects

    def _state_of(self, buffer: Any, device: Any = None) -> Optional[_Counted]:
        """The state of a Buffer, made when it is asked for first; None if it cannot have one."""
        own: Dict[str, Optional[_Counted]] = vars(buffer)
        if _STATE in own:
            return own[_STATE]
        with self._lock:
            if _STATE not in own:
                if _capturing():
                    self._once(
                        logging.WARNING,
                        "a Buffer is first used while a graph is captured: it is diagnosed from its"
                        " first operation outside on",
                    )
                    return None
                own[_STATE] = None  # one attempt
                own[_STATE] = self._begin(buffer, device)
            return own[_STATE]

    def _begin(self, buffer: Any, device: Any) -> Optional[_Counted]:
        group: Any = getattr(buffer, "group", None)
        if not _is_process_group(group):
            self._once(
                logging.WARNING,
                "a Buffer without a torch.distributed process group is not diagnosed",
            )
            return None
        if group.size() < 2:
            self._once(logging.INFO, "a Buffer of one rank has nobody to wait for")
            return None
        diagnose = _make_diagnose(group, device or _accelerator(), self.settings)
        self._running[id(diagnose)] = diagnose
        weakref.finalize(buffer, self._end_elsewhere, id(diagnose)).atexit = False
        return _Counted(diagnose)

    def _end(self, key: int) -> None:
        diagnose = self._running.pop(key, None)
        if diagnose is not None:
            self._quietly("stopping the diagnosis", diagnose.close)

    def _end_elsewhere(self, key: int) -> None:
        # The garbage collector may call this in any thread, also in one that is to be stopped here,
        # and while it holds any lock.
        _thread.start_new_thread(self._end, (key,))

    def _with_counters(
        self,
        buffer: Any,
        index: int,
        arguments: "_Arguments",
        args: Tuple[Any, ...],
        kwargs: Dict[str, Any],
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        if arguments.get(arguments.counters, args, kwargs) is not None:
            self._once(
                logging.INFO, "%s brings its own wait counters; left alone", _OPERATORS[index][0]
            )
            return args, kwargs
        x = arguments.get("x", args, kwargs)
        state = self._counted_on(buffer, x.device)
        if state is None or state.counters[index] is None:
            return args, kwargs
        if not state.started:
            self._start_once(buffer, state, arguments.experts(args, kwargs))
        return arguments.put(arguments.counters, state.counters[index], args, kwargs)

    def _counted_on(self, buffer: Any, device: Any) -> Optional[_Counted]:
        """The state of a Buffer with counters where its tokens are. At construction it was a guess
        where they would be."""
        state = self._state_of(buffer, device)
        if state is None or state.counters[0] is None or state.counters[0].device == device:
            return state
        with self._lock:
            if state.started or _capturing():
                self._once(
                    logging.WARNING,
                    "tokens are on %s, the wait counters on %s: not counted",
                    device,
                    state.counters[0].device,
                )
                return None
            self._end(id(state.diagnose))
            del vars(buffer)[_STATE]
        return self._state_of(buffer, device)

    def _start_once(self, buffer: Any, state: _Counted, experts: Optional[int]) -> None:
        """Start the thread, which must know how many waits are added up at a time."""
        with self._lock:
            if state.started:
                return
            state.started = True
        waits = getattr(buffer, "waits_per_source", None)
        if waits is None and experts is not None:
            waits = max(experts // state.diagnose.group_size, 1)

        what = f"{type(buffer).__module__}.{type(buffer).__name__}"

        def start() -> None:
            if waits is not None:
                state.diagnose.set_local_experts(int(waits))
            state.diagnose.start_async_diagnose()
            state.diagnose._say(
                f"attached to {what}: {experts or 'unknown'} experts, {waits} waits for a source at"
                f" a time, counters on {state.counters[0].device}"
            )

        # Not in this call, which may be inside the capture of a graph, and is somebody's step.
        threading.Thread(
            target=self._quietly,
            args=("starting the diagnosis", start),
            name="deepxtrace-start",
            daemon=True,
        ).start()

    # ---- failures

    def _failed(self, doing: str, error: Exception) -> None:
        self._once(logging.ERROR, "%s failed: %s: %s", doing, type(error).__name__, error)

    def _quietly(self, doing: str, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except Exception as error:
            self._failed(doing, error)
            return None


class _Arguments:
    """Where the arguments of a method are: each may come by position or by name."""

    def __init__(self, signature: inspect.Signature, counters: str) -> None:
        self.counters = counters
        self._places: Dict[str, int] = {}
        parameters = list(signature.parameters.values())[1:]
        for place, parameter in enumerate(parameters):
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                self._places[parameter.name] = place

    def get(self, name: str, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The argument, or None."""
        place = self._places.get(name)
        if place is not None and place < len(args):
            return args[place]
        return kwargs.get(name)

    def experts(self, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Optional[int]:
        """Of all ranks; a combine has the number in its handle."""
        number = self.get("num_experts", args, kwargs)
        if number is None:
            handle = self.get("handle", args, kwargs)
            number = handle[4] if isinstance(handle, tuple) and len(handle) == 5 else None
        return number if isinstance(number, int) else None

    def put(
        self, name: str, value: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """The arguments with one more, or with another in its place."""
        place = self._places.get(name)
        if place is not None and place < len(args):
            return args[:place] + (value,) + args[place + 1:], kwargs
        return args, {**kwargs, name: value}


def _find(cls: type, name: str, argument: str) -> Optional[Tuple[type, Any, _Arguments]]:
    """Who defines a method, the method, and its arguments; None if it takes no counters."""
    for owner in cls.__mro__:
        if name in owner.__dict__:
            original = owner.__dict__[name]
            if isinstance(original, (staticmethod, classmethod, property)):
                return None
            try:
                signature = inspect.signature(original)
            except (TypeError, ValueError):
                return None
            if argument not in signature.parameters:
                return None
            return owner, original, _Arguments(signature, argument)
    return None


def _version(package: str) -> str:
    """In brackets; nothing while the package is being imported and does not say yet."""
    version = getattr(sys.modules.get(package), "__version__", None)
    if version is None:
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            return ""
    return f" (version {version})"


def _capturing() -> bool:
    import torch

    return bool(torch.cuda.is_available() and torch.cuda.is_current_stream_capturing())


def _is_process_group(group: Any) -> bool:
    import torch.distributed as dist

    return group is not None and dist.is_initialized() and isinstance(group, dist.ProcessGroup)


def _accelerator() -> str:
    import torch

    for kind in ("cuda", "npu", "xpu"):
        module = getattr(torch, kind, None)
        if module is not None and module.is_available():
            return kind
    return "cpu"


def _make_diagnose(group: Any, device: Any, settings: AttachSettings) -> Any:
    from .diagnose import Diagnose

    return Diagnose(
        group,
        settings.interval,
        enable_async=True,
        device=device,
        log_path=settings.output,
        method=settings.method,
    )


_attached: Optional[Attachment] = None
_attached_lock = threading.Lock()


def attach(
    *,
    interval: Optional[float] = None,
    output: Optional[str] = None,
    method: Optional[str] = None,
    modules: Optional[Any] = None,
) -> Attachment:
    """Diagnose every `deep_ep.Buffer` in low-latency mode, whether deep_ep is imported already or
    later. A second call changes nothing.

    interval: seconds from one diagnosis to the next; DEEPXTRACE_INTERVAL, 20.
    output: folder of the log and the recording; DEEPXTRACE_OUTPUT, the current folder.
    method: of the findings, "robust" or "ratio"; DEEPXTRACE_METHOD, robust.
    modules: packages to look for such a class in; DEEPXTRACE_MODULES, deep_ep.

    Arguments go before the environment. DEEPXTRACE=0 makes this do nothing. Raises ValueError if a
    setting makes no sense. Threads: any. On all ranks of a group or on none.
    """
    global _attached
    with _attached_lock:
        if _attached is None:
            given = {"interval": interval, "output": output, "method": method, "modules": modules}
            attachment = Attachment(AttachSettings.read(given))
            if attachment.settings.enabled:
                attachment.start()
            _attached = attachment
        return _attached


def detach() -> None:
    """Undo attach(): stop the diagnoses, and leave `deep_ep.Buffer` as it was. What a captured
    graph counts into stays valid."""
    global _attached
    with _attached_lock:
        attachment, _attached = _attached, None
    if attachment is not None:
        attachment.stop()


def _after_fork() -> None:
    """In the child, where no other thread is left to release a lock, nor any diagnosis to stop."""
    global _attached_lock
    _attached_lock = threading.Lock()
    if _attached is not None:
        _attached._lock = threading.RLock()
        _attached._running.clear()


os.register_at_fork(after_in_child=_after_fork)
