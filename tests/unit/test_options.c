/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "nearest.h"
#include "options.h"
#include "outcome.h"
#include "output.h"

static void durations_need_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"1ms", 1000000},   {"50us", 50000},    {"50µs", 50000},
                {"50μs", 50000},    {"2s", 2000000000}, {"300ns", 300},
                {"1.5ms", 1500000}, {"0.25us", 250},    {"0s", 0},
                {".5us", 500},      {"1e3ns", 1000},    {"9000000000s", 9000000000000000000}};
    static const char *const bad[] = {"",     "ms",    "-1ms", "+1ms",        "1 ms",  "1m",
                                      "1msx", "0x1ms", "nans", "infs",        "1e99s", "1.2.3ms",
                                      " 1ms", "1ms ",  "1h",   "9300000000s", ".ms"};
    char why[160];
    int64_t ns;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(cli_parse_duration(good[i].text, &ns, why, sizeof why));
        assert_int_equal(ns, good[i].ns);
    }
    ns = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why[0] = '\0';
        assert_false(cli_parse_duration(bad[i], &ns, why, sizeof why));
        assert_true(strlen(why) > 0);
    }
    assert_false(cli_parse_duration("5", &ns, why, sizeof why));
    assert_string_equal(why, "'5' has no unit; write 5ms or 5us, for example");
    assert_false(cli_parse_duration("soon", &ns, why, sizeof why));
    assert_string_equal(why, "'soon' is not a duration, such as 300ns, 50us, 1ms or 2s");
    assert_int_equal(ns, 42);
}

