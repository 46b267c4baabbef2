/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that name an operator, and those that are the heading of its matrix. */
#include <string.h>
#include <strings.h>

#include "matrix/around.h"
#include "matrix/reader.h"
#include "matrix/scan.h"

/* The operator that a text names; NULL: it names none, or both. */
static const char *find_phase(const char *at, const char *end)
{
    static const char *const names[] = {"dispatch", "combine"};
    const char *found = NULL;
    for (; end - at >= 7; at++)
        for (int i = 0; i < 2; i++) {
            size_t k = 0, length = strlen(names[i]);
            if ((size_t)(end - at) < length) continue;
            while (k < length && (at[k] | 32) == names[i][k]) k++;
            if (k < length) continue;
            if (found && found != names[i]) return NULL;
            found = names[i];
        }
    return found;
}

bool dxt_names_phase(const char *at, const char *end)
{
    return find_phase(at, end) != NULL;
}

/* Whether a word is one of an operator's heading: "combine wait matrix:". */
static bool is_of_heading(const char *at, size_t size)
{
    static const char *const words[] = {"dispatch", "combine", "wait", "waits",
                                        "matrix",   "recv",    "cost"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == size && strncasecmp(words[i], at, size) == 0) return true;
    return false;
}

/* Whether a text may stand in front of a heading: it ends in a number, a mark or "INFO". */
static bool is_front(const char *at, const char *end)
{
    while (end > at && dxt_is_blank(end[-1])) end--;
    const char *word = end;
    while (word > at && word[-1] >= 'A' && word[-1] <= 'Z') word--;
    bool level = end - word >= 4 && (word == at || !dxt_is_word(word[-1]));
    return end == at || level || !dxt_is_letter(end[-1]);
}

const char *dxt_heads_phase(const char *at, const char *end, const char **begin)
{
    /* No number stands behind the name, as in "dispatch took 12 ms", and no other word. */
    while (end > at && (dxt_is_blank(end[-1]) || end[-1] == ':' || end[-1] == '=')) end--;
    const char *from = end;
    for (const char *to = end, *word;; to = word) {
        while (to > at && dxt_is_blank(to[-1])) to--;
        for (word = to; word > at && dxt_is_letter(word[-1]);) word--;
        if (!is_of_heading(word, (size_t)(to - word))) break;
        from = word;
    }
    if (begin) *begin = from;
    return is_front(at, from) ? find_phase(from, end) : NULL;
}

void dxt_note_phase(dxt_reader *reader, const char *at, const char *end)
{
    const char *name = find_phase(at, end);
    if (name) strcpy(reader->phase, name);
    dxt_note_unit(reader, at, end, name != NULL);
}

dxt_status dxt_heading_comes(dxt_reader *reader, const char *at, const char *end)
{
    bool heads = *at == '#' || *at == '|' || dxt_heads_phase(at, end, NULL);
    return heads ? dxt_end_unit(reader, at, end, dxt_names_phase(at, end)) : DXT_OK;
}
