/* SPDX-License-Identifier: Apache-2.0 */
/* From positions on the scale to colours: green over yellow to red, ever darker. */
#ifndef DXT_RENDER_PALETTE_H
#define DXT_RENDER_PALETTE_H

#include <stdbool.h>
#include <stdint.h>

/** Steps of the colour scale; more could not be told apart. */
#define DXT_PALETTE_STEPS 96u

/** Colour at a position 0 … 1 as 0xrrggbb, in DXT_PALETTE_STEPS steps. */
uint32_t dxt_palette_rgb(double position);
/** Luminance of a colour, 0 … 1, linear. */
double dxt_luminance(uint32_t rgb);
/** Whether text on this colour should be black (else white). */
bool dxt_black_on(uint32_t rgb);
/** Nearest colour of the 6×6×6 cube of 256-colour terminals, 16 … 231. */
unsigned dxt_palette_256(uint32_t rgb);
/** What a 256-colour terminal shows for an index of the cube, as 0xrrggbb. */
uint32_t dxt_palette_256_rgb(unsigned index);
/** One of " ░▒▓█" for a position, for terminals without colours. */
const char *dxt_palette_shade(double position);
/** Number of shades. */
#define DXT_SHADES 5u

#endif
