/* SPDX-License-Identifier: Apache-2.0 */
/* Text for terminals that know ASCII only. */
#ifndef DXT_SYSTEM_ASCII_H
#define DXT_SYSTEM_ASCII_H

#include <stddef.h>
#include <string.h>

/**
 * Replace what is not ASCII: "µs" becomes "us", "→" "->"; of what is not known one '?' is left for
 * each character. What a picture is made of (shades, "–", "·", "•") stays one character wide.
 *
 * @param text  Terminated; it never grows.
 */
static inline void dxt_make_ascii(char *text)
{
    static const char words[][2][4] = {
        {"µ", "u"},  {"μ", "u"},  {"→", "->"}, {"←", "<-"}, {"↔", "<->"}, {"↓", "v"}, {"↑", "^"},
        {"–", "-"},  {"—", "-"},  {"−", "-"},  {"±", "+-"}, {"×", "x"},   {"·", "_"}, {"•", "o"},
        {"…", ".."}, {"≤", "<="}, {"≥", ">="}, {"░", "."},  {"▒", ":"},   {"▓", "="}, {"█", "#"}};
    char *to = text;
    for (const char *at = text; *at;) {
        if ((unsigned char)*at < 0x80) {
            *to++ = *at++;
            continue;
        }
        const char *plain = "?";
        size_t size = 1;
        while (((unsigned char)at[size] & 0xc0) == 0x80 && (unsigned char)*at >= 0xc0) size++;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strlen(words[i][0]) == size && memcmp(at, words[i][0], size) == 0)
                plain = words[i][1];
        at += size;
        while (*plain) *to++ = *plain++;
    }
    *to = '\0';
}

#endif
