# SPDX-License-Identifier: Apache-2.0
"""Where DeepEP V2's headers with wait counters are made, tried and kept.

Each set of headers has a folder in the cache, named after all that it depends on: the package's
headers, ours, the compiler and the GPU. It is made once, by one process of the machine, and holds
what came of the trial: a set that does not compile is not used, now or later. Everything that
compiles here is a process of its own, so that nothing of it can end the job.
"""
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO, Dict, Iterator, List, Optional, Sequence, Tuple

from ._deepep_headers import LAYOUTS, OWN_HEADER, Layout, UnknownVersion

_VERDICT = "verdict.json"
_TRIAL_SECONDS = 300.0
#: How long the other processes of a machine wait for the one that tries.
_LOCK_SECONDS = 2 * _TRIAL_SECONDS
_POLL_SECONDS = 0.1
#: Of the package's headers; more is none that we know.
_MOST_FILES, _MOST_BYTES = 1000, 1 << 26


class Unusable(Exception):
    """There are no headers with counters for this package here; the text says why."""


@dataclass(frozen=True)
class Headers:
    """Headers that compile."""

    root: str  #: folder with include/ in it
    offset: int  #: of the counters in the workspace, in bytes


@dataclass(frozen=True)
class Compiler:
    """What the library's own kernels are compiled with."""

    nvcc: str
    architecture: str  #: "90a"
    nccl_root: str


def prepare(package: str, compiler: Compiler, cache: Optional[str] = None) -> Headers:
    """The headers for the package in a folder. Compiles if this machine has not yet; Unusable if
    there are none."""
    include = os.path.join(package, "include")
    try:
        layout, files = edited(include)
    except UnknownVersion as error:
        raise Unusable(f"its headers are not known ({error})") from None
    except OSError as error:
        raise Unusable(f"headers cannot be read ({error})") from None
    folder = os.path.join(cache or cache_folder(), "deepep-" + _key(files, compiler))
    if not os.path.exists(os.path.join(folder, _VERDICT)):
        with _lock(folder + ".lock"):
            if not os.path.exists(os.path.join(folder, _VERDICT)):
                _make(folder, layout, files, compiler)
    with open(os.path.join(folder, _VERDICT), encoding="utf-8") as file:
        verdict = json.load(file)
    if not verdict["ok"]:
        raise Unusable(f"its headers with counters do not compile ({verdict['reason']}; "
                       f"{os.path.join(folder, 'trial.log')})")
    return Headers(folder, int(verdict["offset"]))


def edited(include: str) -> Tuple[Layout, Dict[str, str]]:
    """All headers of a package with the edits, by name. Raises UnknownVersion."""
    files = _read(include)
    layout = next((one for one in LAYOUTS if one.barrier in files), None)
    if layout is None:
        raise UnknownVersion("its file with the barriers was not found")
    if OWN_HEADER[1] in files:
        raise UnknownVersion(f"it has a {OWN_HEADER[1]} already")
    for name, edits in layout.edits.items():
        if name not in files:
            raise UnknownVersion(f"there is no {name}")
        for edit in edits:
            files[name] = edit.apply(files[name], name)
    with open(os.path.join(os.path.dirname(__file__), OWN_HEADER[0]), encoding="utf-8") as file:
        files[OWN_HEADER[1]] = file.read()
    return layout, files


def _read(include: str) -> Dict[str, str]:
    files: Dict[str, str] = {}
    left = _MOST_BYTES
    for folder, _, names in os.walk(include):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                text = file.read(left + 1)
            left -= len(text)
            if left < 0 or len(files) >= _MOST_FILES:
                raise UnknownVersion(f"{include} has more or larger files than headers")
            files[os.path.relpath(path, include)] = text
    return files


def _key(files: Dict[str, str], compiler: Compiler) -> str:
    try:
        version = subprocess.run([compiler.nvcc, "--version"], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=True,
                                 timeout=_TRIAL_SECONDS).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unusable(f"{compiler.nvcc} cannot be run ({error})") from None
    digest = hashlib.sha256()
    for part in (compiler.architecture, os.path.realpath(compiler.nccl_root), version.decode(
            errors="replace"), *(item for name in sorted(files) for item in (name, files[name]))):
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()[:24]


# ---- the cache


def cache_folder() -> str:
    """The first folder of these that can be written: what DEEPXTRACE_CACHE names, the user's cache,
    a private folder for temporary files. Raises Unusable."""
    wanted = os.environ.get("DEEPXTRACE_CACHE", "")
    user = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser("~/.cache")
    for folder in ([wanted] if wanted else [
            os.path.join(user, "deepxtrace"),
            os.path.join(tempfile.gettempdir(), f"deepxtrace-{os.geteuid()}")]):
        if os.path.isabs(folder) and _usable(folder):
            return folder
    raise Unusable("no folder for generated headers can be written: name one in DEEPXTRACE_CACHE")


