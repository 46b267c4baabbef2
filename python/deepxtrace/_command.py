# SPDX-License-Identifier: Apache-2.0
"""``deepxtrace`` on the command line: the program that the wheel carries."""
from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Become the command; its arguments are those of this process."""
    # The launcher of `deepxtrace run` is Python: with the one that has this package.
    os.environ.setdefault("DEEPXTRACE_PYTHON", sys.executable)
    program = Path(__file__).resolve().parent / "bin" / "deepxtrace"
    try:
        os.execv(program, ["deepxtrace", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"deepxtrace: {program}: {error.strerror}")
