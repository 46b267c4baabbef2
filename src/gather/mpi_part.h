/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core library asks of its MPI part, which needs nothing from the core. Functions return
 * statuses and write why into a text of DXT_MPI_WHY bytes.
 */
#ifndef DXT_GATHER_MPI_PART_H
#define DXT_GATHER_MPI_PART_H

#include <deepxtrace/mpi.h>

/** Changes with anything below. */
#define DXT_MPI_PART_VERSION 3u
#define DXT_MPI_WHY 320u

typedef struct dxt_mpi_part {
    uint32_t version;
    dxt_status (*start)(char *why);
    dxt_status (*end)(char *why);
    dxt_status (*find_place)(const void *comm, dxt_mpi_place *place, char *why);
    /* Collective, with one outcome: if @p ready of a rank is an error, that rank fails with it, and
     * all others do. */
    dxt_status (*open_mail)(const void *comm, size_t mail_capacity, dxt_status ready,
                            dxt_gather_transport *transport, char *why);
    dxt_status (*open_board)(const void *comm, dxt_status ready, void **board, char *why);
    dxt_status (*show)(void *board, const uint64_t *words, char *why);
    dxt_status (*read)(void *board, uint64_t *words, char *why);
    void (*close_board)(void *board);
} dxt_mpi_part;

/** The one symbol that the part exports. */
#define DXT_MPI_ENTRY "dxt_mpi_part_table"
DXT_API const dxt_mpi_part *dxt_mpi_part_table(void);

#endif
