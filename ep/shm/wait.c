/* SPDX-License-Identifier: Apache-2.0 */
#include "shm/shm.h"

#include <time.h>

#include "shm/futex.h"
#include "system/clock.h"

/* Looks at the flags before sleeping, where every rank has a core of its own: about 10 us. */
#define SPINS 200
/* Longest sleep: how soon a mask, or an arrival whose sender died before it woke us, is noticed. */
#define SLICE_NS (INT64_C(50) * 1000000)
/* Pauses between two looks at what comes from elsewhere: a quarter of the wait so far, within
 * these. */
#define FAR_SHORTEST_NS INT64_C(5000)
#define FAR_LONGEST_NS INT64_C(200000)

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t dxt_ep_shm_now_ns(void)
{
    return dxt_clock_ns(CLOCK_MONOTONIC);
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t far_pause_ns(int64_t waited_ns)
{
    int64_t ns = waited_ns / 4;
    return ns < FAR_SHORTEST_NS ? FAR_SHORTEST_NS : least(ns, FAR_LONGEST_NS);
}

int64_t dxt_ep_shm_slice_ns(const dxt_ep *ep, int64_t waited_ns, int64_t at_most_ns)
{
    const dxt_ep_shm_state *s = ep->state;
    int64_t ns = least(least(SLICE_NS, ep->config.timeout_ns / 8), at_most_ns);
    return s->far ? least(ns, far_pause_ns(waited_ns)) : ns;
}

void dxt_ep_shm_pause(int64_t waited_ns)
{
    struct timespec time = {.tv_sec = 0, .tv_nsec = far_pause_ns(waited_ns)};
    nanosleep(&time, NULL);
}

void dxt_ep_shm_note_waiting(const dxt_ep_shm_state *s, int64_t now_ns)
{
    atomic_store(&dxt_ep_shm_area(s, s->rank)->waiting_ns, now_ns);
}

static void set_flag(dxt_ep_shm_flag *flag, uint64_t epoch, uint32_t rows, uint32_t format)
{
    flag->rows = rows;
    flag->format = format;
    flag->stamp_ns = dxt_ep_shm_now_ns();
    flag->stamp_ticks = dxt_probe_clock();
    atomic_store_explicit(&flag->epoch, epoch, memory_order_release);
}

void dxt_ep_shm_arrived(const dxt_ep *ep, uint32_t source, uint32_t operator_index, uint64_t epoch,
                        uint32_t rows, uint32_t format)
{
    const dxt_ep_shm_state *s = ep->state;
    set_flag(dxt_ep_shm_flag_at(s, s->rank, operator_index, epoch, source), epoch, rows, format);
}

void dxt_ep_shm_announce(const dxt_ep *ep, uint32_t target, uint32_t operator_index, uint64_t epoch,
                         uint32_t rows, uint32_t format)
{
    const dxt_ep_shm_state *s = ep->state;
    set_flag(dxt_ep_shm_flag_at(s, target, operator_index, epoch, s->rank), epoch, rows, format);

    dxt_ep_shm_arrivals *arrivals =
        &dxt_ep_shm_area(s, target)->arrivals[operator_index][epoch % DXT_EP_IN_FLIGHT];
    uint32_t count = atomic_fetch_add(&arrivals->count, 1) + 1;
    /* The receiver sets target and sleeping before it sleeps on an older count: either this sees
     * them, or the receiver does not fall asleep. */
    if (atomic_load(&arrivals->sleeping) && (int32_t)(count - atomic_load(&arrivals->target)) >= 0)
        dxt_ep_shm_wake(&arrivals->count);
}

/* ---- waiting for arrivals ---- */

/* One wait under way, in a call that returns at a time. */
typedef struct waiting {
    dxt_ep *ep;
    dxt_ep_shm_state *s;
    uint32_t operator_index;
    dxt_ep_shm_waiting *of; /* in s->waiting */
    int64_t until_ns;
} waiting;

static uint64_t ticks_of(const waiting *w, int64_t ns)
{
    const dxt_probe *probe = w->of->probe.probe;
    if (ns == 0 || !probe) return 0;
    return (uint64_t)((double)ns * 1e-9 * (double)probe->ticks_per_second);
}

/* Count @p source if it has arrived. */
static bool take(waiting *w, uint32_t source)
{
    dxt_ep_shm_state *s = w->s;
    dxt_ep_shm_waiting *of = w->of;
    const dxt_ep_shm_flag *flag =
        dxt_ep_shm_flag_at(s, s->rank, w->operator_index, of->epoch, source);
    if (atomic_load_explicit(&flag->epoch, memory_order_acquire) < of->epoch) return false;
    int64_t delay_ns = s->delay_ns[w->operator_index][source];
    if (delay_ns > 0) {
        int64_t due_ns = flag->stamp_ns + delay_ns;
        if (dxt_ep_shm_now_ns() < due_ns) {
            of->due_ns = of->held_back++ == 0 ? due_ns : least(of->due_ns, due_ns);
            return false;
        }
    }
    uint64_t ticks = flag->stamp_ticks + ticks_of(w, delay_ns);
    if (ticks < of->back_ticks) ticks = of->back_ticks; /* it came while nobody waited */
    uint64_t wait_ticks = dxt_probe_until(&of->probe, ticks);
    dxt_probe_wait(&of->probe, source, wait_ticks, (uint64_t)flag->rows * of->row_bytes);
    s->heard[w->operator_index][source] = 1;
    return true;
}

/* Look at all that are pending, and forget those that are masked. */
static dxt_status look(waiting *w)
{
    dxt_ep_shm_state *s = w->s;
    dxt_status status = s->far ? s->far->poll(w->ep) : DXT_OK;
    if (status == DXT_OK) status = dxt_ep_shm_see_masks(s);
    if (status != DXT_OK) return status;
    dxt_ep_shm_waiting *of = w->of;
    uint32_t left = 0;
    of->held_back = 0;
    for (uint32_t i = 0; i < of->pending; i++) {
        uint32_t source = of->sources[i];
        if (s->masked[source])
            dxt_probe_timeout(&of->probe, source);
        else if (!take(w, source))
            of->sources[left++] = source;
    }
    of->pending = left;
    return DXT_OK;
}

bool dxt_ep_shm_waits_itself(const dxt_ep *ep, uint32_t rank, int64_t begin_ns, int64_t now_ns)
{
    const dxt_ep_shm_state *s = ep->state;
    int64_t timeout_ns = ep->config.timeout_ns;
    if (dxt_ep_shm_is_far(s, rank)) return now_ns < begin_ns + timeout_ns + timeout_ns / 2;
    int64_t seen_ns = atomic_load(&dxt_ep_shm_area(s, rank)->waiting_ns);
    return now_ns - seen_ns < timeout_ns / 2 && now_ns < begin_ns + 2 * timeout_ns;
}

/* The deadline is over: mask those that are silent. */
static dxt_status give_up(waiting *w, int64_t now_ns)
{
    dxt_ep_shm_state *s = w->s;
    const dxt_ep_shm_waiting *of = w->of;
    for (uint32_t i = 0; i < of->pending; i++) {
        uint32_t source = of->sources[i];
        const dxt_ep_shm_flag *flag =
            dxt_ep_shm_flag_at(s, s->rank, w->operator_index, of->epoch, source);
        bool silent = atomic_load_explicit(&flag->epoch, memory_order_acquire) < of->epoch;
        if (!silent || dxt_ep_shm_waits_itself(w->ep, source, of->begin_ns, now_ns)) continue;
        dxt_status status = dxt_ep_shm_mask(w->ep, source);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

/* @return What a look right before the sleep says. */
static dxt_status sleep_on_arrivals(waiting *w, int64_t now_ns)
{
    dxt_ep_shm_waiting *of = w->of;
    dxt_ep_shm_arrivals *arrivals =
        &dxt_ep_shm_area(w->s, w->s->rank)
             ->arrivals[w->operator_index][of->epoch % DXT_EP_IN_FLIGHT];
    uint32_t count = atomic_load(&arrivals->count);
    uint32_t before = of->pending;
    atomic_store(&arrivals->target, count + of->pending - of->held_back);
    atomic_store(&arrivals->sleeping, 1);
    int64_t slice_ns = least(SLICE_NS, w->ep->config.timeout_ns / 8);
    if (now_ns < of->deadline_ns) slice_ns = least(slice_ns, of->deadline_ns - now_ns);
    slice_ns = least(slice_ns, w->until_ns - now_ns);
    /* Flags set before `count` was read are not counted again: look once more. */
    dxt_status status = look(w);
    if (status == DXT_OK && of->pending == before) {
        if (of->held_back > 0) slice_ns = least(slice_ns, of->due_ns - now_ns);
        /* Also when all that is missing is near: what was sent far moves only meanwhile. */
        if (w->s->far) slice_ns = least(slice_ns, far_pause_ns(now_ns - of->begin_ns));
        dxt_ep_shm_sleep(&arrivals->count, count, slice_ns);
    }
    atomic_store(&arrivals->sleeping, 0);
    return status;
}

static dxt_status wait_in_kernel(waiting *w)
{
    dxt_ep_shm_waiting *of = w->of;
    for (;;) {
        dxt_status status = look(w);
        if (status != DXT_OK || of->pending == 0) return status;
        int64_t now_ns = dxt_ep_shm_now_ns();
        if (of->begin_ns == 0) {
            of->begin_ns = now_ns;
            of->deadline_ns = now_ns + w->ep->config.timeout_ns;
        }
        dxt_ep_shm_note_waiting(w->s, now_ns);
        if (now_ns >= of->deadline_ns) status = give_up(w, now_ns);
        if (status != DXT_OK) return status;
        if (now_ns >= w->until_ns)
            return dxt_ep_fail(DXT_ERR_TIMEOUT, "rank %u has not arrived yet", of->sources[0]);
        status = sleep_on_arrivals(w, now_ns);
        if (status != DXT_OK) return status;
    }
}

static dxt_status begin(waiting *w, uint64_t epoch, size_t row_bytes)
{
    dxt_ep_shm_state *s = w->s;
    *w->of = (dxt_ep_shm_waiting){.sources = w->of->sources, .row_bytes = row_bytes};
    dxt_probe_begin(&w->of->probe, w->ep->config.probe, w->operator_index);
    dxt_status status = dxt_ep_shm_see_masks(s);
    if (status != DXT_OK) return status; /* whoever tries again begins again */
    w->of->epoch = epoch;
    for (uint32_t source = 0; source < s->ranks; source++) {
        s->heard[w->operator_index][source] = 0;
        if (!s->masked[source]) w->of->sources[w->of->pending++] = source;
    }
    status = look(w);
    for (int i = 0; s->spin && i < SPINS && status == DXT_OK && w->of->pending > 0; i++) {
        pause_briefly();
        status = look(w);
    }
    return status;
}

/* What the caller did since the slice before is no waiting. */
static void resume(dxt_ep_shm_waiting *of)
{
    if (of->begin_ns != 0) {
        int64_t away_ns = dxt_ep_shm_now_ns() - of->left_ns;
        of->begin_ns += away_ns;
        of->deadline_ns += away_ns;
    }
    if (!of->probe.probe) return;
    of->back_ticks = dxt_probe_clock();
    of->probe.begin_ticks += of->back_ticks - of->left_ticks;
}

static dxt_status wait_until(dxt_ep *ep, uint32_t operator_index, uint64_t epoch, size_t row_bytes,
                             int64_t until_ns)
{
    dxt_ep_shm_state *s = ep->state;
    dxt_ep_shm_waiting *of = &s->waiting[operator_index];
    waiting w = {
        .ep = ep, .s = s, .operator_index = operator_index, .of = of, .until_ns = until_ns};
    bool begun = of->epoch == epoch;
    if (begun && of->pending == 0) return DXT_OK; /* and its waits are counted */
    dxt_status status = DXT_OK;
    if (begun)
        resume(of);
    else
        status = begin(&w, epoch, row_bytes);
    if (status == DXT_OK && of->pending > 0) status = wait_in_kernel(&w);
    if (status == DXT_OK) {
        dxt_probe_end(&of->probe);
        return DXT_OK;
    }
    /* Whoever tries again goes on: what is heard counts. */
    of->left_ns = dxt_ep_shm_now_ns();
    if (of->probe.probe) of->left_ticks = dxt_probe_clock();
    return status;
}

dxt_status dxt_ep_shm_wait_all(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                               size_t row_bytes)
{
    return wait_until(ep, operator_index, epoch, row_bytes, INT64_MAX);
}

dxt_status dxt_ep_shm_wait(dxt_ep *ep, uint32_t operator_index, uint64_t epoch, int64_t at_most_ns)
{
    uint32_t slot = epoch % DXT_EP_IN_FLIGHT;
    size_t row_bytes = operator_index == DXT_DISPATCH
                           ? dxt_ep_token_bytes(&ep->config, ep->dispatch[slot].format)
                           : dxt_ep_output_bytes(&ep->config, ep->combine[slot].format);
    return wait_until(ep, operator_index, epoch, row_bytes, dxt_ep_shm_now_ns() + at_most_ns);
}

/* ---- behind the wait ---- */

dxt_status dxt_ep_shm_consume(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                              dxt_status status)
{
    const dxt_ep_shm_state *s = ep->state;
    dxt_ep_shm_consumed *consumed = &dxt_ep_shm_area(s, s->rank)->consumed[operator_index];
    atomic_store(&consumed->epoch, (uint32_t)epoch);
    if (atomic_load(&consumed->sleepers) > 0) dxt_ep_shm_wake(&consumed->epoch);
    dxt_status far = s->far ? s->far->consume(ep, operator_index, epoch) : DXT_OK;
    return status == DXT_OK ? far : status;
}

dxt_status dxt_ep_shm_check_formats(const dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                                    uint32_t format)
{
    const dxt_ep_shm_state *s = ep->state;
    for (uint32_t source = 0; source < s->ranks; source++)
        if (s->heard[operator_index][source] &&
            dxt_ep_shm_flag_at(s, s->rank, operator_index, epoch, source)->format != format)
            return dxt_ep_fail(DXT_ERR_INVALID,
                               "rank %u sent data in another format than rank %u expects; all "
                               "ranks must give the same format",
                               source, s->rank);
    return DXT_OK;
}
