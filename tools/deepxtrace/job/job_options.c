/* SPDX-License-Identifier: Apache-2.0 */
#include "job_options.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "given.h"
#include "mpirun.h"
#include "options.h"

/* ---- checking what belongs together ---- */

static outcome check_ranks(const job_fault_list *list, const char *option, uint64_t ranks)
{
    for (size_t i = 0; i < list->count; i++) {
        const job_fault *fault = &list->items[i];
        uint32_t rank = fault->rank >= ranks ? fault->rank : fault->source;
        if (rank == DXT_NO_RANK || rank < ranks) continue;
        return complain("job", "--%s: there is no rank %u (the ranks are 0 to %llu)", option, rank,
                        (unsigned long long)ranks - 1);
    }
    return GO_ON;
}

static outcome check_shape(job_given *g)
{
    if (g->experts == 0) g->experts = 2 * g->ranks;
    if (g->experts % g->ranks != 0)
        return complain("job", "--experts: %llu is not a multiple of the %llu ranks",
                        (unsigned long long)g->experts, (unsigned long long)g->ranks);
    /* With every expert in every token there would be no routing. */
    if (g->topk == 0) g->topk = g->experts >= 8 ? 4 : g->experts >= 2 ? g->experts / 2 : 1;
    if (g->topk > g->experts)
        return complain("job", "--topk: %llu experts a token, but there are only %llu (--experts)",
                        (unsigned long long)g->topk, (unsigned long long)g->experts);
    if (g->fp8 && g->bf16) return complain("job", "--fp8 and --bf16 exclude each other; give one");
    if (g->hot.factor > 0 && g->hot.rank >= g->ranks)
        return complain("job", "--hot: there is no rank %llu (the ranks are 0 to %llu)",
                        (unsigned long long)g->hot.rank, (unsigned long long)g->ranks - 1);
    if (g->hot.factor > 0 && g->topk == g->experts)
        return complain("job", "--hot: every token goes to all %llu experts; lower --topk",
                        (unsigned long long)g->experts);
    if ((g->slow_from_ns || g->slow_until_ns) && g->slow.count == 0)
        return complain("job", "--slow-from and --slow-until need --slow, which names the rank");
    if (g->slow_until_ns && g->slow_until_ns <= g->slow_from_ns)
        return complain("job", "--slow-until must be after --slow-from");
    outcome result = check_ranks(&g->slow, "slow", g->ranks);
    return result != GO_ON ? result : check_ranks(&g->paths, "slow-path", g->ranks);
}

static outcome check_windows(const job_given *g)
{
    if (g->async_ns || g->steps == 0 || g->steps / g->window > g->warmup) return GO_ON;
    /* The first windows warm up; one more is needed. */
    uint64_t windows = g->warmup + 1, fits = g->steps / windows, needed;
    char smaller[64] = "";
    if (fits > 0) snprintf(smaller, sizeof smaller, ", or --window %llu", (unsigned long long)fits);
    if (__builtin_mul_overflow(windows, g->window, &needed)) needed = UINT64_MAX;
    return complain(
        "job",
        "--steps: %llu are too few; with %llu window%s of %llu steps to warm up at least "
        "%llu are needed%s",
        (unsigned long long)g->steps, (unsigned long long)g->warmup, g->warmup == 1 ? "" : "s",
        (unsigned long long)g->window, (unsigned long long)needed, smaller);
}

/* ---- putting it together ---- */

