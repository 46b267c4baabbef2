/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine on shared memory: ranks are processes (or threads) of one machine. The segment holds a
 * header and one area per rank; docs/ep.md draws it. It is position independent, nothing in it is
 * ever cleaned up: flags carry the epoch of the operation that set them.
 *
 * Buffer reuse. Operation k uses the buffers of parity k % 2, which operation k-2 used before.
 *   Dispatch: rank s writes its own outbox, every d reads it. d stores k-2 in its `consumed` word
 *   when it has finished reading; s waits for that of every unmasked d before it writes for k. No
 *   reader is overtaken. (Hearing from d in k-1 would not do: with two operations in flight d may
 *   send k-1 before it receives k-2.)
 *   Combine: expert owner s writes rows of the inbox of home h, only h reads it. h stores k-2 in
 *   `consumed` when it has summed up; s waits for that before it writes for k. Nobody else writes
 *   those rows: every (token, route) has one owner.
 *   Flags: the flag of (parity, source) in d is set for k only after d consumed k-2, likewise.
 * A masked rank. It is in nobody's way: an outbox, and flags of a masked source, are not read. One
 * write could still hurt: a rank stopped in the middle of a row of h's inbox, masked meanwhile, and
 * resumed when h uses that row for k+2. So a sender announces each row in `writing` before it looks
 * at the log of masks and then writes; h, before it stores `consumed`, looks at `writing` of all
 * masked ranks and moves such rows to spare ones (`moved`). Both announce before they look
 * (sequentially consistent), so one of them sees the other.
 * Ranks elsewhere. An engine that spans machines joins with only its own machine's ranks as members
 * of the segment, and says by what means the others are reached (dxt_ep_shm_far). What such a rank
 * sends is entered among the flags by its receiver, so that waiting, masks and checks are the same
 * for all.
 */
#ifndef DXT_EP_SHM_SHM_H
#define DXT_EP_SHM_SHM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/agree.h"

#define SHM_LINE 64u
/** "DXTEP", version 1. */
#define SHM_MAGIC UINT64_C(0x4458544550000001)

/** What the group agreed on, and who has been given up, in order: rank + 1 each, 0 behind the last.
 *  An entry is added by compare-and-swap, so whoever adds one has seen all before it, and a rank
 *  that is in the log adds none. */
typedef struct dxt_ep_shm_header {
    _Atomic uint64_t config[DXT_EP_AGREED];
    _Alignas(SHM_LINE) _Atomic uint32_t mask_log[];
} dxt_ep_shm_header;

/** Arrivals of one operator and parity at one rank; only who sleeps needs them. */
typedef struct dxt_ep_shm_arrivals {
    _Alignas(SHM_LINE) _Atomic uint32_t count; /**< also the word that the receiver sleeps on */
    _Atomic uint32_t sleeping;
    _Atomic uint32_t target; /**< count at which to wake the sleeper */
} dxt_ep_shm_arrivals;

/** Last operation received, as the low 32 bits of its epoch. */
typedef struct dxt_ep_shm_consumed {
    _Alignas(SHM_LINE) _Atomic uint32_t epoch; /**< also the word that senders sleep on */
    _Atomic uint32_t sleepers;
} dxt_ep_shm_consumed;

/** Set by a source when its data of an epoch is complete. */
typedef struct dxt_ep_shm_flag {
    _Alignas(SHM_LINE) _Atomic uint64_t epoch;
    uint64_t stamp_ticks; /**< dxt_probe_clock() when it was */
    int64_t stamp_ns;     /**< CLOCK_MONOTONIC when it was */
    uint32_t rows;        /**< (token, expert) copies */
    uint32_t format;
} dxt_ep_shm_flag;

/** Control block of one rank. Behind it: flags [operator][parity][source], moved rows, outboxes,
 *  inboxes. */
typedef struct dxt_ep_shm_rank {
    _Alignas(SHM_LINE) _Atomic uint32_t joined;
    _Atomic int64_t waiting_ns;                  /**< when it was last seen waiting for others */
    _Alignas(SHM_LINE) _Atomic uint64_t writing; /**< dxt_ep_shm_row_name() under way; 0 = none */
    dxt_ep_shm_arrivals arrivals[DXT_EP_OPERATORS][DXT_EP_IN_FLIGHT];
    dxt_ep_shm_consumed consumed[DXT_EP_OPERATORS];
    _Alignas(SHM_LINE) _Atomic uint32_t moved_count[DXT_EP_IN_FLIGHT];
} dxt_ep_shm_rank;

