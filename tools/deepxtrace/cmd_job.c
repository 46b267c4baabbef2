/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "commands.h"
#include "engine.h"
#include "job_options.h"
#include "mpirun.h"
#include "options.h"
#include "outcome.h"

static void name_instance(job *run)
{
    uint64_t parts[2] = {0, 0};
    if (getrandom(parts, sizeof parts, 0) != (ssize_t)sizeof parts)
        parts[0] = (uint64_t)job_now_ns();
    job_name(run->instance, parts[0], parts[1]);
}

/* A job that ended badly has recorded how it came to that. */
static void keep_recording(job *run)
{
    output_abandon(&run->record);
    if (run->record.kept)
        complain("job", "%s has the windows recorded until then", run->record.path);
}

/* The ranks have written; what is good gets its name. */
static outcome keep_files(job *run, outcome result)
{
    bool good = result == EXIT_DONE || result == EXIT_FINDINGS;
    if (good && run->recording) {
        outcome status = output_commit(&run->record);
        if (status != GO_ON) return status;
    }
    if (!good) keep_recording(run);
    for (size_t p = 0; good && p < run->picture_count; p++) {
        outcome status = output_commit(&run->pictures[p]);
        if (status != GO_ON) return status;
    }
    return result;
}

/* All ranks on this machine, as children of this process. */
static outcome run_children(job *run)
{
    run->parent = getpid();
    name_instance(run);
    const job_engine *engine = job_engine_of(run->engine);
    outcome result = engine->prepare ? engine->prepare() : GO_ON;
    if (result == GO_ON) result = job_share(run);
    if (result == GO_ON && run->recording) result = output_grow(&run->record);
    if (result == GO_ON) result = job_watch(run);
    job_unshare(run);
    return result;
}

outcome cmd_job(int argc, char **argv)
{
    static job run;
    static char instance[JOB_NAME_SIZE];
    run.instance = instance;
    outcome result = job_options_read(argc, argv, &run);
    if (result == GO_ON) result = keep_files(&run, run.mpi ? job_mpi(&run) : run_children(&run));
    output_abandon(&run.record);
    for (size_t p = 0; p < run.picture_count; p++) output_abandon(&run.pictures[p]);
    return run.mpi ? job_mpi_end(stdout_finish("job", result)) : result;
}
