/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for the page at / besides the lists: windows with their findings, cells, and the ranks
 * over time. docs/monitoring.md describes them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/page.h>
#include <deepxtrace/report.h>

#include "api.h"
#include "bytes.h"
#include "http.h"

/* Most windows of an operator in an answer. */
#define MOST_WINDOWS 512
/* Lateness as a byte: 0 = no row, 1 = not late, else 2^((byte − 2) / LATE_STEPS) in the measure. */
#define LATE_STEPS 8.0

/* ---- the page ---- */

enum MHD_Result http_send_start(struct MHD_Connection *connection)
{
    char *about = NULL, *policy = NULL;
    bytes page = {0};
    if (asprintf(&about, "{\"title\":\"DeepXTrace\",\"advice\":%s}", dxt_report_advice_json()) < 0)
        return MHD_NO;
    dxt_status status = dxt_page_live(about, bytes_append, &page);
    free(about);
    if (status != DXT_OK || asprintf(&policy, "%s; connect-src 'self'; frame-ancestors 'none'",
                                     dxt_page_policy()) < 0) {
        free(page.data);
        return MHD_NO;
    }
    enum MHD_Result result = http_answer_bytes(connection, 200, "text/html; charset=utf-8",
                                               page.data, page.size, policy);
    free(policy);
    return result;
}

/* ---- windows ---- */

/* Parameters: 1 group, 2 operator, 3 after, 4 limit. */
static const char windows_sql[] =
    "SELECT json_object('v', 1, 'windows', json_group_array(json(entry))) FROM"
    " (SELECT json_object('id', id, 'window', number, 'begin',"
    " strftime('%Y-%m-%dT%H:%M:%S', begin_ns / 1000000000, 'unixepoch') ||"
    " printf('.%03dZ', begin_ns / 1000000 % 1000), 'elapsed_ns', elapsed_ns, 'measure', measure,"
    " 'coding', coding, 'diagnosis', json_object('verdict', verdict, 'findings',"
    " json_extract(diagnosis, '$.findings'), 'explained',"
    " json_extract(diagnosis, '$.explained'))) AS entry FROM"
    " (SELECT w.*, m.coding FROM window w LEFT JOIN matrix m ON m.window = w.id"
    " WHERE w.grp = ?1 AND w.operator = ?2 AND w.id > ?3 ORDER BY w.id DESC LIMIT ?4)"
    " ORDER BY id)";

/* A request: a group, an operator, and windows behind one. */
struct asked {
    int64_t group, after;
    const char *operator_name;
};

static bool read_asked(struct MHD_Connection *connection, struct asked *asked)
{
    asked->operator_name = http_argument(connection, "operator");
    return asked->operator_name &&
           http_number(connection, "group", -1, 0, INT64_MAX, &asked->group) && asked->group >= 0 &&
           http_number(connection, "after", 0, 0, INT64_MAX, &asked->after);
}

static query begin_query(store *reader, const char *sql, const struct asked *asked)
{
    query q = query_begin(reader, sql);
    query_int(&q, asked->group);
    query_text(&q, asked->operator_name);
    query_int(&q, asked->after);
    query_int(&q, MOST_WINDOWS);
    return q;
}

enum MHD_Result http_send_view(server *s, struct MHD_Connection *connection)
{
    struct asked asked;
    store reader;
    char *text = NULL;
    if (!read_asked(connection, &asked))
        return http_fail(connection, 400, "group (an id) and operator are needed");
    if (http_open_store(s, &reader)) {
        query q = begin_query(&reader, windows_sql, &asked);
        if (query_row(&q)) text = strdup(query_get_text(&q, 0));
        if (!query_end(&q)) free(text), text = NULL;
    }
    http_close_store(s, &reader);
    return text ? http_answer(connection, 200, "application/json", text, NULL, NULL)
                : http_fail(connection, 503, "the store cannot be read");
}

/* ---- the ranks over time ---- */

