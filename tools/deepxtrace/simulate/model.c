/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "row.h"

/* The wait for oneself in combine, as a part of the latency to others; and how it varies from
 * window to window. Both as measured. */
#define SELF_LATENCY 1.2
#define SELF_WEATHER 0.035

struct simulation {
    sim_config config;
    uint64_t random;   /* of everything that is drawn in the course of the job */
    uint64_t paths;    /* of the unevenness of paths, which stays */
    uint64_t window;   /* number of the next one */
    double *leave;     /* [ranks] when each left the operator before */
    double *compute;   /* [ranks] mean computing time, of the operator in hand */
    double *pace[2];   /* [ranks] by which its computing time differs in this window */
    double *self[2];   /* [ranks] wait for oneself */
    double *rate;      /* [ranks] clock */
    double *share;     /* [ranks] tokens received, 1 = an even share */
    float *arrival;    /* [ranks] against the earliest */
    float *usual;      /* [ranks] latency by class, to the node in hand */
    float *latency[2]; /* [ranks²] of the window in hand; the diagonal is 0 */
    float *extra[2];   /* [ranks²] what faults add to a path; NULL = none */
    double *late[2];   /* [ranks] what faults add to computing */
    double *receive;   /* [ranks] what receiving more than a share takes in dispatch */
    int32_t *nodes;    /* [ranks] */
    sim_spread table;  /* factors of a latency */
};

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

/* ---- setting up ---- */

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
    uint32_t most = of_nodes ? node_count(config) : config->ranks;
    uint32_t largest = of_two && fault->source > fault->rank ? fault->source : fault->rank;
    if (of_nodes && !config->ranks_per_node)
        return wrong(why, why_size, "nodes need --ranks-per-node");
    if (largest >= most) {
        snprintf(why, why_size, "there is no %s %u (there are 0 to %u)", of_nodes ? "node" : "rank",
                 largest, most - 1);
        return false;
    }
    if (of_two && fault->rank == fault->source)
        return wrong(why, why_size, "a path leads from one to another");
    if (!(fault->size_ns >= 0 && fault->size_ns <= SIM_LONGEST_NS))
        return wrong(why, why_size, "a fault lasts at most 1s");
    if (fault->kind == SIM_HOT && !(fault->factor > 0 && fault->factor <= 1e6))
        return wrong(why, why_size, "a hot rank has a factor of at most 1000000");
    return true;
}

static bool is_possible(const sim_config *config, char *why, size_t why_size)
{
    if (config->ranks < 2 || config->ranks > SIM_MAX_RANKS)
        return wrong(why, why_size, "2 to 2048 ranks");
    if (config->ops < 1 || config->ops > SIM_MAX_OPS || config->every < 1 ||
        config->local_experts < 1 || config->local_experts > 1024)
        return wrong(why, why_size, "operations or experts out of range");
    if (2 * config->compute_ns > config->step_ns)
        return wrong(why, why_size, "a step is shorter than its two computing times");
    if (!(config->step_ns <= SIM_LONGEST_NS))
        return wrong(why, why_size, "a step lasts at most 1s");
    for (size_t f = 0; f < config->fault_count; f++)
        if (!fault_is_possible(config, &config->faults[f], why, why_size)) return false;
    return true;
}

/* Whether a fault slows cell (i, j). */
static bool slows(const simulation *sim, const sim_fault *fault, uint32_t i, uint32_t j)
{
    const int32_t *nodes = sim->nodes;
    bool outside = node_count(&sim->config) < 2 || nodes[i] != nodes[j];
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
    sim->nodes = calloc(n, sizeof *sim->nodes);
    for (int p = 0; p < 2; p++)
        good = (sim->latency[p] = calloc((size_t)n * n, sizeof **sim->latency)) && good;
    return good && sim->arrival && sim->usual && sim->nodes;
}

static bool set_up(simulation *sim)
{
    const sim_config *config = &sim->config;
    if (!allocate(sim)) return false;
    sim->random = sim_mix(config->seed + UINT64_C(0x5851F42D4C957F2D));
    sim->paths = sim_bits(&sim->random);
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
    free(sim->nodes);
    free(sim);
}

/* ---- running ---- */

static double class_latency(const simulation *sim, int phase, uint32_t i, uint32_t j)
{
    bool inside = sim->nodes[i] == sim->nodes[j];
    return inside ? sim->config.latency_ns[phase] : sim->config.between_ns[phase];
}

/* The latencies of a window: what a path has by its class and for good, and this window's part. */
static void draw_latencies(simulation *sim, int phase)
{
    const sim_config *config = &sim->config;
    uint32_t n = config->ranks;
    uint64_t weather = sim_bits(&sim->random);
    for (uint32_t i = 0; i < n; i++) {
        float *row = sim->latency[phase] + (size_t)i * n;
        for (uint32_t j = 0; j < n; j++) {
            uint64_t path = (uint64_t)phase << 40 | (uint64_t)i << 20 | j;
            double factor = 1 + config->unevenness * sim_cheap_normal(sim->paths ^ path) +
                            config->weather * sim_cheap_normal(weather ^ path);
            double latency = class_latency(sim, phase, i, j) * fmax(factor, 0);
            row[j] = i == j ? 0.0f : (float)latency;
        }
    }
}

static void begin_window(simulation *sim)
{
    const sim_config *config = &sim->config;
    for (int p = 0; p < 2; p++) {
        draw_latencies(sim, p);
        for (uint32_t i = 0; i < config->ranks; i++) {
            double own = p == DXT_COMBINE ? SELF_LATENCY * config->latency_ns[p] : 0;
            double weather = config->weather > 0 ? SELF_WEATHER * sim_normal(&sim->random) : 0;
            sim->self[p][i] = own * (1 + weather);
            sim->pace[p][i] = config->wander * sim_normal(&sim->random);
        }
    }
}

