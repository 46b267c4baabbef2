/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "files.h"
#include "input.h"
#include "operator.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "side.h"
#include "tell.h"

struct compare {
    analysis_options analysis;
    bool json, exit_code, strict;
    file_groups files[2];
    side sides[2];
};

static outcome read_side(struct compare *run, char *operand, int which)
{
    outcome result = files_find_one("compare", &operand, 1, NULL, &run->files[which]);
    if (result != GO_ON) return result;
    return side_read(&run->sides[which], run->files[which].groups, &run->analysis, run->strict);
}

static const side_operator *find(const side *s, const side_operator *like)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->operators[i]->phase, like->phase) == 0 &&
            s->operators[i]->measure == like->measure)
            return s->operators[i];
    return NULL;
}

/* Whatever inputs and operators are called, it is text. */
static void clean_names(struct compare *run)
{
    for (int which = 0; which < 2; which++) {
        dxt_make_printable(run->files[which].groups->name);
        for (size_t i = 0; i < run->sides[which].count; i++)
            dxt_make_printable(run->sides[which].operators[i]->phase);
    }
}

/* Compare what both have. */
static dxt_status compare_all(struct compare *run, compared *c)
{
    const int32_t *nodes = run->sides[1].nodes ? run->sides[1].nodes : run->sides[0].nodes;
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; i < run->sides[which].count; i++)
            if (!find(&run->sides[1 - which], run->sides[which].operators[i]))
                c->only[c->only_count++] = run->sides[which].operators[i]->phase;
    for (size_t i = 0; i < run->sides[1].count; i++) {
        const side_operator *after = run->sides[1].operators[i];
        const side_operator *before = find(&run->sides[0], after);
        if (!before) continue;
        dxt_status status =
            compare_operator(before, after, run->sides[1].ranks, nodes, &c->operators[c->count]);
        if (status != DXT_OK) return status;
        c->count++;
    }
    return DXT_OK;
}

static const char *unit_of(const side_operator *o)
{
    switch (o->measure) {
    case DXT_MEASURE_NS_PER_OP: return "time per operation";
    case DXT_MEASURE_CYCLES_PER_OP: return "cycles per operation";
    case DXT_MEASURE_NS: return "time in a window";
    case DXT_MEASURE_CYCLES: break;
    }
    return "cycles in a window";
}

/* Why there is nothing to compare. */
static outcome complain_apart(const struct compare *run)
{
    for (size_t i = 0; i < run->sides[0].count; i++)
        for (size_t k = 0; k < run->sides[1].count; k++) {
            const side_operator *before = run->sides[0].operators[i];
            const side_operator *after = run->sides[1].operators[k];
            if (strcmp(before->phase, after->phase) != 0) continue;
            return complain("compare",
                            "nothing can be compared: of %s there is %s before, and %s after",
                            after->phase, unit_of(before), unit_of(after));
        }
    return complain("compare",
                    "the two recordings have no operator in common, so there is nothing to "
                    "compare");
}

static outcome tell(const struct compare *run, compared *c)
{
    bool slower = false;
    if (c->count == 0) return complain_apart(run);
    dxt_status status = run->json ? tell_json(c) : tell_text(c);
    for (size_t i = 0; i < c->count; i++) slower |= c->operators[i].slower;
    if (status == DXT_ERR_NO_MEMORY) return complain_memory("compare");
    if (status != DXT_OK) return EXIT_FAILED;
    return slower && run->exit_code ? EXIT_FINDINGS : EXIT_DONE;
}

static outcome run_compare(struct compare *run, char **operands)
{
    comparison operators[DXT_HISTORY_OPERATORS];
    outcome result = read_side(run, operands[0], 0);
    if (result == GO_ON) result = read_side(run, operands[1], 1);
    if (result != GO_ON) return result;
    if (run->sides[0].ranks != run->sides[1].ranks)
        return complain("compare", "a group of %u ranks cannot be compared with one of %u",
                        run->sides[0].ranks, run->sides[1].ranks);
    compared c = {.names = {run->files[0].groups->name, run->files[1].groups->name},
                  .sides = {&run->sides[0], &run->sides[1]},
                  .operators = operators};
    dxt_status status = compare_all(run, &c);
    clean_names(run);
    result = status == DXT_OK ? tell(run, &c) : complain_status("compare", status);
    for (size_t i = 0; i < c.count; i++) comparison_free(&operators[i]);
    return result;
}

enum { OWN = 3 };

outcome cmd_compare(int argc, char **argv)
{
    struct compare run = {0};
    cli_option options[OWN + ROBUST_OPTIONS] = {
        {.name = "json", .value = &run.json, .help = "print one line of JSON"},
        {.name = "exit-code",
         .value = &run.exit_code,
         .help = "exit with 1 if something is slower beyond its error"},
        {.name = "strict",
         .value = &run.strict,
         .help = "stop at the first window that cannot be read"},
    };
    robust_options_of(&run.analysis, options + OWN);
    const cli_command command = {
        .name = "compare",
        .summary = "Say what changed from one recording to another: the step, the waits, ranks,\n"
                   "paths.",
        .operands = "BEFORE AFTER",
        .min_operands = 2,
        .max_operands = 2,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .notes = "BEFORE and AFTER are inputs as analyze takes them; of several runs in one, "
                 "the\n"
                 "last counts. A change is printed if it is as large as a finding of analyze, "
                 "and\n"
                 "if chance makes it in less than one of 100 comparisons.\n"
                 "\n"
                 "Exit status: 0 done, 1 something is slower (--exit-code), 2 bad usage or "
                 "input,\n"
                 "3 failed.\n",
        .examples = "  deepxtrace compare monday.jsonl tuesday.jsonl\n"
                    "  deepxtrace compare --exit-code baseline.jsonl canary/\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    if (result != GO_ON) return result;
    result = run_compare(&run, argv + 1);
    for (int i = 0; i < 2; i++) {
        side_free(&run.sides[i]);
        files_free(&run.files[i]);
    }
    return result;
}
