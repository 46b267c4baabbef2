/* SPDX-License-Identifier: Apache-2.0 */
/* Turn two mails of every rank into one window per operator, one interval after another in the same
 * memory. Pure: no I/O, no clock, no globals. */
#ifndef DXT_SESSION_ASSEMBLE_H
#define DXT_SESSION_ASSEMBLE_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

#include "session/durations.h"
#include "session/mail.h"

/** The identity of a rank, kept while it is silent. */
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
 * Make the windows. A rank without two consecutive mails has a missing row. Planes that no other
 * rank has ever counted are left out; so are the clock rates if one rank does not know its own.
 *
 * If waits were not counted but operations and local experts are known, their product is the number
 * of waits. If operations are not known either, the clocks are taken as faster by the number of
 * experts, so that a sum becomes that of one expert. Waits for rank 0 while the diagnosis held it
 * up are taken out of the sums.
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
 *  window, even if there were none. */
bool dxt_assembler_knows_ops(const dxt_assembler *assembler, uint32_t index);

#endif
