/* SPDX-License-Identifier: Apache-2.0 */
/* The whole public interface of libdeepxtrace. The expert-parallel library has its own: ep.h. */
#ifndef DEEPXTRACE_DEEPXTRACE_H
#define DEEPXTRACE_DEEPXTRACE_H

#include <deepxtrace/analysis.h>
#include <deepxtrace/gather.h>
#include <deepxtrace/history.h>
#include <deepxtrace/matrix.h>
#include <deepxtrace/mpi.h>
#include <deepxtrace/page.h>
#include <deepxtrace/probe.h>
#include <deepxtrace/ratio.h>
#include <deepxtrace/render.h>
#include <deepxtrace/report.h>
#include <deepxtrace/session.h>
#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DXT_VERSION_MAJOR 0
#define DXT_VERSION_MINOR 1
#define DXT_VERSION_PATCH 0

/**
 * Version of the loaded library, "major.minor.patch". Static.
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_version(void);

/** A heavy part that is loaded at run time. Frozen. */
typedef struct dxt_part {
    const char *name;    /**< e.g. "cairo" */
    const char *purpose; /**< e.g. "PNG and PDF heat maps" */
    int available;       /**< 1 = loaded */
    const char *why;     /**< where it was found, or why it is not there; never NULL */
} dxt_part;

/**
 * Which parts this installation has.
 *
 * @param parts  Receives up to @p capacity entries; strings are static or live as long as the
 *               library.
 * @return How many parts there are.
 *
 * Blocking: loads each part once. Threads: any. NULL: @p parts, if @p capacity is 0.
 */
DXT_API size_t dxt_parts(dxt_part *parts, size_t capacity);

/** A number that a program compiled against these headers has built in. Frozen. */
typedef struct dxt_constant {
    const char *name; /**< "sizeof TYPE", "TYPE.FIELD" (its offset), or the name of a constant */
    int64_t value;
} dxt_constant;

/**
 * Sizes, offsets and constants of this library, for a binding in a language that does not read the
 * headers to compare with its own.
 *
 * @param constants  Receives up to @p capacity entries; names are static. NULL if that is 0.
 * @return How many there are.
 *
 * Blocking: no. Threads: any. NULL: @p constants, if @p capacity is 0.
 */
DXT_API size_t dxt_constants(dxt_constant *constants, size_t capacity);

/**
 * The default of an option of this library, for whatever offers the same option.
 *
 * @param name  "min_share": smallest share of the step that is worth a finding;
 *              "min_share_crowded": the same where ranks without a GPU share processors;
 *              "threshold_col", "threshold_row", "threshold_point": of the ratio rule;
 *              "interval_s", "interval_ops": a window of a session in async and in sync mode;
 *              "deadline_s", "deadline_sync_s": how late its mails may be;
 *              "sync_step": calls in a window of the Python package's sync mode.
 * @return The value; NaN for any other name.
 *
 * Blocking: no. Threads: any. NULL: NaN.
 */
DXT_API double dxt_default(const char *name);

#ifdef __cplusplus
}
#endif

#endif
