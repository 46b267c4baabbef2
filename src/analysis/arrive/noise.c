/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/noise.h"

#include <math.h>

#include "analysis/arrive/variation.h"
#include "analysis/tuning.h"
#include "numeric/lean.h"
#include "numeric/normal.h"
#include "numeric/select.h"
#include "numeric/tail.h"
#include "numeric/vectors.h"

/* The fit uses up one of the `pairs` deviations for each member but one: make up for it. */
double dxt_pair_noise(const dxt_panel *p)
{
    uint32_t n = p->count;
    if (n <= 2) return 0;
    size_t used = dxt_panel_deviations(p);
    double pairs = (double)used, free_pairs = pairs - (n - 1);
    double deviation =
        DXT_MAD_TO_DEVIATION * dxt_median(p->sample, used) * sqrt(pairs / free_pairs);
    return DXT_MEDIAN_ERROR * deviation / sqrt(n - 1);
}

double dxt_group_significance(uint32_t population)
{
    return DXT_SIGNIFICANCE + DXT_SIGNIFICANCE_PER_DOUBLING * log2(population);
}

double dxt_own_spread(const dxt_group_input *in, const dxt_group *group)
{
    if (isnan(in->cell_spread)) return NAN;
    double arrivals =
        in->ops > 0 ? group->skew / sqrt(in->ops) / (group->base + DXT_CELL_FLOOR * in->floor) : 0;
    double own = in->cell_spread * in->cell_spread - arrivals * arrivals;
    return own > DXT_CALM * DXT_CALM ? sqrt(own) : 0;
}

/* Cells are log-normal: the limit they need is no fixed number of standard deviations. */
double dxt_spread_noise(const dxt_group_input *in, dxt_panel *p, const dxt_group *group)
{
    double z = dxt_group_significance(in->population);
    double of_median = (p->count > DXT_FEW_MEMBERS ? DXT_MEDIAN_ERROR : 1) * group->cell_spread /
                       sqrt(p->count - 1);
    double times = exp(z * of_median) - 1;
    double apart = (group->base + DXT_CELL_FLOOR * in->floor) * times;
    dxt_lateness_reach(&p->scale, apart);
    return dxt_lateness_read(&p->scale, apart) / z;
}

/* The waits for all members that the arrivals explain, of `rows` members from a on. */
static void expect_rows(const dxt_panel *p, const dxt_group *group, uint32_t a, uint32_t rows,
                        double *expected)
{
    uint32_t n = p->count;
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t b = 0; b < n; b++)
            expected[r * n + b] = group->transfer + p->late[b] - p->late[a + r];
    dxt_waits_of(expected, (size_t)rows * n, group->skew);
}

/* Put the deviations of the panel's cells from what the arrivals explain into `sample`, behind the
 * `used` that are there; of rows from `first` to before `end`. Cells that hardly waited are left
 * out. @return How many there are now. */
static size_t cell_deviations(const dxt_panel *p, const dxt_group *group, uint32_t first,
                              uint32_t end, size_t used)
{
    double expected[DXT_WITNESSES];
    uint32_t n = p->count, together = DXT_WITNESSES / n;
    for (uint32_t a = first; a < end; a++) {
        uint32_t row = (a - first) % together, left = end - a;
        if (row == 0) expect_rows(p, group, a, left < together ? left : together, expected);
        for (uint32_t b = 0; b < n; b++) {
            p->sample[used] = fabs(dxt_panel_wait(p, a, b) - expected[row * n + b]);
            used += a != b && expected[row * n + b] >= group->base / 2;
        }
    }
    return used;
}

DXT_VECTORS static size_t count_below(const double *values, size_t n, double bound)
{
    int64_t below = 0;
    for (size_t i = 0; i < n; i++) below += values[i] < bound;
    return (size_t)below;
}

/* What is found of so many cells of a panel of n: their median deviation times this is the
 * deviation of a cell … */
