/* SPDX-License-Identifier: Apache-2.0 */
/* Where commands write: standard output with a remembered error, and files that appear whole. */
#ifndef TOOLS_CLI_OUTPUT_H
#define TOOLS_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <deepxtrace/render.h>
#include <deepxtrace/status.h>

#include "outcome.h"
#include "terminal.h"

/* ---- standard output ---- */

/** A dxt_write_fn to standard output (@p context unused). DXT_ERR_IO once it has failed. */
dxt_status stdout_write(void *context, const void *data, size_t size);

/** A dxt_write_fn to a stream in memory, open_memstream()'s; @p context is the FILE. */
dxt_status memory_write(void *context, const void *data, size_t size);

/** What stdout_write() does, for words and pictures for people: where the locale has no UTF-8, in
 *  ASCII. Lines that are longer for that are broken at 80 columns. */
dxt_status stdout_text(void *context, const void *data, size_t size);

/** printf() by way of stdout_text(). */
dxt_status stdout_printf(const char *format, ...) DXT_PRINTF(1, 2);

/** Print lines: those of more than @p columns characters are broken at blanks, and what follows is
 *  set in by @p indent. A word is never broken, so that names can be copied. */
void stdout_fold(const char *text, size_t columns, size_t indent);

/** Hand everything written so far to the system, e.g. after each window of a running job. */
dxt_status stdout_flush(void);

/**
 * Flush at the end of a command (main does this).
 *
 * @param status  Exit status so far.
 * @return @p status; EXIT_DONE, in silence, if the reader of a pipe has gone; EXIT_FAILED,
 *         with one line on standard error, if output was lost.
 */
outcome stdout_finish(const char *command, outcome status);

/* ---- files ---- */

/**
 * A file being written under a temporary name in the directory of the final one, so that nothing
 * half-written is ever seen under that; INT, TERM, HUP and QUIT delete it. A link to a file is
 * followed. "-" is standard output; a device or a pipe is written directly. A file that replaces
 * another has its permissions.
 */
typedef struct output_file {
    const char *command; /**< for messages */
    const char *path;    /**< as given; must outlive this */
    char *target;        /**< where it goes, links followed; NULL: written directly */
    char *temporary;     /**< beside the target; NULL: written directly */
    FILE *file;          /**< NULL: standard output, or nothing open */
    bool replace;        /**< may take the place of an existing file */
    bool named;          /**< has its name already, and grows by lines */
    bool kept;           /**< had its name when it was dropped, and lines in it */
    int error;           /**< errno of the first failed write; 0 = none */
} output_file;

/**
 * Begin a file.
 *
 * @param output   Filled in; must not move; end it with output_commit() or
 *                 output_abandon().
 * @param replace  Whether the file may exist (--force).
 * @return GO_ON; otherwise the exit status, said on standard error: EXIT_USAGE (it
 *         exists, there is no such directory, …).
 */
outcome output_open(output_file *output, const char *command, const char *path, bool replace);

/** Whether what is written to a path, NULL or "-" for standard output, is shown on a terminal. */
bool output_is_terminal(const char *path);

/** Whether two that are open would end as the same file. */
bool output_same(const output_file *a, const output_file *b);

/** A dxt_write_fn; @p context is the output_file. DXT_ERR_IO once a write has failed. */
dxt_status output_write(void *context, const void *data, size_t size);

/** Hand what was written to the system. DXT_ERR_IO if that failed now or before. */
dxt_status output_flush(output_file *output);

/**
 * Give a file of lines its name before it is complete, and go on writing to it. Whenever it ends,
 * also at a failed write or when it is dropped, it is cut back to its last whole line and kept; if
 * there is none, it goes.
 *
 * @return As output_commit().
 */
outcome output_grow(output_file *output);

/**
 * Give the file its name.
 *
 * @return GO_ON when all is well; otherwise the exit status, said on standard error: EXIT_FAILED
 *         (a write failed; nothing is left but whole lines of a file that grew; somebody has
 *         removed one that grew), EXIT_USAGE (it came to exist meanwhile).
 */
outcome output_commit(output_file *output);

/**
 * End a file with what its writer returned: make it whole if all went well, else leave nothing.
 *
 * @return EXIT_DONE; otherwise the exit status, said on standard error: of a write, as
 *         output_commit(); EXIT_FAILED of anything else.
 */
outcome output_end(output_file *output, dxt_status status);

/**
 * Refuse to write over an input, which cannot be made again.
 *
 * @param path    The output to be; NULL, "-" and what is no plain file are never an input.
 * @param inputs  Paths, "-" for standard input.
 * @return GO_ON; EXIT_USAGE if it is one of them, said on standard error.
 */
outcome output_spare(const char *command, const char *path, char *const *inputs, size_t count);

/** Drop the file: nothing is left behind but whole lines of one that grew, which `kept` tells. Also
 *  for one that was never opened or is zeroed. */
void output_abandon(output_file *output);

/* ---- the terminal ---- */

/**
 * Whether people read ASCII only: neither the first of these that is set and not empty names UTF-8,
 * nor is that the code of the locale.
 *
 * @param lc_all, lc_ctype, lang  Values of LC_ALL, LC_CTYPE and LANG; NULL = not set.
 */
bool choose_ascii(const char *lc_all, const char *lc_ctype, const char *lang);

/** choose_ascii() for the environment. */
bool terminal_ascii(void);

/**
 * Which colours to use.
 *
 * @param terminal   Whether the output is a terminal.
 * @param no_color, colorterm, term  Values of NO_COLOR, COLORTERM and TERM; NULL = not set.
 */
dxt_color choose_color(bool terminal, const char *no_color, const char *colorterm,
                       const char *term);

/** Choices of an option --color: auto, always, never. */
extern const char *const color_choices[];

/** Colours by such a choice: "always" is 256 colours where terminal_color() finds none. */
dxt_color color_when(int choice, int fd);

#endif
