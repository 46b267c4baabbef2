/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as YAML writes them, a value a line: "- - 17" and "- 18", "rank0:" and "1: 17" below it. */
#include <string.h>

#include "matrix/lines.h"
#include "matrix/scan.h"
#include "matrix/spot.h"

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && dxt_is_blank(*at)) at++;
    return at;
}

static bool is_number(const char *at, const char *end)
{
    int64_t whole;
    double real;
    bool decimal;
    return end > at && dxt_scan_number(at, end, &whole, &real, &decimal) == end;
}

/* How many dashes stand in front of a number that is all else; 0: something else stands there. */
static int count_dashes(const char **at, const char *end)
{
    int dashes = 0;
    const char *from = skip_blanks(*at, end);
    for (; end - from >= 2 && *from == '-' && from[1] == ' '; dashes++)
        from = skip_blanks(from + 1, end);
    *at = from;
    return is_number(from, end) && dashes <= 2 ? dashes : 0;
}

/* The rank of a key that begins a line, "0:", "rank0:", "'0':"; −1: none does.
 * @param at  Moved to what stands behind its colon. */
static int64_t take_key(const char **at, const char *end)
{
    dxt_spot in = {.at = skip_blanks(*at, end), .end = end};
    dxt_token key = dxt_spot_token(&in);
    if (key.end == key.at || in.at == end || *in.at != ':') return -1;
    *at = skip_blanks(in.at + 1, end);
    int64_t rank = dxt_token_rank(&key);
    return rank < DXT_MAX_RANKS ? rank : -1;
}

static bool append(dxt_reader *reader, const char *at, const char *end, dxt_status *status)
{
    dxt_text *row = &reader->listed;
    if (row->size > reader->input.line_max)
        *status = dxt_reader_fail(reader, DXT_ERR_LIMIT, "the list is longer than %zu bytes",
                                  reader->input.line_max);
    dxt_text_puts(row, " ");
    dxt_text_append(row, at, (size_t)(end - at));
    reader->list.count++;
    if (row->failed) *status = dxt_fail_memory(0);
    return true;
}

static void begin(dxt_reader *reader, int64_t rank)
{
    reader->listed.size = 0;
    reader->listing = true;
    reader->list.rank = rank;
    reader->list.count = 0;
    reader->list.keyed = false;
    if (rank >= 0) dxt_text_printf(&reader->listed, "%lld:", (long long)rank);
}

dxt_status dxt_end_listed(dxt_reader *reader)
{
    if (!reader->listing) return DXT_OK;
    reader->listing = false;
    if (reader->list.count == 0) return DXT_OK;
    /* The last rank leaves itself out. */
    if (reader->list.keyed && reader->list.rank == reader->list.count && reader->table.rows > 0 &&
        reader->table.width == reader->list.count + 1)
        dxt_text_puts(&reader->listed, " nan");
    if (reader->listed.failed) return dxt_fail_memory(0);
    const char *line = reader->listed.data;
    return dxt_listed_line(reader, line, line + reader->listed.size);
}

/* "1: 17" below "rank0:" */
static bool take_member(dxt_reader *reader, const char *at, const char *end, dxt_status *status)
{
    if (!reader->listing || reader->list.rank < 0) return false;
    if (reader->list.count > 0 && !reader->list.keyed) return false;
    int64_t key = take_key(&at, end);
    if (key < 0 || !is_number(at, end)) return false;
    reader->list.keyed = true;
    /* A rank may leave itself out. */
    if (key == (int64_t)reader->list.count + 1 && reader->list.rank == reader->list.count)
        append(reader, "nan", (const char *)"nan" + 3, status);
    if (key != (int64_t)reader->list.count) return false;
    return append(reader, at, end, status);
}

/* Whether the newest row of the table has this number in front: a launcher writes it again. */
static bool is_newest(const dxt_reader *reader, int64_t rank)
{
    const dxt_table *table = &reader->table;
    return table->rows > 0 && table->numbers && table->numbers[table->rows - 1].values[0] == rank;
}

bool dxt_take_yaml(dxt_reader *reader, const char *line, const char *end, dxt_status *status)
{
    const char *at = line, *stop = end;
    while (end > line && dxt_is_blank(end[-1])) end--;
    int dashes = count_dashes(&at, end);
    if (dashes == 2) {
        *status = dxt_end_listed(reader);
        if (*status != DXT_OK) return true;
        begin(reader, -1);
    }
    if (dashes == 2 || (dashes == 1 && reader->listing)) return append(reader, at, end, status);
    if (take_member(reader, line, end, status)) return true;
    at = line;
    int64_t rank = end > line && end[-1] == ':' ? take_key(&at, end) : -1;
    if (rank < 0 || at < end || dxt_table_is_tag(reader, line, stop) || is_newest(reader, rank))
        return false;
    *status = dxt_end_listed(reader);
    if (*status == DXT_OK) begin(reader, rank);
    if (reader->listed.failed) *status = dxt_fail_memory(0);
    return true;
}
