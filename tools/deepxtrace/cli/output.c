/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "progress.h"
#include "system/ascii.h"

/* ---- standard output ---- */

/* Characters in a line of words for people. */
#define COLUMNS 80u

static int stdout_error; /* errno of the first failed write */

dxt_status memory_write(void *context, const void *data, size_t size)
{
    return fwrite(data, 1, size, context) == size ? DXT_OK : DXT_ERR_NO_MEMORY;
}

dxt_status stdout_write(void *context, const void *data, size_t size)
{
    (void)context;
    if (stdout_error) return DXT_ERR_IO;
    progress_before_stdout();
    if (fwrite(data, 1, size, stdout) == size) return DXT_OK;
    stdout_error = errno ? errno : EIO;
    return DXT_ERR_IO;
}

dxt_status stdout_printf(const char *format, ...)
{
    if (stdout_error) return DXT_ERR_IO;
    va_list args;
    va_start(args, format);
    char *text;
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        stdout_error = ENOMEM;
        return DXT_ERR_IO;
    }
    if (terminal_ascii()) dxt_make_ascii(text);
    dxt_status status = stdout_write(NULL, text, strlen(text));
    free(text);
    return status;
}

/* Bytes of a line, without its newline, that fit: up to a blank behind a word, or all. */
static size_t fitting(const char *line, size_t columns)
{
    size_t at = strspn(line, " "), blank = 0, used = at;
    for (; line[at] && line[at] != '\n'; at++) {
        if (line[at] == ' ' && used <= columns) blank = at;
        used += ((unsigned char)line[at] & 0xc0) != 0x80;
        if (used > columns && blank) return blank;
        if (used > columns && line[at] == ' ') return at;
    }
    return at;
}

static void fold(const char *text, size_t columns, size_t indent)
{
    size_t set = 0;
    while (*text) {
        size_t length = fitting(text, columns - set);
        stdout_printf("%*s%.*s\n", (int)set, "", (int)length, text);
        text += length;
        set = *text == ' ' ? indent : 0;
        text += *text == ' ' ? strspn(text, " ") : *text == '\n';
    }
}

void stdout_fold(const char *text, size_t columns, size_t indent)
{
    char *plain = terminal_ascii() ? strdup(text) : NULL;
    if (plain) dxt_make_ascii(plain); /* before it is folded: "->" is wider than "→" */
    fold(plain ? plain : text, columns, indent);
    free(plain);
}

dxt_status stdout_text(void *context, const void *data, size_t size)
{
    if (!terminal_ascii()) return stdout_write(context, data, size);
    char *text = strndup(data, size);
    if (!text) return DXT_ERR_NO_MEMORY;
    dxt_make_ascii(text);
    fold(text, COLUMNS, 4);
    free(text);
    return stdout_error ? DXT_ERR_IO : DXT_OK;
}

dxt_status stdout_flush(void)
{
    if (!stdout_error && fflush(stdout) != 0) stdout_error = errno;
    return stdout_error ? DXT_ERR_IO : DXT_OK;
}

outcome stdout_finish(const char *command, outcome status)
{
    progress_clear();
    stdout_flush();
    if (!stdout_error) return status;
    if (stdout_error == EPIPE) return EXIT_DONE;
    complain(command, "standard output: %s", strerror(stdout_error));
    return EXIT_FAILED;
}

/* ---- the terminal ---- */

dxt_color choose_color(bool terminal, const char *no_color, const char *colorterm, const char *term)
{
    if (!terminal || (no_color && *no_color)) return DXT_COLOR_NONE;
    if (!term || !*term || strcmp(term, "dumb") == 0) return DXT_COLOR_NONE;
    if (colorterm && (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0))
        return DXT_COLOR_TRUE;
    if (strstr(term, "-direct") || strstr(term, "-truecolor")) return DXT_COLOR_TRUE;
    static const char *const able[] = {"256color", "xterm", "screen", "tmux", "rxvt", "kitty"};
    for (size_t i = 0; i < sizeof able / sizeof able[0]; i++)
        if (strstr(term, able[i])) return DXT_COLOR_256;
    return DXT_COLOR_NONE;
}

/* choose_color() for a file descriptor and the environment. */
static dxt_color terminal_color(int fd)
{
    return choose_color(isatty(fd), getenv("NO_COLOR"), getenv("COLORTERM"), getenv("TERM"));
}

bool choose_ascii(const char *lc_all, const char *lc_ctype, const char *lang)
{
    const char *const values[] = {lc_all, lc_ctype, lang};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (!values[i] || !*values[i]) continue;
        /* Also where that locale is not installed: what is seen depends on the terminal. */
        if (strcasestr(values[i], "utf-8") || strcasestr(values[i], "utf8")) return false;
        locale_t locale = newlocale(LC_CTYPE_MASK, values[i], (locale_t)0);
        bool ascii = !locale || strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") != 0;
        if (locale) freelocale(locale);
        return ascii;
    }
    return true;
}

bool terminal_ascii(void)
{
    static int ascii = -1;
    if (ascii < 0) ascii = choose_ascii(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"));
    return ascii;
}

const char *const color_choices[] = {"auto", "always", "never", NULL};

dxt_color color_when(int choice, int fd)
{
    if (choice == 2) return DXT_COLOR_NONE;
    dxt_color able = terminal_color(fd);
    return choice == 1 && able == DXT_COLOR_NONE ? DXT_COLOR_256 : able;
}
