/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mpi/mpi.h"

#define NAME_SIZE 64

dxt_status dxt_ep_mpi_failed(const char *what, int error)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(error, text, &length);
    return dxt_ep_fail(DXT_ERR_IO, "%s: %s", what, text);
}

dxt_status dxt_ep_mpi_all_well(MPI_Comm comm, dxt_status status)
{
    int mine = status != DXT_OK, any = 0;
    int error = MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, comm);
    if (status != DXT_OK) return status;
    if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot agree with the other ranks", error);
    return any ? dxt_ep_fail(DXT_ERR_STATE,
                             "another rank could not join the group; its error says why")
               : DXT_OK;
}

/* Those that can share memory with this rank; with EPM_NODE_SIZE smaller groups of them. */
static int split(MPI_Comm comm, MPI_Comm *node)
{
    int error = MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, node);
    const char *given = secure_getenv(EPM_NODE_SIZE);
    long size = given ? strtol(given, NULL, 10) : 0;
    if (error != MPI_SUCCESS || size <= 0) return error;
    int rank;
    MPI_Comm part;
    MPI_Comm_rank(*node, &rank);
    error = MPI_Comm_split(*node, (int)(rank / size), rank, &part);
    if (error != MPI_SUCCESS) return error;
    MPI_Comm_free(node);
    *node = part;
    return MPI_SUCCESS;
}

/* ---- the segment ---- */

/* An object that no other program has: its name is random, so that nobody can take it beforehand,
 * and goes as soon as all have the object. */
static int create_named(char *name, size_t size)
{
    uint64_t random;
    int fd = -1;
    if (getentropy(&random, sizeof random) == 0) {
        snprintf(name, NAME_SIZE, "/deepxtrace-mpi-%d-%016" PRIx64, (int)getpid(), random);
        fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    }
    if (fd >= 0) {
        /* Space that is only promised would end a rank with SIGBUS in the middle of the job. */
        int error = posix_fallocate(fd, 0, (off_t)size);
        if (error == 0) return fd;
        shm_unlink(name);
        close(fd);
        errno = error;
    }
    name[0] = '\0';
    return -1;
}

/* The first rank of the node makes the segment, the others open it. Collective over the node. */
static dxt_status make_segment(MPI_Comm node, size_t size, int *fd)
{
    /* Why the first rank has none, the others say, too: its own words may come too late. */
    struct {
        char name[NAME_SIZE];
        int error;
    } made = {.name = ""};
    int rank;
    MPI_Comm_rank(node, &rank);
    *fd = -1;
    if (rank == 0) *fd = create_named(made.name, size);
    if (rank == 0 && *fd < 0) made.error = errno;
    int error = MPI_Bcast(&made, sizeof made, MPI_BYTE, 0, node);
    if (error == MPI_SUCCESS && rank != 0 && made.name[0]) {
        *fd = shm_open(made.name, O_RDWR, 0);
        if (*fd < 0) made.error = errno;
    }
    MPI_Barrier(node);
    if (rank == 0 && made.name[0]) shm_unlink(made.name);
    if (error != MPI_SUCCESS)
        return dxt_ep_mpi_failed("cannot name the shared memory to the ranks of this node", error);
    if (*fd >= 0) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_IO, "cannot make %zu bytes of shared memory: %s", size,
                       strerror(made.error));
}

/* ---- who is here ---- */

static dxt_status list_members(MPI_Comm comm, MPI_Comm node, uint32_t *members, uint32_t *count)
{
    int size, rank, error = MPI_Comm_size(node, &size);
    MPI_Comm_rank(comm, &rank);
    uint32_t mine = (uint32_t)rank;
    /* In the order of the node, which is that of the whole group: the split kept it. */
    if (error == MPI_SUCCESS)
        error = MPI_Allgather(&mine, 1, MPI_UINT32_T, members, 1, MPI_UINT32_T, node);
    if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot find the ranks of this node", error);
    *count = (uint32_t)size;
    return DXT_OK;
}

dxt_status dxt_ep_mpi_share(const dxt_ep_config *config, MPI_Comm comm, uint32_t *members,
                            uint32_t *count, int *fd)
{
    MPI_Comm node;
    dxt_ep_shm_layout layout = {.size = 0};
    *fd = -1;
    int error = split(comm, &node);
    if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot find the nodes", error);
    dxt_status status = list_members(comm, node, members, count);
    if (status == DXT_OK) status = dxt_ep_shm_layout_of(config, *count, &layout);
    if (dxt_ep_mpi_all_well(node, status) == DXT_OK) status = make_segment(node, layout.size, fd);
    MPI_Comm_free(&node);
    return dxt_ep_mpi_all_well(comm, status);
}
