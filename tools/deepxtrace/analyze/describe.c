/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <stdio.h>
#include <stdlib.h>

#include <deepxtrace/report.h>

dxt_status describe(const dxt_window *window, const dxt_findings *findings, size_t more,
                    dxt_write_fn write, void *context)
{
    char line[64];
    dxt_status status = dxt_report_text(window, findings, write, context);
    if (status != DXT_OK || more == 0) return status;
    int length = snprintf(line, sizeof line, "  and %zu more that cost less (--limit)\n", more);
    return write(context, line, (size_t)length);
}

static dxt_status write_memory(void *context, const void *data, size_t size)
{
    return fwrite(data, 1, size, context) == size ? DXT_OK : DXT_ERR_NO_MEMORY;
}

char *describe_text(const dxt_window *window, const dxt_findings *findings, size_t more)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return NULL;
    dxt_status status = describe(window, findings, more, write_memory, memory);
    if (fclose(memory) == 0 && status == DXT_OK) return text;
    free(text);
    return NULL;
}
