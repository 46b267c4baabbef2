/* SPDX-License-Identifier: Apache-2.0 */
/* Loops for vectors: how many columns they take side by side, and a mark for those that pay to be
 * compiled once more, for the wide vectors that most machines have. */
#ifndef DXT_NUMERIC_VECTORS_H
#define DXT_NUMERIC_VECTORS_H

/** Columns that are computed side by side. */
#define DXT_LANES 16u

/** Before a static function: compile it also for wide vectors; the loader chooses for the machine.
 *  Clones of other functions would be exported. Not with sanitizers, which run before the loader
 * has chosen, nor with clang 14, which has no clones in C. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(DXT_SANITIZED)
#define DXT_VECTORS __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define DXT_VECTORS
#endif

#endif
