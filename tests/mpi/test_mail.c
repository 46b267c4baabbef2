/* SPDX-License-Identifier: Apache-2.0 */
/* Mailboxes and boards over MPI, on as many ranks as mpirun starts. */
#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

/* Too large to be sent before the other end asks for it. */
#define LARGE ((size_t)1 << 20)
#define SMALL 64

static int rank, ranks, failures;
static bool two_are_left; /* mailboxes, in one order by rank 0 and in another by the others */
static int communicators; /* made and not freed */

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: rank %d: not so: %s (%s)\n", __FILE__, __LINE__, rank, \
                    #condition, dxt_error());                                              \
            failures++;                                                                    \
        }                                                                                  \
    } while (0)

static dxt_gather *open_gather(size_t capacity)
{
    const dxt_gather_mpi_config config = {.struct_size = sizeof config, .mail_capacity = capacity};
    dxt_gather *gather = NULL;
    if (dxt_gather_create_mpi(&config, &gather) != DXT_OK) {
        fprintf(stderr, "rank %d: %s\n", rank, dxt_error());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return gather;
}

static bool is_node_size(const char *wanted)
{
    const char *size = getenv("DEEPXTRACE_MPI_NODE_SIZE");
    return size && strcmp(size, wanted) == 0;
}

/* Memory of all ranks of this machine that MPI knows nothing of. */
static atomic_int *open_shared(void)
{
    char name[64];
    int pid = (int)getpid();
    MPI_Bcast(&pid, 1, MPI_INT, 0, MPI_COMM_WORLD);
    snprintf(name, sizeof name, "/dxt-test-mail-%d", pid);
    int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, 4096) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    MPI_Barrier(MPI_COMM_WORLD);
    shm_unlink(name);
    return memory;
}

static void fill(unsigned char *mail, size_t size, int from, uint64_t sequence)
{
    for (size_t i = 0; i < size; i++) mail[i] = (unsigned char)(i * 7 + (size_t)from + sequence);
}

/* Collect until it is there or half a minute is over. */
static dxt_status wait_for(dxt_gather *gather, uint32_t from, uint64_t wanted, void *mail,
                           size_t capacity, size_t *size, uint64_t *sequence)
{
    dxt_status status = DXT_AGAIN;
    for (int i = 0; i < 30000 && status == DXT_AGAIN; i++) {
        status = dxt_gather_collect(gather, from, wanted, mail, capacity, size, sequence);
        if (status == DXT_AGAIN) usleep(1000);
    }
    return status;
}

static void check_mail(dxt_gather *gather, uint32_t from, uint64_t wanted, size_t want_size)
{
    unsigned char *mail = malloc(LARGE), *want = malloc(LARGE);
    size_t size = 0;
    uint64_t sequence = 0;
    CHECK(wait_for(gather, from, wanted, mail, LARGE, &size, &sequence) == DXT_OK);
    CHECK(sequence == wanted && size == want_size);
    fill(want, want_size, (int)from, wanted);
    CHECK(size == want_size && memcmp(mail, want, size) == 0);
    free(mail);
    free(want);
}

static void publish(dxt_gather *gather, uint64_t sequence, size_t size, dxt_status want)
{
    unsigned char *mail = malloc(size);
    fill(mail, size, rank, sequence);
    CHECK(dxt_gather_publish(gather, sequence, mail, size) == want);
    free(mail);
}

/* ---- the tests ---- */

