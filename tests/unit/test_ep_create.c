/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused, and how: configurations, arguments, memory, and what others left in it. Several
 * ranks take turns on one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "ep_reference.h"
#include "shm/shm.h"

#define RANKS 2
#define TOKENS 4
#define HIDDEN 256
#define EXPERTS 4
#define TOPK 2
#define LOCAL (EXPERTS / RANKS)
#define SLOTS (RANKS * TOKENS)

static dxt_ep_config config_of(uint32_t rank)
{
    return (dxt_ep_config){.struct_size = sizeof(dxt_ep_config),
                           .rank = rank,
                           .ranks = RANKS,
                           .max_tokens = TOKENS,
                           .hidden = HIDDEN,
                           .experts = EXPERTS,
                           .max_topk = TOPK,
                           .timeout_ns = 200000000,
                           .fd = -1};
}

static size_t group_size;

static void *group_memory(void)
{
    dxt_ep_config config = config_of(0);
    assert_int_equal(dxt_ep_buffer_size(&config, &group_size), DXT_OK);
    void *memory =
        mmap(NULL, group_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

/* One rank and its buffers. */
struct member {
    dxt_ep *ep;
    uint16_t x[TOKENS * HIDDEN];
    int64_t topk_idx[TOKENS * TOPK];
    float weights[TOKENS * TOPK];
    uint16_t recv_x[LOCAL * SLOTS * HIDDEN + 1];
    float scales[LOCAL * SLOTS * (HIDDEN / DXT_EP_BLOCK)];
    int32_t counts[LOCAL];
    int32_t src_info[LOCAL * SLOTS];
    uint8_t src_slot[LOCAL * SLOTS];
    dxt_ep_range ranges[LOCAL * RANKS];
    uint16_t y[LOCAL * SLOTS * HIDDEN];
    uint16_t out[TOKENS * HIDDEN];
    dxt_ep_dispatch dispatch;
    dxt_ep_combine combine;
};

static struct member members[RANKS];

static void join(struct member *m, uint32_t rank, void *memory)
{
    memset(m, 0, sizeof *m);
    dxt_ep_config config = config_of(rank);
    config.memory = memory;
    assert_int_equal(dxt_ep_create(&config, &m->ep), DXT_OK);
    for (int t = 0; t < TOKENS; t++) {
        m->topk_idx[t * TOPK] = 0;
        m->topk_idx[t * TOPK + 1] = EXPERTS - 1;
    }
    dxt_ep_handle handle = {m->src_info, m->src_slot, m->ranges};
    m->dispatch = (dxt_ep_dispatch){.struct_size = sizeof m->dispatch,
                                    .x = m->x,
                                    .topk_idx = m->topk_idx,
                                    .tokens = TOKENS,
                                    .topk = TOPK,
                                    .recv_x = m->recv_x,
                                    .recv_scales = m->scales,
                                    .recv_count = m->counts,
                                    .handle = handle};
    m->combine = (dxt_ep_combine){.struct_size = sizeof m->combine,
                                  .x = m->y,
                                  .handle = handle,
                                  .topk_idx = m->topk_idx,
                                  .topk_weights = m->weights,
                                  .tokens = TOKENS,
                                  .topk = TOPK,
                                  .out = m->out};
}

static int set_up(void **state)
{
    *state = group_memory();
    for (uint32_t rank = 0; rank < RANKS; rank++) join(&members[rank], rank, *state);
    return 0;
}

static int tear_down(void **state)
{
    for (uint32_t rank = 0; rank < RANKS; rank++) dxt_ep_destroy(members[rank].ep);
    return munmap(*state, group_size);
}

static void send_all(void)
{
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_dispatch_send(members[rank].ep, &members[rank].dispatch), DXT_OK);
}

static void refused(dxt_status status, dxt_status want, const char *text)
{
    assert_int_equal(status, want);
    if (!strstr(dxt_ep_error(), text)) fail_msg("\"%s\" lacks \"%s\"", dxt_ep_error(), text);
    assert_null(strchr(dxt_ep_error(), '\n'));
}

/* ---- configurations ---- */

static void bad_shapes_are_refused(void **state)
{
    (void)state;
    size_t size = 42;
    static const struct {
        size_t offset;
        uint32_t value;
        dxt_status status;
        const char *text;
    } bad[] = {
        {offsetof(dxt_ep_config, ranks), 0, DXT_ERR_INVALID, "ranks is 0"},
        {offsetof(dxt_ep_config, ranks), DXT_MAX_RANKS + 1, DXT_ERR_LIMIT, "ranks is 4097"},
        {offsetof(dxt_ep_config, ranks), 3, DXT_ERR_INVALID, "multiple of the 3 ranks"},
        {offsetof(dxt_ep_config, max_tokens), 0, DXT_ERR_INVALID, "max_tokens is 0"},
        {offsetof(dxt_ep_config, max_tokens), DXT_EP_MAX_TOKENS + 1, DXT_ERR_LIMIT, "max_tokens"},
        {offsetof(dxt_ep_config, hidden), 0, DXT_ERR_INVALID, "hidden is 0"},
        {offsetof(dxt_ep_config, hidden), 100, DXT_ERR_INVALID, "must be a multiple of 128"},
        {offsetof(dxt_ep_config, hidden), DXT_EP_MAX_HIDDEN + 128, DXT_ERR_LIMIT, "hidden"},
        {offsetof(dxt_ep_config, experts), 0, DXT_ERR_INVALID, "experts is 0"},
        {offsetof(dxt_ep_config, experts), DXT_EP_MAX_EXPERTS + 2, DXT_ERR_LIMIT, "experts"},
        {offsetof(dxt_ep_config, max_topk), 0, DXT_ERR_INVALID, "max_topk is 0"},
        {offsetof(dxt_ep_config, max_topk), 5, DXT_ERR_INVALID, "at most the 4 experts"},
        {offsetof(dxt_ep_config, max_topk), DXT_EP_MAX_TOPK + 1, DXT_ERR_LIMIT, "max_topk"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dxt_ep_config config = config_of(0);
        memcpy((char *)&config + bad[i].offset, &bad[i].value, sizeof bad[i].value);
        refused(dxt_ep_buffer_size(&config, &size), bad[i].status, bad[i].text);
    }
    dxt_ep_config config = config_of(0);
    refused(dxt_ep_buffer_size(NULL, &size), DXT_ERR_INVALID, "config must not be NULL");
    refused(dxt_ep_buffer_size(&config, NULL), DXT_ERR_INVALID, "size must not be NULL");
    config.engine = "pigeon";
    refused(dxt_ep_buffer_size(&config, &size), DXT_ERR_UNSUPPORTED, "pigeon");
    config = config_of(0);
    config.struct_size--;
    refused(dxt_ep_buffer_size(&config, &size), DXT_ERR_INVALID, "struct_size");
    assert_int_equal(size, 42);
    config = config_of(0);
    config.engine = "shm";
    assert_int_equal(dxt_ep_buffer_size(&config, &size), DXT_OK);
    assert_int_equal(size % (size_t)sysconf(_SC_PAGESIZE), 0);
}

static void the_largest_shapes_fit_or_are_refused(void **state)
{
    (void)state;
    dxt_ep_config config = config_of(0);
    size_t size = 0;
    config.ranks = DXT_MAX_RANKS;
    config.experts = DXT_EP_MAX_EXPERTS;
    config.max_tokens = DXT_EP_MAX_TOKENS;
    config.hidden = DXT_EP_MAX_HIDDEN;
    config.max_topk = DXT_EP_MAX_TOPK;
    assert_int_equal(dxt_ep_buffer_size(&config, &size), DXT_OK);
    /* ranks x two buffers x (outbox + inbox): no product was cut off. */
    double least = 4096.0 * 2 * 8192 * (16384 * 2.0) * (1 + 16);
    assert_true((double)size > least && (double)size < 1.1 * least);
}

static void members_must_agree_and_come_once(void **state)
{
    (void)state;
    void *memory = group_memory();
    dxt_ep *first = NULL;
    dxt_ep *ep = NULL;
    dxt_ep_config config = config_of(0);
    config.memory = memory;
    assert_int_equal(dxt_ep_create(&config, &first), DXT_OK);
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "rank 0 has already joined");
    config.rank = 1;
    config.hidden = 128;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID,
            "hidden must be the same on all ranks; it is 128 here, and 256");
    config = config_of(1);
    config.memory = memory;
    config.timeout_ns = 5;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID,
            "timeout_ns must be the same on all ranks; it is 5 here");
    config = config_of(1);
    config.memory = (char *)memory + 64;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "aligned");
    assert_null(ep);
    dxt_ep_destroy(first);
    memset(memory, 7, 64);
    config.memory = memory;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "must be zeroed");
    munmap(memory, group_size);
}