/** Head of an outbox. Behind it: routes [T][K] int32, scales [T][hidden ÷ block], rows [T][row]. */
typedef struct dxt_ep_shm_outbox {
    _Alignas(SHM_LINE) uint32_t tokens;
    uint32_t topk;
} dxt_ep_shm_outbox;

/** Offsets in bytes; all but the first three from the start of what they lie in. */
typedef struct dxt_ep_shm_layout {
    size_t size;
    size_t ranks; /**< areas from the start of the segment */
    size_t rank_stride;
    size_t flags; /**< in an area */
    size_t moved;
    size_t outbox;
    size_t outbox_stride;
    size_t inbox;
    size_t inbox_stride;
    size_t routes; /**< in an outbox */
    size_t scales;
    size_t rows;
    size_t row; /**< bytes of a row: hidden BF16 values */
} dxt_ep_shm_layout;

/** One (token, route) of a source that leads to this rank. */
typedef struct dxt_ep_shm_route {
    uint32_t row;    /**< among the rows that the source sent */
    uint32_t token;  /**< its index there */
    uint32_t expert; /**< local */
    uint8_t slot;
} dxt_ep_shm_route;

/** What a source sent in a dispatch, wherever it lies. */
typedef struct dxt_ep_shm_sent {
    const uint8_t *rows;
    size_t stride; /**< bytes from row to row */
    const float *scales;
    uint32_t routes; /**< that lead to this rank, in shm.route */
} dxt_ep_shm_sent;

/**
 * The way to ranks that are no members of the segment. Arguments have been checked; epochs and
 * operators are as everywhere; @p target and @p source are such ranks, and not masked.
 */
typedef struct dxt_ep_shm_far {
    /** Make progress: enter what has arrived with dxt_ep_shm_arrived(), apply masks.
     *  @return DXT_OK; DXT_ERR_IO. */
    dxt_status (*poll)(dxt_ep *ep);
    /** Whether what was sent to @p target two operations before is out of the way.
     *  @return DXT_OK; DXT_ERR_IO. */
    dxt_status (*is_free)(const dxt_ep *ep, uint32_t target, uint32_t operator_index,
                          uint64_t epoch, bool *is);
    /** Send what is in this rank's own outbox. */
    dxt_status (*dispatch_send)(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint32_t target,
                                uint64_t epoch);
    /** Routes of a source that was heard into shm.route; counted in ranges[local expert][source].
     *  Nothing that overflows a packed buffer. */
    dxt_ep_shm_sent (*unpack)(const dxt_ep *ep, uint32_t source, uint64_t epoch,
                              dxt_ep_range *ranges);
    dxt_status (*combine_send)(dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home,
                               uint64_t epoch);
    /** Find the rows of all sources that were heard. @return DXT_OK; DXT_ERR_INVALID. */
    dxt_status (*find_rows)(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch);
    /** Row of an inbox as found. */
    const void *(*row)(const dxt_ep *ep, uint64_t epoch, uint32_t row);
    /** The operation has been read. @return DXT_OK; DXT_ERR_IO; DXT_ERR_MASKED. */
    dxt_status (*consume)(dxt_ep *ep, uint32_t operator_index, uint64_t epoch);
    /** This rank has given @p victim up: let the others know. */
    void (*tell_masked)(dxt_ep *ep, uint32_t victim);
} dxt_ep_shm_far;

/** Who has an area in the segment. */
typedef struct dxt_ep_shm_members {
    uint32_t count;
    const uint32_t *ranks;     /**< [count] in rising order */
    const dxt_ep_shm_far *far; /**< NULL if all ranks are members */
    void *far_state;
} dxt_ep_shm_members;

#define SHM_NO_AREA UINT32_MAX

/** The wait for the arrivals of an operation: under way, or over. */
typedef struct dxt_ep_shm_waiting {
    uint64_t epoch;     /**< of the operation; 0: of none */
    uint32_t *sources;  /**< [ranks]; those that are missing come first */
    uint32_t pending;   /**< how many these are */
    uint32_t held_back; /**< of these, arrived, but their path is delayed */
    int64_t due_ns;     /**< when the first of those counts as arrived */
    int64_t begin_ns;   /**< 0 until the first look at the clock */
    int64_t deadline_ns;
    int64_t left_ns; /**< when the slice before ended */
    size_t row_bytes;
    uint64_t left_ticks; /**< when the slice before ended */
    uint64_t back_ticks; /**< when this slice began; 0: it is the first */
    dxt_probe_op probe;
} dxt_ep_shm_waiting;

