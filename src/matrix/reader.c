/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/scan.h"

/* So many bytes at the beginning tell what a file is. */
#define SNIFF_SIZE 4096
/* So many zeros and more at the beginning are no sign of binary data. */
#define FEW_ZEROS 16
/* Where the head of a file in a tar archive says so. */
#define TAR_MARK 257

static bool is_ready(const dxt_reader *reader)
{
    return reader->ready.at < reader->ready.end && !reader->doubtful;
}

static dxt_status nothing_read(dxt_reader *reader)
{
    if (reader->lost == 1) return dxt_fail(DXT_ERR_FORMAT, "%s", reader->first_loss);
    if (reader->lost > 1)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "none of %llu windows could be read",
                               (unsigned long long)reader->lost);
    if (reader->clue[0])
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "no window: %s", reader->clue);
    if (reader->input.line == 0)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "no window: the input is empty");
    return dxt_reader_fail(reader, DXT_ERR_FORMAT,
                           "no window: neither a recording nor rows of a matrix");
}

/* ---- lines ---- */

/* A control character that no log has; escape, bell and backspace belong to terminals. */
static bool is_binary(const char *bytes, size_t size)
{
    /* Zeros in front are what is left where a log was cut while it was written. */
    size_t zeros = 0;
    while (zeros < size && bytes[zeros] == '\0') zeros++;
    if (zeros > 0 && zeros < size && zeros < FEW_ZEROS) return true;
    for (size_t i = 0; i < size && bytes[i] != '\n'; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < ' ' && !dxt_is_blank(bytes[i]) && c != 27 && c != 0 && c != 8 && c != 7)
            return true;
    }
    return false;
}

/* A file that is none of ours: the end, or of several only this one's. */
static dxt_status refuse(dxt_reader *reader, const char *what)
{
    if (!reader->input.source.next)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "this looks like %s; " DXT_WHAT_IS_READ,
                               what);
    dxt_reader_hint(reader, "this looks like %s; " DXT_WHAT_IS_READ, what);
    reader->input.at = reader->input.size;
    reader->input.ended = true;
    return DXT_OK;
}

/* Look at the first bytes of a file. Whoever writes into a pipe is not waited for. */
static dxt_status begin_file(dxt_reader *reader)
{
    dxt_input *input = &reader->input;
    const char *bytes;
    size_t got;
    dxt_status status = dxt_input_peek(input, 8, &bytes, &got);
    if (status != DXT_OK) return status;
    reader->begun = true;
    bool big;
    if (dxt_utf16_looks_so(bytes, got, &big)) {
        status = dxt_utf16_begin(input, big);
        if (status == DXT_OK) status = dxt_input_peek(input, 1, &bytes, &got);
        if (status != DXT_OK) return status;
        got = input->size - input->at;
    }
    if (got >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        dxt_input_skip(input, 3);
        bytes += 3;
        got -= 3;
    }
    if (dxt_is_npy(bytes, got)) return dxt_npy_begin(reader);
    size_t there = input->size - input->at;
    if (there > SNIFF_SIZE) there = SNIFF_SIZE;
    const char *guess = dxt_guess(bytes, there);
    bool tar = there > TAR_MARK + 5 && memcmp(bytes + TAR_MARK, "ustar", 5) == 0;
    if (!guess && is_binary(bytes, there))
        guess = tar ? "a tar archive of packed files (tar xf FILE, and name the folder)"
                    : "binary data";
    if (guess) return refuse(reader, guess);
    if (!tar) return DXT_OK;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, 1,
                           "a tar archive: its logs are read as one text; files that are packed "
                           "or arrays are not (tar xf FILE, and name the folder)");
}

