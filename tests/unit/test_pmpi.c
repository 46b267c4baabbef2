/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library that is preloaded into MPI programs, with an MPI of this file's own: two ranks in
 * each communicator, of which this process is the first. Threads use their communicators side by
 * side; ThreadSanitizer looks on in `make tsan`.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/deepxtrace.h>

#include "alloc_fail.h"
#include "pmpi.h"

enum { RANKS = 2, THREADS = 4, ROUNDS = 6, OPERATIONS = 50, MAILBOXES = 256 };
/* A library of ints, whose registers may hold anything above. */
#define HANDLE(number) (UINT64_C(0xabcd000000000000) | (0x84000000u + (number)))

/* ---- an MPI ---- */

#pragma GCC visibility push(default)
int PMPI_Init_thread(int *argc, char ***argv, int required, int *provided);
int PMPI_Finalize(void);
int PMPI_Comm_rank(uintptr_t comm, int *rank);
int PMPI_Comm_size(uintptr_t comm, int *size);
int PMPI_Comm_test_inter(uintptr_t comm, int *inter);
int PMPI_Comm_free(void *comm);
int PMPI_Comm_disconnect(void *comm);
int PMPI_Allreduce(const void *send, void *receive, int count, uintptr_t type, uintptr_t operation,
                   uintptr_t comm);
int PMPI_Alltoall(const void *send, int send_count, uintptr_t send_type, void *receive,
                  int receive_count, uintptr_t receive_type, uintptr_t comm);
int PMPI_Alltoallv(const void *send, const int *send_counts, const int *send_offsets,
                   uintptr_t send_type, void *receive, const int *receive_counts,
                   const int *receive_offsets, uintptr_t receive_type, uintptr_t comm);
#pragma GCC visibility pop
int MPI_Init(int *argc, char ***argv);
int MPI_Init_thread(int *argc, char ***argv, int required, int *provided);
int MPI_Finalize(void);
int MPI_Comm_free(void *comm);
int MPI_Comm_disconnect(void *comm);
int MPI_Alltoall(const void *send, int send_count, uintptr_t send_type, void *receive,
                 int receive_count, uintptr_t receive_type, uintptr_t comm);
int MPI_Alltoallv(const void *send, const int *send_counts, const int *send_offsets,
                  uintptr_t send_type, void *receive, const int *receive_counts,
                  const int *receive_offsets, uintptr_t receive_type, uintptr_t comm);

static atomic_int calls, inits, ends, freed, level, single, asked;
/* What this rank did together with others, in order: said yes (y) or no (n), looked for its place
 * (p), opened mailboxes (m). */
static char together[16];
static atomic_bool full; /* the other rank has no room for one more */
static int alltoall_error;

static void note_together(const char *what)
{
    if (strlen(together) < sizeof together - 1) strcat(together, what);
}

int PMPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    (void)argc, (void)argv;
    inits++;
    *provided = level = required;
    return 0;
}
int PMPI_Finalize(void)
{
    ends++;
    return 0;
}
int PMPI_Comm_rank(uintptr_t comm, int *rank)
{
    (void)comm;
    *rank = 0;
    return 0;
}
int PMPI_Comm_size(uintptr_t comm, int *size)
{
    (void)comm;
    *size = single ? 1 : RANKS;
    return 0;
}
int PMPI_Comm_test_inter(uintptr_t comm, int *inter)
{
    (void)comm;
    *inter = 0;
    return 0;
}
int PMPI_Comm_free(void *comm)
{
    (void)comm;
    freed++;
    return 0;
}
int PMPI_Comm_disconnect(void *comm)
{
    return PMPI_Comm_free(comm);
}
int PMPI_Allreduce(const void *send, void *receive, int count, uintptr_t type, uintptr_t operation,
                   uintptr_t comm)
{
    (void)comm;
    assert_int_equal(count, 1);
    assert_int_equal(type, 0x4c000405);
    assert_int_equal(operation, 0x58000002);
    asked++;
    note_together(*(const int *)send ? "y" : "n");
    *(int *)receive = full ? 0 : *(const int *)send;
    return 0;
}
int PMPI_Alltoall(const void *send, int send_count, uintptr_t send_type, void *receive,
                  int receive_count, uintptr_t receive_type, uintptr_t comm)
{
    (void)send, (void)send_count, (void)send_type;
    (void)receive, (void)receive_count, (void)receive_type, (void)comm;
    calls++;
    return alltoall_error;
}
int PMPI_Alltoallv(const void *send, const int *send_counts, const int *send_offsets,
                   uintptr_t send_type, void *receive, const int *receive_counts,
                   const int *receive_offsets, uintptr_t receive_type, uintptr_t comm)
{
    (void)send, (void)send_counts, (void)send_offsets, (void)send_type;
    (void)receive, (void)receive_counts, (void)receive_offsets, (void)receive_type, (void)comm;
    calls++;
    return 0;
}

