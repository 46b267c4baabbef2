/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail: the counters of one rank at one time, on its way to rank 0. All words are 64 bits, in the
 * byte order of the sender, which the magic number shows. Layout:
 *
 *     dxt_mail_head
 *     per operator: dxt_mail_counts, wait[ranks], samples[ranks], bytes[ranks], last[ranks]
 *     tokens[tokens_count]
 *     with durations, per operator: how many, and so many dxt_duration
 *
 * Counters are totals since the probe was made: the difference of two mails is a window.
 */
#ifndef DXT_SESSION_MAIL_H
#define DXT_SESSION_MAIL_H

#include <string.h>

#include <deepxtrace/probe.h>

#define DXT_MAIL_MAGIC UINT64_C(0x314c49414d545844) /* "DXTMAIL1" */
#define DXT_MAIL_VERSION UINT64_C(3)
/** Room for a text, the terminator included. Texts are printable ASCII. */
#define DXT_MAIL_TEXT 64u
#define DXT_MAIL_PCI 32u
/** Most local experts whose tokens are sent one by one; of more, only the sum is sent. */
#define DXT_MAIL_TOKENS 256u
/** Most durations of an operator in one mail. */
#define DXT_MAIL_DURATIONS 1024u

typedef struct dxt_mail_head {
    uint64_t magic;
    uint64_t version;
    uint64_t size; /**< of the whole mail in bytes */
    uint64_t rank;
    uint64_t ranks;
    uint64_t operators;
    uint64_t sequence;            /**< as it was published */
    int64_t time_ns;              /**< CLOCK_MONOTONIC of the rank at its snapshot, ≥ 0 */
    int64_t realtime_ns;          /**< CLOCK_REALTIME, ≥ 0 */
    uint64_t ticks_per_second;    /**< of the waits, up to DXT_MAIL_MAX_RATE; 0 = unknown */
    int64_t node;                 /**< index, or −1 */
    uint64_t local_experts;       /**< waits side by side that the counters add up; 0 = unknown */
    uint64_t tokens_count;        /**< up to DXT_MAIL_TOKENS */
    uint64_t duration_words;      /**< of the part behind the tokens; 0 = it keeps none */
    uint64_t mix;                 /**< of what was done since the mail before; 0 = unknown */
    uint64_t leaving;             /**< 1 = the last mail of a rank that ends in order */
    int64_t pid;                  /**< 0 = unknown */
    int64_t global_rank;          /**< −1 = unknown */
    int64_t gpu;                  /**< index on the host; −1 = unknown */
    char host[DXT_MAIL_TEXT];     /**< empty = unknown */
    char instance[DXT_MAIL_TEXT]; /**< empty = none */
    char uuid[DXT_MAIL_TEXT];     /**< of the GPU; empty = unknown */
    char pci[DXT_MAIL_PCI];       /**< empty = unknown */
    int64_t
        run_delay_ns; /**< in all, of the thread that communicates; −1 = unknown; since version 3
                           */
} dxt_mail_head;

_Static_assert(sizeof(dxt_mail_head) == 160 + 3 * DXT_MAIL_TEXT + DXT_MAIL_PCI,
               "no padding on the way");

/** The numbers that a rank counts per operator. */
typedef struct dxt_mail_counts {
    uint64_t ops;        /**< completed */
    uint64_t issued;     /**< begun; 0 = not counted */
    uint64_t first_ops;  /**< of them in the first step behind the mail before; 0 = not known */
    uint64_t first_wait; /**< ticks waited for rank 0 in that step */
} dxt_mail_counts;

/** Words of it. */
#define DXT_MAIL_COUNTS (sizeof(dxt_mail_counts) / sizeof(uint64_t))

/** Fastest clock that is accepted: 1 THz. */
#define DXT_MAIL_MAX_RATE UINT64_C(1000000000000)

/** Arrays of one operator in a mail. */
enum dxt_mail_plane {
    DXT_MAIL_WAIT = 0,
    DXT_MAIL_SAMPLES,
    DXT_MAIL_BYTES,
    DXT_MAIL_LAST,
    DXT_MAIL_PLANES
};