/* The next line, be it one that was wrapped in another. */
static dxt_status next_line(dxt_reader *reader, const char **line, size_t *size)
{
    dxt_text *inner = &reader->inner;
    if (reader->inner_at >= inner->size) {
        reader->document.plain = false;
        reader->wraps = 0;
        dxt_status status = dxt_input_line(&reader->input, line, size);
        return status == DXT_OK ? dxt_skip_compose(reader, line, size) : status;
    }
    const char *from = inner->data + reader->inner_at;
    size_t left = inner->size - reader->inner_at;
    const char *newline = memchr(from, '\n', left);
    *line = from;
    *size = newline ? (size_t)(newline - from) : left;
    reader->inner_at += *size + (newline != NULL);
    if (*size > 0 && from[*size - 1] == '\r') --*size;
    return DXT_OK;
}

/* Zeros at the end of a file are what a machine that went down leaves. */
static void trim_zeros(const char **line, size_t *size)
{
    while (*size > 0 && **line == '\0') {
        ++*line;
        --*size;
    }
    while (*size > 0 && (*line)[*size - 1] == '\0') --*size;
}

static dxt_status read_json(dxt_reader *reader, const char *line, size_t size)
{
    dxt_window *window;
    dxt_status status = dxt_read_recording(reader, line, size, &window);
    if (status == DXT_OK) return dxt_reader_give(reader, window, reader->input.line);
    /* What a machine that went down has left in the middle. */
    if (reader->inner_at >= reader->inner.size && memchr(line, '\0', size))
        return dxt_split_lines(reader, line, line + size, '\0');
    if (status != DXT_ERR_FORMAT && status != DXT_ERR_LIMIT) return status;
    bool cut = reader->input.cut && reader->inner_at >= reader->inner.size;
    char why[768];
    snprintf(why, sizeof why, "%s", dxt_error() + strlen(reader->input.name) + 1);
    const char *reason = strstr(why, ": ");
    return dxt_reader_lose(reader, cut ? DXT_REMARK_CUT : DXT_REMARK_LOST, status,
                           reader->input.line, "%s", reason ? reason + 2 : why);
}

/* The next quote of CSV, "", that is one of JSON and no \"" within a text; NULL: there is none. */
static const char *find_quote(const char *from, const char *end)
{
    for (const char *at = from; (at = memmem(at, (size_t)(end - at), "\"\"", 2)); at += 2) {
        const char *slash = at;
        while (slash > from && slash[-1] == '\\') slash--;
        if ((at - slash) % 2 == 0) return at;
    }
    return NULL;
}

/* Whether an object in a field of CSV has a member with waits or text: the labels of a pod are in
 * such a field as well, and the line is in another. */
static bool is_worth(const char *at, const char *end)
{
    for (const char *name, *to; (name = find_quote(at, end)); at = to + 2) {
        name += 2;
        to = find_quote(name, end);
        if (!to) return false;
        const char *colon = to + 2;
        while (colon < end && dxt_is_blank(*colon)) colon++;
        if (colon == end || *colon != ':') continue;
        size_t size = (size_t)(to - name);
        if (dxt_carries_text(name, size) || dxt_names_phase(name, to) ||
            (size == 4 && memcmp(name, "wait", 4) == 0))
            return true;
    }
    return false;
}

/* An object in a field of CSV, {""v"":1}: as it was. */
static dxt_status unquote(dxt_reader *reader, const char **line, size_t *size)
{
    const char *at = *line, *end = at + *size, *brace = at;
    while ((brace = memchr(brace, '{', (size_t)(end - brace))) &&
           (end - brace < 4 || memcmp(brace, "{\"\"", 3) != 0 || !dxt_is_letter(brace[3])))
        brace++;
    const char *close = brace ? memrchr(brace, '}', (size_t)(end - brace)) : NULL;
    if (!close || !is_worth(brace, close)) return DXT_OK;
    dxt_text *plain = &reader->unquoted;
    plain->size = 0;
    for (at = brace; at <= close; at = end + 1) {
        end = memmem(at, (size_t)(close + 1 - at), "\"\"", 2);
        if (!end) end = close;
        dxt_text_append(plain, at, (size_t)(end + 1 - at));
        end += *end == '"';
    }
    if (plain->failed) return dxt_fail_memory(0);
    *line = plain->data;
    *size = plain->size;
    return DXT_OK;
}