def _usable(folder: str) -> bool:
    """Whether nobody else can put something into the folder, and we can."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        state = os.lstat(folder)
    except OSError:
        return False
    return (stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid()
            and not state.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK)
            and not os.statvfs(folder).f_flag & os.ST_RDONLY)


@contextlib.contextmanager
def _lock(path: str) -> Iterator[None]:
    """One process at a time, of those that see this file. The lock ends with its process."""
    import time
    deadline = time.monotonic() + _LOCK_SECONDS
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)) as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Unusable(f"another process holds {path}") from None
                time.sleep(_POLL_SECONDS)
        yield


def _make(folder: str, layout: Layout, files: Dict[str, str], compiler: Compiler) -> None:
    """Write the headers and try them, beside the folder, then give it its name."""
    work = tempfile.mkdtemp(prefix=os.path.basename(folder) + ".", dir=os.path.dirname(folder))
    try:
        for name, text in files.items():
            path = os.path.join(work, "include", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(text)
        verdict = _try(work, layout, compiler)
        with open(os.path.join(work, _VERDICT), "w", encoding="utf-8") as file:
            json.dump(verdict, file)
        shutil.rmtree(folder, ignore_errors=True)  # what a process that was killed has left
        os.rename(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def nvcc_wrapper(headers: Headers, compiler: Compiler) -> str:
    """A program that is nvcc with these headers in front, for a library that cannot be told of them
    in another way."""
    path = os.path.join(headers.root, "nvcc")
    include = shlex.quote(os.path.join(headers.root, "include"))
    real = shlex.quote(compiler.nvcc)
    own = tempfile.NamedTemporaryFile("w", dir=headers.root, delete=False, encoding="utf-8")
    with own as file:
        file.write(f"#!/bin/sh\ncase \"$*\" in *--version*) exec {real} \"$@\" ;; esac\n"
                   f"exec {real} -I {include} \"$@\"\n")
    os.chmod(own.name, 0o700)
    os.replace(own.name, path)
    return path


# ---- the trial


def _try(work: str, layout: Layout, compiler: Compiler) -> Dict[str, object]:
    """Compile one kernel of each kind, and ask where the counters are."""
    with open(os.path.join(work, "trial.log"), "w", encoding="utf-8") as log:
        running: List[Tuple[str, subprocess.Popen[bytes]]] = []
        for name, text in trial_sources(layout).items():
            source = os.path.join(work, name + ".cu")
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            running.append((name, _start(trial_command(source, work, compiler), work, log)))
        try:
            for name, process in running:
                if process.wait(_TRIAL_SECONDS) != 0:
                    return {"ok": False, "reason": f"{name}: nvcc failed"}
        except subprocess.TimeoutExpired:
            return {"ok": False, "reason": f"nvcc took more than {_TRIAL_SECONDS:.0f} s"}
        finally:
            for _, process in running:
                process.kill()
                process.wait()
        try:
            asked = subprocess.run([os.path.join(work, "offset")], stdout=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, check=True, timeout=_TRIAL_SECONDS)
            return {"ok": True, "offset": int(asked.stdout)}
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return {"ok": False, "reason": f"the offset of the counters is not known: {error}"}


def _start(command: Sequence[str], work: str, log: IO[str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(command, cwd=work, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, env={**os.environ, "DEEPXTRACE": "0"})
    except OSError as error:
        raise Unusable(f"{command[0]} cannot be run ({error})") from None


def trial_command(source: str, work: str, compiler: Compiler) -> List[str]:
    """Compile a trial's source, as the library compiles its kernels."""
    name = os.path.splitext(source)[0]
    what = (["-o", name] if name.endswith("offset") else ["-cubin", "-o", name + ".cubin"])
    return [compiler.nvcc, source, *what, "-std=c++20",
            "-w", "-I",
            os.path.join(compiler.nccl_root, "include"), "-I" + os.path.join(work, "include"),
            f"--gpu-architecture=sm_{compiler.architecture}",
            "--compiler-options=-fPIC,-fconcepts,-Wno-deprecated-declarations,-Wno-abi", "-O3",
            "--ptxas-options=--register-usage-level=10,--verbose", "--expt-relaxed-constexpr",
            "--expt-extended-lambda"]


def trial_sources(layout: Layout) -> Dict[str, str]:
    """A program that says where the counters are, and one kernel of each kind: direct and hybrid,
    over NVLink."""
    sources = {"offset": f"#include <cstdio>\n#include <{layout.size_header}>\n"
                         "#include <deep_ep/deepxtrace.cuh>\n"
                         "int main() { std::printf(\"%lld\\n\", static_cast<long long>("
                         f"deepxtrace::area_offset<{layout.used}>())); }}\n"}
    for name, arguments in layout.kernels.items():
        sources[name] = (f"#include <{layout.folder}{name}.cuh>\nusing namespace {layout.space};\n"
                         "static void instance() {\n    auto kernel = reinterpret_cast<void*>(&"
                         f"{name}_impl<{arguments}>);\n}}\n")
    return sources
