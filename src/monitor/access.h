/* SPDX-License-Identifier: Apache-2.0 */
/* Who is answered: names in the Host header, the Origin, and the token. */
#ifndef DXT_MONITOR_ACCESS_H
#define DXT_MONITOR_ACCESS_H

#include "monitor.h"

typedef struct access {
    const dxt_monitor_options *options;
    char *token;      /**< NULL = none is asked for */
    char session[65]; /**< random; what a browser that has logged in shows */
} access_rules;

/** Read the token. @return 0; 2 with a reason. */
int access_begin(access_rules *a, const dxt_monitor_options *options, char *why);
void access_end(access_rules *a);

/** Whether an address to listen on is loopback. */
bool access_is_loopback(const char *address);

/**
 * Whether a request may be answered as far as its headers say where it comes from: the host is an
 * address, a name of this machine or one that --allow-host names, and so is the origin, if there is
 * one. This keeps pages of other sites from reading what this server knows.
 */
bool access_host(const access_rules *a, const char *host, const char *origin);

/** Whether the Authorization header or the cookie shows the token; also if none is asked for. */
bool access_token(const access_rules *a, const char *authorization, const char *cookie);

/** Whether a text is the token; takes as long for a wrong as for a right one. */
bool access_is_token(const access_rules *a, const char *text);

#endif
