/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <deepxtrace/report.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "bytes.h"
#include "digest.h"
#include "incident.h"

/* Matrices are kept of this many newest windows of an operator, and of one in this many. */
#define NEWEST 20
#define SAMPLED 50

static bool no_memory(recorder *r)
{
    snprintf(r->s->why, sizeof r->s->why, "out of memory");
    return false;
}

/* ---- groups and places ---- */

/* The name that people know: the process group, or else the file. */
static const char *name_of(const recorder *r, const dxt_window *w)
{
    return w->group && w->group[0] ? w->group : r->file_name;
}

static bool find_group(recorder *r, const dxt_window *w, int64_t *id)
{
    const char *instance = w->instance ? w->instance : "";
    query q =
        query_begin(r->s, "INSERT INTO grp (name, instance, ranks, recorded) VALUES (?, ?, ?, ?)"
                          " ON CONFLICT (name, instance, ranks) DO UPDATE"
                          " SET recorded = max(recorded, excluded.recorded)");
    query_text(&q, name_of(r, w));
    query_text(&q, instance);
    query_int(&q, w->ranks);
    query_int(&q, r->recording);
    if (!query_do(&q)) return false;
    q = query_begin(r->s, "SELECT id FROM grp WHERE name = ? AND instance = ? AND ranks = ?");
    query_text(&q, name_of(r, w));
    query_text(&q, instance);
    query_int(&q, w->ranks);
    *id = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q) && *id != 0;
}

