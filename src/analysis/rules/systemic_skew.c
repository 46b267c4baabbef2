/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemic_skew: everybody waits for everybody, and nobody more than others; or another rank is
 * late in each operation, so that the mean of a cell is a small part of the loss. It does not apply
 * if ranks are late because paths of the other operator stall (explain/stalls.c): that operator's
 * window says so.
 *
 * When, and how sure: the ordinary wait exceeds DXT_SYSTEMIC_SHARE, or at least DXT_LOSS_SHARE is
 * lost. With up to DXT_ROTATING_RANKS ranks also if the last of them, as far as arrivals vary,
 * costs the others DXT_VARIATION_SHARE in each operation; or if columns differ, rows do not, and
 * the loss may be as high as DXT_ROTATING_SHARE. With more ranks healthy jitter costs as much.
 * Of any number if ranks that were late in turn a few times cost that share (explain/turns.c).
 * With up to half as many ranks also if lumps of lateness likely lose DXT_LOST_SHARE
 * (explain/lost.c).
 * How large: the wait of an ordinary pair beyond the transfer. The share that is lost is a range:
 * from the largest mean wait of a typical rank to the sum of its mean waits (arrive/one_sided.c).
 */
#include <math.h>

#include "analysis/arrive/one_sided.h"
#include "analysis/explain/links.h"
#include "analysis/explain/lost.h"
#include "analysis/explain/stalls.h"
#include "analysis/explain/turns.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

/* Whether more than a few ranks, but not too many, lose much to it. */
static bool loses_much(const dxt_case *c, double beyond)
{
    const dxt_fit *fit = &c->fit;
    double least = DXT_VARIATION_SHARE * c->spent;
    /* Their waits for each other add up to more than that. */
    if (fit->count <= DXT_LINK_LEAST || fit->count > DXT_ROTATING_RANKS) return false;
    if (!(fit->count * beyond >= least)) return false;
    if (dxt_cost_of_variation(fit, beyond) >= least) return true;
    /* Of more ranks cells that vary by themselves may look like it. */
    return fit->count <= DXT_ROTATING_RANKS / 2 && dxt_share_lost(c) > 0;
}

static bool applies(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    double least = 0, most = 0;
    (void)s;
    if (fit->count < 2 || fit->unsure || isnan(c->spent)) return false;
    if (dxt_lost_in_turns(c) >= DXT_LOSS_SHARE * c->spent) return true;
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
    double turns = fmin(1, dxt_lost_in_turns(c) / c->spent);
    most = fmax(most, turns);
    finding->share = fmax(fmax(least, turns), finding->share);
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