static void shares_are_percentages_or_fractions(void **state)
{
    (void)state;
    char why[160];
    double share = 9;
    assert_true(cli_parse_share("1%", &share, why, sizeof why));
    assert_true(share == 0.01);
    assert_true(cli_parse_share("0.01", &share, why, sizeof why));
    assert_true(share == 0.01);
    assert_true(cli_parse_share("100%", &share, why, sizeof why));
    assert_true(share == 1);
    assert_true(cli_parse_share("0.49", &share, why, sizeof why));
    assert_true(cli_parse_share("0", &share, why, sizeof why));
    assert_false(cli_parse_share("5x", &share, why, sizeof why));
    assert_string_equal(why, "'5x' is not a percentage, such as 5%");
    assert_false(cli_parse_share("5", &share, why, sizeof why));
    assert_string_equal(why, "'5' is above 1; for a percentage write 5%");
    assert_false(cli_parse_share("1", &share, why, sizeof why));
    assert_string_equal(why, "'1' has no %; for a percentage write 1% or 100%");
    assert_false(cli_parse_share("0.5", &share, why, sizeof why));
    assert_string_equal(why, "'0.5' has no %; for a percentage write 0.5% or 50%");
    assert_false(cli_parse_share("101%", &share, why, sizeof why));
    assert_string_equal(why, "'101%' is above 100%");
    static const char *const bad[] = {"", "%", "-1%", "nan", "inf", "1%%", "1 %", "1e400"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(cli_parse_share(bad[i], &share, why, sizeof why));
    assert_true(share == 0);
}

static void counts_stay_within_their_limits(void **state)
{
    (void)state;
    char why[160];
    uint64_t count = 7;
    assert_true(cli_parse_count("4096", 2, 4096, &count, why, sizeof why));
    assert_int_equal(count, 4096);
    assert_true(cli_parse_count("18446744073709551615", 0, 0, &count, why, sizeof why));
    assert_true(count == UINT64_MAX);
    assert_false(cli_parse_count("4097", 2, 4096, &count, why, sizeof why));
    assert_string_equal(why, "'4097' is not within 2 to 4096");
    assert_false(cli_parse_count("18446744073709551616", 0, 0, &count, why, sizeof why));
    assert_string_equal(why, "'18446744073709551616' is too large");
    assert_false(cli_parse_count("0", 1, 0, &count, why, sizeof why));
    assert_string_equal(why, "'0' is below 1");
    assert_false(cli_parse_count("-1", 0, 0, &count, why, sizeof why));
    assert_string_equal(why, "'-1' is below 0");
    assert_false(cli_parse_count("-1", 1, 4096, &count, why, sizeof why));
    assert_string_equal(why, "'-1' is not within 1 to 4096");
    assert_false(cli_parse_count("-0", 1, 4096, &count, why, sizeof why));
    static const char *const bad[] = {"", "-", "+1", "1.5", "1e3", " 1", "0x10", "one"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(cli_parse_count(bad[i], 0, 0, &count, why, sizeof why));
        assert_non_null(strstr(why, "is not a whole number"));
    }
    assert_true(count == UINT64_MAX);
    assert_true(cli_parse_count("-0", 0, 0, &count, why, sizeof why));
    assert_int_equal(count, 0);
}

static void numbers_are_positive_and_finite(void **state)
{
    (void)state;
    char why[160];
    double number = 1;
    assert_true(cli_parse_number("3.5", &number, why, sizeof why));
    assert_true(number == 3.5);
    static const char *const bad[] = {"0", "-3", "3x", "nan", "inf", "", "1e999", "0x3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(cli_parse_number(bad[i], &number, why, sizeof why));
    assert_true(number == 3.5);
}

/* ---- a command line ---- */

struct values {
    bool json;
    const char *output;
    uint64_t ranks;
    int64_t delay;
    int method;
    int pairs;
};

static bool parse_pair(const char *text, void *value, char *why, size_t why_size)
{
    if (strchr(text, ':')) {
        ++*(int *)value;
        return true;
    }
    snprintf(why, why_size, "'%s' has no colon", text);
    return false;
}

/* What the last command line came to. */
static struct values values;
static char why_bad[512];
static char *arguments[32];
static int operands;

/* Parse "try" and the given words, up to NULL. */
static cli_parsed parse(char *word, ...)
{
    static const char *const methods[] = {"robust", "ratio", NULL};
    values = (struct values){0};
    const cli_option options[] = {
        {.name = "json", .value = &values.json},
        {.name = "output",
         .letter = 'o',
         .type = OPTION_TEXT,
         .value = &values.output,
         .argument = "FILE"},
        {.name = "ranks",
         .type = OPTION_COUNT,
         .value = &values.ranks,
         .argument = "N",
         .min = 2,
         .max = 64},
        {.name = "delay",
         .type = OPTION_DURATION,
         .value = &values.delay,
         .argument = "TIME",
         .min = 1000,
         .max = 1000000000},
        {.name = "method",
         .type = OPTION_CHOICE,
         .value = &values.method,
         .argument = "NAME",
         .choices = methods},
        {.name = "pair",
         .type = OPTION_CUSTOM,
         .value = &values.pairs,
         .argument = "A:B",
         .parse = parse_pair},
    };
    const cli_command command = {.name = "try",
                                 .operands = "FILE",
                                 .min_operands = 1,
                                 .max_operands = 2,
                                 .options = options,
                                 .option_count = sizeof options / sizeof options[0]};
    va_list words;
    int count = 0;
    arguments[count++] = (char *)"try";
    va_start(words, word);
    for (; word; word = va_arg(words, char *)) arguments[count++] = word;
    va_end(words);
    operands = -5;
    return options_parse(&command, count, arguments, &operands, why_bad, sizeof why_bad);
}

static void command_lines_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("a", "--json", "--ranks", "8", "-oX", "--delay=5us", "--pair", "1:2",
                           "--pair=3:4", "--method", "ratio", "-", NULL),
                     PARSED);
    assert_true(values.json);
    assert_int_equal(values.ranks, 8);
    assert_int_equal(values.delay, 5000);
    assert_int_equal(values.method, 1);
    assert_int_equal(values.pairs, 2);
    assert_string_equal(values.output, "X");
    assert_int_equal(operands, 2);
    assert_string_equal(arguments[1], "a");
    assert_string_equal(arguments[2], "-");
    assert_int_equal(parse("-o", "-", "--", "--json", NULL), PARSED);
    assert_string_equal(values.output, "-");
    assert_false(values.json);
    assert_string_equal(arguments[1], "--json");
    assert_int_equal(parse("--json", "--help", "--nonsense", NULL), PARSED_HELP);
    assert_int_equal(parse("-h", NULL), PARSED_HELP);
}

