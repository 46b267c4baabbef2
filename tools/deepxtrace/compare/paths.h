/* SPDX-License-Identifier: Apache-2.0 */
/* Which single paths changed by more than their ranks, their nodes and what is told of these. */
#ifndef TOOLS_COMPARE_PATHS_H
#define TOOLS_COMPARE_PATHS_H

#include "compare.h"

/** Behind ranks and causes. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status compare_paths(comparison *made);

#endif
