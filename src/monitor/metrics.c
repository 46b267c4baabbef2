/* SPDX-License-Identifier: Apache-2.0 */
/* What Prometheus reads. The number of series is bounded: of a large group the worst ranks only. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

#include "serve.h"

/* Up to this many ranks all have series; of larger groups, this many of the latest ranks. */
#define ALL_RANKS 128u
#define WORST_RANKS 32u
/* Most bytes of a label's value; longer ones are cut. */
#define LONGEST_LABEL 256u
/* Most groups with series: those with the newest windows, one for each name and instance. And the
 * most rows of a metric. */
#define RECENT                                                                                     \
    "(SELECT id FROM (SELECT id, max(last_ns) AS newest FROM grp WHERE last_ns IS NOT NULL GROUP " \
    "BY"                                                                                           \
    " name, instance ORDER BY newest DESC, id DESC LIMIT 64))"
#define MOST_ROWS " LIMIT 1024"
/* The newest window of each of their operators. */
#define NEWEST                                                                                    \
    "(SELECT (SELECT max(id) FROM window WHERE grp = t.grp AND operator = t.operator) FROM total" \
    " t WHERE t.name = 'windows' AND t.grp IN " RECENT " LIMIT 256)"

typedef struct page {
    char *text;
    size_t size;
    FILE *out;
    store *s;
    bool openmetrics;
    char labels[8192]; /* those of --label, each followed by a comma */
} page;

static void put_escaped(FILE *out, const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (value[i] == '\\' || value[i] == '"') fputc('\\', out);
        if (value[i] == '\n')
            fputs("\\n", out);
        else
            fputc(value[i], out);
    }
}

/* Shorten a long name from a recording to its beginning and a number, which differs for names that
 * begin alike. */
static void put_label(page *p, const char *name, const char *value, bool first)
{
    size_t length = strlen(value), kept = length;
    uint32_t hash = 2166136261u;
    fprintf(p->out, "%s%s=\"", first ? "" : ",", name);
    if (length > LONGEST_LABEL) {
        for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)value[i]) * 16777619u;
        kept = LONGEST_LABEL;
        while (kept > 0 && ((unsigned char)value[kept] & 0xc0) == 0x80) kept--;
    }
    put_escaped(p->out, value, kept);
    if (kept < length) fprintf(p->out, "~%08" PRIx32, hash);
    fputc('"', p->out);
}

static void head(page *p, const char *name, const char *type, const char *help)
{
    size_t length = strlen(name);
    /* OpenMetrics names a family of counters without "_total". */
    bool total = p->openmetrics && length > 6 && strcmp(name + length - 6, "_total") == 0;
    int shown = (int)(total ? length - 6 : length);
    fprintf(p->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", shown, name, help, shown, name, type);
}

/* ---- one sample per row of a query: columns are labels up to the last, which is the value ---- */

static bool put_rows(page *p, const char *name, const char *type, const char *help, const char *sql)
{
    query q = query_begin(p->s, sql);
    bool any = false;
    while (query_row(&q)) {
        int columns = sqlite3_column_count(q.stmt);
        if (query_is_null(&q, columns - 1)) continue;
        if (!any) head(p, name, type, help);
        any = true;
        fprintf(p->out, "%s{%s", name, p->labels);
        bool first = true;
        for (int c = 0; c + 1 < columns; c++) {
            if (query_is_null(&q, c)) continue;
            put_label(p, sqlite3_column_name(q.stmt, c), query_get_text(&q, c), first);
            first = false;
        }
        fprintf(p->out, "} %.17g\n", query_get_real(&q, columns - 1));
    }
    return query_end(&q);
}

/* ---- ranks ---- */

struct ranked {
    uint32_t rank;
    float value;
};

static int later_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return x->rank < y->rank ? -1 : 1;
}

static void put_place(page *p, int64_t group, uint32_t rank)
{
    query q = query_begin(p->s, "SELECT host, gpu, uuid FROM place WHERE grp = ? AND rank = ?");
    query_int(&q, group);
    query_int(&q, rank);
    if (query_row(&q)) {
        if (!query_is_null(&q, 0)) put_label(p, "hostname", query_get_text(&q, 0), false);
        if (!query_is_null(&q, 1)) put_label(p, "gpu", query_get_text(&q, 1), false);
        if (!query_is_null(&q, 2)) put_label(p, "UUID", query_get_text(&q, 2), false);
    }
    query_end(&q);
}

