/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts: shared objects libdeepxtrace-NAME.so.0, which are loaded when they are asked for. The
 * core library, the expert-parallel library and the command are each compiled with this file; none
 * of them links another for it.
 */
#ifndef DXT_SYSTEM_LOADER_H
#define DXT_SYSTEM_LOADER_H

#include <stdbool.h>
#include <stddef.h>

/** Room for the longest reason, which names a path. */
#define DXT_LOADER_WHY_SIZE 1200u

/** Whether a library is one that its caller can use, and not of another version. */
typedef bool (*dxt_part_fits)(void *library, void *context);

/**
 * Load a part: from $DEEPXTRACE_PARTS, unless the program has raised privileges; from the folder of
 * the object that @p beside lies in; or from where the system looks.
 *
 * @param name     Of the part, with its variant: "mpi-openmpi".
 * @param beside   An address in the library next to which parts are.
 * @param fits     Asked before a library is taken; NULL takes any.
 * @param context  Handed to @p fits.
 * @param why      Receives the path of the part, or why there is none: what is wrong with a file
 *                 that is there, rather than that others are not.
 * @return A handle of dlopen(), or NULL.
 *
 * Blocking: while a library is loaded. Threads: one at a time for each @p why.
 */
void *dxt_load_part(const char *name, const void *beside, dxt_part_fits fits, void *context,
                    char *why, size_t why_size);

/** A function of a library, or NULL. @p function is the address of a pointer to a function. */
void dxt_part_symbol(void *library, const char *name, void *function);

/**
 * Which of two MPIs that cannot share a process to go with: $DEEPXTRACE_MPI, the one that the
 * program was linked with, or else the one that started it.
 *
 * @param why  Receives the reason when NULL is returned.
 * @return "openmpi", "mpich" or NULL. May change when a program loads an MPI.
 */
const char *dxt_which_mpi(char *why, size_t why_size);

/**
 * One thread at a time loads parts. A child of fork() finds the lock free, whoever held it: the
 * thread that did does not exist there.
 */
void dxt_loader_lock(void);
void dxt_loader_unlock(void);

#endif