static void bad_members_are_refused(void **state)
{
    (void)state;
    dxt_ep *ep = NULL;
    dxt_ep_config config = config_of(RANKS);
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "rank is 2");
    config = config_of(0);
    config.timeout_ns = -1;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "timeout_ns");
    config = config_of(0);
    refused(dxt_ep_create(&config, NULL), DXT_ERR_INVALID, "ep must not be NULL");
    refused(dxt_ep_create(NULL, &ep), DXT_ERR_INVALID, "config must not be NULL");
    refused(dxt_ep_create(&config, &ep), DXT_ERR_IO, "Bad file descriptor");
    dxt_probe *probe = ep_probe_new(1);
    config.probe = probe;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "and 1 sources");
    probe->layout = 77;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "layout 77");
    free(probe);
    assert_null(ep);
    dxt_ep_destroy(NULL);
}

static void memory_files_must_be_large_enough(void **state)
{
    (void)state;
    dxt_ep *ep = NULL;
    size_t size;
    dxt_ep_config config = config_of(0);
    assert_int_equal(dxt_ep_buffer_size(&config, &size), DXT_OK);
    config.fd = memfd_create("dxt-ep-test", MFD_CLOEXEC);
    assert_int_equal(ftruncate(config.fd, (off_t)size - 1), 0);
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "the group needs");
    assert_int_equal(ftruncate(config.fd, (off_t)size), 0);
    assert_int_equal(dxt_ep_create(&config, &ep), DXT_OK);
    close(config.fd); /* the mapping stays */
    assert_int_equal(dxt_ep_masked(ep, NULL), 0);
    dxt_ep_destroy(ep);
}