static void bad_command_lines_say_why(void **state)
{
    (void)state;
#define BAD(reason, ...)                                    \
    assert_int_equal(parse(__VA_ARGS__, NULL), PARSED_BAD); \
    assert_string_equal(why_bad, reason)
    BAD("unknown option '--jsn' (did you mean --json?)", "--jsn", "a");
    BAD("unknown option '--jso' (did you mean --json?)", "--jso=3", "a");
    BAD("unknown option '-x' (see deepxtrace try --help)", "-x", "a");
    BAD("--json takes no value", "--json=1", "a");
    BAD("--output needs FILE", "a", "-o");
    BAD("--ranks: '1' is not within 2 to 64", "--ranks", "1", "a");
    BAD("--delay: '5' has no unit; write 5ms or 5us, for example", "--delay", "5", "a");
    BAD("--delay: '5ns' is not within 1000ns to 1s", "--delay", "5ns", "a");
    BAD("--delay: '5s' is not within 1000ns to 1s", "--delay", "5s", "a");
    BAD("--method: 'mean' is not one of robust, ratio", "--method", "mean", "a");
    BAD("--pair: 'x' has no colon", "--pair", "x", "a");
    BAD("FILE is missing (see deepxtrace try --help)", "--json");
    BAD("'c' is one argument too many", "a", "b", "c");
    assert_int_equal(operands, -5);
}

/* ---- colours ---- */

static void colours_need_a_terminal_that_has_them(void **state)
{
    (void)state;
    assert_int_equal(choose_color(true, NULL, "truecolor", "xterm"), DXT_COLOR_TRUE);
    assert_int_equal(choose_color(true, NULL, "24bit", "screen"), DXT_COLOR_TRUE);
    assert_int_equal(choose_color(true, NULL, NULL, "xterm-direct"), DXT_COLOR_TRUE);
    assert_int_equal(choose_color(true, "", NULL, "xterm-256color"), DXT_COLOR_256);
    assert_int_equal(choose_color(true, NULL, "no", "foo-256color"), DXT_COLOR_256);
    assert_int_equal(choose_color(true, "1", "truecolor", "xterm"), DXT_COLOR_NONE);
    assert_int_equal(choose_color(false, NULL, "truecolor", "xterm"), DXT_COLOR_NONE);
    assert_int_equal(choose_color(true, NULL, "truecolor", "dumb"), DXT_COLOR_NONE);
    assert_int_equal(choose_color(true, NULL, NULL, NULL), DXT_COLOR_NONE);
    assert_int_equal(choose_color(true, NULL, NULL, "vt100"), DXT_COLOR_NONE);
}

static void letters_need_a_locale_that_has_them(void **state)
{
    (void)state;
    assert_true(choose_ascii(NULL, NULL, NULL));
    assert_true(choose_ascii("", "", ""));
    assert_true(choose_ascii("C", NULL, "C.UTF-8"));
    assert_true(choose_ascii(NULL, "POSIX", "en_US.UTF-8"));
    assert_true(choose_ascii(NULL, NULL, "no_such_locale"));
    assert_false(choose_ascii(NULL, NULL, "C.UTF-8"));
    assert_false(choose_ascii("", NULL, "C.utf8"));
    /* Not installed: the terminal that said so can show it. */
    assert_false(choose_ascii(NULL, "xx_YY.utf8", "C"));
}

