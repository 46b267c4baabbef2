/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of dxt_probe_clock(). */
#include <deepxtrace/probe.h>

#include <stdatomic.h>
#include <time.h>

#include "base/base.h"
#include "system/clock.h"

#if defined(__x86_64__)

#include <cpuid.h>

/* Long enough that the 50 ns or so by which two clocks cannot be read together make 1e-5. */
#define BASE_LINE_NS 10000000
#define READINGS 16

struct reading {
    uint64_t ticks;
    int64_t ns;
};

/* Not slewed by time synchronisation, which may bend CLOCK_MONOTONIC by 5e-4 for a while. */
static int64_t raw_ns(void)
{
    return dxt_clock_ns(CLOCK_MONOTONIC_RAW);
}

/* Both clocks at one time: of several attempts the one that was disturbed least. */
static struct reading read_both(void)
{
    struct reading best = {0, 0};
    uint64_t narrowest = UINT64_MAX;
    for (int i = 0; i < READINGS; i++) {
        uint64_t before = dxt_probe_clock();
        int64_t ns = raw_ns();
        uint64_t width = dxt_probe_clock() - before;
        if (width >= narrowest) continue;
        narrowest = width;
        best = (struct reading){before + width / 2, ns};
    }
    return best;
}

static double measured_rate(void)
{
    struct reading from = read_both();
    dxt_sleep_until_ns(dxt_now_ns() + BASE_LINE_NS);
    struct reading to = read_both();
    return (double)(to.ticks - from.ticks) * 1e9 / (double)(to.ns - from.ns);
}

/* Crystal and ratio, in Hz; 0 = not stated. The nominal frequency of leaf 0x16 is left alone: the
 * counter runs beside it by up to 1e-3. */
static double stated_by_cpu(void)
{
    unsigned denominator, numerator, crystal_hz, unused;
    if (!__get_cpuid(0x15, &denominator, &numerator, &crystal_hz, &unused) || denominator == 0)
        return 0;
    return (double)crystal_hz * numerator / denominator;
}

/* Timing leaf, in Hz, of hypervisors that have one; 0 = not stated. */
static double stated_by_hypervisor(void)
{
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    if (!(c >> 31)) return 0;
    __cpuid(0x40000000, a, b, c, d);
    if (a < 0x40000010) return 0;
    __cpuid(0x40000010, a, b, c, d);
    return 1e3 * a;
}

/* Statements are known to be wrong on some machines (a crystal other than the one stated, a guest
 * that sees its host's): one is believed only where it confirms the measurement. */
static uint64_t find_rate(void)
{
    double measured = measured_rate();
    const double stated[] = {stated_by_hypervisor(), stated_by_cpu()};
    for (int i = 0; i < 2; i++)
        if (stated[i] > measured * (1 - 1e-4) && stated[i] < measured * (1 + 1e-4))
            return (uint64_t)(stated[i] + 0.5);
    return (uint64_t)(measured + 0.5);
}

#elif defined(__aarch64__)

static uint64_t find_rate(void)
{
    uint64_t hz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz > 0 ? hz : 1;
}

#else

static uint64_t find_rate(void)
{
    return 1000000000;
}

#endif

uint64_t dxt_probe_clock_rate(void)
{
    static atomic_uint_fast64_t known;
    uint_fast64_t rate = atomic_load_explicit(&known, memory_order_relaxed);
    if (rate != 0) return rate;
    /* Threads that come at the same time measure at the same time; the first result stands. */
    uint64_t found = find_rate();
    if (atomic_compare_exchange_strong(&known, &rate, found)) return found;
    return rate;
}
