/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of a diagnosis' log: a line per window that states the number of ranks, the operator and
 * its writer. Whatever stands in front of it is passed over.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/stamp.h"

/* Most windows of headers of one time that are held back until it is known whose rows are whose. */
#define MOST_HELD 64
/* And of their cells, before the newest one: 64 MiB. */
#define MOST_CELLS ((uint64_t)8 << 20)

static const char *find(const char *at, const char *end, const char *what)
{
    return at < end ? memmem(at, (size_t)(end - at), what, strlen(what)) : NULL;
}

/* " Wait Recv Cost", with any blanks, which stands behind the operator's name. */
static const char *find_title(const char *at, const char *end)
{
    for (const char *word = at; (word = find(word, end, "Wait")); word++) {
        const char *recv = dxt_skip_blanks(word + 4, end);
        if (word == at || !dxt_is_blank(word[-1]) || recv == word + 4) continue;
        if (end - recv < 4 || memcmp(recv, "Recv", 4) != 0) continue;
        const char *cost = dxt_skip_blanks(recv + 4, end);
        if (cost > recv + 4 && end - cost >= 4 && memcmp(cost, "Cost", 4) == 0) return word - 1;
    }
    return NULL;
}

bool dxt_is_header(const char *at, const char *end)
{
    return find(at, end, "EPSize:") && find_title(at, end) && find(at, end, "Matrix[");
}

/* ---- what stands in front ---- */

/* "2025-09-15" and the like: at least ten characters. */
static bool is_date(const char *at, const char *end)
{
    return end - at >= 10 && dxt_is_digit(at[0]) && dxt_is_digit(at[3]) && at[4] == '-' &&
           dxt_is_digit(at[5]) && at[7] == '-' && dxt_is_digit(at[9]);
}

