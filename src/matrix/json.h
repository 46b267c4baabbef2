/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of JSON text (RFC 8259) that builds no tree. A window's line is megabytes of
 * integers and a few small fields; the integers go from the text straight into the matrix, and the
 * fields we do not know are kept as they were written.
 */
#ifndef DXT_MATRIX_JSON_H
#define DXT_MATRIX_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/status.h>

/** Deepest nesting of arrays and objects. */
#define DXT_JSON_DEPTH 64

/** A place in a text. */
typedef struct dxt_json {
    const char *begin, *at, *end;
    const char *why; /**< static: what is wrong at `at`, after a function has returned false */
} dxt_json;

/** Skip white space. @return Whether something follows. */
bool dxt_json_space(dxt_json *json);
/** Skip white space and take @p c. @return Whether it was there; otherwise nothing is taken. */
bool dxt_json_take(dxt_json *json, char c);
/** As dxt_json_take(); if it is not there, `why` says that it is missing. */
bool dxt_json_expect(dxt_json *json, char c);
/** Take a literal such as null. @return Whether it was there. */
bool dxt_json_literal(dxt_json *json, const char *word);
/** Take one whole value of any kind, checking it. */
bool dxt_json_skip(dxt_json *json);
/** Take one number. */
bool dxt_json_double(dxt_json *json, double *value);
/**
 * Take one string and decode it. One that holds U+0000 is refused.
 *
 * @param text  Receives it; release with free().
 * @return DXT_OK; DXT_ERR_FORMAT (`why`); DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_json_string(dxt_json *json, char **text);

#endif
