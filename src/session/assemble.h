/* SPDX-License-Identifier: Apache-2.0 */
/* Two mails of every rank in, one window per operator out, window after window in the same memory.
 * Pure: no I/O, no clock, no globals. */
#ifndef DXT_SESSION_ASSEMBLE_H
#define DXT_SESSION_ASSEMBLE_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

#include "session/durations.h"
#include "session/mail.h"

/** What is known of a rank, also while it is silent. */
typedef struct dxt_identity {
    bool known;                /**< it has been heard at least once */
    uint64_t ticks_per_second; /**< 0 = unknown */
    int32_t node;              /**< −1 = unknown */
    dxt_place device;
} dxt_identity;

/** The input. Mails have passed dxt_mail_decode(). */
typedef struct dxt_assembly {
    uint32_t ranks; /**< at least 2 */
    uint32_t operators;
    const char *const *names;      /**< of the operators */
    const uint64_t *const *before; /**< per rank: mail at the beginning; NULL = none */
    const uint64_t *const *after;  /**< per rank: mail at the end; NULL = none */
    const uint8_t *excused; /**< per rank: 1 = without a mail, but not silent: it has left, or
                                         its mail got lost. NULL = nobody */
    const dxt_identity *identities; /**< per rank */
    int64_t index;
    int64_t busy_ns;          /**< how long rank 0 was held up behind the mails at the beginning */
    double min_share;         /**< 0 = not to be recorded */
    dxt_origin origin;        /**< of waits that are counted */
    dxt_durations *durations; /**< what was told of so far; NULL = none are kept */
    const char *instance;     /**< NULL = none */
    const char *source;       /**< NULL = none */
    const char *group;        /**< NULL = none */
} dxt_assembly;

/** Memory of the windows of one interval. */
typedef struct dxt_assembler dxt_assembler;

/**
 * @param ranks      2 … DXT_MAX_RANKS.
 * @param operators  1 … DXT_MAX_OPERATORS.
 * @param assembler  Receives it; release with dxt_assembler_destroy(). Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_assembler_create(uint32_t ranks, uint32_t operators, dxt_assembler **assembler);

/** Release, and with it the windows. NULL is allowed. */
void dxt_assembler_destroy(dxt_assembler *assembler);

/**
 * Make the windows. A rank without two mails that follow each other has a missing row. What none of
 * the others has ever counted is left out, and the clock rates where one of them does not know its
 * own.
 *
 * Where waits were not counted, but operations and local experts are known, that many waits were
 * added; where operations are not known, clocks tick so many times faster that a sum is that of one
 * expert. What ranks waited for rank 0 while it was held up is taken out of the sums.
 *
 * @param assembly  Of as many ranks and operators as the assembler.
 * @param windows   Receives `operators` windows, valid until the next call and as long as the texts
 *                  and identities of the assembly; dxt_window_free() is not for them.
 *
 * Cost: O(operators × ranks²); allocates nothing.
 */
void dxt_assemble(dxt_assembler *assembler, const dxt_assembly *assembly,
                  const dxt_window **windows);

/** Whether any rank knows how many operations of operator @p index it completed in the newest
 *  window, if only that there were none. */
bool dxt_assembler_knows_ops(const dxt_assembler *assembler, uint32_t index);

#endif