static void put_together(const job_given *g, job *run)
{
    run->engine = g->engine;
    run->shape = (load_shape){
        .ranks = (uint32_t)g->ranks,
        .tokens = (uint32_t)g->tokens,
        .hidden = (uint32_t)g->hidden,
        .experts = (uint32_t)g->experts,
        .topk = (uint32_t)g->topk,
        .dispatch_format = g->fp8 ? DXT_EP_FP8 : DXT_EP_BF16,
        .combine_format = g->logfmt ? DXT_EP_COMBINE_LOGFMT : DXT_EP_COMBINE_BF16,
        .hot_rank = g->hot.factor > 0 ? (uint32_t)g->hot.rank : DXT_NO_RANK,
        .hot_factor = g->hot.factor,
        .seed = g->seed,
    };
    run->steps = g->steps;
    run->window_ops = g->window;
    run->async_ns = g->async_ns;
    /* Windows of a given time: as many as the default makes in steps. */
    if (g->async_ns && g->steps == UINT64_MAX) {
        run->steps = 0;
        run->windows = 3;
    }
    run->warmup_windows = g->warmup;
    run->compute_ns = g->compute_ns;
    run->jitter = g->jitter;
    run->timeout_ns = g->timeout_ns;
    run->min_share = g->min_share;
    run->slow = g->slow;
    run->paths = g->paths;
    run->slow_from_ns = g->slow_from_ns;
    run->slow_until_ns = g->slow_until_ns;
    run->json = g->json;
    run->text = !g->json && !(g->record && strcmp(g->record, "-") == 0);
    run->summary = g->summary;
    run->exit_code = g->exit_code;
    run->progress = isatty(STDERR_FILENO) && !(run->text && isatty(STDOUT_FILENO));
    run->color = color_when(g->color, STDOUT_FILENO);
    run->fd = -1;
}

static outcome check_names(const job *run)
{
    for (size_t p = 0; p < run->picture_count; p++) {
        const output_file *picture = &run->pictures[p];
        bool twice = run->recording && output_same(&run->record, picture);
        for (size_t q = 0; q < p; q++) twice |= output_same(&run->pictures[q], picture);
        if (twice)
            return complain("job", "%s: two outputs have this name; give each its own",
                            picture->path);
    }
    return GO_ON;
}

static outcome open_files(const job_given *g, job *run)
{
    bool record_out = g->record && strcmp(g->record, "-") == 0;
    if (record_out && g->json)
        return complain(
            "job", "--record - and --json both write to standard output; give --record a file");
    outcome result = GO_ON;
    if (g->record) {
        result = output_open(&run->record, "job", g->record, g->force);
        run->recording = result == GO_ON;
    }
    for (size_t p = 0; p < g->pictures.count && result == GO_ON; p++) {
        run->picture_formats[p] = g->pictures.formats[p];
        result = output_open(&run->pictures[p], "job", g->pictures.paths[p], g->force);
        if (result == GO_ON) run->picture_count++;
    }
    if (result == GO_ON) result = check_names(run);
    if (result == GO_ON) return result;
    if (run->recording) output_abandon(&run->record);
    for (size_t p = 0; p < run->picture_count; p++) output_abandon(&run->pictures[p]);
    return result;
}

static const char notes[] =
    "The job is real: N processes compute (they sleep), send tokens to the owners of\n"
    "their experts, compute again, and send the outputs home. A first step is checked\n"
    "against the expected values. Rank 0 prints each window as it is diagnosed and,\n"
    "at the end, the wait matrices of the whole run and what is slow in it.\n\n"
    "With --engine cuda each process has a GPU, which is busy for the time of compute\n"
    "and of delays, moves the tokens over NVLink and counts the waits.\n\n"
    "Ctrl-C ends the job after the step under way; a second one ends it at once.\n";

static const char examples[] =
    "  deepxtrace job --ranks 4 --slow dispatch:2:5ms\n"
    "  deepxtrace job --ranks 8 --slow-path 'combine:6->1:5ms' --heatmap waits.svg\n"
    "  deepxtrace job --ranks 4 --hot 1:8 --compute 2ms --record run.jsonl\n"
    "  deepxtrace job --ranks 16 --async 2 --json\n"
    "  mpirun -n 16 deepxtrace job --engine mpi\n";

/* The command line being read; options point into it. */
static job_given line = {.engine = "shm", .steps = UINT64_MAX, .min_share = -1, .compute_ns = -1};

#define FLAG(n, l, field, text)                                                         \
    {                                                                                   \
        .name = n, .letter = l, .type = OPTION_FLAG, .value = &line.field, .help = text \
    }
