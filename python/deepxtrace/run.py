# SPDX-License-Identifier: Apache-2.0
"""deepxtrace run, which is deepxtrace-run as well: start a command with DeepXTrace attached to the
Python programs in it. The table of options is here; the command `deepxtrace` hands over its own
command line.

This process stays to say at the end what was diagnosed; signals are handed on to the command, and
its exit status is handed back. With --quiet the command takes its place. What the command inherits
is DEEPXTRACE=1, the settings, and a folder in front of PYTHONPATH with a sitecustomize.py, which
every Python process runs at its start: workers that are spawned, torchrun's and those of servers
too.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import glob
import os
import shlex
import shutil
import signal
import sys
import tempfile
from typing import List, MutableMapping, NoReturn, Optional, Set, Tuple

from . import _notes, _supervise
from ._attach import AttachSettings
from ._lib import default
from ._text import clean
from ._watch import PACKAGES
from .adapters._about import adapters_table

_DESCRIPTION = """\
Run a command, and diagnose the expert-parallel communication of the Python
programs that it starts, if they dispatch and combine through a library that
--list-adapters names. The program is not changed. Findings go to
diagnose_rank0.log, windows to diagnose_rank0.jsonl."""
_EPILOG = """\
Examples:
  deepxtrace run --output logs python3 -m sglang.launch_server ...
  deepxtrace run --interval 10 torchrun --nproc-per-node 8 train.py

