/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "state.h"

void sim_config_default(sim_config *config)
{
    *config = (sim_config){
        .ranks = 4,
        .ops = 50,
        .local_experts = 1,
        .seed = 1,
        .step_ns = 220e3,
        .compute_ns = 60e3,
        .jitter = 0.05,
        .wander = 0.01,
        .latency_ns = {200, 10000},
        .between_ns = {3000, 16000},
        .unevenness = 0.12,
        .weather = 0.06,
        .spread = true,
        .own_ns = 3000,
        .receive_ns = 36000,
        .ticks_per_second = 1.98e9,
        .chance = 1,
        .every = 1,
    };
}

static uint32_t node_count(const sim_config *config)
{
    if (!config->ranks_per_node) return 1;
    return (config->ranks + config->ranks_per_node - 1) / config->ranks_per_node;
}

static bool wrong(char *why, size_t why_size, const char *text)
{
    snprintf(why, why_size, "%s", text);
    return false;
}

static bool fault_is_possible(const sim_config *config, const sim_fault *fault, char *why,
                              size_t why_size)
{
    bool of_nodes = fault->kind == SIM_NODE || fault->kind == SIM_NODE_PATH;
    bool of_two = fault->kind == SIM_PATH || fault->kind == SIM_NODE_PATH;
    bool seen = sim_observes(config, fault->rank, fault->source);
    uint32_t most = of_nodes ? node_count(config) : config->ranks;
    uint32_t largest = of_two && fault->source > fault->rank ? fault->source : fault->rank;
    if (of_nodes && !config->ranks_per_node)
        return wrong(why, why_size, "faults of nodes need --ranks-per-node");
    if (largest >= most) {
        snprintf(why, why_size, "there is no %s %u (the %ss are 0 to %u)",
                 of_nodes ? "node" : "rank", largest, of_nodes ? "node" : "rank", most - 1);
        return false;
    }
    if (of_two && fault->rank == fault->source)
        return wrong(why, why_size, "a path needs two different ends, FROM and TO");
    if (fault->kind == SIM_PATH && !seen)
        return wrong(why, why_size, "with --hybrid a path stays in its node or on its rail");
    if (!(fault->size_ns >= 0 && fault->size_ns <= SIM_LONGEST_NS))
        return wrong(why, why_size, "a fault lasts at most 1s");
    if (fault->kind == SIM_HOT && !(fault->factor > 0 && fault->factor <= 1e6))
        return wrong(why, why_size, "the factor of a hot rank must be at most 1000000");
    if (fault->kind == SIM_STALLS && !(fault->factor >= 0 && fault->factor <= SIM_MOST_STALLS))
        return wrong(why, why_size, "at most half of the paths may stall");
    return true;
}

bool sim_observes(const sim_config *config, uint32_t i, uint32_t j)
{
    uint32_t g = config->ranks_per_node;
    return !config->hybrid || !g || i / g == j / g || i % g == j % g;
}

static bool is_possible(const sim_config *config, char *why, size_t why_size)
{
    if (config->ranks < 2 || config->ranks > SIM_MAX_RANKS)
        return wrong(why, why_size, "--ranks must be 2 to 2048");
    if (config->ops < 1 || config->ops > SIM_MAX_OPS || config->every < 1 ||
        config->local_experts < 1 || config->local_experts > 1024) {
        snprintf(why, why_size, "operations must be 1 to %u, experts of a rank 1 to 1024",
                 SIM_MAX_OPS);
        return false;
    }
    if (config->hybrid && !config->ranks_per_node)
        return wrong(why, why_size, "--hybrid needs --ranks-per-node");
    if (2 * config->compute_ns > config->step_ns)
        return wrong(why, why_size, "--step must be at least twice --compute");
    if (!(config->step_ns <= SIM_LONGEST_NS))
        return wrong(why, why_size, "--step must be at most 1s");
    for (size_t f = 0; f < config->fault_count; f++)
        if (!fault_is_possible(config, &config->faults[f], why, why_size)) return false;
    return true;
}

bool sim_is_outside(const simulation *sim, uint32_t i, uint32_t j)
{
    return node_count(&sim->config) < 2 || sim->nodes[i] != sim->nodes[j];
}

/* Whether a fault slows cell (i, j). */
static bool slows(const simulation *sim, const sim_fault *fault, uint32_t i, uint32_t j)
{
    const int32_t *nodes = sim->nodes;
    bool outside = sim_is_outside(sim, i, j);
    if (!sim_observes(&sim->config, i, j)) return false;
    switch (fault->kind) {
    case SIM_PATH: return i == fault->rank && j == fault->source;
    case SIM_NIC_IN: return i == fault->rank && outside;
    case SIM_NIC_OUT: return j == fault->rank && outside;
    case SIM_NODE_PATH:
        return nodes[i] == (int32_t)fault->rank && nodes[j] == (int32_t)fault->source;
    default: return false;
    }
}

