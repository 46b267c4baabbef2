/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "outcome.h"
#include "system/clock.h"

int64_t job_now_ns(void)
{
    return dxt_clock_ns(CLOCK_MONOTONIC);
}

int64_t job_deadline_ns(const job *run)
{
    int64_t half = run->timeout_ns / 2;
    if (half > 2000000000) return 2000000000;
    return half < 50000000 ? 50000000 : half;
}

dxt_ep_config job_ep_config(const job *run, uint32_t rank)
{
    return (dxt_ep_config){
        .struct_size = sizeof(dxt_ep_config),
        .engine = run->engine,
        .rank = rank,
        .ranks = run->shape.ranks,
        .max_tokens = run->shape.tokens,
        .hidden = run->shape.hidden,
        .experts = run->shape.experts,
        .max_topk = run->shape.topk,
        .timeout_ns = run->timeout_ns,
        .fd = run->fd,
    };
}

void job_name(char name[JOB_NAME_SIZE], uint64_t a, uint64_t b)
{
    snprintf(name, JOB_NAME_SIZE, "run-%016llx%016llx", (unsigned long long)a,
             (unsigned long long)b);
}

/* ---- shared memory ---- */

static const char *format_bytes(double bytes, char *text, size_t size)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (; bytes >= 1000.0 && unit + 1 < sizeof units / sizeof units[0]; unit++) bytes /= 1000.0;
    snprintf(text, size, bytes < 10.0 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

static outcome too_little(size_t needed, const struct statvfs *fs)
{
    char need[32], have[32];
    double free_bytes = (double)fs->f_bavail * (double)fs->f_frsize;
    return complain("job",
                    "the job needs %s of shared memory, but /dev/shm has %s free; lower --ranks, "
                    "--tokens or --hidden, or enlarge /dev/shm",
                    format_bytes((double)needed, need, sizeof need),
                    format_bytes(free_bytes, have, sizeof have));
}

/* An object of shared memory without a name: whatever happens, it ends with its processes. Where
 * the kernel makes none, it has one for a moment, which is random, so that nobody can take it
 * beforehand. */
static int open_nameless(void)
{
    char name[64];
    uint64_t random;
    int nameless = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (nameless >= 0) return nameless;
    if (getentropy(&random, sizeof random) != 0) return -1;
    snprintf(name, sizeof name, "/deepxtrace-%d-%016" PRIx64, (int)getpid(), random);
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0) shm_unlink(name);
    return fd;
}

static outcome allocate(job *run, size_t needed)
{
    struct statvfs fs = {0};
    run->fd = open_nameless();
    if (run->fd < 0 || fstatvfs(run->fd, &fs) != 0)
        return complain("job", "cannot make shared memory: %s", strerror(errno));
    double blocks = (double)needed / (double)(fs.f_frsize ? fs.f_frsize : 1);
    if (fs.f_blocks > 0 && blocks > (double)fs.f_bavail) return too_little(needed, &fs);
    if (needed > (size_t)LONG_MAX) return too_little(needed, &fs);
    /* Space that is only promised would end a rank with SIGBUS in the middle of the job. */
    int error = posix_fallocate(run->fd, 0, (off_t)needed);
    if (error == ENOSPC) return too_little(needed, &fs);
    if (error != 0) {
        complain("job", "cannot make shared memory: %s", strerror(error));
        return EXIT_FAILED;
    }
    return GO_ON;
}

outcome job_share(job *run)
{
    run->fd = -1;
    dxt_ep_config config = job_ep_config(run, 0);
    dxt_status status = dxt_ep_buffer_size(&config, &run->engine_size);
    if (status != DXT_OK) return complain("job", "%s", dxt_ep_error());
    size_t mail = dxt_session_mail_size(DXT_EP_OPERATORS, run->shape.ranks);
    run->gather_size = dxt_gather_local_size(run->shape.ranks, mail);
    size_t needed = 0;
    if (__builtin_add_overflow(run->engine_size, run->gather_size, &needed))
        return complain(
            "job",
            "the job needs more memory than can be addressed; lower --ranks, --tokens or --hidden");
    outcome result = allocate(run, needed);
    if (result != GO_ON) return result;
    run->control =
        mmap(NULL, sizeof *run->control, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->control == MAP_FAILED) {
        run->control = NULL;
        complain("job", "cannot make shared memory: %s", strerror(errno));
        return EXIT_FAILED;
    }
    atomic_store(&run->control->last_step, run->steps ? run->steps : UINT64_MAX);
    return GO_ON;
}

void job_unshare(job *run)
{
    if (run->fd >= 0) close(run->fd);
    if (run->control) munmap(run->control, sizeof *run->control);
    run->fd = -1;
    run->control = NULL;
}

/* ---- ending together ---- */

void job_stop(job_control *control)
{
    atomic_store(&control->stop, 1);
}

bool job_ended(const job *run, uint64_t step, uint64_t ahead)
{
    /* Whoever begins a step has completed the one `ahead` before it, and so knows that all others
     * have at least begun that: nobody can be further than `ahead` beyond this step. The one after
     * that is safe to agree on. */
    if (!run->mpi && atomic_load(&run->control->stop)) {
        uint64_t agreed = step + ahead + 1;
        uint64_t last = atomic_load(&run->control->last_step);
        while (agreed < last &&
               !atomic_compare_exchange_weak(&run->control->last_step, &last, agreed))
            ;
    }
    return step >= atomic_load(&run->control->last_step);
}

/* ---- beginning together ---- */

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    return syscall(SYS_futex, (uint32_t *)word, operation, value, timeout, NULL, 0);
}

void job_open_gate(job_control *control, uint32_t number)
{
    uint32_t open = number == UINT32_MAX ? UINT32_MAX : number + 1;
    if (atomic_load(&control->gate) < open) atomic_store(&control->gate, open);
    futex(&control->gate, FUTEX_WAKE, INT_MAX, NULL);
}

void job_wait_gate(job_control *control, uint32_t number, int64_t timeout_ns)
{
    int64_t end_ns = job_now_ns() + timeout_ns;
    for (;;) {
        uint32_t open = atomic_load(&control->gate);
        int64_t left_ns = end_ns - job_now_ns();
        if (open > number || left_ns <= 0) return;
        struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        futex(&control->gate, FUTEX_WAIT, open, &left);
    }
}
