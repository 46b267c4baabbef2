/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"

/* ---- one value ---- */

static bool refuse(char *why, size_t why_size, const char *format, ...) DXT_PRINTF(3, 4);

static bool refuse(char *why, size_t why_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return false;
}

/* A plain decimal number ≥ 0 at the beginning of `text`; NULL if there is none. */
static const char *scan_decimal(const char *text, double *value)
{
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || (digits == 1 && text[0] == '.')) return NULL;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return NULL;
    char *end;
    *value = strtod(text, &end);
    return end > text ? end : NULL;
}

bool cli_parse_duration(const char *text, int64_t *ns, char *why, size_t why_size)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"ns", 1},          {"us", 1e3}, {"\xc2\xb5s", 1e3}, /* micro sign */
                 {"\xce\xbcs", 1e3},                                  /* Greek mu */
                 {"ms", 1e6},        {"s", 1e9}};
    double value;
    const char *unit = scan_decimal(text, &value);
    if (unit && *unit == '\0')
        return refuse(why, why_size, "'%s' has no unit; write %sms or %sus, for example", text,
                      text, text);
    for (size_t i = 0; unit && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].unit) != 0) continue;
        double result = round(value * units[i].factor);
        if (!(result < 9.2e18))
            return refuse(why, why_size,
                          "'%s' is too long for a duration, such as 300ns, 50us, 1ms or 2s", text);
        *ns = (int64_t)result;
        return true;
    }
    return refuse(why, why_size, "'%s' is not a duration, such as 300ns, 50us, 1ms or 2s", text);
}

bool cli_parse_share(const char *text, double *share, char *why, size_t why_size)
{
    double value;
    const char *end = scan_decimal(text, &value);
    bool percent = end && strcmp(end, "%") == 0;
    if (!end || (*end && !percent))
        return refuse(why, why_size, "'%s' is not a percentage, such as 5%%", text);
    if (percent) value /= 100;
    if (!(value <= 1)) {
        if (!percent && value <= 100)
            return refuse(why, why_size, "'%s' is above 1; for a percentage write %s%%", text,
                          text);
        return refuse(why, why_size, "'%s' is above 100%%", text);
    }
    /* Who forgets the sign of 1% does not mean 100%. */
    if (!percent && value >= 0.5)
        return refuse(why, why_size, "'%s' has no %%; for a percentage write %s%% or %g%%", text,
                      text, value * 100);
    *share = value;
    return true;
}

bool cli_parse_number(const char *text, double *number, char *why, size_t why_size)
{
    double value;
    const char *end = scan_decimal(text, &value);
    if (!end || *end || !isfinite(value) || !(value > 0))
        return refuse(why, why_size, "'%s' is not a number above 0, such as 1.5", text);
    *number = value;
    return true;
}

bool cli_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *count, char *why,
                     size_t why_size)
{
    uint64_t value = 0;
    bool negative = text[0] == '-', fits = true;
    size_t sign = negative, digits = strspn(text + sign, "0123456789");
    if (digits == 0 || text[sign + digits])
        return refuse(why, why_size, "'%s' is not a whole number", text);
    for (size_t i = sign; i < sign + digits; i++)
        fits = fits && !__builtin_mul_overflow(value, (uint64_t)10, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value);
    if (!fits || (negative && value > 0) || value < min || (max && value > max)) {
        if (max)
            return refuse(why, why_size, "'%s' is not within %llu to %llu", text,
                          (unsigned long long)min, (unsigned long long)max);
        return fits ? refuse(why, why_size, "'%s' is below %llu", text, (unsigned long long)min)
                    : refuse(why, why_size, "'%s' is too large", text);
    }
    *count = value;
    return true;
}

bool cli_parse_choice(const char *text, const char *const *choices, int *choice, char *why,
                      size_t why_size)
{
    for (int i = 0; choices[i]; i++)
        if (strcmp(text, choices[i]) == 0) {
            *choice = i;
            return true;
        }
    int used = snprintf(why, why_size, "'%s' is not one of", text);
    for (int i = 0; choices[i] && used >= 0 && (size_t)used < why_size; i++)
        used += snprintf(why + used, why_size - (size_t)used, "%s %s", i ? "," : "", choices[i]);
    return false;
}

bool cli_cut_path(char *text, char **to, char **from)
{
    static const struct {
        const char *arrow;
        bool forward;
    } arrows[] = {{"->", true}, {"<-", false}, {"\xe2\x86\x92", true}, {"\xe2\x86\x90", false}};
    for (size_t i = 0; i < sizeof arrows / sizeof arrows[0]; i++) {
        char *right;
        if (!cli_cut(text, arrows[i].arrow, &right)) continue;
        right += strspn(right, " ");
        for (char *at = text + strlen(text); at > text && at[-1] == ' ';) *--at = '\0';
        *to = arrows[i].forward ? right : text;
        *from = arrows[i].forward ? text : right;
        return true;
    }
    return false;
}