#define COUNT(n, l, field, arg, low, high, usual, text)                                      \
    {                                                                                        \
        .name = n, .letter = l, .type = OPTION_COUNT, .value = &line.field, .argument = arg, \
        .min = low, .max = high, .standard = usual, .help = text                             \
    }
#define DURATION(n, field, low, usual, text)                                              \
    {                                                                                     \
        .name = n, .type = OPTION_DURATION, .value = &line.field, .argument = "DURATION", \
        .min = low, .max = JOB_LONGEST_NS, .standard = usual, .help = text                \
    }
#define SHARE(n, field, usual, text)                                                  \
    {                                                                                 \
        .name = n, .type = OPTION_SHARE, .value = &line.field, .argument = "PERCENT", \
        .standard = usual, .help = text                                               \
    }
#define CUSTOM(n, field, arg, function, text)                                    \
    {                                                                            \
        .name = n, .type = OPTION_CUSTOM, .value = &line.field, .argument = arg, \
        .parse = function, .help = text                                          \
    }

static const cli_option options[] = {
    {.name = "engine",
     .type = OPTION_TEXT,
     .value = &line.engine,
     .argument = "NAME",
     .choices = (const char *const[]){"shm", "cuda", "mpi", NULL},
     .help = "dispatch and combine with this engine: shm, cuda or, under mpirun, mpi (shm)"},
    COUNT("ranks", 'n', ranks, "N", 2, DXT_MAX_RANKS, NULL,
          "start this many processes (4; with mpi those of mpirun)"),
    COUNT("steps", 's', steps, "S", 0, UINT64_MAX / 4, NULL,
          "run this many steps of one dispatch and one combine (200; 0: until "
          "Ctrl-C; with --async: three windows)"),
    COUNT("tokens", 0, tokens, "T", 1, DXT_EP_MAX_TOKENS, "16",
          "give each rank this many tokens in a step"),
    {.name = "hidden",
     .type = OPTION_COUNT,
     .value = &line.hidden,
     .argument = "H",
     .min = DXT_EP_BLOCK,
     .max = DXT_EP_MAX_HIDDEN,
     .multiple = DXT_EP_BLOCK,
     .standard = "1024",
     .help = "give a token this many channels, a multiple of 128"},
    COUNT("experts", 0, experts, "E", 1, DXT_EP_MAX_EXPERTS, NULL,
          "use this many experts in all (2 on each rank)"),
    COUNT("topk", 0, topk, "K", 1, DXT_EP_MAX_TOPK, NULL,
          "send a token to this many experts (4; 2 with 2 ranks)"),
    FLAG("fp8", 0, fp8, "dispatch in FP8 with scales"),
    FLAG("bf16", 0, bf16, "dispatch in BF16 (default)"),
    FLAG("logfmt", 0, logfmt, "combine in 10-bit LogFMT instead of BF16"),
    DURATION("compute", compute_ns, 0, NULL,
             "compute this long before dispatch, and before combine on average "
             "(200us, times the ranks that share a processor; cuda: 60us)"),
    SHARE("jitter", jitter, "5%", "vary each compute time by up to this much"),
    COUNT("seed", 0, seed, "NUMBER", 0, 0, "1", "draw tokens, routes and jitter from this seed"),
    CUSTOM("slow", slow, "PHASE:RANK:DURATION", job_parse_slow,
           "make a rank late for every dispatch or combine"),
    DURATION("slow-from", slow_from_ns, 0, NULL,
             "let --slow act from this time of the job on "
             "(0s)"),
    DURATION("slow-until", slow_until_ns, 1, NULL,
             "let --slow act until this time of the job (its end)"),
    CUSTOM("slow-path", paths, "PHASE:FROM->TO:DURATION", job_parse_path,
           "make what FROM sends arrive later at TO; or TO<-FROM"),
    CUSTOM("hot", hot, "RANK:FACTOR", job_parse_hot,
           "choose each expert of a rank FACTOR times as often"),
    COUNT("window", 'w', window, "OPS", 1, UINT32_MAX, "50", "put this many steps into a window"),
    CUSTOM("async", async_ns, "SECONDS", job_parse_async,
           "end a window after this time, by a thread of its own"),
    COUNT("warmup", 0, warmup, "WINDOWS", 0, UINT32_MAX, "1",
          "leave out this many windows at the start"),
    DURATION("timeout", timeout_ns, 1000000, "5s",
             "give a silent rank up after this time, and go on without it"),
    SHARE("min-share", min_share, NULL,
          "report findings from this share of the step on (5%; 10% if ranks share "
          "processors; cuda: 5%)"),
    FLAG("json", 0, json,
         "print a line of JSON for each operator and window, then two for the whole run"),
    FLAG("summary", 0, summary, "sum up the run at its end, also under --json"),
    {.name = "record",
     .letter = 'r',
     .type = OPTION_FILE,
     .value = &line.record,
     .argument = "FILE",
     .help = "write the windows to a recording"},
    {.name = "heatmap",
     .letter = 'o',
     .type = OPTION_CUSTOM,
     .value = &line.pictures,
     .argument = "FILE",
     .parse = job_parse_picture,
     .help = "draw the whole run: .svg, .png, .pdf or .html; may be repeated"},
    FLAG("force", 'f', force, "replace files that exist"),
    FLAG("exit-code", 0, exit_code, "exit with 1 if the whole run has a costly finding"),
    {.name = "color",
     .type = OPTION_CHOICE,
     .value = &line.color,
     .argument = "WHEN",
     .choices = color_choices,
     .help = "colour the output: auto, always or never"},
};

