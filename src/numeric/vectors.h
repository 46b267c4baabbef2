/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that are worth compiling once more for the vectors that most machines have. */
#ifndef DXT_NUMERIC_VECTORS_H
#define DXT_NUMERIC_VECTORS_H

/** Before a function: compile it also for wide vectors; the loader picks what the machine has.
 *  Only before a static one: the clones of others would be exported. Sanitizers run before the
 * loader has picked, and clang 14 knows no clones in C. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(DXT_SANITIZED)
#define DXT_VECTORS __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define DXT_VECTORS
#endif

#endif