static uint32_t form_of(const char *at, const char *end, bool stamps)
{
    uint64_t hash = DXT_HASH_SEED;
    for (bool within = false; at < end; at++) {
        if (!stamps && *at == '[' && is_date(at + 1, end)) break;
        bool digit = dxt_is_digit(*at);
        if (!dxt_is_blank(*at) && !(digit && within)) hash = dxt_hash(hash, digit ? "#" : at, 1);
        within = digit;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

uint32_t dxt_form(const char *at, const char *end)
{
    return form_of(at, end, false);
}

uint32_t dxt_tag_form(const char *at, const char *end)
{
    return form_of(at, end, true) | 1;
}

/* "[10:11:12]", and seconds with three digits or more behind the point: "1764126000.123", and
 * "[12345.678901]" of the kernel. */
static bool is_clock(const char *word, const char *end)
{
    if (word < end && *word == '[') word++;
    if (end > word && end[-1] == ']') end--;
    if (dxt_ends_in_time(word, end)) return true;
    const char *point = word, *at;
    while (point < end && dxt_is_digit(*point)) point++;
    if (point == word || point == end || *point != '.') return false;
    for (at = point + 1; at < end && dxt_is_digit(*at);) at++;
    return at == end && at - point > 3;
}

uint32_t dxt_label(const char *at, const char *end)
{
    uint64_t hash = DXT_HASH_SEED;
    while (at < end) {
        at = dxt_skip_blanks(at, end);
        const char *word = at;
        bool digits = at < end && dxt_is_digit(*at);
        bool colon = false;
        for (; at < end && !dxt_is_blank(*at); at++) {
            if (*at == '[' && is_date(at + 1, end)) return (uint32_t)(hash ^ hash >> 32);
            if (at > word && *at == ':') colon = true;
        }
        /* Times and dates differ from line to line, "0:" of a launcher does not. */
        bool time = digits && ((colon && at - word > 4) || is_date(word, at));
        if (!time && !is_clock(word, at)) hash = dxt_hash(hash, word, (size_t)(at - word));
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* ---- the parts of a header ---- */

static dxt_status copy_text(const char *at, const char *end, char **copy)
{
    free(*copy);
    *copy = strndup(at, (size_t)(end - at));
    return *copy ? DXT_OK : dxt_fail_memory((size_t)(end - at) + 1);
}

/* The time stamp in brackets, which is the writer's; else the first one of the line. */
static const char *find_time(const char *at, const char *end, const char **to)
{
    for (const char *open = at; (open = find(open, end, "[")); open++) {
        const char *close = find(open, end, "]");
        if (!close || close - open < 12 || close - open > 64 || !is_date(open + 1, close)) continue;
        *to = close;
        return open + 1;
    }
    for (; end - at >= 19; at++) {
        if (!is_date(at, end) || (at[10] != 'T' && at[10] != ' ') || at[13] != ':') continue;
        const char *stop = at + 11;
        while (stop < end && (dxt_is_digit(*stop) || memchr(":.,Z", *stop, 4))) stop++;
        if (stop - at > 64) return NULL;
        *to = stop[-1] == ',' || stop[-1] == ':' ? stop - 1 : stop;
        return at;
    }
    return NULL;
}

static dxt_status read_begin(const char *at, const char *end, char **begin)
{
    const char *to, *from = find_time(at, end, &to);
    if (!from || !dxt_phase_valid(from, (size_t)(to - from))) return DXT_OK;
    dxt_status status = copy_text(from, to, begin);
    if (status != DXT_OK) return status;
    if (to - from > 10 && (*begin)[10] == ' ') (*begin)[10] = 'T';
    char *comma = strchr(*begin, ',');
    if (comma) *comma = '.';
    return DXT_OK;
}

static bool find_instance(const char *at, const char *end, const char **from, const char **to)
{
    const char *label = find(at, end, "InstanceID:");
    if (!label) return false;
    *from = dxt_skip_blanks(label + strlen("InstanceID:"), end);
    *to = *from;
    while (*to < end && !dxt_is_blank(**to) && **to != ',') ++*to;
    /* Lines that were put together may lack the blank between them. */
    const char *size = find(*from, *to, "EPSize:");
    if (size) *to = size;
    return *to > *from;
}

/* The operator's name: between the last comma and the title. */
static bool read_phase(const char *at, const char *end, char phase[256])
{
    const char *to = find_title(at, end);
    for (const char *next = to; (next = find_title(next + 1, end));) to = next;
    while (to > at && dxt_is_blank(to[-1])) to--;
    const char *from = to;
    while (from > at && from[-1] != ',' && from[-1] != '}' && from[-1] != ']') from--;
    from = dxt_skip_blanks(from, to);
    if (!dxt_phase_valid(from, (size_t)(to - from))) return false;
    for (size_t i = 0; i < (size_t)(to - from); i++)
        phase[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
    phase[to - from] = '\0';
    return true;
}

static bool same_instance(const dxt_sheet *sheet, const char *from, const char *to)
{
    size_t size = sheet->instance ? strlen(sheet->instance) : 0;
    return size == (size_t)(to - from) && (size == 0 || memcmp(sheet->instance, from, size) == 0);
}

/* R of "rankR:" at the beginning of a line; −1: it begins with something else. */
static int64_t find_launcher(const char *at, const char *end)
{
    int64_t rank;
    at = dxt_skip_blanks(at, end);
    if (end - at < 6 || strncasecmp(at, "rank", 4) != 0) return -1;
    const char *colon = dxt_scan_integer(at + 4, end, &rank);
    return colon && colon < end && *colon == ':' ? rank : -1;
}

/* What a header says before anything is begun. */
typedef struct heading {
    uint32_t ranks;
    uint64_t hash;
    uint64_t doubt; /* as in dxt_sheet */
    const char *instance, *instance_end;
    const char *time, *until; /* NULL: it has none */
    char phase[256];
} heading;

static dxt_status parse_head(dxt_reader *reader, const char *at, const char *end, heading *head)
{
    uint64_t line = reader->input.line;
    const char *label = find(at, end, "EPSize:");
    const char *number = dxt_skip_blanks(label + strlen("EPSize:"), end);
    int64_t ranks = 0;
    char why[96];
    if (!dxt_scan_integer(number, end, &ranks)) {
        dxt_status status = dxt_scan_why(number, end, why, sizeof why);
        return dxt_reader_lose(reader, DXT_REMARK_LOST, status, line, "EPSize: %s", why);
    }
    if (ranks < 2)
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, line,
                               "EPSize %d: a matrix has at least 2 ranks", (int)ranks);
    if (ranks > DXT_MAX_RANKS)
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_LIMIT, line,
                               "EPSize %lld: at most %u ranks", (long long)ranks, DXT_MAX_RANKS);
    if (!read_phase(at, end, head->phase))
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, line,
                               "the header names no operator");
    if (find_instance(at, end, &head->instance, &head->instance_end) &&
        !dxt_phase_valid(head->instance, (size_t)(head->instance_end - head->instance)))
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_FORMAT, line,
                               "InstanceID is not a printable name");
    head->ranks = (uint32_t)ranks;
    return DXT_OK;
}

/* Below 0: the time lies before that of a header. */
static int compare_times(const char *at, const char *end, const char *begin)
{
    for (; at < end && *begin; at++, begin++) {
        char c = *at == ' ' ? 'T' : *at == ',' ? '.' : *at;
        if (c != *begin) return c < *begin ? -1 : 1;
    }
    return 0;
}

/* Whether one more window may be held back. */
static bool may_hold(const dxt_reader *reader)
{
    const dxt_queue *ready = &reader->ready;
    uint64_t cells = 0;
    if (ready->end - ready->at >= MOST_HELD) return false;
    for (uint32_t i = ready->at; i < ready->end; i++)
        cells += (uint64_t)ready->windows[i].window->ranks * ready->windows[i].window->ranks;
    return cells < MOST_CELLS;
}

/* Whether the next header of a writer shows that the rows so far are its own, and not those of the
 * sheet: it is older, or as old and all rows came from the last rank to the first. One as old says
 * nothing else, so that the sheet's window is held back. */
static bool runs_backwards(dxt_reader *reader, const dxt_sheet *sheet, const heading *head)
{
    if (sheet->doubt == 0 || !same_instance(sheet, head->instance, head->instance_end))
        return false;
    int order =
        head->time && sheet->begin ? compare_times(head->time, head->until, sheet->begin) : 0;
    bool falls = reader->fell && sheet->falls && sheet->count == sheet->ranks;
    if (order < 0 || (order == 0 && falls)) return true;
    reader->doubtful = order == 0 && may_hold(reader);
    return false;
}

/* The rows above the first header, which are those of a window whose header is not there, or of
 * this one, if the log runs backwards. */
static dxt_status end_above(dxt_reader *reader, dxt_sheet *sheet, const heading *head)
{
    bool whole = sheet->count == sheet->ranks;
    dxt_status status = DXT_OK;
    reader->fell |= sheet->falls && sheet->ranks == head->ranks && sheet->last_rank == 0;
    if (!whole || sheet->falls || sheet->lost) {
        dxt_sheet_drop(sheet);
        return DXT_OK;
    }
    if (sheet->ranks != head->ranks) return dxt_sheet_end(reader, sheet);
    status = dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, sheet->line,
                             "no header stands above the first %u rows: they are left out",
                             sheet->ranks);
    dxt_sheet_drop(sheet);
    return status;
}

