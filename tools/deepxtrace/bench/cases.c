/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "random.h"
#include "truth.h"

/* Beyond this many ranks a window takes too long for cases that are the same with more nodes. */
#define MANY 256u
/* Up to this many ranks cells alone show that another rank is late in each step. */
#define TURNS 16u

/* Their order decides what is drawn: new ones belong at the end. */
const accuracy_case accuracy_cases[] = {
    {.name = "healthy, jitter 5%", .what = NOTHING},
    {.name = "healthy, jitter 25%", .what = NOTHING, .jitter = 0.25},
    {.name = "compute tail 0.8", .what = NOTHING, .tail = 0.8},
    {.name = "healthy, cell tail 0.8", .what = NOTHING, .cell_tail = 0.8},
    {.name = "late 5%, jitter 5%", .what = LATE, .size = 0.05},
    {.name = "late 5%, jitter 15%", .what = LATE, .size = 0.05, .jitter = 0.15},
    {.name = "late 5%, jitter 25%", .what = LATE, .size = 0.05, .jitter = 0.25},
    {.name = "late 5%, j25%, 200 ops",
     .what = LATE,
     .size = 0.05,
     .jitter = 0.25,
     .ops = 200,
     .most = 128},
    {.name = "late 2%, jitter 5%", .what = LATE, .size = 0.02},
    {.name = "late 2%, jitter 25%", .what = LATE, .size = 0.02, .jitter = 0.25},
    {.name = "late 2%, j25%, 800 ops",
     .what = LATE,
     .size = 0.02,
     .jitter = 0.25,
     .ops = 800,
     .most = 64},
    {.name = "almost half late 5%", .what = MINORITY, .size = 0.05, .least = 3},
    {.name = "late 25% in 1 op of 5", .what = LATE, .size = 0.25, .least = 3, .every = 5},
    {.name = "early 10%", .what = EARLY, .size = 0.10, .least = 3},
    {.name = "hot expert, 2 shares", .what = HOT, .least = 3},
    {.name = "path 10%", .what = PATH, .size = 0.10, .least = 3},
    {.name = "late 10% and path 10%", .what = LATE_AND_PATH, .size = 0.10, .least = 4},
    {.name = "slow receiving 10%", .what = NIC_IN, .size = 0.10, .least = 3},
    {.name = "slow sending 10%", .what = NIC_OUT, .size = 0.10, .least = 3},
    {.name = "nodes, healthy", .what = NOTHING, .least = 16, .nodes = true},
    {.name = "nodes, late 5%", .what = LATE, .size = 0.05, .least = 16, .nodes = true},
    {.name = "nodes, node late 10%", .what = NODE_LATE, .size = 0.10, .least = 16, .nodes = true},
    {.name = "nodes, path 10%", .what = PATH, .size = 0.10, .least = 16, .nodes = true},
    {.name = "nodes, hot expert", .what = HOT, .least = 16, .nodes = true},
    {.name = "link both ways 10%", .what = NIC_BOTH, .size = 0.10, .least = 4},
    {.name = "link both ways 50%", .what = NIC_BOTH, .size = 0.50, .least = 4},
    {.name = "nodes, NIC in 20%",
     .what = NIC_IN,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nodes = true},
    {.name = "nodes, NIC out 20%",
     .what = NIC_OUT,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nodes = true},
    {.name = "nodes, NIC both 20%",
     .what = NIC_BOTH,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nodes = true},
    {.name = "1 NIC of each node 20%",
     .what = NICS,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nics = 1,
     .nodes = true},
    {.name = "2 NICs of each node 20%",
     .what = NICS,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nics = 2,
     .nodes = true},
    {.name = "3 NICs of each node 20%",
     .what = NICS,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nics = 3,
     .nodes = true},
    {.name = "nodes, uplink 20%",
     .what = UPLINK,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nodes = true},
    {.name = "late in turns 150%", .what = ROTATING, .size = 1.5, .least = 4, .most = TURNS},
    {.name = "late in turns 450%", .what = ROTATING, .size = 4.5, .least = 4, .most = TURNS},
    {.name = "in turns 300%, 2 of 5",
     .what = ROTATING,
     .size = 3,
     .chance = 0.4,
     .least = 4,
     .most = TURNS},
    {.name = "stalls 500%", .what = STALLS, .size = 5, .least = 8, .most = MANY},
    {.name = "nodes, stalls 500%",
     .what = STALLS,
     .size = 5,
     .least = 16,
     .most = MANY,
     .nodes = true},
    {.name = "hybrid, healthy",
     .what = NOTHING,
     .least = 16,
     .most = MANY,
     .nodes = true,
     .hybrid = true},
    {.name = "hybrid, late 5%",
     .what = LATE,
     .size = 0.05,
     .least = 16,
     .most = MANY,
     .nodes = true,
     .hybrid = true},
    {.name = "hybrid, NIC in 20%",
     .what = NIC_IN,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nodes = true,
     .hybrid = true},
    {.name = "hybrid, NIC both 20%",
     .what = NIC_BOTH,
     .size = 0.20,
     .least = 16,
     .most = MANY,
     .nodes = true,
     .hybrid = true},
    {.name = "healthy, jitter 10%", .what = NOTHING, .jitter = 0.10},
    {.name = "healthy, tail 0.3", .what = NOTHING, .tail = 0.3},
    {.name = "nodes, healthy, j25%", .what = NOTHING, .jitter = 0.25, .least = 16, .nodes = true},
};
const size_t accuracy_case_count = sizeof accuracy_cases / sizeof accuracy_cases[0];

