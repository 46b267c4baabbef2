/* SPDX-License-Identifier: Apache-2.0 */
/* Every engine that a job knows. A new one is a line here. */
#include <string.h>

#include "engine.h"

/* The first is also how ranks work with an engine that is not known here: it says so itself. */
static const job_engine *const engines[] = {&job_processes, &job_cuda};

const job_engine *job_engine_of(const char *name)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (strcmp(engines[i]->name, name) == 0) return engines[i];
    return engines[0];
}
