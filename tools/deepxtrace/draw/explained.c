/* SPDX-License-Identifier: Apache-2.0 */
#include "explained.h"

#include <stdio.h>
#include <stdlib.h>

#include <deepxtrace/report.h>

bool explained_numbers(const dxt_diagnosis *diagnosis, dxt_mark **marks, size_t *count)
{
    static const dxt_explained whys[] = {DXT_EXPLAINED_HELD_UP, DXT_EXPLAINED_SILENT};
    const dxt_window *window = diagnosis->window;
    unsigned char *ranks = malloc(window->ranks);
    dxt_mark *grown = realloc(*marks, (*count + 2 * (size_t)window->ranks) * sizeof *grown);
    if (grown) *marks = grown;
    for (size_t i = 0; ranks && grown && i < 2; i++) {
        dxt_report_explained(window, diagnosis->findings, whys[i], ranks, NULL, 0);
        for (uint32_t rank = 0; rank < window->ranks; rank++)
            if (ranks[rank])
                grown[(*count)++] = (dxt_mark){.kind = DXT_MARK_NUMBER, .column = rank};
    }
    bool well = ranks && grown;
    free(ranks);
    return well;
}

/* Who stands out for a reason, in words; empty: nobody does, or there is no memory. */
static const char *name(const dxt_diagnosis *diagnosis, dxt_explained why,
                        char words[DXT_EXPLAINED_SIZE])
{
    unsigned char *ranks = malloc(diagnosis->window->ranks);
    words[0] = '\0';
    if (ranks)
        dxt_report_explained(diagnosis->window, diagnosis->findings, why, ranks, words,
                             DXT_EXPLAINED_SIZE);
    free(ranks);
    return words;
}

/* What holds a rank up in the other operator is seen here as well: say where it comes from. Where
 * the other one names nobody, what is found here is the cause. */
static void say_cause(const dxt_diagnosis *diagnoses, size_t count, size_t shown, char line[800])
{
    char sentence[512], words[DXT_EXPLAINED_SIZE];
    bool found = diagnoses[shown].findings->finding_count > 0;
    bool held = *name(&diagnoses[shown], DXT_EXPLAINED_HELD_UP, words);
    line[0] = '\0';
    if (!held && !*name(&diagnoses[shown], DXT_EXPLAINED_AHEAD, words)) return;
    for (size_t i = 0; i < count; i++) {
        const dxt_findings *cause = diagnoses[i].findings;
        if (i == shown || cause->finding_count == 0 || (found && cause->inherited)) continue;
        dxt_report_sentence(diagnoses[i].window, cause, 0, sentence, sizeof sentence);
        snprintf(line, 800, "%s; the cause: %s", words, sentence);
        return;
    }
    if (held)
        snprintf(line, 800, "%s; the cause is what %s findings name", words,
                 found ? "the" : "the other operator's");
}

void explained_lines(const dxt_diagnosis *diagnoses, size_t count, size_t shown,
                     char lines[EXPLAINED_LINES])
{
    char cause[800], silent[DXT_EXPLAINED_SIZE];
    say_cause(diagnoses, count, shown, cause);
    name(&diagnoses[shown], DXT_EXPLAINED_SILENT, silent);
    snprintf(lines, EXPLAINED_LINES, "%s%s%s", cause, *cause && *silent ? "\n" : "", silent);
}
