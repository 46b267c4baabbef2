/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

#include <stdlib.h>
#include <string.h>

static bool is_of(const job *of, const dxt_window *window)
{
    if (!of->instance || !window->instance) return !of->instance && !window->instance;
    return strcmp(of->instance, window->instance) == 0;
}

job *jobs_find(jobs *all, const dxt_window *window)
{
    all->tick++;
    for (size_t i = 0; i < all->count; i++) {
        if (!is_of(&all->list[i], window)) continue;
        all->list[i].touched = all->tick;
        return &all->list[i];
    }
    return NULL;
}

job *jobs_oldest(jobs *all)
{
    job *oldest = &all->list[0];
    if (all->count < JOBS_MOST) return NULL;
    for (size_t i = 1; i < all->count; i++)
        if (all->list[i].touched < oldest->touched) oldest = &all->list[i];
    return oldest;
}

static void drop(job *of)
{
    dxt_history_destroy(of->history);
    changes_free(&of->told);
    free(of->instance);
    *of = (job){.used = false};
}

dxt_status jobs_begin(jobs *all, job *place, const dxt_window *window,
                      const dxt_history_options *options, job **made)
{
    if (place) {
        drop(place);
        /* Those that were begun behind it move up, so that the order stays. */
        size_t behind = all->count - 1 - (size_t)(place - all->list);
        memmove(place, place + 1, behind * sizeof *place);
        all->count--;
        all->last = NULL;
    }
    job *of = &all->list[all->count];
    *of = (job){.used = true, .touched = all->tick};
    dxt_status status = DXT_OK;
    if (window->instance && !(of->instance = strdup(window->instance))) status = DXT_ERR_NO_MEMORY;
    if (status == DXT_OK && options) status = dxt_history_create(options, &of->history);
    if (status != DXT_OK) {
        drop(of);
        return status;
    }
    all->several = all->several || all->count > 0;
    all->count++;
    *made = of;
    return DXT_OK;
}

void jobs_free(jobs *all)
{
    for (size_t i = 0; i < all->count; i++) drop(&all->list[i]);
    *all = (jobs){.count = 0};
}