static unsigned char late_code(float value)
{
    if (isnan(value)) return 0;
    if (!(value > 0)) return 1;
    double step = rint(log2(value) * LATE_STEPS);
    return (unsigned char)(step < 0 ? 2 : step > 253 ? 255 : 2 + step);
}

static const char sums_sql[] =
    "SELECT sums FROM (SELECT id, sums FROM window WHERE grp = ?1 AND operator = ?2 AND id > ?3"
    " ORDER BY id DESC LIMIT ?4) ORDER BY id";

/* A row for each window, a byte for each rank. */
static bool append_lateness(bytes *out, query *q)
{
    const unsigned char *sums = sqlite3_column_blob(q->stmt, 0);
    size_t ranks = (size_t)sqlite3_column_bytes(q->stmt, 0) / (3 * sizeof(float));
    unsigned char row[DXT_MAX_RANKS];
    if (ranks > DXT_MAX_RANKS) return false;
    for (size_t rank = 0; rank < ranks; rank++) {
        float value;
        memcpy(&value, sums + rank * sizeof value, sizeof value);
        row[rank] = late_code(value);
    }
    return bytes_append(out, row, ranks) == DXT_OK;
}

enum MHD_Result http_send_lateness(server *s, struct MHD_Connection *connection)
{
    struct asked asked;
    store reader;
    bytes out = {0};
    if (!read_asked(connection, &asked))
        return http_fail(connection, 400, "group (an id) and operator are needed");
    bool well = http_open_store(s, &reader);
    if (well) {
        query q = begin_query(&reader, sums_sql, &asked);
        while (well && query_row(&q)) well = append_lateness(&out, &q);
        well = query_end(&q) && well;
    }
    http_close_store(s, &reader);
    if (well)
        return http_answer_bytes(connection, 200, "application/octet-stream", out.data, out.size,
                                 NULL);
    free(out.data);
    return http_fail(connection, 503, "the store cannot be read");
}

/* ---- one matrix ---- */

enum MHD_Result http_send_cells(server *s, struct MHD_Connection *connection)
{
    int64_t window;
    store reader;
    bytes out = {0};
    bool found = false, well;
    if (!http_number(connection, "window", -1, 0, INT64_MAX, &window) || window < 0)
        return http_fail(connection, 400, "window (an id) is needed");
    well = http_open_store(s, &reader);
    if (well) {
        query q = query_begin(&reader, "SELECT cells FROM matrix WHERE window = ?");
        query_int(&q, window);
        found = query_row(&q);
        const void *cells = found ? sqlite3_column_blob(q.stmt, 0) : NULL;
        if (found)
            well = bytes_append(&out, cells, (size_t)sqlite3_column_bytes(q.stmt, 0)) == DXT_OK;
        well = query_end(&q) && well;
    }
    http_close_store(s, &reader);
    if (well && found)
        return http_answer_bytes(connection, 200, "application/octet-stream", out.data, out.size,
                                 NULL);
    free(out.data);
    return well ? http_fail(connection, 404,
                            "the store has no cells of this window, or no longer has them")
                : http_fail(connection, 503, "the store cannot be read");
}

/* ---- places ---- */

enum MHD_Result http_send_places(server *s, struct MHD_Connection *connection)
{
    int64_t group;
    store reader;
    char *text = NULL;
    if (!http_number(connection, "group", -1, 0, INT64_MAX, &group) || group < 0)
        return http_fail(connection, 400, "group (an id) is needed");
    if (http_open_store(s, &reader)) {
        query q = query_begin(
            &reader, "SELECT json_object('v', 1, 'places', json_group_array(json_array(rank, host,"
                     " gpu, uuid, node))) FROM place WHERE grp = ?");
        query_int(&q, group);
        if (query_row(&q)) text = strdup(query_get_text(&q, 0));
        if (!query_end(&q)) free(text), text = NULL;
    }
    http_close_store(s, &reader);
    return text ? http_answer(connection, 200, "application/json", text, NULL, NULL)
                : http_fail(connection, 503, "the store cannot be read");
}
