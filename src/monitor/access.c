/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A shorter token could be guessed. */
#define SHORTEST_TOKEN 16

int access_begin(access_rules *a, const dxt_monitor_options *options, char *why)
{
    unsigned char random[32];
    *a = (access_rules){.options = options};
    if (getentropy(random, sizeof random) != 0) return 3;
    for (size_t i = 0; i < sizeof random; i++) snprintf(a->session + 2 * i, 3, "%02x", random[i]);
    if (!options->token_file) return 0;
    size_t capacity = 0;
    FILE *file = fopen(options->token_file, "re");
    ssize_t length = file ? getline(&a->token, &capacity, file) : -1;
    if (!file) snprintf(why, DXT_MONITOR_WHY, "%.300s: %s", options->token_file, strerror(errno));
    if (file) fclose(file);
    while (length > 0 && strchr("\r\n \t", a->token[length - 1])) a->token[--length] = '\0';
    if (length >= SHORTEST_TOKEN) return 0;
    if (file)
        snprintf(why, DXT_MONITOR_WHY,
                 "%.300s: its first line, the token, needs at least %d characters",
                 options->token_file, SHORTEST_TOKEN);
    access_end(a);
    return 2;
}

void access_end(access_rules *a)
{
    free(a->token);
    a->token = NULL;
}

bool access_is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, address, &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(address, "localhost") == 0;
}

/* Find the name in "NAME", "NAME:PORT" or "[IPV6]:PORT". */
static bool name_in(const char *host, char *name, size_t size)
{
    const char *begin = host, *end;
    if (host[0] == '[') {
        begin++;
        end = strchr(begin, ']');
        if (!end) return false;
    } else {
        end = begin + strcspn(begin, ":");
    }
    size_t length = (size_t)(end - begin);
    if (length == 0 || length >= size) return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    return true;
}

static bool is_allowed(const access_rules *a, const char *host)
{
    char name[256], own[256];
    unsigned char address[16];
    if (!name_in(host, name, sizeof name)) return false;
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return true;
    if (strcasecmp(name, "localhost") == 0) return true;
    if (gethostname(own, sizeof own) == 0 && strcasecmp(name, own) == 0) return true;
    for (size_t i = 0; i < a->options->host_count; i++)
        if (strcasecmp(name, a->options->hosts[i]) == 0) return true;
    return false;
}

bool access_host(const access_rules *a, const char *host, const char *origin)
{
    if (!host || !is_allowed(a, host)) return false;
    if (!origin) return true;
    const char *from = strstr(origin, "://");
    return from && strcasecmp(from + 3, host) == 0;
}

static bool same_secret(const char *text, const char *secret)
{
    size_t length = strlen(secret), given = strlen(text);
    volatile unsigned char differs = given != length;
    for (size_t i = 0; i < length; i++)
        differs |= (unsigned char)(secret[i] ^ text[given ? i % given : 0]);
    return differs == 0;
}

bool access_is_token(const access_rules *a, const char *text)
{
    return a->token && text && same_secret(text, a->token);
}

bool access_token(const access_rules *a, const char *authorization, const char *cookie)
{
    if (!a->token) return true;
    bool bearer = authorization && strncasecmp(authorization, "Bearer ", 7) == 0;
    if (bearer && access_is_token(a, authorization + 7)) return true;
    return cookie && same_secret(cookie, a->session);
}