/* What is missing is said in words of ours: the part, the driver or the GPU. */
static void without_a_gpu_there_is_no_engine_for_it(void **state)
{
    (void)state;
    if (access("/dev/nvidiactl", F_OK) == 0) skip();
    dxt_ep *ep = NULL;
    dxt_ep_config config = config_of(0);
    config.engine = "cuda";
    config.memory = group_memory();
    config.timeout_ns = INT64_C(1000000000);
    assert_int_equal(dxt_ep_create(&config, &ep), DXT_ERR_UNSUPPORTED);
    assert_null(strstr(dxt_ep_error(), "driver version is insufficient"));
    assert_null(ep);
    munmap((void *)config.memory, group_size);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    long k = 1;
    dxt_status status;
    dxt_ep *ep;
    void *memory;
    for (;; k++) {
        memory = group_memory();
        dxt_ep_config config = config_of(0);
        config.memory = memory;
        ep = NULL;
        alloc_fail_arm(k);
        status = dxt_ep_create(&config, &ep);
        if (!alloc_fail_disarm()) break;
        refused(status, DXT_ERR_NO_MEMORY, "memory");
        assert_null(ep);
        munmap(memory, group_size);
    }
    assert_int_equal(status, DXT_OK);
    assert_true(k > 8);
    dxt_ep_destroy(ep);
    munmap(memory, group_size);
}

/* ---- arguments ---- */

#define REFUSE_DISPATCH(change, want, text)                           \
    do {                                                              \
        dxt_ep_dispatch d = members[0].dispatch;                      \
        change;                                                       \
        refused(dxt_ep_dispatch_send(members[0].ep, &d), want, text); \
    } while (0)