static bool parse_count(const cli_option *option, const char *text, char *why, size_t why_size)
{
    uint64_t count;
    uint64_t multiple = option->multiple ? option->multiple : 1;
    uint64_t min = option->multiple ? 0 : option->min, max = option->multiple ? 0 : option->max;
    if (!cli_parse_count(text, min, max, &count, why, why_size)) return false;
    if (option->multiple && (count < option->min || count > option->max || count % multiple != 0))
        return refuse(why, why_size, "'%s' is not a multiple of %llu between %llu and %llu", text,
                      (unsigned long long)multiple, (unsigned long long)option->min,
                      (unsigned long long)option->max);
    *(uint64_t *)option->value = count;
    return true;
}

static bool parse_file(const char *text, const char **value, char *why, size_t why_size)
{
    if (*value)
        return refuse(why, why_size, "given twice, '%s' and '%s'; give it once", *value, text);
    *value = text;
    return true;
}

static bool parse_value(const cli_option *option, const char *text, char *why, size_t why_size)
{
    switch (option->type) {
    case OPTION_FLAG: *(bool *)option->value = true; return true;
    case OPTION_TEXT: *(const char **)option->value = text; return true;
    case OPTION_FILE: return parse_file(text, option->value, why, why_size);
    case OPTION_COUNT: return parse_count(option, text, why, why_size);
    case OPTION_DURATION: {
        int64_t ns;
        if (!cli_parse_duration(text, &ns, why, why_size)) return false;
        if ((uint64_t)ns < option->min || (option->max && (uint64_t)ns > option->max))
            return refuse(why, why_size, "'%s' is not within %lluns to %gs", text,
                          (unsigned long long)option->min,
                          option->max ? (double)option->max / 1e9 : 9e9);
        *(int64_t *)option->value = ns;
        return true;
    }
    case OPTION_SHARE: return cli_parse_share(text, option->value, why, why_size);
    case OPTION_NUMBER: return cli_parse_number(text, option->value, why, why_size);
    case OPTION_CHOICE:
        return cli_parse_choice(text, option->choices, option->value, why, why_size);
    case OPTION_CUSTOM: return option->parse(text, option->value, why, why_size);
    }
    return refuse(
        why, why_size,
        "a fault of deepxtrace: it does not know what this option takes; please report it");
}

/* ---- a command line ---- */

/* The option that `argument` ("--name", "--name=value", "-l", "-lvalue") names, and the value that
 * is part of it, if any. */
static const cli_option *find_option(const cli_command *command, const char *argument,
                                     const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        if (argument[1] != '-') {
            if (!option->letter || argument[1] != option->letter) continue;
            if (argument[2]) *value = argument + 2;
            return option;
        }
        size_t length = strlen(option->name);
        if (strncmp(argument + 2, option->name, length) != 0) continue;
        if (argument[2 + length] == '=') *value = argument + 3 + length;
        if (argument[2 + length] == '\0' || *value) return option;
    }
    return NULL;
}

static const char *option_name(const void *context, size_t index)
{
    const cli_command *command = context;
    return index < command->option_count ? command->options[index].name : NULL;
}

static bool refuse_unknown(const cli_command *command, const char *argument, char *why,
                           size_t why_size)
{
    char name[64];
    int length = (int)strcspn(argument, "="), dashes = argument[1] == '-' ? 2 : 1;
    snprintf(name, sizeof name, "%.*s", length - dashes, argument + dashes);
    const char *meant = nearest(name, option_name, command);
    if (meant)
        return refuse(why, why_size, "unknown option '%.*s' (did you mean --%s?)", length, argument,
                      meant);
    return refuse(why, why_size, "unknown option '%.*s' (see deepxtrace %s --help)", length,
                  argument, command->name);
}

static bool read_option(const cli_command *command, int argc, char **argv, int *at, char *why,
                        size_t why_size)
{
    char reason[256];
    const char *argument = argv[*at];
    const char *value;
    const cli_option *option = find_option(command, argument, &value);
    if (!option) return refuse_unknown(command, argument, why, why_size);
    if (option->type == OPTION_FLAG) {
        if (value) return refuse(why, why_size, "--%s takes no value", option->name);
    } else if (!value) {
        if (*at + 1 >= argc)
            return refuse(why, why_size, "--%s needs %s", option->name, option->argument);
        value = argv[++*at];
    }
    if (parse_value(option, value, reason, sizeof reason)) return true;
    return refuse(why, why_size, "--%s: %s", option->name, reason);
}