static bool add_to_paths(simulation *sim, const sim_fault *fault)
{
    uint32_t n = sim->config.ranks;
    float **extra = &sim->extra[fault->phase];
    if (!*extra) *extra = calloc((size_t)n * n, sizeof **extra);
    if (!*extra) return false;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            float *cell = &(*extra)[(size_t)i * n + j];
            if (i != j && slows(sim, fault, i, j))
                *cell = fminf(*cell + (float)fault->size_ns, SIM_LONGEST_NS);
        }
    return true;
}

static bool add_fault(simulation *sim, const sim_fault *fault)
{
    switch (fault->kind) {
    case SIM_LATE: sim->late[fault->phase][fault->rank] += fault->size_ns; return true;
    case SIM_EARLY: sim->late[fault->phase][fault->rank] -= fault->size_ns; return true;
    case SIM_HOT: sim->share[fault->rank] = fault->factor; return true;
    case SIM_NODE:
        for (uint32_t i = 0; i < sim->config.ranks; i++)
            if (sim->nodes[i] == (int32_t)fault->rank) sim->late[fault->phase][i] += fault->size_ns;
        return true;
    case SIM_ROTATING: sim->rotating[fault->phase] += fault->size_ns; return true;
    case SIM_STALLS: return true;
    default: return add_to_paths(sim, fault);
    }
}

/* What hot experts do: their ranks receive more than an even share and have more to compute, and
 * the others less. */
static void heat(simulation *sim)
{
    uint32_t n = sim->config.ranks;
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += sim->share[i];
    for (uint32_t i = 0; i < n; i++) {
        double share = sim->share[i] * n / sum;
        sim->receive[i] = fmin(fmax(share - 1, 0) * sim->config.receive_ns, SIM_LONGEST_NS);
        sim->late[DXT_COMBINE][i] += fmin((share - 1) * sim->config.compute_ns, SIM_LONGEST_NS);
    }
}

static bool allocate(simulation *sim)
{
    uint32_t n = sim->config.ranks;
    double **arrays[] = {&sim->leave,   &sim->compute, &sim->pace[0], &sim->pace[1],
                         &sim->self[0], &sim->self[1], &sim->rate,    &sim->share,
                         &sim->late[0], &sim->late[1], &sim->receive};
    bool good = true;
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
        good = (*arrays[a] = calloc(n, sizeof **arrays[a])) && good;
    sim->arrival = calloc(n, sizeof *sim->arrival);
    sim->usual = calloc(n, sizeof *sim->usual);
    sim->row_extra = calloc(n, sizeof *sim->row_extra);
    sim->nodes = calloc(n, sizeof *sim->nodes);
    for (int p = 0; p < 2; p++)
        good = (sim->latency[p] = calloc((size_t)n * n, sizeof **sim->latency)) && good;
    return good && sim->arrival && sim->usual && sim->row_extra && sim->nodes;
}

static bool set_up(simulation *sim)
{
    const sim_config *config = &sim->config;
    if (!allocate(sim)) return false;
    sim->random = splitmix_mix(config->seed + UINT64_C(0x5851F42D4C957F2D));
    sim->paths = splitmix_next(&sim->random);
    sim_spread_set(&sim->table, config->spread);
    for (uint32_t i = 0; i < config->ranks; i++) {
        double off = config->clock_spread * sim_normal(&sim->random);
        sim->rate[i] = round(config->ticks_per_second * fmax(1 + off, 0.1));
        sim->nodes[i] = config->ranks_per_node ? (int32_t)(i / config->ranks_per_node) : 0;
        sim->share[i] = 1;
    }
    for (size_t f = 0; f < config->fault_count; f++)
        if (!add_fault(sim, &config->faults[f])) return false;
    heat(sim);
    return true;
}

dxt_status sim_create(const sim_config *config, simulation **sim, char *why, size_t why_size)
{
    if (!is_possible(config, why, why_size)) return DXT_ERR_INVALID;
    simulation *made = calloc(1, sizeof *made);
    if (made) made->config = *config;
    if (!made || !set_up(made)) {
        sim_destroy(made);
        snprintf(why, why_size, "out of memory");
        return DXT_ERR_NO_MEMORY;
    }
    *sim = made;
    return DXT_OK;
}

void sim_destroy(simulation *sim)
{
    if (!sim) return;
    double *arrays[] = {sim->leave, sim->compute, sim->rate, sim->share, sim->receive};
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++) free(arrays[a]);
    for (int p = 0; p < 2; p++) {
        free(sim->pace[p]);
        free(sim->self[p]);
        free(sim->late[p]);
        free(sim->latency[p]);
        free(sim->extra[p]);
    }
    free(sim->arrival);
    free(sim->usual);
    free(sim->row_extra);
    free(sim->nodes);
    free(sim);
}
