/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Panels of few members, fitted side by side. A job of many nodes has hundreds of them, each too
 * small for vectors. With one panel per lane they take together as long as one, and the results are
 * the same to the last bit.
 */
#ifndef DXT_ARRIVE_ABREAST_H
#define DXT_ARRIVE_ABREAST_H

#include "analysis/arrive/panel.h"
#include "numeric/columns.h"

/** Most members of such a panel. */
#define DXT_ABREAST_MEMBERS 16u
/** Most panels side by side. */
#define DXT_ABREAST DXT_LANES

_Static_assert(DXT_ABREAST *DXT_ABREAST_MEMBERS *DXT_ABREAST_MEMBERS <=
                   DXT_WITNESSES * DXT_WITNESSES,
               "the cells of all have room where those of one panel have");

/** Take dxt_panel_level() of all members and dxt_panel_diagonal() of several panels with the same
 *  number of members, where that is faster than one by one.
 *  @param count  As below. */
void dxt_panels_middle(dxt_panel *const *panels, uint32_t count);

/** dxt_panel_refine() of several panels with the same number of members.
 *  @param count  1 … DXT_ABREAST; more than 1 only if they have up to DXT_ABREAST_MEMBERS members.
 */
void dxt_panels_refine(dxt_panel *const *panels, uint32_t count);

/** dxt_panel_judge() of the same panels. */
void dxt_panels_judge(dxt_panel *const *panels, uint32_t count);

#endif
