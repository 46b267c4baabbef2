/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <deepxtrace/deepxtrace.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Windows in one transaction at most. */
#define BATCH 200
/* … and their text, so that a transaction ends soon. */
#define BATCH_BYTES (INT64_C(32) << 20)
/* Text of a log that is read in one piece, unless a window is larger. */
#define LOG_CHUNK ((size_t)8 << 20)

/* The result of reading a piece of text. */
struct progress {
    uint64_t windows, bad;
    char problem[256];
};

bool reading_begin(reading *r, followed *file, recorder *to)
{
    if (r->judge) judge_free(r->judge);
    if (!r->judge) r->judge = calloc(1, sizeof *r->judge);
    if (!r->judge) return false;
    *r->judge = (judge){.min_share = to->options->min_share, .told = record_window, .context = to};
    file->position = file->line = 0;
    return true;
}

void reading_end(reading *r)
{
    if (r->judge) judge_free(r->judge);
    free(r->judge);
    r->judge = NULL;
}

static void note_failure(reading_desk *desk, dxt_status status)
{
    if (status == DXT_ERR_NO_MEMORY) snprintf(desk->s->why, sizeof desk->s->why, "out of memory");
}

bool reading_look_up(reading_desk *desk, followed *file)
{
    char *path = strdup(file->path);
    if (!path) {
        note_failure(desk, DXT_ERR_NO_MEMORY);
        return false;
    }
    dxt_make_printable(path); /* it becomes a label */
    query q = query_begin(desk->s, "INSERT INTO file (identity, path) VALUES (?1, ?2) ON CONFLICT"
                                   " (identity) DO UPDATE SET path = ?2");
    query_text(&q, file->identity);
    query_text(&q, path);
    bool known = query_do(&q);
    free(path);
    if (!known) return false;
    q = query_begin(desk->s, "SELECT id, position, done FROM file WHERE identity = ?");
    query_text(&q, file->identity);
    file->id = query_row(&q) ? query_get_int(&q, 0) : 0;
    file->stored = file->id != 0 ? query_get_int(&q, 1) : 0;
    if (file->packing != TEXT_PLAIN) file->done = file->stored > 0 && query_get_int(&q, 2) != 0;
    return query_end(&q) && file->id != 0;
}

/* The position up to which a restart need not read again: that of the first window that still waits
 * for its companion. */
static bool note_position(reading_desk *desk, const followed *file, const reading *r,
                          const struct progress *p)
{
    int64_t waiting = judge_waiting(r->judge);
    query q = query_begin(desk->s, "UPDATE file SET position = max(position, ?), done = ?,"
                                   " windows = windows + ?, bad = bad + ?,"
                                   " problem = coalesce(?, problem) WHERE id = ?");
    query_int(&q, waiting >= 0 && waiting < file->position ? waiting : file->position);
    query_int(&q, file->done);
    query_int(&q, (int64_t)p->windows);
    query_int(&q, (int64_t)p->bad);
    query_text(&q, p->problem[0] ? p->problem : NULL);
    query_int(&q, file->id);
    return query_do(&q);
}

static void tell(reading_desk *desk, followed *file, const char *problem)
{
    char line[1024];
    if (!problem[0]) return;
    snprintf(line, sizeof line, "%s: %s", file->path, problem);
    if (!file->told) desk->say(line);
    file->told = true;
}

static const char *read_error(void)
{
    return errno == EBADMSG ? "it is damaged" : strerror(errno);
}

/* The name that readers give the text in messages: it is replaced by the file and its line. */
#define PIECE "-"

/* The reason in "-:LINE: reason". */
static const char *reason_of(const char *message)
{
    size_t digits = strncmp(message, PIECE ":", 2) == 0 ? 2 + strspn(message + 2, "0123456789") : 0;
    return digits > 2 && strncmp(message + digits, ": ", 2) == 0 ? message + digits + 2 : message;
}

/* ---- recordings: a line is a window ---- */

static void note_bad(struct progress *progress, const followed *file, const char *why)
{
    progress->bad++;
    snprintf(progress->problem, sizeof progress->problem, "line %" PRId64 ": %s", file->line + 1,
             why);
}

