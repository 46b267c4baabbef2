/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "output.h"
#include "tell.h"

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* In µs or cycles. */
static json_t *change_json(const comparison *o, const change *c, double figures)
{
    double unit = measure_is_time(o->after->measure) ? 1000 : 1;
    const char *part_of = isnan(c->part) ? NULL : c->part_before ? "before" : "after";
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:s?,s:b}", "before", real(c->before / unit),
                     "after", real(c->after / unit), "change", real(c->by / unit), "error",
                     real(c->error / unit), "chance", real(c->p), "part", real(c->part), "part_of",
                     part_of, "changed", (int)is_changed(o, c, figures));
}

/* Whether all of it went well; the list is not as it should be otherwise. */
static bool add_rank(json_t *list, const compared *c, const comparison *o, uint32_t rank)
{
    char **hosts = c->sides[1]->hosts;
    json_t *entry = change_json(o, &o->late[rank], o->ranks);
    bool well =
        json_object_set_new(entry, "rank", json_integer(rank)) == 0 &&
        json_object_set_new(entry, "silent_before", real(o->before->silent.mean[rank])) == 0 &&
        json_object_set_new(entry, "silent_after", real(o->after->silent.mean[rank])) == 0;
    if (silence_change(o, rank) != 0)
        well = well && json_object_set_new(entry, "changed", json_true()) == 0;
    if (hosts && hosts[rank][0])
        well = well && json_object_set_new(entry, "host", json_string(hosts[rank])) == 0;
    return json_array_append_new(list, entry) == 0 && well;
}

static bool add_path(json_t *list, const comparison *o, const path_change *path)
{
    json_t *entry = change_json(o, &path->wait, (double)o->ranks * (o->ranks - 1));
    json_t *ends = json_pack("[i,i]", (int)path->row, (int)path->column);
    bool well = json_object_set_new(entry, "path", ends) == 0;
    return json_array_append_new(list, entry) == 0 && well;
}

/* A list; NULL if it is not whole. */
static json_t *checked(json_t *list, bool well)
{
    if (!well) json_decref(list);
    return well ? list : NULL;
}

static json_t *ranks_json(const compared *c, const comparison *o)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (uint32_t rank = 0; well && rank < o->ranks; rank++) well = add_rank(list, c, o, rank);
    return checked(list, well);
}

static json_t *paths_json(const comparison *o)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < o->path_count; i++) well = add_path(list, o, &o->paths[i]);
    return checked(list, well);
}

static bool add_cause(json_t *list, const comparison *o, const cause_change *made)
{
    const cause *what = made->what;
    json_t *entry = change_json(o, &made->wait, o->ranks);
    bool well =
        json_object_set_new(entry, "kind", json_string(dxt_finding_kind_name(what->kind))) == 0;
    if (what->node >= 0)
        well = json_object_set_new(entry, "node", json_integer(what->node)) == 0 && well;
    else
        well = json_object_set_new(entry, "rank", json_integer(what->rank)) == 0 && well;
    if (what->source_node >= 0)
        well =
            json_object_set_new(entry, "source_node", json_integer(what->source_node)) == 0 && well;
    if (made->direction != DXT_DIRECTION_NONE) {
        json_t *direction = json_string(dxt_direction_name(made->direction));
        well = json_object_set_new(entry, "direction", direction) == 0 && well;
    }
    return json_array_append_new(list, entry) == 0 && well;
}

static json_t *causes_json(const comparison *o)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < o->cause_count; i++) well = add_cause(list, o, &o->causes[i]);
    return checked(list, well);
}

static json_t *operator_json(const compared *c, const comparison *o)
{
    return json_pack("{s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:I}", "phase", o->after->phase, "unit",
                     measure_is_time(o->after->measure) ? "us" : "cycles", "slower", (int)o->slower,
                     "step", change_json(o, &o->step, 2), "wait", change_json(o, &o->mean, 2),
                     "ranks", ranks_json(c, o), "causes", causes_json(o), "paths", paths_json(o),
                     "path_count", (json_int_t)o->path_total);
}

static json_t *operators_json(const compared *c)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < c->count; i++)
        well = json_array_append_new(list, operator_json(c, &c->operators[i])) == 0;
    return checked(list, well);
}

static json_t *only_json(const compared *c)
{
    json_t *list = json_array();
    bool well = list != NULL;
    for (size_t i = 0; well && i < c->only_count; i++)
        well = json_array_append_new(list, json_string(c->only[i])) == 0;
    return checked(list, well);
}

static json_t *side_json(const compared *c, int which)
{
    const side *s = c->sides[which];
    return json_pack("{s:s,s:I,s:i,s:I}", "file", c->names[which], "windows",
                     (json_int_t)s->windows, "ranks", (int)s->ranks, "left_out",
                     (json_int_t)s->left_out);
}

dxt_status tell_json(const compared *c)
{
    json_t *all =
        json_pack("{s:i,s:o,s:o,s:o,s:o}", "v", 1, "before", side_json(c, 0), "after",
                  side_json(c, 1), "operators", operators_json(c), "not_compared", only_json(c));
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(all);
    if (!text) return DXT_ERR_NO_MEMORY;
    dxt_status status = stdout_printf("%s\n", text);
    free(text);
    return status;
}
