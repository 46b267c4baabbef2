/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a recording, while it is read: read_recording.c has the line and its fields,
 * read_ranks.c what has one element per rank, read_cells.c what has one per pair of ranks.
 * What fails has been reported.
 */
#ifndef DXT_MATRIX_RECORDING_H
#define DXT_MATRIX_RECORDING_H

#include "matrix/fields.h"
#include "matrix/json.h"
#include "matrix/reader.h"

/** An N×N array as it is read; N is what its first row says. */
typedef struct dxt_matrix {
    int64_t *cells;
    uint8_t *missing; /**< DXT_MAX_RANKS flags; NULL = no row is null */
    uint32_t rows, columns;
} dxt_matrix;

/** The line under way. */
typedef struct dxt_recording {
    dxt_reader *reader;
    dxt_json json;
    dxt_window *window; /**< its arrays are as long as the counts below say */
    dxt_matrix matrices[DXT_MATRIX_FIELDS];
    uint32_t ticks, nodes, hosts, devices, rank_ops, tokens, issued, run_delay; /**< elements */
    size_t token_cells; /**< numbers in window->tokens */
    bool tokens_nested; /**< an array per rank */
    bool ticks_each;    /**< one number for all ranks */
    uint32_t seen;      /**< bit per field */
    dxt_others others;
    dxt_text extra;
} dxt_recording;

/** Report what `rec->json.why` says, with the column. @return DXT_ERR_FORMAT. */
dxt_status dxt_recording_bad_json(const dxt_recording *rec);

/** Take an integer of 0 … most. `index` < 0: the field itself, else an element of it. */
dxt_status dxt_take_integer(dxt_recording *rec, const char *field, int64_t index, int64_t most,
                            int64_t *value);
/** Take a string. @param text  Receives it; release with free(). */
dxt_status dxt_take_string(dxt_recording *rec, char **text);
/** Whether an array begins here. */
bool dxt_at_array(dxt_recording *rec);

/* Fields with one element for each rank; some may be one number instead. */
dxt_status dxt_take_ticks(dxt_recording *rec);
dxt_status dxt_take_nodes(dxt_recording *rec);
dxt_status dxt_take_hosts(dxt_recording *rec);
dxt_status dxt_take_devices(dxt_recording *rec);
dxt_status dxt_take_ops(dxt_recording *rec);
dxt_status dxt_take_issued(dxt_recording *rec);
dxt_status dxt_take_run_delay(dxt_recording *rec);
dxt_status dxt_take_tokens(dxt_recording *rec);
/** Whether each of them is as long as `ranks` says; what was one number is spread. */
dxt_status dxt_complete_ranks(dxt_recording *rec);

/** Take an N×N array. */
dxt_status dxt_take_matrix(dxt_recording *rec, int field);
/** Whether each N×N array is square, and as large as `ranks` says. */
dxt_status dxt_check_matrices(const dxt_recording *rec);

#endif
