/* SPDX-License-Identifier: Apache-2.0 */
#include "local_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Seconds of an offset at the end such as +02:00 or -0930; 0: there is none. */
static time_t offset_of(const char *text)
{
    int hours = 0, minutes = 0;
    const char *sign = strpbrk(text, "+-");
    if (!sign || sscanf(sign + 1, "%2d%*[:]%2d", &hours, &minutes) < 2)
        if (!sign || sscanf(sign + 1, "%2d%2d", &hours, &minutes) < 1) return 0;
    time_t seconds = hours * 3600 + minutes * 60;
    return *sign == '-' ? -seconds : seconds;
}

void local_time(const char *begin, char clock[16])
{
    struct tm tm = {0};
    int used = 0;
    *clock = '\0';
    if (!begin || sscanf(begin, "%4d-%2d-%2d%*[T ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
                         &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) < 6)
        return;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t seconds = timegm(&tm) - offset_of(begin + used);
    if (localtime_r(&seconds, &tm)) strftime(clock, 16, "%H:%M:%S", &tm);
}
