/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is packed in, layer over layer: gzip, zstd, deflate, members of tar archives. Each
 * takes its bytes from the one below, the lowest from the file.
 */
#ifndef TOOLS_CLI_LAYERS_H
#define TOOLS_CLI_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include "inflate.h"
#include "tar.h"
#include "unzstd.h"

/** Deepest packing: a member of an archive that is packed with gzip, within gzip, and such an
 *  archive as a member of another one. */
#define LAYERS_MOST 8

typedef enum packing { PACKED_NOT, PACKED_DEFLATE, PACKED_GZIP, PACKED_ZSTD, PACKED_TAR } packing;

/** First bytes of what is under way, which tell what it is, and what follows them. */
typedef struct layers_head {
    unsigned char *bytes; /**< INFLATE_CHUNK */
    size_t size, at;
    dxt_status failed; /**< behind them */
} layers_head;

/** One of them; its bytes come from the layer below. */
typedef struct layer {
    struct layers *all;
    size_t below;
    layers_head head;
    inflater *inflater; /**< gzip, or bare deflate */
    unzstd *zstd;       /**< or this */
    tar_archive *tar;   /**< or this: the member of it that is under way */
} layer;

/** All of them. It must not move while there are any. */
typedef struct layers {
    /** Where the lowest bytes come from: as the `read` of a dxt_source. */
    dxt_status (*read)(void *context, void *buffer, size_t size, size_t *got);
    void *context;
    layer layers[LAYERS_MOST];
    size_t depth;     /**< layers in use */
    bool floored;     /**< above so many of them `read` is asked once more: for the bytes of an
                           archive that has been read from those below */
    size_t floor;     /**< so many */
    layers_head head; /**< of what lies on top */
    packing missing;  /**< that cannot be unpacked here */
} layers;

/** Room for first bytes; release `bytes` with free(). @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status layers_make_head(layers_head *made);

/** Put one over what lies on top; there must be room. @return DXT_OK; DXT_ERR_NO_MEMORY;
 *  DXT_ERR_UNSUPPORTED (not in this build, or on this machine). */
dxt_status layers_add(layers *all, packing kind);

/**
 * Look at what lies on top, and put layers over gzip, zstd and tar until it is something else.
 *
 * @return DXT_OK, damage included, which whoever reads is told; DXT_ERR_LIMIT; DXT_ERR_IO;
 *         as layers_add().
 */
dxt_status layers_open(layers *all);

/** Take all but the lowest @p keep away, and what has been looked at. */
void layers_drop(layers *all, size_t keep);

/** The uppermost one that is the member of a tar archive, from 1 on; 0: there is none. */
size_t layers_find_tar(const layers *all);

/** Read what lies on top: as the `read` of a dxt_source; the context is the layers. */
dxt_status layers_read(void *context, void *buffer, size_t size, size_t *got);

#endif
