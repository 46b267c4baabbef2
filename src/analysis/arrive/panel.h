/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The panel: members that are fitted pair by pair, a whole group or the witnesses of a large one.
 * Takes their waits, the difference that each pair shows, and the latenesses that fit the pairs.
 */
#ifndef DXT_ARRIVE_PANEL_H
#define DXT_ARRIVE_PANEL_H

#include "analysis/arrive/group_data.h"
#include "numeric/skew.h"

typedef struct dxt_panel {
    uint32_t count;
    uint32_t member[DXT_WITNESSES];
    double late[DXT_WITNESSES];
    uint32_t ordinary[DXT_WITNESSES]; /**< positions in the panel */
    uint32_t ordinary_count;
    double *wait;     /**< [count][count] */
    double *pair;     /**< [count][count] how much later the column arrives than the row */
    double *sample;   /**< DXT_LEVEL_SAMPLE */
    double pair_skew; /**< of few members; negative until it is taken */
    double level;     /**< dxt_panel_level() where all are ordinary; negative until it is taken */
    double diagonal;  /**< dxt_panel_diagonal(); negative until it is taken */
    double noise;     /**< standard error by the cells alone */
    dxt_lateness_scale scale;
} dxt_panel;

static inline double dxt_panel_wait(const dxt_panel *p, uint32_t a, uint32_t b)
{
    return p->wait[(size_t)a * p->count + b];
}

static inline double dxt_panel_pair(const dxt_panel *p, uint32_t a, uint32_t b)
{
    return p->pair[(size_t)a * p->count + b];
}

/** Choose the members and take their waits. Panels of the same size that share a scratch have
 *  different places in it, from 0 on. */
void dxt_panel_seat(const dxt_group_input *in, uint32_t place, dxt_panel *p);

/** Median wait between the ordinary members; of two, the shorter of their waits. */
double dxt_panel_level(dxt_panel *p);
/** Longest wait of any pair. */
double dxt_panel_longest(const dxt_panel *p);
/** Median of the waits for oneself. */
double dxt_panel_diagonal(const dxt_panel *p);
/** Write the ordinary wait, and the skew that explains it, into @p group. */
void dxt_panel_take_level(const dxt_group_input *in, dxt_panel *p, dxt_group *group);

/** For each pair, take from its two waits how much later one member arrives than the other. */
void dxt_panel_pairs(dxt_panel *p, double transfer, double skew);
/** Least squares over all pairs: exact when the pairs agree with each other. */
void dxt_panel_means(dxt_panel *p);
/** Turn least squares into least absolute deviations by reweighting, so that a slow path does not
 *  make its two ends look late and early. */
void dxt_panel_refine(dxt_panel *p);
/** Write how far each pair is from what the latenesses explain into `sample`. @return How many. */
size_t dxt_panel_deviations(const dxt_panel *p);

#endif
