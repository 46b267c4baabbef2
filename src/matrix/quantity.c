/* SPDX-License-Identifier: Apache-2.0 */
/* Units behind numbers, "12us", "1.5 ms", "2.1M", words in their place, and names of ranks. */
#include <string.h>
#include <strings.h>

#include "matrix/cells.h"
#include "matrix/scan.h"

static const struct {
    const char *name;
    double factor; /* to ns, or to counters */
    bool time;
} units[] = {
    {"ns", 1, true},          {"nsec", 1, true},        {"us", 1e3, true},    {"usec", 1e3, true},
    {"\xc2\xb5s", 1e3, true}, {"\xce\xbcs", 1e3, true}, {"ms", 1e6, true},    {"msec", 1e6, true},
    {"sec", 1e9, true},       {"s", 1e9, true},         {"k", 1e3, false},    {"K", 1e3, false},
    {"M", 1e6, false},        {"G", 1e9, false},        {"cycles", 1, false},
};

size_t dxt_unit_length(const char *at, const char *end, double *factor, bool *time)
{
    size_t most = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t size = strlen(units[i].name);
        if (size <= most || (size_t)(end - at) < size ||
            memcmp(end - size, units[i].name, size) != 0)
            continue;
        most = size;
        *factor = units[i].factor;
        *time = units[i].time;
    }
    return most;
}

bool dxt_is_unmeasured(const char *at, const char *end)
{
    static const char *const words[] = {"nan",  "none", "null", "na", "n/a", "n.a.",
                                        "#n/a", "<na>", "-",    "--", "X"};
    size_t size = (size_t)(end - at);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == size &&
            (*words[i] == 'X' ? *at == 'X' : strncasecmp(at, words[i], size) == 0))
            return true;
    return false;
}

bool dxt_names_rank(const char *at, size_t size)
{
    static const char *const names[] = {"r",   "rank", "gpu",  "npu",  "dev",    "device",
                                        "ep",  "node", "host", "proc", "worker", "pe",
                                        "src", "p",    "cuda", "xpu",  "hip",    "musa"};
    size_t letters = 0, digits;
    while (letters < size && dxt_is_letter(at[letters])) letters++;
    digits = letters + (letters < size && strchr("_-#:=", at[letters]) != NULL);
    if (digits == size || !dxt_is_digit(at[digits])) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == letters && strncasecmp(at, names[i], letters) == 0) return true;
    return false;
}
