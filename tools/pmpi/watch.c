/* SPDX-License-Identifier: Apache-2.0 */
/* The diagnosis of each communicator, and where it is written. */
#include "pmpi.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

/* Communicators that are diagnosed at the most; others are used as they are. */
#define MOST 16
#define TOO_MANY "more than 16 communicators"
#define OTHERS_LACK "another rank uses " TOO_MANY ", or lacks memory or a part"
/* Durations kept of an operator: more than two windows should hold of those that matter. */
#define KEPT 8192
/* MPI_COMM_WORLD, MPI_INT and MPI_MIN of MPICH and all that have its handles. */
#define MPICH_WORLD ((mpi_handle)0x44000000)
#define MPICH_INT ((mpi_handle)0x4c000405)
#define MPICH_MIN ((mpi_handle)0x58000002)

struct pmpi_watch {
    mpi_handle comm;
    uint32_t rank, ranks;
    uint32_t number; /* of the communicator, in the order in which they were met */
    dxt_probe *probe;
    dxt_gather *gather;
    dxt_session *session;
    uint64_t next[PMPI_OPERATORS]; /* the number of the next operation */
    /* rank 0 */
    pmpi_file *recording, *log;
    char path[PATH_MAX];
    uint64_t windows, findings;
};

/* A slot is taken until its communicator is freed, and there is one for each that was met,
 * diagnosed or not: whether to ask the others of a communicator must not depend on what else a rank
 * belongs to. They are looked at without the lock. */
typedef struct slot {
    _Atomic mpi_handle comm;   /* 0 = free */
    pmpi_watch *watch;         /* NULL = not diagnosed */
    struct slot *_Atomic next; /* made before this one */
} slot;
static slot *_Atomic slots;
/* For when there is no memory: a rank that met a communicator and forgot it would keep the others
 * waiting for its answer, or wait for theirs. */
static slot spare[64];
static uint32_t spare_used;
static uint32_t met;
static int diagnosed; /* now, or about to be */
/* This thread is in calls of our own, which come through the same functions. */
static _Thread_local bool inside;
static bool said_not; /* that a communicator is not diagnosed */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether one line about what is done is wanted. */
static bool is_quiet(void)
{
    const char *quiet = secure_getenv("DEEPXTRACE_QUIET");
    return quiet && quiet[0] && strcmp(quiet, "0") != 0;
}

/* ---- settings ---- */

static int64_t interval_ns(void)
{
    const char *given = secure_getenv("DEEPXTRACE_INTERVAL");
    char *end = NULL;
    double usual = dxt_default("interval_s"), seconds = given ? strtod(given, &end) : usual;
    bool right = seconds >= 0.1 && seconds <= 864000 && (!given || (end != given && !*end));
    return (int64_t)((right ? seconds : usual) * 1e9);
}

/* ---- MPI ---- */

bool pmpi_is_wide(void)
{
    static _Atomic int known; /* 0 = not yet */
    if (known == 0) known = pmpi_find("ompi_mpi_comm_world") ? 2 : 1;
    return known == 2;
}

typedef int (*comm_fn)(mpi_handle, int *);

/* What a function of MPI says of a communicator. */
static int ask(const char *name, mpi_handle comm, int otherwise)
{
    int value = otherwise;
    comm_fn function = NULL;
    void *address = pmpi_find(name);
    memcpy(&function, &address, sizeof function);
    return function && function(comm, &value) == 0 ? value : otherwise;
}

/* A handle that MPI has for everybody. */
static mpi_handle common(const char *openmpi, mpi_handle mpich)
{
    return pmpi_is_wide() ? (mpi_handle)pmpi_find(openmpi) : mpich;
}

static int world_rank(void)
{
    return ask("PMPI_Comm_rank", common("ompi_mpi_comm_world", MPICH_WORLD), 0);
}

typedef int (*allreduce_fn)(const void *, void *, int, mpi_handle, mpi_handle, mpi_handle);

/* Whether all ranks of a communicator say yes. Collective. */
static bool all_say(mpi_handle comm, bool yes)
{
    int mine = yes, all = 0;
    allreduce_fn function = NULL;
    void *address = pmpi_find("PMPI_Allreduce");
    memcpy(&function, &address, sizeof function);
    return function &&
           function(&mine, &all, 1, common("ompi_mpi_int", MPICH_INT),
                    common("ompi_mpi_op_min", MPICH_MIN), comm) == 0 &&
           all;
}

/* ---- what rank 0 writes ---- */

