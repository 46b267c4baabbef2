/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a recording, for those who read, write and check them. */
#ifndef DXT_MATRIX_FIELDS_H
#define DXT_MATRIX_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/matrix.h>

/** Most fields of a window that are not ours. */
#define DXT_MAX_OTHER_FIELDS 256

/** How a field is read. */
typedef enum dxt_field_kind {
    DXT_KIND_VERSION,
    DXT_KIND_RANKS,
    DXT_KIND_PHASE,
    DXT_KIND_UNIT,
    DXT_KIND_TICKS,
    DXT_KIND_SAMPLES,
    DXT_KIND_NODES,
    DXT_KIND_HOSTS,
    DXT_KIND_MATRIX,
    DXT_KIND_OPS,
    DXT_KIND_ORIGIN,
    DXT_KIND_DEVICES,
    DXT_KIND_TOKENS,
    DXT_KIND_SHARE,
    DXT_KIND_MIX,
    DXT_KIND_ISSUED,
    DXT_KIND_RUN_DELAY,
    DXT_KIND_INTEGER, /**< 0 … 2^63 − 1 at `offset` */
    DXT_KIND_STRING   /**< at `offset` */
} dxt_field_kind;

typedef struct dxt_field {
    const char *name;
    dxt_field_kind kind;
    bool required;
    size_t offset; /**< in dxt_window, for integers and strings */
} dxt_field;

/** The N×N fields come first; their numbers are their places in dxt_fields. */
enum {
    DXT_FIELD_WAIT,
    DXT_FIELD_SAMPLES,
    DXT_FIELD_BYTES,
    DXT_FIELD_LAST,
    DXT_MATRIX_FIELDS,
    DXT_FIELDS = 26
};

extern const dxt_field dxt_fields[DXT_FIELDS];

/** Names of dxt_origin, by value; the unknown one has none. */
#define DXT_ORIGINS 4
extern const char *const dxt_origins[DXT_ORIGINS];

/** @return The number of the field of this name, −1 if it is not ours. */
int dxt_field_find(const char *name);

/** As dxt_window_check(). @param observed  Receives whether every cell was, when DXT_OK. */
dxt_status dxt_window_look(const dxt_window *window, bool *observed);

/** The same but for the waits: not looked at is whether one is negative. */
dxt_status dxt_window_look_around(const dxt_window *window);

/** Whether nobody completed an operation or waited for anybody, where that would be counted. */
bool dxt_window_is_still(const dxt_window *window);

/** The names of a window's other fields. Zero it to begin. */
typedef struct dxt_others {
    char *names[DXT_MAX_OTHER_FIELDS];
    size_t count;
} dxt_others;

/** Add a name, which is taken over in any case. @return NULL, or what is wrong with it. */
const char *dxt_others_add(dxt_others *others, char *name);
void dxt_others_free(dxt_others *others);

#endif
