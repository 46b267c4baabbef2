/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_CAPACITY ((size_t)64 << 10)

/* Most bytes of a name in a message, so that there is room for the reason. */
#define NAME_MOST 300

/* Of a long name the end is kept, where the file's own name is. */
static dxt_status set_name(dxt_input *input, const char *name)
{
    size_t size = strlen(name);
    char *copy = strdup(size > NAME_MOST ? name + size - NAME_MOST : name);
    if (!copy) return dxt_fail_memory(size + 1);
    if (size > NAME_MOST) memcpy(copy, "...", strlen("..."));
    dxt_make_printable(copy); /* a member of an archive may be called anything */
    free(input->name);
    input->name = copy;
    return DXT_OK;
}

dxt_status dxt_input_open(dxt_input *input, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    *input = (dxt_input){.fd = STDIN_FILENO, .line_max = DXT_MAX_LINE};
    if (!standard) input->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0) return dxt_fail_errno("%s", path);
    struct stat about;
    if (fstat(input->fd, &about) == 0 && S_ISDIR(about.st_mode)) {
        dxt_input_close(input);
        errno = EISDIR;
        return dxt_fail_errno("%s", path);
    }
    dxt_status status = set_name(input, standard ? "standard input" : path);
    if (status != DXT_OK) dxt_input_close(input);
    return status;
}

dxt_status dxt_input_open_memory(dxt_input *input, const void *data, size_t size, const char *name)
{
    *input =
        (dxt_input){.fd = -1, .data = data, .size = size, .ended = true, .line_max = DXT_MAX_LINE};
    return set_name(input, name);
}

dxt_status dxt_input_open_source(dxt_input *input, const dxt_source *source, const char *name)
{
    *input = (dxt_input){.fd = -1, .source = *source, .line_max = DXT_MAX_LINE};
    return set_name(input, name);
}

void dxt_input_close(dxt_input *input)
{
    if (input->fd > STDIN_FILENO) close(input->fd);
    free(input->buffer);
    free(input->raw);
    free(input->name);
    *input = (dxt_input){.fd = -1};
}

static dxt_status too_long(const dxt_input *input)
{
    return dxt_fail(DXT_ERR_LIMIT, "%s:%llu: the line is longer than %zu bytes", input->name,
                    (unsigned long long)input->line + 1, input->line_max);
}

/* Make room behind the line under way, which moves to the front. */
static dxt_status make_room(dxt_input *input)
{
    if (input->at > 0) {
        memmove(input->buffer, input->buffer + input->at, input->size - input->at);
        input->size -= input->at;
        input->at = 0;
    }
    /* A character of UTF-16 may take three bytes for its two. */
    size_t least = input->raw ? 16 : 1;
    if (input->size + least <= input->capacity) return DXT_OK;
    if (input->size > input->line_max) return too_long(input);
    size_t capacity = input->capacity ? input->capacity * 2 : FIRST_CAPACITY;
    char *buffer = realloc(input->buffer, capacity);
    if (!buffer) return dxt_fail_memory(capacity);
    input->data = input->buffer = buffer;
    input->capacity = capacity;
    return DXT_OK;
}

/* Where the next bytes go, and how many. */
static size_t find_room(const dxt_input *input, char **to)
{
    if (input->raw) return dxt_utf16_room(input, to);
    *to = input->buffer + input->size;
    return input->capacity - input->size;
}

static void take_bytes(dxt_input *input, size_t got)
{
    if (input->raw)
        dxt_utf16_take(input, got);
    else
        input->size += got;
}

static dxt_status read_source(dxt_input *input)
{
    char *to;
    size_t got = 0, room = find_room(input, &to);
    errno = 0;
    dxt_status status = input->source.read(input->source.context, to, room, &got);
    if (status == DXT_ERR_FORMAT) {
        /* What was packed before the damage counts. */
        input->ended = input->damaged = true;
        return DXT_OK;
    }
    if (status == DXT_ERR_NO_MEMORY) return dxt_fail_memory(0); /* whatever errno says */
    if (status != DXT_OK)
        return errno ? dxt_fail_errno("%s", input->name)
                     : dxt_fail(status, "%s: reading failed", input->name);
    take_bytes(input, got < room ? got : room);
    input->ended = got == 0;
    return DXT_OK;
}

/* Read more behind the line under way. */
static dxt_status refill(dxt_input *input)
{
    dxt_status status = make_room(input);
    if (status != DXT_OK) return status;
    if (input->source.read) return read_source(input);
    char *to;
    size_t room = find_room(input, &to);
    ssize_t got;
    do {
        got = read(input->fd, to, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return dxt_fail_errno("%s", input->name);
    take_bytes(input, (size_t)got);
    input->ended = got == 0;
    return DXT_OK;
}

dxt_status dxt_input_line(dxt_input *input, const char **line, size_t *size)
{
    const char *newline = NULL;
    size_t searched = 0;
    for (;;) {
        size_t left = input->size - input->at;
        if (left > searched)
            newline = memchr(input->data + input->at + searched, '\n', left - searched);
        if (newline || input->ended) break;
        searched = left;
        dxt_status status = refill(input);
        if (status != DXT_OK) return status;
    }
    if (input->at == input->size) return DXT_END;
    const char *from = input->data + input->at;
    const char *end = newline ? newline : input->data + input->size;
    if ((size_t)(end - from) > input->line_max) return too_long(input);
    input->at = (size_t)(end - input->data) + (newline != NULL);
    input->line++;
    input->cut = !newline;
    *line = from;
    *size = (size_t)(end - from) - (end > from && end[-1] == '\r');
    return DXT_OK;
}

dxt_status dxt_input_peek(dxt_input *input, size_t size, const char **bytes, size_t *got)
{
    while (input->size - input->at < size && !input->ended) {
        dxt_status status = refill(input);
        if (status != DXT_OK) return status;
    }
    size_t left = input->size - input->at;
    *bytes = left ? input->data + input->at : "";
    *got = left < size ? left : size;
    return DXT_OK;
}

void dxt_input_skip(dxt_input *input, size_t size)
{
    input->at += size;
}

dxt_status dxt_input_next_file(dxt_input *input)
{
    const char *name = NULL;
    if (!input->source.next) return DXT_END;
    errno = 0;
    dxt_status status = input->source.next(input->source.context, &name);
    if (status == DXT_END) return DXT_END;
    if (status == DXT_ERR_NO_MEMORY) return dxt_fail_memory(0);
    if (status != DXT_OK && errno) return dxt_fail_errno("%s", name ? name : input->name);
    if (status != DXT_OK)
        return dxt_fail(status, "the file after %s cannot be opened", input->name);
    input->at = input->size = 0;
    input->line = 0;
    input->ended = input->cut = input->damaged = false;
    free(input->raw);
    input->raw = NULL;
    input->raw_size = 0;
    return set_name(input, name ? name : "?");
}
