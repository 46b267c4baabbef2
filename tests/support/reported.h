/* SPDX-License-Identifier: Apache-2.0 */
/* Short words for the tests of reports: a window, findings about it, and what is said of them. */
#ifndef DXT_TESTS_REPORTED_H
#define DXT_TESTS_REPORTED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <deepxtrace/report.h>

/* ---- a window of 16 ranks whose every wait is 1000 ns per operation ---- */

static inline dxt_window *make_window(uint32_t ranks)
{
    dxt_window *window;
    assert_int_equal(dxt_window_create(ranks, "dispatch", &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    window->samples_each = 10;
    window->index = 3;
    for (size_t i = 0; i < (size_t)ranks * ranks; i++) window->wait[i] = 10000;
    return window;
}

static inline void set_column(dxt_window *window, uint32_t column, int64_t wait)
{
    for (uint32_t i = 0; i < window->ranks; i++)
        if (i != column) window->wait[(size_t)i * window->ranks + column] = wait;
}

static const uint32_t node_ranks[] = {8, 9, 10, 11, 12, 13, 14, 15};

static inline dxt_finding make_finding(dxt_finding_kind kind)
{
    return (dxt_finding){.kind = kind,
                         .rank = 2,
                         .source = DXT_NO_RANK,
                         .node = -1,
                         .source_node = -1,
                         .wait = 1.03e6,
                         .share = 0.38,
                         .severity = DXT_SEVERITY_CRITICAL,
                         .confidence = 0.987};
}

static inline dxt_findings make_findings(const dxt_finding *list, size_t count)
{
    return (dxt_findings){.struct_size = sizeof(dxt_findings),
                          .ranks = 16,
                          .method = DXT_METHOD_ROBUST,
                          .measure = DXT_MEASURE_NS_PER_OP,
                          .verdict = DXT_VERDICT_SLOW,
                          .findings = list,
                          .finding_count = count};
}

static inline void expect_sentence(const dxt_window *window, const dxt_finding *finding,
                                   dxt_measure measure, const char *expected)
{
    char buffer[512];
    dxt_findings findings = make_findings(finding, 1);
    findings.ranks = window->ranks;
    findings.measure = measure;
    size_t length = dxt_report_sentence(window, &findings, 0, buffer, sizeof buffer);
    assert_string_equal(buffer, expected);
    assert_int_equal(length, strlen(expected));
}

static char out[65536];
static size_t out_size;

static inline dxt_status collect(void *context, const void *data, size_t size)
{
    (void)context;
    assert_true(out_size + size < sizeof out);
    memcpy(out + out_size, data, size);
    out_size += size;
    out[out_size] = '\0';
    return DXT_OK;
}

static inline json_t *report_json(const dxt_window *window, const dxt_findings *findings)
{
    json_error_t error;
    out_size = 0;
    assert_int_equal(dxt_report_json(window, findings, collect, NULL), DXT_OK);
    assert_int_equal(out[out_size - 1], '\n');
    assert_ptr_equal(strchr(out, '\n'), out + out_size - 1);
    json_t *root = json_loads(out, 0, &error);
    assert_non_null(root);
    return root;
}

#endif
