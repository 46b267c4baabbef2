/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that objects of JSON carry: Docker's files, collectors of logs, loggers. Docker cuts a line
 * after 16 KiB, and only its last part ends in a newline; others leave the newline out. The first
 * text that ends in a newline shows which of the two a file does. Texts before it are held back.
 */
#include <stdlib.h>
#include <string.h>

#include "matrix/json.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/tagged.h"

/* A part of a line that Docker has cut is not shorter. */
#define PART_SIZE 16000
/* So much is held back before texts without a newline are taken for whole lines. */
#define HELD_COUNT 64
#define HELD_SIZE ((size_t)64 << 10)
/* Between texts that are held back; no text holds it. */
#define HELD_END '\0'

/* What an object says of the line that it carries. */
typedef struct carried {
    char *text;
    bool docker; /* the text is called "log" */
    bool error;  /* "stream": "stderr" */
    bool tagged; /* the collector says whether it is a part of a line */
    bool part;
} carried;

/* "stream": "stderr", "logtag": "P", "partial_message": "true". */
static dxt_status take_member(dxt_json *json, const char *name, carried *found)
{
    bool text = dxt_carries_text(name, strlen(name)) && !found->text;
    bool stream = strcmp(name, "stream") == 0, tag = strcmp(name, "logtag") == 0;
    bool partial = strcmp(name, "partial_message") == 0;
    if ((!text && !stream && !tag && !partial) || json->at == json->end || *json->at != '"')
        return dxt_json_skip(json) ? DXT_OK : DXT_END;
    char *value;
    dxt_status status = dxt_json_string(json, &value);
    if (status != DXT_OK) return status == DXT_ERR_FORMAT ? DXT_END : status;
    if (stream) found->error = strcmp(value, "stderr") == 0;
    if (tag || partial) found->tagged = true;
    if (tag) found->part = value[0] == 'P';
    if (partial) found->part = strcmp(value, "true") == 0;
    if (!text) {
        free(value);
        return DXT_OK;
    }
    found->text = value;
    found->docker = strcmp(name, "log") == 0;
    return DXT_OK;
}

/* The first member whose name says that it carries text, and what is said of it. DXT_END: no more
 * can be read of the object. */
static dxt_status find_text(dxt_json *json, carried *found)
{
    if (!dxt_json_expect(json, '{')) return DXT_END;
    do {
        char *name;
        dxt_status status = dxt_json_string(json, &name);
        if (status != DXT_OK) return status == DXT_ERR_FORMAT ? DXT_END : status;
        bool value = dxt_json_expect(json, ':');
        if (value) dxt_json_space(json);
        status = value ? take_member(json, name, found) : DXT_END;
        free(name);
        if (status != DXT_OK) return status;
    } while (dxt_json_take(json, ','));
    return DXT_END;
}

/* ---- parts ---- */

/* The texts that are held back are parts of lines, or lines. */
static void settle(dxt_reader *reader, bool parts)
{
    reader->newlines = parts ? DXT_NEWLINES_WRITTEN : DXT_NEWLINES_LEFT_OUT;
    for (int i = 0; i < 2; i++) {
        dxt_text *held = &reader->partial[i];
        size_t size = 0;
        for (size_t k = 0; k < held->size; k++)
            if (held->data[k] != HELD_END || !parts)
                held->data[size++] = held->data[k] == HELD_END ? '\n' : held->data[k];
        held->size = size;
    }
    reader->held = 0;
}

/* Text that is held back until it is known what ends a line. @return Whether it is. */
static bool hold(dxt_reader *reader, dxt_text *partial, bool ends, dxt_status *status)
{
    if (reader->newlines != DXT_NEWLINES_UNKNOWN) return false;
    if (ends) {
        settle(reader, true);
        return false;
    }
    *status = dxt_keep_part(reader, partial, "", 1);
    if (*status == DXT_OK && (++reader->held >= HELD_COUNT || partial->size >= HELD_SIZE)) {
        settle(reader, false);
        dxt_serve_inner(reader, partial);
    }
    return true;
}

static dxt_status take_text(dxt_reader *reader, const carried *found)
{
    size_t size = strlen(found->text);
    bool ends = size > 0 && found->text[size - 1] == '\n';
    dxt_text *partial = &reader->partial[found->error];
    dxt_status status = dxt_keep_part(reader, partial, found->text, size);
    if (status != DXT_OK) return status;
    bool part = found->part;
    if (!found->tagged && found->docker) {
        bool long_part = size >= PART_SIZE && !ends;
        if (!long_part && hold(reader, partial, ends, &status)) return status;
        part = !ends && (long_part || reader->newlines == DXT_NEWLINES_WRITTEN);
    }
    if (!part) dxt_serve_inner(reader, partial);
    return DXT_OK;
}

/* Whether the waits stand beside a text of words, {"event": "wait", "rank": 0, "wait": [1, 2]}. */
static bool holds_waits(const dxt_reader *reader, const char *text, const char *line,
                        const char *end)
{
    if (reader->headers || !memchr(line, '[', (size_t)(end - line))) return false;
    for (; *text; text++)
        if (dxt_is_digit(*text)) return false;
    return dxt_names_waits(line, end);
}

bool dxt_serve_parts(dxt_reader *reader)
{
    if (reader->newlines == DXT_NEWLINES_UNKNOWN) settle(reader, false);
    for (int i = 0; i < 2; i++) {
        if (reader->partial[i].size == 0) continue;
        dxt_serve_inner(reader, &reader->partial[i]);
        return true;
    }
    return false;
}

dxt_status dxt_unwrap_json(dxt_reader *reader, const char *line, const char *end)
{
    dxt_json json = {line, line, end, NULL};
    carried found = {0};
    dxt_status status = find_text(&json, &found);
    bool text = found.text && !holds_waits(reader, found.text, line, end);
    if (status == DXT_END)
        status = text ? take_text(reader, &found) : dxt_document_begin(reader, line, end);
    free(found.text);
    return status;
}
