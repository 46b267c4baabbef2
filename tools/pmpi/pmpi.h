/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to be preloaded into programs of MPI: MPI_Alltoall and MPI_Alltoallv are diagnosed by
 * their durations, without a change to the program and whichever MPI it uses.
 *
 * No MPI header is used, since there is one library for all MPIs. A handle is a pointer in one and
 * an int in another; either way it comes in one register or one slot of the stack, and is handed on
 * as it came.
 */
#ifndef DXT_TOOLS_PMPI_H
#define DXT_TOOLS_PMPI_H

#include <stdbool.h>
#include <stdint.h>

#include <deepxtrace/deepxtrace.h>

/** A handle of MPI: a communicator, a data type. */
typedef uintptr_t mpi_handle;

/** Operators of a communicator. */
enum { PMPI_ALLTOALL, PMPI_ALLTOALLV, PMPI_OPERATORS };

/** One communicator that is diagnosed. */
typedef struct pmpi_watch pmpi_watch;

/** A function of the MPI that the program uses, by its name; NULL if there is none. */
void *pmpi_find(const char *name);

/** Whether handles of that MPI are pointers; else they are ints. */
bool pmpi_is_wide(void);

/**
 * The watch of a communicator, made when it is asked for first, in which case all its ranks ask.
 *
 * @return NULL if it is not diagnosed: of one rank, between groups, one too many, or something
 *         failed, which is said once.
 */
pmpi_watch *pmpi_watch_of(mpi_handle comm);

/** Note how long an operation has taken. @param watch  NULL is allowed. */
void pmpi_note(pmpi_watch *watch, uint32_t operator_index, uint64_t ticks);

/** A communicator is about to be freed: the diagnosis ends first. */
void pmpi_forget(mpi_handle comm);

/** MPI is about to end, and all diagnoses before it. */
void pmpi_end(void);

/** Say something on standard error, in one line. */
void pmpi_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A file that is written a window at a time. */
typedef struct pmpi_file pmpi_file;

/** Make it, and remember where it is. A file that is there becomes "name.1.ending", or whatever
 *  number is free.
 *  @return NULL, said, if it cannot be made. */
pmpi_file *pmpi_file_open(const char *path);

/** Add to it; a dxt_sink. @param file  NULL is allowed: nothing is written. */
dxt_status pmpi_file_put(void *file, const void *data, size_t size);

/** Write what was added. If that fails it is left out, which is said when it begins; the next part
 *  is tried again. A file that was removed, with its folders or without, is made again, as open
 *  to others as it was; one of others that has its name gets another one, as above. */
void pmpi_file_commit(pmpi_file *file);

void pmpi_file_close(pmpi_file *file);

#endif