/** Copy a text of the caller into a mail: cut to fit, bytes that are not printable become "?". */
void dxt_mail_set_text(char *text, size_t capacity, const char *from);

/** The first step behind a mail, of one operator. */
typedef struct dxt_mail_first {
    uint64_t ops, wait;
} dxt_mail_first;

/**
 * Write a mail.
 *
 * @param mail      dxt_session_mail_size(head->operators, head->ranks) bytes.
 * @param head      magic, version, size, ticks_per_second, and what the snapshot tells, are filled
 *                  in here.
 * @param snapshot  A private copy, with at least head->ranks sources.
 * @param first     One per operator.
 * @return Its size in bytes.
 */
size_t dxt_mail_encode(uint64_t *mail, const dxt_mail_head *head, const dxt_snapshot *snapshot,
                       const dxt_mail_first *first);

/**
 * Add the durations that a probe has noted to its mail. If they are more than fit, only those are
 * sent whose numbers hash to a multiple of a power of two. So ranks that leave out different parts
 * still have in common what the rank sends that leaves out most.
 *
 * @param mail   From dxt_mail_encode(), in dxt_session_duration_mail_size() bytes.
 * @param probe  Keeps durations.
 * @param since  One per operator: the first number that is wanted.
 * @param next   One per operator; receives the number behind the newest that is in the mail, or
 *               stays as it is.
 * @param scratch  probe->durations long.
 * @return Its size in bytes.
 */
size_t dxt_mail_add_durations(uint64_t *mail, const dxt_probe *probe, const uint64_t *since,
                              uint64_t *next, dxt_duration *scratch);

/** The durations of an operator in a mail that has passed dxt_mail_decode(), and how many. */
const dxt_duration *dxt_mail_durations(const uint64_t *mail, uint32_t index, uint32_t *count);

/**
 * Convert a mail of the previous version, from a rank with an older library, to this version. Other
 * bytes stay as they are.
 *
 * @param mail  In @p capacity bytes, of which a mail of this version needs no more.
 * @param size  Size of the mail as it came; receives its size in this version.
 */
void dxt_mail_upgrade(uint64_t *mail, size_t capacity, size_t *size);

/**
 * Check a mail from outside.
 *
 * @param size    Bytes in @p mail; any content.
 * @param expect  rank, ranks, operators and sequence that it must have.
 * @param head    Receives its head; untouched on error.
 * @return NULL if it is sound; otherwise what it is instead, such as "a mail of another version".
 */
const char *dxt_mail_decode(const uint64_t *mail, size_t size, const dxt_mail_head *expect,
                            dxt_mail_head *head);

/** Words of one operator. */
static inline size_t dxt_mail_operator_words(uint32_t ranks)
{
    return DXT_MAIL_COUNTS + (size_t)DXT_MAIL_PLANES * ranks;
}

/** Where the counters of operator @p index begin: its counts, and behind them its planes. */
static inline const uint64_t *dxt_mail_operator(const uint64_t *mail, uint32_t ranks,
                                                uint32_t index)
{
    return mail + sizeof(dxt_mail_head) / sizeof *mail + index * dxt_mail_operator_words(ranks);
}

/** One array of an operator, `ranks` long. */
static inline const uint64_t *dxt_mail_plane(const uint64_t *mail, uint32_t ranks, uint32_t index,
                                             enum dxt_mail_plane plane)
{
    return dxt_mail_operator(mail, ranks, index) + DXT_MAIL_COUNTS + (size_t)plane * ranks;
}

/** The counts of an operator. */
static inline dxt_mail_counts dxt_mail_get_counts(const uint64_t *mail, uint32_t ranks,
                                                  uint32_t index)
{
    dxt_mail_counts counts;
    memcpy(&counts, dxt_mail_operator(mail, ranks, index), sizeof counts);
    return counts;
}

/** The tokens of a mail. */
static inline const uint64_t *dxt_mail_tokens(const uint64_t *mail, uint32_t ranks,
                                              uint32_t operators)
{
    return dxt_mail_operator(mail, ranks, operators);
}

/** The head of a mail that has passed dxt_mail_decode(). */
void dxt_mail_get_head(const uint64_t *mail, dxt_mail_head *head);

#endif
