/* SPDX-License-Identifier: Apache-2.0 */
/* Names that tell where a job ran, replaced by numbers: the same name by the same number. */
#ifndef TOOLS_REPORT_REDACT_H
#define TOOLS_REPORT_REDACT_H

#include <deepxtrace/matrix.h>

/** Names met so far. Zero it to begin. */
typedef struct redaction {
    struct redacted {
        char *name;
        char kind;       /**< 'h'ost, 'u'uid, 'p'ci, path '/' */
        unsigned number; /**< from 1, among those of its kind */
    } * names;
    size_t count, capacity;
} redaction;

/**
 * Replace in a window: hosts, UUIDs and PCI addresses of GPUs, paths in names of the source, the
 * group, the case, the instance and the mix. Unknown fields, which may hold anything, go.
 *
 * @param context  The redaction.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status redact_window(void *context, dxt_window *window);

void redact_free(redaction *names);

#endif