static double times_of_median(size_t used, uint32_t n)
{
    return DXT_MAD_TO_DEVIATION * sqrt((double)used / fmax((double)used - n, 1));
}

/* … and this is how far it may be too small. */
static double errors_of(size_t used)
{
    return 1 + DXT_WILD_ERRORS / sqrt((double)used);
}

/* A median deviation that is certainly too small for wild cells. From n + 1 cells on it grows with
 * their number. */
static double calm_median(const dxt_group *group, size_t used, uint32_t n)
{
    return (1 - DXT_TINY) * DXT_WILD * group->base / times_of_median(used, n) / errors_of(used);
}

/* Count cells of a panel that are certainly calm: they wait long enough to count, and are less than
 * `bound` from what the arrivals explain, of which two bounds are enough. */
DXT_VECTORS static size_t count_calm(const dxt_panel *p, double transfer, double skew, double half,
                                     double bound)
{
    int64_t calm = 0;
    for (size_t a = 0; a < p->count; a++) {
        const double *wait = p->wait + a * p->count;
        for (size_t b = 0; b < p->count; b++) {
            double shift = transfer + p->late[b] - p->late[a], least = shift > 0 ? shift : 0;
            double above = wait[b] - least, below = dxt_wait_at_most(shift, skew) - wait[b];
            calm += (a != b) & (least > half) & (above < bound) & (below < bound);
        }
    }
    return (size_t)calm;
}

/* Whether so many cells are certainly calm that the median of all that count is. */
static bool are_calm(const dxt_panel *p, const dxt_group *group)
{
    size_t n = p->count, enough = n * (n - 1) / 2 + 2;
    double half = (1 + DXT_TINY) * group->base / 2;
    return enough > n && count_calm(p, group->transfer, group->skew, half,
                                    calm_median(group, enough, p->count)) >= enough;
}

/* Members from which on it pays to look at some rows first, and the part of them that is more than
 * half: one in so many. */
#define MANY_MEMBERS 32u
#define MORE_THAN_HALF 8u

/* Put the deviations of the panel's cells into `sample`. @return How many; 0 if there are none, or
 * if the cells are certainly calm. This is the usual case, which some of the rows mostly show: if
 * so many of their cells are calm that the rest cannot change the median. */
static size_t wild_deviations(const dxt_panel *p, const dxt_group *group)
{
    uint32_t n = p->count, some = n < MANY_MEMBERS ? 0 : n / 2 + n / MORE_THAN_HALF;
    if (are_calm(p, group)) return 0;
    size_t most = (size_t)n * (n - 1), used = cell_deviations(p, group, 0, some, 0);
    if (used > n && count_below(p->sample, used, calm_median(group, used, n)) > most / 2 + 1)
        return 0;
    used = cell_deviations(p, group, some, n, used);
    /* Near the bound, where rounding matters, the median decides. */
    if (used > 0 && count_below(p->sample, used, calm_median(group, used, n)) > used / 2 + 1)
        return 0;
    return used;
}

/* How far single cells vary. The fit uses up one cell per member, and the few that are left may be
 * small by chance: the factor makes up for both. */
double dxt_cell_noise(dxt_panel *p, const dxt_group *group)
{
    uint32_t n = p->count;
    if (n < DXT_WILD_MEMBERS) return 0;
    size_t used = wild_deviations(p, group);
    if (used == 0) return 0;
    double left = fmax((double)used - n, 1);
    double deviation = dxt_median(p->sample, used) * times_of_median(used, n);
    if (deviation * errors_of(used) < DXT_WILD * group->base) return 0;
    double small = deviation / DXT_SLOPE_PARTS + DXT_TINY;
    dxt_lateness_reach(&p->scale, small);
    double slope = dxt_lateness_read(&p->scale, small) / small;
    return (1 + DXT_FEW_CELLS_NOISE / sqrt(left)) * DXT_MEDIAN_ERROR * DXT_ROOT_OF_2 * slope *
           deviation / sqrt(n - 1);
}