static void bad_dispatches_are_refused(void **state)
{
    (void)state;
    struct member *m = &members[0];
    int64_t routes[TOKENS * TOPK];
    memcpy(routes, m->topk_idx, sizeof routes);
    refused(dxt_ep_dispatch_send(NULL, &m->dispatch), DXT_ERR_INVALID, "ep must not be NULL");
    refused(dxt_ep_dispatch_send(m->ep, NULL), DXT_ERR_INVALID, "dispatch must not be NULL");
    REFUSE_DISPATCH(d.struct_size = 8, DXT_ERR_INVALID, "struct_size is 8");
    REFUSE_DISPATCH(d.format = 7, DXT_ERR_INVALID, "format is 7");
    REFUSE_DISPATCH(d.x = NULL, DXT_ERR_INVALID, "x must not be NULL");
    REFUSE_DISPATCH(d.topk_idx = NULL, DXT_ERR_INVALID, "topk_idx must not be NULL");
    REFUSE_DISPATCH(d.tokens = TOKENS + 1, DXT_ERR_INVALID, "tokens is 5");
    REFUSE_DISPATCH(d.topk = 0, DXT_ERR_INVALID, "topk is 0");
    REFUSE_DISPATCH(d.topk = TOPK + 1, DXT_ERR_INVALID, "topk is 3");
    REFUSE_DISPATCH(d.recv_x = NULL, DXT_ERR_INVALID, "recv_x");
    REFUSE_DISPATCH(d.recv_count = NULL, DXT_ERR_INVALID, "recv_count");
    REFUSE_DISPATCH((d.format = DXT_EP_FP8, d.recv_scales = NULL), DXT_ERR_INVALID, "recv_scales");
    REFUSE_DISPATCH(d.handle.src_info = NULL, DXT_ERR_INVALID, "handle");
    REFUSE_DISPATCH(d.handle.src_slot = NULL, DXT_ERR_INVALID, "handle");
    REFUSE_DISPATCH(d.handle.layout_range = NULL, DXT_ERR_INVALID, "handle");
    routes[3] = EXPERTS;
    REFUSE_DISPATCH(d.topk_idx = routes, DXT_ERR_INVALID,
                    "token 1, route 1 names expert 4, but must name -1 or 0 to 3");
    routes[3] = -2;
    REFUSE_DISPATCH(d.topk_idx = routes, DXT_ERR_INVALID, "expert -2");
    routes[3] = routes[2];
    REFUSE_DISPATCH(d.topk_idx = routes, DXT_ERR_INVALID, "token 1 goes to expert 0 twice");
    routes[2] = routes[3] = -1;
    refused(dxt_ep_dispatch_recv(m->ep), DXT_ERR_STATE,
            "there is no dispatch to receive: call dxt_ep_dispatch_send() first");
    refused(dxt_ep_dispatch_recv(NULL), DXT_ERR_INVALID, "ep must not be NULL");
    send_all();
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_dispatch_recv(members[rank].ep), DXT_OK);
}

#define REFUSE_COMBINE(change, want, text)                           \
    do {                                                             \
        dxt_ep_combine c = members[0].combine;                       \
        change;                                                      \
        refused(dxt_ep_combine_send(members[0].ep, &c), want, text); \
    } while (0)

