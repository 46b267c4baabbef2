/* SPDX-License-Identifier: Apache-2.0 */
/* Decide whom to answer: by the Host header, the Origin and the token. */
#ifndef DXT_MONITOR_ACCESS_H
#define DXT_MONITOR_ACCESS_H

#include "monitor.h"

typedef struct access {
    const dxt_monitor_options *options;
    char *token;      /**< NULL = no token is required */
    char session[65]; /**< random; the cookie of a browser that has logged in */
} access_rules;

/** Read the token. @return 0; 2 with a reason. */
int access_begin(access_rules *a, const dxt_monitor_options *options, char *why);
void access_end(access_rules *a);

/** Whether an address to listen on is loopback. */
bool access_is_loopback(const char *address);

/**
 * Whether the headers allow an answer: the host must be an IP address, a name of this machine or a
 * name from --allow-host, and the origin, if there is one, likewise. This keeps pages of other
 * sites from reading the server's data.
 */
bool access_host(const access_rules *a, const char *host, const char *origin);

/** Whether the Authorization header or the cookie proves the token; true if none is required. */
bool access_token(const access_rules *a, const char *authorization, const char *cookie);

/** Whether a text is the token. Takes the same time whether it is or not. */
bool access_is_token(const access_rules *a, const char *text);

#endif
