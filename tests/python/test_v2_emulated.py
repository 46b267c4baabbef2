# SPDX-License-Identifier: Apache-2.0
"""The counters of DeepEP V2's barriers at work: edited stand-in headers, compiled for the CPU, on
which threads of three GPUs take turns. All happens in the same order each time."""
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from deepxtrace.adapters import _deepep_build
from deepxtrace.adapters._deepep_headers import LAYOUTS
from v2_headers import write_headers

HERE = Path(__file__).parent
RANKS, STEPS = 3, 96
#: Where the counters lie behind what each generation uses.
OFFSETS = {"2.1": 14610304, "2.5": 16707456}
#: In the place of what is said in PTX.
ON_A_CPU = """
inline unsigned load(const void *word) { return *static_cast<const unsigned *>(word); }
inline void store(unsigned *word, unsigned value) { *word = value; }
inline void add(Word *word, Word value) { *word += value; }

"""


@pytest.fixture(scope="module", params=[layout.name for layout in LAYOUTS])
def program(request: Any, tmp_path_factory: Any) -> List[str]:
    folder = tmp_path_factory.mktemp("emulated")
    layout, files = _deepep_build.edited(str(write_headers(folder, request.param)))
    own = files["deep_ep/deepxtrace.cuh"]
    begin = own.index("__device__ __forceinline__ unsigned load(")
    end = own.index("// What one thread has seen of a barrier.")
    files["deep_ep/deepxtrace.cuh"] = own[:begin] + ON_A_CPU + own[end:]
    for name, text in files.items():
        path = folder / "edited" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    made = subprocess.run(
        ["c++", "-std=c++20", "-O1", "-w", f"-I{folder / 'edited'}", f"-I{HERE}",
         f"-DGENERATION={1 if request.param == '2.1' else 2}",
         f"-DDISPATCH=<{layout.folder}dispatch.cuh>", "-o", str(folder / "program"),
         str(HERE / "v2_emulate.cpp")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout.decode()
    return [str(folder / "program"), str(STEPS), str(OFFSETS[request.param])]


Counters = Dict[Tuple[int, int], Tuple[int, List[int], List[int]]]


def run(program: List[str], late: int, slow: int) -> Counters:
    """Operations, waits and samples by rank and operator."""
    path, steps, offset = program
    said = subprocess.run([path, steps, str(late), str(slow), offset], stdout=subprocess.PIPE,
                          check=True, timeout=100).stdout.decode()
    lines = [list(map(int, line.split())) for line in said.splitlines()]
    return {(rank, operator): (rest[0], rest[1:1 + RANKS], rest[1 + RANKS:])
            for rank, operator, *rest in lines}


def watched(first: int, part: int) -> int:
    """Of the barriers `first`, `first` + 4, …: those whose hash is in the lowest 1 / `part`."""
    count = 0
    for step in range(STEPS):
        product = ((4 * step + first) >> 2) * 0x9e3779b1 % 2**32
        count += (product ^ product >> 15) * 0x85ebca77 % 2**32 <= (2**32 - 1) // part
    return count


def test_operations_and_samples(program: List[str]) -> None:
    counters = run(program, 0, 0)
    of = [watched(1, 8), watched(2, 16), watched(3, 8), watched(4, 16)]
    for (rank, operator), (operations, _, samples) in counters.items():
        assert operations == STEPS
        for other in range(RANKS):
            # The very first word may not have been there yet.
            assert samples[other] in ([0] if other == rank else [of[operator], of[operator] - 1])
    for operator, count in enumerate(of):
        part = (8, 16)[operator % 2]
        assert STEPS / (2 * part) <= count <= 2 * STEPS / part


def test_who_is_late_is_waited_for_at_the_entry(program: List[str]) -> None:
    counters = run(program, 100, 0)
    for rank in (0, 2):
        waits, samples = counters[rank, 0][1:]
        assert 98 <= waits[1] / samples[1] <= 104
        assert waits[2 - rank] / samples[2 - rank] < 3
    for operator in (1, 2, 3):
        assert all(wait <= 3 * STEPS for rank in range(RANKS)
                   for wait in counters[rank, operator][1])
    assert all(wait <= 3 * STEPS for wait in counters[1, 0][1])


def test_who_sends_slowly_is_waited_for_at_the_exit(program: List[str]) -> None:
    counters = run(program, 0, 50)
    for rank in (0, 2):
        waits, samples = counters[rank, 3][1:]
        assert 48 <= waits[1] / samples[1] <= 54
        assert waits[2 - rank] / samples[2 - rank] < 3
    for operator in (0, 1, 2):
        assert all(wait <= 3 * STEPS for rank in range(RANKS)
                   for wait in counters[rank, operator][1])