static void bad_combines_are_refused(void **state)
{
    (void)state;
    struct member *m = &members[0];
    refused(dxt_ep_combine_send(NULL, &m->combine), DXT_ERR_INVALID, "ep must not be NULL");
    refused(dxt_ep_combine_send(m->ep, NULL), DXT_ERR_INVALID, "combine must not be NULL");
    refused(dxt_ep_combine_recv(NULL), DXT_ERR_INVALID, "ep must not be NULL");
    REFUSE_COMBINE(c.struct_size = 8, DXT_ERR_INVALID, "struct_size is 8");
    REFUSE_COMBINE(c.format = 7, DXT_ERR_INVALID, "format is 7");
    REFUSE_COMBINE(c.x = NULL, DXT_ERR_INVALID, "x must not be NULL");
    REFUSE_COMBINE(c.topk_weights = NULL, DXT_ERR_INVALID, "topk_weights");
    REFUSE_COMBINE(c.out = NULL, DXT_ERR_INVALID, "out");
    REFUSE_COMBINE(c.handle.src_info = NULL, DXT_ERR_INVALID, "handle");
    REFUSE_COMBINE(c.topk_idx = NULL, DXT_ERR_INVALID, "topk_idx");
    REFUSE_COMBINE(c.tokens = TOKENS + 1, DXT_ERR_INVALID, "tokens is 5");
    refused(dxt_ep_combine_recv(m->ep), DXT_ERR_STATE,
            "there is no combine to receive: call dxt_ep_combine_send() first");
    static const dxt_ep_range impossible[] = {{-1, 0},    {1, -1},        {TOKENS + 1, 0},
                                              {1, SLOTS}, {2, SLOTS - 1}, {INT32_MAX, INT32_MAX}};
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        m->ranges[1] = impossible[i];
        REFUSE_COMBINE((void)c, DXT_ERR_INVALID,
                       "the range of expert 0 and rank 1 leaves the buffer");
    }
    m->ranges[1] = (dxt_ep_range){1, 2};
    m->src_info[2] = TOKENS;
    REFUSE_COMBINE((void)c, DXT_ERR_INVALID, "slot 2 names a token or route that was not sent");
    m->src_info[2] = -1;
    REFUSE_COMBINE((void)c, DXT_ERR_INVALID, "slot 2");
    m->src_info[2] = 0;
    m->src_slot[2] = TOPK;
    REFUSE_COMBINE((void)c, DXT_ERR_INVALID, "slot 2");
}

static void bad_paths_and_waits_are_refused(void **state)
{
    (void)state;
    dxt_ep *ep = members[0].ep;
    refused(dxt_ep_delay_path(NULL, 0, 0, 0), DXT_ERR_INVALID, "ep must not be NULL");
    refused(dxt_ep_delay_path(ep, 2, 0, 0), DXT_ERR_INVALID, "operator_index is 2");
    refused(dxt_ep_delay_path(ep, 0, RANKS, 0), DXT_ERR_INVALID, "source is 2");
    refused(dxt_ep_delay_path(ep, 0, 0, -1), DXT_ERR_INVALID, "delay_ns");
    assert_int_equal(dxt_ep_delay_path(ep, 1, 1, 5), DXT_OK);
    assert_int_equal(dxt_ep_masked(NULL, NULL), 0);
    refused(dxt_ep_wait(NULL, DXT_DISPATCH, 0), DXT_ERR_INVALID, "ep must not be NULL");
    refused(dxt_ep_wait(ep, 2, 0), DXT_ERR_INVALID, "operator_index is 2");
    refused(dxt_ep_wait(ep, DXT_COMBINE, 0), DXT_ERR_STATE, "there is no combine to receive");
    refused(dxt_ep_wait(ep, DXT_COMBINE, -1), DXT_ERR_INVALID, "at_most_ns is -1");
    refused(dxt_ep_wait_buffer(NULL, DXT_DISPATCH, NULL, 0), DXT_ERR_INVALID,
            "ep must not be NULL");
    refused(dxt_ep_wait_buffer(ep, 2, NULL, 0), DXT_ERR_INVALID, "operator_index is 2");
    refused(dxt_ep_wait_buffer(ep, DXT_COMBINE, NULL, -1), DXT_ERR_INVALID, "at_most_ns is -1");
    assert_int_equal(dxt_ep_wait_buffer(ep, DXT_COMBINE, NULL, 0), DXT_OK);
    const dxt_ep_dispatch no_dispatch = {.struct_size = sizeof no_dispatch};
    const dxt_ep_combine no_combine = {.struct_size = sizeof no_combine};
    refused(dxt_ep_wait_buffer(ep, DXT_DISPATCH, &no_dispatch, 0), DXT_ERR_INVALID, "handle.");
    refused(dxt_ep_wait_buffer(ep, DXT_COMBINE, &no_combine, 0), DXT_ERR_INVALID, "handle.");
}