/* ---- mailboxes: memory instead of MPI ---- */

static void *memories[MAILBOXES];
static atomic_int used;
static atomic_int watched;
static atomic_bool part_is_missing;

dxt_status __wrap_dxt_gather_create_mpi(const dxt_gather_mpi_config *config, dxt_gather **gather);
dxt_status __wrap_dxt_mpi_find_place(const void *comm, dxt_mpi_place *place);
dxt_status __wrap_dxt_mpi_start(void);

dxt_status __wrap_dxt_mpi_start(void)
{
    return part_is_missing ? DXT_ERR_UNSUPPORTED : DXT_OK;
}

dxt_status __wrap_dxt_gather_create_mpi(const dxt_gather_mpi_config *config, dxt_gather **gather)
{
    note_together("m");
    size_t size = dxt_gather_local_size(RANKS, config->mail_capacity);
    void *memory = NULL;
    /* Not malloc(), whose failures are counted. */
    if (posix_memalign(&memory, 64, size) != 0) return DXT_ERR_NO_MEMORY;
    int mine = used++;
    assert_true(mine < MAILBOXES);
    memories[mine] = memset(memory, 0, size);
    const dxt_gather_local_config local = {.struct_size = sizeof local,
                                           .ranks = RANKS,
                                           .mail_capacity = config->mail_capacity,
                                           .memory = memory};
    dxt_status status = dxt_gather_create_local(&local, gather);
    watched += status == DXT_OK;
    return status;
}

dxt_status __wrap_dxt_mpi_find_place(const void *comm, dxt_mpi_place *place)
{
    (void)comm;
    note_together("p");
    place->ranks = RANKS;
    place->ranks_per_processor = 1;
    return DXT_OK;
}

/* ---- the tests ---- */

static char folder[] = "/tmp/dxt-pmpi-XXXXXX";

static int prepare(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return 1;
    setenv("DEEPXTRACE_OUTPUT", folder, 1);
    setenv("DEEPXTRACE_QUIET", "1", 1);
    setenv("DEEPXTRACE_INTERVAL", "0.1", 1);
    return 0;
}

static int clean(void **state)
{
    char path[128];
    (void)state;
    for (int k = 0; k < used; k++) free(memories[k]);
    for (int number = 0; number < MAILBOXES; number++)
        for (int recording = 0; recording < 2; recording++) {
            char middle[48] = "";
            if (number > 0) snprintf(middle, sizeof middle, "_%d_rank0", number);
            snprintf(path, sizeof path, "%s/diagnose_mpi%s.%s", folder, middle,
                     recording ? "jsonl" : "log");
            unlink(path);
        }
    return rmdir(folder);
}

/* Communicators of a thread: used, freed, and made again with the same handle. */
static void *use(void *context)
{
    uintptr_t thread = (uintptr_t)context;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t handle = (uint32_t)HANDLE(thread);
        for (int k = 0; k < OPERATIONS; k++) {
            if (MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(thread)) != 0) abort();
            if (MPI_Alltoallv(NULL, NULL, NULL, 0, NULL, NULL, NULL, 0, HANDLE(thread)) != 0)
                abort();
        }
        if ((round % 2 ? MPI_Comm_free(&handle) : MPI_Comm_disconnect(&handle)) != 0) abort();
    }
    return NULL;
}

static void threads_use_communicators_side_by_side(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    calls = freed = 0;
    for (uintptr_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, use, (void *)t), 0);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    assert_int_equal(calls, THREADS * ROUNDS * OPERATIONS * 2);
    assert_int_equal(freed, THREADS * ROUNDS);
    assert_int_equal(watched, THREADS * ROUNDS);
}

