/* SPDX-License-Identifier: Apache-2.0 */
#include "render/page/shelf.h"

#include <stdlib.h>

/* Of the newest windows none goes as long as there are others: they may be beside a change. */
#define NEWEST 4u
/* What JSON takes when it is packed, and a part's element around it. */
#define JSON_PACKED 6u
#define ELEMENT 100u
/* It is worth a pass if at least one of so many goes. */
#define FEW 16u
/* Fewer windows than this are not worth a choice. */
#define MANY 8u
/* More windows than a recording has. */
#define LONGEST_STRIDE (UINT64_C(1) << 48)
/* Ordinary ones, once there are few, stay as long as there are so many times as many in which
 * something stands out. */
#define NAMED_MORE 4u

static size_t bytes_of(const dxt_page_item *item)
{
    return dxt_page_base64_size(item->part.size) + ELEMENT +
           (item->json ? strlen(item->json) / JSON_PACKED : 0);
}

/* What the window is worth, of whichever operator: they are looked at side by side. */
static dxt_worth worth_beside(const dxt_page_shelf *shelf, const dxt_page_item *item)
{
    dxt_worth worth = item->worth;
    for (size_t i = shelf->count; i-- > 0;) {
        const dxt_page_item *other = &shelf->items[i];
        if (other->run != item->run || other->ordinal > item->ordinal) continue;
        if (other->ordinal + 1 < item->ordinal) break;
        if (other->ordinal == item->ordinal && other->worth > worth) worth = other->worth;
    }
    return worth;
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
    dxt_shelf_raise(shelf, item->run, item->ordinal, worth_beside(shelf, item));
    return DXT_OK;
}

void dxt_shelf_raise(dxt_page_shelf *shelf, uint32_t run, uint64_t ordinal, dxt_worth worth)
{
    for (size_t i = shelf->count; i-- > 0;) {
        dxt_page_item *item = &shelf->items[i];
        if (item->run != run || item->ordinal > ordinal) continue;
        /* The operators of a window stand near each other. */
        if (item->ordinal + 1 < ordinal) return;
        if (item->ordinal == ordinal && item->worth < worth) item->worth = worth;
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

/* Take every other one of those of one worth, or those that came since that was done and are not
 * on the stride. @return Whether there was one. */
static bool halve_worth(dxt_page_shelf *shelf, dxt_worth worth)
{
    size_t off = 0;
    uint64_t now = shelf->stride[worth];
    for (size_t i = 0; now > 0 && i + NEWEST < shelf->count; i++)
        off += shelf->items[i].worth == worth && shelf->items[i].ordinal % now != 0;
    if (off > 0 && off >= shelf->count / FEW) return thin_worth(shelf, worth, now) > 0;
    for (uint64_t stride = now ? 2 * now : 2; stride <= LONGEST_STRIDE; stride *= 2)
        if (thin_worth(shelf, worth, stride) > 0) {
            shelf->stride[worth] = stride;
            return true;
        }
    return false; /* all are the first ones of their runs */
}

bool dxt_shelf_thin(dxt_page_shelf *shelf)
{
    size_t there[DXT_WORTH_CHANGE + 1] = {0};
    if (shelf->count <= 1) return false;
    for (size_t i = 0; i + NEWEST < shelf->count; i++) there[shelf->items[i].worth]++;
    /* Of a run that is slow most of the time some of the healthy windows are to be seen, too. */
    if (there[DXT_WORTH_ORDINARY] < 2 * MANY && there[DXT_WORTH_NAMED] > NAMED_MORE * MANY &&
        halve_worth(shelf, DXT_WORTH_NAMED))
        return true;
    for (dxt_worth worth = DXT_WORTH_ORDINARY; worth <= DXT_WORTH_BESIDE; worth++) {
        /* A few are worth more than that there is a step more or less of what is worth more. */
        if (there[worth] < MANY && worth < DXT_WORTH_BESIDE) {
            if (there[worth] > 0 && thin_worth(shelf, worth, UINT64_MAX) > 0) return true;
            continue;
        }
        if (there[worth] > 0 && halve_worth(shelf, worth)) return true;
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