static void write_window(pmpi_watch *watch, const dxt_diagnosis *diagnosis)
{
    if (diagnosis->window->ops == 0) return; /* an operator that is not used, or not just now */
    watch->windows++;
    watch->findings += diagnosis->findings->finding_count;
    dxt_window_write(diagnosis->window, pmpi_file_put, watch->recording);
    pmpi_file_commit(watch->recording);
    const char *begin = diagnosis->window->begin;
    if (begin) pmpi_file_put(watch->log, begin, strlen(begin));
    if (begin) pmpi_file_put(watch->log, " ", 1);
    dxt_report_text(diagnosis->window, diagnosis->findings, pmpi_file_put, watch->log);
    pmpi_file_commit(watch->log);
}

static void on_diagnosis(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    pmpi_watch *watch = context;
    for (size_t i = 0; i < count; i++) write_window(watch, &diagnoses[i]);
}

static pmpi_file *open_file(pmpi_watch *watch, const char *ending)
{
    const char *folder = secure_getenv("DEEPXTRACE_OUTPUT");
    char number[48] = "";
    /* Several communicators may be the second that their ranks have met. */
    if (watch->number > 0)
        snprintf(number, sizeof number, "_%u_rank%d", watch->number, world_rank());
    snprintf(watch->path, sizeof watch->path, "%s/diagnose_mpi%s.%s",
             folder && folder[0] ? folder : ".", number, ending);
    return pmpi_file_open(watch->path);
}

/* ---- one communicator ---- */

static void release(pmpi_watch *watch)
{
    dxt_session_destroy(watch->session);
    dxt_gather_destroy(watch->gather);
    dxt_probe_destroy(watch->probe);
    pmpi_file_close(watch->recording);
    pmpi_file_close(watch->log);
    free(watch);
}

/* What a rank needs that may be missing on it alone: memory, the part for this MPI.
 * @return NULL, and @p why. */
static pmpi_watch *prepare(mpi_handle comm, uint32_t ranks, uint32_t number, const char **why)
{
    *why = "out of memory";
    pmpi_watch *made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->comm = comm;
    made->ranks = ranks;
    made->rank = (uint32_t)ask("PMPI_Comm_rank", comm, 0);
    made->number = number;
    dxt_status status = dxt_mpi_start();
    if (status == DXT_OK)
        status = dxt_probe_create_durations(PMPI_OPERATORS, ranks, KEPT, &made->probe);
    if (status == DXT_OK) return made;
    *why = dxt_error();
    free(made);
    return NULL;
}

/* Collective up to the session: what fails before that fails on all ranks. */
static dxt_status start(pmpi_watch *watch)
{
    static const char *const names[PMPI_OPERATORS] = {"alltoall", "alltoallv"};
    const dxt_gather_mpi_config mails = {
        .struct_size = sizeof mails,
        .comm = &watch->comm,
        .mail_capacity = dxt_session_duration_mail_size(PMPI_OPERATORS, watch->ranks)};
    dxt_mpi_place place = {.struct_size = sizeof place};
    dxt_session_config config = {.struct_size = sizeof config,
                                 .mode = DXT_SESSION_ASYNC,
                                 .interval_ns = interval_ns(),
                                 .node = -1,
                                 .operators_count = PMPI_OPERATORS,
                                 .operators = names,
                                 .source = "deepxtrace-pmpi",
                                 .on_diagnosis = on_diagnosis,
                                 .on_diagnosis_context = watch};
    dxt_status status = dxt_mpi_find_place(&watch->comm, &place);
    if (status == DXT_OK) status = dxt_gather_create_mpi(&mails, &watch->gather);
    if (status != DXT_OK) return status;
    if (watch->rank == 0) {
        watch->log = open_file(watch, "log");
        watch->recording = open_file(watch, "jsonl");
    }
    if (place.ranks_per_processor > 1) config.min_share = dxt_default("min_share_crowded");
    config.probe = watch->probe;
    config.gather = watch->gather;
    return dxt_session_create(&config, &watch->session);
}

/* @return Whether it runs, on all ranks or on none: one that has failed would be silent to the
 * others, and rank 0 would not take in what they send. */
static bool begin(pmpi_watch *watch)
{
    bool mine = start(watch) == DXT_OK;
    const char *why = mine ? OTHERS_LACK : dxt_error();
    bool all = all_say(watch->comm, mine);
    if (!all && watch->rank == 0) pmpi_say("a communicator is not diagnosed: %s", why);
    if (all && watch->recording && !is_quiet())
        pmpi_say("diagnosing %u ranks; rank 0 writes %s", watch->ranks, watch->path);
    return all;
}

