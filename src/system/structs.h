/* SPDX-License-Identifier: Apache-2.0 */
/* Structs of callers that were compiled against any version of a library: they begin with their
 * size. */
#ifndef DXT_SYSTEM_STRUCTS_H
#define DXT_SYSTEM_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** Bytes of a struct up to and including a field. */
#define DXT_SIZE_UP_TO(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

/**
 * Copy a struct of a caller that was compiled against any version: what it lacks becomes zero, what
 * only a later version knows is left out.
 *
 * @param taken   Receives it, with @p size as its struct_size.
 * @param size    Of the struct as this version knows it.
 * @param given   Begins with its struct_size.
 * @param needed  What it must have at least: all that has no default. At least sizeof(size_t).
 * @return false, and @p taken untouched, if it has less.
 */
static inline bool dxt_take_struct(void *taken, size_t size, const void *given, size_t needed)
{
    size_t given_size;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < needed) return false;
    memset(taken, 0, size);
    memcpy(taken, given, given_size < size ? given_size : size);
    memcpy(taken, &size, sizeof size);
    return true;
}

/**
 * Fill a struct of a caller that was compiled against any version: what it does not know is left
 * out, what only it knows stays as it is.
 *
 * @param given   Begins with its struct_size, which stays.
 * @param made    @p size bytes, as this version knows it.
 * @param needed  What it must have at least. At least sizeof(size_t).
 * @return false, and @p given untouched, if it has less.
 */
static inline bool dxt_give_struct(void *given, const void *made, size_t size, size_t needed)
{
    size_t given_size;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < needed) return false;
    memcpy(given, made, given_size < size ? given_size : size);
    memcpy(given, &given_size, sizeof given_size);
    return true;
}

#endif
