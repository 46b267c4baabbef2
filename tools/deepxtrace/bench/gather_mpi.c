/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"

/* Words of the board: the window that is wanted. */
enum { WANTED };
#define LAST UINT64_MAX

typedef struct job {
    dxt_mpi_place place;
    dxt_mpi_board *board;
    dxt_gather *gather;
    size_t mail_size;
    void *mail;
} job;

static void wait_a_little(void)
{
    struct timespec pause = {0, 50000};
    nanosleep(&pause, NULL);
}

static dxt_status show(const job *j, uint64_t window)
{
    const uint64_t words[DXT_MPI_BOARD_WORDS] = {[WANTED] = window};
    return dxt_mpi_board_show(j->board, words);
}

/* Rank 0: ask for a window and take it in.
 * @param busy_ns  Receives what of a processor that took. */
static dxt_status collect(const job *j, uint64_t window, double *busy_ns, double *wall_ns)
{
    double wall_begin_ns = bench_now_ns(), begin_ns = bench_thread_ns();
    dxt_status status = show(j, window);
    if (status == DXT_OK) status = dxt_gather_publish(j->gather, window, j->mail, j->mail_size);
    for (uint32_t r = 0; r < j->place.ranks && status == DXT_OK;) {
        size_t size;
        status = dxt_gather_collect(j->gather, r, window, j->mail, j->mail_size, &size, NULL);
        if (status == DXT_OK) r++;
        if (status != DXT_AGAIN) continue;
        wait_a_little();
        status = DXT_OK;
    }
    *busy_ns = bench_thread_ns() - begin_ns;
    *wall_ns = bench_now_ns() - wall_begin_ns;
    return status;
}

static dxt_status answer(const job *j)
{
    uint64_t words[DXT_MPI_BOARD_WORDS] = {0}, last = 0;
    dxt_status status = DXT_OK;
    while (status == DXT_OK && words[WANTED] != LAST) {
        status = dxt_mpi_board_read(j->board, words);
        if (status == DXT_OK && words[WANTED] != last && words[WANTED] != LAST) {
            last = words[WANTED];
            status = dxt_gather_publish(j->gather, last, j->mail, j->mail_size);
        } else {
            wait_a_little();
        }
    }
    return status;
}

static void print_row(const bench_options *bench, const job *j, double busy_us, double wall_us)
{
    const dxt_mpi_place *place = &j->place;
    /* A mail and its two words of head, from all but rank 0. */
    double bytes = (double)(place->ranks - 1) * (double)(j->mail_size + 16);
    if (bench->json)
        stdout_printf("{\"v\": 1, \"bench\": \"gather\", \"mpi\": \"%s\", \"ranks\": %u, "
                      "\"nodes\": %d, \"mail_bytes\": %zu, \"wire_bytes\": %.0f, "
                      "\"busy_us\": %.3f, \"wall_us\": %.3f, \"share\": %.6f}\n",
                      place->library, place->ranks, place->nodes, j->mail_size, bytes, busy_us,
                      wall_us, busy_us / 1e6);
    else
        stdout_printf("Mailboxes over MPI (%s), median\n%8s%8s%12s%14s%14s%12s%12s\n"
                      "%8u%8d%12zu%14.0f%14.1f%12.1f%10.4f %%\n",
                      place->library, "ranks", "nodes", "mail bytes", "bytes/window", "rank 0 busy",
                      "wall", "of a core", place->ranks, place->nodes, j->mail_size, bytes, busy_us,
                      wall_us, busy_us / 1e4);
}

static dxt_status ask(const bench_options *bench, const job *j)
{
    size_t repeat = bench->repeat ? bench->repeat : 50;
    double *busy_ns = calloc(2 * repeat, sizeof *busy_ns), *wall_ns = busy_ns + repeat;
    if (!busy_ns) return DXT_ERR_NO_MEMORY;
    dxt_status status = DXT_OK;
    for (size_t i = 0; i < repeat && status == DXT_OK; i++) {
        progress("deepxtrace bench: gather from %u ranks, %zu of %zu", j->place.ranks, i, repeat);
        status = collect(j, i + 1, &busy_ns[i], &wall_ns[i]);
    }
    if (status == DXT_OK) status = show(j, LAST);
    if (status == DXT_OK)
        print_row(bench, j, bench_quantile(busy_ns, repeat, 0.5) / 1e3,
                  bench_quantile(wall_ns, repeat, 0.5) / 1e3);
    free(busy_ns);
    return status;
}

outcome bench_gather_mpi(const bench_options *bench)
{
    job j = {.place = {.struct_size = sizeof j.place}};
    dxt_status status = dxt_mpi_start();
    if (status == DXT_OK) status = dxt_mpi_find_place(NULL, &j.place);
    if (status == DXT_OK) status = dxt_mpi_board_create(NULL, &j.board);
    if (status != DXT_OK) return complain_status("bench", status);
    j.mail_size = dxt_session_mail_size(DXT_EP_OPERATORS, j.place.ranks);
    const dxt_gather_mpi_config config = {.struct_size = sizeof config,
                                          .mail_capacity = j.mail_size};
    j.mail = calloc(1, j.mail_size ? j.mail_size : 1);
    if (!j.mail) return bench_no_memory();
    status = dxt_gather_create_mpi(&config, &j.gather);
    if (status == DXT_OK) status = j.place.rank == 0 ? ask(bench, &j) : answer(&j);
    dxt_gather_destroy(j.gather);
    dxt_mpi_board_destroy(j.board);
    free(j.mail);
    if (status == DXT_OK) status = dxt_mpi_end();
    return status == DXT_OK ? EXIT_DONE : complain_status("bench", status);
}