/* Part `which` of the sums, in seconds: 0 lateness, 1 mean of the row, 2 mean of the column. */
static bool put_ranks(page *p, const char *name, const char *help, int which)
{
    query q = query_begin(
        p->s,
        "SELECT g.id, g.name, g.instance, w.operator, w.sums, g.ranks FROM window w JOIN grp g ON"
        " g.id = w.grp WHERE w.measure = 0 AND w.id IN " NEWEST " ORDER BY w.id DESC");
    bool any = false;
    while (query_row(&q)) {
        uint32_t ranks = (uint32_t)query_get_int(&q, 5);
        const float *sums = sqlite3_column_blob(q.stmt, 4);
        if (!sums || (size_t)sqlite3_column_bytes(q.stmt, 4) != 3 * (size_t)ranks * sizeof *sums)
            continue;
        struct ranked *order = malloc(ranks * sizeof *order);
        uint32_t count = 0;
        if (!order) {
            query_end(&q);
            snprintf(p->s->why, sizeof p->s->why, "out of memory");
            return false;
        }
        for (uint32_t r = 0; r < ranks; r++) {
            float value;
            memcpy(&value, sums + (size_t)which * ranks + r, sizeof value);
            if (isfinite(value)) order[count++] = (struct ranked){r, value};
        }
        if (count > 0) qsort(order, count, sizeof *order, later_first);
        if (ranks > ALL_RANKS && count > WORST_RANKS) count = WORST_RANKS;
        if (!any && count > 0) head(p, name, "gauge", help);
        any = any || count > 0;
        for (uint32_t i = 0; i < count; i++) {
            char rank[16];
            snprintf(rank, sizeof rank, "%u", order[i].rank);
            fprintf(p->out, "%s{%s", name, p->labels);
            put_label(p, "group", query_get_text(&q, 1), true);
            put_label(p, "instance_id", query_get_text(&q, 2), false);
            put_label(p, "operator", query_get_text(&q, 3), false);
            put_label(p, "rank", rank, false);
            put_place(p, query_get_int(&q, 0), order[i].rank);
            fprintf(p->out, "} %.9g\n", (double)order[i].value * 1e-9);
        }
        free(order);
    }
    return query_end(&q);
}

/* ---- all ---- */

static bool put_groups(page *p, int64_t now_ns)
{
    char age[512];
    snprintf(
        age, sizeof age,
        "SELECT name AS 'group', instance AS instance_id, max(0, (%lld - last_ns) / 1e9) FROM grp"
        " WHERE id IN " RECENT,
        (long long)now_ns);
    return put_rows(
               p, "deepxtrace_windows_total", "counter", "Windows that were judged.",
               "SELECT g.name AS 'group', g.instance AS instance_id, operator, value FROM"
               " total t JOIN grp g ON g.id = t.grp WHERE t.name = 'windows' AND g.id IN " RECENT
                   MOST_ROWS) &&
           put_rows(p, "deepxtrace_findings_total", "counter",
                    "Findings, by kind; a finding counts once in each window that has it.",
                    "SELECT g.name AS 'group', g.instance AS instance_id, operator, t.name AS kind,"
                    " value FROM total t JOIN grp g ON g.id = t.grp WHERE t.name <> 'windows' AND"
                    " t.name NOT LIKE 'opened %' AND"
                    " g.id IN " RECENT MOST_ROWS) &&
           put_rows(p, "deepxtrace_newest_window_age_seconds", "gauge",
                    "Time since the newest window began.", age) &&
           put_rows(p, "deepxtrace_group_ranks", "gauge", "Ranks of the group.",
                    "SELECT name AS 'group', instance AS instance_id, ranks FROM grp WHERE id "
                    "IN " RECENT) &&
           put_rows(
               p, "deepxtrace_share_lost_ratio", "gauge",
               "Share of the step that the most expensive finding of the newest window costs.",
               "SELECT g.name AS 'group', g.instance AS instance_id, operator, coalesce(share, 0)"
               " FROM window w JOIN grp g ON g.id = w.grp WHERE w.id IN " NEWEST) &&
           put_rows(p, "deepxtrace_silent_ranks", "gauge",
                    "Ranks without counters, or that take no part, in the newest window.",
                    "SELECT g.name AS 'group', g.instance AS instance_id, operator,"
                    " (SELECT count(*) FROM json_each(w.diagnosis, '$.findings') f WHERE"
                    " json_extract(f.value, '$.kind') = 'silent_rank') FROM window w JOIN grp g ON"
                    " g.id = w.grp WHERE w.id IN " NEWEST);
}

