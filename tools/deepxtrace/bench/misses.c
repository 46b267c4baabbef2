/* SPDX-License-Identifier: Apache-2.0 */
#include "misses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

/* Windows that are counted, less those that are counted as right. */
static uint64_t wrong(const score_sheet *score)
{
    return score->faulted - score->exact + score->false_alarms;
}

void misses_note(misses *list, const score_sheet before[SCORE_METHODS],
                 const score_sheet after[SCORE_METHODS], int phase, uint64_t window)
{
    static const int methods[2] = {SCORE_ROBUST, SCORE_HISTORY};
    for (int m = 0; m < 2; m++) {
        size_t at = list->count[m];
        if (wrong(&after[methods[m]]) == wrong(&before[methods[m]]) || at == MISSES_MOST) continue;
        list->items[m][at].phase = phase;
        list->items[m][at].window = window;
        list->count[m]++;
    }
}

static const char *phase_of(int phase)
{
    return phase == DXT_DISPATCH ? "dispatch" : "combine";
}

/* The fewest digits that give the same number back. */
static void print_number(double number)
{
    char text[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (!strchr(text, 'e') && strtod(text, NULL) == number) break;
    }
    stdout_printf("%s", text);
}

/* An option that takes a share, if it is not `usual`. */
static void print_share(const char *option, double share, double usual)
{
    if (share == usual) return;
    stdout_printf(" --%s ", option);
    print_number(100 * share);
    stdout_printf("%%");
}

static void print_tail(const char *option, double sigma)
{
    if (sigma <= 0) return;
    stdout_printf(" --%s lognormal:", option);
    print_number(sigma);
}

static void print_fault(const sim_fault *fault)
{
    static const char *const words[SIM_KINDS] = {
        [SIM_LATE] = "slow",      [SIM_EARLY] = "early",
        [SIM_HOT] = "hot",        [SIM_PATH] = "slow-path",
        [SIM_NIC_IN] = "nic-in",  [SIM_NIC_OUT] = "nic-out",
        [SIM_NODE] = "slow-node", [SIM_NODE_PATH] = "slow-node-path",
        [SIM_STALLS] = "stalls",  [SIM_ROTATING] = "rotating"};
    stdout_printf(" --%s ", words[fault->kind]);
    switch (fault->kind) {
    case SIM_HOT:
        stdout_printf("%u:", fault->rank);
        print_number(fault->factor);
        return;
    case SIM_ROTATING: stdout_printf("%s", phase_of(fault->phase)); break;
    case SIM_STALLS:
        stdout_printf("%s:", phase_of(fault->phase));
        print_number(100 * fault->factor);
        stdout_printf("%%");
        break;
    case SIM_PATH:
    case SIM_NODE_PATH:
        stdout_printf("%s:'%u->%u'", phase_of(fault->phase), fault->source, fault->rank);
        break;
    default: stdout_printf("%s:%u", phase_of(fault->phase), fault->rank);
    }
    stdout_printf(":%.0fns", fault->size_ns);
}

static void print_command(const sim_config *config, uint64_t windows)
{
    sim_config usual;
    sim_config_default(&usual);
    stdout_printf("deepxtrace simulate -n %u -w %u --windows %llu --seed %llu", config->ranks,
                  config->ops, (unsigned long long)windows, (unsigned long long)config->seed);
    if (config->ranks_per_node) stdout_printf(" --ranks-per-node %u", config->ranks_per_node);
    if (config->hybrid) stdout_printf(" --hybrid");
    if (config->from) stdout_printf(" --from %llu", (unsigned long long)config->from);
    print_share("jitter", config->jitter, usual.jitter);
    print_tail("tail", config->tail);
    print_tail("cell-tail", config->cell_tail);
    if (config->every > 1) stdout_printf(" --every %u", config->every);
    print_share("chance", config->chance, usual.chance);
    for (size_t f = 0; f < config->fault_count; f++) print_fault(&config->faults[f]);
}

void misses_print(const misses *list, const sim_config *config, uint64_t windows)
{
    static const char *const words[2] = {"alone:", "with those before:"};
    if (list->count[0] + list->count[1] == 0) return;
    print_command(config, windows);
    stdout_printf("  #");
    for (int m = 0; m < 2; m++) {
        if (list->count[m] > 0) stdout_printf(" %s", words[m]);
        for (size_t k = 0; k < list->count[m]; k++)
            stdout_printf(" %s %llu%s", phase_of(list->items[m][k].phase),
                          (unsigned long long)list->items[m][k].window,
                          k + 1 < list->count[m]         ? ","
                          : m == 0 && list->count[1] > 0 ? ";"
                                                         : "");
    }
    stdout_printf("\n");
    stdout_flush();
}
