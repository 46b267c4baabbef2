/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The edited stand-ins for hybrid mode of v2_hybrid.py, run by NODES of GPUS (v2_emulator.h): STEPS
 * dispatches and combines, in which rank LATE sends DATA rounds later than the others to its rail,
 * and TAILS rounds later to its node. Prints the counters as v2_emulate.cpp does.
 */
#include "v2_emulator.h"

#include DISPATCH
#include COMBINE

#if GENERATION == 1
namespace space = deep_ep::elastic;
#else
namespace space = deep_ep::ep;
#endif

enum { NODES = 3, GPUS = 2, RANKS = NODES * GPUS, CHANNELS = 2, SMS = 3 };
enum { THREADS = 32 * (1 + 2 * CHANNELS) };

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    const int steps = atoi(argv[1]), late = atoi(argv[2]);
    const long offset = atol(argv[5]);
    emulator::node_size = GPUS;
    test::data_late.assign(RANKS, 0);
    test::tails_late.assign(RANKS, 0);
    test::data_late[late] = atoi(argv[3]);
    test::tails_late[late] = atoi(argv[4]);
    for (int r = 0; r < RANKS; r++)
        emulator::workspaces.push_back(static_cast<char *>(calloc(1, 1 << 24)));
    emulator::run(RANKS, SMS, THREADS, [=](int rank, int sm, int thread) {
        const Gin gin{};
        void *workspace = emulator::workspaces[rank];
        for (int step = 0; step < steps; step++) {
            /* Who is late in the one must not be late in the next. */
            emulator::meet(emulator::everybody, RANKS * SMS * THREADS, false);
            space::hybrid_dispatch<SMS, 1, CHANNELS, CHANNELS, NODES, GPUS>(
                gin, workspace, rank / GPUS, rank % GPUS, sm, thread);
            emulator::meet(emulator::everybody, RANKS * SMS * THREADS, false);
            space::hybrid_combine<SMS, 1 + CHANNELS, CHANNELS, NODES, GPUS>(
                gin, workspace, rank / GPUS, rank % GPUS, sm, thread);
        }
    });
    emulator::print_counters<deepxtrace::Area>(RANKS, deepxtrace::kOperators, offset);
    return 0;
}
