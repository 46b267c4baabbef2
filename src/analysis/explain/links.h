/* SPDX-License-Identifier: Apache-2.0 */
/* Waits without those over slow links, which are many of all waits where ranks are few. */
#ifndef DXT_EXPLAIN_LINKS_H
#define DXT_EXPLAIN_LINKS_H

#include "analysis/case.h"

/** The ordinary wait between ranks whose links are not slow to all; that of the fit where no link
 *  is, or fewer than two ranks are left. Cost: O(ranks), and DXT_WITNESSES² where a link is slow.
 */
double dxt_wait_without_links(const dxt_case *c);

/** The least that a slow link to all ranks must exceed. It is taken from the waits without such
 *  links where these have raised the other ranks' limits. @param k  Member with DXT_ROLE_LINK.
 *  @param error  Receives the standard error. */
double dxt_limit_of_link(const dxt_case *c, uint32_t k, double *error);

#endif
