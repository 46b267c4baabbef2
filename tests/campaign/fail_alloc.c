/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded: the k-th allocation by code of ours fails, k from DXT_FAIL_ALLOC, in whatever process
 * of a job comes to it, and the file DXT_FAIL_MARK says that one did; with DXT_FAIL_RANK, in that
 * rank of MPI's alone, or in "all" of them. With DXT_FAIL_SHM, there is no shared memory for it
 * either. What other libraries allocate for themselves is left alone. A program that is linked with
 * it, and exports it, says itself when.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_long left;

static bool is_meant(void)
{
    const char *meant = getenv("DXT_FAIL_RANK"), *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = getenv("PMI_RANK");
    return !meant || (rank && (strcmp(meant, "all") == 0 || strcmp(meant, rank) == 0));
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("DXT_FAIL_ALLOC");
    atomic_store(&left, text && is_meant() ? strtol(text, NULL, 10) : 0);
}

EXPORT void dxt_fail_alloc_arm(long k);
EXPORT bool dxt_fail_alloc_disarm(void);

/* Fail the k-th from now, k ≥ 1. */
void dxt_fail_alloc_arm(long k)
{
    atomic_store(&left, k);
}

/* @return Whether one has failed since. */
bool dxt_fail_alloc_disarm(void)
{
    return atomic_exchange(&left, 0) <= 0;
}

static bool is_ours(const void *caller)
{
    Dl_info info;
    if (!dladdr(caller, &info) || !info.dli_fname) return false;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *name = slash ? slash + 1 : info.dli_fname;
    return strncmp(name, "deepxtrace", 10) == 0 || strncmp(name, "libdeepxtrace", 13) == 0;
}

static bool fails(const void *caller)
{
    if (atomic_load(&left) <= 0 || !is_ours(caller) || atomic_fetch_sub(&left, 1) != 1)
        return false;
    const char *mark = getenv("DXT_FAIL_MARK");
    int fd = mark ? open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) close(fd);
    errno = ENOMEM;
    return true;
}

#define CALLER __builtin_return_address(0)

EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
    int (*next)(const char *, int, mode_t) = NULL;
    void *address = dlsym(RTLD_NEXT, "shm_open");
    memcpy(&next, &address, sizeof next);
    if (next && !(getenv("DXT_FAIL_SHM") && is_meant() && is_ours(CALLER)))
        return next(name, flags, mode);
    errno = EROFS;
    return -1;
}

EXPORT void *malloc(size_t size)
{
    return fails(CALLER) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fails(CALLER) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    return fails(CALLER) ? NULL : __libc_realloc(old, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}

static char *copy(const char *text, size_t size)
{
    char *made = __libc_malloc(size + 1);
    if (!made) return NULL;
    made[size] = '\0';
    memccpy(made, text, '\0', size);
    return made;
}

EXPORT char *strdup(const char *text)
{
    return fails(CALLER) ? NULL : copy(text, strlen(text));
}

EXPORT char *strndup(const char *text, size_t size)
{
    return fails(CALLER) ? NULL : copy(text, strnlen(text, size));
}
