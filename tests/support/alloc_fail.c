/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc_fail.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __real_qsort(void *items, size_t count, size_t size,
                  int (*compare)(const void *, const void *));
void __wrap_qsort(void *items, size_t count, size_t size,
                  int (*compare)(const void *, const void *));

/* Allocations until the one that fails; 0 and below: none does. */
static atomic_long remaining;
static atomic_bool failed;
static atomic_long counted;

void alloc_fail_arm(long k)
{
    atomic_store(&failed, false);
    atomic_store(&remaining, k);
}

bool alloc_fail_disarm(void)
{
    atomic_store(&remaining, 0);
    return atomic_load(&failed);
}

void alloc_count_begin(void)
{
    atomic_store(&counted, 0);
}

long alloc_count(void)
{
    return atomic_load(&counted);
}

static bool fails(void)
{
    atomic_fetch_add(&counted, 1);
    if (atomic_load(&remaining) <= 0 || atomic_fetch_sub(&remaining, 1) != 1) return false;
    atomic_store(&failed, true);
    errno = ENOMEM; /* as the C library does */
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

void __wrap_qsort(void *items, size_t count, size_t size,
                  int (*compare)(const void *, const void *))
{
    atomic_fetch_add(&counted, 1);
    __real_qsort(items, count, size, compare);
}
