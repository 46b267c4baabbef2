# SPDX-License-Identifier: Apache-2.0
"""Tells when modules are imported. Needs nothing but the standard library, little of that, and no
other file of this package: under deepxtrace-run every Python process loads it at its start."""

from __future__ import annotations

import _thread
import sys

TYPE_CHECKING = False  # typing itself is too much to import
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable


#: Packages that have something to attach to, unless others are named.
PACKAGES = ("deep_ep", "deep_ep_v25", "nixl_ep", "flashinfer")
#: Modules that are told of only by this name itself, if collectives of torch are to be timed: when
#: it has been executed, all of it is there.
COLLECTIVES = ("torch",)


class ImportWatcher:
    """Calls `tell(module)` each time a module of one of the named packages has been executed: when
    it is imported, and when it is loaded again. Of the modules in `exact` their own are left out.

    The import itself stays what it is: the spec and the loader are those that the other finders
    found. `tell` must not raise.
    """

    def __init__(self, packages: Iterable[str], tell: Callable[[Any], object],
                 exact: Iterable[str] = ()) -> None:
        self._packages, self._exact = tuple(packages), tuple(exact)
        self._tell = tell
        self._searching = _thread._local()  # type: ignore[attr-defined]

    def concerns(self, name: str) -> bool:
        """Whether a module is one of these packages or in one."""
        return name in self._exact or any(
            name == own or name.startswith(own + ".") for own in self._packages)

    def install(self) -> None:
        """Begin. Modules that are there already are not told of."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """End."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Called by the import machinery."""
        if not self.concerns(name) or getattr(self._searching, "now", False):
            return None
        # Another finder may ask all finders, as this one does.
        self._searching.now = True
        try:
            spec = self._ask_others(name, path, target)
        finally:
            self._searching.now = False
        if spec is not None:
            self._watch(spec.loader)
        return spec

    def _ask_others(self, name: str, path: Any, target: Any) -> Any:
        for finder in list(sys.meta_path):
            search = getattr(finder, "find_spec", None)
            if finder is self or search is None:
                continue
            spec = search(name, path, target)
            if spec is not None:
                return spec
        return None

    def _watch(self, loader: Any) -> None:
        # A loader of Python source is an object for one module, and may have an attribute set; of
        # built-in and extension modules there is nothing to see.
        if not hasattr(loader, "get_source") or isinstance(loader, type):
            return
        execute: Any = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: Any) -> None:
            loader.__dict__.pop("exec_module", None)
            execute(module)
            if self in sys.meta_path:
                self._tell(module)

        try:
            loader.exec_module = exec_module
        except AttributeError:
            pass  # a loader that takes none: its modules are not told of
