/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/gather.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "gather/attempt.h"
#include "gather/gather.h"
#include "gather/mailbox.h"
#include "random.h"

enum { CAPACITY = 1000 };

static void *new_memory(uint32_t ranks, size_t capacity)
{
    size_t size = (dxt_gather_local_size(ranks, capacity) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, size);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static dxt_gather *open_local(void *memory, uint32_t rank, uint32_t ranks, size_t capacity)
{
    dxt_gather_local_config config = {.struct_size = sizeof config,
                                      .rank = rank,
                                      .ranks = ranks,
                                      .mail_capacity = capacity,
                                      .memory = memory};
    dxt_gather *gather = NULL;
    assert_int_equal(dxt_gather_create_local(&config, &gather), DXT_OK);
    return gather;
}

/* A mail whose every byte and whose size follow from its sequence. */
static size_t make_mail(uint64_t sequence, unsigned char *mail, size_t capacity)
{
    size_t size = capacity - (size_t)(sequence % 23);
    memset(mail, (int)(sequence * 37 % 251), size);
    return size;
}

static void check_mail(uint64_t sequence, const unsigned char *mail, size_t size, size_t capacity)
{
    if (size != capacity - (size_t)(sequence % 23)) fail_msg("size %zu", size);
    for (size_t i = 0; i < size; i++)
        if (mail[i] != sequence * 37 % 251) fail_msg("byte %zu of %zu", i, size);
}

static dxt_status publish(dxt_gather *gather, uint64_t sequence)
{
    unsigned char mail[CAPACITY];
    size_t size = make_mail(sequence, mail, CAPACITY);
    return dxt_gather_publish(gather, sequence, mail, size);
}

static dxt_status collect(dxt_gather *gather, uint32_t rank, uint64_t wanted, uint64_t *sequence)
{
    unsigned char mail[CAPACITY];
    size_t size = 0;
    dxt_status status = dxt_gather_collect(gather, rank, wanted, mail, CAPACITY, &size, sequence);
    if (status == DXT_OK) check_mail(*sequence, mail, size, CAPACITY);
    return status;
}

static void mails_arrive_and_the_oldest_go(void **state)
{
    (void)state;
    void *memory = new_memory(3, CAPACITY);
    dxt_gather *reader = open_local(memory, 0, 3, CAPACITY);
    dxt_gather *writer = open_local(memory, 2, 3, CAPACITY);
    assert_int_equal(dxt_gather_rank(writer), 2);
    assert_int_equal(dxt_gather_ranks(writer), 3);
    uint64_t sequence = 77;
    assert_int_equal(collect(reader, 2, DXT_GATHER_NEWEST, &sequence), DXT_AGAIN);
    assert_int_equal(sequence, 77);
    for (uint64_t s = 0; s < 20; s++) {
        assert_int_equal(publish(writer, s), DXT_OK);
        assert_int_equal(collect(reader, 2, DXT_GATHER_NEWEST, &sequence), DXT_OK);
        assert_int_equal(sequence, s);
        for (uint64_t w = 0; w <= s + 1; w++) {
            bool there = w <= s && w + DXT_GATHER_DEPTH > s;
            assert_int_equal(collect(reader, 2, w, &sequence), there ? DXT_OK : DXT_AGAIN);
            if (there) assert_int_equal(sequence, w);
        }
    }
    assert_int_equal(collect(reader, 1, DXT_GATHER_NEWEST, &sequence), DXT_AGAIN);
    assert_int_equal(collect(reader, 3, DXT_GATHER_NEWEST, &sequence), DXT_ERR_INVALID);
    dxt_gather_destroy(writer);
    assert_int_equal(collect(reader, 2, 19, &sequence), DXT_OK);
    dxt_gather_destroy(reader);
    dxt_gather_destroy(NULL);
    free(memory);
}

static void limits_are_kept(void **state)
{
    (void)state;
    void *memory = new_memory(1, 16);
    dxt_gather *gather = open_local(memory, 0, 1, 16);
    unsigned char mail[32] = "fifteen letters";
    size_t size = 99;
    assert_int_equal(dxt_gather_publish(gather, 5, mail, 17), DXT_ERR_LIMIT);
    assert_non_null(strstr(dxt_error(), "17 bytes"));
    assert_int_equal(dxt_gather_publish(gather, DXT_GATHER_NEWEST, mail, 15), DXT_ERR_INVALID);
    assert_int_equal(dxt_gather_publish(gather, 5, mail, 15), DXT_OK);
    assert_int_equal(dxt_gather_publish(gather, 5, mail, 15), DXT_ERR_INVALID);
    assert_int_equal(dxt_gather_publish(gather, 4, mail, 15), DXT_ERR_INVALID);
    memset(mail, 0, sizeof mail);
    assert_int_equal(dxt_gather_collect(gather, 0, 5, mail, 14, &size, NULL), DXT_ERR_LIMIT);
    assert_int_equal(size, 99);
    assert_int_equal(dxt_gather_collect(gather, 0, 5, mail, 15, &size, NULL), DXT_OK);
    assert_int_equal(size, 15);
    assert_string_equal((char *)mail, "fifteen letters");
    assert_int_equal(dxt_gather_publish(gather, 6, NULL, 0), DXT_OK);
    assert_int_equal(dxt_gather_collect(gather, 0, 6, mail, 0, &size, NULL), DXT_OK);
    assert_int_equal(size, 0);
    dxt_gather_destroy(gather);
    free(memory);
}

static void wrong_configurations_are_refused(void **state)
{
    (void)state;
    void *memory = new_memory(4, CAPACITY);
    dxt_gather *first = open_local(memory, 0, 4, CAPACITY), *none = NULL;
    const dxt_gather_local_config good = {.struct_size = sizeof good,
                                          .rank = 1,
                                          .ranks = 4,
                                          .mail_capacity = CAPACITY,
                                          .memory = memory};
    dxt_gather_local_config bad = good;
    bad.ranks = 5;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_INVALID);
    assert_string_equal(dxt_error(),
                        "the mailboxes are for 4 ranks and mails of 1000 bytes, not 5 and 1000");
    bad = good, bad.mail_capacity = CAPACITY - 1;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_INVALID);
    bad = good, bad.rank = 4;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_INVALID);
    bad = good, bad.struct_size = offsetof(dxt_gather_local_config, fd);
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_INVALID);
    bad = good, bad.mail_capacity = 0;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_INVALID);
    bad = good, bad.mail_capacity = DXT_GATHER_MAX_CAPACITY + 1;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_LIMIT);
    bad = good, bad.ranks = DXT_MAX_RANKS + 1;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_LIMIT);
    bad = good, bad.memory = (char *)memory + 8;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_INVALID);
    bad = good, bad.memory = NULL, bad.fd = -1;
    assert_int_equal(dxt_gather_create_local(&bad, &none), DXT_ERR_IO);
    ((dxt_mailbox_head *)memory)->layout = 12345;
    assert_int_equal(dxt_gather_create_local(&good, &none), DXT_ERR_INVALID);
    assert_int_equal(dxt_gather_create_local(NULL, &none), DXT_ERR_INVALID);
    assert_null(none);
    assert_int_equal(dxt_gather_local_size(0, 10), 0);
    assert_int_equal(dxt_gather_local_size(1, 0), 0);
    assert_true(dxt_gather_local_size(DXT_MAX_RANKS, DXT_GATHER_MAX_CAPACITY) > 0);
    dxt_gather_destroy(first);
    free(memory);
}

