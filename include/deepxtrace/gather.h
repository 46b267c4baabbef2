/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-sided gather: a mailbox per rank. A rank publishes mails into its own mailbox; rank 0 looks
 * into all of them. Nobody ever waits for anybody: a mailbox that stays empty is for the reader of
 * the mails to judge. Mails are opaque bytes here.
 */
#ifndef DEEPXTRACE_GATHER_H
#define DEEPXTRACE_GATHER_H

#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Mails a mailbox keeps: the newest ones; older ones are overwritten. */
#define DXT_GATHER_DEPTH 4u
/** Ask dxt_gather_collect() for the newest mail, whatever its sequence number. */
#define DXT_GATHER_NEWEST UINT64_MAX

/** One rank's end of a gather. */
typedef struct dxt_gather dxt_gather;

/**
 * A transport supplied by the caller (a key-value store, one-sided MPI). All functions return at
 * once, whatever the state of other ranks, and may be called from one thread at a time.
 */
typedef struct dxt_gather_transport {
    size_t struct_size;
    void *context; /**< handed to every function */
    /** Make @p mail visible to rank 0 under @p sequence, which grows with every call. */
    dxt_status (*publish)(void *context, uint64_t sequence, const void *mail, size_t size);
    /** Copy a mail of @p rank: the one with sequence @p wanted, or DXT_GATHER_NEWEST.
     *  @return DXT_OK; DXT_AGAIN (not there, yet or any more); DXT_ERR_LIMIT (@p capacity). */
    dxt_status (*collect)(void *context, uint32_t rank, uint64_t wanted, void *mail,
                          size_t capacity, size_t *size, uint64_t *sequence);
    /** Release the context; may be NULL. */
    void (*destroy)(void *context);
} dxt_gather_transport;

/** Mailboxes in memory shared by the processes (or threads) of one machine. */
typedef struct dxt_gather_local_config {
    size_t struct_size;
    uint32_t rank;        /**< of the caller; below `ranks` */
    uint32_t ranks;       /**< 1 … DXT_MAX_RANKS */
    size_t mail_capacity; /**< largest mail in bytes */
    int fd;               /**< shared memory object, zeroed, of at least dxt_gather_local_size()
                                 bytes; is not closed. Ignored when `memory` is given. */
    size_t offset;        /**< where in `fd` the mailboxes begin; a multiple of the page size */
    void *memory;         /**< instead of `fd`: zeroed memory, 64-byte aligned, the caller's */
} dxt_gather_local_config;

/**
 * Bytes that the mailboxes of a group take; 0 when a count is out of range.
 *
 * Blocking: no. Threads: any.
 */
DXT_API size_t dxt_gather_local_size(uint32_t ranks, size_t mail_capacity);

/**
 * Open this rank's end of local mailboxes.
 *
 * @param gather  Receives it; release with dxt_gather_destroy(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_IO; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no; needs no other rank. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_gather_create_local(const dxt_gather_local_config *config,
                                           dxt_gather **gather);

/**
 * Wrap a transport of the caller. On success the gather owns transport->context and calls destroy.
 *
 * @param rank, ranks  As above.
 * @param transport    Copied.
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_gather_create(uint32_t rank, uint32_t ranks,
                                     const dxt_gather_transport *transport, dxt_gather **gather);

/**
 * Release. Mails already published stay visible to others.
 *
 * Blocking: no; over MPI up to two seconds. Threads: after the last call with @p gather. NULL: does
 * nothing.
 */
DXT_API void dxt_gather_destroy(dxt_gather *gather);

/**
 * Rank of this end.
 *
 * Blocking: no. Threads: any. NULL: 0.
 */
DXT_API uint32_t dxt_gather_rank(const dxt_gather *gather);
/**
 * Size of the group.
 *
 * Blocking: no. Threads: any. NULL: 0.
 */
DXT_API uint32_t dxt_gather_ranks(const dxt_gather *gather);

/**
 * Publish a mail into this rank's own mailbox.
 *
 * @param sequence  Greater than that of the mail before; below DXT_GATHER_NEWEST.
 * @param mail      Copied before the call returns.
 * @return DXT_OK; DXT_ERR_INVALID (sequence); DXT_ERR_LIMIT (too large); DXT_ERR_IO.
 *
 * Blocking: never. Threads: one publisher per rank at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_gather_publish(dxt_gather *gather, uint64_t sequence, const void *mail,
                                      size_t size);

/**
 * Copy a mail out of the mailbox of @p rank. A rank killed while it was publishing leaves the mails
 * before readable.
 *
 * @param wanted    Sequence number, or DXT_GATHER_NEWEST.
 * @param mail      Receives up to @p capacity bytes; contents undefined unless DXT_OK.
 * @param size      Receives the size.
 * @param sequence  Receives the sequence number.
 * @return DXT_OK; DXT_AGAIN (no such mail); DXT_ERR_INVALID; DXT_ERR_LIMIT (capacity);
 *         DXT_ERR_FORMAT (the mailbox holds nonsense); DXT_ERR_IO.
 *
 * Blocking: never. Threads: any number of readers, publishers going on. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_gather_collect(dxt_gather *gather, uint32_t rank, uint64_t wanted,
                                      void *mail, size_t capacity, size_t *size,
                                      uint64_t *sequence);

#ifdef __cplusplus
}
#endif

#endif