An option overrides the environment variable of its name: --interval overrides
DEEPXTRACE_INTERVAL, and so on. With DEEPXTRACE=0 the command runs as it is.
Exit status: the command's; 2 bad usage, 3 no Python package, 126 the command
cannot be run, 127 it was not found."""


_OPTIONS = ("--interval", "--output", "--method", "--modules", "--min-share")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as the command deepxtrace does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        usage="%(prog)s [OPTION]... [--] CMD [ARG]...",
        allow_abbrev=False,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--interval", metavar="SECONDS",
                        help=f"diagnose at this interval ({default('interval_s'):g})")
    parser.add_argument("--output", metavar="FOLDER",
                        help="write the log and the recording there (.)")
    parser.add_argument("--method", metavar="NAME", help="robust (default) or ratio")
    parser.add_argument("--modules", metavar="NAMES",
                        help=f"look for a Buffer in these packages ({', '.join(PACKAGES)})")
    parser.add_argument("--min-share", metavar="PART",
                        help="report findings from this share of the step on "
                             f"({100 * default('min_share'):g}%%)")
    parser.add_argument("--collectives", action="store_const", const="1",
                        help="measure torch.distributed.all_to_all_single, too")
    parser.add_argument("--mpi", action="store_true",
                        help="measure MPI_Alltoall and MPI_Alltoallv of any program, too")
    parser.add_argument("--list-adapters", action="version", version=adapters_table(),
                        help="list the libraries that it can attach to, and exit")
    parser.add_argument("--quiet", action="store_const", const="1",
                        help="say nothing on standard error when attached, nor at the end")
    return parser


def _split(arguments: List[str]) -> Tuple[List[str], List[str]]:
    """Our options, and the command with its own, of which nothing is taken away."""
    index = 0
    while index < len(arguments) and arguments[index].startswith("-"):
        if arguments[index] == "--":
            return arguments[:index], arguments[index + 1:]
        index += 2 if arguments[index] in _OPTIONS else 1
    return arguments[:index], arguments[index:]


def prepare(
    environment: MutableMapping[str, str], settings: MutableMapping[str, Optional[str]]
) -> None:
    """Put into an environment what attaches the Python processes that get it. Raises ValueError if
    a setting makes no sense."""
    read = AttachSettings.read(settings, environment)
    if not read.enabled:
        return
    _check_output(read.output or environment.get("DEEPEP_DIAGNOSE_LOG_PATH") or ".")
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_inject")
    if os.pathsep in folder:
        raise ValueError(f"{folder!r} cannot be put into PYTHONPATH: install deepxtrace in a "
                         f"folder without {os.pathsep!r}")
    environment["DEEPXTRACE"] = "1"
    for name, value in settings.items():
        if value is not None:
            # Workers may have another current folder.
            text = os.path.abspath(value) if name == "output" else value
            environment["DEEPXTRACE_" + name.upper()] = text
    path = environment.get("PYTHONPATH", "")
    if path.split(os.pathsep)[0] != folder:
        environment["PYTHONPATH"] = folder + (os.pathsep + path if path else "")


def _check_output(folder: str) -> None:
    """Raises ValueError if no file can be made in a folder, or the folder itself not. Leaves
    nothing behind: folders are made when there is something to write, and others may make or use
    them meanwhile."""
    there = os.path.abspath(folder)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise ValueError(f"cannot write to {folder}: {error.strerror}") from None


def _run(command: List[str], settings: AttachSettings, before: Set[int]) -> NoReturn:
    """Run the command, say what was diagnosed, and end as it did. ``before`` is of hold(). Raises
    OSError if it cannot be run."""
    notes = ""
    with contextlib.suppress(OSError):  # without room for notes there is less to say
        notes = os.environ[_notes.VARIABLE] = tempfile.mkdtemp(prefix="deepxtrace-run-")
    try:
        status = _supervise.wait(_supervise.start(command, before))
        with contextlib.suppress(OSError, ValueError, AttributeError):
            text = _notes.summary(_notes.read(notes), settings.modules)
            print(f"deepxtrace: {clean(text)}", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(notes, ignore_errors=True)
    _supervise.end_like(status)


#: What is preloaded for --mpi.
_PRELOADED = "libdeepxtrace-pmpi.so.0"


def _find_preloaded() -> str:
    """Where that is: where DEEPXTRACE_LIBRARY_PATH says, in the package, or where the command is
    installed. Raises ValueError if it is nowhere."""
    package = os.path.dirname(os.path.abspath(__file__))
    root = os.path.join(package, "..", "..", "..", "..")
    folders = [os.environ.get("DEEPXTRACE_LIBRARY_PATH", ""), os.path.join(package, "lib"),
               os.path.join(root, "lib"), *glob.glob(os.path.join(root, "lib", "*-linux-gnu"))]
    for folder in filter(None, folders):
        path = os.path.realpath(os.path.join(folder, _PRELOADED))
        if os.path.isfile(path):
            if ":" in path or " " in path:
                raise ValueError(f"{path!r} cannot be put into LD_PRELOAD: install it in a folder "
                                 "without colons and blanks")
            return path
    raise ValueError(f"--mpi needs {_PRELOADED}, which is not installed; docs/packaging.md says "
                     "which package has it")


def preload_mpi(environment: MutableMapping[str, str]) -> None:
    """Put into an environment what diagnoses the MPI programs that get it."""
    before = environment.get("LD_PRELOAD", "")
    environment["LD_PRELOAD"] = _find_preloaded() + (":" + before if before else "")


def _is_of_the_job(option: str, job_options: str) -> bool:
    name = option.partition("=")[0] if option.startswith("--") else option[:2]
    return name in job_options.split()


def main(arguments: Optional[List[str]] = None, job_options: str = "") -> NoReturn:
    """The console script. Does not return. ``job_options`` are those of ``deepxtrace job``, if it
    was the command that called: who means that is told."""
    parser = _parser("deepxtrace run" if job_options else "deepxtrace-run")
    given = sys.argv[1:] if arguments is None else arguments
    options, command = _split(given)
    known, strange = parser.parse_known_args(options)
    if strange and _is_of_the_job(strange[0], job_options):
        parser.error(f"{strange[0]} is an option of the built-in job: deepxtrace job "
                     + " ".join(map(shlex.quote, given)))
    if strange:
        name = strange[0].partition("=")[0]
        meant = difflib.get_close_matches(name, parser._option_string_actions, 1)
        hint = f"did you mean {meant[0]}?" if meant else f"see {parser.prog} --help"
        parser.error(f"unknown option {name!r} ({hint})")
    settings = vars(known)
    mpi = settings.pop("mpi")
    if not command:
        parser.error("no command was given"
                     + ("; the built-in job is: deepxtrace job" if job_options else ""))
    before = _supervise.hold()  # who is interrupted leaves no folder behind
    try:
        prepare(os.environ, settings)
        if mpi and os.environ.get("DEEPXTRACE") == "1":
            preload_mpi(os.environ)
    except ValueError as error:
        _supervise.release(before)
        parser.error(str(error))
    for name in ("SIGPIPE", "SIGXFSZ"):
        # Python ignores them, and what is ignored would be inherited.
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        attached = AttachSettings.read({}, os.environ)
        # Within another launcher that one speaks, and MPI programs do so themselves.
        if (attached.enabled and not attached.quiet and not mpi
                and _notes.VARIABLE not in os.environ):
            _run(command, attached, before)
        _supervise.release(before)
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{parser.prog}: {command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main()