/* The last @p size bytes before memory that must not be touched. */
static void *at_the_edge(const void *from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
    return memcpy(memory + page - size, from, size);
}

/* A caller that was built before the optional tails: nothing behind its arguments is looked at. */
static void arguments_may_lack_their_tails(void **state)
{
    (void)state;
    size_t dispatch_size = offsetof(dxt_ep_dispatch, topk_weights);
    size_t combine_size = offsetof(dxt_ep_combine, recv_routes);
    REFUSE_DISPATCH(d.struct_size = dispatch_size - 1, DXT_ERR_INVALID, "struct_size");
    REFUSE_COMBINE(c.struct_size = combine_size - 1, DXT_ERR_INVALID, "struct_size");
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        struct member *m = &members[rank];
        m->dispatch.struct_size = dispatch_size;
        m->combine.struct_size = combine_size;
        const dxt_ep_dispatch *dispatch = at_the_edge(&m->dispatch, dispatch_size);
        assert_int_equal(dxt_ep_dispatch_send(m->ep, dispatch), DXT_OK);
    }
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_dispatch_recv(members[rank].ep), DXT_OK);
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        const dxt_ep_combine *combine = at_the_edge(&members[rank].combine, combine_size);
        assert_int_equal(dxt_ep_combine_send(members[rank].ep, combine), DXT_OK);
    }
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_combine_recv(members[rank].ep), DXT_OK);
}

/* ---- what others left ---- */

static void formats_must_be_the_same(void **state)
{
    (void)state;
    members[1].dispatch.format = DXT_EP_FP8;
    send_all();
    refused(dxt_ep_dispatch_recv(members[0].ep), DXT_ERR_INVALID,
            "rank 1 sent data in another format");
    refused(dxt_ep_dispatch_recv(members[1].ep), DXT_ERR_INVALID,
            "rank 0 sent data in another format");
    members[1].dispatch.format = DXT_EP_BF16; /* the operation is over, and the group goes on */
    send_all();
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_dispatch_recv(members[rank].ep), DXT_OK);
}

static void answers_must_be_complete(void **state)
{
    (void)state;
    send_all();
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_dispatch_recv(members[rank].ep), DXT_OK);
    assert_int_equal(members[1].ranges[RANKS].count, TOKENS);
    members[1].ranges[RANKS].count--;
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_combine_send(members[rank].ep, &members[rank].combine), DXT_OK);
    refused(dxt_ep_combine_recv(members[0].ep), DXT_ERR_INVALID,
            "rank 1 sent results of 3 routes to rank 0, which had sent it 4 routes");
    assert_int_equal(dxt_ep_combine_recv(members[1].ep), DXT_OK);
}

/* An outbox full of rubbish, as a rank that dies while it writes might leave it. */
static void rubbish_stays_within_bounds(void **state)
{
    (void)state;
    dxt_ep_shm_state *s = members[1].ep->state;
    for (int kind = 0; kind < 3; kind++) {
        send_all();
        dxt_ep_shm_outbox *box = dxt_ep_shm_outbox_at(s, 1, (uint64_t)kind + 1);
        int32_t *routes = (int32_t *)(void *)((char *)box + s->at.routes);
        if (kind == 0) box->tokens = UINT32_MAX;
        if (kind == 1) box->topk = 200;
        if (kind == 2)
            for (int i = 0; i < TOKENS * TOPK; i++) routes[i] = 1 - i % 2 * 9;
        members[0].recv_x[LOCAL * SLOTS * HIDDEN] = 0x1234;
        for (uint32_t rank = 0; rank < RANKS; rank++)
            assert_int_equal(dxt_ep_dispatch_recv(members[rank].ep), DXT_OK);
        dxt_ep_range range = members[0].ranges[RANKS + 1];
        assert_int_equal(range.count, kind == 2 ? TOKENS : 0);
        assert_int_equal(members[0].recv_x[LOCAL * SLOTS * HIDDEN], 0x1234);
    }
}