static void the_program_gets_what_its_mpi_says(void **state)
{
    int provided = 0;
    (void)state;
    assert_int_equal(MPI_Init(NULL, NULL), 0);
    assert_int_equal(MPI_Init_thread(NULL, NULL, 0, &provided), 0);
    assert_int_equal(provided, 3);
    assert_int_equal(inits, 2);
    alltoall_error = 5;
    assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(50)), 5);
    alltoall_error = 0;
    assert_int_equal(MPI_Finalize(), 0);
    assert_int_equal(ends, 1);
}

/* One rank, and the seventeenth communicator, are used as they are. Of the others all ranks are
 * asked, once whether they can and once whether they do. */
static void what_is_not_diagnosed_runs(void **state)
{
    (void)state;
    int before = watched, asked_before = asked;
    single = 1;
    assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(60)), 0);
    assert_int_equal(watched, before);
    assert_int_equal(asked, asked_before);
    single = 0;
    for (int k = 0; k < 2; k++)
        for (uintptr_t number = 70; number < 70 + 20; number++)
            assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(number)), 0);
    assert_int_equal(watched, before + 16);
    assert_int_equal(asked, asked_before + 20 + 16); /* and whether all have begun */
    assert_int_equal(MPI_Finalize(), 0);
}

static void one_that_another_rank_has_no_room_for_takes_none(void **state)
{
    (void)state;
    int before = watched;
    full = true;
    for (uintptr_t number = 120; number < 120 + 20; number++)
        assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(number)), 0);
    assert_int_equal(watched, before);
    full = false;
    for (uintptr_t number = 140; number < 140 + 20; number++)
        assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(number)), 0);
    assert_int_equal(watched, before + 16);
    assert_int_equal(MPI_Finalize(), 0);
}

static void what_is_found_has_a_place(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/diagnose_mpi.jsonl", folder);
    assert_int_equal(access(path, F_OK), 0);
}

/* A rank that lacks something says no, or does all that the others do: none waits for another. */
static void every_failed_allocation_leaves_the_program_alone(void **state)
{
    (void)state;
    bool failed = true, went_on = false;
    for (long k = 1; failed; k++) {
        uint32_t handle = (uint32_t)HANDLE(100);
        together[0] = '\0';
        alloc_fail_arm(k);
        assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(100)), 0);
        failed = alloc_fail_disarm();
        assert_true(strcmp(together, "n") == 0 || strcmp(together, "ypmy") == 0 ||
                    strcmp(together, "ypmn") == 0);
        went_on = went_on || strcmp(together, "ypmn") == 0;
        assert_int_equal(MPI_Comm_free(&handle), 0);
        assert_true(k < 100);
    }
    assert_true(went_on); /* a session failed, too */
}

/* Without memory for a note of it, too, a communicator is asked about once. */
static void a_communicator_met_without_memory_is_remembered(void **state)
{
    (void)state;
    enum { SOME = 20 };
    assert_int_equal(MPI_Finalize(), 0);
    for (uintptr_t k = 0; k < 3 * SOME; k++) /* no slot is left free */
        assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(200 + k)), 0);
    int before = asked;
    for (uintptr_t k = 0; k < SOME; k++) {
        alloc_fail_arm(1);
        assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(300 + k)), 0);
        assert_true(alloc_fail_disarm());
        assert_int_equal(asked, before + (int)k + 1);
        assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(300 + k)), 0);
    }
    assert_int_equal(asked, before + SOME);
    assert_int_equal(MPI_Finalize(), 0);
}

static void a_rank_without_the_part_says_no(void **state)
{
    (void)state;
    together[0] = '\0';
    part_is_missing = true;
    assert_int_equal(MPI_Alltoall(NULL, 0, 0, NULL, 0, 0, HANDLE(400)), 0);
    part_is_missing = false;
    assert_string_equal(together, "n");
    assert_int_equal(MPI_Finalize(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_use_communicators_side_by_side),
        cmocka_unit_test(what_is_found_has_a_place),
        cmocka_unit_test(the_program_gets_what_its_mpi_says),
        cmocka_unit_test(what_is_not_diagnosed_runs),
        cmocka_unit_test(one_that_another_rank_has_no_room_for_takes_none),
        cmocka_unit_test(every_failed_allocation_leaves_the_program_alone),
        cmocka_unit_test(a_communicator_met_without_memory_is_remembered),
        cmocka_unit_test(a_rank_without_the_part_says_no),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
