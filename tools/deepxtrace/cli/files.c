/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <deepxtrace/matrix.h>

#include "options.h"
#include "system/text.h"
#include "unpack.h"

/* So much of a file tells what it is. */
#define PEEK_SIZE ((size_t)64 << 10)
#define MAX_FILES 65536u

/* A file that was named, or found in a folder. */
struct entry {
    char *path;
    size_t stem; /* length of the path without what rotation appends */
    char instance[128];
    char time[40]; /* of its first window or line; "" = not known */
    bool found;    /* in a folder */
    bool link;     /* symbolic */
    struct stat file;
    bool recording; /* JSON Lines; otherwise text */
    bool ours;      /* there is something to read in it */
    size_t group;   /* index of the first entry of its log */
};

struct entries {
    struct entry *list;
    size_t count, capacity;
};

/* ---- names ---- */

static bool is_suffix_char(char c)
{
    return isdigit((unsigned char)c) || c == '-' || c == '_' || c == 'T' || c == ':';
}

/* Length without ".gz", ".zst", ".1", ".2025-09-15", "-20250915" and what numbers such parts. */
static size_t stem_length(const char *path)
{
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/');
    size_t least = slash ? (size_t)(slash - path) + 2 : 1;
    if (length > least + 3 && strcmp(path + length - 3, ".gz") == 0) length -= 3;
    if (length > least + 4 && strcmp(path + length - 4, ".zst") == 0) length -= 4;
    for (;;) {
        size_t at = length;
        while (at > least && is_suffix_char(path[at - 1])) at--;
        bool point = at > least && path[at - 1] == '.' && isdigit((unsigned char)path[length - 1]);
        /* logrotate's dates come behind a dash, which is a character of dates itself. */
        bool dash = !point && length - at >= 9 && path[at] == '-';
        if (!point && !dash) return length;
        length = point ? at - 1 : at;
    }
}

/* What a number says that rotation appends: 2 is older than 1, and that than none. */
static unsigned long age(const struct entry *entry)
{
    const char *suffix = entry->path + entry->stem;
    return *suffix == '.' && isdigit((unsigned char)suffix[1]) ? strtoul(suffix + 1, NULL, 10) : 0;
}

/* Older first: by time, else by what rotation appends. */
static int compare(const void *first, const void *second)
{
    const struct entry *a = *(const struct entry *const *)first;
    const struct entry *b = *(const struct entry *const *)second;
    if (a->time[0] && b->time[0]) {
        int order = strcmp(a->time, b->time);
        if (order != 0) return order;
    }
    unsigned long age_a = age(a), age_b = age(b);
    /* A date counts as no number: the newer, the larger. */
    if (age_a != age_b) {
        if (age_a < 1000 && age_b < 1000) return age_a > age_b ? -1 : 1;
        if (!age_a || !age_b) return age_a ? -1 : 1;
        return age_a < age_b ? -1 : 1;
    }
    return strcmp(a->path, b->path);
}

/* ---- content ---- */

/* Copy what follows `at` up to a blank, comma or quote. */
static void copy_word(const char *at, const char *end, char *to, size_t size)
{
    size_t length = 0;
    while (at && at < end && *at == ' ') at++;
    while (at && at < end && length + 1 < size && !strchr(" ,\"\\]\n", *at)) to[length++] = *at++;
    to[length] = '\0';
}

/* The first time of the form 2025-09-15T16:28:53. */
static void copy_time(const char *at, const char *end, char *to, size_t size)
{
    static const char form[] = "dddd-dd-dd?dd:dd:dd";
    size_t length = strlen(form);
    for (; end - at >= (ptrdiff_t)length; at++) {
        size_t i = 0;
        while (i < length && (form[i] == 'd'   ? isdigit((unsigned char)at[i]) != 0
                              : form[i] == '?' ? at[i] == 'T' || at[i] == ' '
                                               : at[i] == form[i]))
            i++;
        if (i < length) continue;
        while (at + i < end && i + 1 < size && (isdigit((unsigned char)at[i]) || at[i] == '.')) i++;
        memcpy(to, at, i);
        to[i] = '\0';
        to[10] = 'T';
        return;
    }
}

static int go_on(void *context, dxt_remark kind, const char *message)
{
    (void)context, (void)kind, (void)message;
    return 1;
}

/* Whether a window can be read from the bytes. @return false if there is no memory. */
static bool find_window(const char *bytes, size_t size, bool *found)
{
    dxt_reader *reader;
    dxt_window *window;
    if (dxt_reader_open_memory(bytes, size, "x", &reader) != DXT_OK) return false;
    dxt_reader_on_remark(reader, go_on, NULL);
    dxt_status status = dxt_reader_next(reader, &window);
    *found = status == DXT_OK;
    if (*found) dxt_window_free(window);
    dxt_reader_close(reader);
    return status != DXT_ERR_NO_MEMORY;
}

