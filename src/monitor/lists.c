/* SPDX-License-Identifier: Apache-2.0 */
/* Answer requests for lists and metrics from the store. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "http.h"
#include "system/clock.h"

enum MHD_Result http_send_list(server *s, struct MHD_Connection *connection, const char *list)
{
    api_request asked = {.list = list,
                         .group = http_argument(connection, "group"),
                         .operator_name = http_argument(connection, "operator"),
                         .state = http_argument(connection, "state")};
    if (!http_number(connection, "limit", API_USUAL, 1, API_MOST, &asked.limit))
        return http_fail(connection, 400, "limit must be a whole number from 1 to 1000");
    if (!http_number(connection, "after", 0, 0, INT64_MAX, &asked.after))
        return http_fail(connection, 400, "after must be the value of next in the list before");
    if (asked.state && strcmp(asked.state, "open") != 0 && strcmp(asked.state, "closed") != 0)
        return http_fail(connection, 400, "state must be open or closed");
    store reader;
    char *text = http_open_store(s, &reader) ? api_list(&reader, &asked) : NULL;
    bool known = reader.why[0] != '\0';
    http_close_store(s, &reader);
    if (text) return http_answer(connection, 200, "application/json", text, NULL, NULL);
    return known ? http_fail(connection, 503, "the store cannot be read")
                 : http_fail(connection, 404,
                             "there are groups, windows, findings, incidents, events, view, "
                             "lateness, cells "
                             "and places");
}

enum MHD_Result http_send_metrics(server *s, struct MHD_Connection *connection)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    bool openmetrics = accept && strstr(accept, "application/openmetrics-text");
    store reader;
    char *text = http_open_store(s, &reader)
                     ? metrics_text(&reader, s->options, openmetrics, dxt_clock_ns(CLOCK_REALTIME))
                     : NULL;
    http_close_store(s, &reader);
    if (!text) return http_fail(connection, 503, "the store cannot be read");
    return http_answer(connection, 200,
                       openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                   : "text/plain; version=0.0.4; charset=utf-8",
                       text, NULL, NULL);
}
