/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <stdlib.h>
#include <string.h>

/* So many bytes tell what a file is. */
#define LOOK_SIZE TAR_BLOCK

/* Unpacked bytes of so many layers. Those below an archive have been read to their end. */
static dxt_status pull(layers *all, size_t depth, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    bool base = depth == 0 || (all->floored && depth == all->floor);
    if (base) return all->read(all->context, buffer, size, got);
    const layer *top = &all->layers[depth - 1];
    if (top->tar) return tar_read(top->tar, buffer, size, got);
    return top->zstd ? unzstd_read(top->zstd, buffer, size, got)
                     : inflater_read(top->inflater, buffer, size, got);
}

/* The first bytes, then the rest. */
static dxt_status read_on(layers *all, layers_head *first, size_t depth, void *buffer, size_t size,
                          size_t *got)
{
    size_t left = first->size - first->at;
    *got = 0;
    if (left == 0 && first->failed != DXT_OK) return first->failed;
    if (left == 0) return pull(all, depth, buffer, size, got);
    *got = left < size ? left : size;
    memcpy(buffer, first->bytes + first->at, *got);
    first->at += *got;
    return DXT_OK;
}

static dxt_status read_below(void *context, void *buffer, size_t size, size_t *got)
{
    layer *above = context;
    return read_on(above->all, &above->head, above->below, buffer, size, got);
}

dxt_status layers_make_head(layers_head *made)
{
    *made = (layers_head){.bytes = malloc(INFLATE_CHUNK)};
    return made->bytes ? DXT_OK : DXT_ERR_NO_MEMORY;
}

dxt_status layers_add(layers *all, packing kind)
{
    layer *made = &all->layers[all->depth];
    layers_head fresh;
    dxt_status status = layers_make_head(&fresh);
    if (status != DXT_OK) return status;
    *made = (layer){.all = all, .below = all->depth};
    if (kind == PACKED_ZSTD)
        status = unzstd_create(read_below, made, &made->zstd);
    else if (kind == PACKED_TAR)
        status = tar_create(read_below, made, &made->tar);
    else
        status = inflater_create(read_below, made, kind == PACKED_GZIP, &made->inflater);
    if (status != DXT_OK) {
        free(fresh.bytes);
        return status;
    }
    made->head = all->head;
    all->head = fresh;
    all->depth++;
    return DXT_OK;
}

void layers_drop(layers *all, size_t keep)
{
    while (all->depth > keep) {
        layer *top = &all->layers[--all->depth];
        inflater_free(top->inflater);
        unzstd_free(top->zstd);
        tar_free(top->tar);
        free(top->head.bytes);
    }
    all->head.size = all->head.at = 0;
    all->head.failed = DXT_OK;
}

size_t layers_find_tar(const layers *all)
{
    size_t at = all->depth;
    while (at > 0 && !all->layers[at - 1].tar) at--;
    return at;
}

/* ---- what it is ---- */

/* Look at the first bytes. Whoever writes into a pipe is not waited for: one read has to do. */
static dxt_status fill_head(layers *all)
{
    layers_head *first = &all->head;
    bool packed = all->depth > 0 || all->floored;
    size_t got = 1;
    do {
        dxt_status status =
            pull(all, all->depth, first->bytes + first->size, INFLATE_CHUNK - first->size, &got);
        bool large = status == DXT_ERR_LIMIT;
        bool one_of_many = all->floored || layers_find_tar(all) > 0;
        if (status == DXT_ERR_IO || status == DXT_ERR_NO_MEMORY || (large && !one_of_many))
            return status;
        /* The other members of an archive count. */
        first->failed = large ? DXT_ERR_FORMAT : status;
        first->size += got;
    } while (packed && first->failed == DXT_OK && got > 0 && first->size < LOOK_SIZE);
    return DXT_OK;
}

dxt_status layers_read(void *context, void *buffer, size_t size, size_t *got)
{
    layers *all = context;
    return read_on(all, &all->head, all->depth, buffer, size, got);
}

static packing packing_of(const layers_head *first)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (first->size >= sizeof gzip && memcmp(first->bytes, gzip, sizeof gzip) == 0)
        return PACKED_GZIP;
    static const unsigned char skipped[] = {0x2a, 0x4d, 0x18};
    if (first->size < sizeof zstd) return PACKED_NOT;
    if (tar_is(first->bytes, first->size)) return PACKED_TAR;
    /* What pzstd writes begins with a frame that says how long the next one is. */
    bool frame =
        (first->bytes[0] & 0xf0) == 0x50 && memcmp(first->bytes + 1, skipped, sizeof skipped) == 0;
    return frame || memcmp(first->bytes, zstd, sizeof zstd) == 0 ? PACKED_ZSTD : PACKED_NOT;
}

dxt_status layers_open(layers *all)
{
    for (;;) {
        dxt_status status = fill_head(all);
        packing kind = packing_of(&all->head);
        if (status == DXT_ERR_LIMIT) all->missing = PACKED_ZSTD;
        if (status != DXT_OK || kind == PACKED_NOT || all->depth == LAYERS_MOST) return status;
        status = layers_add(all, kind);
        if (status == DXT_ERR_UNSUPPORTED) all->missing = kind;
        if (status == DXT_OK && kind == PACKED_TAR)
            status = tar_next(all->layers[all->depth - 1].tar);
        /* No member follows, or none that can be found: nothing is read of it. */
        if (status == DXT_END || (status == DXT_ERR_FORMAT && kind == PACKED_TAR)) {
            all->head.failed = status == DXT_END ? DXT_OK : status;
            return DXT_OK;
        }
        if (status != DXT_OK) return status;
    }
}