/* @return false if there is no memory. */
static bool look_at(struct entry *entry, const char *bytes, size_t size)
{
    const char *end = bytes + size;
    bool json = size >= 2 && bytes[0] == '{' && bytes[1] == '"';
    entry->recording =
        json && dxt_behind_text(bytes, end, "\"phase\"") && !dxt_behind_text(bytes, end, "EPSize:");
    bool named =
        dxt_behind_text(bytes, end, "EPSize:") || (json && dxt_behind_text(bytes, end, "\"wait\""));
    bool found = named;
    if (!named && !find_window(bytes, size, &found)) return false;
    entry->ours = found;
    const char *label = dxt_behind_text(bytes, end, "InstanceID:");
    if (!label) label = dxt_behind_text(bytes, end, "\"instance\":\"");
    copy_word(label, end, entry->instance, sizeof entry->instance);
    const char *begin = dxt_behind_text(bytes, end, "\"begin\":\"");
    copy_time(begin ? begin : bytes, end, entry->time, sizeof entry->time);
    return true;
}

/* Look at the first bytes. Pipes cannot be read twice, and what cannot be opened is said later;
 * what a folder holds and cannot be unpacked, at once. @return false if there is no memory. */
static bool peek(const char *command, struct entry *entry)
{
    struct stat about;
    unpack *files;
    char why[256];
    char *bytes = NULL;
    entry->ours = !entry->found;
    if (stat(entry->path, &about) != 0 || !S_ISREG(about.st_mode)) return true;
    dxt_status status = unpack_open(&entry->path, 1, &files, why, sizeof why);
    /* What a folder holds and cannot be unpacked here may be what is looked for. */
    bool says = status == DXT_ERR_UNSUPPORTED || status == DXT_ERR_LIMIT;
    if (says && entry->found) complain(command, "%s", why);
    if (status != DXT_OK) return status != DXT_ERR_NO_MEMORY;
    bytes = malloc(PEEK_SIZE);
    size_t size = 0, got = 1;
    while (bytes && got > 0 && size < PEEK_SIZE && status == DXT_OK) {
        status = unpack_read(files, bytes + size, PEEK_SIZE - size, &got);
        if (status == DXT_OK) size += got;
    }
    unpack_close(files);
    bool room = bytes && status != DXT_ERR_NO_MEMORY && look_at(entry, bytes, size);
    entry->ours = entry->ours || !entry->found;
    free(bytes);
    return room;
}

/* ---- operands ---- */

static bool add(struct entries *all, char *path, bool found)
{
    if (!path) return false;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 16;
        struct entry *list = realloc(all->list, capacity * sizeof *list);
        if (!list) {
            free(path);
            return false;
        }
        all->list = list;
        all->capacity = capacity;
    }
    all->list[all->count] =
        (struct entry){.path = path, .found = found, .ours = !found, .stem = stem_length(path)};
    all->list[all->count].group = all->count;
    all->count++;
    return true;
}

/* Whether a file that was found is there under another name, which is taken instead. */
static bool is_taken(const struct entries *all, size_t index)
{
    const struct entry *one = &all->list[index], *other = all->list;
    for (size_t i = 0; (one->link || one->file.st_nlink > 1) && i < all->count; i++, other++)
        if (i != index && other->found && other->file.st_ino == one->file.st_ino &&
            other->file.st_dev == one->file.st_dev &&
            (one->link == other->link ? i < index : one->link))
            return true;
    return false;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static outcome add_folder(const char *command, struct entries *all, const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return complain(command, "%s: %s", path, strerror(errno));
    size_t first = all->count;
    const struct dirent *item;
    bool room = true;
    while (room && (item = readdir(folder))) {
        char *name;
        struct stat about, own;
        if (item->d_name[0] == '.') continue;
        if (asprintf(&name, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
                     item->d_name) < 0)
            name = NULL;
        if (!name) {
            room = false;
            break;
        }
        if ((stat(name, &about) != 0 || !S_ISREG(about.st_mode))) {
            free(name);
            continue;
        }
        room = all->count < MAX_FILES && add(all, name, true);
        if (all->count == MAX_FILES && !room) free(name);
        if (!room) break;
        all->list[all->count - 1].file = about;
        all->list[all->count - 1].link = lstat(name, &own) == 0 && S_ISLNK(own.st_mode);
    }
    closedir(folder);
    if (!room && all->count < MAX_FILES) return complain_memory(command);
    if (!room) return complain(command, "%s: more than %u files", path, MAX_FILES);
    if (all->count > first)
        qsort(all->list + first, all->count - first, sizeof *all->list, by_path);
    bool any = false;
    for (size_t i = first; i < all->count; i++) {
        all->list[i].group = i;
        if (is_taken(all, i)) continue;
        if (!peek(command, &all->list[i])) return complain_memory(command);
        any = any || all->list[i].ours;
    }
    return any ? GO_ON : complain(command, "%s holds no recording, log or matrix", path);
}

static outcome add_operand(const char *command, struct entries *all, const char *path)
{
    struct stat about;
    if (*path == '\0') return complain(command, "a file name must not be empty");
    if (strcmp(path, "-") != 0 && stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return add_folder(command, all, path);
    return add(all, strdup(path), false) ? GO_ON : complain_memory(command);
}

/* ---- which belong together ---- */

static bool same_log(const struct entry *a, const struct entry *b)
{
    if (a->recording != b->recording || strcmp(a->path, b->path) == 0) return false;
    if (a->instance[0] && b->instance[0]) return strcmp(a->instance, b->instance) == 0;
    return a->time[0] && b->time[0] && a->stem == b->stem && memcmp(a->path, b->path, a->stem) == 0;
}

/* A log beside the recording of the same run says nothing new. */
static bool is_recorded(const struct entries *all, const struct entry *log)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct entry *other = &all->list[i];
        if (!other->ours || !other->recording || !other->found || log->recording) continue;
        if (log->instance[0] && strcmp(log->instance, other->instance) == 0) return true;
    }
    return false;
}