static const cli_command command = {
    .name = "job",
    .summary = "Run an expert-parallel job with the probe on, diagnose it while it runs.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .notes = notes,
    .examples = examples,
};

static uint64_t ranks_per_processor(const job_given *g, const job *run)
{
    cpu_set_t set;
    if (run->mpi) return run->mpi->place.ranks_per_processor;
    /* More processors than a set has room for are enough for all. */
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    uint64_t processors = (uint64_t)CPU_COUNT(&set);
    return (g->ranks + processors - 1) / processors;
}

/* How many there are is for mpirun to say. */
static outcome join_mpi(job_given *g, job *run)
{
    static struct job_mpi mpi;
    outcome result = job_mpi_start(&mpi);
    if (result != GO_ON) return result;
    run->mpi = &mpi;
    uint32_t ranks = mpi.place.ranks;
    if (g->ranks && g->ranks != ranks)
        return complain("job", "--ranks: %llu, but mpirun has started %u; leave --ranks out",
                        (unsigned long long)g->ranks, ranks);
    if (ranks < 2)
        return complain(
            "job", "--engine mpi: mpirun has started only one process; use mpirun -n 2 or more");
    g->ranks = ranks;
    /* Rank 0 writes and reports, and says what is wrong with that. */
    if (mpi.place.rank == 0) return GO_ON;
    g->record = NULL;
    g->pictures.count = 0;
    return GO_ON;
}

outcome job_options_read(int argc, char **argv, job *run)
{
    int operands = 0;
    outcome result = command_line(&command, argc, argv, &operands);
    if (result == GO_ON && strcmp(line.engine, "mpi") == 0) result = join_mpi(&line, run);
    if (line.ranks == 0) line.ranks = 4;
    if (result == GO_ON) result = check_shape(&line);
    if (result != GO_ON) return result;
    if (line.steps == UINT64_MAX && !line.async_ns) line.steps = 200;
    const job_engine *engine = job_engine_of(line.engine);
    job_usual usual = engine->usual(ranks_per_processor(&line, run));
    run->min_share_raised = line.min_share < 0 && usual.min_share > engine->usual(1).min_share;
    if (line.compute_ns < 0) line.compute_ns = usual.compute_ns;
    if (line.min_share < 0) line.min_share = usual.min_share;
    result = check_windows(&line);
    if (result != GO_ON) return result;
    put_together(&line, run);
    return open_files(&line, run);
}
