# SPDX-License-Identifier: Apache-2.0
"""What processes under `deepxtrace run` tell it, for the line that it says at its end: small files
of JSON in a folder that it names in the environment. Needs nothing but the standard library."""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any, Dict, List, Optional

VARIABLE = "DEEPXTRACE_NOTES"
_LONGEST = 1 << 16


def _write(name: str, what: Dict[str, Any]) -> None:
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        return
    with contextlib.suppress(OSError, ValueError):  # nobody is asked to care
        path = os.path.join(folder, name)
        draft = f"{path}.{os.getpid()}"
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
                     0o600)
        try:
            os.write(fd, json.dumps(what).encode())
        finally:
            os.close(fd)
        os.rename(draft, path + ".json")


def tell(kind: str, **what: Any) -> None:
    """Something that is so; the same once or often."""
    what = {"kind": kind, **what}
    _write(hashlib.sha1(json.dumps(what, sort_keys=True).encode()).hexdigest(), what)


def update(name: str, **what: Any) -> None:
    """How things stand with something of that name."""
    _write(name, {"kind": "diagnosis", **what})


def read(folder: str) -> List[Dict[str, Any]]:
    """All of it."""
    found = []
    for entry in sorted(os.listdir(folder)):
        if not entry.endswith(".json"):
            continue
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(folder, entry), "rb") as file:
                note = json.loads(file.read(_LONGEST))
            if isinstance(note, dict):
                found.append(note)
    return found


def summary(notes: List[Dict[str, Any]], modules: Any) -> str:
    """One line of what was diagnosed, what was found, and where to look; or why nothing was."""
    made = [note for note in notes if note.get("kind") == "diagnosis"]
    ranks = [note for note in notes if note.get("kind") == "rank"]
    if made:
        return "; ".join(_of_one(note) for note in made[:4]) + (
            f"; and {len(made) - 4} more groups" if len(made) > 4 else "")
    if ranks:
        first = ranks[0]
        return (f"{len(ranks)} of {first.get('ranks')} ranks were diagnosed here; rank 0 of the"
                " group has the log, where it ran")
    return f"nothing was diagnosed: {_why(notes, modules)}"


def _of_one(note: Dict[str, Any]) -> str:
    windows, begun = note.get("windows", 0), note.get("begun", 0)
    lasting: Optional[List[str]] = note.get("open")
    found = f"{begun} finding{'' if begun == 1 else 's'}" if begun else "nobody stood out"
    if lasting:
        found += f", at the end: {lasting[0]}"
    if note.get("method") == "ratio":
        found = "judged by the ratio rule"
    if not windows:
        found = "no window was complete"
    return (f"{windows} window{'' if windows == 1 else 's'} of {note.get('ranks')} ranks, {found};"
            f" see {note.get('log')}")


def _why(notes: List[Dict[str, Any]], modules: Any) -> str:
    reasons = [str(note.get("why")) for note in notes if note.get("kind") == "nothing"]
    if reasons:
        return "; ".join(sorted(set(reasons))[:3])
    imported = sorted({str(n.get("module")) for n in notes if n.get("kind") == "imported"})
    if imported:
        return f"no Buffer in low-latency mode was made ({', '.join(imported)} was imported)"
    return (f"no Python program imported {' or '.join(modules)}; what is started with -I, -E or"
            " -S or without its environment is not seen")