static int new_object(size_t size)
{
    int fd = memfd_create("mailboxes", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static dxt_status open_object(int fd, size_t offset, uint32_t rank, size_t capacity,
                              dxt_gather **gather)
{
    dxt_gather_local_config config = {.struct_size = sizeof config,
                                      .rank = rank,
                                      .ranks = 4,
                                      .mail_capacity = capacity,
                                      .fd = fd,
                                      .offset = offset};
    return dxt_gather_create_local(&config, gather);
}

/* What a caller does not know has its default; what only a newer one knows is left alone. */
static void callers_of_other_versions_are_served(void **state)
{
    (void)state;
    int fd = new_object(dxt_gather_local_size(4, CAPACITY));
    struct {
        dxt_gather_local_config known;
        char later[64];
    } config = {.known = {.rank = 1, .ranks = 4, .mail_capacity = CAPACITY, .fd = fd}};
    config.known.offset = 1;
    config.known.memory = &config.known;
    config.known.struct_size = offsetof(dxt_gather_local_config, offset);
    dxt_gather *older = NULL, *newer = NULL;
    assert_int_equal(dxt_gather_create_local(&config.known, &older), DXT_OK);
    config.known.offset = 0;
    config.known.memory = NULL;
    config.known.struct_size = sizeof config;
    memset(config.later, 0xff, sizeof config.later);
    assert_int_equal(dxt_gather_create_local(&config.known, &newer), DXT_OK);
    assert_int_equal(publish(newer, 5), DXT_OK);
    uint64_t sequence = 0;
    assert_int_equal(collect(older, 1, 5, &sequence), DXT_OK);
    dxt_gather_destroy(older);
    dxt_gather_destroy(newer);
    close(fd);
}

static void a_shared_object_must_be_large_enough(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = dxt_gather_local_size(4, CAPACITY);
    dxt_gather *gather = NULL;
    int fd = new_object(size + page - 1);
    assert_int_equal(open_object(fd, page, 0, CAPACITY, &gather), DXT_ERR_INVALID);
    assert_int_equal(open_object(fd, SIZE_MAX - page + 1, 0, CAPACITY, &gather), DXT_ERR_INVALID);
    assert_int_equal(open_object(fd, 8, 0, CAPACITY, &gather), DXT_ERR_IO);
    assert_int_equal(ftruncate(fd, (off_t)(size + page)), 0);
    assert_int_equal(open_object(fd, page, 0, CAPACITY, &gather), DXT_OK);
    assert_int_equal(publish(gather, 1), DXT_OK);
    dxt_gather_destroy(gather);
    close(fd);
}

/* ------------------------------------------------------------------ other processes --- */

enum { LARGE = 65536, DEATHS = 150 };

/* Publish for ever; the parent puts an end to it. */
static void publish_until_killed(int fd, uint64_t sequence)
{
    static unsigned char mail[LARGE];
    dxt_gather *gather = NULL;
    if (open_object(fd, 0, 1, LARGE, &gather) != DXT_OK) _exit(1);
    for (;; sequence++)
        if (dxt_gather_publish(gather, sequence, mail, make_mail(sequence, mail, LARGE)) != DXT_OK)
            _exit(1);
}

/* The rank dies at any moment of its publishing, many times over; its last whole mails stay. */
static void a_killed_publisher_leaves_whole_mails(void **state)
{
    (void)state;
    static unsigned char mail[LARGE];
    int fd = new_object(dxt_gather_local_size(4, LARGE)), killed_halfway = 0;
    dxt_gather *reader = NULL;
    assert_int_equal(open_object(fd, 0, 0, LARGE, &reader), DXT_OK);
    const dxt_mailbox_head *head =
        mmap(NULL, dxt_gather_local_size(4, LARGE), PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(head, MAP_FAILED);
    uint64_t sequence = 0;
    for (int death = 0; death < DEATHS; death++) {
        uint64_t before = sequence;
        pid_t child = fork();
        if (child == 0) publish_until_killed(fd, before + 1);
        assert_true(child > 0);
        size_t size = 0;
        while (sequence <= before) {
            dxt_status status =
                dxt_gather_collect(reader, 1, DXT_GATHER_NEWEST, mail, LARGE, &size, &sequence);
            assert_true(status == DXT_OK || status == DXT_AGAIN);
            if (status == DXT_OK) check_mail(sequence, mail, size, LARGE);
        }
        usleep((useconds_t)(death * 7));
        assert_int_equal(kill(child, SIGKILL), 0);
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        assert_int_equal(
            dxt_gather_collect(reader, 1, DXT_GATHER_NEWEST, mail, LARGE, &size, &sequence),
            DXT_OK);
        check_mail(sequence, mail, size, LARGE);
        /* One slot at most was being written. */
        int whole = 0;
        for (uint64_t s = 0; s < DXT_GATHER_DEPTH && s < sequence; s++) {
            uint64_t got;
            dxt_status status =
                dxt_gather_collect(reader, 1, sequence - s, mail, LARGE, &size, &got);
            if (status == DXT_OK) check_mail(got, mail, size, LARGE), whole++;
        }
        if (sequence - before >= DXT_GATHER_DEPTH) assert_true(whole >= (int)DXT_GATHER_DEPTH - 1);
        for (size_t slot = 0; slot < DXT_GATHER_DEPTH; slot++)
            if (*(const uint64_t *)((const char *)head + 64 +
                                    (DXT_GATHER_DEPTH + slot) * (64 + LARGE)) %
                    2 !=
                0)
                killed_halfway++;
    }
    print_message("killed half-way: %d times seen\n", killed_halfway);
    assert_true(killed_halfway > 0);
    munmap((void *)head, dxt_gather_local_size(4, LARGE));
    dxt_gather_destroy(reader);
    close(fd);
}

static void processes_meet_in_one_object(void **state)
{
    (void)state;
    int fd = new_object(dxt_gather_local_size(4, CAPACITY));
    pid_t children[4];
    for (uint32_t rank = 1; rank < 4; rank++) {
        children[rank] = fork();
        if (children[rank] != 0) continue;
        dxt_gather *gather = NULL;
        if (open_object(fd, 0, rank, CAPACITY, &gather) != DXT_OK) _exit(1);
        _exit(publish(gather, 100 + rank) == DXT_OK ? 0 : 1);
    }
    dxt_gather *reader = NULL;
    assert_int_equal(open_object(fd, 0, 0, CAPACITY, &reader), DXT_OK);
    for (uint32_t rank = 1; rank < 4; rank++) {
        int how;
        uint64_t sequence;
        assert_int_equal(waitpid(children[rank], &how, 0), children[rank]);
        assert_int_equal(how, 0);
        assert_int_equal(collect(reader, rank, 100 + rank, &sequence), DXT_OK);
    }
    dxt_gather_destroy(reader);
    close(fd);
}

static void a_rank_that_comes_back_goes_on(void **state)
{
    (void)state;
    void *memory = new_memory(2, CAPACITY);
    dxt_gather *reader = open_local(memory, 0, 2, CAPACITY);
    dxt_gather *writer = open_local(memory, 1, 2, CAPACITY);
    uint64_t sequence;
    for (uint64_t s = 50; s < 56; s++) assert_int_equal(publish(writer, s), DXT_OK);
    dxt_gather_destroy(writer);
    writer = open_local(memory, 1, 2, CAPACITY);
    /* A new life may count from 0; its mail is the newest nevertheless. */
    assert_int_equal(publish(writer, 0), DXT_OK);
    assert_int_equal(collect(reader, 1, DXT_GATHER_NEWEST, &sequence), DXT_OK);
    assert_int_equal(sequence, 0);
    assert_int_equal(collect(reader, 1, 55, &sequence), DXT_OK);
    dxt_gather_destroy(writer);
    dxt_gather_destroy(reader);
    free(memory);
}

/* ------------------------------------------------------------------ threads --- */

enum { MAILS = 3000 };
static atomic_bool stop;

static void *publish_many(void *argument)
{
    for (uint64_t s = 0; s < MAILS; s++)
        if (publish(argument, s) != DXT_OK) break;
    atomic_store(&stop, true);
    return NULL;
}

static void *collect_newest(void *argument)
{
    uint64_t last = 0, sequence = 0;
    size_t *wrong = calloc(1, sizeof *wrong), size;
    unsigned char mail[CAPACITY];
    bool last_round = false;
    while (!last_round) {
        last_round = atomic_load(&stop);
        if (dxt_gather_collect(argument, 1, DXT_GATHER_NEWEST, mail, CAPACITY, &size, &sequence) !=
            DXT_OK)
            continue;
        if (sequence < last || size != CAPACITY - sequence % 23) ++*wrong;
        for (size_t i = 0; i < size; i++)
            if (mail[i] != sequence * 37 % 251) ++*wrong;
        last = sequence;
    }
    if (last != MAILS - 1) ++*wrong;
    return wrong;
}

static void readers_see_whole_mails_only(void **state)
{
    (void)state;
    void *memory = new_memory(2, CAPACITY);
    dxt_gather *reader = open_local(memory, 0, 2, CAPACITY);
    dxt_gather *writer = open_local(memory, 1, 2, CAPACITY);
    pthread_t threads[3];
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&threads[0], NULL, collect_newest, reader), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, collect_newest, reader), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, publish_many, writer), 0);
    for (int t = 0; t < 3; t++) {
        void *wrong = NULL;
        pthread_join(threads[t], &wrong);
        if (t < 2) assert_int_equal(*(size_t *)wrong, 0);
        free(wrong);
    }
    dxt_gather_destroy(writer);
    dxt_gather_destroy(reader);
    free(memory);
}

