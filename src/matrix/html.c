/* SPDX-License-Identifier: Apache-2.0 */
/* A log that a page carries in one line: what stands between <br>, <p> and the like is a line. */
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"
#include "matrix/scan.h"

/* Most bytes of a tag behind its name. */
#define MOST_TAG 1000

/* The name of a tag, and whether what follows it is another line. */
static const struct {
    const char *name;
    bool line;
} tags[] = {{"br", true},    {"p", true},     {"div", true},   {"li", true},   {"tr", true},
            {"pre", true},   {"span", false}, {"code", false}, {"html", true}, {"body", true},
            {"font", false}, {"ul", true},    {"ol", true},    {"samp", false}};

static const struct {
    const char *name;
    const char *text;
} entities[] = {{"&lt;", "<"},   {"&gt;", ">"},   {"&amp;", "&"},  {"&quot;", "\""},
                {"&#39;", "'"},  {"&#34;", "\""}, {"&apos;", "'"}, {"&nbsp;", " "},
                {"&#x27;", "'"}, {"&#10;", "\n"}, {"&#xa;", "\n"}, {"&#160;", " "}};

/* Behind a tag that begins at `at`; NULL: none does. */
static const char *skip_tag(const char *at, const char *end, bool *line)
{
    const char *name = at + 1;
    if (name < end && *name == '/') name++;
    const char *to = name;
    while (to < end && dxt_is_letter(*to)) to++;
    if (to == end || !(dxt_is_blank(*to) || *to == '>' || *to == '/')) return NULL;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (strlen(tags[i].name) != (size_t)(to - name) ||
            strncasecmp(tags[i].name, name, (size_t)(to - name)) != 0)
            continue;
        const char *close = memchr(to, '>', end - to > MOST_TAG ? MOST_TAG : (size_t)(end - to));
        *line = tags[i].line;
        return close ? close + 1 : NULL;
    }
    return NULL;
}

/* What an entity stands for. @return Its bytes; 0: it is none. */
static size_t take_entity(const char *at, const char *end, const char **text)
{
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t size = strlen(entities[i].name);
        if ((size_t)(end - at) < size || memcmp(at, entities[i].name, size) != 0) continue;
        *text = entities[i].text;
        return size;
    }
    return 0;
}

/* Whether a tag breaks a line in front of a row: "[1 2]<br> [3 4]", "out: <pre>rank=0 [1 2]". */
static bool parts_rows(const char *line, const char *tag, const char *behind, const char *end)
{
    bool breaks = strncasecmp(tag, "<br", 3) == 0 || strncasecmp(tag, "<pre", 4) == 0;
    while (tag > line && dxt_is_blank(tag[-1])) tag--;
    while (behind < end && dxt_is_blank(*behind)) behind++;
    if (!breaks && (tag == line || tag[-1] != ']')) return false;
    return behind < end &&
           (*behind == '[' || (end - behind > 5 && memcmp(behind, "rank=", 5) == 0));
}

/* Whether lines of a log or a matrix stand in a line, between tags that part them. Such tags may
 * also stand in a cell of CSV: a line of a page begins with one, or they part rows. */
static bool is_worth(const char *line, const char *end)
{
    const size_t size = (size_t)(end - line);
    const char *first = line;
    bool parts = false;
    int tries = 0;
    while (first < end && dxt_is_blank(*first)) first++;
    for (const char *at = first; !parts && tries < 16; at++, tries++) {
        at = memchr(at, '<', (size_t)(end - at));
        if (!at) return false;
        const char *behind = skip_tag(at, end, &parts);
        parts = parts && behind && (*first == '<' || parts_rows(first, at, behind, end));
    }
    return parts && (memmem(line, size, "EPSize:", 7) || memmem(line, size, "rank=", 5) ||
                     memmem(line, size, "[[", 2));
}

dxt_status dxt_split_html(dxt_reader *reader, const char **line, size_t size)
{
    const char *at = *line, *end = at + size;
    if (size == 0 || !memchr(at, '<', size) || reader->inner_at < reader->inner.size ||
        !is_worth(at, end))
        return DXT_OK;
    dxt_text *lines = &reader->document.lines;
    lines->size = 0;
    for (const char *from = at; at < end; from = at) {
        while (at < end && *at != '<' && *at != '&') at++;
        dxt_text_append(lines, from, (size_t)(at - from));
        if (at == end) break;
        bool parts = false;
        const char *text = NULL, *next = *at == '<' ? skip_tag(at, end, &parts) : NULL;
        size_t entity = *at == '&' ? take_entity(at, end, &text) : 0;
        if (next) {
            if (parts) dxt_text_puts(lines, "\n");
            at = next;
        } else if (entity > 0) {
            dxt_text_puts(lines, text);
            at += entity;
        } else {
            dxt_text_append(lines, at++, 1);
        }
    }
    if (lines->failed) return dxt_fail_memory(0);
    *line = NULL;
    dxt_serve_inner(reader, lines);
    return DXT_OK;
}