/* When each rank reaches the operator; returns when the first does. */
static double arrive(simulation *sim, int phase, bool faulty)
{
    const sim_config *config = &sim->config;
    double inside_ns = (config->step_ns - 2 * config->compute_ns) / 2, first = INFINITY;
    for (uint32_t i = 0; i < config->ranks; i++) {
        double compute = config->compute_ns *
                         (1 + sim->pace[phase][i] + config->jitter * sim_normal(&sim->random));
        if (config->tail > 0) compute *= sim_lognormal(&sim->random, config->tail);
        if (faulty) compute += sim->late[phase][i];
        sim->leave[i] += inside_ns + fmin(fmax(compute, 0), SIM_LONGEST_NS);
        first = fmin(first, sim->leave[i]);
    }
    for (uint32_t i = 0; i < config->ranks; i++)
        sim->arrival[i] = (float)fmin(sim->leave[i] - first, SIM_LONGEST_NS);
    return first;
}

/* One operation; leaves the time at which each rank is through in `leave`. */
static void operate(simulation *sim, int phase, bool faulty, int64_t *wait)
{
    const sim_config *config = &sim->config;
    uint32_t n = config->ranks;
    double first = arrive(sim, phase, faulty);
    uint32_t noise = (uint32_t)(sim_bits(&sim->random) >> 32);
    for (uint32_t i = 0; i < n; i++) {
        size_t row = (size_t)i * n;
        if (i == 0 || sim->nodes[i] != sim->nodes[i - 1])
            for (uint32_t j = 0; j < n; j++) sim->usual[j] = (float)class_latency(sim, phase, i, j);
        double slow = faulty && phase == DXT_DISPATCH ? sim->receive[i] : 0;
        const sim_row given = {
            .ranks = n,
            .own = i,
            .noise = noise + i * UINT32_C(0x9E3779B1),
            .arrival = sim->arrival,
            .latency = sim->latency[phase] + row,
            .usual = sim->usual,
            .extra = faulty && sim->extra[phase] ? sim->extra[phase] + row : NULL,
            .head_start = sim->arrival[i] - (float)slow,
        };
        double longest = sim_add_row(&given, &sim->table, wait + row);
        wait[row + i] += (int64_t)(sim->self[phase][i] + 0.5);
        double own = phase == DXT_DISPATCH ? config->own_ns : config->latency_ns[phase];
        sim->leave[i] = first + (double)sim->arrival[i] + fmax(longest, own);
    }
}

/* From ns to what counters of that rank would show. */
static void count(simulation *sim, dxt_window *window)
{
    const sim_config *config = &sim->config;
    uint32_t n = config->ranks;
    double floor_ns = config->counter_floor_ns * config->ops;
    for (uint32_t i = 0; i < n; i++) {
        double scale = sim->rate[i] / 1e9 * config->local_experts;
        for (uint32_t j = 0; j < n; j++) {
            int64_t *cell = &window->wait[(size_t)i * n + j];
            double ns = (double)*cell;
            if (config->cell_tail > 0 && i != j)
                ns *= sim_lognormal(&sim->random, config->cell_tail);
            *cell = (int64_t)fmin((ns + floor_ns) * scale + 0.5, 4e18);
        }
    }
}

static dxt_status new_window(const simulation *sim, const char *phase, dxt_window **window)
{
    const sim_config *config = &sim->config;
    uint32_t n = config->ranks;
    dxt_window *made;
    dxt_status status = dxt_window_create(n, phase, &made);
    if (status != DXT_OK) return status;
    made->ticks_per_second = malloc(n * sizeof *made->ticks_per_second);
    if (config->ranks_per_node) made->nodes = malloc(n * sizeof *made->nodes);
    if (!made->ticks_per_second || (config->ranks_per_node && !made->nodes)) {
        dxt_window_free(made);
        return DXT_ERR_NO_MEMORY;
    }
    memcpy(made->ticks_per_second, sim->rate, n * sizeof *sim->rate);
    if (made->nodes) memcpy(made->nodes, sim->nodes, n * sizeof *sim->nodes);
    made->unit = DXT_UNIT_CYCLES;
    made->index = (int64_t)sim->window;
    made->ops = config->ops;
    made->samples_each = (int64_t)config->ops * config->local_experts;
    *window = made;
    return DXT_OK;
}

static bool acts(simulation *sim, uint32_t op)
{
    const sim_config *config = &sim->config;
    if (config->fault_count == 0 || sim->window < config->from) return false;
    if (config->every > 1 && op % config->every != config->every - 1) return false;
    return config->chance >= 1 || sim_unit(&sim->random) < config->chance;
}

dxt_status sim_next(simulation *sim, dxt_window *pair[2])
{
    dxt_window *made[2] = {NULL, NULL};
    dxt_status status = new_window(sim, "dispatch", &made[DXT_DISPATCH]);
    if (status == DXT_OK) status = new_window(sim, "combine", &made[DXT_COMBINE]);
    if (status != DXT_OK) {
        dxt_window_free(made[DXT_DISPATCH]);
        return status;
    }
    begin_window(sim);
    double begin = sim->leave[0];
    for (uint32_t op = 0; op < sim->config.ops; op++) {
        bool faulty = acts(sim, op);
        for (int p = 0; p < 2; p++) operate(sim, p, faulty, made[p]->wait);
    }
    for (int p = 0; p < 2; p++) {
        made[p]->elapsed_ns = (int64_t)(sim->leave[0] - begin);
        count(sim, made[p]);
        pair[p] = made[p];
    }
    sim->window++;
    return DXT_OK;
}
