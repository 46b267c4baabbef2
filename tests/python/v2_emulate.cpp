/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edited stand-in headers of v2_headers.py, run by ranks of SMS SMs each (v2_emulator.h): STEPS
 * dispatches and combines, before each of which rank 1 is LATE rounds late in dispatch, and works
 * SLOW rounds longer between the entry and the exit of combine. GPU MUTE has no counters. Before
 * step FOREIGN kernels without counters make BARRIERS barriers, one or two; at step HANG rank 1
 * comes no more (-1: none). BACKWARDS: the last SM has its turn first. BEFORE barriers, a multiple
 * of four, were made and watched before. Rank 2 is SECOND rounds late in dispatch; TURNS: at every
 * other step ranks 1 and 2 are late by what the other one is, and what is added up for a barrier is
 * seen that many rounds later.
 * Prints the counters: see print_counters().
 */
#include "v2_emulator.h"

#include DISPATCH

#if GENERATION == 1
namespace space = deep_ep::elastic;
#else
namespace space = deep_ep::ep;
namespace deep_ep::ep
{
using namespace deep_ep;
}
#endif

enum { RANKS = 3, THREADS = 64 };

static void combine(const Gin &gin, void *workspace, int rank, int sm, int thread, int slow)
{
#if GENERATION == 1
    const deep_ep::elastic::layout::WorkspaceLayout layout{workspace};
    namespace comm = deep_ep::elastic::comm;
#else
    auto &layout = *static_cast<deep_ep::layout::BarrierSignals *>(workspace);
    namespace comm = deep_ep::comm;
#endif
    comm::gpu_barrier<NVLINK, 1, RANKS, SMS, THREADS, 1000, 4, false, false, true>(
        gin, layout, 0, rank, sm, thread);
    for (int k = 0; rank == 1 && k < slow; k++) emulator::yield();
    comm::gpu_barrier<NVLINK, 1, RANKS, SMS, THREADS, 1000, 5, true, true, false>(gin, layout, 0,
                                                                                  rank, sm, thread);
    cooperative_groups::this_grid().sync(); /* the end of the kernel */
}

/* Barriers, as they leave the counter and what is added up: the first ones of a step. */
static void make_barriers(void *workspace, int barriers, int sm, int thread)
{
    emulator::meet(emulator::everybody, RANKS * SMS * THREADS, false);
    if (sm == 0 && thread == 0) {
        *static_cast<unsigned long long *>(workspace) += barriers;
        for (int phase = 0; phase < barriers; phase++)
            static_cast<int *>(workspace)[2 + phase] = RANKS;
    }
    emulator::meet(emulator::everybody, RANKS * SMS * THREADS, false);
}

int main(int argc, char **argv)
{
    if (argc != 13) return 2;
    emulator::mute = atoi(argv[5]);
    const int foreign = atoi(argv[6]), hang = atoi(argv[7]), barriers = atoi(argv[8]);
    emulator::backwards = atoi(argv[9]);
    const unsigned before = atoi(argv[10]);
    const int second = atoi(argv[11]), turns = atoi(argv[12]);
    test::travel_rounds = turns;
    if (hang >= 0) emulator::most_rounds = 5000;
    const int steps = atoi(argv[1]), late = atoi(argv[2]), slow = atoi(argv[3]);
    const long offset = atol(argv[4]);
    test::work_of.assign(RANKS, 1);
    for (int r = 0; r < RANKS; r++)
        emulator::workspaces.push_back(static_cast<char *>(calloc(1, 1 << 24)));
    for (char *workspace : emulator::workspaces) {
        *reinterpret_cast<unsigned long long *>(workspace) = before;
        reinterpret_cast<deepxtrace::Area *>(workspace + offset)->barriers = before;
    }
    emulator::run(RANKS, SMS, THREADS, [=](int rank, int sm, int thread) {
        const Gin gin{};
        void *workspace = emulator::workspaces[rank];
        for (int step = 0; step < steps; step++) {
            if (step == foreign) make_barriers(workspace, barriers, sm, thread);
            while (rank == 1 && step == hang) emulator::yield();
            const int swapped = turns != 0 && step % 2 != 0;
            const int own = rank == 1 + swapped ? late : rank == 2 - swapped ? second : 0;
            for (int k = 0; rank > 0 && k < own; k++) emulator::yield();
            space::kernel<NVLINK, RANKS, SMS, THREADS>(gin, workspace, rank, sm, thread);
            cooperative_groups::this_grid().sync();
            combine(gin, workspace, rank, sm, thread, slow);
        }
    });
    emulator::print_counters<deepxtrace::Area>(RANKS, deepxtrace::kOperators, offset);
    return 0;
}
