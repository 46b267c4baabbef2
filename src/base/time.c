/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

/* "+02:00", "-0530", "Z" or nothing. @return false if something else follows the time. */
static bool parse_offset(const char *at, int64_t *offset_s)
{
    int hours, minutes, used = 0;
    *offset_s = 0;
    if (!*at || ((*at == 'Z' || *at == 'z') && !at[1])) return true;
    if (*at != '+' && *at != '-') return false;
    bool read = sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) == 2 ||
                sscanf(at + 1, "%2d%2d%n", &hours, &minutes, &used) == 2;
    if (!read || at[1 + used] || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset_s = (int64_t)(hours * 3600 + minutes * 60) * (*at == '-' ? -1 : 1);
    return true;
}

/* Digits behind the point of a second, as ns. */
static const char *parse_fraction(const char *at, int64_t *ns)
{
    int64_t unit = NS_PER_S / 10;
    *ns = 0;
    if (*at != '.' && *at != ',') return at;
    for (at++; *at >= '0' && *at <= '9'; at++, unit /= 10) *ns += (*at - '0') * unit;
    return at;
}

bool dxt_parse_time(const char *text, int64_t *ns)
{
    struct tm t = {0};
    int used = 0;
    int64_t fraction, offset_s;
    if (!text || sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday,
                        &t.tm_hour, &t.tm_min, &t.tm_sec, &used) != 6)
        return false;
    bool sound = t.tm_year >= 1970 && t.tm_year < 2262 && t.tm_mon >= 1 && t.tm_mon <= 12 &&
                 t.tm_mday >= 1 && t.tm_mday <= 31 && t.tm_hour >= 0 && t.tm_hour < 24 &&
                 t.tm_min >= 0 && t.tm_min < 60 && t.tm_sec >= 0 && t.tm_sec <= 60;
    if (used == 0 || !sound || !parse_offset(parse_fraction(text + used, &fraction), &offset_s))
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    *ns = ((int64_t)timegm(&t) - offset_s) * NS_PER_S + fraction;
    return true;
}

char *dxt_format_local(int64_t ns, char *buffer)
{
    time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));
    struct tm t;
    if (!localtime_r(&seconds, &t)) t = (struct tm){.tm_mday = 1, .tm_year = 70};
    long minutes = labs(t.tm_gmtoff) / 60;
    char zone[8] = "UTC";
    if (minutes > 0)
        snprintf(zone, sizeof zone, "%c%02d:%02d", t.tm_gmtoff < 0 ? '-' : '+',
                 (int)(minutes / 60 % 100), (int)(minutes % 60));
    snprintf(buffer, DXT_LOCAL_SIZE, "%04d-%02d-%02d %02d:%02d:%02d %s", (t.tm_year + 1900) % 10000,
             t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, zone);
    return buffer;
}

char *dxt_format_utc(int64_t ns, char *buffer)
{
    time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));
    int64_t rest = ns - (int64_t)seconds * NS_PER_S;
    struct tm t;
    if (!gmtime_r(&seconds, &t)) t = (struct tm){.tm_mday = 1, .tm_year = 70};
    snprintf(buffer, DXT_UTC_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
             (t.tm_year + 1900) % 10000, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
             (int)(rest / 1000000));
    return buffer;
}
