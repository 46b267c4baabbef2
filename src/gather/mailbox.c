/* SPDX-License-Identifier: Apache-2.0 */
#include "gather/mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/base.h"
#include "gather/attempt.h"

/* "DX" and the version of the layout. */
#define LAYOUT_MAGIC UINT64_C(0x4401)
/* Above this a version is nonsense, not a count. */
#define MAX_VERSION (UINT64_C(1) << 62)
/* A reader that is overtaken this often in one call gives up until the next. */
#define MAX_ATTEMPTS 8

struct mailboxes {
    unsigned char *memory;
    size_t mapped; /* bytes to unmap; 0 = the caller's memory */
    uint32_t rank;
    uint32_t ranks;
    size_t capacity;
    size_t slot_size;
    uint64_t published; /* number of the next publication of this rank */
};

uint64_t dxt_mailbox_layout(uint32_t ranks, size_t mail_capacity)
{
    return LAYOUT_MAGIC << 48 | (uint64_t)ranks << 32 | (uint64_t)mail_capacity;
}

static size_t slot_size(size_t capacity)
{
    return sizeof(dxt_mailbox_slot) + (capacity + 63) / 64 * 64;
}

size_t dxt_gather_local_size(uint32_t ranks, size_t mail_capacity)
{
    if (ranks == 0 || ranks > DXT_MAX_RANKS || mail_capacity == 0 ||
        mail_capacity > DXT_GATHER_MAX_CAPACITY)
        return 0;
    size_t slots = (size_t)ranks * DXT_GATHER_DEPTH, size;
    if (!dxt_mul_size(slots, slot_size(mail_capacity), &size)) return 0;
    return sizeof(dxt_mailbox_head) + size;
}

static dxt_mailbox_slot *slot_of(const struct mailboxes *boxes, uint32_t rank, uint64_t index)
{
    size_t slot = (size_t)rank * DXT_GATHER_DEPTH + index;
    return (dxt_mailbox_slot *)(void *)(boxes->memory + sizeof(dxt_mailbox_head) +
                                        slot * boxes->slot_size);
}

/* Release and acquire on every word stand in for fences, which ThreadSanitizer does not know: a
 * reader that sees one word of a new mail also sees that the version has become odd. */
static void store_mail(dxt_mailbox_slot *slot, const unsigned char *mail, size_t size)
{
    uint64_t word;
    size_t whole = size / sizeof word;
    for (size_t w = 0; w < whole; w++) {
        memcpy(&word, mail + w * sizeof word, sizeof word);
        __atomic_store_n(&slot->words[w], word, __ATOMIC_RELEASE);
    }
    if (size % sizeof word == 0) return;
    word = 0;
    memcpy(&word, mail + whole * sizeof word, size % sizeof word);
    __atomic_store_n(&slot->words[whole], word, __ATOMIC_RELEASE);
}

static void load_mail(const dxt_mailbox_slot *slot, unsigned char *mail, size_t size)
{
    uint64_t word;
    size_t whole = size / sizeof word;
    for (size_t w = 0; w < whole; w++) {
        word = __atomic_load_n(&slot->words[w], __ATOMIC_ACQUIRE);
        memcpy(mail + w * sizeof word, &word, sizeof word);
    }
    if (size % sizeof word == 0) return;
    word = __atomic_load_n(&slot->words[whole], __ATOMIC_ACQUIRE);
    memcpy(mail + whole * sizeof word, &word, size % sizeof word);
}

static dxt_status publish(void *context, uint64_t sequence, const void *mail, size_t size)
{
    struct mailboxes *boxes = context;
    if (size > boxes->capacity) return DXT_ERR_LIMIT;
    uint64_t number = boxes->published;
    dxt_mailbox_slot *slot = slot_of(boxes, boxes->rank, number % DXT_GATHER_DEPTH);
    __atomic_store_n(&slot->version, 2 * number + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->sequence, sequence, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->size, size, __ATOMIC_RELEASE);
    store_mail(slot, mail, size);
    __atomic_store_n(&slot->version, 2 * number + 2, __ATOMIC_RELEASE);
    boxes->published = number + 1;
    return DXT_OK;
}

/* A version as its slot can have it: whole, and of a publication that belongs there. */
static bool is_whole(uint64_t version, uint64_t index)
{
    return version != 0 && version % 2 == 0 && version <= MAX_VERSION &&
           (version / 2 - 1) % DXT_GATHER_DEPTH == index;
}

static bool is_nonsense(uint64_t version, uint64_t index)
{
    return version > MAX_VERSION ||
           (version != 0 && ((version - 1) / 2) % DXT_GATHER_DEPTH != index);
}

struct found {
    uint64_t index;
    uint64_t version;
    bool nonsense; /* seen on the way */
};

/* Newest whole slot with the wanted sequence. @return Whether there is one. */
static bool find(const struct mailboxes *boxes, uint32_t rank, uint64_t wanted, struct found *found)
{
    found->version = 0;
    for (uint64_t i = 0; i < DXT_GATHER_DEPTH; i++) {
        const dxt_mailbox_slot *slot = slot_of(boxes, rank, i);
        uint64_t version = __atomic_load_n(&slot->version, __ATOMIC_ACQUIRE);
        if (is_nonsense(version, i)) found->nonsense = true;
        if (!is_whole(version, i) || version <= found->version) continue;
        if (wanted != DXT_GATHER_NEWEST &&
            __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE) != wanted)
            continue;
        found->version = version;
        found->index = i;
    }
    return found->version != 0;
}

