/* SPDX-License-Identifier: Apache-2.0 */
#include "render/palette.h"

#include <math.h>
#include <stddef.h>

/*
 * From a pale green to a dark red, chosen in the OKLab colour space. The luminance falls all the
 * way, so that those who do not tell green from red, and a grey print, still see the order: the
 * darker the longer.
 */
static const uint32_t stops[] = {0xb4f7ba, 0xb5f4a8, 0xbaf192, 0xc2ec7a, 0xd4e05e,
                                 0xe4d343, 0xefbf24, 0xf3a708, 0xf38d02, 0xed6600,
                                 0xdd3e15, 0xb6271b, 0x90101a};
#define INTERVALS (sizeof stops / sizeof stops[0] - 1)

static unsigned channel(uint32_t rgb, int index)
{
    return rgb >> (16 - 8 * index) & 0xff;
}

uint32_t dxt_palette_rgb(double position)
{
    double clamped = position > 0 ? fmin(position, 1) : 0;
    double at = round(clamped * (DXT_PALETTE_STEPS - 1)) / (DXT_PALETTE_STEPS - 1) * INTERVALS;
    size_t below = at >= INTERVALS ? INTERVALS - 1 : (size_t)at;
    double part = at - (double)below;
    uint32_t rgb = 0;
    for (int i = 0; i < 3; i++) {
        double from = channel(stops[below], i), to = channel(stops[below + 1], i);
        rgb = rgb << 8 | (uint32_t)lround(from + part * (to - from));
    }
    return rgb;
}

double dxt_luminance(uint32_t rgb)
{
    static const double weight[3] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double c = channel(rgb, i) / 255.0;
        sum += weight[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

bool dxt_black_on(uint32_t rgb)
{
    /* Equal contrast to black and to white: (l + 0.05)² = 0.05 × 1.05. */
    return dxt_luminance(rgb) > 0.1791;
}

/* Intensities along a side of the cube. */
static const unsigned levels[6] = {0, 95, 135, 175, 215, 255};

uint32_t dxt_palette_256_rgb(unsigned index)
{
    unsigned at = index - 16;
    return levels[at / 36] << 16 | levels[at / 6 % 6] << 8 | levels[at % 6];
}

unsigned dxt_palette_256(uint32_t rgb)
{
    unsigned index = 0;
    for (int i = 0; i < 3; i++) {
        int value = (int)channel(rgb, i);
        unsigned best = 0;
        for (unsigned level = 1; level < 6; level++) {
            int distance = (int)levels[level] - value, shortest = (int)levels[best] - value;
            if (distance * distance < shortest * shortest) best = level;
        }
        index = index * 6 + best;
    }
    return 16 + index;
}

const char *dxt_palette_shade(double position)
{
    static const char *const shades[DXT_SHADES] = {" ", "░", "▒", "▓", "█"};
    double at = position > 0 ? position * DXT_SHADES : 0;
    return shades[at >= DXT_SHADES ? DXT_SHADES - 1 : (size_t)at];
}
