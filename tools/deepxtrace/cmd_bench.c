/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "commands.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "system/clock.h"

static bench_options line;

static const char *const engines[] = {"shm", "cuda", NULL};
/* In the order of `benches`. */
static const char *const names[] = {"probe", "ep", "analysis", "gather", "accuracy", NULL};

static const cli_option options[] = {
    {.name = "engine",
     .type = OPTION_TEXT,
     .value = &line.engine,
     .argument = "NAME",
     .choices = engines,
     .help = "probe, ep: dispatch and combine with this engine: shm or cuda (shm)"},
    {.name = "ranks",
     .letter = 'n',
     .type = OPTION_COUNT,
     .value = &line.ranks,
     .argument = "N",
     .min = 2,
     .max = DXT_MAX_RANKS,
     .help = "probe, ep: use N ranks (2; cuda: 4); analysis, gather: go up to N ranks (2048, "
             "128); accuracy: judge N ranks only"},
    {.name = "nodes",
     .type = OPTION_COUNT,
     .value = &line.nodes,
     .argument = "M",
     .min = 2,
     .max = DXT_MAX_RANKS / 2,
     .help = "analysis: spread the ranks over M nodes, from 2 M ranks on"},
    {.name = "repeat",
     .type = OPTION_COUNT,
     .value = &line.repeat,
     .argument = "TIMES",
     .min = 1,
     .max = 1000000,
     .help = "measure each figure this often; accuracy: judge this many windows of each case"},
    {.name = "tokens",
     .type = OPTION_COUNT,
     .value = &line.tokens,
     .argument = "T",
     .min = 1,
     .max = 8192,
     .help = "probe, ep: measure this number of tokens only"},
    {.name = "hidden",
     .type = OPTION_COUNT,
     .value = &line.hidden,
     .argument = "H",
     .min = 128,
     .max = 16384,
     .multiple = 128,
     .help = "probe, ep: measure this hidden size only, a multiple of 128"},
    {.name = "bf16", .value = &line.bf16, .help = "cuda: dispatch in BF16 instead of FP8"},
    {.name = "logfmt", .value = &line.logfmt, .help = "cuda: combine in LogFMT instead of BF16"},
    {.name = "against",
     .type = OPTION_TEXT,
     .value = &line.against,
     .argument = "FOLDER",
     .help = "cuda: also compare a switched-off probe with the library built in FOLDER"},
    {.name = "quick",
     .value = &line.quick,
     .help = "accuracy: judge a few windows of 4 and 16 "
             "ranks"},
    {.name = "case",
     .type = OPTION_TEXT,
     .value = &line.name,
     .argument = "TEXT",
     .help = "accuracy: judge only the case of this name, else all cases with TEXT in their name"},
    {.name = "skip",
     .type = OPTION_COUNT,
     .value = &line.skip,
     .argument = "N",
     .max = 1000000,
     .help = "accuracy: begin after N windows of each case, a multiple of 12"},
    {.name = "list", .value = &line.list, .help = "accuracy: print the names of the cases only"},
    {.name = "misses",
     .value = &line.misses,
     .help = "accuracy: print the commands that make the wrongly judged windows, and no table"},
    {.name = "mpi",
     .value = &line.mpi,
     .help = "gather: measure mailboxes over MPI, among the ranks that mpirun started"},
    {.name = "json", .value = &line.json, .help = "print one line of JSON for each row"},
};

static const cli_command command = {
    .name = "bench",
    .summary = "Measure what the parts cost on this machine.",
    .operands = "[probe|ep|analysis|gather|accuracy [FILE]]",
    .min_operands = 0,
    .max_operands = -1,
    .words = names,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .notes = "probe     what counting costs, and the engine with the probe on and off\n"
             "ep        latency and bandwidth of dispatch and combine, next to memcpy\n"
             "analysis  time to analyse one window, by number of ranks; next to it the ratio\n"
             "          rule in NumPy, if there is a python3 that has it\n"
             "gather    bytes of a window, time to publish and to collect it, and how long\n"
             "          rank 0 is busy with it, by number of ranks\n"
             "accuracy  how often a verdict is exact, of this analysis and of others, in\n"
             "          simulated windows or in recordings with labels (FILE)\n"
             "Without a name, bench runs all but accuracy, one after the other.\n",
    .examples = "  deepxtrace bench probe\n"
                "  deepxtrace bench ep --tokens 128 --hidden 7168\n"
                "  deepxtrace bench ep --engine cuda --ranks 8\n"
                "  deepxtrace bench analysis --ranks 512 --json\n"
                "  mpirun -n 16 deepxtrace bench gather --mpi\n"
                "  deepxtrace bench accuracy recording.jsonl\n",
};

static const struct {
    outcome (*run)(const bench_options *bench);
    outcome (*run_cuda)(const bench_options *bench); /* with --engine cuda; NULL: has no engine */
} benches[] = {
    {bench_probe, bench_cuda_probe}, {bench_ep, bench_cuda_ep},
    {bench_analysis, NULL},          {bench_gather, NULL},
    {bench_accuracy, NULL},
};
_Static_assert(sizeof names / sizeof names[0] == sizeof benches / sizeof benches[0] + 1,
               "a name for each");

outcome cmd_bench(int argc, char **argv)
{
    int operands = 0;
    outcome result = command_line(&command, argc, argv, &operands);
    if (result != GO_ON) return result;
    bool cuda = line.engine && strcmp(line.engine, "cuda") == 0;
    if (line.engine && !cuda && strcmp(line.engine, "shm") != 0)
        return complain("bench", "--engine: '%s' is not one of shm, cuda", line.engine);
    if (!cuda && (line.bf16 || line.logfmt || line.against))
        return complain("bench", "--bf16, --logfmt and --against need --engine cuda");
    bool known = operands == 0;
    bool files = operands > 1 && strcmp(argv[1], "accuracy") == 0;
    if (operands > 1 && !files) return complain("bench", "'%s' is one argument too many", argv[2]);
    line.files = argv + 2;
    line.file_count = files ? operands - 1 : 0;
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        if (operands > 0 && strcmp(argv[1], names[i]) != 0) continue;
        /* Minutes of simulation are nothing to do unasked. */
        if (operands == 0 && benches[i].run == bench_accuracy) continue;
        if (cuda && operands == 0 && !benches[i].run_cuda) continue;
        known = true;
        if (operands == 0 && i > 0 && !line.json) stdout_printf("\n");
        result = (cuda && benches[i].run_cuda ? benches[i].run_cuda : benches[i].run)(&line);
        if (result != EXIT_DONE) return result;
    }
    if (known) return EXIT_DONE;
    return complain("bench", "'%s' is not one of probe, ep, analysis, gather, accuracy", argv[1]);
}
