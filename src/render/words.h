/* SPDX-License-Identifier: Apache-2.0 */
/* Text on pictures: cleaning what comes from outside, short figures, width and lines. */
#ifndef DXT_RENDER_WORDS_H
#define DXT_RENDER_WORDS_H

#include "base/base.h"

#include <deepxtrace/render.h>

/** Long enough for any figure below. */
#define DXT_FIGURE_SIZE 40u

/**
 * Decode one character.
 *
 * @param string  Terminated; not at its end.
 * @param size    Receives the bytes it takes, ≥ 1.
 * @return The code point; U+FFFD for a byte that is not UTF-8.
 */
uint32_t dxt_utf8_next(const char *string, size_t *size);

/**
 * Append text from outside as valid UTF-8: invalid bytes become U+FFFD, tabs become spaces, other
 * control characters, which could drive a terminal or spoil XML, are dropped. Newlines are kept if
 * @p newlines, else become spaces.
 */
void dxt_text_clean(dxt_text *text, const char *string, bool newlines);

/** Append with the characters escaped that mean something in XML and HTML. Expects clean text. */
void dxt_text_escape(dxt_text *text, const char *string);

/** Columns of a terminal that a character takes: 0, 1 or 2. */
double dxt_terminal_width(uint32_t character);
/** Generous width of a character of a common sans-serif font, in em. */
double dxt_font_width(uint32_t character);
/** Sum over a string. */
double dxt_width_of(const char *string, double (*width)(uint32_t));

/**
 * Take one line from a text: up to a newline, or as many words as fit, or as many characters.
 *
 * @param text  In: where to begin; out: where to go on, NULL after the last line.
 * @param line  Receives the line without the spaces or newline that end it; not terminated.
 * @return Length of the line in bytes.
 */
size_t dxt_wrap(const char **text, const char **line, double fits, double (*width)(uint32_t));

/** Append a number with up to @p decimals ≤ 3 decimals, none that are 0, and a point in every
 *  locale. */
void dxt_text_fixed(dxt_text *text, double value, int decimals);

/** Three significant digits, at most five characters up to 10^15: 0, 0.23, 16, 12.3, 631, 1060,
 *  12.3k, 2.09M. @return @p buffer. */
char *dxt_short_figure(double value, char *buffer, size_t size);

/** How a picture in µs says that its sentences speak of ms: "1000 µs = 1 ms", "1k µs = 1 ms"; NULL
 *  where they do not. Static.
 *
 * @param largest  Of what is shown, in ns or cycles. */
const char *dxt_unit_note(dxt_measure measure, double largest);

/** A wait with its unit: "1.03 ms", "2.09M cycles". @return @p buffer. */
char *dxt_wait_figure(dxt_measure measure, double value, char *buffer, size_t size);

#endif
