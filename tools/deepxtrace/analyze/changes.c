/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <inttypes.h>
#include <string.h>

#include "output.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

/* Equal for windows that name the same causes; their order does not count. */
static uint64_t what_it_says(const dxt_findings *findings)
{
    uint64_t sum = (uint64_t)findings->verdict;
    for (size_t i = 0; i < findings->finding_count; i++) {
        const dxt_finding *f = &findings->findings[i];
        uint64_t subject = mix(mix((uint64_t)f->kind + 1, f->rank), f->source);
        subject = mix(mix(subject, (uint64_t)f->node), (uint64_t)f->source_node);
        if (f->kind == DXT_SLOW_PATH && f->rank_count > 0) subject = mix(subject, f->ranks[0]);
        sum += mix(subject, (uint64_t)f->severity);
    }
    for (size_t i = 0; i < findings->col_count; i++) sum += mix(101, findings->cols[i].rank);
    for (size_t i = 0; i < findings->row_count; i++) sum += mix(102, findings->rows[i].rank);
    for (size_t i = 0; i < findings->point_count; i++)
        sum += mix(mix(103, findings->points[i].row), findings->points[i].column);
    return sum;
}

static change_state *find(changes *run, const char *phase)
{
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->operators[i].phase, phase) == 0) return &run->operators[i];
    size_t length = strspn(phase, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_-.:/+ ");
    /* Other names are not printed as they are. */
    if (phase[length] || length >= sizeof run->operators[0].phase) return NULL;
    if (run->count == DXT_HISTORY_OPERATORS) return NULL;
    change_state *state = &run->operators[run->count++];
    *state = (change_state){.says = 0};
    memcpy(state->phase, phase, length + 1);
    return state;
}

bool changes_look(changes *run, const dxt_window *window, const dxt_findings *findings,
                  change_state **state)
{
    uint64_t says = what_it_says(findings);
    *state = window->index < 0 ? NULL : find(run, window->phase);
    run->windows++;
    if (!*state) return true;
    bool same = (*state)->begun && (*state)->says == says;
    (*state)->begun = true;
    (*state)->says = says;
    if (same && run->windows > CHANGES_FIRST) {
        if ((*state)->left_out++ == 0) (*state)->first = window->index;
        (*state)->last = window->index;
        return false;
    }
    return true;
}

static dxt_status say_left_out(change_state *state)
{
    uint64_t count = state->left_out;
    state->left_out = 0;
    if (count == 0) return DXT_OK;
    if (count == 1)
        return stdout_printf("%s, window %" PRId64 ": the same as window %" PRId64 "\n",
                             state->phase, state->first, state->told);
    return stdout_printf("%s, windows %" PRId64 " to %" PRId64 ": the same as window %" PRId64 "\n",
                         state->phase, state->first, state->last, state->told);
}

dxt_status changes_tell(change_state *state, const dxt_window *window)
{
    if (!state) return DXT_OK;
    dxt_status status = say_left_out(state);
    state->told = window->index;
    return status;
}

bool changes_left(const changes *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->operators[i].left_out > 0) return true;
    return false;
}

dxt_status changes_end(changes *run)
{
    dxt_status status = DXT_OK;
    for (size_t i = 0; i < run->count && status == DXT_OK; i++)
        status = say_left_out(&run->operators[i]);
    *run = (changes){.count = 0};
    return status;
}