/* Take away what stands around a line. It becomes NULL where there is nothing to read yet. */
static dxt_status strip_line(dxt_reader *reader, const char **line, size_t *size)
{
    dxt_status status = dxt_unwrap_text(reader, line, size);
    if (status == DXT_OK && *line && !reader->document.open)
        status = dxt_split_html(reader, line, *size);
    if (status == DXT_OK && *line) status = dxt_unescape(reader, line, size);
    return status == DXT_OK && *line ? unquote(reader, line, size) : status;
}

static dxt_status take_line(dxt_reader *reader, const char *line, size_t size)
{
    const char *at = line, *end = line + size;
    if (reader->document.open) {
        dxt_status clean = strip_line(reader, &line, &size);
        if (clean == DXT_OK && line) clean = dxt_look_around(reader, &line, &size);
        return clean == DXT_OK && line ? dxt_document_line(reader, line, size) : clean;
    }
    while (at < end && dxt_is_blank(*at)) at++;
    if (at < end && *at == '{' && dxt_is_object(at, end)) {
        if (dxt_is_recording(at, end)) return read_json(reader, line, size);
        return dxt_unwrap_json(reader, at, end);
    }
    dxt_status status = strip_line(reader, &line, &size);
    if (status == DXT_OK && line) status = dxt_look_around(reader, &line, &size);
    if (status != DXT_OK || !line) return status;
    at = line;
    bool value = reader->heading.size == 0 && dxt_document_find(reader, &at, line + size);
    if (value && *at == '[') return dxt_document_begin(reader, at, line + size);
    const char *object = dxt_find_recording(line, line + size);
    if (object) return read_json(reader, object, (size_t)(line + size - object));
    if (value) return dxt_document_begin(reader, at, line + size);
    return dxt_text_line(reader, line, line + size);
}

static dxt_status end_of_file(dxt_reader *reader)
{
    dxt_status status = DXT_OK;
    if (reader->inner_at >= reader->inner.size && dxt_serve_parts(reader)) return DXT_OK;
    if (reader->input.damaged)
        status = dxt_reader_lose(reader, DXT_REMARK_CUT, DXT_ERR_FORMAT, reader->input.line + 1,
                                 "the packed data are damaged or cut off here");
    if (status == DXT_OK) status = dxt_end_listed(reader);
    if (status == DXT_OK) status = dxt_table_end(reader, true);
    if (status == DXT_OK) status = dxt_document_end(reader);
    if (status != DXT_OK || reader->inner_at < reader->inner.size) return status;
    status = dxt_input_next_file(&reader->input);
    if (status != DXT_OK && status != DXT_END) return status;
    bool more = status == DXT_OK;
    reader->begun = reader->ranked = false;
    reader->newlines = DXT_NEWLINES_UNKNOWN;
    reader->printable = false;
    reader->escaped.size = reader->heading.size = 0;
    status = dxt_text_end(reader, more);
    return status != DXT_OK || more || is_ready(reader) ? status : DXT_END;
}

/* Read until a window is ready. */
static dxt_status read_next(dxt_reader *reader)
{
    dxt_status status = DXT_OK;
    const char *line;
    size_t size;
    while (!is_ready(reader) && status == DXT_OK) {
        if (!reader->begun) {
            status = begin_file(reader);
        } else if (reader->npy.windows > 0) {
            status = dxt_npy_next(reader);
        } else if ((status = next_line(reader, &line, &size)) == DXT_OK) {
            if (size > 0 && (line[0] == '\0' || line[size - 1] == '\0')) trim_zeros(&line, &size);
            status = take_line(reader, line, size);
        } else if (status == DXT_END) {
            status = end_of_file(reader);
        }
    }
    if (status != DXT_OK) reader->doubtful = false;
    bool nothing = reader->handed == 0 && !is_ready(reader);
    return status == DXT_END && nothing ? nothing_read(reader) : status;
}

/* ---- the public interface ---- */

