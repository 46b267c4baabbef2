# SPDX-License-Identifier: Apache-2.0
"""Buffers whose dispatch and combine take wait counters as arguments, as the low-latency kernels of
DeepEP and of those that were made from them do."""
from __future__ import annotations

import functools
import logging
import sys
import threading
import weakref
from importlib import metadata
from typing import Any, Dict, Optional, Tuple

from .._graphs import captured_into
from . import Adapter, Services
from ._arguments import Arguments, find

#: An attribute of each Buffer.
_STATE = "_deepxtrace_state"
#: Tokens received, by local expert; a caller may have its own.
_TOKENS = "cumulative_local_expert_recv_stats"


_Operators = Tuple[Tuple[str, str], Tuple[str, str]]


class _Counted:
    """What belongs to one Buffer: its counters and the diagnosis of them."""

    def __init__(self, services: Services, diagnose: Any) -> None:
        self.services, self.diagnose = services, diagnose
        self.counters = diagnose.get_stats_ll_stats_tensor() if diagnose is not None else None
        self.before: Optional[_Counted] = None


class CountedBuffers(Adapter):
    """An adapter for such classes. What differs between libraries is below."""

    #: Methods of dispatch and combine, and what their arguments for wait counters are called.
    operators: _Operators
    #: Methods after which a Buffer may be diagnosed, when ready() says so.
    beginnings: Tuple[str, ...] = ("__init__",)
    #: Added to what is said of a version that takes no counters.
    since = ""

    def ready(self, buffer: Any) -> bool:
        """Whether a Buffer has all that a diagnosis needs; not asked at its first operation."""
        return True

    def group(self, buffer: Any) -> Any:
        """Something with rank() and size(); None if there is none."""
        group = getattr(buffer, "group", None)
        return group if _is_process_group(group) else None

    def options(self, buffer: Any) -> Dict[str, Any]:
        """Arguments for Diagnose, besides those that all have."""
        return {}

    def concerns(self, cls: type, module: Any) -> bool:
        """Whether a class is one of these, if it has one of the methods."""
        return True

    def operators_of(self, cls: type) -> _Operators:
        """`operators`, where versions differ."""
        return self.operators

    def takes(self, buffer: Any, diagnose: Any) -> bool:
        """Whether an operation takes counters of that many ranks now."""
        return True

    def experts(self, buffer: Any, arguments: Arguments, args: Tuple[Any, ...],
                kwargs: Dict[str, Any]) -> Optional[int]:
        """Of all ranks, as an operation or the Buffer tells; a combine has the number in its
        handle."""
        number = arguments.get("num_experts", args, kwargs)
        if number is None:
            handle = arguments.get("handle", args, kwargs)
            number = handle[4] if isinstance(handle, tuple) and len(handle) == 5 else None
        return number if isinstance(number, int) else None

    # ---- classes

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._lock = threading.RLock()
        self._seen: "weakref.WeakSet[type]" = weakref.WeakSet()
        self._inside = threading.local()

    def forget(self) -> None:
        self._seen.clear()

    def renew_locks(self) -> None:
        self._lock = threading.RLock()
        self._inside = threading.local()

    def examine(self, module: Any) -> None:
        for value in list(vars(module).values()):
            if (isinstance(value, type) and value not in self._seen
                    and any(hasattr(value, name) for name, _ in self.operators_of(value))
                    and self.concerns(value, module)):
                self._seen.add(value)
                self._wrap_class(value, module)

    def _wrap_class(self, cls: type, module: Any) -> None:
        what = f"{cls.__module__}.{cls.__name__}"
        version = _version(module.__name__.split(".")[0])
        operators = self.operators_of(cls)
        found = [find(cls, name) for name, _ in operators]
        if any(method and method.foreign for method in found):
            return  # the class of the same name below Python's
        counted = [method is not None and method.arguments is not None
                   and argument in method.arguments.names
                   for method, (_, argument) in zip(found, operators)]
        if not any(counted):
            self.services.once(logging.WARNING, "%s%s takes no wait counters: nothing can be"
                               " diagnosed%s", what, version, self.since, key=what)
            self.services.nothing(f"{what}{version} takes no wait counters")
            return
        for index, method in enumerate(found):
            name = operators[index][0]
            if not counted[index] or method is None:
                self.services.once(
                    logging.WARNING, "%s.%s%s takes no wait counters: this operator is not"
                    " diagnosed", what, name, version, key=what + name)
            elif method.arguments is not None:
                self.services.replace(method.owner, name,
                                      self._operator(method.original, index, operators[index],
                                                     method.arguments))
        for name in self.beginnings:
            owner = next((base for base in cls.__mro__ if name in base.__dict__), object)
            if owner is not object:
                self.services.replace(owner, name, self._beginning(owner.__dict__[name]))
        logging.getLogger("deepxtrace").info("DeepXTrace: attached to %s%s", what, version)

    def _operator(self, original: Any, index: int, operator: Tuple[str, str],
                  arguments: Arguments) -> Any:
        services, inside = self.services, self._inside

        @functools.wraps(original)
        def wrapper(buffer: Any, *args: Any, **kwargs: Any) -> Any:
            # A method may call another that is wrapped, too; its operation is the same one.
            if not services.active or getattr(inside, "now", False):
                return original(buffer, *args, **kwargs)
            diagnose = None
            try:  # a failure leaves the arguments as they were
                args, kwargs, diagnose = self._counting(buffer, index, operator, arguments,
                                                        args, kwargs)
            except Exception as error:
                services.failed("adding wait counters", error)
            issued = None
            if diagnose is not None:
                # Before the call: one that does not return is an operation that others hold up.
                try:
                    issued = diagnose.operations.add(
                        index, _work(arguments.get("x", args, kwargs)))
                except Exception as error:
                    services.failed("counting an operation", error)
            inside.now = True
            try:
                return original(buffer, *args, **kwargs)
            except BaseException:
                if issued is not None:
                    issued()
                raise
            finally:
                inside.now = False

        return wrapper

    def _beginning(self, original: Any) -> Any:
        @functools.wraps(original)
        def wrapper(buffer: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(buffer, *args, **kwargs)
            # Here rather than at the first operation, which may be inside the capture of a graph.
            if self.services.active and self.services.attaching:
                self.services.quietly("starting the diagnosis", self._begin_if_ready, buffer)
            return result

        return wrapper

    # ---- objects

    def _begin_if_ready(self, buffer: Any) -> None:
        if self.ready(buffer):
            self._state_of(buffer)

    def _state_of(self, buffer: Any, device: Any = None) -> Optional[_Counted]:
        """The state of a Buffer, made when it is asked for first; None if it cannot have one."""
        own: Dict[str, _Counted] = vars(buffer)
        state = own.get(_STATE)
        if state is None or state.services is not self.services:
            with self._lock:
                state = own.get(_STATE)
                if state is None or state.services is not self.services:
                    if captured_into() is not None:
                        self.services.once(
                            logging.WARNING, "a Buffer is first used while a graph is captured: it"
                            " is diagnosed from its first operation outside on")
                        return None
                    # What another attach() has left stays alive: graphs count into it.
                    before = state
                    own[_STATE] = _Counted(self.services, None)  # one attempt
                    own[_STATE] = state = self._begin(buffer, device)
                    state.before = before
        return state if state.diagnose is not None else None

    def _begin(self, buffer: Any, device: Any) -> _Counted:
        group = self.group(buffer)
        if group is None:
            self.services.once(
                logging.WARNING,
                "a Buffer without a torch.distributed process group is not diagnosed")
            self.services.nothing("a Buffer had no process group of torch.distributed")
            return _Counted(self.services, None)
        if group.size() < 2:
            self.services.once(logging.INFO, "a Buffer of one rank has nobody to wait for")
            self.services.nothing("a Buffer of one rank has nobody to wait for")
            return _Counted(self.services, None)
        diagnose = self.services.diagnose(group, device, **self.options(buffer))
        weakref.finalize(buffer, self.services.end, diagnose).atexit = False
        return _Counted(self.services, diagnose)

    def _counting(self, buffer: Any, index: int, operator: Tuple[str, str], arguments: Arguments,
                  args: Tuple[Any, ...], kwargs: Dict[str, Any]
                  ) -> Tuple[Tuple[Any, ...], Dict[str, Any], Any]:
        """The arguments with our counters, and the Diagnose that counts the operation, or None."""
        name, argument = operator
        given = arguments.get(argument, args, kwargs)
        if given is not None:
            diagnose = self.services.watched(given)
            if diagnose is None:
                self.services.once(logging.INFO, "%s brings its own wait counters; left alone",
                                   name)
                return args, kwargs, None
        elif not self.services.attaching:
            return args, kwargs, None
        else:
            x = arguments.get("x", args, kwargs)
            state = self._counted_on(buffer, x.device)
            if state is None or state.counters is None or state.counters[index] is None:
                return args, kwargs, None
            diagnose = state.diagnose
            if not self.takes(buffer, diagnose):
                return args, kwargs, None
            args, kwargs = arguments.put(argument, state.counters[index], args, kwargs)
        self._tell(buffer, diagnose, index, arguments, args, kwargs)
        return self._with_tokens(buffer, diagnose, index, arguments, args, kwargs)

    def _tell(self, buffer: Any, diagnose: Any, index: int, arguments: Arguments,
              args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """What a call says of the Buffer: how many waits are added up at a time."""
        if diagnose.is_told:
            return
        experts = self.experts(buffer, arguments, args, kwargs)
        waits = getattr(buffer, "waits_per_source", None)
        if waits is None and experts is not None:
            waits = max(experts // diagnose.group_size, 1)
        diagnose.tell(f"{type(buffer).__module__}.{type(buffer).__name__}", experts, waits)

    def _with_tokens(self, buffer: Any, diagnose: Any, index: int, arguments: Arguments,
                     args: Tuple[Any, ...], kwargs: Dict[str, Any]
                     ) -> Tuple[Tuple[Any, ...], Dict[str, Any], Any]:
        """Where nobody counts the tokens that are received, do."""
        if (index == 0 and _TOKENS in arguments.names
                and arguments.get(_TOKENS, args, kwargs) is None):
            experts = self.experts(buffer, arguments, args, kwargs)
            tokens = diagnose.tokens_of(experts // diagnose.group_size) if experts else None
            if tokens is not None:
                args, kwargs = arguments.put(_TOKENS, tokens, args, kwargs)
        return args, kwargs, diagnose

    def _counted_on(self, buffer: Any, device: Any) -> Optional[_Counted]:
        """The state of a Buffer with counters where its tokens are. At construction it was a guess
        where they would be."""
        state = self._state_of(buffer, device)
        if (state is None or state.counters is None or state.counters[0] is None
                or state.counters[0].device == device):
            return state
        with self._lock:
            if state.diagnose.is_told or captured_into() is not None:
                self.services.once(logging.WARNING, "tokens are on %s, the wait counters on %s: not"
                                   " counted", device, state.counters[0].device)
                return None
            self.services.end(state.diagnose)
            del vars(buffer)[_STATE]
        return self._state_of(buffer, device)


def _work(x: Any) -> str:
    """Calls of about as many tokens do the same work."""
    shape = getattr(x, "shape", None)
    return f"call of 2^{int(shape[0]).bit_length()}" if shape else "call"


def _version(package: str) -> str:
    """In brackets; nothing while the package is being imported and does not say yet."""
    version = getattr(sys.modules.get(package), "__version__", None)
    if version is None:
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            return ""
    return f" (version {version})"


def _is_process_group(group: Any) -> bool:
    import torch.distributed as dist

    return group is not None and dist.is_initialized() and isinstance(group, dist.ProcessGroup)
