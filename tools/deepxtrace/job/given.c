/* SPDX-License-Identifier: Apache-2.0 */
#include "given.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

static const char *const phase_names[] = {"dispatch", "combine", NULL};

static bool parse_rank(const char *text, uint32_t *rank, char *why, size_t why_size)
{
    uint64_t number;
    if (!cli_parse_count(text, 0, DXT_MAX_RANKS - 1, &number, why, why_size)) return false;
    *rank = (uint32_t)number;
    return true;
}

static bool add_fault(job_fault_list *list, const job_fault *fault, char *why, size_t why_size)
{
    if (list->count == JOB_MAX_FAULTS) {
        snprintf(why, why_size, "given more than %u times; that is the most", JOB_MAX_FAULTS);
        return false;
    }
    list->items[list->count++] = *fault;
    return true;
}

static bool parse_fault(const char *text, bool is_path, job_fault_list *list, char *why,
                        size_t why_size)
{
    const char *form = is_path ? "PHASE:FROM->TO:DURATION" : "PHASE:RANK:DURATION";
    char copy[128], *rank = NULL, *source = NULL, *duration = NULL;
    job_fault fault = {.source = DXT_NO_RANK};
    int phase = 0;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy || !cli_cut(copy, ":", &rank) ||
        !cli_cut(rank, ":", &duration) || (is_path && !cli_cut_path(rank, &rank, &source))) {
        snprintf(why, why_size, "'%.100s' is not of the form %s", text, form);
        return false;
    }
    if (!cli_parse_choice(copy, phase_names, &phase, why, why_size) ||
        !parse_rank(rank, &fault.rank, why, why_size) ||
        (is_path && !parse_rank(source, &fault.source, why, why_size)) ||
        !cli_parse_duration(duration, &fault.delay_ns, why, why_size))
        return false;
    if (is_path && fault.rank == fault.source) {
        snprintf(why, why_size, "there is no path from rank %u to itself", fault.rank);
        return false;
    }
    if (fault.delay_ns > JOB_LONGEST_NS) {
        snprintf(why, why_size, "'%s' is longer than an hour, the longest", duration);
        return false;
    }
    fault.operator_index = (uint32_t)phase;
    return add_fault(list, &fault, why, why_size);
}

bool job_parse_slow(const char *text, void *value, char *why, size_t why_size)
{
    return parse_fault(text, false, value, why, why_size);
}

bool job_parse_path(const char *text, void *value, char *why, size_t why_size)
{
    return parse_fault(text, true, value, why, why_size);
}

bool job_parse_hot(const char *text, void *value, char *why, size_t why_size)
{
    struct job_hot *hot = value;
    char copy[128], *factor = NULL;
    uint32_t rank;
    snprintf(copy, sizeof copy, "%s", text);
    if (!cli_cut(copy, ":", &factor)) {
        snprintf(why, why_size, "'%s' is not of the form RANK:FACTOR", copy);
        return false;
    }
    if (!parse_rank(copy, &rank, why, why_size) ||
        !cli_parse_number(factor, &hot->factor, why, why_size))
        return false;
    hot->rank = rank;
    return true;
}

/* Not known to be missing. */
static bool can_draw(dxt_format format, const char **why)
{
    dxt_part parts[16];
    size_t count = dxt_parts(parts, sizeof parts / sizeof parts[0]);
    bool needs_cairo = format == DXT_FORMAT_PNG || format == DXT_FORMAT_PDF;
    for (size_t i = 0; needs_cairo && i < count && i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, "cairo") == 0 && !parts[i].available) {
            *why = parts[i].why;
            return false;
        }
    return true;
}

bool job_parse_picture(const char *text, void *value, char *why, size_t why_size)
{
    struct job_pictures *pictures = value;
    const char *missing = NULL;
    dxt_format format;
    if (pictures->count == JOB_MAX_PICTURES) {
        snprintf(why, why_size, "given more than %u times; that is the most", JOB_MAX_PICTURES);
        return false;
    }
    if (dxt_format_from_name(text, &format) != DXT_OK) {
        snprintf(why, why_size, "'%s' must end in .svg, .png, .pdf, .html or .txt", text);
        return false;
    }
    if (!can_draw(format, &missing)) {
        snprintf(why, why_size, "'%s' cannot be drawn: %s", text, missing);
        return false;
    }
    pictures->formats[pictures->count] = format;
    pictures->paths[pictures->count++] = text;
    return true;
}

bool job_parse_async(const char *text, void *value, char *why, size_t why_size)
{
    int64_t *ns = value;
    double seconds;
    if (!cli_parse_duration(text, ns, why, why_size)) {
        if (!cli_parse_number(text, &seconds, why, why_size)) return false;
        *ns = seconds < 86400.0 ? (int64_t)(seconds * 1e9) : INT64_MAX;
    }
    if (*ns >= 1000000 && *ns <= INT64_C(86400000000000)) return true;
    snprintf(why, why_size, "'%s' is not between 1ms and one day", text);
    return false;
}
