/* SPDX-License-Identifier: Apache-2.0 */
/* All that became of an operator. */
#ifndef TOOLS_COMPARE_OPERATOR_H
#define TOOLS_COMPARE_OPERATOR_H

#include "compare.h"

/** Compare. @param nodes  [ranks], or NULL. @return DXT_OK, and release with comparison_free();
 *  DXT_ERR_NO_MEMORY. */
dxt_status compare_operator(const side_operator *before, const side_operator *after, uint32_t ranks,
                            const int32_t *nodes, comparison *made);

#endif
