/* SPDX-License-Identifier: Apache-2.0 */
#include "incident.h"

#include <deepxtrace/report.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE 512

/* The subject of a finding: findings with the same subject in later windows are one incident. */
static void subject_of(const dxt_finding *f, char *text, size_t size)
{
    const char *kind = dxt_finding_kind_name(f->kind);
    bool to = f->rank != DXT_NO_RANK, from = f->source != DXT_NO_RANK;
    /* Of paths with a common end or rail, some may be healthy in a window. */
    if (f->kind == DXT_SLOW_PATH && from && !to)
        snprintf(text, size, "%s from %" PRIu32, kind, f->source);
    else if (f->kind == DXT_SLOW_PATH && to && !from)
        snprintf(text, size, "%s to %" PRIu32, kind, f->rank);
    else if (f->kind == DXT_SLOW_PATH && f->rank_count > 0)
        snprintf(text, size, "%s rail of %" PRIu32, kind, f->ranks[0]);
    else if (f->kind == DXT_SLOW_PATH && to)
        snprintf(text, size, "%s %" PRIu32 ">%" PRIu32, kind, f->source, f->rank);
    else if (f->kind == DXT_SLOW_NODE_PATH)
        snprintf(text, size, "%s %d>%d", kind, f->source_node, f->node);
    else if (f->rank != DXT_NO_RANK)
        snprintf(text, size, "%s %" PRIu32, kind, f->rank);
    else if (f->node >= 0)
        snprintf(text, size, "%s node %d", kind, f->node);
    else
        snprintf(text, size, "%s", kind);
}

/* An early rank costs nothing. */
static bool counts(const dxt_finding *f)
{
    return f->kind != DXT_EARLY_RANK;
}

static uint64_t mask_of(const dxt_monitor_options *options)
{
    return (UINT64_C(1) << options->open_windows) - 1;
}

static void bind_or_null(query *q, bool known, int64_t value)
{
    if (known)
        query_int(q, value);
    else
        query_null(q);
}

/* Begin an incident with the first window that names its subject. */
static bool begin(recorder *r, const judged_window *w, const dxt_findings *findings, size_t index,
                  const char *subject, int64_t begin_ns)
{
    const dxt_finding *f = &findings->findings[index];
    const dxt_window *window = w->window;
    char id[64], text[SENTENCE];
    dxt_report_sentence(window, findings, index, text, sizeof text);
    snprintf(id, sizeof id, "%" PRId64 "-%" PRId64 "-%zu", r->file, w->ordinal, index);
    bool ranked = f->rank != DXT_NO_RANK && f->rank < window->ranks;
    const dxt_place *p = ranked && window->devices ? &window->devices[f->rank] : NULL;
    const char *host = p && p->host[0]           ? p->host
                       : ranked && window->hosts ? window->hosts[f->rank]
                                                 : NULL;
    query q = query_begin(
        r->s,
        "INSERT INTO incident (id, state, grp, operator, kind, subject, rank, source, node,"
        " source_node, host, gpu, uuid, begin_ns, first_window, last_window, seen, hits, length,"
        " share, lost_ns, severity, text)"
        " VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, NULL, 0, ?, ?)");
    query_text(&q, id);
    query_int(&q, r->group);
    query_text(&q, window->phase);
    query_text(&q, dxt_finding_kind_name(f->kind));
    query_text(&q, subject);
    bind_or_null(&q, f->rank != DXT_NO_RANK, f->rank);
    bind_or_null(&q, f->source != DXT_NO_RANK, f->source);
    bind_or_null(&q, f->node >= 0, f->node);
    bind_or_null(&q, f->source_node >= 0, f->source_node);
    query_text(&q, host);
    bind_or_null(&q, p && p->gpu >= 0, p ? p->gpu : 0);
    query_text(&q, p && p->uuid[0] ? p->uuid : NULL);
    query_int(&q, begin_ns);
    query_int(&q, window->index);
    query_int(&q, window->index);
    query_text(&q, dxt_severity_name(f->severity));
    query_text(&q, text);
    return query_do(&q);
}