static void one_expert_takes_no_more_than_its_share(void **state)
{
    (void)state;
    send_all();
    dxt_ep_shm_state *s = members[1].ep->state;
    int32_t *routes = (int32_t *)(void *)((char *)dxt_ep_shm_outbox_at(s, 1, 1) + s->at.routes);
    for (int i = 0; i < TOKENS * TOPK; i++) routes[i] = 1;
    for (uint32_t rank = 0; rank < RANKS; rank++)
        assert_int_equal(dxt_ep_dispatch_recv(members[rank].ep), DXT_OK);
    assert_int_equal(members[0].counts[1], TOKENS);
}

/* ---- masks that one thread can show ---- */

static void a_rank_that_does_not_consume_is_given_up(void **state)
{
    (void)state;
    struct member *m = &members[0];
    for (int i = 0; i < 2; i++) {
        send_all();
        assert_int_equal(dxt_ep_dispatch_recv(m->ep), DXT_OK);
    }
    assert_int_equal(dxt_ep_dispatch_send(m->ep, &m->dispatch), DXT_OK);
    uint8_t masked[RANKS];
    assert_int_equal(dxt_ep_masked(m->ep, masked), 1);
    assert_int_equal(masked[0], 0);
    assert_int_equal(masked[1], 1);
    assert_int_equal(dxt_ep_dispatch_recv(m->ep), DXT_OK);
    assert_int_equal(m->ranges[0].count, TOKENS);
    assert_int_equal(m->ranges[1].count, 0);
    assert_int_equal(m->counts[0], TOKENS);

    struct member *late = &members[1];
    refused(dxt_ep_dispatch_recv(late->ep), DXT_ERR_MASKED, "went on without rank 1");
    refused(dxt_ep_combine_send(late->ep, &late->combine), DXT_ERR_MASKED, "without rank 1");
    assert_int_equal(dxt_ep_shm_mask(late->ep, 0), DXT_ERR_MASKED);
    assert_int_equal(dxt_ep_masked(m->ep, NULL), 1);
}

static void a_group_of_masked_ranks_cannot_be_joined(void **state)
{
    (void)state;
    void *memory = group_memory();
    struct member *m = &members[0];
    struct member kept = *m;
    join(m, 0, memory);
    assert_int_equal(dxt_ep_dispatch_send(m->ep, &m->dispatch), DXT_OK);
    assert_int_equal(dxt_ep_dispatch_recv(m->ep), DXT_OK); /* rank 1 never came */
    dxt_ep *ep = NULL;
    dxt_ep_config config = config_of(1);
    config.memory = memory;
    refused(dxt_ep_create(&config, &ep), DXT_ERR_INVALID, "rank 1 comes too late");
    dxt_ep_destroy(m->ep);
    *m = kept;
    munmap(memory, group_size);
}

#define WITH_GROUP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_shapes_are_refused),
        cmocka_unit_test(the_largest_shapes_fit_or_are_refused),
        cmocka_unit_test(members_must_agree_and_come_once),
        cmocka_unit_test(bad_members_are_refused),
        cmocka_unit_test(memory_files_must_be_large_enough),
        cmocka_unit_test(without_a_gpu_there_is_no_engine_for_it),
        cmocka_unit_test(every_allocation_may_fail),
        WITH_GROUP(bad_dispatches_are_refused),
        WITH_GROUP(bad_combines_are_refused),
        WITH_GROUP(bad_paths_and_waits_are_refused),
        WITH_GROUP(arguments_may_lack_their_tails),
        WITH_GROUP(formats_must_be_the_same),
        WITH_GROUP(answers_must_be_complete),
        WITH_GROUP(rubbish_stays_within_bounds),
        WITH_GROUP(one_expert_takes_no_more_than_its_share),
        WITH_GROUP(a_rank_that_does_not_consume_is_given_up),
        WITH_GROUP(a_group_of_masked_ranks_cannot_be_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