static dxt_status make_reader(dxt_status opened, dxt_reader *made, dxt_reader **reader)
{
    if (opened != DXT_OK) {
        free(made);
        return opened;
    }
    strcpy(made->phase, "dispatch");
    made->launcher = made->document.rank = -1;
    *reader = made;
    return DXT_OK;
}

dxt_status dxt_reader_open(const char *path, dxt_reader **reader)
{
    if (!path || !reader)
        return dxt_fail(DXT_ERR_INVALID, "reader: path and result must not be NULL");
    dxt_reader *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    return make_reader(dxt_input_open(&made->input, path), made, reader);
}

dxt_status dxt_reader_open_memory(const void *data, size_t size, const char *name,
                                  dxt_reader **reader)
{
    if ((!data && size > 0) || !name || !reader)
        return dxt_fail(DXT_ERR_INVALID, "reader: data, name and result must not be NULL");
    dxt_reader *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    return make_reader(dxt_input_open_memory(&made->input, data, size, name), made, reader);
}

dxt_status dxt_reader_open_source(const dxt_source *source, const char *name, dxt_reader **reader)
{
    dxt_source taken;
    if (!source || !name || !reader)
        return dxt_fail(DXT_ERR_INVALID, "reader: source, name and result must not be NULL");
    if (!dxt_take_struct(&taken, sizeof taken, source, DXT_SIZE_UP_TO(dxt_source, read)) ||
        !taken.read)
        return dxt_fail(DXT_ERR_INVALID, "reader: source.read must not be NULL");
    dxt_reader *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    return make_reader(dxt_input_open_source(&made->input, &taken, name), made, reader);
}

void dxt_reader_on_remark(dxt_reader *reader, dxt_remark_fn on_remark, void *context)
{
    if (!reader) return;
    reader->on_remark = on_remark;
    reader->context = context;
}

dxt_status dxt_reader_next(dxt_reader *reader, dxt_window **window)
{
    if (!reader || !window) return dxt_fail(DXT_ERR_INVALID, "reader and result must not be NULL");
    if (!is_ready(reader) && reader->status == DXT_OK) {
        reader->status = read_next(reader);
        if (reader->status < DXT_OK)
            snprintf(reader->message, sizeof reader->message, "%s", dxt_error());
        if (!is_ready(reader)) return reader->status; /* which has just been said */
    }
    /* What went wrong behind a window is said when that has been handed out. */
    if (!is_ready(reader))
        return reader->status < DXT_OK ? dxt_fail(reader->status, "%s", reader->message)
                                       : reader->status;
    dxt_queue *ready = &reader->ready;
    *window = ready->windows[ready->at].window;
    reader->line = ready->windows[ready->at++].line;
    if (ready->at == ready->end) *ready = (dxt_queue){ready->windows, .capacity = ready->capacity};
    reader->handed++;
    return DXT_OK;
}

uint64_t dxt_reader_line(const dxt_reader *reader)
{
    if (!reader) return 0;
    return reader->line;
}

void dxt_reader_close(dxt_reader *reader)
{
    if (!reader) return;
    dxt_input_close(&reader->input);
    for (uint32_t i = 0; i < DXT_SHEETS; i++) dxt_sheet_drop(&reader->sheets[i]);
    for (uint32_t i = reader->ready.at; i < reader->ready.end; i++)
        dxt_window_free(reader->ready.windows[i].window);
    free(reader->ready.windows);
    dxt_table_drop(&reader->table);
    free(reader->inner.data);
    free(reader->clean.data);
    free(reader->cells.data);
    free(reader->partial[0].data);
    free(reader->partial[1].data);
    free(reader->compose[0].data);
    free(reader->compose[1].data);
    free(reader->parts.data);
    free(reader->heading.data);
    free(reader->listed.data);
    free(reader->escaped.data);
    free(reader->joined.data);
    free(reader->unquoted.data);
    free(reader->plain.data);
    free(reader->unticked.data);
    free(reader->document.text.data);
    free(reader->document.lines.data);
    free(reader->around.rest.data);
    free(reader);
}
