/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faults.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"

/** What the command line gives. */
typedef struct given {
    uint64_t ranks, ranks_per_node, windows, ops, local_experts, seed, every, from;
    int64_t step_ns, compute_ns, latency_ns[2], between_ns[2], counter_floor_ns;
    double clock_ghz;
    bool calm, force, hybrid;
    const char *name, *path;
    sim_config config;
} given;

static sim_faults faults;
static sim_fault_option fault_options[SIM_KINDS];
static sim_truth truth;

/* "lognormal:SIGMA". */
static bool parse_tail(const char *text, void *value, char *why, size_t why_size)
{
    static const char form[] = "lognormal:";
    double sigma;
    if (strncmp(text, form, sizeof form - 1) != 0) {
        snprintf(why, why_size, "'%.100s' is not of the form lognormal:SIGMA", text);
        return false;
    }
    if (!cli_parse_number(text + sizeof form - 1, &sigma, why, why_size)) return false;
    if (sigma > 3) {
        snprintf(why, why_size, "SIGMA must be at most 3");
        return false;
    }
    *(double *)value = sigma;
    return true;
}

#define FAULT(word, fault_kind, form, text)                                       \
    {                                                                             \
        .name = word, .type = OPTION_CUSTOM, .value = &fault_options[fault_kind], \
        .argument = form, .parse = sim_parse_fault, .help = text                  \
    }
#define COUNT(word, initial, target, form, least, most, text)                                     \
    {                                                                                             \
        .name = word, .letter = initial, .type = OPTION_COUNT, .value = target, .argument = form, \
        .min = least, .max = most, .help = text                                                   \
    }
#define DURATION(word, target, text)                                                    \
    {                                                                                   \
        .name = word, .type = OPTION_DURATION, .value = target, .argument = "DURATION", \
        .max = SIM_LONGEST_NS, .help = text                                             \
    }
#define SHARE(word, target, text)                                                                \
    {                                                                                            \
        .name = word, .type = OPTION_SHARE, .value = target, .argument = "PERCENT", .help = text \
    }
#define TAIL(word, target, text)                                                             \
    {                                                                                        \
        .name = word, .type = OPTION_CUSTOM, .value = target, .argument = "lognormal:SIGMA", \
        .parse = parse_tail, .help = text                                                    \
    }

static given g;

static const cli_option options[] = {
    COUNT("ranks", 'n', &g.ranks, "N", 2, SIM_MAX_RANKS, "simulate this many ranks (default 4)"),
    COUNT("ranks-per-node", 0, &g.ranks_per_node, "G", 1, SIM_MAX_RANKS,
          "ranks 0 to G-1 share a node, and so on (default: one node, not recorded)"),
    {.name = "hybrid",
     .value = &g.hybrid,
     .help = "count waits for the own node and the own rail only (needs --ranks-per-node)"},
    COUNT("windows", 0, &g.windows, "COUNT", 1, 1000000, "make this many windows (default 20)"),
    COUNT("window", 'w', &g.ops, "OPS", 1, SIM_MAX_OPS,
          "put this many steps into a window (default 50)"),
    COUNT("local-experts", 0, &g.local_experts, "COUNT", 1, 1024,
          "let a counter add up this many waits of one operation (default 1)"),
    COUNT("seed", 0, &g.seed, "NUMBER", 0, 0, "draw all random numbers from this seed (default 1)"),
    DURATION("step", &g.step_ns, "let a healthy step take this long (default 220us)"),
    DURATION("compute", &g.compute_ns, "compute this long before each operator (default 60us)"),
    SHARE("jitter", &g.config.jitter,
          "vary each computing time by this standard deviation (default 5%)"),
    TAIL("tail", &g.config.tail, "multiply each computing time by a factor of mean 1"),
    TAIL("cell-tail", &g.config.cell_tail, "multiply each cell of a window by such a factor"),
    {.name = "calm",
     .value = &g.calm,
     .help = "vary nothing but by --jitter and the tails: paths and ranks are alike"},
    FAULT("slow", SIM_LATE, "PHASE:RANK:DURATION", "make a rank arrive later; 0-6 is a range"),
    FAULT("early", SIM_EARLY, "PHASE:RANK:DURATION",
          "make a rank compute less, and arrive earlier"),
    FAULT("hot", SIM_HOT, "RANK:FACTOR", "choose a rank's experts FACTOR times as often"),
    FAULT("slow-path", SIM_PATH, "PHASE:FROM->TO:DURATION",
          "make what FROM sends TO slow; or TO<-FROM"),
    FAULT("nic-in", SIM_NIC_IN, "PHASE:RANK:DURATION",
          "make a rank receive slowly; with nodes, from other nodes"),
    FAULT("nic-out", SIM_NIC_OUT, "PHASE:RANK:DURATION",
          "make a rank send slowly; with nodes, to other nodes"),
    FAULT("slow-node", SIM_NODE, "PHASE:NODE:DURATION", "make a whole node arrive later"),
    FAULT("slow-node-path", SIM_NODE_PATH, "PHASE:FROM->TO:DURATION",
          "make what one node sends to another slow"),
    FAULT("rotating", SIM_ROTATING, "PHASE:DURATION",
          "make another rank, at random, arrive later in each step"),
    FAULT("stalls", SIM_STALLS, "PHASE:PERCENT:DURATION",
          "make each path (with nodes, between nodes) stall in a step with this probability"),
    COUNT("every", 0, &g.every, "K", 1, SIM_MAX_OPS, "let the faults act in every K-th step only"),
    SHARE("chance", &g.config.chance, "let the faults act in a step with this probability"),
    COUNT("from", 0, &g.from, "WINDOW", 0, 0, "let the faults act from this window on (default 0)"),
    SHARE("clock-spread", &g.config.clock_spread,
          "vary the ranks' clock rates by this standard deviation (default 0%)"),
    DURATION("counter-floor", &g.counter_floor_ns,
             "add this to every wait, as counters do that start after a first look"),
    {.name = "case",
     .type = OPTION_TEXT,
     .value = &g.name,
     .argument = "NAME",
     .help = "name the case in the recording"},
    {.name = "output",
     .letter = 'o',
     .type = OPTION_TEXT,
     .value = &g.path,
     .argument = "FILE|-",
     .help = "write the recording to FILE (default: standard output)"},
    {.name = "force", .letter = 'f', .value = &g.force, .help = "replace a file that exists"},
};