static sim_fault faults[SIM_MAX_FAULTS];

static sim_fault *add(sim_config *config, sim_kind kind, int phase, double size)
{
    sim_fault *fault = &faults[config->fault_count++];
    *fault = (sim_fault){.kind = kind, .phase = phase, .size_ns = size * config->step_ns};
    return fault;
}

/* k of n ranks at random are late: each is taken with the chance that leaves k in all. */
static void add_minority(sim_config *config, int phase, double size, uint64_t *random)
{
    uint32_t n = config->ranks, left = (n - 1) / 2;
    for (uint32_t i = 0; i < n; i++)
        if (sim_unit(random) * (n - i) < left) {
            add(config, SIM_LATE, phase, size)->rank = i;
            left--;
        }
}

static void add_link(sim_config *config, int phase, double size, uint32_t rank, int direction)
{
    if (direction & SIM_IN) add(config, SIM_NIC_IN, phase, size)->rank = rank;
    if (direction & SIM_OUT) add(config, SIM_NIC_OUT, phase, size)->rank = rank;
}

/* The same ranks of each node, counted from one at random. */
static void add_nics(const accuracy_case *test, sim_config *config, int phase, uint64_t *random)
{
    uint32_t first = (uint32_t)(sim_unit(random) * CASE_NODE);
    int direction = 1 + (int)(sim_unit(random) * SIM_BOTH);
    for (uint32_t i = 0; i < config->ranks; i++)
        if ((i + CASE_NODE - first) % CASE_NODE < test->nics)
            add_link(config, phase, test->size, i, direction);
}

static void add_uplink(const accuracy_case *test, sim_config *config, int phase, uint64_t *random)
{
    uint32_t node = (uint32_t)(sim_unit(random) * (config->ranks / CASE_NODE));
    int direction = 1 + (int)(sim_unit(random) * SIM_BOTH);
    for (uint32_t i = 0; i < CASE_NODE; i++)
        add_link(config, phase, test->size, node * CASE_NODE + i, direction);
}

/* One fault of one rank, path or node; or of nobody in particular. */
static void add_one(const accuracy_case *test, sim_config *config, int phase, uint32_t rank,
                    uint32_t other)
{
    static const sim_kind kinds[] = {
        [LATE] = SIM_LATE,          [EARLY] = SIM_EARLY,    [HOT] = SIM_HOT,
        [LATE_AND_PATH] = SIM_LATE, [NODE_LATE] = SIM_NODE, [NIC_IN] = SIM_NIC_IN,
        [NIC_OUT] = SIM_NIC_OUT,    [PATH] = SIM_PATH,      [NIC_BOTH] = SIM_NIC_IN,
        [ROTATING] = SIM_ROTATING,  [STALLS] = SIM_STALLS};
    uint32_t n = config->ranks;
    sim_fault *fault = add(config, kinds[test->what], phase, test->size);
    fault->rank = test->what == NODE_LATE ? rank / CASE_NODE : rank;
    fault->source = other;
    /* Twice an even share, whatever the number of ranks. */
    fault->factor = test->what == STALLS ? CASE_STALLS : 2.0 * (n - 1) / (n - 2.0);
    if (test->what == NIC_BOTH) add(config, SIM_NIC_OUT, phase, test->size)->rank = rank;
    if (test->what != LATE_AND_PATH) return;
    fault = add(config, SIM_PATH, phase, test->size);
    fault->rank = other;
    fault->source = (rank + other) % n == other ? (other + 1) % n : rank;
}

static void set_faults(const accuracy_case *test, sim_config *config, uint64_t *random)
{
    uint32_t n = config->ranks;
    int phase = sim_unit(random) < 0.5 ? DXT_DISPATCH : DXT_COMBINE;
    uint32_t rank = (uint32_t)(sim_unit(random) * n);
    uint32_t other = (rank + 1 + (uint32_t)(sim_unit(random) * (n - 1))) % n;
    config->faults = faults;
    config->fault_count = 0;
    switch (test->what) {
    case NOTHING: break;
    case MINORITY: add_minority(config, phase, test->size, random); break;
    case NICS: add_nics(test, config, phase, random); break;
    case UPLINK: add_uplink(test, config, phase, random); break;
    default: add_one(test, config, phase, rank, other);
    }
}

void case_set_up(const accuracy_case *test, uint32_t ranks, uint64_t *random, sim_config *config)
{
    sim_config_default(config);
    config->ranks = ranks;
    config->ranks_per_node = test->nodes ? CASE_NODE : 0;
    config->hybrid = test->hybrid;
    if (test->jitter > 0) config->jitter = test->jitter;
    config->tail = test->tail;
    config->cell_tail = test->cell_tail;
    config->every = test->every ? test->every : 1;
    config->chance = test->chance > 0 ? test->chance : 1;
    config->ops = test->ops ? test->ops : CASE_OPS;
    config->seed = splitmix_next(random);
    set_faults(test, config, random);
}
