/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of MPI: finds the part, and says why when something fails. */
#include <deepxtrace/mpi.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "gather/attempt.h"
#include "gather/gather.h"
#include "gather/mpi_part.h"

struct dxt_mpi_board {
    const dxt_mpi_part *part;
    void *state;
};

/* @return NULL, having said why, if there is none. */
static const dxt_mpi_part *find_part(void)
{
    const char *why;
    const dxt_mpi_part *(*table)(void) = NULL;
    void *address = dxt_part_function("mpi", DXT_MPI_ENTRY, &why);
    memcpy(&table, &address, sizeof table);
    const dxt_mpi_part *part = table ? table() : NULL;
    if (part && part->version == DXT_MPI_PART_VERSION) return part;
    dxt_fail(DXT_ERR_UNSUPPORTED, "MPI cannot be used: %s",
             part ? "the part \"mpi\" is of another version; install both from one build" : why);
    return NULL;
}

static dxt_status pass_on(dxt_status status, const char *what, const char *why)
{
    return status == DXT_OK ? DXT_OK : dxt_fail(status, "%s: %s", what, why);
}

dxt_status dxt_mpi_start(void)
{
    char why[DXT_MPI_WHY] = "";
    const dxt_mpi_part *part = find_part();
    return part ? pass_on(part->start(why), "cannot start MPI", why) : DXT_ERR_UNSUPPORTED;
}

dxt_status dxt_mpi_end(void)
{
    char why[DXT_MPI_WHY] = "";
    const dxt_mpi_part *part = find_part();
    return part ? pass_on(part->end(why), "cannot end MPI", why) : DXT_ERR_UNSUPPORTED;
}

dxt_status dxt_mpi_find_place(const void *comm, dxt_mpi_place *place)
{
    char why[DXT_MPI_WHY] = "";
    dxt_mpi_place found = {.struct_size = sizeof found};
    if (!place) return dxt_fail(DXT_ERR_INVALID, "place must not be NULL");
    if (place->struct_size < DXT_SIZE_UP_TO(dxt_mpi_place, library))
        return dxt_fail_size("place", "dxt_mpi_place", place->struct_size);
    const dxt_mpi_part *part = find_part();
    if (!part) return DXT_ERR_UNSUPPORTED;
    dxt_status status = pass_on(part->find_place(comm, &found, why),
                                "cannot find the place among MPI's ranks", why);
    if (status != DXT_OK) return status;
    dxt_give_struct(place, &found, sizeof found, sizeof found.struct_size);
    return DXT_OK;
}

static dxt_status check_capacity(size_t capacity)
{
    if (capacity > 0 && capacity <= DXT_GATHER_MAX_CAPACITY) return DXT_OK;
    return dxt_fail(capacity == 0 ? DXT_ERR_INVALID : DXT_ERR_LIMIT,
                    "config.mail_capacity is %zu, but must be 1 to %zu", capacity,
                    (size_t)DXT_GATHER_MAX_CAPACITY);
}

dxt_status dxt_gather_create_mpi(const dxt_gather_mpi_config *given, dxt_gather **gather)
{
    char why[DXT_MPI_WHY] = "";
    dxt_gather_mpi_config config;
    dxt_gather_transport transport;
    dxt_mpi_place place = {.struct_size = sizeof place};
    if (!given || !gather) return dxt_fail(DXT_ERR_INVALID, "config and gather must not be NULL");
    if (!dxt_take_struct(&config, sizeof config, given, sizeof config))
        return dxt_fail_size("config", "dxt_gather_mpi_config", given->struct_size);
    const dxt_mpi_part *part = find_part();
    if (!part) return DXT_ERR_UNSUPPORTED;
    dxt_status status = part->find_place(config.comm, &place, why);
    if (status != DXT_OK) return pass_on(status, "no mailboxes over MPI", why);
    /* Whatever fails here alone is for the others to hear of: all open them, or none. */
    dxt_gather *made = NULL;
    dxt_status ready = check_capacity(config.mail_capacity);
    if (ready == DXT_OK) ready = dxt_gather_prepare(place.rank, place.ranks, &made);
    status = part->open_mail(config.comm, config.mail_capacity, ready, &transport, why);
    if (status != DXT_OK) {
        dxt_gather_destroy(made);
        return ready != DXT_OK ? ready : pass_on(status, "no mailboxes over MPI", why);
    }
    dxt_gather_use(made, &transport);
    dxt_gather_set_place(made, place.node, place.host);
    *gather = made;
    return DXT_OK;
}

/* ---- boards ---- */

dxt_status dxt_mpi_board_create(const void *comm, dxt_mpi_board **board)
{
    char why[DXT_MPI_WHY] = "";
    if (!board) return dxt_fail(DXT_ERR_INVALID, "board must not be NULL");
    const dxt_mpi_part *part = find_part();
    if (!part) return DXT_ERR_UNSUPPORTED;
    void *state = NULL;
    dxt_mpi_board *made = calloc(1, sizeof *made);
    dxt_status ready = made ? DXT_OK : dxt_fail_memory(sizeof *made);
    dxt_status status = part->open_board(comm, ready, &state, why);
    if (status != DXT_OK) {
        free(made);
        return ready != DXT_OK ? ready : pass_on(status, "cannot make a board over MPI", why);
    }
    *made = (dxt_mpi_board){.part = part, .state = state};
    *board = made;
    return DXT_OK;
}

dxt_status dxt_mpi_board_show(dxt_mpi_board *board, const uint64_t words[DXT_MPI_BOARD_WORDS])
{
    char why[DXT_MPI_WHY] = "";
    if (!board || !words) return dxt_fail(DXT_ERR_INVALID, "board and words must not be NULL");
    return pass_on(board->part->show(board->state, words, why), "cannot show words", why);
}

dxt_status dxt_mpi_board_read(dxt_mpi_board *board, uint64_t words[DXT_MPI_BOARD_WORDS])
{
    char why[DXT_MPI_WHY] = "";
    if (!board || !words) return dxt_fail(DXT_ERR_INVALID, "board and words must not be NULL");
    return pass_on(board->part->read(board->state, words, why), "cannot read the board", why);
}

void dxt_mpi_board_destroy(dxt_mpi_board *board)
{
    if (!board) return;
    board->part->close_board(board->state);
    free(board);
}