/* Its writer's window so far has ended. @return the same header's sheet, if it has come twice. */
static dxt_status end_before(dxt_reader *reader, heading *head, dxt_sheet **same)
{
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->used) continue;
        if (!sheet->headed) {
            dxt_status status = end_above(reader, sheet, head);
            if (status != DXT_OK) return status;
            continue;
        }
        /* Rows without ranks cannot be shared out once a window has some. */
        bool bare = sheet->count > 0 && !sheet->named && sheet->last_rank >= 0;
        if (!same_instance(sheet, head->instance, head->instance_end) && !bare) continue;
        if (sheet->head == head->hash && sheet->count == 0 && !sheet->lost) {
            sheet->doubled = true;
            *same = sheet;
            return DXT_OK;
        }
        uint64_t doubt = sheet->doubt;
        if (runs_backwards(reader, sheet, head)) {
            dxt_sheet_drop(sheet);
            return dxt_reader_backwards(reader, doubt, true);
        }
        dxt_status status = dxt_sheet_end(reader, sheet);
        if (status != DXT_OK) return status;
        if (reader->doubtful && doubt > 0) head->doubt = doubt;
    }
    return DXT_OK;
}

dxt_status dxt_read_header(dxt_reader *reader, const char *at, const char *end)
{
    heading head = {.ranks = 0};
    dxt_sheet *same = NULL;
    if (!reader->headers && reader->above) head.doubt = reader->input.line;
    reader->headers = true;
    dxt_table_drop(&reader->table);
    dxt_status status = parse_head(reader, at, end, &head);
    if (status != DXT_OK || head.ranks == 0) return status;
    const char *from = find(at, end, "InstanceID:");
    head.time = find_time(at, end, &head.until);
    if (!from) from = find(at, end, "EPSize:");
    head.hash = dxt_hash(DXT_HASH_SEED, from, (size_t)(end - from));
    if (head.time) head.hash = dxt_hash(head.hash, head.time, (size_t)(head.until - head.time));
    status = end_before(reader, &head, &same);
    if (status != DXT_OK || same) return status;
    dxt_sheet *sheet = dxt_sheet_begin(reader, &status);
    if (!sheet) return status;
    sheet->headed = true;
    sheet->doubt = head.doubt;
    sheet->ranks = head.ranks;
    sheet->head = head.hash;
    const char *tag = find(at, end, "[Diagnose]");
    sheet->label = dxt_label(at, tag ? tag : from);
    sheet->form = dxt_form(at, tag ? tag : from);
    reader->launcher = find_launcher(at, end);
    strcpy(sheet->phase, head.phase);
    status = read_begin(at, end, &sheet->begin);
    if (status == DXT_OK && head.instance_end > head.instance)
        status = copy_text(head.instance, head.instance_end, &sheet->instance);
    reader->surplus = false;
    return status;
}

dxt_status dxt_read_finding(dxt_reader *reader, const char *at, const char *end)
{
    const char *from, *to;
    if (!find_instance(at, end, &from, &to)) return DXT_OK;
    for (uint32_t i = 0; i < DXT_SHEETS; i++) {
        dxt_sheet *sheet = &reader->sheets[i];
        if (!sheet->used || !sheet->headed || sheet->count == 0 || sheet->doubt > 0) continue;
        if (same_instance(sheet, from, to)) return dxt_sheet_end(reader, sheet);
    }
    return DXT_OK;
}