/* Copy what was found. @return DXT_END if the writer came in between. */
static dxt_status copy(const struct mailboxes *boxes, uint32_t rank, const struct found *found,
                       void *mail, size_t capacity, size_t *size, uint64_t *sequence)
{
    const dxt_mailbox_slot *slot = slot_of(boxes, rank, found->index);
    uint64_t stored_sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    uint64_t stored_size = __atomic_load_n(&slot->size, __ATOMIC_ACQUIRE);
    bool plausible = stored_size <= boxes->capacity && stored_sequence != DXT_GATHER_NEWEST;
    if (plausible && stored_size <= capacity) load_mail(slot, mail, (size_t)stored_size);
    if (__atomic_load_n(&slot->version, __ATOMIC_RELAXED) != found->version) return DXT_END;
    if (!plausible) return DXT_ERR_FORMAT;
    if (stored_size > capacity) return DXT_ERR_LIMIT;
    *size = (size_t)stored_size;
    *sequence = stored_sequence;
    return DXT_OK;
}

static dxt_status collect(void *context, uint32_t rank, uint64_t wanted, void *mail,
                          size_t capacity, size_t *size, uint64_t *sequence)
{
    const struct mailboxes *boxes = context;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        struct found found = {.nonsense = false};
        if (!find(boxes, rank, wanted, &found)) return found.nonsense ? DXT_ERR_FORMAT : DXT_AGAIN;
        uint64_t copied_sequence = 0;
        dxt_status status = copy(boxes, rank, &found, mail, capacity, size, &copied_sequence);
        if (status == DXT_END) continue;
        if (status == DXT_OK) *sequence = copied_sequence;
        return status;
    }
    return DXT_AGAIN;
}

static void close_boxes(void *context)
{
    struct mailboxes *boxes = context;
    if (boxes->mapped > 0) munmap(boxes->memory, boxes->mapped);
    free(boxes);
}

static dxt_status map(struct mailboxes *boxes, const dxt_gather_local_config *config, size_t size)
{
    if (config->memory) {
        if ((uintptr_t)config->memory % 64 != 0)
            return dxt_fail(DXT_ERR_INVALID, "config.memory must be aligned to 64 bytes");
        boxes->memory = config->memory;
        return DXT_OK;
    }
    struct stat file;
    if (fstat(config->fd, &file) != 0)
        return dxt_fail_errno("mailboxes: cannot examine descriptor %d", config->fd);
    if (config->offset > INT64_MAX - size || file.st_size < (off_t)(config->offset + size))
        return dxt_fail(
            DXT_ERR_INVALID,
            "mailboxes need %zu bytes from byte %zu on, but the shared memory object has %lld",
            size, config->offset, (long long)file.st_size);
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, config->fd, (off_t)config->offset);
    if (memory == MAP_FAILED) return dxt_fail_errno("mailboxes: cannot map %zu bytes", size);
    boxes->memory = memory;
    boxes->mapped = size;
    return DXT_OK;
}

/* The first to arrive lays the mailboxes out; the others must agree. */
static dxt_status agree(struct mailboxes *boxes)
{
    dxt_mailbox_head *head = (dxt_mailbox_head *)(void *)boxes->memory;
    uint64_t mine = dxt_mailbox_layout(boxes->ranks, boxes->capacity), there = 0;
    if (__atomic_compare_exchange_n(&head->layout, &there, mine, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE) ||
        there == mine)
        return DXT_OK;
    if (there >> 48 != LAYOUT_MAGIC)
        return dxt_fail(
            DXT_ERR_INVALID,
            "the memory must be zeroed, or hold mailboxes of this version of the library");
    return dxt_fail(DXT_ERR_INVALID,
                    "the mailboxes are for %u ranks and mails of %llu bytes, not %u and %zu",
                    (unsigned)(there >> 32 & 0xffff), (unsigned long long)(there & 0xffffffff),
                    boxes->ranks, boxes->capacity);
}

/* A rank that comes back goes on behind what it published in its earlier life. */
static void resume(struct mailboxes *boxes)
{
    for (uint64_t i = 0; i < DXT_GATHER_DEPTH; i++) {
        uint64_t version =
            __atomic_load_n(&slot_of(boxes, boxes->rank, i)->version, __ATOMIC_ACQUIRE);
        if (is_nonsense(version, i)) continue;
        uint64_t next = (version + 1) / 2;
        if (next > boxes->published) boxes->published = next;
    }
}

dxt_status dxt_mailbox_open(const dxt_gather_local_config *config, dxt_gather_transport *transport)
{
    size_t size = dxt_gather_local_size(config->ranks, config->mail_capacity);
    if (size == 0)
        return dxt_fail(config->ranks == 0 || config->mail_capacity == 0 ? DXT_ERR_INVALID
                                                                         : DXT_ERR_LIMIT,
                        "config.mail_capacity is %zu, but must be 1 to %zu", config->mail_capacity,
                        (size_t)DXT_GATHER_MAX_CAPACITY);
    struct mailboxes *boxes = calloc(1, sizeof *boxes);
    if (!boxes) return dxt_fail_memory(sizeof *boxes);
    boxes->rank = config->rank;
    boxes->ranks = config->ranks;
    boxes->capacity = config->mail_capacity;
    boxes->slot_size = slot_size(config->mail_capacity);
    dxt_status status = map(boxes, config, size);
    if (status == DXT_OK) status = agree(boxes);
    if (status != DXT_OK) {
        close_boxes(boxes);
        return status;
    }
    resume(boxes);
    *transport = (dxt_gather_transport){.struct_size = sizeof *transport,
                                        .context = boxes,
                                        .publish = publish,
                                        .collect = collect,
                                        .destroy = close_boxes};
    return DXT_OK;
}
