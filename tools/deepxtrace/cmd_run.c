/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "commands.h"
#include "engine.h"
#include "exit.h"
#include "job_options.h"
#include "mpirun.h"
#include "options.h"

static void name_instance(dxt_run *run)
{
    uint64_t parts[2] = {0, 0};
    if (getrandom(parts, sizeof parts, 0) != (ssize_t)sizeof parts)
        parts[0] = (uint64_t)dxt_run_now_ns();
    dxt_run_name(run->instance, parts[0], parts[1]);
}

/* The ranks have written; what is good gets its name. */
static int keep_files(dxt_run *run, int result)
{
    bool good = result == DXT_EXIT_DONE || result == DXT_EXIT_FINDINGS;
    if (good && run->recording) {
        int status = dxt_output_commit(&run->record);
        if (status >= 0) return status;
    }
    for (size_t p = 0; good && p < run->picture_count; p++) {
        int status = dxt_output_commit(&run->pictures[p]);
        if (status >= 0) return status;
    }
    return result;
}

/* All ranks on this machine, as children of this process. */
static int run_children(dxt_run *run)
{
    run->parent = getpid();
    name_instance(run);
    const dxt_run_engine *engine = dxt_run_engine_of(run->engine);
    int result = engine->prepare ? engine->prepare() : -1;
    if (result < 0) result = dxt_run_share(run);
    if (result < 0) result = dxt_run_watch(run);
    dxt_run_unshare(run);
    return result;
}

int dxt_cmd_run(int argc, char **argv)
{
    static dxt_run run;
    static char instance[DXT_RUN_NAME_SIZE];
    run.instance = instance;
    int result = dxt_run_options(argc, argv, &run);
    if (result < 0) result = keep_files(&run, run.mpi ? dxt_run_mpi(&run) : run_children(&run));
    dxt_output_abandon(&run.record);
    for (size_t p = 0; p < run.picture_count; p++) dxt_output_abandon(&run.pictures[p]);
    return run.mpi ? dxt_run_mpi_end(dxt_stdout_finish("run", result)) : result;
}
