/* SPDX-License-Identifier: Apache-2.0 */
#include "common/copy.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && !defined(DXT_SANITIZED)
#include <emmintrin.h>

void dxt_ep_copy(void *to, const void *from, size_t size, bool stream)
{
    if (!stream || (uintptr_t)to % 16 != 0 || size % 64 != 0) {
        memcpy(to, from, size);
        return;
    }
    __m128i *out = to;
    const __m128i *in = from;
    for (size_t i = 0; i < size / 16; i += 4) {
        __m128i a = _mm_loadu_si128(in + i);
        __m128i b = _mm_loadu_si128(in + i + 1);
        __m128i c = _mm_loadu_si128(in + i + 2);
        __m128i d = _mm_loadu_si128(in + i + 3);
        _mm_stream_si128(out + i, a);
        _mm_stream_si128(out + i + 1, b);
        _mm_stream_si128(out + i + 2, c);
        _mm_stream_si128(out + i + 3, d);
    }
}

void dxt_ep_copy_done(bool stream)
{
    if (stream) _mm_sfence();
}

#else

void dxt_ep_copy(void *to, const void *from, size_t size, bool stream)
{
    (void)stream;
    memcpy(to, from, size);
}

void dxt_ep_copy_done(bool stream)
{
    (void)stream;
}

#endif
