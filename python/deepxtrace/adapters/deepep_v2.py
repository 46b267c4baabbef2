# SPDX-License-Identifier: Apache-2.0
"""DeepEP V2: `deep_ep.ElasticBuffer` of 2.1 and `EPBuffer` of 2.5, whose kernels have no counters.

They are compiled at run time, and what they are compiled from gets counters: _deepep_headers.py
says which, _deepep_build.py where that is kept. The library is told of the other headers before it
builds its first kernel. The counters lie in room that its workspace leaves free; where that is, is
seen when the library asks NCCL for it.
"""
from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import inspect
import logging
import os
import shutil
import sys
import threading
import weakref
from typing import Any, Dict, Iterator, List, Optional, Tuple

from .. import _threads
from . import Adapter, Services
from ._deepep_build import Compiler, Headers, Unusable, nvcc_wrapper, prepare
from ._relocate import NotFound, read, slot, write
from ._slack import SlackCounters

#: The classes, and one that others of 2.5 are derived from: all of them build kernels.
_CLASSES = ("ElasticBuffer", "EPBuffer")
_BASE = "BufferBase"
_STATE = "_deepxtrace_v2"
_GETTER = "ncclGetLsaDevicePointer"
#: ncclResult_t (ncclWindow_t, size_t offset, int rank, void** pointer)
_Getter = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                           ctypes.POINTER(ctypes.c_void_p))