/* The id of the subject's incident that is not closed; 0 = none. */
static bool find(recorder *r, const char *operator_name, const char *subject, int64_t *number)
{
    query q = query_begin(r->s, "SELECT number FROM incident WHERE grp = ? AND operator = ? AND"
                                " state < 2 AND subject = ?");
    query_int(&q, r->group);
    query_text(&q, operator_name);
    query_text(&q, subject);
    *number = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q);
}

/* Count a window that names an incident. `hits` has a bit for each window; bit 0 is the newest. */
static bool name(recorder *r, int64_t number, const dxt_finding *f, const dxt_window *w,
                 int64_t begin_ns, const char *text)
{
    double lost = isfinite(f->share) && w->elapsed_ns > 0 ? f->share * (double)w->elapsed_ns : 0;
    query q = query_begin(
        r->s,
        "UPDATE incident SET hits = hits | 1, seen = seen + 1, last_window = ?, end_ns = ?,"
        " share = coalesce(share, 0) + (coalesce(?, share, 0) - coalesce(share, 0)) / (seen + 1),"
        " lost_ns = lost_ns + ?, severity = ?, text = ? WHERE number = ?");
    query_int(&q, w->index);
    query_int(&q, begin_ns + (w->elapsed_ns > 0 ? w->elapsed_ns : 0));
    query_real(&q, f->share);
    query_int(&q, (int64_t)lost);
    query_text(&q, dxt_severity_name(f->severity));
    query_text(&q, text);
    query_int(&q, number);
    return query_do(&q);
}

static bool name_all(recorder *r, const judged_window *w, const dxt_findings *findings,
                     int64_t begin_ns)
{
    char subject[128], text[SENTENCE];
    for (size_t i = 0; i < findings->finding_count; i++) {
        const dxt_finding *f = &findings->findings[i];
        int64_t number;
        if (!counts(f)) continue;
        subject_of(f, subject, sizeof subject);
        if (!find(r, w->window->phase, subject, &number)) return false;
        if (number == 0 && (!begin(r, w, findings, i, subject, begin_ns) ||
                            !find(r, w->window->phase, subject, &number)))
            return false;
        dxt_report_sentence(w->window, findings, i, text, sizeof text);
        if (!name(r, number, f, w->window, begin_ns, text)) return false;
    }
    return true;
}

static bool set_state(recorder *r, int64_t number, int state)
{
    query q = query_begin(r->s, "UPDATE incident SET state = ? WHERE number = ?");
    query_int(&q, state);
    query_int(&q, number);
    return query_do(&q);
}

/* Keep the matrices around a beginning or an end. The newest ones are still there. */
static bool keep_matrices(recorder *r, const char *operator_name)
{
    query q = query_begin(r->s, "UPDATE matrix SET keep = keep | 4 WHERE window IN (SELECT id FROM"
                                " window WHERE grp = ? AND operator = ? ORDER BY id DESC LIMIT ?)");
    query_int(&q, r->group);
    query_text(&q, operator_name);
    query_int(&q, 2 * (int64_t)r->options->open_windows);
    return query_do(&q);
}

/* Count the incidents that opened; the count stays when they are forgotten. */
static bool count_opened(recorder *r, int64_t number)
{
    query q = query_begin(r->s, "INSERT INTO total SELECT 'opened ' || kind, grp, operator, 1 FROM"
                                " incident WHERE number = ? ON CONFLICT (name, grp, operator)"
                                " DO UPDATE SET value = value + 1");
    query_int(&q, number);
    return query_do(&q);
}

/* ---- messages ---- */

