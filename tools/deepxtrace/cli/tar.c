/* SPDX-License-Identifier: Apache-2.0 */
#include "tar.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Longest name that is kept; of a longer one, its beginning. */
#define NAME_MOST 4096u

/* Places in a head. */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    SIZE = 124,
    SIZE_SIZE = 12,
    SUM = 148,
    SUM_SIZE = 8,
    KIND = 156,
    MAGIC = 257,
    MORE = 482,       /* of a file with holes: more of their places follow, in a block */
    MORE_THERE = 504, /* the same in that block */
    PREFIX = 345,
    PREFIX_SIZE = 155
};

struct tar_archive {
    tar_read_fn read;
    void *context;
    uint64_t left;         /* bytes of the member under way */
    uint64_t padding;      /* behind them */
    bool holed;            /* they are a file's without its holes: they are not read */
    char name[NAME_MOST];  /* of it */
    char given[NAME_MOST]; /* a longer name than fits a head, of the next one; "": none */
};

/* ---- heads ---- */

static bool octal(const unsigned char *at, size_t size, uint64_t *value)
{
    *value = 0;
    while (size > 0 && *at == ' ') at++, size--;
    size_t digits = 0;
    for (; size > 0 && *at >= '0' && *at <= '7'; at++, size--, digits++)
        *value = *value << 3 | (uint64_t)(*at - '0');
    return digits > 0 && (size == 0 || *at == ' ' || *at == '\0');
}

/* A size: in octal, or, where that does not fit, its bytes behind a mark. */
static bool size_of(const unsigned char *head, uint64_t *value)
{
    const unsigned char *at = head + SIZE;
    if (*at != 0x80) return octal(at, SIZE_SIZE, value);
    *value = 0;
    for (int i = 1; i < SIZE_SIZE; i++) {
        if (*value >> 48) return false;
        *value = *value << 8 | at[i];
    }
    return true;
}

/* The sum of a head's bytes, with blanks in place of the sum itself. */
static bool adds_up(const unsigned char *head)
{
    uint64_t sum = 0, told;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= SUM && i < SUM + SUM_SIZE ? (unsigned char)' ' : head[i];
    return octal(head + SUM, SUM_SIZE, &told) && told == sum;
}

bool tar_is(const unsigned char *bytes, size_t size)
{
    uint64_t length;
    return size >= TAR_BLOCK && bytes[NAME] != '\0' && adds_up(bytes) && size_of(bytes, &length);
}

