/* SPDX-License-Identifier: Apache-2.0 */
#include "render/page/shelf.h"

#include <stdlib.h>

/* Of the newest windows none goes as long as there are others: they may be beside a change. */
#define NEWEST 4u
/* What JSON takes when it is packed, and a part's element around it. */
#define JSON_PACKED 6u
#define ELEMENT 100u

static size_t bytes_of(const dxt_page_item *item)
{
    return dxt_page_base64_size(item->part.size) + ELEMENT +
           (item->json ? strlen(item->json) / JSON_PACKED : 0);
}

dxt_status dxt_shelf_add(dxt_page_shelf *shelf, const dxt_page_item *item)
{
    if (shelf->count == shelf->capacity) {
        size_t capacity = 2 * shelf->capacity + 16, size;
        if (!dxt_mul_size(capacity, sizeof *shelf->items, &size)) return dxt_fail_memory(0);
        dxt_page_item *grown = realloc(shelf->items, size);
        if (!grown) return dxt_fail_memory(size);
        shelf->items = grown;
        shelf->capacity = capacity;
    }
    shelf->items[shelf->count++] = *item;
    shelf->bytes += bytes_of(item);
    return DXT_OK;
}

void dxt_shelf_raise(dxt_page_shelf *shelf, uint32_t run, uint32_t phase, uint64_t ordinal,
                     dxt_worth worth)
{
    for (size_t i = shelf->count; i-- > 0;) {
        dxt_page_item *item = &shelf->items[i];
        if (item->run != run || item->phase != phase || item->ordinal != ordinal) continue;
        if (item->worth < worth) item->worth = worth;
        return;
    }
}

static void drop(dxt_page_shelf *shelf, dxt_page_item *item)
{
    shelf->bytes -= bytes_of(item);
    free(item->json);
    free(item->part.bytes);
}

/* Drop those of one worth that do not fall on the stride. @return How many. */
static size_t thin_worth(dxt_page_shelf *shelf, dxt_worth worth, uint64_t stride)
{
    size_t kept = 0, all = shelf->count, newest = all > NEWEST ? all - NEWEST : 0;
    for (size_t i = 0; i < all; i++) {
        dxt_page_item *item = &shelf->items[i];
        if (item->worth == worth && i < newest && item->ordinal % stride != 0)
            drop(shelf, item);
        else
            shelf->items[kept++] = *item;
    }
    shelf->count = kept;
    return all - kept;
}

/* Drop the one that is worth least; of several the newest, which begin nothing. */
static void drop_least(dxt_page_shelf *shelf)
{
    size_t least = 0;
    for (size_t i = 1; i < shelf->count; i++)
        if (shelf->items[i].worth <= shelf->items[least].worth) least = i;
    drop(shelf, &shelf->items[least]);
    shelf->count--;
    memmove(&shelf->items[least], &shelf->items[least + 1],
            (shelf->count - least) * sizeof *shelf->items);
}

bool dxt_shelf_thin(dxt_page_shelf *shelf)
{
    if (shelf->count <= 1) return false;
    for (dxt_worth worth = DXT_WORTH_ORDINARY; worth <= DXT_WORTH_BESIDE; worth++) {
        size_t there = 0;
        for (size_t i = 0; i + NEWEST < shelf->count; i++) there += shelf->items[i].worth == worth;
        /* A few are worth more than that there is a step more or less of what is worth more. */
        if (there < 8 && worth < DXT_WORTH_BESIDE) {
            if (there > 0 && thin_worth(shelf, worth, UINT64_MAX) > 0) return true;
            continue;
        }
        for (int doubled = 0; there > 0 && doubled < 48; doubled++) {
            uint64_t *stride = &shelf->stride[worth];
            *stride = *stride ? 2 * *stride : 2;
            if (thin_worth(shelf, worth, *stride) > 0) return true;
        }
    }
    drop_least(shelf);
    return true;
}

void dxt_shelf_free(dxt_page_shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) drop(shelf, &shelf->items[i]);
    free(shelf->items);
    *shelf = (dxt_page_shelf){0};
}
