/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

#include "changes.h"
#include "commands.h"
#include "growing.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "screen.h"
#include "system/clock.h"
#include "temporary.h"
#include "watched.h"

/* How long to wait for what comes next, and for the rest of a key. */
#define WAIT_MS 300
#define ESCAPE_MS 50

struct top {
    analysis_options analysis;
    bool once;
    int color;
    growing files;
    watched seen;
    dxt_status status; /**< of the first failure */
};

static volatile sig_atomic_t stopped, resized;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void resize(int number)
{
    (void)number;
    resized = 1;
}

static void catch_signals(void)
{
    struct sigaction ends = {.sa_handler = stop}, grows = {.sa_handler = resize};
    sigaction(SIGINT, &ends, NULL);
    sigaction(SIGTERM, &ends, NULL);
    catch_hangup(&ends);
    sigaction(SIGWINCH, &grows, NULL);
}

static dxt_status take(void *context, size_t file, dxt_window *window)
{
    struct top *top = context;
    const growing_file *from = &top->files.files[file];
    return watched_take(&top->seen, file, from->path, from->log, window);
}

/* @return Whether something came. */
static bool step(struct top *top)
{
    bool any = growing_step(&top->files);
    if (top->status == DXT_OK) top->status = top->files.failed;
    top->seen.bad = top->files.bad;
    return any;
}

/* ---- plain output ---- */

static void tell(void *context, watched_group *group, const watched_window *window)
{
    struct top *top = context;
    change_state *state = NULL;
    if (!changes_look(&group->told, window->window, window->findings, &state)) return;
    dxt_status status = changes_tell(state, window->window);
    bool many = top->files.file_count > 1 || top->seen.count > 1;
    if (status == DXT_OK && many) status = stdout_printf("%s: ", group->name);
    if (status == DXT_OK)
        status = dxt_report_text(window->window, window->findings, stdout_text, NULL);
    if (status == DXT_OK) status = stdout_flush();
    if (status != DXT_OK && top->status == DXT_OK) top->status = status;
}

static void run_plain(struct top *top)
{
    top->seen.told = tell;
    top->seen.context = top;
    while (!stopped && top->status == DXT_OK) {
        if (step(top)) continue;
        if (top->status == DXT_OK) top->status = watched_rest(&top->seen);
        if (top->once) break;
        poll(NULL, 0, WAIT_MS);
    }
}

/* ---- the terminal ---- */

static void look(struct screen *s)
{
    struct winsize size;
    s->rows = 24;
    s->columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return;
    s->rows = size.ws_row;
    s->columns = size.ws_col;
}

static void show(struct top *top, screen *s)
{
    look(s);
    char *text = screen_text(s, &top->seen);
    dxt_status status = text ? stdout_printf("\033[H%s", text) : DXT_ERR_NO_MEMORY;
    if (status == DXT_OK) status = stdout_flush();
    free(text);
    if (status != DXT_OK && top->status == DXT_OK) top->status = status;
}

static int64_t now_ms(void)
{
    return dxt_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* One key, or the sequence of one. @return false if none came. */
static bool read_key(char key[8], int wait_ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, wait_ms) <= 0 || !(input.revents & POLLIN)) return false;
    ssize_t got = read(STDIN_FILENO, key, 1);
    if (got <= 0) {
        stopped |= got == 0 || errno != EINTR;
        return false;
    }
    key[1] = '\0';
    /* What belongs to an escape comes at once, but for the way it takes. */
    for (size_t i = 1; key[0] == '\033' && i < 7 && poll(&input, 1, ESCAPE_MS) > 0; i++) {
        if (read(STDIN_FILENO, key + i, 1) != 1) break;
        key[i + 1] = '\0';
        if (i > 1 && key[i] >= '@') break;
    }
    return true;
}

static void run_terminal(struct top *top)
{
    screen s = {.color = color_when(top->color, STDOUT_FILENO), .ascii = terminal_ascii()};
    bool fresh = true, rested = false;
    int64_t shown_ms = 0;
    char key[8];
    while (!stopped && top->status == DXT_OK) {
        bool more = !s.paused && step(top);
        /* What waits for the other operator does so for one turn. */
        bool rest = !more && !s.paused && !rested;
        if (rest && top->status == DXT_OK) top->status = watched_rest(&top->seen);
        fresh |= more || rest;
        if (!s.paused) rested = !more;
        /* Of a long file something is seen before it is read. */
        if (resized || (fresh && (!more || now_ms() - shown_ms >= WAIT_MS))) {
            fresh = false;
            resized = 0;
            shown_ms = now_ms();
            show(top, &s);
        }
        if (!read_key(key, more ? 0 : WAIT_MS)) continue;
        if (!screen_key(&s, &top->seen, key)) break;
        fresh = true;
    }
}

static void with_terminal(struct top *top)
{
    struct termios before, raw;
    if (tcgetattr(STDIN_FILENO, &before) != 0) {
        run_plain(top);
        return;
    }
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    stdout_printf("\033[?1049h\033[?25l\033[2J");
    run_terminal(top);
    stdout_printf("\033[?25h\033[?1049l");
    stdout_flush();
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static outcome run_top(struct top *top, char **operands, size_t count)
{
    top->files.once = top->once;
    top->files.take = take;
    top->files.context = top;
    outcome result = growing_begin(&top->files, operands, count);
    top->seen.analysis = &top->analysis;
    if (result == GO_ON) {
        catch_signals();
        bool terminal = terminal_rewrites(STDOUT_FILENO) && isatty(STDIN_FILENO) && !top->once;
        if (terminal)
            with_terminal(top);
        else
            run_plain(top);
        if (top->status == DXT_ERR_IO)
            result = EXIT_FAILED;
        else if (top->status != DXT_OK)
            result = complain_status("top", top->status);
        else if (top->once && top->seen.windows == 0)
            result = complain(
                "top", "%s", top->files.why[0] ? top->files.why : "there is no window yet to show");
    }
    watched_free(&top->seen);
    growing_end(&top->files);
    return result == GO_ON ? EXIT_DONE : result;
}

enum { OWN = 2 };

outcome cmd_top(int argc, char **argv)
{
    struct top top = {0};
    cli_option options[OWN + ROBUST_OPTIONS] = {
        {.name = "once", .value = &top.once, .help = "print the state as plain text, then end"},
        {.name = "color",
         .type = OPTION_CHOICE,
         .value = &top.color,
         .argument = "WHEN",
         .choices = color_choices,
         .help = "auto, always or never colour the picture"},
    };
    robust_options_of(&top.analysis, options + OWN);
    const cli_command command = {
        .name = "top",
        .summary = "Watch growing recordings and logs in the terminal: the newest matrix, what is\n"
                   "slow, what to do, the ranks over time.",
        .operands = "FILE|FOLDER...",
        .min_operands = 1,
        .max_operands = -1,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .notes = "In a folder it follows *.jsonl and *.log, also if they are rotated, packed\n"
                 "(gzip, zstd) or come later. It leaves out the log of a job that writes a\n"
                 "recording. ? lists the keys, q ends it. In a pipe it writes every change, until\n"
                 "INT or TERM.\n",
        .examples = "  deepxtrace top logs/\n"
                    "  deepxtrace top --once recording.jsonl\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    return result == GO_ON ? run_top(&top, argv + 1, (size_t)count) : result;
}