static bool store_places(recorder *r, const dxt_window *w)
{
    if (!w->devices && !w->hosts && !w->nodes) return true;
    for (uint32_t rank = 0; rank < w->ranks; rank++) {
        const dxt_place *p = w->devices ? &w->devices[rank] : NULL;
        const char *host = p && p->host[0] ? p->host : w->hosts ? w->hosts[rank] : NULL;
        query q =
            query_begin(r->s, "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        query_int(&q, r->group);
        query_int(&q, rank);
        query_text(&q, host);
        if (p && p->gpu >= 0)
            query_int(&q, p->gpu);
        else
            query_null(&q);
        query_text(&q, p && p->uuid[0] ? p->uuid : NULL);
        query_text(&q, p && p->pci[0] ? p->pci : NULL);
        if (p && p->pid > 0)
            query_int(&q, p->pid);
        else
            query_null(&q);
        if (p && p->rank >= 0)
            query_int(&q, p->rank);
        else
            query_null(&q);
        if (w->nodes)
            query_int(&q, w->nodes[rank]);
        else
            query_null(&q);
        if (!query_do(&q)) return false;
    }
    return true;
}

/* ---- matrices ---- */

static bool store_matrix(recorder *r, const digest *d, int keep_for)
{
    query q = query_begin(r->s, "INSERT INTO matrix VALUES (?, ?, ?, ?)");
    query_int(&q, r->window);
    query_int(&q, keep_for);
    query_int(&q, d->coding);
    query_blob(&q, d->cells, d->size);
    return query_do(&q);
}

/* Delete a matrix that is no longer among the newest, unless it is kept for another reason. */
static bool thin_out(recorder *r, const char *operator_name)
{
    query q = query_begin(
        r->s, "DELETE FROM matrix WHERE keep = 1 AND window < (SELECT min(id) FROM (SELECT id FROM"
              " window WHERE grp = ?1 AND operator = ?2 ORDER BY id DESC LIMIT ?3)) AND window IN"
              " (SELECT id FROM window WHERE grp = ?1 AND operator = ?2 ORDER BY id DESC LIMIT ?3"
              " OFFSET ?3)");
    query_int(&q, r->group);
    query_text(&q, operator_name);
    query_int(&q, NEWEST);
    return query_do(&q);
}

/* ---- the window ---- */

static bool is_stored(recorder *r, int64_t ordinal, bool *stored)
{
    query q = query_begin(r->s, "SELECT 1 FROM window WHERE file = ? AND ordinal = ?");
    query_int(&q, r->file);
    query_int(&q, ordinal);
    *stored = query_row(&q);
    return query_end(&q);
}

static double largest_share(const dxt_findings *findings)
{
    double share = findings->finding_count ? NAN : 0;
    for (size_t i = 0; i < findings->finding_count; i++)
        share = fmax(share, findings->findings[i].share);
    return share;
}

static bool insert_window(recorder *r, const judged_window *w, const dxt_findings *findings,
                          const float *sums, int64_t begin_ns, bool read_time)
{
    bytes diagnosis = {0};
    dxt_status status = dxt_report_json(w->window, findings, bytes_append, &diagnosis);
    if (status != DXT_OK) {
        free(diagnosis.data);
        return no_memory(r);
    }
    query q = query_begin(
        r->s, "INSERT INTO window (file, ordinal, grp, operator, number, begin_ns, begin_read,"
              " elapsed_ns, verdict, share, findings, diagnosis, measure, sums)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&q, r->file);
    query_int(&q, w->ordinal);
    query_int(&q, r->group);
    query_text(&q, w->window->phase);
    if (w->window->index >= 0)
        query_int(&q, w->window->index);
    else
        query_null(&q);
    query_int(&q, begin_ns);
    query_int(&q, read_time);
    if (w->window->elapsed_ns > 0)
        query_int(&q, w->window->elapsed_ns);
    else
        query_null(&q);
    query_text(&q, dxt_verdict_name(findings->verdict));
    query_real(&q, largest_share(findings));
    query_int(&q, (int64_t)findings->finding_count);
    query_text(&q, diagnosis.data);
    query_int(&q, findings->measure);
    query_blob(&q, sums, 3 * (size_t)w->window->ranks * sizeof *sums);
    bool well = query_do(&q);
    r->window = sqlite3_last_insert_rowid(r->s->db);
    free(diagnosis.data);
    return well;
}

static bool add_total(recorder *r, const char *name, const char *operator_name, int64_t amount)
{
    query q = query_begin(r->s, "INSERT INTO total VALUES (?, ?, ?, ?)"
                                " ON CONFLICT (name, grp, operator) DO UPDATE"
                                " SET value = value + excluded.value");
    query_text(&q, name);
    query_int(&q, r->group);
    query_text(&q, operator_name);
    query_int(&q, amount);
    return query_do(&q);
}

static bool count_totals(recorder *r, const dxt_window *w, const dxt_findings *findings,
                         int64_t begin_ns, int64_t *number)
{
    for (size_t i = 0; i < findings->finding_count; i++) {
        const char *kind = dxt_finding_kind_name(findings->findings[i].kind);
        if (!add_total(r, kind, w->phase, 1)) return false;
    }
    if (!add_total(r, "windows", w->phase, 1)) return false;
    query q = query_begin(r->s, "UPDATE grp SET windows = windows + 1, last_ns = ?1,"
                                " first_ns = coalesce(first_ns, ?1) WHERE id = ?2");
    query_int(&q, begin_ns);
    query_int(&q, r->group);
    if (!query_do(&q)) return false;
    q = query_begin(r->s,
                    "SELECT value FROM total WHERE name = 'windows' AND grp = ? AND operator = ?");
    query_int(&q, r->group);
    query_text(&q, w->phase);
    *number = query_row(&q) ? query_get_int(&q, 0) : 1;
    return query_end(&q);
}

static bool store_window(recorder *r, const judged_window *w, const dxt_findings *findings,
                         const digest *d, int64_t begin_ns, bool read_time)
{
    int64_t number = 1;
    if (!find_group(r, w->window, &r->group)) return false;
    if (!insert_window(r, w, findings, d->sums, begin_ns, read_time)) return false;
    if (!count_totals(r, w->window, findings, begin_ns, &number)) return false;
    if (number == 1 && !store_places(r, w->window)) return false;
    int keep_for = KEEP_NEW | (number % SAMPLED == 1 ? KEEP_SAMPLE : 0);
    return store_matrix(r, d, keep_for) && incident_count(r, w, findings, begin_ns) &&
           thin_out(r, w->window->phase);
}

bool record_window(void *context, const judged_window *w, const dxt_findings *findings)
{
    recorder *r = context;
    bool stored = w->ordinal < r->stored;
    if (!stored && !is_stored(r, w->ordinal, &stored)) return false;
    if (stored) return true;
    int64_t begin_ns = r->now_ns;
    bool known = dxt_parse_time(w->window->begin, &begin_ns);
    if (r->options->keep_ns > 0 && begin_ns < r->now_ns - r->options->keep_ns) {
        r->old++;
        return true;
    }
    digest d;
    bool well = digest_make(&d, w->window, findings)
                    ? store_window(r, w, findings, &d, begin_ns, !known)
                    : no_memory(r);
    digest_free(&d);
    if (!well) return false;
    r->windows++;
    r->changed = true;
    return true;
}

/* ---- retention ---- */

static int64_t store_bytes(recorder *r)
{
    query q = query_begin(r->s, "SELECT (page_count - freelist_count) * page_size FROM"
                                " pragma_page_count, pragma_freelist_count, pragma_page_size");
    int64_t used = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q) ? used : 0;
}

static bool forget_before(recorder *r, const char *sql, int64_t limit)
{
    query q = query_begin(r->s, sql);
    query_int(&q, limit);
    return query_do(&q);
}

bool record_forget(recorder *r)
{
    bool well = true;
    if (r->options->keep_ns > 0) {
        int64_t limit = r->now_ns - r->options->keep_ns;
        well = forget_before(r, "DELETE FROM window WHERE begin_ns < ?", limit) &&
               forget_before(r, "DELETE FROM incident WHERE state = 2 AND end_ns < ?", limit);
    }
    /* Delete the oldest tenth at a time, until the rest fits. */
    for (int i = 0; well && r->options->keep_bytes > 0 && i < 100; i++) {
        if (store_bytes(r) <= r->options->keep_bytes) break;
        query q = query_begin(r->s, "DELETE FROM window WHERE id <= (SELECT min(id) +"
                                    " (max(id) - min(id)) / 10 FROM window)");
        well = query_do(&q);
        if (sqlite3_changes(r->s->db) == 0) break;
    }
    well =
        well && store_run(r->s, "DELETE FROM grp WHERE NOT EXISTS (SELECT 1 FROM window WHERE grp"
                                " = grp.id) AND NOT EXISTS (SELECT 1 FROM incident WHERE grp ="
                                " grp.id AND state > 0)");
    return well && store_run(r->s, "PRAGMA incremental_vacuum(1000)");
}