static void mails_arrive_whole_and_the_newest_are_kept(void)
{
    dxt_gather *gather = open_gather(LARGE);
    unsigned char *mail = malloc(LARGE);
    size_t size;
    CHECK(dxt_gather_rank(gather) == (uint32_t)rank);
    CHECK(dxt_gather_ranks(gather) == (uint32_t)ranks);
    CHECK(dxt_gather_collect(gather, 0, DXT_GATHER_NEWEST, mail, LARGE, &size, NULL) ==
          (rank == 0 ? DXT_AGAIN : DXT_ERR_INVALID));
    publish(gather, 1, SMALL, DXT_OK);
    publish(gather, 2, LARGE, DXT_OK);
    publish(gather, 2, SMALL, DXT_ERR_INVALID);
    for (uint32_t r = 0; rank == 0 && r < (uint32_t)ranks; r++) {
        check_mail(gather, r, 2, LARGE);
        check_mail(gather, r, 1, SMALL);
        CHECK(dxt_gather_collect(gather, r, 2, mail, SMALL, &size, NULL) == DXT_ERR_LIMIT);
        CHECK(dxt_gather_collect(gather, r, 3, mail, LARGE, &size, NULL) == DXT_AGAIN);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    for (uint64_t s = 3; s < 3 + DXT_GATHER_DEPTH; s++) publish(gather, s, SMALL, DXT_OK);
    publish(gather, 100, LARGE + 1, DXT_ERR_LIMIT);
    for (uint32_t r = 0; rank == 0 && r < (uint32_t)ranks; r++) {
        for (uint64_t s = 2 + DXT_GATHER_DEPTH; s >= 3; s--) check_mail(gather, r, s, SMALL);
        CHECK(dxt_gather_collect(gather, r, 2, mail, LARGE, &size, NULL) == DXT_AGAIN);
    }
    free(mail);
    dxt_gather_destroy(gather);
}

/* Whoever has published goes off without a call of MPI until rank 0 has its mail. */
static void mails_arrive_while_the_others_do_not_call_mpi(atomic_int *shared)
{
    dxt_gather *gather = open_gather(LARGE);
    atomic_store(&shared[0], 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        for (uint32_t r = 1; r < (uint32_t)ranks; r++) check_mail(gather, r, 7, LARGE);
        atomic_store(&shared[0], 1);
    } else {
        publish(gather, 7, LARGE, DXT_OK);
        for (int i = 0; i < 60000 && !atomic_load(&shared[0]); i++) usleep(1000);
        CHECK(atomic_load(&shared[0]));
    }
    dxt_gather_destroy(gather);
}

/* Publishing comes back when rank 0 takes nothing, and says when there is no room any more. */
static void nobody_waits_for_a_rank_0_that_does_not_look(atomic_int *shared)
{
    dxt_gather *gather = open_gather(LARGE);
    unsigned char *mail = malloc(LARGE);
    atomic_store(&shared[1], 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        for (int i = 0; i < 60000 && atomic_load(&shared[1]) < ranks - 1; i++) usleep(1000);
        CHECK(atomic_load(&shared[1]) == ranks - 1);
        for (uint32_t r = 1; r < (uint32_t)ranks; r++)
            check_mail(gather, r, (uint64_t)atomic_load(&shared[2 + r]), LARGE);
    } else {
        dxt_status status = DXT_OK;
        uint64_t sequence = 0;
        for (; status == DXT_OK && sequence < 100; sequence++) {
            fill(mail, LARGE, rank, sequence + 1);
            status = dxt_gather_publish(gather, sequence + 1, mail, LARGE);
        }
        CHECK(status == DXT_ERR_IO && sequence > DXT_GATHER_DEPTH);
        atomic_store(&shared[2 + rank], (int)sequence - 1); /* the last that went */
        atomic_fetch_add(&shared[1], 1);
    }
    free(mail);
    MPI_Barrier(MPI_COMM_WORLD);
    dxt_gather_destroy(gather);
}

/* Rank 0 may end long before the others, or fail at what comes behind the mailboxes. What they send
 * then, short or long, keeps nobody waiting, not at the end of MPI either, and comes to nobody
 * else: the tests behind this one open mailboxes of their own. */
static void send_to_nobody(dxt_gather *gather)
{
    unsigned char *mail = calloc(1, LARGE);
    for (uint64_t s = 1; s < 3 * DXT_GATHER_DEPTH; s++) {
        dxt_status status = dxt_gather_publish(gather, s, mail, s % 2 ? LARGE : SMALL);
        CHECK(status == DXT_OK || status == DXT_ERR_IO);
    }
    free(mail);
}

static void rank_0_may_leave_first(atomic_int *shared)
{
    dxt_gather *gathers[2] = {open_gather(LARGE), NULL};
    if (two_are_left) gathers[1] = open_gather(LARGE);
    atomic_store(&shared[0], 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        for (int i = 0; i < 2; i++) dxt_gather_destroy(gathers[i]);
        atomic_store(&shared[0], 1);
        return;
    }
    while (!atomic_load(&shared[0])) usleep(1000); /* the test's time limit watches */
    for (int i = 1; i >= 0; i--) {
        if (gathers[i]) send_to_nobody(gathers[i]);
        dxt_gather_destroy(gathers[i]);
    }
}

/* Letters that a rank of another version, or a hostile one, might send, in place of ours. */
enum { AS_IT_IS, OF_ANOTHER_SIZE, TOO_SHORT, SPOILT };
static int spoil, spoilt;

/* The parts find this before that of the library. */
DXT_API int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int to, int tag,
                      MPI_Comm comm, MPI_Request *request)
{
    static uint64_t letter[SPOILT][1024];
    if (spoil == AS_IT_IS) return PMPI_Isend(bytes, count, type, to, tag, comm, request);
    memcpy(letter[spoil], bytes, (size_t)count);
    spoilt++;
    if (spoil == OF_ANOTHER_SIZE) letter[spoil][1] += 1;
    if (spoil == TOO_SHORT) count = 4;
    return PMPI_Isend(letter[spoil], count, type, to, tag, comm, request);
}