/* Where operations are few, one of them may have caused the whole spread. */
static bool is_of_few(const dxt_group_input *in)
{
    return in->ops > 0 && in->ops < DXT_ONE_EVENT_OPS;
}

/* Take the spread from the width of the densest part of the members: unlike a deviation from the
 * median this holds even if half of the members are late. Of many members a quarter is enough, and
 * stays narrow if just over half are ordinary; but where operations are few, a quarter may be close
 * by chance. Of few members half are taken: all but one would count two late
 * ones as ordinary. */
double dxt_member_spread(const dxt_group_input *in, const double *sorted, uint32_t n)
{
    if (n < (is_of_few(in) ? 2 : DXT_SPREAD_MEMBERS)) return 0;
    bool many = n >= DXT_MANY_MEMBERS && !is_of_few(in);
    uint32_t part = many ? n / 2 / 2 : (n + 1) / 2;
    double width = INFINITY;
    for (uint32_t k = 0; k + part <= n; k++) {
        double range = sorted[k + part - 1] - sorted[k];
        width = range < width ? range : width;
    }
    return width / (2 * (many ? DXT_QUARTER_WIDTH : DXT_HALF_WIDTH));
}

/* How the arrivals of one member vary. */
struct arrivals {
    double deviation; /* standard deviation from operation to operation */
    dxt_lean lean;    /* of the mean over the operations */
};

static struct arrivals arrivals_of(const dxt_group_input *in, double skew)
{
    double n = in->count;
    struct arrivals own = {.deviation = n > 1 ? skew * sqrt(n / (2 * (n - 1))) : 0};
    if (in->ops <= 0 || !(in->step > 0) || n < 2) return own;
    double v = dxt_variation(own.deviation, in->step);
    own.lean = dxt_lean_of(v, in->ops);
    /* The difference of two members leans to neither side. */
    own.lean.skewness *= 1 - 1 / ((n - 1) * (n - 1));
    own.deviation *= dxt_understated(v);
    return own;
}

static void take_chance(const dxt_group_input *in, double skew, dxt_chance *chance)
{
    if (chance->skew == skew) return;
    struct arrivals own = arrivals_of(in, skew);
    chance->skew = skew;
    chance->error = in->ops > 0 ? own.deviation / sqrt(in->ops) : 0;
    chance->times = dxt_lean_quantile(dxt_group_significance(in->population), own.lean);
}

/* Of two errors that are independent of each other. hypot() would care for sizes that no time has,
 * and takes much longer. */
static double both_errors(double a, double b)
{
    return sqrt(a * a + b * b);
}

/* The error of a lateness. Where the number of operations is known it follows from the skew, and
 * the spread over the members only guards against systematic differences. Otherwise the spread is
 * all there is, and is uncertain where members are few. */
void dxt_set_limit(const dxt_group_input *in, dxt_group *group, double least, double spread,
                   double noise, dxt_chance *chance)
{
    take_chance(in, group->skew, chance);
    double sampling = both_errors(chance->error, noise);
    if (in->step > 0)
        sampling =
            both_errors(sampling, fmin(DXT_DRIFT * in->step, DXT_DRIFT_OF_FLOOR * in->floor));
    /* Of so few operations the members may have been close by chance. */
    if (in->ops > 0 && in->ops < DXT_THIN_OPS && in->step > 0)
        sampling = fmax(sampling, DXT_THIN_VARIATION * in->step / sqrt(in->ops));
    bool few = is_of_few(in);
    /* Of three, the closest two are seldom as close as the factor assumes. */
    if ((few || in->ops <= 0) && in->count > DXT_SPREAD_MEMBERS / 2)
        spread *= 1 + DXT_FEW_SPREAD / (in->count - 1);
    double counts = in->count >= DXT_MANY_MEMBERS ? DXT_SPREAD_OF_MANY : DXT_SYSTEMATIC_SPREAD;
    if (few || in->ops <= 0) counts = 1;
    group->error = spread > counts * sampling ? spread : sampling;
    group->limit = fmax(least, chance->times * group->error);
}