/* ------------------------------------------------------------------ nonsense --- */

static void nonsense_does_no_harm(void **state)
{
    (void)state;
    size_t size = dxt_gather_local_size(2, 64), slot_size = 128;
    unsigned char *memory = new_memory(2, 64);
    uint64_t seed = 42;
    int seen[4] = {0};
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < size; i += 8) {
            uint64_t word = random_bits(&seed);
            memcpy(memory + i, &word, 8);
        }
        /* Often nearly right: that is where it gets interesting. */
        for (size_t slot = 0; slot < 2 * DXT_GATHER_DEPTH; slot++) {
            dxt_mailbox_slot *box = (void *)(memory + 64 + slot * slot_size);
            if (round % 2) box->version = 2 * (8 * (seed % 3) + slot % DXT_GATHER_DEPTH) + 2;
            if (round % 3 == 0) box->size = random_bits(&seed) % 80;
            if (round % 5 == 0) box->sequence = slot;
        }
        ((dxt_mailbox_head *)(void *)memory)->layout = dxt_mailbox_layout(2, 64);
        dxt_gather *gather = open_local(memory, 1, 2, 64);
        unsigned char mail[64];
        size_t got = 0;
        uint64_t sequence = 0, wanted = round % 5 == 0 ? 2 : DXT_GATHER_NEWEST;
        dxt_status status = dxt_gather_collect(gather, 0, wanted, mail, 64, &got, &sequence);
        assert_true(status == DXT_OK || status == DXT_AGAIN || status == DXT_ERR_FORMAT);
        assert_true(status != DXT_OK || got <= 64);
        seen[status == DXT_OK ? 0 : status == DXT_AGAIN ? 1 : 2]++;
        if (round % 2) {
            assert_int_equal(dxt_gather_publish(gather, 1234567, "abc", 3), DXT_OK);
            assert_int_equal(dxt_gather_collect(gather, 1, 1234567, mail, 64, &got, NULL), DXT_OK);
            assert_int_equal(got, 3);
        }
        dxt_gather_destroy(gather);
    }
    assert_true(seen[0] > 0 && seen[2] > 0);
    free(memory);
}

static dxt_status open_once(void *memory)
{
    dxt_gather_local_config config = {
        .struct_size = sizeof config, .ranks = 1, .mail_capacity = CAPACITY, .memory = memory};
    dxt_gather *gather = NULL;
    dxt_status status = dxt_gather_create_local(&config, &gather);
    dxt_gather_destroy(gather);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    void *memory = new_memory(1, CAPACITY);
    long k = 1;
    dxt_status status;
    for (; alloc_fail_arm(k), status = open_once(memory), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 3);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mails_arrive_and_the_oldest_go),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(wrong_configurations_are_refused),
        cmocka_unit_test(a_shared_object_must_be_large_enough),
        cmocka_unit_test(a_killed_publisher_leaves_whole_mails),
        cmocka_unit_test(processes_meet_in_one_object),
        cmocka_unit_test(a_rank_that_comes_back_goes_on),
        cmocka_unit_test(readers_see_whole_mails_only),
        cmocka_unit_test(nonsense_does_no_harm),
        cmocka_unit_test(callers_of_other_versions_are_served),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