static void paths_either_way_round(void **state)
{
    (void)state;
    static const char *const same[] = {"6->1",
                                       "1<-6",
                                       "6 -> 1",
                                       "1 <- 6",
                                       "6 \xe2\x86\x92 1", /* the arrows of findings */
                                       "1 \xe2\x86\x90 6"};
    char *to, *from;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        char text[16];
        snprintf(text, sizeof text, "%s", same[i]);
        assert_true(cli_cut_path(text, &to, &from));
        assert_string_equal(to, "1");
        assert_string_equal(from, "6");
    }
    char none[] = "6-1", empty[] = "->";
    assert_false(cli_cut_path(none, &to, &from));
    assert_string_equal(none, "6-1");
    assert_true(cli_cut_path(empty, &to, &from));
    assert_string_equal(to, "");
    assert_string_equal(from, "");
}

static const char *some_word(const void *context, size_t index)
{
    const char *const *words = context;
    return words[index];
}

static void what_was_meant_is_near(void **state)
{
    (void)state;
    static const char *const words[] = {"summary", "json", "slow", "slow-path", "ranks", NULL};
    static const char *const cases[][2] = {
        {"sumary", "summary"},
        {"summaryy", "summary"},
        {"sumamry", "summary"},
        {"JSON", "json"},
        {"jsom", "json"},
        {"slowpath", "slow-path"},
        {"sl", "slow"},
        {"rank", "ranks"},
        {"runs", "ranks"},
        {"xyz", NULL},
        {"", NULL},
        {"s", NULL},
        {"summaries-of-all-the-windows-and-what-they-come-to", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *meant = nearest(cases[i][0], some_word, words);
        if (cases[i][1]) {
            assert_non_null(meant);
            assert_string_equal(meant, cases[i][1]);
        } else {
            assert_null(meant);
        }
    }
}

static void words_as_a_shell_takes_them(void **state)
{
    (void)state;
    char plain[] = "--ranks=4", arrow[] = "dispatch:1<-6:1ms", quote[] = "it's", empty[] = "";
    char *words[] = {plain, arrow, quote, empty};
    char text[64], little[12];
    command_line_text(4, words, text, sizeof text);
    assert_string_equal(text, "--ranks=4 'dispatch:1<-6:1ms' 'it'\\''s' ''");
    command_line_text(4, words, little, sizeof little);
    assert_memory_equal(little, "--ranks=4 ", 10);
    assert_true(strlen(little) < sizeof little);
    command_line_text(0, words, text, sizeof text);
    assert_string_equal(text, "");
}

static void what_is_not_given_is_as_the_table_says(void **state)
{
    (void)state;
    uint64_t tokens = 0;
    double jitter = 0;
    const cli_option options[] = {
        {.name = "tokens",
         .type = OPTION_COUNT,
         .value = &tokens,
         .argument = "T",
         .standard = "16"},
        {.name = "jitter",
         .type = OPTION_SHARE,
         .value = &jitter,
         .argument = "P",
         .standard = "5%"},
    };
    const cli_command command = {.name = "try", .options = options, .option_count = 2};
    char name[] = "try", given[] = "--tokens=3", why[160];
    char *argv[] = {name, given, NULL};
    int rest;
    assert_int_equal(options_parse(&command, 1, argv, &rest, why, sizeof why), PARSED);
    assert_int_equal(tokens, 16);
    assert_true(jitter == 0.05);
    assert_int_equal(options_parse(&command, 2, argv, &rest, why, sizeof why), PARSED);
    assert_int_equal(tokens, 3);
    assert_true(jitter == 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(shares_are_percentages_or_fractions),
        cmocka_unit_test(counts_stay_within_their_limits),
        cmocka_unit_test(numbers_are_positive_and_finite),
        cmocka_unit_test(command_lines_are_read),
        cmocka_unit_test(bad_command_lines_say_why),
        cmocka_unit_test(what_is_not_given_is_as_the_table_says),
        cmocka_unit_test(colours_need_a_terminal_that_has_them),
        cmocka_unit_test(letters_need_a_locale_that_has_them),
        cmocka_unit_test(paths_either_way_round),
        cmocka_unit_test(what_was_meant_is_near),
        cmocka_unit_test(words_as_a_shell_takes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
