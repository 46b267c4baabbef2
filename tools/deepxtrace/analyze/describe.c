/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <stdio.h>
#include <stdlib.h>

#include <deepxtrace/report.h>

#include "output.h"

dxt_status describe(const dxt_window *window, const dxt_findings *findings, size_t more,
                    dxt_write_fn write, void *context)
{
    char line[64];
    dxt_status status = dxt_report_text(window, findings, write, context);
    if (status != DXT_OK || more == 0) return status;
    int length = snprintf(line, sizeof line, "  and %zu more that cost less (--limit)\n", more);
    return write(context, line, (size_t)length);
}

char *describe_text(const dxt_window *window, const dxt_findings *findings, size_t more)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return NULL;
    dxt_status status = describe(window, findings, more, memory_write, memory);
    if (fclose(memory) == 0 && status == DXT_OK) return text;
    free(text);
    return NULL;
}
