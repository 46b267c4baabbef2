/* SPDX-License-Identifier: Apache-2.0 */
#include "zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define END_SIZE 22u   /* of the record at the end */
#define ENTRY_SIZE 46u /* of an entry of the directory, without its name */
#define LOCAL_SIZE 30u /* of the head of a member, without its name */
#define COMMENT_MAX 65535u
#define BIG UINT32_MAX /* the real number is in the extra field (zip64) */

static uint64_t number(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) value = value << 8 | at[i];
    return value;
}

void zip_free(zip_archive *archive)
{
    for (size_t i = 0; i < archive->count; i++) free(archive->members[i].name);
    free(archive->members);
    free(archive->bytes);
    *archive = (zip_archive){0};
}

static dxt_status read_all(zip_archive *archive, zip_read_fn read, void *context)
{
    size_t capacity = 65536, got = 0;
    archive->bytes = malloc(capacity);
    if (!archive->bytes) return DXT_ERR_NO_MEMORY;
    do {
        if (archive->size == capacity) {
            if (capacity >= ZIP_MAX_SIZE) return DXT_ERR_LIMIT;
            unsigned char *grown = realloc(archive->bytes, capacity *= 2);
            if (!grown) return DXT_ERR_NO_MEMORY;
            archive->bytes = grown;
        }
        dxt_status status =
            read(context, archive->bytes + archive->size, capacity - archive->size, &got);
        /* Without its end there is no directory. */
        if (status != DXT_OK) return status;
        archive->size += got;
    } while (got > 0);
    return DXT_OK;
}

/* The record at the end, behind which only a comment may stand. */
static const unsigned char *find_end(const zip_archive *archive)
{
    if (archive->size < END_SIZE) return NULL;
    size_t at = archive->size - END_SIZE, least = at > COMMENT_MAX ? at - COMMENT_MAX : 0;
    for (;; at--) {
        if (memcmp(archive->bytes + at, "PK\5\6", 4) == 0) return archive->bytes + at;
        if (at == least) return NULL;
    }
}

/* The numbers of zip64 for those that are too large for their place, in this order. */
static bool read_extra(const unsigned char *at, size_t size, uint64_t *unpacked, uint64_t *packed,
                       uint64_t *offset)
{
    while (size >= 4) {
        size_t kind = number(at, 2), length = number(at + 2, 2);
        if (length > size - 4) return false;
        const unsigned char *from = at + 4, *to = from + length;
        uint64_t *const values[] = {unpacked, packed, offset};
        for (int i = 0; kind == 1 && i < 3; i++) {
            if (*values[i] != BIG) continue;
            if (to - from < 8) return false;
            *values[i] = number(from, 8);
            from += 8;
        }
        at += 4 + length;
        size -= 4 + length;
    }
    return true;
}

/* One entry of the directory; folders and what cannot be unpacked are passed over. */
static dxt_status read_entry(zip_archive *archive, const unsigned char *at, size_t left,
                             size_t *length)
{
    if (left < ENTRY_SIZE || memcmp(at, "PK\1\2", 4) != 0) return DXT_ERR_FORMAT;
    size_t name = number(at + 28, 2), extra = number(at + 30, 2), comment = number(at + 32, 2);
    uint64_t method = number(at + 10, 2), packed = number(at + 20, 4);
    uint64_t unpacked = number(at + 24, 4), offset = number(at + 42, 4);
    *length = ENTRY_SIZE + name + extra + comment;
    if (*length > left) return DXT_ERR_FORMAT;
    if (!read_extra(at + ENTRY_SIZE + name, extra, &unpacked, &packed, &offset))
        return DXT_ERR_FORMAT;
    bool folder = name > 0 && at[ENTRY_SIZE + name - 1] == '/';
    bool locked = number(at + 8, 2) & 1;
    if (folder || locked || (method != 0 && method != 8)) return DXT_OK;
    size_t size = archive->size;
    if (offset > size || size - offset < LOCAL_SIZE) return DXT_ERR_FORMAT;
    const unsigned char *local = archive->bytes + offset;
    size_t skip = LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
    if (memcmp(local, "PK\3\4", 4) != 0 || skip > size - offset || packed > size - offset - skip)
        return DXT_ERR_FORMAT;
    char *copy = strndup((const char *)at + ENTRY_SIZE, name);
    if (!copy) return DXT_ERR_NO_MEMORY;
    archive->members[archive->count++] = (zip_member){copy, local + skip, packed, method == 8};
    return DXT_OK;
}

static dxt_status read_directory(zip_archive *archive)
{
    const unsigned char *end = find_end(archive);
    if (!end) return DXT_ERR_FORMAT;
    size_t count = number(end + 10, 2), size = number(end + 12, 4), left;
    size_t before = (size_t)(end - archive->bytes);
    uint64_t offset = number(end + 16, 4);
    /* Archives so large that these need zip64 are above the limits. */
    if (count >= ZIP_MAX_MEMBERS || offset == BIG) return DXT_ERR_LIMIT;
    if (offset > before || size > before - offset) return DXT_ERR_FORMAT;
    archive->members = calloc(count ? count : 1, sizeof *archive->members);
    if (!archive->members) return DXT_ERR_NO_MEMORY;
    const unsigned char *at = archive->bytes + offset;
    left = size;
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        dxt_status status = read_entry(archive, at, left, &length);
        if (status != DXT_OK) return status;
        at += length;
        left -= length;
    }
    return archive->count ? DXT_OK : DXT_ERR_FORMAT;
}

dxt_status zip_read(zip_archive *archive, zip_read_fn read, void *context)
{
    dxt_status status = read_all(archive, read, context);
    return status == DXT_OK ? read_directory(archive) : status;
}