static const cli_command command = {
    .name = "simulate",
    .summary = "Make recordings of a simulated job in which something is known to be wrong.",
    .max_operands = 0,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .notes = "Every step of a rank is: compute, dispatch, compute, combine. Each window makes\n"
             "two lines, with the truth in the field \"label\". Faults may be given repeatedly.\n"
             "PHASE is dispatch or combine; a DURATION has a unit (ns, us, ms, s). Quote\n"
             "paths: the shell would take the > for itself.\n",
    .examples = "  deepxtrace simulate --slow dispatch:2:23us | deepxtrace analyze -\n"
                "  deepxtrace simulate -n 16 --ranks-per-node 8 --slow-node combine:1:50us\n"
                "  deepxtrace simulate -n 32 --ranks-per-node 8 --nic-in dispatch:2:40us\n"
                "  deepxtrace simulate -n 64 --slow-path 'dispatch:9->3:20us' -o path.jsonl\n",
};

static void set_defaults(void)
{
    for (int k = 0; k < SIM_KINDS; k++) fault_options[k] = (sim_fault_option){&faults, (sim_kind)k};
    sim_config_default(&g.config);
    g.ranks = g.config.ranks;
    g.windows = 20;
    g.ops = g.config.ops;
    g.local_experts = g.config.local_experts;
    g.seed = g.config.seed;
    g.every = 1;
    g.compute_ns = -1;
    g.step_ns = -1;
}

/* A step that was not asked for leaves the operators as long as they are by default, and so does a
 * computing time, unless the step is too short for it. */
static void put_together(void)
{
    sim_config *config = &g.config;
    double inside_ns = config->step_ns - 2 * config->compute_ns;
    if (g.compute_ns >= 0) config->compute_ns = (double)g.compute_ns;
    if (g.step_ns >= 0)
        config->step_ns = (double)g.step_ns;
    else
        config->step_ns = 2 * config->compute_ns + inside_ns;
    config->ranks = (uint32_t)g.ranks;
    config->ranks_per_node = (uint32_t)g.ranks_per_node;
    config->ops = (uint32_t)g.ops;
    config->local_experts = (uint32_t)g.local_experts;
    config->seed = g.seed;
    config->every = (uint32_t)g.every;
    config->from = g.from;
    config->hybrid = g.hybrid;
    config->counter_floor_ns = (double)g.counter_floor_ns;
    config->faults = faults.items;
    config->fault_count = faults.count;
    if (!g.calm) return;
    config->unevenness = config->weather = config->wander = 0;
    config->spread = false;
}

static dxt_status describe(const simulation *sim, dxt_window *window, int phase, uint64_t number)
{
    window->source = strdup("deepxtrace simulate");
    if (g.name) window->case_name = strdup(g.name);
    if (!window->source || (g.name && !window->case_name)) return DXT_ERR_NO_MEMORY;
    sim_truth_of(&g.config, phase, number, &truth);
    truth.skew_ns = sim_skew_ns(sim, phase);
    return sim_label(&truth, window);
}

static dxt_status write_windows(simulation *sim, output_file *output)
{
    dxt_status status = DXT_OK;
    for (uint64_t w = 0; w < g.windows && status == DXT_OK; w++) {
        dxt_window *pair[2] = {NULL, NULL};
        progress("deepxtrace simulate: %llu of %llu windows", (unsigned long long)w,
                 (unsigned long long)g.windows);
        status = sim_next(sim, pair);
        for (int p = 0; p < 2 && status == DXT_OK; p++) {
            status = describe(sim, pair[p], p, w);
            if (status == DXT_OK) status = dxt_window_write(pair[p], output_write, output);
        }
        dxt_window_free(pair[0]);
        dxt_window_free(pair[1]);
    }
    return status;
}

static outcome simulate(simulation *sim)
{
    output_file output = {0};
    outcome result = output_open(&output, "simulate", g.path ? g.path : "-", g.force);
    if (result != GO_ON) return result;
    return output_end(&output, write_windows(sim, &output));
}

outcome cmd_simulate(int argc, char **argv)
{
    char why[256];
    int operands;
    simulation *sim;
    set_defaults();
    outcome result = command_line(&command, argc, argv, &operands);
    if (result != GO_ON) return result;
    put_together();
    dxt_status status = sim_create(&g.config, &sim, why, sizeof why);
    if (status != DXT_OK) {
        complain("simulate", "%s", why);
        return status == DXT_ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
    }
    result = simulate(sim);
    sim_destroy(sim);
    return result;
}
