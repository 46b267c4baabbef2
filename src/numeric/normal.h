/* SPDX-License-Identifier: Apache-2.0 */
/* Constants of the normal distribution, as in any textbook. */
#ifndef DXT_NUMERIC_NORMAL_H
#define DXT_NUMERIC_NORMAL_H

/** Half of the values lie within this many standard deviations of the mean … */
#define DXT_HALF_WIDTH 0.6745
/** … a quarter within this many … */
#define DXT_QUARTER_WIDTH 0.3186
/** … and all but one in fifty within these. */
#define DXT_WIDTH_OF_49_IN_50 2.3263
/** Median absolute deviation × this = standard deviation: 1 ÷ DXT_HALF_WIDTH. */
#define DXT_MAD_TO_DEVIATION 1.4826
/** Standard error of a median over many, in those of the mean: √(π ÷ 2). */
#define DXT_MEDIAN_ERROR 1.2533
/** √2: standard deviation of a difference of two, in that of one. */
#define DXT_ROOT_OF_2 1.4142

#endif