static dxt_status take_line(reading *r, const followed *file, const char *line, size_t length,
                            struct progress *progress)
{
    dxt_reader *lines;
    dxt_window *window = NULL;
    bool anew = file->position >= file->stored;
    if (strspn(line, " \t\r\n") >= length) return DXT_OK;
    dxt_status status = dxt_reader_open_memory(line, length, PIECE, &lines);
    if (status != DXT_OK) return status;
    status = dxt_reader_next(lines, &window);
    dxt_reader_close(lines);
    if (status == DXT_OK) {
        progress->windows += anew;
        return judge_take(r->judge, window, file->position);
    }
    if (status == DXT_ERR_NO_MEMORY) return status;
    if (anew) note_bad(progress, file, reason_of(dxt_error()));
    return DXT_OK;
}

/* Read up to BATCH lines. @return Whether there is more; sets *failed. */
static bool read_lines(reading_desk *desk, followed *file, reading *r, text_source *source,
                       bool *failed)
{
    char *line = NULL;
    size_t capacity = 0, kept;
    int64_t length = 0, begin = file->position;
    struct progress progress = {0};
    dxt_status status = DXT_OK;
    for (int i = 0; status == DXT_OK && i < BATCH; i++) {
        if (file->position - begin >= BATCH_BYTES) break;
        length = text_line(source, &line, &capacity, &kept);
        if (length <= 0) break;
        if (kept > 0)
            status = take_line(r, file, line, kept, &progress);
        else if (file->position >= file->stored)
            note_bad(&progress, file, "longer than 1 GiB");
        file->position += length;
        file->line++;
    }
    if (status == DXT_OK && length < 0 && errno == ENOMEM) status = DXT_ERR_NO_MEMORY;
    if (status == DXT_OK && length < 0)
        snprintf(progress.problem, sizeof progress.problem, "%s", read_error());
    free(line);
    if (status == DXT_OK && length == 0 && text_is_whole(source)) {
        status = judge_rest(r->judge);
        file->done = true;
    }
    *failed = status != DXT_OK || !note_position(desk, file, r, &progress);
    note_failure(desk, status);
    tell(desk, file, progress.problem);
    return !*failed && length > 0;
}

/* ---- logs: a window is several lines ---- */

/* Whether an instance writes a recording beside its log. */
static bool is_recorded(reading_desk *desk, const char *instance)
{
    query q = query_begin(desk->s, "SELECT 1 FROM grp WHERE instance = ? AND recorded = 1");
    query_text(&q, instance ? instance : "");
    bool found = instance && query_row(&q);
    return query_end(&q) && found;
}

/* A piece of a log. */
struct piece {
    const char *text;
    size_t size;
    bool whole;    /* its last window is complete */
    size_t used;   /* bytes that are dealt with */
    uint64_t lost; /* windows that cannot be read */
    char problem[256];
};

static int note_remark(void *context, dxt_remark kind, const char *message)
{
    struct piece *piece = context;
    if (kind != DXT_REMARK_LOST) return 1;
    piece->lost++;
    snprintf(piece->problem, sizeof piece->problem, "a window cannot be read: %s",
             reason_of(message));
    return 1;
}

/* Give a window to the judge, unless its recording is there as well. */
static dxt_status take_held(reading_desk *desk, reading *r, const followed *file, dxt_window *held,
                            size_t at, struct progress *progress)
{
    if (is_recorded(desk, held->instance)) {
        dxt_window_free(held);
        return DXT_OK;
    }
    progress->windows += file->position + (int64_t)at >= file->stored;
    return judge_take(r->judge, held, file->position + (int64_t)at);
}

/* Judge the windows of a piece. All but the last are complete. So is the last one if nothing comes
 * behind it, unless it is only a header without rows. */
static dxt_status take_text(reading_desk *desk, reading *r, const followed *file,
                            struct piece *piece, struct progress *progress)
{
    dxt_reader *lines = NULL;
    dxt_window *held = NULL, *next = NULL;
    uint64_t lost = 0;
    dxt_status read = DXT_OK;
    dxt_status status = dxt_reader_open_memory(piece->text, piece->size, PIECE, &lines);
    if (status == DXT_OK) dxt_reader_on_remark(lines, note_remark, piece);
    while (status == DXT_OK && (read = dxt_reader_next(lines, &next)) == DXT_OK) {
        size_t at = dxt_log_rest(piece->text, piece->size, dxt_reader_line(lines), 0);
        if (held) status = take_held(desk, r, file, held, piece->used, progress);
        held = next;
        next = NULL;
        piece->used = at;
        lost = piece->lost;
    }
    if (read == DXT_ERR_NO_MEMORY) status = read;
    if (status == DXT_OK && piece->whole) {
        if (held) status = take_held(desk, r, file, held, piece->used, progress);
        held = NULL;
        piece->used = dxt_log_rest(piece->text, piece->size, dxt_reader_line(lines), 1);
        lost = piece->lost;
    }
    dxt_window_free(held);
    dxt_reader_close(lines);
    piece->lost = lost;
    return status;
}

