/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of MPI that are put in front of the library's own. */
#include "pmpi.h"

#include <string.h>

#include <deepxtrace/probe.h>

#define EXPORTED __attribute__((visibility("default")))
/* The same in all MPIs. */
#define THREAD_MULTIPLE 3
#define SUCCESS 0
/* A program that was linked cannot get this: any number that is no success. */
#define NOT_THERE 16

/* `next` is that function, found once. */
#define ORIGINAL(type, name)                                   \
    static void *found;                                        \
    type next;                                                 \
    void *address = __atomic_load_n(&found, __ATOMIC_RELAXED); \
    if (!address) address = pmpi_find(name);                   \
    if (!address) return NOT_THERE;                            \
    __atomic_store_n(&found, address, __ATOMIC_RELAXED);       \
    memcpy(&next, &address, sizeof next);

typedef int (*init_fn)(int *, char ***, int, int *);
typedef int (*free_fn)(void *);
typedef int (*none_fn)(void);
typedef int (*alltoall_fn)(const void *, int, mpi_handle, void *, int, mpi_handle, mpi_handle);
typedef int (*alltoallv_fn)(const void *, const int *, const int *, mpi_handle, void *, const int *,
                            const int *, mpi_handle, mpi_handle);

/* Mails travel on a thread of their own. */
static int init(int *argc, char ***argv, int required, int *provided)
{
    ORIGINAL(init_fn, "PMPI_Init_thread")
    (void)required;
    return next(argc, argv, THREAD_MULTIPLE, provided);
}

EXPORTED int MPI_Init(int *argc, char ***argv);
EXPORTED int MPI_Init_thread(int *argc, char ***argv, int required, int *provided);
EXPORTED int MPI_Finalize(void);
EXPORTED int MPI_Comm_free(void *comm);
EXPORTED int MPI_Comm_disconnect(void *comm);
EXPORTED int MPI_Alltoall(const void *send, int send_count, mpi_handle send_type, void *receive,
                          int receive_count, mpi_handle receive_type, mpi_handle comm);
EXPORTED int MPI_Alltoallv(const void *send, const int *send_counts, const int *send_offsets,
                           mpi_handle send_type, void *receive, const int *receive_counts,
                           const int *receive_offsets, mpi_handle receive_type, mpi_handle comm);

int MPI_Init(int *argc, char ***argv)
{
    int provided = 0;
    return init(argc, argv, 0, &provided);
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    return init(argc, argv, required, provided);
}

int MPI_Finalize(void)
{
    ORIGINAL(none_fn, "PMPI_Finalize")
    pmpi_end();
    return next();
}

/* The handle that a program points to. */
static mpi_handle handle_at(const void *comm)
{
    return pmpi_is_wide() ? *(const mpi_handle *)comm : *(const unsigned *)comm;
}

int MPI_Comm_free(void *comm)
{
    ORIGINAL(free_fn, "PMPI_Comm_free")
    pmpi_forget(handle_at(comm));
    return next(comm);
}

int MPI_Comm_disconnect(void *comm)
{
    ORIGINAL(free_fn, "PMPI_Comm_disconnect")
    pmpi_forget(handle_at(comm));
    return next(comm);
}

int MPI_Alltoall(const void *send, int send_count, mpi_handle send_type, void *receive,
                 int receive_count, mpi_handle receive_type, mpi_handle comm)
{
    ORIGINAL(alltoall_fn, "PMPI_Alltoall")
    pmpi_watch *watch = pmpi_watch_of(comm);
    uint64_t begin = dxt_probe_clock();
    int error = next(send, send_count, send_type, receive, receive_count, receive_type, comm);
    uint64_t end = dxt_probe_clock();
    pmpi_note(error == SUCCESS ? watch : NULL, PMPI_ALLTOALL, end > begin ? end - begin : 0);
    return error;
}

int MPI_Alltoallv(const void *send, const int *send_counts, const int *send_offsets,
                  mpi_handle send_type, void *receive, const int *receive_counts,
                  const int *receive_offsets, mpi_handle receive_type, mpi_handle comm)
{
    ORIGINAL(alltoallv_fn, "PMPI_Alltoallv")
    pmpi_watch *watch = pmpi_watch_of(comm);
    uint64_t begin = dxt_probe_clock();
    int error = next(send, send_counts, send_offsets, send_type, receive, receive_counts,
                     receive_offsets, receive_type, comm);
    uint64_t end = dxt_probe_clock();
    pmpi_note(error == SUCCESS ? watch : NULL, PMPI_ALLTOALLV, end > begin ? end - begin : 0);
    return error;
}
