/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

static const char *const phase_names[] = {"dispatch", "combine", NULL};

static const char *form_of(sim_kind kind)
{
    switch (kind) {
    case SIM_HOT: return "RANK:FACTOR";
    case SIM_PATH:
    case SIM_NODE_PATH: return "PHASE:FROM->TO:DURATION";
    case SIM_NODE: return "PHASE:NODE:DURATION";
    case SIM_ROTATING: return "PHASE:DURATION";
    case SIM_STALLS: return "PHASE:PERCENT:DURATION";
    default: return "PHASE:RANK:DURATION";
    }
}

static bool parse_rank(const char *text, uint32_t *rank, char *why, size_t why_size)
{
    uint64_t number;
    if (!cli_parse_count(text, 0, SIM_MAX_RANKS - 1, &number, why, why_size)) return false;
    *rank = (uint32_t)number;
    return true;
}

static bool parse_ranks(char *text, uint32_t *first, uint32_t *last, char *why, size_t why_size)
{
    char *end;
    bool range = cli_cut(text, "-", &end);
    if (!parse_rank(text, first, why, why_size)) return false;
    *last = *first;
    if (range && !parse_rank(end, last, why, why_size)) return false;
    if (*last >= *first) return true;
    snprintf(why, why_size, "'%s-%s' ends before it begins", text, end);
    return false;
}

static bool parse_size(const char *text, sim_fault *fault, char *why, size_t why_size)
{
    int64_t ns;
    if (fault->kind == SIM_HOT) return cli_parse_number(text, &fault->factor, why, why_size);
    if (!cli_parse_duration(text, &ns, why, why_size)) return false;
    fault->size_ns = (double)ns;
    if (ns <= SIM_LONGEST_NS) return true;
    snprintf(why, why_size, "'%s' is longer than a second, the longest", text);
    return false;
}

static bool append(sim_faults *faults, sim_fault fault, uint32_t last, char *why, size_t why_size)
{
    for (; fault.rank <= last; fault.rank++) {
        if (faults->count == SIM_MAX_FAULTS) {
            snprintf(why, why_size, "there are more than %u faults, the most", SIM_MAX_FAULTS);
            return false;
        }
        faults->items[faults->count++] = fault;
    }
    return true;
}

/* Whom it concerns: one rank or node, a range of them, a path; nobody in particular. */
static bool parse_whom(char *rank, const char *source, sim_fault *fault, uint32_t *last, char *why,
                       size_t why_size)
{
    *last = 0;
    if (fault->kind == SIM_ROTATING) return true;
    if (fault->kind == SIM_STALLS) {
        if (!cli_parse_share(rank, &fault->factor, why, why_size)) return false;
        if (fault->factor <= SIM_MOST_STALLS) return true;
        snprintf(why, why_size, "at most half of the paths may stall");
        return false;
    }
    if (!source) return parse_ranks(rank, &fault->rank, last, why, why_size);
    bool good = parse_rank(rank, &fault->rank, why, why_size) &&
                parse_rank(source, &fault->source, why, why_size);
    *last = fault->rank;
    return good;
}

bool sim_parse_fault(const char *text, void *option, char *why, size_t why_size)
{
    const sim_fault_option *given = option;
    bool is_path = given->kind == SIM_PATH || given->kind == SIM_NODE_PATH;
    char copy[128], *rank = copy, *size = NULL, *source = NULL;
    sim_fault fault = {.kind = given->kind};
    uint32_t last;
    bool fits = snprintf(copy, sizeof copy, "%s", text) < (int)sizeof copy;
    if (given->kind != SIM_HOT) fits = fits && cli_cut(copy, ":", &rank);
    if (given->kind == SIM_ROTATING)
        size = rank;
    else
        fits = fits && cli_cut(rank, ":", &size);
    if (is_path) fits = fits && cli_cut_path(rank, &rank, &source);
    if (!fits) {
        snprintf(why, why_size, "'%.100s' is not of the form %s", text, form_of(given->kind));
        return false;
    }
    if (given->kind != SIM_HOT && !cli_parse_choice(copy, phase_names, &fault.phase, why, why_size))
        return false;
    return parse_whom(rank, source, &fault, &last, why, why_size) &&
           parse_size(size, &fault, why, why_size) &&
           append(given->faults, fault, last, why, why_size);
}
