# SPDX-License-Identifier: Apache-2.0
"""What deepxtrace-run puts in front of the module path of every Python process that it starts, also
through others: attaches DeepXTrace when a library that it knows is imported, then gets out of the
way of the environment's own sitecustomize."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself is too much to import
if TYPE_CHECKING:
    from typing import Any


def _package(folder: str) -> Any:
    """The package deepxtrace: the one installed for this interpreter, else the one that this file
    belongs to."""
    import importlib.util

    try:
        import deepxtrace
    except ImportError:
        spec: Any = importlib.util.spec_from_file_location(
            "deepxtrace",
            os.path.join(folder, "__init__.py"),
            submodule_search_locations=[folder],
        )
        deepxtrace = sys.modules["deepxtrace"] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(deepxtrace)
        except BaseException:
            del sys.modules["deepxtrace"]
            raise
    return deepxtrace


def _warn(folder: str, error: Exception) -> None:
    import logging

    try:  # for the launcher's last line
        scope: dict[str, Any] = {"__name__": "deepxtrace._notes"}
        with open(os.path.join(folder, "_notes.py"), "rb") as source:
            exec(compile(source.read(), source.name, "exec"), scope)
        scope["tell"]("nothing", why=f"DeepXTrace could not be attached: {error}")
    except Exception:
        pass
    logging.getLogger("deepxtrace").warning(
        "DeepXTrace is not attached to this process (%s: %s)", type(error).__name__, error
    )


def _wait_for_import(folder: str) -> None:
    if os.environ.get("DEEPXTRACE", "").strip().lower() not in ("1", "true", "on", "yes"):
        return
    # Not as a module of the package: that would import all of it, and NumPy, into every process.
    scope: dict[str, Any] = {"__name__": "deepxtrace._watch"}
    with open(os.path.join(folder, "_watch.py"), "rb") as source:
        exec(compile(source.read(), source.name, "exec"), scope)
    names = os.environ.get("DEEPXTRACE_MODULES", "").replace(",", " ").split()

    attachments: list[Any] = []  # one, or None if it failed: there is no second attempt

    def tell(module: Any) -> None:
        if not attachments:
            try:
                import numpy  # noqa: F401  # Without it each part would fail, and say so.

                attachments.append(_package(folder).attach())
            except Exception as error:
                attachments.append(None)
                _warn(folder, error)
        if attachments[0] is not None:
            attachments[0].examine(module)

    timed = os.environ.get("DEEPXTRACE_COLLECTIVES", "").strip().lower() in ("1", "true", "on",
                                                                             "yes")
    watcher = scope["ImportWatcher"](names or scope["PACKAGES"], tell,
                                     scope["COLLECTIVES"] if timed else ())
    watcher.install()


def _run_the_other(here: str) -> None:
    """The sitecustomize that would have been run without this one."""
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import]  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this


_here = os.path.realpath(os.path.dirname(__file__))
try:
    _wait_for_import(os.path.dirname(_here))
except Exception as _error:
    _warn(os.path.dirname(_here), _error)
_run_the_other(_here)