static bool put_incidents(page *p)
{
    /* Incidents with the same labels are one series. */
    static const char *const open =
        "SELECT g.name AS 'group', g.instance AS instance_id, operator, kind, rank, source, node,"
        " host AS hostname, gpu, uuid AS 'UUID', severity, %s FROM incident i JOIN grp g ON g.id ="
        " i.grp WHERE state = 1 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ORDER BY max(number)"
        " DESC LIMIT 100";
    char sql[512];
    snprintf(sql, sizeof sql, open, "1");
    if (!put_rows(p, "deepxtrace_incident_open", "gauge", "1 while an incident is open.", sql))
        return false;
    snprintf(sql, sizeof sql, open, "max(share)");
    if (!put_rows(p, "deepxtrace_incident_share_ratio", "gauge",
                  "Share of the step that an open incident costs, on average so far.", sql))
        return false;
    return put_rows(p, "deepxtrace_incidents_total", "counter", "Incidents that opened, by kind.",
                    "SELECT g.name AS 'group', g.instance AS instance_id, operator,"
                    " substr(t.name, 8) AS kind, value FROM total t JOIN grp g ON g.id = t.grp"
                    " WHERE t.name LIKE 'opened %' AND g.id IN " RECENT MOST_ROWS);
}

static bool fill(page *p, int64_t now_ns)
{
    head(p, "deepxtrace_build_info", "gauge", "Version of deepxtrace; always 1.");
    fprintf(p->out, "deepxtrace_build_info{%sversion=\"%s\"} 1\n", p->labels, dxt_version());
    bool well =
        put_groups(p, now_ns) &&
        put_ranks(p, "deepxtrace_lateness_seconds",
                  "How much later than ordinary ranks a rank arrives, per operation; negative is"
                  " early. Newest window.",
                  0) &&
        put_ranks(p, "deepxtrace_rank_wait_seconds",
                  "Mean time that a rank waits for another, per operation. Newest window.", 1) &&
        put_ranks(p, "deepxtrace_wait_for_rank_seconds",
                  "Mean time that the others wait for a rank, per operation. Newest window.", 2) &&
        put_incidents(p) &&
        put_rows(p, "deepxtrace_files_bad_lines_total", "counter",
                 "Lines and windows of followed files that could not be read.",
                 "SELECT path AS file, bad FROM file WHERE bad > 0 ORDER BY id DESC LIMIT 100");
    if (p->openmetrics) fputs("# EOF\n", p->out);
    return well;
}

char *metrics_text(store *s, const dxt_monitor_options *options, bool openmetrics, int64_t now_ns)
{
    page p = {.s = s, .openmetrics = openmetrics};
    size_t used = 0;
    for (size_t i = 0; i < options->label_count; i++) {
        const char *equals = strchr(options->labels[i], '=');
        int length = snprintf(p.labels + used, sizeof p.labels - used, "%.*s=\"%s\",",
                              (int)(equals - options->labels[i]), options->labels[i], equals + 1);
        if (length < 0 || (size_t)length >= sizeof p.labels - used) break;
        used += (size_t)length;
    }
    p.labels[used] = '\0';
    p.out = open_memstream(&p.text, &p.size);
    if (!p.out) {
        snprintf(s->why, sizeof s->why, "out of memory");
        return NULL;
    }
    /* One transaction: all samples show the same state of the store. */
    bool well = store_run(s, "BEGIN") && fill(&p, now_ns);
    store_run(s, "COMMIT");
    if (fclose(p.out) != 0) well = false;
    if (well) return p.text;
    free(p.text);
    return NULL;
}

/* Create a new file; remove whatever has its name, even somebody else's link. */
static FILE *create(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT) return NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && !out) close(fd);
    return out;
}

bool metrics_write(store *s, const dxt_monitor_options *options, int64_t now_ns)
{
    char *temporary = NULL, *text = metrics_text(s, options, false, now_ns);
    if (!text) return false;
    bool well = asprintf(&temporary, "%s.tmp", options->metrics_file) >= 0;
    if (!well) temporary = NULL;
    FILE *out = well ? create(temporary) : NULL;
    struct stat there;
    /* Give it the permissions of the file that it replaces. */
    if (out && stat(options->metrics_file, &there) == 0) fchmod(fileno(out), there.st_mode & 0777);
    well = out && fputs(text, out) >= 0;
    if (out && fclose(out) != 0) well = false;
    well = well && rename(temporary, options->metrics_file) == 0;
    if (!well) snprintf(s->why, sizeof s->why, "%s", strerror(errno));
    if (!well && out) unlink(temporary);
    free(temporary);
    free(text);
    return well;
}