/* Read up to the last newline. @return Bytes; −1 with errno. */
static ssize_t read_piece(text_source *source, char *text, size_t chunk, bool *full)
{
    ssize_t got = text_read(source, text, chunk);
    *full = got == (ssize_t)chunk;
    while (got > 0 && text[got - 1] != '\n') got--;
    return got;
}

/* Read a piece of `chunk` bytes. */
static dxt_status take_piece(reading_desk *desk, followed *file, reading *r, text_source *source,
                             size_t chunk, bool settled, struct piece *piece, bool *full,
                             struct progress *progress)
{
    char *text = malloc(chunk);
    dxt_status status = DXT_OK;
    if (!text) return DXT_ERR_NO_MEMORY;
    ssize_t got = text_seek(source, file->position) ? read_piece(source, text, chunk, full) : -1;
    if (got < 0) snprintf(progress->problem, sizeof progress->problem, "%s", read_error());
    bool ended = got >= 0 && text_is_whole(source);
    *piece = (struct piece){
        .text = text, .size = got > 0 ? (size_t)got : 0, .whole = *full || settled || ended};
    if (piece->size > 0) status = take_text(desk, r, file, piece, progress);
    if (ended) file->done = true;
    free(text);
    return status;
}

static dxt_status read_pieces(reading_desk *desk, followed *file, reading *r, text_source *source,
                              bool settled, struct progress *progress, bool *full)
{
    dxt_status status = DXT_OK;
    struct piece piece = {0};
    *full = true;
    /* A window larger than the piece is read again in a larger piece. */
    for (size_t chunk = LOG_CHUNK; status == DXT_OK && *full && piece.used == 0; chunk *= 2) {
        if (chunk <= TEXT_MOST) {
            *full = false;
            status = take_piece(desk, file, r, source, chunk, settled, &piece, full, progress);
        } else {
            snprintf(progress->problem, sizeof progress->problem, "a window is longer than 1 GiB");
            piece.used = TEXT_MOST;
        }
    }
    if (status == DXT_OK && piece.lost > 0 && file->position + (int64_t)piece.used > file->stored) {
        progress->bad += piece.lost;
        snprintf(progress->problem, sizeof progress->problem, "%s", piece.problem);
    }
    file->position += (int64_t)piece.used;
    return status;
}

static bool read_log(reading_desk *desk, followed *file, reading *r, text_source *source,
                     bool settled, bool *failed)
{
    struct progress progress = {0};
    bool full = false;
    dxt_status status = read_pieces(desk, file, r, source, settled, &progress, &full);
    if (status == DXT_OK && file->done) status = judge_rest(r->judge);
    if (settled && !full) file->settled = file->size;
    *failed = status != DXT_OK || !note_position(desk, file, r, &progress);
    note_failure(desk, status);
    tell(desk, file, progress.problem);
    return !*failed && full;
}

/* ---- either ---- */

bool reading_some(reading_desk *desk, followed *file, reading *r, text_source *source, bool settled,
                  bool *failed)
{
    recorder *to = desk->recorder;
    to->file = file->id;
    to->recording = !file->log;
    to->stored = file->stored;
    bool more = file->log ? read_log(desk, file, r, source, settled, failed)
                          : read_lines(desk, file, r, source, failed);
    if (*failed || !settled || more) return more && !*failed;
    dxt_status status = judge_rest(r->judge);
    note_failure(desk, status);
    *failed = status != DXT_OK;
    return false;
}

bool reading_has_waiting(const reading *r, const followed *file)
{
    if (!r->judge || file->done) return false;
    if (judge_waiting(r->judge) >= 0) return true;
    /* The text behind the last window is no window, and was read once: not again. */
    return file->log && file->position < file->size && file->settled != file->size;
}
