# SPDX-License-Identifier: Apache-2.0
"""The counters of DeepEP V2's barriers at work: edited stand-in headers, compiled for the CPU, on
which threads of three GPUs take turns. All happens in the same order each time."""
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest

from deepxtrace.adapters import _deepep_build
from deepxtrace.adapters._deepep_headers import LAYOUTS
from v2_headers import write_headers

HERE = Path(__file__).parent
RANKS, STEPS = 3, 24
#: Rounds that a barrier takes at most where nobody is late.
IDLE = 24
#: Where the counters lie behind what each generation uses.
OFFSETS = {"2.1": 14610176, "2.5": 16707328}
#: In the place of what is said in PTX.
ON_A_CPU = """
inline unsigned load(const void *word) { return *static_cast<const unsigned *>(word); }
inline Word load_long(const void *word) { return *static_cast<const Word *>(word); }
inline void store_long(Word *word, Word value) { *word = value; }
inline void store(unsigned *word, unsigned value)
{
    if (emulator::current->gpu != emulator::mute) *word = value;
}
inline void add(Word *word, Word value) { *word += value; }

"""


def compiled(folder: Path, generation: str, source: str, *defines: str) -> str:
    """A program of the edited headers."""
    _, files = _deepep_build.edited(str(write_headers(folder, generation)))
    own = files["deep_ep/deepxtrace.cuh"]
    begin = own.index("__device__ __forceinline__ unsigned load(")
    end = own.index("// Cycles since then;")
    files["deep_ep/deepxtrace.cuh"] = own[:begin] + ON_A_CPU + own[end:]
    for name, text in files.items():
        path = folder / "edited" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = folder / source.replace(".cpp", "")
    made = subprocess.run(
        ["c++", "-std=c++20", "-O1", "-w", f"-I{folder / 'edited'}", f"-I{HERE}",
         f"-DGENERATION={1 if generation == '2.1' else 2}", *defines, "-o", str(program),
         str(HERE / source)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout.decode()
    return str(program)


def folder_of(generation: str) -> str:
    return next(layout.folder for layout in LAYOUTS if layout.name == generation)


GENERATIONS = [layout.name for layout in LAYOUTS]


def program_of(folder: Path, generation: str, nvlink: int, sms: int) -> List[str]:
    return [compiled(folder, generation, "v2_emulate.cpp", f"-DNVLINK={nvlink}", f"-DSMS={sms}",
                     f"-DDISPATCH=<{folder_of(generation)}dispatch.cuh>"),
            str(STEPS), str(OFFSETS[generation])]


@pytest.fixture(scope="module", params=[(one, sms) for one in GENERATIONS for sms in (1, 3)])
def program(request: Any, tmp_path_factory: Any) -> List[str]:
    generation, sms = request.param
    return program_of(tmp_path_factory.mktemp("emulated"), generation, 1, sms)


Counters = Dict[Tuple[int, int], Tuple[int, List[int], List[int]]]


def run(program: List[str], late: int, slow: int, mute: int = -1, foreign: int = -1,
        hang: int = -1, barriers: int = 2, backwards: int = 0, before: int = 0, second: int = 0,
        turns: int = 0) -> Counters:
    """Operations, waits and samples by rank and operator."""
    path, steps, offset = program
    return counters_of([path, steps, str(late), str(slow), offset,
                        *map(str, (mute, foreign, hang, barriers, backwards, before, second,
                                   turns))], RANKS)


def begun(program: List[str], slow: int, hang: int) -> Dict[int, List[int]]:
    """By rank: operators that it has begun."""
    path, steps, offset = program
    lines = lines_of([path, steps, "0", str(slow), offset, "-1", "-1", str(hang), "2", "0", "0",
                      "0", "0"])
    return {rank: [line[3] for line in lines if line[0] == rank] for rank in range(RANKS)}


def lines_of(command: List[str]) -> List[List[int]]:
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=100).stdout.decode()
    return [list(map(int, line.split())) for line in said.splitlines()]


def counters_of(command: List[str], ranks: int) -> Counters:
    return {(rank, operator): (operations, rest[:ranks], rest[ranks:])
            for rank, operator, operations, _, *rest in lines_of(command)}


def test_operations_and_samples(program: List[str]) -> None:
    for (rank, operator), (operations, _, samples) in run(program, 0, 0).items():
        assert operations == (STEPS if operator % 2 == 0 else 0)
        for other in range(RANKS):
            # The very first word may not have been there yet.
            assert samples[other] in ([0] if other == rank else [STEPS, STEPS - 1])


def test_a_rank_that_tells_nobody_holds_nobody_up(program: List[str]) -> None:
    for (rank, operator), (operations, waits, samples) in run(program, 100, 0, mute=1).items():
        if rank == 1:
            continue
        assert operations == (STEPS if operator % 2 == 0 else 0)
        assert samples[1] == waits[1] == samples[rank] == 0
        assert samples[2 - rank] in (STEPS, STEPS - 1) and waits[2 - rank] <= IDLE * STEPS


def test_nothing_is_watched_behind_barriers_of_other_kernels(program: List[str]) -> None:
    for (rank, operator), (operations, _, samples) in run(program, 0, 0, foreign=8).items():
        assert operations == (STEPS if operator % 2 == 0 else 0)
        for other in range(RANKS):
            assert samples[other] in ([0] if other == rank else [8, 7])


@pytest.mark.parametrize("backwards", [0, 1])
def test_a_single_barrier_of_another_kernel_holds_nobody_up(program: List[str],
                                                            backwards: int) -> None:
    """Whether a rank notices is a matter of who is first. Once in 1,024 barriers all do."""
    counters = run(program, 100, 0, foreign=8, barriers=1, backwards=backwards, before=960)
    for (rank, operator), (operations, waits, samples) in counters.items():
        assert operations == (STEPS if operator % 2 == 0 else 0)
        for other in range(RANKS):
            assert samples[other] in ([0] if other == rank else range(7, 17))
            assert waits[other] <= (118 * 8 if operator == 0 and other == 1 else IDLE * STEPS)


def test_an_operation_that_waits_in_its_entry_is_not_done(program: List[str]) -> None:
    for (rank, operator), (operations, _, samples) in run(program, 0, 0, hang=5).items():
        assert operations == (5 if operator % 2 == 0 else 0)
        assert rank == 1 or samples[1] in (5, 4)


def test_a_rank_that_hangs_has_begun_less_than_those_who_wait_for_it(program: List[str]) -> None:
    before_dispatch = begun(program, 0, 5)
    assert before_dispatch == {0: [6, 5, 5, 5], 1: [5, 5, 5, 5], 2: [6, 5, 5, 5]}
    inside_combine = begun(program, 1000000, 9)  # that the others wait for at their exit
    assert inside_combine == {0: [1, 1, 1, 1], 1: [1, 1, 1, 0], 2: [1, 1, 1, 1]}


def test_who_is_late_is_waited_for_at_the_entry(program: List[str]) -> None:
    counters = run(program, 100, 0)
    for rank in (0, 2):
        waits, samples = counters[rank, 0][1:]
        assert 98 <= waits[1] / samples[1] <= 100 + IDLE
        assert waits[2 - rank] / samples[2 - rank] < 3
    for operator in (1, 2, 3):
        assert all(wait <= IDLE * STEPS for rank in range(RANKS)
                   for wait in counters[rank, operator][1])
    assert all(wait <= IDLE * STEPS for wait in counters[1, 0][1])


def test_each_of_two_late_ranks_is_waited_for_as_long_as_it_is_late(program: List[str]) -> None:
    """The last one by the first SM, the other one by the last SM from its first look on."""
    waits, samples = run(program, 200, 0, second=100)[0, 0][1:]
    assert 198 <= waits[1] / samples[1] <= 200 + IDLE
    assert 100 - IDLE <= waits[2] / samples[2] <= 102


def test_what_a_barrier_takes_is_no_wait_once_it_is_known(program: List[str]) -> None:
    """Ranks 1 and 2 take turns to be late, and know it from when they were the last one."""
    counters = run(program, 200, 0, turns=40)
    mean = {(rank, late): waits[late] / samples[late] for (rank, operator), (_, waits, samples)
            in counters.items() if operator == 0 for late in (1, 2) if late != rank}
    for late in (1, 2):
        # Late by 200 at every other step, and 40 rounds more where it is not known what these are.
        assert 90 <= mean[3 - late, late] <= 102 < 110 <= mean[0, late]


@pytest.mark.parametrize("first", [1, 11, 8000])
def test_the_mean_of_what_a_barrier_takes_comes_from_any_value(tmp_path: Path, first: int) -> None:
    source = tmp_path / "mean.cpp"
    source.write_text(f"""#include "v2_emulator.h"
#include <{folder_of("2.1")}dispatch.cuh>
int main() {{
    static deepxtrace::Area area;
    const auto who = deepxtrace::awaited_of(7, 0, deepxtrace::kNobody);
    area.idle = {first};
    for (int k = 0; k < 300; k++)
        deepxtrace::account(&area, 7, {{who, 7, 1000, 2500}}, area.idle);
    printf("%llu\\n", area.idle);
}}
""")
    program = compiled(tmp_path, "2.1", str(source))
    mean = int(subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout)
    assert 1480 <= mean <= 1520


def test_who_sends_slowly_is_waited_for_at_the_exit(program: List[str]) -> None:
    counters = run(program, 0, 50)
    for rank in (0, 2):
        waits, samples = counters[rank, 3][1:]
        assert 48 <= waits[1] / samples[1] <= 50 + IDLE
        assert waits[2 - rank] / samples[2 - rank] < 3
    for operator in (0, 1, 2):
        assert all(wait <= IDLE * STEPS for rank in range(RANKS)
                   for wait in counters[rank, operator][1])


@pytest.mark.parametrize("generation", GENERATIONS)
def test_barriers_over_a_network_know_who_came_when(generation: str, tmp_path: Path) -> None:
    program = program_of(tmp_path, generation, 0, 2)
    for late, slow, operator in ((100, 0, 0), (0, 50, 3)):
        counters = run([program[0], "8", program[2]], late, slow)
        for (rank, of), (operations, waits, samples) in counters.items():
            assert operations == (8 if of % 2 == 0 else 0)
            assert samples == [0 if other == rank else 8 for other in range(RANKS)]
            for other in range(RANKS):
                if (of, other) == (operator, 1) and rank != 1:
                    assert late + slow - 2 <= waits[other] / 8 <= late + slow + 8
                else:
                    assert waits[other] <= 8 * samples[other]


# ---- hybrid mode: three nodes of two GPUs, of which NVLink connects those of a node

NODES, EACH, ROUNDS = 3, 2, 4
ALL = NODES * EACH
TRANSFERS = (1, 3)  # of dispatch and combine


@pytest.fixture(scope="module", params=GENERATIONS)
def hybrid(request: Any, tmp_path_factory: Any) -> Callable[..., Counters]:
    folder = folder_of(request.param)
    path = compiled(tmp_path_factory.mktemp("hybrid"), request.param, "v2_emulate_hybrid.cpp",
                    f"-DDISPATCH=<{folder}hybrid_dispatch.cuh>",
                    f"-DCOMBINE=<{folder}hybrid_combine.cuh>")

    def counters(late: int, data: int, tails: int) -> Counters:
        return counters_of([path, *map(str, (ROUNDS, late, data, tails)),
                            str(OFFSETS[request.param])], ALL)

    return counters


def is_rail(rank: int, other: int) -> bool:
    return rank != other and rank % EACH == other % EACH


def is_peer(rank: int, other: int) -> bool:
    return rank != other and rank // EACH == other // EACH


def test_hybrid_mode_counts_an_operation_once(hybrid: Callable[..., Counters]) -> None:
    for (rank, operator), (operations, waits, samples) in hybrid(0, 0, 0).items():
        assert operations == (0 if operator in TRANSFERS else ROUNDS)
        for other in range(ALL):
            if is_rail(rank, other):
                assert samples[other] == ROUNDS
            elif operator == 3 and is_peer(rank, other):
                # Nothing was waited for of a rank that had nothing to send.
                assert samples[other] == (0 if other % EACH == EACH - 1 else ROUNDS)
            elif is_peer(rank, other):
                assert samples[other] in (ROUNDS, ROUNDS - 1)
            else:
                assert samples[other] == 0
            assert samples[other] > 0 or waits[other] == 0
            assert waits[other] <= 12 * samples[other]


@pytest.mark.parametrize("late", [0, 3])
def test_whose_data_comes_late_over_the_network_is_waited_for(
        hybrid: Callable[..., Counters], late: int) -> None:
    counters = hybrid(late, 100, 0)
    for (rank, operator), (_, waits, samples) in counters.items():
        for other in range(ALL):
            if operator in TRANSFERS and other == late and is_rail(rank, late):
                assert 98 <= waits[other] / samples[other] <= 112
            elif not (operator == 1 and is_peer(rank, other) and samples[other]):
                assert waits[other] <= 12 * samples[other]


def test_whose_data_comes_late_over_nvlink_is_waited_for(hybrid: Callable[..., Counters]) -> None:
    late = 2
    counters = hybrid(late, 0, 100)
    for (rank, operator), (_, waits, samples) in counters.items():
        for other in range(ALL):
            if operator == 3 and other == late and is_peer(rank, late):
                assert 98 <= waits[other] / samples[other] <= 112
            elif operator == 3 and is_rail(rank, other) and other // EACH == late // EACH:
                # A node sends on when it has all: what it waited for is waited for by others.
                assert 96 <= waits[other] / samples[other] <= 112
            else:
                assert waits[other] <= 12 * samples[other]
