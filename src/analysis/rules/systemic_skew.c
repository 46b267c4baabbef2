/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemic_skew: everybody waits for everybody, and nobody more than others; or another rank is
 * late in each operation, so that the mean of a cell is a small part of what is lost. Not where it
 * is late because paths of the other operator stall (explain/stalls.c), which is said there.
 *
 * How large: what an ordinary pair waits for each other beyond the transfer. The share of the time
 * that is lost is a range, from the largest mean wait of a typical rank to the sum of its mean
 * waits (arrive/one_sided.c). How sure: the ordinary wait against the least that is worth a line
 * (DXT_SYSTEMIC_SHARE), or what is lost at least (DXT_LOSS_SHARE). Up to DXT_ROTATING_RANKS ranks
 * also what the last of so many costs all others in each operation, if arrivals vary so
 * (DXT_VARIATION_SHARE), and what is lost at most, where columns differ and rows do not
 * (DXT_ROTATING_SHARE); of more ranks healthy jitter costs as much.
 */
#include <math.h>

#include "analysis/arrive/one_sided.h"
#include "analysis/explain/links.h"
#include "analysis/explain/lost.h"
#include "analysis/explain/stalls.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

/* Whether some ranks, of which one is not a third of all, and not too many, lose much to it. */
static bool loses_much(const dxt_case *c, double beyond)
{
    const dxt_fit *fit = &c->fit;
    double least = DXT_VARIATION_SHARE * c->spent;
    /* What they wait for each other adds up to more than that. */
    if (fit->count <= DXT_LINK_LEAST || fit->count > DXT_ROTATING_RANKS) return false;
    if (!(fit->count * beyond >= least)) return false;
    return dxt_cost_of_variation(fit, beyond) >= least;
}

static bool applies(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    double least = 0, most = 0;
    (void)s;
    if (fit->count < 2 || fit->unsure || isnan(c->spent)) return false;
    double beyond = dxt_wait_without_links(c) - fit->transfer;
    if (beyond >= DXT_SYSTEMIC_SHARE * c->spent || loses_much(c, beyond)) return true;
    bool much = fit->count > DXT_LINK_LEAST && beyond >= DXT_LOSS_SHARE / 2 * fit->step;
    if (much) dxt_bound_loss(fit, &least, &most);
    return (much && least >= DXT_LOSS_SHARE) ||
           (fit->count <= DXT_ROTATING_RANKS && dxt_rotates(fit));
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    double wait = fmax(dxt_wait_without_links(c) - fit->transfer, DXT_TINY);
    double least = fmin(DXT_SYSTEMIC_SHARE * c->spent, wait);
    dxt_stalls stalls;
    (void)s;
    if (c->companion && dxt_paths_stall(&c->other, fit, &stalls))
        return (dxt_size){.explained = true};
    return (dxt_size){.wait = wait, .limit = least};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    double least, most;
    (void)s;
    if (!finding) return;
    dxt_bound_loss(&c->fit, &least, &most);
    finding->share = fmax(least, finding->share);
    finding->share_most = fmax(most, finding->share);
    finding->severity = dxt_severity_of_share(finding->share);
    if (c->fit.one_sided > 0) finding->confidence = fmin(finding->confidence, DXT_DOUBTFUL);
}

const dxt_rule dxt_rule_systemic_skew = {
    .kind = DXT_SYSTEMIC_SKEW,
    .about = DXT_ABOUT_WINDOW,
    .applies = applies,
    .size = size,
    .write = write,
};