DXT_API int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *made)
{
    communicators++;
    return PMPI_Comm_dup(comm, made);
}

DXT_API int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *made)
{
    communicators++;
    return PMPI_Comm_split(comm, color, key, made);
}

DXT_API int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made)
{
    communicators++;
    return PMPI_Comm_split_type(comm, type, key, info, made);
}

DXT_API int MPI_Comm_free(MPI_Comm *comm)
{
    communicators--;
    return PMPI_Comm_free(comm);
}

/* What is no letter costs that letter, and so does one for which rank 0 has no room: its mails may
 * be shorter, and MPI must not end the job for that. */
static void a_rank_is_heard_again_after_nonsense(void)
{
    dxt_gather *gather = open_gather(rank == 0 ? SMALL : 4096);
    unsigned char mail[SMALL];
    size_t size = 0;
    uint64_t sequence = 0;
    for (int kind = AS_IT_IS; kind < SPOILT; kind++) {
        sequence++;
        spoil = rank == 0 ? AS_IT_IS : kind;
        publish(gather, sequence, rank > 0 && kind == AS_IT_IS ? 4096 : SMALL, DXT_OK);
        spoil = AS_IT_IS;
        publish(gather, ++sequence, SMALL, DXT_OK);
        for (uint32_t r = 1; rank == 0 && r < (uint32_t)ranks; r++) {
            dxt_status status = DXT_AGAIN;
            for (int i = 0; i < 30000 && status != DXT_OK; i++) {
                status = dxt_gather_collect(gather, r, sequence, mail, SMALL, &size, NULL);
                if (status != DXT_OK) usleep(1000);
            }
            CHECK(status == DXT_OK && size == SMALL);
            CHECK(dxt_gather_collect(gather, r, sequence - 1, mail, SMALL, &size, NULL) ==
                  (kind == AS_IT_IS ? DXT_ERR_LIMIT : DXT_AGAIN));
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
    CHECK(rank == 0 || spoilt == SPOILT - 1);
    dxt_gather_destroy(gather);
}

static void a_board_shows_the_newest_words(void)
{
    dxt_mpi_board *board = NULL;
    uint64_t words[DXT_MPI_BOARD_WORDS] = {9, 9, 9, 9};
    CHECK(dxt_mpi_board_create(NULL, &board) == DXT_OK);
    CHECK(dxt_mpi_board_read(board, words) == DXT_OK && words[0] == 0 && words[3] == 0);
    MPI_Barrier(MPI_COMM_WORLD);
    for (uint64_t i = 1; i <= 1000; i++) {
        uint64_t shown[DXT_MPI_BOARD_WORDS] = {i, i + 1, i + 2, i + 3};
        if (rank == 0) CHECK(dxt_mpi_board_show(board, shown) == DXT_OK);
    }
    if (rank != 0) CHECK(dxt_mpi_board_show(board, words) == DXT_ERR_INVALID);
    uint64_t before = 0;
    for (int i = 0; i < 30000 && words[0] != 1000; i++) {
        CHECK(dxt_mpi_board_read(board, words) == DXT_OK);
        CHECK(words[0] >= before && (words[0] == 0 || words[3] == words[0] + 3));
        before = words[0];
        if (words[0] != 1000) usleep(1000);
    }
    CHECK(words[0] == 1000 && words[1] == 1001);
    /* The last words leave rank 0 while it takes the board down. */
    dxt_mpi_board_destroy(board);
}

/* tests/campaign/fail_alloc.c; not there where sanitizers have their own malloc(). */
__attribute__((weak)) void dxt_fail_alloc_arm(long k);
__attribute__((weak)) bool dxt_fail_alloc_disarm(void);

static dxt_status open_and_close(bool mail)
{
    const dxt_gather_mpi_config config = {.struct_size = sizeof config, .mail_capacity = SMALL};
    dxt_gather *gather = NULL;
    dxt_mpi_board *board = NULL;
    dxt_status status =
        mail ? dxt_gather_create_mpi(&config, &gather) : dxt_mpi_board_create(NULL, &board);
    dxt_gather_destroy(gather);
    dxt_mpi_board_destroy(board);
    return status;
}

/* Once for each MPI: it takes seconds where ranks wait by spinning. */
static bool failures_are_wanted(void)
{
    return dxt_fail_alloc_arm && is_node_size("2");
}

/* Every allocation of one rank fails once: it says so, and so do the others. */
static void failed_allocations_keep_nobody_waiting(void)
{
    for (int mail = 0; mail < 2; mail++) {
        int failed = 1, who = 0;
        for (long k = 1; failed; k++, who = k % 2) {
            if (rank == who) dxt_fail_alloc_arm(k);
            dxt_status status = open_and_close(mail);
            if (rank == who) failed = dxt_fail_alloc_disarm();
            MPI_Bcast(&failed, 1, MPI_INT, who, MPI_COMM_WORLD);
            if (rank == who) CHECK(status == (failed ? DXT_ERR_NO_MEMORY : DXT_OK));
            if (rank != who) CHECK(status == (failed ? DXT_ERR_STATE : DXT_OK));
            CHECK(failed || k > 3);
        }
    }
}

static dxt_status start_session(dxt_gather *gather, dxt_probe *probe, dxt_session **session)
{
    const dxt_session_config config = {.struct_size = sizeof config,
                                       .probe = probe,
                                       .gather = gather,
                                       .interval_ops = 1,
                                       .node = -1};
    return dxt_session_create(&config, session);
}

/* Allocations of one rank's session fail. The others go on, with mails of any length. */
static void a_failed_session_keeps_nobody_waiting(int who)
{
    dxt_probe *probe = NULL;
    CHECK(dxt_probe_create_durations(DXT_EP_OPERATORS, (uint32_t)ranks, 1024, &probe) == DXT_OK);
    for (int failed = 1, k = 1; failed; k += 1 + k / 4) {
        dxt_gather *gather =
            open_gather(dxt_session_duration_mail_size(DXT_EP_OPERATORS, (uint32_t)ranks));
        dxt_session *session = NULL;
        if (rank == who) dxt_fail_alloc_arm(k);
        dxt_status status = start_session(gather, probe, &session);
        if (rank == who) failed = dxt_fail_alloc_disarm();
        MPI_Bcast(&failed, 1, MPI_INT, who, MPI_COMM_WORLD);
        CHECK(status == (rank == who && failed ? DXT_ERR_NO_MEMORY : DXT_OK));
        for (uint64_t step = 0; session && step < 6; step++) {
            for (uint64_t i = 0; i < 1024; i++) dxt_probe_duration(probe, 0, step * 1024 + i, 100);
            CHECK(dxt_session_step(session) == DXT_OK);
        }
        dxt_session_destroy(session);
        dxt_gather_destroy(gather);
        CHECK(failed || k > 3);
    }
    dxt_probe_destroy(probe);
}

static void everybody_knows_its_place(void)
{
    dxt_mpi_place place = {.struct_size = sizeof place};
    CHECK(dxt_mpi_find_place(NULL, &place) == DXT_OK);
    CHECK(place.rank == (uint32_t)rank && place.ranks == (uint32_t)ranks);
    CHECK(place.host[0] && place.library[0] && place.node >= 0 && place.node < place.nodes);
    const char *size = getenv("DEEPXTRACE_MPI_NODE_SIZE");
    int each = size && atoi(size) > 0 ? atoi(size) : ranks;
    CHECK(place.node == rank / each && place.nodes == (ranks + each - 1) / each);
    /* The launcher binds nobody here, and nodes of one machine share its processors. */
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    int processors = CPU_COUNT(&set);
    CHECK(place.ranks_per_processor == (uint32_t)((ranks + processors - 1) / processors));
    /* A caller that knows nothing of the last field. */
    place.struct_size = offsetof(dxt_mpi_place, ranks_per_processor);
    place.ranks_per_processor = UINT32_MAX;
    CHECK(dxt_mpi_find_place(NULL, &place) == DXT_OK);
    CHECK(place.rank == (uint32_t)rank && place.ranks_per_processor == UINT32_MAX);
    place.struct_size = 8;
    CHECK(dxt_mpi_find_place(NULL, &place) == DXT_ERR_INVALID);
}

static void what_cannot_be_is_refused(void)
{
    dxt_gather *gather = NULL;
    dxt_gather_mpi_config config = {.struct_size = sizeof config};
    CHECK(dxt_gather_create_mpi(NULL, &gather) == DXT_ERR_INVALID);
    CHECK(dxt_gather_create_mpi(&config, &gather) == DXT_ERR_INVALID);
    config.mail_capacity = (size_t)1 << 40;
    CHECK(dxt_gather_create_mpi(&config, &gather) == DXT_ERR_LIMIT);
    config.struct_size = 8;
    CHECK(dxt_gather_create_mpi(&config, &gather) == DXT_ERR_INVALID);
    CHECK(!gather);
    CHECK(dxt_mpi_board_create(NULL, NULL) == DXT_ERR_INVALID);
    dxt_mpi_board_destroy(NULL);
}

/* One rank's mistake is for all ranks to hear of. */
static void a_bad_option_of_one_rank_fails_on_all(void)
{
    for (int who = 0; who < 2; who++)
        for (int large = 0; large < 2; large++) {
            dxt_gather *gather = NULL;
            dxt_gather_mpi_config config = {.struct_size = sizeof config, .mail_capacity = SMALL};
            if (rank == who) config.mail_capacity = large ? (size_t)1 << 40 : 0;
            dxt_status status = dxt_gather_create_mpi(&config, &gather), bad = DXT_ERR_INVALID;
            if (large) bad = DXT_ERR_LIMIT;
            CHECK(status == (rank == who ? bad : DXT_ERR_STATE));
            CHECK(!gather);
        }
}

int main(void)
{
    dxt_mpi_place place = {.struct_size = sizeof place};
    CHECK(dxt_mpi_find_place(NULL, &place) == DXT_ERR_STATE);
    if (dxt_mpi_start() != DXT_OK) {
        fprintf(stderr, "%s\n", dxt_error());
        return 1;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    atomic_int *shared = open_shared();
    two_are_left = is_node_size("3");
    everybody_knows_its_place();
    what_cannot_be_is_refused();
    a_bad_option_of_one_rank_fails_on_all();
    mails_arrive_whole_and_the_newest_are_kept();
    mails_arrive_while_the_others_do_not_call_mpi(shared);
    nobody_waits_for_a_rank_0_that_does_not_look(shared);
    rank_0_may_leave_first(shared);
    a_rank_is_heard_again_after_nonsense();
    a_board_shows_the_newest_words();
    if (failures_are_wanted()) failed_allocations_keep_nobody_waiting();
    for (int who = 0; who < 2 && failures_are_wanted(); who++)
        a_failed_session_keeps_nobody_waiting(who);
    munmap(shared, 4096);
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(dxt_mpi_end() == DXT_OK);
    CHECK(communicators == 0); /* or a mailbox was given up */
    if (rank == 0) printf("%d checks failed\n", all);
    return all != 0 || failures != 0;
}
