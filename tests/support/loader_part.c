/* SPDX-License-Identifier: Apache-2.0 */
/* A library for the tests of the loader. It is hardened as all others are, which needs a buffer. */
#include <stdio.h>
#include <stdlib.h>

int loader_number(void);

__attribute__((visibility("default"))) int loader_number(void)
{
    char text[16];
    snprintf(text, sizeof text, "%d", 40);
    return atoi(text) + 2;
}
