/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_MATRIX_UTF8_H
#define DXT_MATRIX_UTF8_H

#include <stdint.h>

/** Write a character, at most 4 bytes. @return Behind it. */
static inline char *dxt_put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)((0xff00 >> (tail + 1)) | code >> (6 * tail));
    while (tail-- > 0) *to++ = (char)(0x80 | (code >> (6 * tail) & 0x3f));
    return to;
}

#endif