/* A message: one object with the event and the incident as the API shows it. */
#define BODY                                                                                       \
    "json_object('v', 1, 'event', ?1, 'incident', json_object('id', i.id, 'kind', i.kind, "        \
    "'group',"                                                                                     \
    " g.name, 'instance', g.instance, 'operator', i.operator, 'rank', i.rank, 'source', i.source," \
    " 'node', i.node, 'source_node', i.source_node, 'host', i.host, 'gpu', i.gpu, 'uuid', i.uuid," \
    " 'begin', strftime('%Y-%m-%dT%H:%M:%SZ', i.begin_ns / 1000000000, 'unixepoch'), 'end',"       \
    " CASE i.state WHEN 2 THEN strftime('%Y-%m-%dT%H:%M:%SZ', i.end_ns / 1000000000, 'unixepoch')" \
    " END, 'first_window', i.first_window, 'last_window', i.last_window, 'share', i.share,"        \
    " 'lost_s', i.lost_ns / 1e9, 'severity', i.severity, 'text', i.text))"

static bool queue_for(recorder *r, const char *channel, int64_t incident, const char *event)
{
    query q = query_begin(r->s, "INSERT INTO alert (channel, body) SELECT ?2, " BODY
                                " FROM incident i JOIN grp g ON g.id = i.grp WHERE i.number = ?3");
    query_text(&q, event);
    query_text(&q, channel);
    query_int(&q, incident);
    return query_do(&q);
}

/* Put a message for each channel into the queue. @p event is "opened" or "closed". */
static bool queue_alerts(recorder *r, int64_t incident, const char *event)
{
    if (r->options->webhook_file && !queue_for(r, "webhook", incident, event)) return false;
    return !r->options->command || queue_for(r, "exec", incident, event);
}

/* ---- opening and closing ---- */

static bool change(recorder *r, int64_t number, int state, const char *operator_name)
{
    if (state == INCIDENT_OPEN && !count_opened(r, number)) return false;
    return set_state(r, number, state) && keep_matrices(r, operator_name) &&
           queue_alerts(r, number, state == INCIDENT_OPEN ? "opened" : "closed");
}

static bool weigh(recorder *r, int64_t number, int state, uint64_t hits, int64_t length,
                  const char *operator_name)
{
    const dxt_monitor_options *o = r->options;
    uint32_t named = (uint32_t)__builtin_popcountll(hits & mask_of(o));
    uint32_t looked = length < o->open_windows ? (uint32_t)length : o->open_windows;
    if (state == INCIDENT_PENDING && named >= o->open_count)
        return change(r, number, INCIDENT_OPEN, operator_name);
    if (state == INCIDENT_OPEN && looked - named >= o->open_count)
        return change(r, number, INCIDENT_CLOSED, operator_name);
    if (state != INCIDENT_PENDING || named > 0) return true;
    query q = query_begin(r->s, "DELETE FROM incident WHERE number = ?");
    query_int(&q, number);
    return query_do(&q);
}

bool incident_count(recorder *r, const judged_window *w, const dxt_findings *findings,
                    int64_t begin_ns)
{
    const char *operator_name = w->window->phase;
    query q = query_begin(r->s, "UPDATE incident SET hits = (hits << 1) & ?, length = length + 1"
                                " WHERE grp = ? AND operator = ? AND state < 2");
    query_int(&q, (int64_t)mask_of(r->options));
    query_int(&q, r->group);
    query_text(&q, operator_name);
    if (!query_do(&q) || !name_all(r, w, findings, begin_ns)) return false;

    bool well = true;
    q = query_begin(r->s, "SELECT number, state, hits, length FROM incident WHERE grp = ? AND"
                          " operator = ? AND state < 2 ORDER BY number");
    query_int(&q, r->group);
    query_text(&q, operator_name);
    while (well && query_row(&q))
        well = weigh(r, query_get_int(&q, 0), (int)query_get_int(&q, 1),
                     (uint64_t)query_get_int(&q, 2), query_get_int(&q, 3), operator_name);
    return query_end(&q) && well;
}