cli_parsed options_parse(const cli_command *command, int argc, char **argv, int *operands,
                         char *why, size_t why_size)
{
    int count = 0;
    bool only_operands = false;
    for (const cli_option *o = command->options; o < command->options + command->option_count; o++)
        if (o->standard && !parse_value(o, o->standard, why, why_size)) return PARSED_BAD;
    for (int at = 1; at < argc; at++) {
        char *argument = argv[at];
        if (only_operands || argument[0] != '-' || argument[1] == '\0') {
            argv[1 + count++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            only_operands = true;
        } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            return PARSED_HELP;
        } else if (!read_option(command, argc, argv, &at, why, why_size)) {
            return PARSED_BAD;
        }
    }
    if (command->max_operands >= 0 && count > command->max_operands) {
        refuse(why, why_size, "'%s' is one argument too many", argv[1 + command->max_operands]);
        return PARSED_BAD;
    }
    if (count < command->min_operands) {
        const char *missing = command->operands;
        for (const char *next; count-- > 0 && (next = strchr(missing, ' '));) missing = next + 1;
        refuse(why, why_size, "%s is missing (see deepxtrace %s --help)", missing, command->name);
        return PARSED_BAD;
    }
    *operands = count;
    return PARSED;
}

/* ---- help ---- */

/* Column in which the text of an option begins, and the last one that it may use. */
#define HELP_COLUMN 26
#define HELP_WIDTH 80

/* Print from HELP_COLUMN on, broken at blanks. */
static void help_text(const char *text)
{
    size_t column = HELP_COLUMN;
    for (const char *at = text; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        bool first = column == HELP_COLUMN;
        if (!first && column + 1 + length > HELP_WIDTH) {
            stdout_printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
            first = true;
        }
        stdout_printf("%s%.*s", first ? "" : " ", (int)length, at);
        column += length + !first;
        at += length;
    }
    stdout_printf("\n");
}

static void help_option(const cli_option *option)
{
    char left[80];
    int used = option->letter ? snprintf(left, sizeof left, "-%c, ", option->letter) : 0;
    snprintf(left + used, sizeof left - (size_t)used, "--%s%s%s", option->name,
             option->argument ? " " : "", option->argument ? option->argument : "");
    stdout_printf("  %-*s", HELP_COLUMN - 2, left);
    if (strlen(left) > HELP_COLUMN - 3) stdout_printf("\n%*s", HELP_COLUMN, "");
    char text[512];
    snprintf(text, sizeof text, "%s%s%s%s", option->help, option->standard ? " (default " : "",
             option->standard ? option->standard : "", option->standard ? ")" : "");
    help_text(text);
}

static outcome print_help(const cli_command *command)
{
    stdout_printf("%s\n\nUsage: deepxtrace %s", command->summary, command->name);
    if (command->option_count) stdout_printf(" [OPTION]...");
    stdout_printf("%s%s\n\n", command->operands ? " " : "",
                  command->operands ? command->operands : "");
    for (size_t i = 0; i < command->option_count; i++) help_option(&command->options[i]);
    stdout_printf("  %-24s%s\n", "-h, --help", "show this and stop");
    if (command->notes) stdout_printf("\n%s", command->notes);
    stdout_printf("\nExamples:\n%s", command->examples);
    return EXIT_DONE;
}

/* Who wants to see a table in place of its help. */
static void (*looking)(const cli_command *command, void *context);
static void *looking_context;

outcome command_line(const cli_command *command, int argc, char **argv, int *operands)
{
    char why[512];
    switch (options_parse(command, argc, argv, operands, why, sizeof why)) {
    case PARSED: return GO_ON;
    case PARSED_HELP:
        if (!looking) return print_help(command);
        looking(command, looking_context);
        return EXIT_DONE;
    default: return complain(command->name, "%s", why);
    }
}

void command_line_look(outcome (*main)(int argc, char **argv), const char *name,
                       void (*look)(const cli_command *command, void *context), void *context)
{
    char word[64], help[] = "--help";
    snprintf(word, sizeof word, "%s", name);
    char *argv[] = {word, help, NULL};
    looking = look;
    looking_context = context;
    main(2, argv);
    looking = NULL;
}

static size_t put(char *text, size_t size, size_t used, const char *more)
{
    size_t length = strlen(more);
    if (used + length < size) memcpy(text + used, more, length + 1);
    return used + length;
}

void command_line_text(int count, char *const *words, char *text, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_=+,./:@%^";
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        bool quoted = !words[i][0] || words[i][strspn(words[i], plain)];
        used = put(text, size, used, i ? " " : "");
        used = put(text, size, used, quoted ? "'" : "");
        for (const char *at = words[i]; *at; at++) {
            char one[2] = {*at, '\0'};
            used = put(text, size, used, *at == '\'' ? "'\\''" : one);
        }
        used = put(text, size, used, quoted ? "'" : "");
    }
}
