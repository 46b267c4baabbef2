/* SPDX-License-Identifier: Apache-2.0 */
#include "change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "system/order.h"

/* The common spread counts like so many windows more. */
#define PRIOR 4.0
/* A part of the windows differs if these are so many spreads away from the others, … */
#define APART 6.0
/* … so many (three, as far as that can be told from a mean), … */
#define LEAST_WINDOWS 2.5
/* … and at least this part of all. */
#define LEAST_PART 0.15
/* Of more figures than this some are enough to know the spread. */
#define SAMPLED ((size_t)1 << 18)

bool series_begin(series *s, size_t size)
{
    *s = (series){.size = size};
    s->count = calloc(size, sizeof *s->count);
    s->mean = calloc(size, sizeof *s->mean);
    s->squares = calloc(size, sizeof *s->squares);
    return s->count && s->mean && s->squares;
}

void series_end(series *s)
{
    free(s->count);
    free(s->mean);
    free(s->squares);
    *s = (series){0};
}

void series_take(series *s, size_t index, double value)
{
    if (isnan(value)) return;
    double difference = value - s->mean[index];
    s->mean[index] += difference / ++s->count[index];
    s->squares[index] += difference * (value - s->mean[index]);
}

double middle(double *values, size_t count)
{
    if (count == 0) return NAN;
    qsort(values, count, sizeof *values, dxt_ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Variance of one figure, such that the median over many is not too low where windows are few:
 * that of a variance of d degrees is about (1 − 2/(9d))³ of its mean. */
static double variance(const series *s, size_t i)
{
    double degrees = s->count[i] - 1.0, part = 1 - 2 / (9 * degrees);
    return s->squares[i] / degrees / (part * part * part);
}

double series_spread(const series *before, const series *after)
{
    size_t step = before->size / SAMPLED + 1, used = 0;
    double *spreads = malloc((2 * (before->size / step) + 2) * sizeof *spreads);
    if (!spreads) return NAN;
    for (size_t i = 0; i < before->size; i += step) {
        if (before->count[i] > 1) spreads[used++] = variance(before, i);
        if (after->count[i] > 1) spreads[used++] = variance(after, i);
    }
    double spread = middle(spreads, used);
    free(spreads);
    return isnan(spread) ? 0 : sqrt(spread);
}

/* Continued fraction of the incomplete beta function, after Lentz. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), result;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    result = d;
    for (int m = 1; m < 400; m++) {
        for (int half = 0; half < 2; half++) {
            double step = half == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                    : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 + step * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + step / c;
            if (fabs(c) < tiny) c = tiny;
            result *= c * d;
        }
        if (fabs(c * d - 1) < 1e-14) break;
    }
    return result;
}

static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_tail(double t, double degrees)
{
    if (isnan(t) || !(degrees > 0)) return 1;
    if (isinf(t)) return 0;
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

/* Square of the standard error of a mean, and its degrees of freedom. */
static double error_of(const series *s, size_t index, double spread, double *degrees)
{
    double prior = spread > 0 ? PRIOR : 0;
    *degrees = s->count[index] - 1.0 + prior;
    return (s->squares[index] + prior * spread * spread) / *degrees / s->count[index];
}

change series_compare(const series *before, const series *after, size_t index, double spread)
{
    change made = {.before = NAN, .after = NAN, .by = NAN, .error = NAN, .p = 1, .part = NAN};
    if (before->count[index] > 0) made.before = before->mean[index];
    if (after->count[index] > 0) made.after = after->mean[index];
    made.by = made.after - made.before;
    bool known = spread > 0 || (before->count[index] > 1 && after->count[index] > 1);
    if (isnan(made.by) || !known) return made;
    double da, db, a = error_of(before, index, spread, &da),
                   b = error_of(after, index, spread, &db);
    made.error = sqrt(a + b);
    if (made.error > 0) {
        double degrees = (a + b) * (a + b) / (a * a / da + b * b / db);
        made.p = student_tail(made.by / made.error, degrees);
    } else {
        made.p = made.by == 0 ? 1 : 0;
    }
    return made;
}

void series_part(const series *before, const series *after, size_t index, double spread, change *c)
{
    double degrees[2], own[2];
    if (isnan(c->by) || isnan(c->error) || c->by == 0) return;
    own[0] = error_of(before, index, spread, &degrees[0]) * before->count[index];
    own[1] = error_of(after, index, spread, &degrees[1]) * after->count[index];
    /* Where there are two kinds of windows the spread is large. */
    int mixed = own[0] > own[1] ? 0 : 1;
    double usual = own[1 - mixed];
    if (usual <= 0 || degrees[1 - mixed] < 1) return;
    double windows = mixed ? after->count[index] : before->count[index];
    double mixture = (mixed ? after : before)->squares[index] / windows - usual;
    /* Of two kinds whose difference is d, a part f makes a mean of f d and a variance of f (1 − f)
     * d². */
    double part = mixture > 0 ? c->by * c->by / (c->by * c->by + mixture) : 1;
    double apart = fabs(c->by) / part / sqrt(usual);
    if (part < LEAST_PART || part * windows < LEAST_WINDOWS || apart < APART) return;
    if ((1 - part) * windows < 0.5) return; /* all of them */
    double error = sqrt(usual / before->count[index] + usual / after->count[index]);
    double p = student_tail(c->by / error, degrees[1 - mixed]);
    if (p >= c->p) return;
    c->p = p;
    c->part = part;
    c->part_before = mixed == 0;
}
