/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as YAML writes them, a value a line: "- - 17" and "- 18", "rank0:" and "1: 17" below it. */
#include <string.h>

#include "matrix/lines.h"
#include "matrix/scan.h"
#include "matrix/spot.h"

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
    const char *from = dxt_skip_blanks(*at, end);
    for (; end - from >= 2 && *from == '-' && from[1] == ' '; dashes++)
        from = dxt_skip_blanks(from + 1, end);
    *at = from;
    return is_number(from, end) && dashes <= 2 ? dashes : 0;
}

/* The rank of a key that begins a line, "0:", "rank0:", "'0':"; −1: none does.
 * @param at  Moved to what stands behind its colon. */
static int64_t take_key(const char **at, const char *end)
{
    dxt_spot in = {.at = dxt_skip_blanks(*at, end), .end = end};
    dxt_token key = dxt_spot_token(&in);
    if (key.end == key.at || in.at == end || *in.at != ':') return -1;
    *at = dxt_skip_blanks(in.at + 1, end);
    int64_t rank = dxt_token_rank(&key);
    return rank < DXT_MAX_RANKS ? rank : -1;
}

static dxt_status append(dxt_reader *reader, const char *at, size_t size)
{
    dxt_text *row = &reader->listed;
    if (row->size > reader->input.line_max)
        return dxt_reader_fail(reader, DXT_ERR_LIMIT, "the list is longer than %zu bytes",
                               reader->input.line_max);
    dxt_text_puts(row, " ");
    dxt_text_append(row, at, size);
    reader->list.count++;
    return row->failed ? dxt_fail_memory(0) : DXT_OK;
}

/* "1: 17" below "rank0:": a rank may leave itself out. */
static bool find_member(const dxt_reader *reader, const char *at, const char *end, dxt_yaml *found)
{
    const int64_t count = reader->list.count, rank = reader->list.rank;
    if (!reader->listing || rank < 0 || (count > 0 && !reader->list.keyed)) return false;
    int64_t key = take_key(&at, end);
    found->own = key == count + 1 && rank == count;
    if (key < 0 || !is_number(at, end) || (key != count && !found->own)) return false;
    found->at = at;
    found->keyed = true;
    return true;
}

/* Whether the newest row of the table has this number in front: a launcher writes it again. */
static bool is_newest(const dxt_reader *reader, int64_t rank)
{
    const dxt_table *table = &reader->table;
    return table->rows > 0 && table->numbers && table->numbers[table->rows - 1].values[0] == rank;
}

bool dxt_yaml_find(const dxt_reader *reader, const char *line, const char *end, dxt_yaml *found)
{
    const char *at = line, *stop = end;
    while (end > line && dxt_is_blank(end[-1])) end--;
    int dashes = count_dashes(&at, end);
    *found = (dxt_yaml){.at = at, .end = end, .rank = -1, .begins = dashes == 2};
    if (dashes == 2 || (dashes == 1 && reader->listing)) return true;
    if (find_member(reader, line, end, found)) return true;
    found->at = line;
    found->rank = end > line && end[-1] == ':' ? take_key(&found->at, end) : -1;
    found->begins = true;
    return found->rank >= 0 && found->at == end && !dxt_table_is_tag(reader, line, stop) &&
           !is_newest(reader, found->rank);
}

dxt_status dxt_yaml_take(dxt_reader *reader, const dxt_yaml *found)
{
    dxt_status status = DXT_OK;
    if (found->begins) {
        reader->listed.size = 0;
        reader->listing = true;
        reader->list.rank = found->rank;
        reader->list.count = 0;
        reader->list.keyed = false;
        if (found->rank >= 0) dxt_text_printf(&reader->listed, "%lld:", (long long)found->rank);
    }
    reader->list.keyed = reader->list.keyed || found->keyed;
    if (found->own) status = append(reader, "nan", 3);
    if (status == DXT_OK && found->end > found->at)
        status = append(reader, found->at, (size_t)(found->end - found->at));
    if (status == DXT_OK && reader->listed.failed) return dxt_fail_memory(0);
    return status;
}

bool dxt_yaml_close(dxt_reader *reader)
{
    const uint32_t count = reader->list.count;
    bool row = reader->listing && count > 0;
    reader->listing = false;
    /* The last rank leaves itself out. */
    if (row && reader->list.keyed && reader->list.rank == (int64_t)count &&
        reader->table.rows > 0 && reader->table.width == count + 1)
        dxt_text_puts(&reader->listed, " nan");
    return row;
}