/* Say it once, however many logs there are. */
static void tell_recorded(const char *command, const char *path, size_t count)
{
    if (count == 1)
        complain(command, "%s is left out: its windows are in a recording beside it", path);
    else if (count > 1)
        complain(command, "%s and %zu more are left out: recordings beside them have their windows",
                 path, count - 1);
}

static void put_together(const char *command, struct entries *all)
{
    const char *recorded = NULL;
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct entry *entry = &all->list[i];
        if (entry->found && entry->ours && is_recorded(all, entry)) {
            if (count++ == 0) recorded = entry->path;
            entry->ours = false;
        }
        for (size_t j = 0; j < i && entry->ours && entry->group == i; j++)
            if (all->list[j].ours && same_log(&all->list[j], entry))
                entry->group = all->list[j].group;
    }
    tell_recorded(command, recorded, count);
}

static bool make_group(const struct entries *all, size_t first, file_group *group)
{
    size_t count = 0;
    for (size_t i = first; i < all->count; i++)
        count += all->list[i].ours && all->list[i].group == first;
    const struct entry **members = calloc(count, sizeof *members);
    group->paths = calloc(count, sizeof *group->paths);
    bool good = members && group->paths;
    for (size_t i = first, at = 0; good && i < all->count; i++)
        if (all->list[i].ours && all->list[i].group == first) members[at++] = &all->list[i];
    if (good) qsort(members, count, sizeof *members, compare);
    for (; good && group->count < count; group->count++) {
        group->paths[group->count] = strdup(members[group->count]->path);
        good = group->paths[group->count] != NULL;
        if (!good) break;
    }
    if (good && count > 1) {
        if (asprintf(&group->name, "%s and %zu older", group->paths[count - 1], count - 1) < 0)
            group->name = NULL;
    } else if (good) {
        group->name = strdup(group->paths[0]);
    }
    free(members);
    return good && group->name;
}

static outcome make_groups(const char *command, const struct entries *all, file_groups *groups)
{
    groups->groups = calloc(all->count, sizeof *groups->groups);
    bool good = groups->groups != NULL;
    for (size_t i = 0; good && i < all->count; i++)
        if (all->list[i].ours && all->list[i].group == i)
            good = make_group(all, i, &groups->groups[groups->count++]);
    if (good) return GO_ON;
    files_free(groups);
    return complain_memory(command);
}

outcome files_find(const char *command, char **operands, size_t count, file_groups *groups)
{
    struct entries all = {0};
    outcome result = GO_ON;
    *groups = (file_groups){0};
    for (size_t i = 0; i < count && result == GO_ON; i++)
        result = add_operand(command, &all, operands[i]);
    for (size_t i = 0; i < all.count && result == GO_ON && all.count > 1; i++)
        if (!all.list[i].found && !peek(command, &all.list[i])) result = complain_memory(command);
    if (result == GO_ON) {
        put_together(command, &all);
        result = make_groups(command, &all, groups);
    }
    for (size_t i = 0; i < all.count; i++) free(all.list[i].path);
    free(all.list);
    return result;
}

void files_free(file_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        for (size_t j = 0; j < groups->groups[i].count; j++) free(groups->groups[i].paths[j]);
        free(groups->groups[i].paths);
        free(groups->groups[i].name);
    }
    free(groups->groups);
    *groups = (file_groups){0};
}
