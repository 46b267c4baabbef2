/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments that the print of a tensor has behind its rows: those of a DTensor hold brackets,
 * "]]), device_mesh=DeviceMesh('cuda', [0, 1]), placements=(Shard(dim=0),))", and no rows. */
#include <string.h>

#include "matrix/lines.h"
#include "matrix/scan.h"

/* Brackets of a line behind which such arguments may begin. */
#define MOST_TRIES 16

/* Whether blanks at a place stand in front of another word. */
static bool goes_on(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at < end && *at != ',' && *at != ')';
}

/* Behind an argument's value: at a comma or a bracket that closes the call; NULL: it may hold
 * another matrix. */
static const char *skip_value(const char *at, const char *end)
{
    int depth = 0, calls = 0;
    for (char quote = 0; at < end; at++) {
        if (quote) {
            if (*at == quote) quote = 0;
        } else if (*at == '\'' || *at == '"') {
            quote = *at;
        } else if (depth == 0 && (*at == ',' || *at == ')')) {
            return at;
        } else if ((depth == 0 && dxt_is_blank(*at) && goes_on(at, end)) ||
                   (calls == 0 && *at == '[' && end - at > 1 && at[1] == '[')) {
            return NULL;
        } else {
            calls += (*at == '(') - (*at == ')');
            depth += strchr("([{<", *at) != NULL;
            depth -= strchr(")]}>", *at) != NULL;
        }
    }
    return at;
}

/* Behind "device=" and the like; NULL: no such name stands there. */
static const char *take_name(const char *at, const char *end)
{
    static const char *const names[] = {"device",  "device_mesh", "placements",    "mesh",
                                        "dtype",   "sharding",    "requires_grad", "names",
                                        "grad_fn", "layout",      "size",          "spec"};
    const char *to = at;
    while (to < end && (dxt_is_letter(*to) || *to == '_')) to++;
    if (to == end || *to != '=') return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == (size_t)(to - at) && memcmp(at, names[i], (size_t)(to - at)) == 0)
            return to + 1;
    return NULL;
}

/* Whether nothing but such arguments follows. */
static bool are_all(const char *at, const char *end)
{
    for (;;) {
        at = take_name(at, end);
        if (at) at = skip_value(at, end);
        if (!at) return false;
        at = dxt_skip_any(at, end, ") ");
        if (at == end) return true;
        if (*at != ',') return false;
        at = dxt_skip_any(at, end, ", ");
    }
}

const char *dxt_cut_arguments(const char *line, const char *end)
{
    const char *last = end;
    while (last > line && dxt_is_blank(last[-1])) last--;
    if (last - line < 3 || last[-1] != ')') return end;
    int tries = 0;
    for (const char *close = line; tries < MOST_TRIES; close++) {
        close = memchr(close, ']', (size_t)(last - close));
        if (!close) return end;
        const char *at = dxt_skip_any(close + 1, last, ") ");
        if (at == last || *at != ',') continue;
        at = dxt_skip_any(at, last, ", ");
        if (!take_name(at, last)) continue;
        tries++;
        if (are_all(at, last)) return dxt_skip_any(close + 1, last, ")");
    }
    return end;
}