/** The wait for the buffer of an operation that is to be sent. */
typedef struct dxt_ep_shm_sending {
    uint64_t epoch;   /**< of the operation; 0: of none */
    bool issued;      /**< and it counts so */
    uint32_t target;  /**< whom it waited for last */
    int64_t begin_ns; /**< since when; 0: not yet */
    int64_t left_ns;  /**< when it returned without success */
} dxt_ep_shm_sending;

/** One rank's side. */
typedef struct dxt_ep_shm_state {
    uint8_t *base;
    bool mapped;
    bool spin; /**< every member has a core */
    uint32_t rank, ranks;
    uint32_t *area_of; /**< [ranks] index of the area; SHM_NO_AREA: not a member */
    const dxt_ep_shm_far *far;
    void *far_state;
    dxt_ep_shm_layout at;
    dxt_ep_shm_header *header;
    uint32_t masks_seen;              /**< entries of the log that are in `masked` */
    uint8_t *masked;                  /**< [ranks] */
    uint8_t *heard[DXT_EP_OPERATORS]; /**< [ranks] arrived in the operation being received */
    dxt_ep_shm_waiting waiting[DXT_EP_OPERATORS];
    dxt_ep_shm_sending sending[DXT_EP_OPERATORS];
    uint32_t *rows;                      /**< [ranks] scratch: rows per rank */
    int64_t *delay_ns[DXT_EP_OPERATORS]; /**< [ranks] */
    dxt_ep_shm_route *route;             /**< [T × K] scratch of dispatch */
} dxt_ep_shm_state;

/* ---- layout.c ---- */

/** @return DXT_OK; DXT_ERR_LIMIT (more bytes than can be addressed). */
dxt_status dxt_ep_shm_layout_of(const dxt_ep_config *config, uint32_t members,
                                dxt_ep_shm_layout *layout);

static inline bool dxt_ep_shm_is_far(const dxt_ep_shm_state *s, uint32_t rank)
{
    return s->far && s->area_of[rank] == SHM_NO_AREA;
}

dxt_ep_shm_rank *dxt_ep_shm_area(const dxt_ep_shm_state *s, uint32_t rank);
dxt_ep_shm_flag *dxt_ep_shm_flag_at(const dxt_ep_shm_state *s, uint32_t rank,
                                    uint32_t operator_index, uint64_t epoch, uint32_t source);
dxt_ep_shm_outbox *dxt_ep_shm_outbox_at(const dxt_ep_shm_state *s, uint32_t rank, uint64_t epoch);
/** Rows of the inbox in use for an epoch that lie elsewhere: entry i in spare row i. */
_Atomic uint32_t *dxt_ep_shm_moved(const dxt_ep_shm_state *s, uint32_t rank, uint64_t epoch);
/** Where row @p row of the inbox of @p rank lies in an epoch whose buffer is free. */
uint8_t *dxt_ep_shm_inbox_row(const dxt_ep *ep, uint32_t rank, uint64_t epoch, uint32_t row);
/** Name of an inbox row for dxt_ep_shm_rank.writing; never 0. */
uint64_t dxt_ep_shm_row_name(uint32_t rank, uint64_t epoch, uint32_t row);

/* ---- shm.c ---- */

/** Join a segment, ep->config.fd or .memory, and set ep->state. As dxt_ep_engine.create. */
dxt_status dxt_ep_shm_join(dxt_ep *ep, const dxt_ep_shm_members *members);
/** Leave it. */
void dxt_ep_shm_destroy(dxt_ep *ep);
/** As dxt_ep_engine.delay_path. */
dxt_status dxt_ep_shm_delay_path(dxt_ep *ep, uint32_t operator_index, uint32_t source,
                                 int64_t delay_ns);

/* ---- mask.c ---- */

/** Take note of new masks. @return DXT_OK; DXT_ERR_MASKED: this rank is among them. */
dxt_status dxt_ep_shm_see_masks(dxt_ep_shm_state *s);
/** Give @p victim up for the whole group. @return As dxt_ep_shm_see_masks(). */
dxt_status dxt_ep_shm_mask(dxt_ep *ep, uint32_t victim);
/** The same for what another machine says: nobody elsewhere is told. */
dxt_status dxt_ep_shm_mask_here(dxt_ep_shm_state *s, uint32_t victim);
uint32_t dxt_ep_shm_masked(const dxt_ep *ep, uint8_t *masked);