static void copy_name(char *to, const unsigned char *from, size_t size)
{
    size_t length = strnlen((const char *)from, size);
    if (length >= NAME_MOST) length = NAME_MOST - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

static void take_name(tar_archive *archive, const unsigned char *head)
{
    if (archive->given[0]) {
        memcpy(archive->name, archive->given, NAME_MOST);
        return;
    }
    char prefix[NAME_MOST] = "";
    bool ustar = memcmp(head + MAGIC, "ustar\0", 6) == 0;
    if (ustar) copy_name(prefix, head + PREFIX, PREFIX_SIZE);
    size_t size = strlen(prefix);
    memcpy(archive->name, prefix, size);
    if (size > 0) archive->name[size++] = '/';
    copy_name(archive->name + size, head + NAME, NAME_SIZE);
}

/* ---- bytes ---- */

/* Fill a buffer, or as much of it as there is. */
static dxt_status fill(const tar_archive *archive, unsigned char *to, size_t size, size_t *got)
{
    size_t now = 1;
    for (*got = 0; *got < size && now > 0; *got += now) {
        dxt_status status = archive->read(archive->context, to + *got, size - *got, &now);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

static dxt_status skip(tar_archive *archive)
{
    unsigned char passed[4096];
    uint64_t left = archive->left + archive->padding;
    while (left > 0) {
        size_t size = left < sizeof passed ? (size_t)left : sizeof passed, got;
        dxt_status status = archive->read(archive->context, passed, size, &got);
        if (status != DXT_OK) return status;
        if (got == 0) break;
        left -= got;
    }
    archive->padding = 0;
    bool cut = archive->left > 0 && left > 0;
    archive->left = 0;
    return cut ? DXT_ERR_FORMAT : DXT_OK;
}

dxt_status tar_read(tar_archive *archive, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    if (archive->holed) {
        archive->holed = false;
        return DXT_ERR_FORMAT;
    }
    if (size > archive->left) size = (size_t)archive->left;
    if (size == 0) return DXT_OK;
    dxt_status status = archive->read(archive->context, buffer, size, got);
    if (status != DXT_OK) return status;
    archive->left -= *got;
    if (*got > 0) return DXT_OK;
    archive->left = archive->padding = 0;
    return DXT_ERR_FORMAT;
}

/* ---- members ---- */

/* The value of "path" among the records "LENGTH path=VALUE\n" of a head of pax. */
static void find_path(tar_archive *archive, const unsigned char *at, size_t size)
{
    while (size > 0) {
        uint64_t length = 0;
        size_t digits = 0;
        while (digits < size && digits < 8 && at[digits] >= '0' && at[digits] <= '9')
            length = length * 10 + (uint64_t)(at[digits++] - '0');
        if (digits == 0 || length <= digits + 1 || length > size) return;
        const unsigned char *key = at + digits + 1, *end = at + length - 1;
        if (end - key > 5 && memcmp(key, "path=", 5) == 0)
            copy_name(archive->given, key + 5, (size_t)(end - key - 5));
        at += length;
        size -= length;
    }
}

/* What a head in front of another one says of it: the name, if that is long. */
static dxt_status take_note(tar_archive *archive, unsigned char kind)
{
    unsigned char text[NAME_MOST];
    size_t size = archive->left < sizeof text ? (size_t)archive->left : sizeof text, got;
    dxt_status status = fill(archive, text, size, &got);
    if (status != DXT_OK) return status;
    archive->left -= got;
    if (kind == 'L') copy_name(archive->given, text, got);
    if (kind == 'x') find_path(archive, text, got);
    return DXT_OK;
}

/* Whether a member is a plain file, and not what macOS stores beside one. */
static bool counts(const tar_archive *archive, unsigned char kind)
{
    const char *slash = strrchr(archive->name, '/'), *name = slash ? slash + 1 : archive->name;
    return (kind == '0' || kind == '\0' || kind == '7' || kind == 'S') && *name &&
           strncmp(name, "._", 2) != 0;
}

/* Go over the places of a file's holes, which lie behind its head. */
static dxt_status skip_places(const tar_archive *archive, const unsigned char *head)
{
    unsigned char block[TAR_BLOCK];
    size_t got;
    for (bool more = head[MORE]; more; more = block[MORE_THERE]) {
        dxt_status status = fill(archive, block, sizeof block, &got);
        if (status != DXT_OK) return status;
        if (got < sizeof block) return DXT_ERR_FORMAT;
    }
    return DXT_OK;
}

dxt_status tar_next(tar_archive *archive)
{
    for (;;) {
        unsigned char head[TAR_BLOCK];
        size_t got;
        dxt_status status = skip(archive);
        if (status == DXT_OK) status = fill(archive, head, sizeof head, &got);
        if (status != DXT_OK) return status;
        /* It ends with blocks of zeros, or without. */
        if (got == 0 || (got == sizeof head && head[NAME] == '\0')) return DXT_END;
        if (!tar_is(head, got) || !size_of(head, &archive->left)) return DXT_ERR_FORMAT;
        archive->padding = (TAR_BLOCK - archive->left % TAR_BLOCK) % TAR_BLOCK;
        unsigned char kind = head[KIND];
        if (kind == 'L' || kind == 'x') {
            status = take_note(archive, kind);
            if (status != DXT_OK) return status;
            continue;
        }
        take_name(archive, head);
        archive->holed = kind == 'S';
        if (archive->holed && (status = skip_places(archive, head)) != DXT_OK) return status;
        if (kind != 'K' && kind != 'g') archive->given[0] = '\0';
        if (counts(archive, kind)) return DXT_OK;
    }
}

const char *tar_name(const tar_archive *archive)
{
    return archive->name;
}

dxt_status tar_create(tar_read_fn read, void *context, tar_archive **made)
{
    tar_archive *archive = calloc(1, sizeof *archive);
    if (!archive) return DXT_ERR_NO_MEMORY;
    archive->read = read;
    archive->context = context;
    *made = archive;
    return DXT_OK;
}

void tar_free(tar_archive *archive)
{
    free(archive);
}
