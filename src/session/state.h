/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a session, for the files of this room alone. */
#ifndef DXT_SESSION_STATE_H
#define DXT_SESSION_STATE_H

#include <deepxtrace/session.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "session/assemble.h"
#include "session/beat.h"
#include "session/collect.h"
#include "session/defaults.h"
#include "session/delay.h"
#include "session/durations.h"
#include "session/mail.h"

#define DXT_NO_COMPANION UINT32_MAX
/* A rank is silent after nothing has come from it for this long, unless the caller says otherwise.
 */
#define DXT_LEAST_SILENCE_NS INT64_C(1000000000)

struct dxt_session {
    dxt_session_config config; /* defaults filled in; what is copied is below */
    dxt_analysis_options analysis;
    uint32_t rank, ranks, operators;
    char *names[DXT_MAX_OPERATORS];
    uint32_t companions[DXT_MAX_OPERATORS]; /* index of the operator, or DXT_NO_COMPANION */
    uint32_t adjacent[DXT_MAX_OPERATORS];   /* likewise */
    char *source;
    char instance[DXT_MAIL_TEXT];
    dxt_place device;
    dxt_delay delay; /* of the thread that communicates */
    char group[DXT_MAIL_TEXT];
    dxt_snapshot *snapshot;
    uint64_t *mail;
    size_t mail_size; /* the most */
    bool keeps_durations;
    dxt_duration *scratch;                   /* as many as the probe keeps */
    uint64_t told[DXT_MAX_OPERATORS];        /* durations below this number are in the last mail */
    uint64_t told_before[DXT_MAX_OPERATORS]; /* in the one before it */
    bool unpublished;                        /* the last mail did not get out, … */
    bool told_unpublished;                   /* … and the log knows */
    uint64_t failures;                       /* how often that began */
    /* The counts of the first step after the last window, and where that window ended. */
    dxt_mail_first first[DXT_MAX_OPERATORS], end[DXT_MAX_OPERATORS];
    bool ended;   /* `end` is valid: no step since */
    bool noted;   /* so are `first` and `mix` */
    uint64_t mix; /* of what was done up to the first step; 0 = not known */
    /* rank 0 */
    dxt_collector *collector;
    dxt_assembler *assembler;
    dxt_durations *durations; /* NULL = none are kept */
    dxt_history *history;     /* NULL = windows are judged alone */
    bool own_history;
    bool counts_ops[DXT_MAX_OPERATORS]; /* whether operations of it were ever counted */
    dxt_analyzer *analyzers[DXT_MAX_OPERATORS];
    uint64_t steps;
    int64_t busy_ns; /* how long rank 0 was held up behind the beginning of the window */
    uint64_t rounds; /* windows collected, the warm-up included */
    _Atomic uint64_t windows;
    atomic_int status; /* DXT_OK until something fails inside */
    pid_t pid;         /* of the creator: a forked child has no thread to join */
    uint64_t sequence; /* of the last mail */
    /* synchronous, on rank 0 */
    uint64_t next;       /* the first window that has not been judged ends with this mail */
    int64_t silence_ns;  /* how long nothing comes of a rank before it is silent */
    int64_t last_end_ns; /* CLOCK_MONOTONIC when the last window was done with; 0 = none yet */
    int64_t held_up_ns[DXT_GATHER_DEPTH]; /* by the diagnosis at mail n modulo their number */
    /* asynchronous only */
    dxt_beat beat;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under the lock */
};

/* ---- publish.c ---- */

/**
 * Read the counters and publish them.
 *
 * @param leaving  This is the last mail.
 * @return DXT_OK; why there is no mail, not logged.
 */
dxt_status dxt_session_publish(dxt_session *session, uint64_t sequence, bool leaving);

/** Turn the status of a mail that could not be published into an error, and log why. */
dxt_status dxt_session_cannot_publish(const dxt_session *session, dxt_status status);

/** Keep the counts of the first step after a window. Counts that cannot be read are unknown. */
void dxt_session_note_first(dxt_session *session);

/* ---- config.c ---- */

/** Copy configuration and options from a caller that was compiled against any version. */
dxt_status dxt_session_take_config(const dxt_session_config *given, dxt_session_config *config,
                                   dxt_analysis_options *analysis);

/** Fill in the defaults of the configuration, and what follows from them. */
void dxt_session_set_defaults(dxt_session *session);

/** Copy the names of the operators and of the source, and relate the operators. */
dxt_status dxt_session_copy_texts(dxt_session *session);

/* ---- turns.c ---- */

/** Whether this is a forked child, whose copy must not act for its parent. */
bool dxt_session_is_copy(const dxt_session *session);

/** @return 0 or an error number. */
int dxt_session_start_thread(dxt_session *session);
void dxt_session_stop_thread(dxt_session *session);

/** Leave in order, and say so. Rank 0 first judges the windows that are left, waiting once more. */
void dxt_session_end(dxt_session *session);

/* ---- diagnose.c ---- */

/** Make windows of the collected mails, judge them, and call the caller back. */
dxt_status dxt_session_diagnose(dxt_session *session);

#endif
