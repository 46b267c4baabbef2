/* SPDX-License-Identifier: Apache-2.0 */
/* A fit comes out the same however it is made: several groups side by side as each alone, and by
 * some rows as by all. */
#include "analysis/arrive/abreast.h"
#include "analysis/arrive/group.h"
#include "analysis/arrive/noise.h"
#include "judged.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/tail.h"

/* The waits of one small group. */
struct small_group {
    double wait[DXT_ABREAST_MEMBERS][DXT_ABREAST_MEMBERS];
};

static void small_waits(const void *context, uint32_t i, const uint32_t *others, uint32_t count,
                        double *wait)
{
    const struct small_group *group = context;
    for (uint32_t k = 0; k < count; k++) wait[k] = group->wait[i][others[k]];
}

/* Some are calm, some have a late member, a slow path, or hardly any two pairs that agree. */
static void draw_small_group(struct small_group *group, uint32_t members, uint64_t *seed)
{
    double noise = arrivals_uniform(seed) * 3, late = arrivals_uniform(seed) * 40 - 20;
    uint32_t who = (uint32_t)(arrivals_uniform(seed) * members);
    for (uint32_t i = 0; i < members; i++)
        for (uint32_t j = 0; j < members; j++) {
            double wait = 10 + noise * arrivals_uniform(seed) + (j == who ? late : 0);
            group->wait[i][j] = fmax(0, wait - (i == who ? late : 0));
        }
    if (arrivals_uniform(seed) < 0.3) group->wait[who][0] += 70;
}

static void groups_side_by_side_are_fitted_as_each(void **state)
{
    (void)state;
    static dxt_group_scratch scratch;
    static struct small_group group[DXT_ABREAST];
    uint64_t seed = 7;
    for (uint32_t members = 1; members <= DXT_ABREAST_MEMBERS; members++)
        for (uint32_t kind = 0; kind < 24; kind++) {
            double room[DXT_ABREAST][DXT_ABREAST_MEMBERS], *late[DXT_ABREAST], sorted[DXT_ABREAST];
            double alone[DXT_ABREAST_MEMBERS];
            dxt_group_input input[DXT_ABREAST];
            dxt_group fitted[DXT_ABREAST], one;
            uint32_t count = 1 + kind % DXT_ABREAST;
            for (uint32_t t = 0; t < count; t++) {
                draw_small_group(&group[t], members, &seed);
                late[t] = room[t];
                input[t] = (dxt_group_input){.waits = small_waits,
                                             .context = &group[t],
                                             .count = members,
                                             .population = 64,
                                             .floor = 1,
                                             .step = 100,
                                             .ranks = true,
                                             .level_only = kind % 3 == 2,
                                             .timed = true,
                                             .ops = kind % 4 == 0 ? 0 : 50,
                                             .skew = kind % 3 == 0 ? 2 : NAN,
                                             .cell_spread = kind % 5 == 0 ? 0.5 : NAN,
                                             .scratch = &scratch,
                                             .sorted = sorted};
            }
            dxt_groups_fit(input, count, late, fitted);
            for (uint32_t t = 0; t < count; t++) {
                dxt_group_fit(&input[t], alone, &one);
                assert_memory_equal(&one, &fitted[t], sizeof one);
                if (!input[t].level_only)
                    assert_memory_equal(alone, late[t], members * sizeof *alone);
            }
        }
}

/* Rows of a panel whose waits all but do not vary come first, or last; the others' vary wildly. */
static double noise_of_rows(uint32_t calm, bool first)
{
    static double wait[DXT_WITNESSES * DXT_WITNESSES], sample[DXT_LEVEL_SAMPLE];
    dxt_panel panel = {.count = DXT_WITNESSES, .wait = wait, .sample = sample};
    dxt_group group = {.transfer = 10, .base = 10, .skew = 1};
    for (uint32_t i = 0; i < DXT_WITNESSES * DXT_WITNESSES; i++) {
        uint32_t cell = first ? i : DXT_WITNESSES * DXT_WITNESSES - 1 - i;
        bool odd = (cell / DXT_WITNESSES + cell) % 2 > 0;
        wait[i] = cell / DXT_WITNESSES < calm ? 10.1 : odd ? 0.5 : 19.75;
    }
    dxt_lateness_scale_begin(&panel.scale, group.transfer, group.skew);
    return dxt_cell_noise(&panel, &group);
}

static void some_rows_do_not_speak_for_all(void **state)
{
    (void)state;
    const uint32_t n = DXT_WITNESSES;
    for (uint32_t calm = 0; calm <= n; calm++)
        assert_near(noise_of_rows(calm, true), noise_of_rows(calm, false), 0);
    assert_true(noise_of_rows(n / 2 - 2, true) > 1);
    assert_near(noise_of_rows(n / 2 + 2, true), 0, 0);
}

/* Whether the cells of a panel vary wildly, by the expected wait of each. */
static bool are_wild(const dxt_panel *panel, const dxt_group *group)
{
    static double off[DXT_WITNESSES * DXT_WITNESSES];
    size_t used = 0;
    for (uint32_t a = 0; a < panel->count; a++)
        for (uint32_t b = 0; b < panel->count; b++) {
            double shift = group->transfer + panel->late[b] - panel->late[a];
            double expected = dxt_wait_of(shift, group->skew);
            off[used] = fabs(dxt_panel_wait(panel, a, b) - expected);
            used += a != b && expected >= group->base / 2;
        }
    if (used == 0) return false;
    double free_cells = fmax((double)used - panel->count, 1);
    double deviation = DXT_MAD_TO_DEVIATION * dxt_median(off, used);
    return deviation * sqrt((double)used / free_cells) *
               (1 + DXT_WILD_ERRORS / sqrt((double)used)) >=
           DXT_WILD * group->base;
}

/* Bounds of the expected waits decide only where the waits would decide so, too. */
static void bounds_call_the_same_panels_wild(void **state)
{
    (void)state;
    static double wait[DXT_WITNESSES * DXT_WITNESSES], sample[DXT_LEVEL_SAMPLE];
    uint64_t seed = 21;
    uint32_t calm = 0, wild = 0;
    for (int round = 0; round < 6000; round++) {
        dxt_panel panel = {.wait = wait, .sample = sample};
        panel.count = 4 + (uint32_t)(arrivals_uniform(&seed) * (round % 9 == 0 ? 60 : 6));
        dxt_group group = {.transfer = 10,
                           .skew = round % 7 == 0 ? 0 : 12 * arrivals_uniform(&seed)};
        group.base = dxt_wait_of(group.transfer, group.skew);
        double width = 60 * arrivals_uniform(&seed), late = 16 * arrivals_uniform(&seed);
        for (uint32_t a = 0; a < panel.count; a++) panel.late[a] = late * (a % 2);
        for (uint32_t k = 0; k < panel.count * panel.count; k++) {
            double shift =
                group.transfer + panel.late[k % panel.count] - panel.late[k / panel.count];
            double moved = width * (arrivals_uniform(&seed) - 0.5);
            wait[k] = fmax(0, dxt_wait_of(shift, group.skew) + moved);
        }
        dxt_lateness_scale_begin(&panel.scale, group.transfer, group.skew);
        bool is_wild = are_wild(&panel, &group);
        assert_int_equal(dxt_cell_noise(&panel, &group) > 0, is_wild);
        calm += !is_wild;
        wild += is_wild;
    }
    assert_true(calm > 1000 && wild > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_side_by_side_are_fitted_as_each),
        cmocka_unit_test(some_rows_do_not_speak_for_all),
        cmocka_unit_test(bounds_call_the_same_panels_wild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
