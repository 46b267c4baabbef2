/* SPDX-License-Identifier: Apache-2.0 */
/* Text in UTF-16, as PowerShell and Excel write it, becomes UTF-8 while it is read. */
#include <stdlib.h>
#include <string.h>

#include "matrix/input.h"
#include "matrix/utf8.h"

#define RAW_SIZE ((size_t)32 << 10)
/* What a character that is none becomes: U+FFFD. */
#define REPLACEMENT 0xfffdu

static uint32_t unit_at(const unsigned char *at, bool big)
{
    return big ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

/* Decode `size` bytes into three for each two. @return Bytes taken: half a character is left. */
static size_t decode(const unsigned char *from, size_t size, bool big, char **to)
{
    size_t at = 0;
    while (size - at >= 2) {
        uint32_t code = unit_at(from + at, big);
        size_t length = 2;
        if (code >= 0xd800 && code < 0xdc00) {
            if (size - at < 4) break;
            uint32_t low = unit_at(from + at + 2, big);
            bool pair = low >= 0xdc00 && low < 0xe000;
            code = pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : REPLACEMENT;
            if (pair) length = 4;
        } else if (code >= 0xdc00 && code < 0xe000) {
            code = REPLACEMENT;
        }
        *to = dxt_put_utf8(*to, code);
        at += length;
    }
    return at;
}

bool dxt_utf16_looks_so(const char *bytes, size_t size, bool *big)
{
    if (size < 2) return false;
    if (size >= 4 && memcmp(bytes, "\xff\xfe\0\0", 4) == 0) return false; /* UTF-32 */
    *big = memcmp(bytes, "\xfe\xff", 2) == 0;
    if (*big || memcmp(bytes, "\xff\xfe", 2) == 0) return true;
    if (size < 8) return false;
    /* Without a mark: every other byte of ASCII is zero. */
    *big = bytes[0] == 0;
    for (size_t i = 0; i < 8; i++)
        if ((bytes[i] == 0) != (*big ? i % 2 == 0 : i % 2 == 1)) return false;
    return true;
}

dxt_status dxt_utf16_begin(dxt_input *input, bool big)
{
    size_t size = input->size - input->at, capacity = size / 2 * 3 + RAW_SIZE * 2;
    char *buffer = malloc(capacity), *to = buffer;
    unsigned char *raw = malloc(RAW_SIZE);
    if (!buffer || !raw) {
        free(buffer);
        free(raw);
        return dxt_fail_memory(capacity);
    }
    const unsigned char *from = (const unsigned char *)input->data + input->at;
    size_t taken = decode(from, size, big, &to);
    input->raw_size = size - taken;
    memcpy(raw, from + taken, input->raw_size);
    free(input->buffer);
    input->raw = raw;
    input->big = big;
    input->data = input->buffer = buffer;
    input->capacity = capacity;
    input->at = 0;
    input->size = (size_t)(to - buffer);
    return DXT_OK;
}

size_t dxt_utf16_room(const dxt_input *input, char **to)
{
    *to = (char *)input->raw + input->raw_size;
    size_t fits = (input->capacity - input->size) / 3 * 2;
    return (fits < RAW_SIZE ? fits : RAW_SIZE) - input->raw_size;
}

void dxt_utf16_take(dxt_input *input, size_t got)
{
    char *to = input->buffer + input->size;
    size_t size = input->raw_size + got, taken = decode(input->raw, size, input->big, &to);
    input->size = (size_t)(to - input->buffer);
    input->raw_size = size - taken;
    memmove(input->raw, input->raw + taken, input->raw_size);
}