class DeepEPV2(Adapter):
    """Buffers of DeepEP V2."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._lock = threading.RLock()
        self._seen: "weakref.WeakSet[type]" = weakref.WeakSet()
        #: By package: what its kernels are built from and how workspaces are found, or None.
        self._ready: Dict[str, Optional[Tuple[Headers, _Workspaces]]] = {}

    def forget(self) -> None:
        self._seen.clear()

    def renew_locks(self) -> None:
        self._lock = threading.RLock()

    def examine(self, module: Any) -> None:
        package = module.__name__.split(".")[0]
        for value in list(vars(module).values()):
            if (isinstance(value, type) and value not in self._seen
                    and value.__name__ in (*_CLASSES, _BASE)
                    and value.__module__.split(".")[0] == package
                    and hasattr(value, "destroy")
                    # Not the class of the same name below Python's.
                    and inspect.isfunction(value.__dict__.get("__init__"))):
                self._seen.add(value)
                if value.__name__ == _BASE:
                    self.services.replace(value, "__init__",
                                          self._first(value.__dict__["__init__"], package))
                    continue
                self.services.replace(value, "__init__",
                                      self._constructor(value.__dict__["__init__"], package))
                if "destroy" in value.__dict__:
                    self.services.replace(value, "destroy",
                                          self._destroyer(value.__dict__["destroy"]))

    # ---- the methods

    def _first(self, original: Any, package: str) -> Any:
        @functools.wraps(original)
        def wrapper(buffer: Any, *args: Any, **kwargs: Any) -> Any:
            if self.services.active and self.services.attaching:
                self.services.quietly("preparing counters", self._prepared, package, buffer)
            return original(buffer, *args, **kwargs)

        return wrapper

    def _constructor(self, original: Any, package: str) -> Any:
        @functools.wraps(original)
        def wrapper(buffer: Any, *args: Any, **kwargs: Any) -> Any:
            ready = None
            if self.services.active and self.services.attaching:
                ready = self.services.quietly("preparing counters", self._prepared, package, buffer)
            if ready is None:
                return original(buffer, *args, **kwargs)
            with contextlib.ExitStack() as stack:
                found = self.services.quietly("finding the workspace", stack.enter_context,
                                              ready[1].watch())
                result = original(buffer, *args, **kwargs)
            self.services.quietly("starting the diagnosis", self._begin, buffer, ready[0],
                                  found or [])
            return result

        return wrapper

    def _destroyer(self, original: Any) -> Any:
        @functools.wraps(original)
        def wrapper(buffer: Any, *args: Any, **kwargs: Any) -> Any:
            state = vars(buffer).get(_STATE)
            if state is not None:
                state.close()
            return original(buffer, *args, **kwargs)

        return wrapper

    # ---- the headers

    def _prepared(self, package: str, buffer: Any) -> Optional[Tuple[Headers, "_Workspaces"]]:
        """Have the package build its kernels with counters, from the first one on; None if that
        cannot be. One attempt for each package."""
        with self._lock:
            if package not in self._ready:
                self._ready[package] = None
                version = getattr(sys.modules[package], "__version__", "of an unknown version")
                try:
                    self._ready[package] = self._prepare(package, buffer)
                except (Unusable, NotFound) as error:
                    text = f"DeepEP {version} is not known: not instrumented"
                    self.services.once(logging.WARNING, "%s; %s", text, error)
                    self.services.nothing(text)
            return self._ready[package]

    def _prepare(self, package: str, buffer: Any) -> Tuple[Headers, "_Workspaces"]:
        module = sys.modules[package]
        native = sys.modules.get(package + "._C") or getattr(module, "_C", None)
        if native is None:
            raise Unusable("it has no _C")
        classes = tuple(self._seen)
        if any(issubclass(type(other), classes) and other is not buffer
               for other in gc.get_objects()):
            raise Unusable("a buffer was made before deepxtrace was attached; attach it first")
        workspaces = _Workspaces(str(native.__file__))
        nccl = _call(module, "find_nccl_root")
        if nccl is None:
            raise Unusable("its NCCL cannot be found")
        cuda = _call(module, "find_cuda_home")
        compiler = Compiler(_nvcc(cuda), _architecture(), nccl)
        headers = prepare(os.path.dirname(os.path.abspath(str(module.__file__))), compiler)
        init = getattr(native, "init_jit", None)
        try:
            if init is None:
                raise TypeError("there is no init_jit")
            init(*((headers.root, nccl) if cuda is None else (headers.root, cuda, nccl)))
        except TypeError:
            # Python does not reach the library's compiler: stand before nvcc instead.
            wrapper = nvcc_wrapper(headers, compiler)
            os.environ["EP_JIT_NVCC_COMPILER"] = wrapper
            os.environ["EP_JIT_CACHE_DIR"] = os.path.join(headers.root, "kernels")
        return headers, workspaces

    # ---- the buffers

    def _begin(self, buffer: Any, headers: Headers, workspaces: List[int]) -> None:
        group = getattr(buffer, "group", None)
        if not workspaces:
            self.services.once(logging.WARNING, "the workspace of a DeepEP buffer was not seen: it"
                               " is not diagnosed")
            return
        if group is None or group.size() < 2:
            self.services.nothing("a Buffer of one rank has nobody to wait for")
            return
        import torch
        device = torch.device("cuda", torch.cuda.current_device())
        ranks = group.size()
        state = _Diagnosed(self.services, SlackCounters(
            workspaces[0] + headers.offset, ranks, device,
            getattr(buffer, "num_scaleup_ranks", ranks) == ranks))
        vars(buffer)[_STATE] = state
        weakref.finalize(buffer, state.close)
        # On a thread: it asks the other ranks, which may have nothing to answer with.
        name = f"{type(buffer).__module__}.{type(buffer).__name__}"
        _threads.start("deepxtrace-start", self.services.quietly, "starting the diagnosis",
                       state.start, group, device, name)


class _Diagnosed:
    """What belongs to one buffer."""

    def __init__(self, services: Services, counters: SlackCounters) -> None:
        self._services, self._counters = services, counters
        self._diagnose: Any = None
        self._lock = threading.RLock()

    def start(self, group: Any, device: Any, name: str) -> None:
        diagnose = self._services.diagnose(group, device, _counters=self._counters)
        with self._lock:
            self._diagnose = diagnose
            ended = self._counters.closed
        if ended:
            self._services.end(diagnose)
        else:
            diagnose.tell(name, None, 1)

    def close(self) -> None:
        """Nothing is read any more once this returns: the memory is about to go away."""
        self._counters.close()
        with self._lock:
            diagnose, self._diagnose = self._diagnose, None
        if diagnose is not None:
            self._services.end(diagnose)


# ---- what is asked of the library

def _call(module: Any, name: str) -> Optional[str]:
    function = getattr(module, name, None)
    result = function() if callable(function) else None
    return os.fspath(result) if result else None


def _nvcc(cuda: Optional[str]) -> str:
    """As the library looks for it."""
    named = os.environ.get("EP_JIT_NVCC_COMPILER")
    if named:
        return named
    for home in (cuda, os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")):
        if home:
            return os.path.join(home, "bin", "nvcc")
    return shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"


def _architecture() -> str:
    import torch
    major, minor = torch.cuda.get_device_capability()
    return f"{major}{minor}a"


class _Workspaces:
    """Sees which workspaces a library asks NCCL for, while buffers are constructed."""

    def __init__(self, library: str) -> None:
        self._slot = slot(library, _GETTER)
        self._lock = threading.Lock()
        self._found: Dict[int, List[int]] = {}  # by thread
        self._real: Any = None
        self._before = 0
        # Kept for good: a call of another thread may still be in it when nobody watches any more.
        self._function = _Getter(self._get)
        self._own = ctypes.cast(self._function, ctypes.c_void_p).value or 0

    @contextlib.contextmanager
    def watch(self) -> Iterator[List[int]]:
        """The workspaces that this thread asks for while this lasts."""
        found: List[int] = []
        with self._lock:
            if not self._found:
                self._before = read(self._slot)
                self._real = _Getter(self._before)
                write(self._slot, self._own)
            self._found[threading.get_ident()] = found
        try:
            yield found
        finally:
            with self._lock:
                del self._found[threading.get_ident()]
                if not self._found and read(self._slot) == self._own:
                    write(self._slot, self._before)

    def _get(self, window: Any, offset: int, rank: int, pointer: Any) -> int:
        result = int(self._real(window, offset, rank, pointer))
        if result == 0 and offset == 0 and pointer[0]:
            self._found.get(threading.get_ident(), []).append(int(pointer[0]))
        return result


LIBRARY = DeepEPV2
