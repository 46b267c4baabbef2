/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "state.h"

/* The wait for oneself in combine, as a part of the latency to others; and how it varies from
 * window to window. Both as measured. */
#define SELF_LATENCY 1.2
#define SELF_WEATHER 0.035

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
    uint64_t weather = splitmix_next(&sim->random);
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
        sim->skew[p] = 0;
        draw_latencies(sim, p);
        for (uint32_t i = 0; i < config->ranks; i++) {
            double own = p == DXT_COMBINE ? SELF_LATENCY * config->latency_ns[p] : 0;
            double weather = config->weather > 0 ? SELF_WEATHER * sim_normal(&sim->random) : 0;
            sim->self[p][i] = own * (1 + weather);
            sim->pace[p][i] = config->wander * sim_normal(&sim->random);
        }
    }
}

/* The rank that is late in this operation; none without such a fault. */
static uint32_t draw_late(simulation *sim, int phase, bool faulty)
{
    uint32_t n = sim->config.ranks;
    if (!faulty || sim->rotating[phase] <= 0) return n;
    return (uint32_t)(sim_unit(&sim->random) * n);
}

/* When each rank reaches the operator; returns when the first does. */
static double arrive(simulation *sim, int phase, bool faulty)
{
    const sim_config *config = &sim->config;
    double inside_ns = (config->step_ns - 2 * config->compute_ns) / 2, first = INFINITY;
    double last = 0, sum = 0;
    uint32_t late = draw_late(sim, phase, faulty);
    for (uint32_t i = 0; i < config->ranks; i++) {
        double compute = config->compute_ns *
                         (1 + sim->pace[phase][i] + config->jitter * sim_normal(&sim->random));
        if (config->tail > 0) compute *= sim_lognormal(&sim->random, config->tail);
        if (i == late) compute += sim->rotating[phase];
        last = i == 0 ? compute : fmax(last, compute);
        sum += compute;
        if (faulty) compute += sim->late[phase][i];
        sim->leave[i] += inside_ns + fmin(fmax(compute, 0), SIM_LONGEST_NS);
        first = fmin(first, sim->leave[i]);
    }
    for (uint32_t i = 0; i < config->ranks; i++)
        sim->arrival[i] = (float)fmin(sim->leave[i] - first, SIM_LONGEST_NS);
    sim->skew[phase] += last - sum / config->ranks;
    return first;
}

/* ---- stalls ---- */

/* Stalls of an operator, as a probability and a mean; several faults add up to one. */
typedef struct stalls {
    double chance, size_ns;
} stalls;

static stalls stalls_of(const sim_config *config, int phase)
{
    stalls all = {0, 0};
    for (size_t f = 0; f < config->fault_count; f++) {
        const sim_fault *fault = &config->faults[f];
        if (fault->kind != SIM_STALLS || fault->phase != phase || fault->factor <= 0) continue;
        double chance = fmin(all.chance + fault->factor, SIM_MOST_STALLS);
        double mean = all.size_ns * all.chance + fault->size_ns * fault->factor;
        all.size_ns = fmin(mean / (all.chance + fault->factor), SIM_LONGEST_NS);
        all.chance = chance;
    }
    return all;
}

/* The next cell from `from` on that stalls, when each does with that chance. */
static uint64_t next_stall(simulation *sim, const stalls *all, uint64_t from)
{
    double free = floor(log(sim_unit(&sim->random)) / log1p(-all->chance));
    return from + (uint64_t)fmin(free, 1e15);
}

/* What faults add to the paths of row i, with the stalls of this operation. */
static const float *extra_of_row(simulation *sim, int phase, const stalls *all, uint32_t i)
{
    uint32_t n = sim->config.ranks;
    uint64_t row = (uint64_t)i * n;
    const float *extra = sim->extra[phase] ? sim->extra[phase] + row : NULL;
    if (all->chance <= 0) return extra;
    if (extra)
        memcpy(sim->row_extra, extra, n * sizeof *extra);
    else
        memset(sim->row_extra, 0, n * sizeof *extra);
    for (; sim->stall < row + n; sim->stall = next_stall(sim, all, sim->stall + 1)) {
        uint32_t j = (uint32_t)(sim->stall - row);
        double size = all->size_ns * (0.5 + sim_unit(&sim->random));
        if (i == j || !sim_is_outside(sim, i, j) || !sim_observes(&sim->config, i, j)) continue;
        sim->row_extra[j] = fminf(sim->row_extra[j] + (float)size, SIM_LONGEST_NS);
    }
    return sim->row_extra;
}

/* ---- an operation ---- */

/* One operation; leaves the time at which each rank is through in `leave`. */
static void operate(simulation *sim, int phase, bool faulty, int64_t *wait)
{
    const sim_config *config = &sim->config;
    uint32_t n = config->ranks;
    double first = arrive(sim, phase, faulty);
    uint32_t noise = (uint32_t)(splitmix_next(&sim->random) >> 32);
    const stalls all = faulty ? stalls_of(config, phase) : (stalls){0, 0};
    if (all.chance > 0) sim->stall = next_stall(sim, &all, 0);
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
            .extra = faulty ? extra_of_row(sim, phase, &all, i) : NULL,
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
            if (!sim_observes(config, i, j)) *cell = DXT_NOT_OBSERVED;
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

double sim_skew_ns(const simulation *sim, int phase)
{
    return sim->skew[phase] / sim->config.ops;
}
