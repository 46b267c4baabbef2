/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME(column)                                                              \
    "CASE WHEN " column " IS NOT NULL THEN strftime('%Y-%m-%dT%H:%M:%S', " column \
    " / 1000000000, 'unixepoch') || printf('.%03dZ', " column " / 1000000 % 1000) END"

/* Parameters of all queries: 1 after, 2 limit, 3 group, 4 operator, 5 state. Each gives a key, from
 * which the next page goes on, and an object. */
static const struct {
    const char *name;
    const char *inner;
} lists[] = {
    {"groups",
     "SELECT id AS key, json_object('id', id, 'group', name, 'instance', instance, 'ranks', ranks,"
     " 'windows', windows, 'first', " TIME("first_ns") ", 'last', " TIME(
         "last_ns") ","
                    " 'operators', (SELECT json_group_array(operator) FROM total WHERE grp = "
                    "grp.id AND"
                    " total.name = 'windows'), 'open_incidents', (SELECT count(*) FROM incident "
                    "WHERE grp = grp.id AND"
                    " state = 1)) AS entry FROM grp WHERE id > ?1 AND (?3 IS NULL OR id = ?3) AND "
                    "?4 IS ?4 AND ?5 IS ?5"
                    " ORDER BY id LIMIT ?2"},
    {"windows",
     "SELECT w.id AS key, json_object('id', w.id, 'group', g.name, 'group_id', g.id, 'instance',"
     " g.instance, 'operator', w.operator, 'window', w.number, 'begin', " TIME(
         "w.begin_ns") ","
                       " 'begin_known', json(CASE WHEN w.begin_read THEN 'false' ELSE 'true' END), "
                       "'elapsed_s', "
                       "w.elapsed_ns / 1e9,"
                       " 'ranks', g.ranks, 'verdict', w.verdict, 'share', w.share, 'findings', "
                       "w.findings) AS entry"
                       " FROM window w JOIN grp g ON g.id = w.grp WHERE w.id > ?1 AND (?3 IS NULL "
                       "OR w.grp = ?3) AND"
                       " (?4 IS NULL OR w.operator = ?4) AND ?5 IS ?5 ORDER BY w.id LIMIT ?2"},
    {"findings", "SELECT w.id AS key, json_object('window_id', w.id, 'group', g.name, 'group_id', "
                 "g.id, 'operator',"
                 " w.operator, 'window', w.number, 'begin', " TIME(
                     "w.begin_ns") ", 'verdict', w.verdict,"
                                   " 'findings', json_extract(w.diagnosis, '$.findings')) AS entry"
                                   " FROM window w JOIN grp g ON g.id = w.grp WHERE w.id > ?1 AND "
                                   "w.findings > 0 AND"
                                   " (?3 IS NULL OR w.grp = ?3) AND (?4 IS NULL OR w.operator = "
                                   "?4) AND ?5 IS ?5"
                                   " ORDER BY w.id LIMIT ?2"},
    {"incidents",
     "SELECT number AS key, json_object('id', i.id, 'state', CASE WHEN i.state = 1 THEN 'open' "
     "ELSE 'closed' END, "
     "'kind',"
     " i.kind, 'group', g.name, 'group_id', g.id, 'instance', g.instance, 'operator', i.operator, "
     "'rank',"
     " i.rank, 'path', CASE WHEN i.source IS NOT NULL THEN json_array(i.rank, i.source) END, "
     "'node', "
     "i.node,"
     " 'path_nodes', CASE WHEN i.source_node IS NOT NULL THEN json_array(i.node, i.source_node) "
     "END, "
     "'host',"
     " i.host, 'gpu', i.gpu, 'uuid', i.uuid, 'begin', " TIME(
         "i.begin_ns") ", 'end',"
                       " CASE WHEN i.state = 2 THEN " TIME(
                           "i.end_ns") " END, 'first_window', i.first_window,"
                                       " 'last_window', i.last_window, 'windows', i.seen, 'share', "
                                       "i.share, 'lost_s', i.lost_ns / 1e9,"
                                       " 'severity', i.severity, 'text', i.text) AS entry FROM "
                                       "incident i JOIN grp g ON g.id = i.grp WHERE"
                                       " i.state > 0 AND number > ?1 AND (?3 IS NULL OR i.grp = "
                                       "?3) AND (?4 IS NULL OR i.operator = ?4)"
                                       " AND (?5 IS NULL OR i.state = CASE WHEN ?5 = 'open' THEN 1 "
                                       "ELSE 2 END) "
                                       "ORDER BY number LIMIT ?2"},
};

/* Ask for one entry more than the limit: it shows whether the list goes on. */
static char *run(store *s, const char *name, const char *inner, const api_request *request)
{
    char *sql = sqlite3_mprintf("SELECT json_object('v', 1, '%s', json_group_array(json(entry)), "
                                "'next', CASE WHEN max(total) = "
                                "?2 THEN max(key) END) FROM (SELECT key, entry, count(*) OVER () "
                                "AS total, row_number() OVER "
                                "(ORDER BY key) AS place FROM (%s)) WHERE place <= ?2 - 1",
                                name, inner);
    snprintf(s->why, sizeof s->why, "out of memory");
    if (!sql) return NULL;
    char *text = NULL;
    query q = query_begin(s, sql);
    query_int(&q, request->after);
    query_int(&q, request->limit + 1);
    query_text(&q, request->group);
    query_text(&q, request->operator_name);
    query_text(&q, request->state);
    if (query_row(&q)) text = strdup(query_get_text(&q, 0));
    sqlite3_free(sql);
    if (query_end(&q)) return text;
    free(text);
    return NULL;
}

char *api_list(store *s, const api_request *request)
{
    s->why[0] = '\0';
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strcmp(lists[i].name, request->list) == 0)
            return run(s, lists[i].name, lists[i].inner, request);
    return NULL;
}

int64_t api_newest(store *s)
{
    query q = query_begin(s, "SELECT max(id) FROM window");
    int64_t newest = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q) ? newest : 0;
}
