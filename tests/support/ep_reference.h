/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dispatch and combine must come to, computed the slow and obvious way, and ranks to run them
 * on: threads over one block of memory, or processes over one memory file.
 *
 * Inputs are functions of (seed, round, rank), so that every rank can work out what
 * the others send.
 */
#ifndef DXT_TESTS_EP_REFERENCE_H
#define DXT_TESTS_EP_REFERENCE_H

#include <stdbool.h>

#include <deepxtrace/ep.h>

struct ep_rank;

/** Shape of a group and of its traffic. */
struct ep_case {
    uint32_t ranks, max_tokens, hidden, experts, topk;
    uint64_t seed;
    int64_t timeout_ns; /**< 0 = 20 s */
    bool probe;
    const char *engine; /**< NULL = the default */
    /** Called on each rank before it joins, if given; may change rank->config. */
    void (*enter)(struct ep_rank *rank);
};

/** One set of buffers of one rank, all sizes as ep.h states them. */
struct ep_buffers {
    uint32_t tokens;
    uint16_t *x;
    int64_t *topk_idx;
    float *weights;
    void *recv_x;
    float *recv_scales;
    int32_t *recv_count;
    dxt_ep_handle handle;
    uint16_t *y;
    uint16_t *out;
};

/** One rank of a running case. */
struct ep_rank {
    const struct ep_case *c;
    uint32_t rank;
    dxt_ep_config config;
    dxt_ep *ep;
    struct ep_buffers buffers[2];
    void *context;
};

/** What a rank does. @return 0, or not 0 after having said on stderr what is wrong. */
typedef int (*ep_body)(struct ep_rank *rank);

/** What a rank of a case configures; without memory. */
dxt_ep_config ep_config_of(const struct ep_case *c, uint32_t rank);
/** Run a body on one rank, whose case, number and config are filled in. @return as the body. */
int ep_run_here(struct ep_rank *rank, ep_body body);

/** Run a body on all ranks, each with its group joined. @return How many failed. ep_run.c has these
 *  for one machine, tests/mpi/run.c for ranks that MPI has started. */
int ep_run_threads(const struct ep_case *c, ep_body body, void *context);
int ep_run_processes(const struct ep_case *c, ep_body body, void *context);

/** Probe counters in plain memory, with the measured rate of the clock; release with free(). */
dxt_probe *ep_probe_new(uint32_t sources);

/** Fail a body: print and return 1. */
#define EP_CHECK(condition)                                                         \
    do {                                                                            \
        if (!(condition)) return ep_complain(rank, __FILE__, __LINE__, #condition); \
    } while (0)
int ep_complain(const struct ep_rank *rank, const char *file, int line, const char *what);

/* ---- inputs ---- */

/** Tokens that @p rank sends in a round: none, one, all, or anything between. */
uint32_t ep_tokens(const struct ep_case *c, uint64_t round, uint32_t rank);
/** Fill in tokens, x, topk_idx and weights of a round, and poison all that is to be filled. */
void ep_prepare(const struct ep_rank *rank, uint64_t round, struct ep_buffers *b);
dxt_ep_dispatch ep_dispatch_of(const struct ep_rank *rank, struct ep_buffers *b,
                               dxt_ep_dispatch_format format);
dxt_ep_combine ep_combine_of(const struct ep_rank *rank, struct ep_buffers *b,
                             dxt_ep_combine_format format);

/** Compare what was received with what all ranks but the @p absent (a byte per rank; NULL = none)
 *  sent. @return 0 if right. */
int ep_check_dispatch(const struct ep_rank *rank, uint64_t round, const struct ep_buffers *b,
                      dxt_ep_dispatch_format format, const uint8_t *absent);
/** Let the experts work: y from recv_x. Slots beyond the counts are poisoned. */
void ep_experts(const struct ep_rank *rank, struct ep_buffers *b, dxt_ep_dispatch_format format);
/** Compare the result; ranks in @p absent contribute nothing. @p limit: largest 1 - 2xy/(xx+yy). */
int ep_check_combine(const struct ep_rank *rank, const struct ep_buffers *b, double limit,
                     const uint8_t *absent);

/** Dispatch, check, experts, combine, check. */
int ep_round(struct ep_rank *rank, uint64_t round, struct ep_buffers *b,
             dxt_ep_dispatch_format dispatch_format, dxt_ep_combine_format combine_format,
             const uint8_t *absent);

float ep_bf16_value(uint16_t bits);
/** Value of an E4M3 code from its definition. */
float ep_fp8_value(uint8_t code);

#endif
