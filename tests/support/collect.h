/* SPDX-License-Identifier: Apache-2.0 */
/* A dxt_write_fn that keeps what is written in a dxt_text. */
#ifndef DXT_TESTS_COLLECT_H
#define DXT_TESTS_COLLECT_H

#include "base/base.h"

static inline dxt_status collect(void *context, const void *data, size_t size)
{
    dxt_text_append(context, data, size);
    return DXT_OK;
}

#endif