/* Room for one more. */
static bool reserve(void)
{
    pthread_mutex_lock(&lock);
    bool room = diagnosed < MOST;
    if (room) diagnosed++;
    pthread_mutex_unlock(&lock);
    return room;
}

static void unreserve(void)
{
    pthread_mutex_lock(&lock);
    diagnosed--;
    pthread_mutex_unlock(&lock);
}

/* One rank of the communicator says it, once. */
static void say_why_not(mpi_handle comm, const char *why)
{
    pthread_mutex_lock(&lock);
    bool tell = !said_not && ask("PMPI_Comm_rank", comm, 0) == 0;
    said_not = said_not || tell;
    pthread_mutex_unlock(&lock);
    if (tell) pmpi_say("a communicator is not diagnosed: %s", why);
}

static pmpi_watch *watch_if_possible(mpi_handle comm, uint32_t number)
{
    int ranks = ask("PMPI_Comm_size", comm, 0);
    if (ranks < 2 || ranks > (int)DXT_MAX_RANKS || ask("PMPI_Comm_test_inter", comm, 1))
        return NULL;
    bool room = reserve();
    const char *why = TOO_MANY " are in use";
    pmpi_watch *watch = room ? prepare(comm, (uint32_t)ranks, number, &why) : NULL;
    bool all = all_say(comm, watch != NULL);
    if (!all) say_why_not(comm, watch ? OTHERS_LACK : why);
    if (all && begin(watch)) return watch;
    if (watch) release(watch);
    if (room) unreserve();
    return NULL;
}

/* As much of a handle as belongs to it: behind an int, the register may hold anything. */
static mpi_handle own_bits(mpi_handle comm)
{
    return pmpi_is_wide() ? comm : (unsigned)comm;
}

static slot *slot_of(mpi_handle comm)
{
    for (slot *one = slots; one; one = one->next)
        if (one->comm == comm) return one;
    return NULL;
}

/* Under the lock. NULL = out of memory, and out of spare ones. */
static slot *take_slot(mpi_handle comm)
{
    slot *taken = slot_of(0);
    if (!taken) {
        taken = calloc(1, sizeof *taken);
        if (!taken && spare_used < sizeof spare / sizeof spare[0]) taken = &spare[spare_used++];
        if (!taken) return NULL;
        taken->next = slots;
        slots = taken;
    }
    taken->comm = comm;
    return taken;
}

pmpi_watch *pmpi_watch_of(mpi_handle given)
{
    if (inside) return NULL;
    mpi_handle comm = own_bits(given);
    if (comm == 0) return NULL;
    slot *known = slot_of(comm);
    if (known) return known->watch;
    pthread_mutex_lock(&lock);
    slot *taken = take_slot(comm);
    uint32_t number = met;
    if (taken) met++;
    pthread_mutex_unlock(&lock);
    if (!taken) return NULL;
    /* Without the lock: other ranks may begin with another communicator in the meantime. */
    inside = true;
    taken->watch = watch_if_possible(comm, number);
    inside = false;
    return taken->watch;
}

void pmpi_note(pmpi_watch *watch, uint32_t operator_index, uint64_t ticks)
{
    if (watch)
        dxt_probe_duration(watch->probe, operator_index, watch->next[operator_index]++, ticks);
}

static void end(pmpi_watch *watch)
{
    inside = true;
    dxt_session_destroy(watch->session); /* whose thread counts the windows */
    watch->session = NULL;
    if (watch->recording && !is_quiet())
        pmpi_say("%llu windows, %llu findings: deepxtrace analyze %s",
                 (unsigned long long)watch->windows, (unsigned long long)watch->findings,
                 watch->path);
    release(watch);
    inside = false;
    unreserve();
}

/* Free a slot. Without the lock, others may go on while its diagnosis ends.
 * @return What is to be ended, or NULL. */
static pmpi_watch *clear(slot *taken)
{
    pmpi_watch *watch = taken->watch;
    taken->watch = NULL;
    taken->comm = 0;
    return watch;
}

void pmpi_forget(mpi_handle given)
{
    if (inside) return;
    mpi_handle comm = own_bits(given);
    pthread_mutex_lock(&lock);
    slot *taken = comm ? slot_of(comm) : NULL;
    pmpi_watch *watch = taken ? clear(taken) : NULL;
    pthread_mutex_unlock(&lock);
    if (watch) end(watch);
}

void pmpi_end(void)
{
    for (slot *one = slots; one; one = one->next) {
        pthread_mutex_lock(&lock);
        pmpi_watch *watch = one->comm ? clear(one) : NULL;
        pthread_mutex_unlock(&lock);
        if (watch) end(watch);
    }
}