/* ---- wait.c ---- */

/** CLOCK_MONOTONIC in ns. */
int64_t dxt_ep_shm_now_ns(void);

/**
 * Tell @p target that the data of this rank for an epoch is complete.
 *
 * @param rows    (token, expert) copies in it.
 * @param format  Its format.
 */
void dxt_ep_shm_announce(const dxt_ep *ep, uint32_t target, uint32_t operator_index, uint64_t epoch,
                         uint32_t rows, uint32_t format);

/** Enter what came from far @p source as arrived now at this rank. */
void dxt_ep_shm_arrived(const dxt_ep *ep, uint32_t source, uint32_t operator_index, uint64_t epoch,
                        uint32_t rows, uint32_t format);

/** Sleep between two polls of the far ranks, longer the longer one has waited. */
void dxt_ep_shm_pause(int64_t waited_ns);

/** How long to sleep before the next look at what is waited for, at most @p at_most_ns. */
int64_t dxt_ep_shm_slice_ns(const dxt_ep *ep, int64_t waited_ns, int64_t at_most_ns);

/** Whether a rank that owes us something is itself waiting for somebody: it may go on as soon as
 *  that one is masked, so it is not to blame yet. A rank elsewhere cannot be seen, and gets a
 *  little longer instead. */
bool dxt_ep_shm_waits_itself(const dxt_ep *ep, uint32_t rank, int64_t begin_ns, int64_t now_ns);

/** Note for others that this rank is waiting for somebody. */
void dxt_ep_shm_note_waiting(const dxt_ep_shm_state *s, int64_t now_ns);

/**
 * Wait until all unmasked ranks have announced an epoch, masking those that stay silent, and count
 * the waits. Fills s->heard[operator_index]. Goes on where dxt_ep_shm_wait() has stopped.
 *
 * @param row_bytes  Payload of one row.
 * @return DXT_OK; DXT_ERR_MASKED.
 */
dxt_status dxt_ep_shm_wait_all(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                               size_t row_bytes);

/** As dxt_ep_engine.wait. */
dxt_status dxt_ep_shm_wait(dxt_ep *ep, uint32_t operator_index, uint64_t epoch, int64_t at_most_ns);

/** Tell everybody that this rank has finished reading an epoch. @return @p status of that, or what
 *  goes wrong here. */
dxt_status dxt_ep_shm_consume(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                              dxt_status status);

/** DXT_OK, or DXT_ERR_INVALID when a rank that was heard sent another format. */
dxt_status dxt_ep_shm_check_formats(const dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                                    uint32_t format);

/* ---- buffer.c ---- */

/** Count that an epoch is issued, once: before its send waits for anything, or sends. */
void dxt_ep_shm_begin_send(dxt_ep *ep, uint32_t operator_index, uint64_t epoch);

/** As dxt_ep_engine.wait_buffer. */
dxt_status dxt_ep_shm_wait_buffer(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                                  int64_t at_most_ns);

/** Wait until @p target, unless masked, has consumed epoch − 2, or mask it. Behind
 *  dxt_ep_shm_begin_send(). @return As above. */
dxt_status dxt_ep_shm_wait_free(dxt_ep *ep, uint32_t target, uint32_t operator_index,
                                uint64_t epoch);

/* ---- dispatch.c, combine.c ---- */

/** Parts of an outbox: routes [tokens][topk], scales of a token, its row. */
int32_t *dxt_ep_shm_outbox_routes(const dxt_ep_shm_state *s, dxt_ep_shm_outbox *box);
float *dxt_ep_shm_outbox_scales(const dxt_ep *ep, dxt_ep_shm_outbox *box, uint32_t token);
uint8_t *dxt_ep_shm_outbox_row(const dxt_ep_shm_state *s, dxt_ep_shm_outbox *box, uint32_t token);

dxt_status dxt_ep_shm_dispatch_send(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch);
dxt_status dxt_ep_shm_dispatch_recv(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch);
dxt_status dxt_ep_shm_combine_send(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch);
dxt_status dxt_ep_shm_combine_recv(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch);

#endif
