/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spot that moves through a value as JSON or Python writes it, and the small things that stand
 * there: words, texts, lists of numbers, calls around them. The value is whole
 * (dxt_literal_scan()).
 */
#ifndef DXT_MATRIX_SPOT_H
#define DXT_MATRIX_SPOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/** A member's name, a text, or a word. */
typedef struct dxt_token {
    const char *at, *end;
    char quote; /**< 0: none stands around it */
} dxt_token;

/** A spot in a value that is one. */
typedef struct dxt_spot {
    const char *at, *end;
    dxt_text *lines; /**< what it holds, as lines */
    bool matrices;   /**< are wanted */
    int depth;
    dxt_token unit;                  /**< of time, that a name around says; empty: none */
    const char *phase;               /**< "dispatch", "combine", or NULL: not known */
    int64_t rank;                    /**< of all lists in it; −1: not known */
    bool keyed;                      /**< it is a member of an object */
    bool element;                    /**< it stands in an array */
    const struct dxt_members *owner; /**< of the object around it, if that says its rank */
    bool foreign;                    /**< its lists are places on a map or in a picture */
} dxt_spot;

/** Pass over blanks and commas. */
void dxt_spot_blanks(dxt_spot *in);
/** Take a text in quotes or a word; empty where neither stands. */
dxt_token dxt_spot_token(dxt_spot *in);
/** Pass over a value of any kind, brackets and texts in it. */
void dxt_spot_skip(dxt_spot *in);
/** Move behind the names of calls such as "np.array(" and "tensor(". @return How many. */
int dxt_spot_open_calls(dxt_spot *in);
/** Move behind their other arguments, ", device='cuda:0')". */
void dxt_spot_close_calls(dxt_spot *in, int calls);
/** Whether a bracket opens a list of numbers; then the place moves behind it, and the @p count
 *  numbers are from … to. */
bool dxt_spot_list(dxt_spot *in, const char **from, const char **to, uint32_t *count);

/** Whether it holds a word, or is it, in whatever case. */
bool dxt_token_has(const dxt_token *name, const char *what);
bool dxt_token_is(const dxt_token *name, const char *what);
/** Whether a text is a number and no more. */
bool dxt_token_is_number(const dxt_token *text);
/** The operator that it names; @p known if it names none, or both. */
const char *dxt_token_phase(const dxt_token *name, const char *known);
/** R of "R", "rankR", "gpuR" and the like; −1: it is no rank. */
int64_t dxt_token_rank(const dxt_token *name);

/* ---- literal_json.c ---- */

/** Whether a member has exactly the name that a recording gives it, in quotes. */
bool dxt_token_called(const dxt_token *name, const char *what);
/** Write an object as a line that is known as a recording by its beginning. */
void dxt_put_recording(dxt_spot *in);

/* ---- unit_names.c ---- */

/** The unit of time in which a name ends, "dispatch_us"; empty: none. */
dxt_token dxt_unit_of(const dxt_token *name);
/** The ns of a unit; 0: cycles; below 0: the word is none. */
double dxt_unit_ns(const char *at, const char *end);
/** Whether a text is a unit of time, or says cycles. */
bool dxt_is_time_unit(const char *at, const char *end);

#endif
