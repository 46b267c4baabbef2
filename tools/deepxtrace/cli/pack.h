/* SPDX-License-Identifier: Apache-2.0 */
/* What compresses pages. */
#ifndef TOOLS_CLI_PACK_H
#define TOOLS_CLI_PACK_H

#include <deepxtrace/page.h>

/** NULL in a build without zlib. */
dxt_pack_fn cli_pack(void);

#endif
