/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/work.h"

#include <math.h>

/* The time that a member waits in an operation, for its own data or for the other's, whichever
 * comes last. */
static double waiting(const dxt_fit *fit, uint32_t i)
{
    return fmax(dxt_fit_wait(fit, i, 0), dxt_fit_wait(fit, i, 1));
}

static bool is_counted(const dxt_window *window, const dxt_fit *fit)
{
    return fit->count == 2 && window->ops > 0 &&
           dxt_window_measure(window) == DXT_MEASURE_NS_PER_OP;
}

void dxt_take_work(const dxt_case *c)
{
    const dxt_window *window = c->window, *other = c->companion;
    if (window->ranks != 2 || !is_counted(window, &c->fit) || isnan(c->fit.step)) return;
    if (other && !is_counted(other, &c->other)) return;
    for (uint32_t r = 0; r < 2; r++) {
        double waits = waiting(&c->fit, r);
        if (other) waits += waiting(&c->other, r) * (double)other->ops / (double)window->ops;
        c->draft->work[r] = c->fit.step - waits;
    }
    c->draft->work_of = other ? 2 : 1;
}
