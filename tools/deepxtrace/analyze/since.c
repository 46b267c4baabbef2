/* SPDX-License-Identifier: Apache-2.0 */
#include "since.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "system/clock.h"

/* The last year whose ns since 1970 fit 63 bits to its end, in every zone. */
enum { NS_PER_S = 1000000000, LAST_YEAR = 2261 };

/* Exactly so many digits, as a number up to @p most. */
static bool take_digits(const char **text, int count, int most, int *number)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if ((*text)[i] < '0' || (*text)[i] > '9') return false;
        value = value * 10 + ((*text)[i] - '0');
    }
    if (value > most) return false;
    *text += count;
    *number = value;
    return true;
}

static bool take(const char **text, char letter)
{
    if (**text != letter) return false;
    ++*text;
    return true;
}

/* 2026-11-26 */
static bool take_date(const char **text, struct tm *tm)
{
    int year, month, day;
    const char *at = *text;
    if (!take_digits(&at, 4, LAST_YEAR, &year) || !take(&at, '-') ||
        !take_digits(&at, 2, 12, &month) || !take(&at, '-') || !take_digits(&at, 2, 31, &day) ||
        year < 1970 || month < 1 || day < 1)
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    *text = at;
    return true;
}

/* 03:00, 3:00, 03:00:12 or 03:00:12.345 */
static bool take_clock(const char **text, struct tm *tm, int64_t *fraction_ns)
{
    const char *at = *text;
    *fraction_ns = 0;
    if (!take_digits(&at, at[0] && at[1] == ':' ? 1 : 2, 23, &tm->tm_hour) || !take(&at, ':') ||
        !take_digits(&at, 2, 59, &tm->tm_min))
        return false;
    *text = at;
    if (!take(&at, ':')) return true;
    if (!take_digits(&at, 2, 60, &tm->tm_sec)) return false;
    if (take(&at, '.')) {
        int64_t worth = NS_PER_S / 10;
        if (*at < '0' || *at > '9') return false;
        for (; *at >= '0' && *at <= '9'; at++, worth /= 10) *fraction_ns += (*at - '0') * worth;
    }
    *text = at;
    return true;
}

/* Z, UTC, +01:00, +0100, +01, also behind a blank, or nothing for local time; then the end. */
static bool finish(const char *text, struct tm *tm, int64_t fraction_ns, int64_t *moment_ns)
{
    text += *text == ' ';
    if (strcmp(text, "UTC") == 0) text = "Z";
    int sign = *text == '+' ? 1 : *text == '-' ? -1 : 0, hours = 0, minutes = 0;
    bool utc = *text == 'Z' || sign;
    if (utc) text++;
    if (sign) {
        if (!take_digits(&text, 2, 23, &hours)) return false;
        take(&text, ':');
        if (*text && !take_digits(&text, 2, 59, &minutes)) return false;
    }
    if (*text) return false;
    int month = tm->tm_mon;
    struct tm date = {.tm_year = tm->tm_year, .tm_mon = month, .tm_mday = tm->tm_mday};
    /* The 31st of a month without one would be the 1st of the next. */
    timegm(&date);
    if (date.tm_mon != month) return false;
    tm->tm_isdst = -1;
    time_t seconds = utc ? timegm(tm) : mktime(tm);
    *moment_ns = ((int64_t)seconds - sign * (hours * 3600 + minutes * 60)) * NS_PER_S + fraction_ns;
    return true;
}

bool since_parse_date(const char *text, int64_t *moment_ns)
{
    struct tm tm = {0};
    int64_t fraction_ns = 0;
    if (!take_date(&text, &tm)) return false;
    if (*text &&
        ((!take(&text, 'T') && !take(&text, ' ')) || !take_clock(&text, &tm, &fraction_ns)))
        return false;
    return finish(text, &tm, fraction_ns, moment_ns);
}

/* The last time that the clock showed this, today or yesterday. */
static bool parse_clock(const char *text, int64_t now_ns, int64_t *moment_ns)
{
    time_t now = (time_t)(now_ns / NS_PER_S);
    struct tm tm, clock = {0};
    int64_t fraction_ns, moment;
    if (!take_clock(&text, &clock, &fraction_ns) || *text || !localtime_r(&now, &tm)) return false;
    for (int back = 0; back <= 1; back++) {
        struct tm day = tm;
        day.tm_mday -= back;
        day.tm_hour = clock.tm_hour;
        day.tm_min = clock.tm_min;
        day.tm_sec = clock.tm_sec;
        day.tm_isdst = -1;
        moment = (int64_t)mktime(&day) * NS_PER_S + fraction_ns;
        if (moment <= now_ns) break;
    }
    *moment_ns = moment;
    return true;
}

/* 90m */
static bool parse_ago(const char *text, int64_t now_ns, int64_t *moment_ns)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    int64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || !text[digits] || text[digits + 1]) return false;
    for (size_t i = 0; i < digits; i++) number = number * 10 + (text[i] - '0');
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t ago_ns;
        if (text[digits] != units[i].unit) continue;
        if (__builtin_mul_overflow(number * units[i].seconds, (int64_t)NS_PER_S, &ago_ns) ||
            ago_ns > now_ns)
            ago_ns = now_ns;
        *moment_ns = now_ns - ago_ns;
        return true;
    }
    return false;
}

bool since_parse(const char *text, int64_t now_ns, int64_t *moment_ns)
{
    return parse_ago(text, now_ns, moment_ns) || parse_clock(text, now_ns, moment_ns) ||
           since_parse_date(text, moment_ns);
}

bool since_option(const char *text, void *value, char *why, size_t why_size)
{
    since_time *since = value;
    int64_t now_ns = dxt_clock_ns(CLOCK_REALTIME);
    if (since_parse(text, now_ns, &since->ns)) {
        since->ago = parse_ago(text, now_ns, &since->ns);
        since->text = text;
        return true;
    }
    snprintf(why, why_size, "'%s' is not a time; write 03:00, 2026-11-26T03:00 or 90m", text);
    return false;
}
