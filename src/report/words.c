/* SPDX-License-Identifier: Apache-2.0 */
#include "report/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The longest name that is shown, in bytes, and the most ranges of ranks that are listed. */
#define NAME_SIZE 64
#define STRETCHES 8

size_t dxt_words_character(const char *string)
{
    size_t size;
    uint32_t code = dxt_utf8_decode(string, SIZE_MAX, &size);
    return dxt_is_unprintable(code) ? 0 : size;
}

void dxt_words_name(dxt_text *text, const char *name)
{
    for (const char *at = name; *at;) {
        if (at - name >= NAME_SIZE) {
            dxt_text_puts(text, "…");
            return;
        }
        size_t length = dxt_words_character(at);
        if (length)
            dxt_text_append(text, at, length);
        else
            dxt_text_puts(text, "?");
        at += length ? length : 1;
    }
}

void dxt_words_rank(dxt_text *text, const dxt_window *window, uint32_t rank)
{
    dxt_text_printf(text, "rank %u", rank);
    if (rank >= window->ranks) return;
    const dxt_place *place = window->devices ? &window->devices[rank] : NULL;
    const char *host = window->hosts ? window->hosts[rank] : NULL;
    if (place && place->host[0]) host = place->host;
    dxt_words_place(text, host, place ? place->gpu : -1);
}

void dxt_words_place(dxt_text *text, const char *host, int64_t gpu)
{
    bool on_gpu = gpu >= 0;
    if (host && !host[0]) host = NULL;
    if (host) {
        dxt_text_puts(text, " (host ");
        dxt_words_name(text, host);
    }
    if (on_gpu) dxt_text_printf(text, "%sGPU %" PRId64, host ? ", " : " (", gpu);
    if (host || on_gpu) dxt_text_puts(text, ")");
}

void dxt_words_time(dxt_text *text, const char *time)
{
    int64_t ns;
    char local[DXT_LOCAL_SIZE];
    if (dxt_parse_time(time, &ns))
        dxt_text_puts(text, dxt_format_local(ns, local));
    else
        dxt_words_name(text, time);
}

void dxt_words_figure(dxt_text *text, double value)
{
    static const struct {
        double factor;
        const char *suffix;
    } scale[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    size_t i = 0;
    while (i < 4 && fabs(value) / scale[i].factor < 0.9995) i++;
    double scaled = value / scale[i].factor;
    int digits = fabs(scaled) >= 99.95 || (i == 4 && scaled == floor(scaled)) ? 0 : 1;
    dxt_text_printf(text, "%.*f%s", digits, scaled, scale[i].suffix);
}

const char *dxt_words_per(dxt_measure measure)
{
    return measure == DXT_MEASURE_NS_PER_OP || measure == DXT_MEASURE_CYCLES_PER_OP
               ? "per operation"
               : "in the window";
}

void dxt_words_amount(dxt_text *text, dxt_measure measure, double wait)
{
    char buffer[48];
    if (measure == DXT_MEASURE_NS_PER_OP || measure == DXT_MEASURE_NS) {
        dxt_text_puts(text, dxt_format_ns(wait, buffer, sizeof buffer));
    } else {
        dxt_words_figure(text, wait);
        dxt_text_puts(text, " cycles");
    }
}

void dxt_words_wait(dxt_text *text, dxt_measure measure, double wait)
{
    dxt_words_amount(text, measure, wait);
    dxt_text_printf(text, " %s", dxt_words_per(measure));
}

void dxt_words_share(dxt_text *text, const char *lead, double share)
{
    if (!isfinite(share)) return;
    double percent = share * 100;
    if (percent < 0.1)
        dxt_text_printf(text, "%sless than 0.1 %% of the step", lead);
    else
        dxt_text_printf(text, "%s%.*f %% of the step", lead, percent < 9.95 ? 1 : 0, percent);
}

void dxt_words_ranks(dxt_text *text, const uint32_t *ranks, size_t count)
{
    dxt_text_puts(text, count == 1 ? "rank " : "ranks ");
    size_t shown = 0;
    for (size_t i = 0; i < count; shown++) {
        size_t end = i;
        while (end + 1 < count && ranks[end + 1] == ranks[end] + 1) end++;
        if (end == i + 1) end = i; /* two in a row read better apart */
        if (shown) dxt_text_puts(text, ", ");
        if (shown == STRETCHES) {
            dxt_text_puts(text, "…");
            return;
        }
        dxt_text_printf(text, "%u", ranks[i]);
        if (end > i) dxt_text_printf(text, "–%u", ranks[end]);
        i = end + 1;
    }
}
