# SPDX-License-Identifier: Apache-2.0
"""Libraries that attach() knows, one file each: what their classes are called, and where their
waits come from.

A new one is a file with a class that is derived from Adapter, its name in _FILES, and the packages
that it is found in in PACKAGES of _watch.py. An adapter changes nothing by itself: what it puts in
the place of methods goes through `services.replace()`, so that detach() can undo it. Whatever it
raises is said once in the log, and the program's call is made as it made it.
"""
from __future__ import annotations

import importlib
import logging
from typing import Any, Callable, Iterator, Protocol, Type

log = logging.getLogger("deepxtrace")

#: Files of this folder, in the order in which they look at a module.
_FILES = ("deep_ep", "deepep_v2", "nixl_ep", "deep_ep_normal", "hybrid_ep", "flashinfer",
          "collectives")


class Services(Protocol):
    """What attach() does for its adapters."""

    #: False once it has been undone: wrappers that are still called only pass calls on.
    active: bool
    #: Whether Buffers get a diagnosis of their own; else only calls that carry tensors of a
    #: Diagnose that the program has made are watched.
    attaching: bool
    #: What attach() was told.
    settings: Any

    def replace(self, owner: type, name: str, wrapper: Any) -> None:
        """Put a wrapper in the place of a method that `owner` itself defines."""

    def once(self, level: int, text: str, *arguments: Any, key: str = "") -> None:
        """Say something once in the life of the process, through the logger `deepxtrace`. `key`
        names what is to be said once, where that is not the text."""

    def nothing(self, why: str) -> None:
        """Tell why something that was found is not diagnosed; the command says so at its end if
        nothing else was."""

    def quietly(self, doing: str, call: Callable[..., Any], *args: Any) -> Any:
        """Call; None, and a line in the log, if it raises."""

    def failed(self, doing: str, error: Exception) -> None:
        """Something of ours failed; said once."""

    def diagnose(self, group: Any, device: Any, **more: Any) -> Any:
        """A Diagnose of a group, with the settings of attach(); `more` goes to its constructor. It
        is stopped by detach(), or by end()."""

    def end(self, diagnose: Any) -> None:
        """Stop a Diagnose, on a thread of its own."""

    def watched(self, tensor: Any) -> Any:
        """The Diagnose whose counters a tensor is, or None."""


class Adapter:
    """One library."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def examine(self, module: Any) -> None:
        """A module of one of the packages has been executed, perhaps again: wrap what is in it."""
        raise NotImplementedError

    def forget(self) -> None:
        """Everything that was replaced is as it was: begin anew with the next module."""

    def renew_locks(self) -> None:
        """In a forked child, where no other thread is left to release one."""


def load(services: Services) -> Iterator[Adapter]:
    """One adapter of each kind. One that cannot be loaded is said in the log."""
    for name in _FILES:
        try:
            kind: Type[Adapter] = importlib.import_module(f"{__name__}.{name}").LIBRARY
            yield kind(services)
        except Exception as error:
            services.failed(f"loading the adapter of {name}", error)
