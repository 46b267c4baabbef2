/* SPDX-License-Identifier: Apache-2.0 */
#include "redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The number of a name; 0 if there is no memory. Neighbours share hosts: the newest first. */
static unsigned number_of(redaction *names, char kind, const char *name)
{
    unsigned most = 0;
    for (size_t i = names->count; i-- > 0;) {
        struct redacted *known = &names->names[i];
        if (known->kind != kind) continue;
        if (strcmp(known->name, name) == 0) return known->number;
        if (known->number > most) most = known->number;
    }
    if (names->count == names->capacity) {
        size_t capacity = 2 * names->capacity + 64;
        struct redacted *grown = realloc(names->names, capacity * sizeof *grown);
        if (!grown) return 0;
        names->names = grown;
        names->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy) return 0;
    names->names[names->count++] = (struct redacted){copy, kind, most + 1};
    return most + 1;
}

static const char *word_of(char kind)
{
    return kind == 'h' ? "host" : kind == 'u' ? "GPU" : kind == 'p' ? "pci" : "path";
}

/* Replace in place; "" stays. */
static bool replace(redaction *names, char kind, char *name, size_t size)
{
    if (!name[0]) return true;
    unsigned number = number_of(names, kind, name);
    if (number > 0) snprintf(name, size, "%s-%u", word_of(kind), number);
    return number > 0;
}

static bool replace_copy(redaction *names, char kind, char **name)
{
    char text[32];
    if (!*name || !(*name)[0]) return true;
    unsigned number = number_of(names, kind, *name);
    if (number == 0) return false;
    snprintf(text, sizeof text, "%s-%u", word_of(kind), number);
    free(*name);
    *name = strdup(text);
    return *name != NULL;
}

/* Where a path ends: at a blank, or what closes a quote or a list. */
static size_t word_length(const char *at)
{
    return strcspn(at, " \t\n\"',;()[]{}<>=|");
}

/* "path-1" and so on for each path in a text; @p text is released, and NULL on failure. */
static char *redact_paths(redaction *names, char *text)
{
    if (!text || !strpbrk(text, "/\\")) return text;
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    bool well = out != NULL;
    for (const char *at = text; well && *at;) {
        size_t length = word_length(at);
        char *word = strndup(at, length ? length : 1);
        well = word != NULL;
        if (well && length > 0 && strpbrk(word, "/\\")) {
            unsigned number = number_of(names, '/', word);
            well = number > 0 && fprintf(out, "path-%u", number) > 0;
        } else if (well) {
            fputs(word, out);
        }
        free(word);
        at += length ? length : 1;
    }
    if (out) well = fclose(out) == 0 && well;
    free(text);
    if (well) return made;
    free(made);
    return NULL;
}

/* A name that may hold paths. */
static bool clean(redaction *names, char **text)
{
    if (!*text) return true;
    *text = redact_paths(names, *text);
    return *text != NULL;
}

static bool redact_places(redaction *names, dxt_window *window)
{
    bool well = true;
    for (uint32_t rank = 0; window->hosts && rank < window->ranks && well; rank++)
        well = replace_copy(names, 'h', &window->hosts[rank]);
    for (uint32_t rank = 0; window->devices && rank < window->ranks && well; rank++) {
        dxt_place *place = &window->devices[rank];
        well = replace(names, 'h', place->host, sizeof place->host) &&
               replace(names, 'u', place->uuid, sizeof place->uuid) &&
               replace(names, 'p', place->pci, sizeof place->pci);
    }
    return well;
}

/* What names a host without its domain; an address is whole. */
static size_t short_length(const char *name)
{
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < length; i++)
        if (isalpha((unsigned char)name[i])) return length;
    return strlen(name);
}

static bool holds(const char *text, const char *word, size_t length)
{
    for (; strlen(text) >= length; text++)
        if (strncasecmp(text, word, length) == 0) return true;
    return false;
}

/* Whether a text tells a host or a GPU that is known, in any case and with or without a domain:
 * names of logs, jobs and groups often hold them. */
static bool names_a_place(const redaction *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct redacted *known = &names->names[i];
        if (known->kind == '/') continue;
        size_t length = known->kind == 'h' ? short_length(known->name) : strlen(known->name);
        if (holds(text, known->name, length)) return true;
    }
    return false;
}

dxt_status redact_window(void *context, dxt_window *window)
{
    redaction *names = context;
    free(window->extra);
    window->extra = NULL;
    bool well = redact_places(names, window);
    char **texts[] = {&window->source, &window->group, &window->case_name, &window->instance,
                      &window->mix};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && well; i++) {
        well = clean(names, texts[i]);
        if (well && *texts[i] && names_a_place(names, *texts[i]))
            well = replace_copy(names, '/', texts[i]);
    }
    return well ? DXT_OK : DXT_ERR_NO_MEMORY;
}

void redact_free(redaction *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->names[i].name);
    free(names->names);
    *names = (redaction){0};
}
