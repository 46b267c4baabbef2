/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every number that was chosen, of the analysis and of history/. For each: what it is, in which
 * unit, what a larger one trades for what, and where it comes from: a measurement, a textbook, or
 * "chosen", which means that it was tried on the recordings (docs/accuracy.md, `deepxtrace bench
 * accuracy`) and on made-up windows and kept.
 *
 * `make mutants` moves each of them both ways and runs the tests. It reads this file: one define a
 * line, a number alone. A size of memory stands between the marks "sizes" and "end of sizes", and
 * is moved by building again. "not moved" are samples, which trade time for what no test could see,
 * and guards, which act where no window is.
 */
#ifndef DXT_ANALYSIS_TUNING_H
#define DXT_ANALYSIS_TUNING_H

/* ---- sizes ---- */

/* Members fitted pair by pair; of more, that many spread evenly are the witnesses for all. More:
 * surer against slow paths, cost grows with the square. Chosen. */
#define DXT_WITNESSES 64u
/* Cells that a level is estimated from at most. More: less sampling error (1.6 % of a deviation),
 * slower. Chosen. */
#define DXT_LEVEL_SAMPLE 4096u
/* Witnesses heard on each member of a large group. More add nothing to the median, only time. */
#define DXT_HEARD 16u
/* Slow paths, and slow ways between nodes, that are told of a window: nobody has time for more
 * lines; the heat map shows the rest. Chosen. */
#define DXT_MOST_PATH_FINDINGS 64u
/* Words in the lists of all findings of a window, those of nodes left out. Chosen. */
#define DXT_MOST_LISTED 4096u
/* Ranks up to which the history follows single cells; of more, one window has cells enough. More:
 * memory and time grow with the square. Chosen. */
#define DXT_CELLS_OF 16u

/* Room for the time at which a window begins, as dxt_findings has it. */
#define DXT_TIME_TEXT 40u
/* Partners that a rank's link is judged by at most, and the same in groups of more than
 * DXT_PARTNERS_MANY_RANKS: more tell a few good ones among many bad ones, and cost time. Chosen. */
#define DXT_PARTNERS 32u
#define DXT_PARTNERS_OF_MANY 16u
/* Pairs that blocks of ranks are looked for in. More: surer, slower. Chosen. */
#define DXT_BLOCK_PAIRS 128u
/* Paths of a bundle, its ranks and nodes that are listed. Chosen. */
#define DXT_BUNDLE_LISTED 64u
/* Rows that tell what is lost. More: surer, slower. Chosen. */
#define DXT_LOSS_ROWS 16u
/* Of two ranks: mixes of work that the history remembers, and windows of each in which nobody stood
 * out. More: slower to follow what changes for good. Chosen. */
#define DXT_PAIR_MIXES 8u
#define DXT_PAIR_WINDOWS 32u

/* ---- end of sizes ---- */

/* ---- a window, and what is worth telling ---- */

/* Smallest lateness worth telling [part of the step]. Larger: fewer lines, small causes stay
 * hidden. Chosen; `--min-share` changes it. */
#define DXT_MIN_SHARE 0.01
/* The same without a clock [part of the longest wait]. Chosen. */
#define DXT_RELATIVE_FLOOR 0.05
/* Rest above a time-out that is a wait besides it, not another counter [1 ÷ part of the time-out].
 * Larger: fewer waits are believed. Chosen. */
#define DXT_TIMEOUT_PARTS 20
/* Most time-outs in one counter, one for each local expert; and rows that are looked at before a
 * rank counts as not given up. Chosen. */
#define DXT_MOST_TIMEOUTS 256
#define DXT_TIMEOUT_LOOKS 8u /* not moved: a sample */
/* Cells between the others that say whether these count while one rank does not, and the part of
 * them that must. Larger part: fewer ranks are said to take no part. Chosen. */
#define DXT_COUNTED_CELLS 1024u /* not moved: a sample */
#define DXT_COUNTED_PART 0.9
/* Part of the cells without a sample above which no operation was completed. Chosen. */
#define DXT_EMPTY_PART 0.25
/* Fewer operations than this prove no health [operations]. Larger: more windows are inconclusive.
 * Chosen. */
#define DXT_THIN_OPS 8
/* Smallest time that is told from none [ns or cycles], a guard against dividing by zero. */
#define DXT_TINY 1e-9
/* Largest exponent that is taken, a guard against overflow. */
#define DXT_MOST_EXPONENT 100.0 /* not moved: a guard */
/* Added to a mean that is divided by, in the established rule. From FIELD: it is theirs. */
#define DXT_RATIO_GUARD 1e-8
/* Thresholds of the established rule [times the mean]. From FIELD: they are theirs. */
#define DXT_RATIO_AXIS 3.0
#define DXT_RATIO_POINT 5.0

/* ---- arrivals in a group ---- */

/* Rounds of reweighting at most, and the change that ends them [1 ÷ part of the typical deviation].
 * More: closer to least absolute deviations, slower. Chosen; four rounds are usual. */
#define DXT_REFINE_ROUNDS 10
#define DXT_REFINE_ENOUGH 100
/* Members up to which pairs say more about the skew than a median over cells. Chosen. */
#define DXT_FEW_MEMBERS 3u
/* Standard errors that a lateness must exceed: this for one member, and so much more each time
 * their number doubles. Larger: fewer false alarms, small lateness is missed. Normal arrivals need
 * 3.5 and 5.0 for one false alarm in 1,000 windows of 2 and 2048; the rest makes up for errors that
 * are estimated. From `deepxtrace bench accuracy`. */
#define DXT_SIGNIFICANCE 4.0
#define DXT_SIGNIFICANCE_PER_DOUBLING 0.12
/* Lateness that may be a slower pair [part of the transfer time], and the same over the peers of a
 * rank that has more than MANY_PEERS − 1 of them, where it averages out. Larger: fewer false alarms
 * in combine. Measured on NVLink: pairs of 10 µs differ by 2–4 µs (tests/recorded/data). */
#define DXT_TRANSFER_UNEVENNESS 0.5
#define DXT_TRANSFER_UNEVENNESS_OF_MANY 0.3
#define DXT_MANY_PEERS 7u
/* Lateness worth telling where waits are sums over an unknown number of waits, so that neither the
 * step nor the floor can be told [part of the transfer time of the companion, which is a sum of as
 * many]. Larger: fewer false alarms, small lateness stays hidden. Chosen. */
#define DXT_BLIND_RULER 0.4
/* Lateness of two members without a clock [times the shorter wait]. Larger: fewer false alarms
 * where nothing else is known. Chosen. */
#define DXT_TWO_UNTIMED 20.0
/* Members from which on their spread says something (of ONE_EVENT_OPS always, since nothing else
 * does), and from which on a quarter of them tells it. Larger: the spread guards fewer groups.
 * Chosen. */
#define DXT_SPREAD_MEMBERS 6u
#define DXT_MANY_MEMBERS 32u
/* Spread from which on it is systematic [standard errors], and the same for MANY_MEMBERS, whose
 * densest quarter stays narrow. Larger: fewer windows are doubted. Chosen. */
#define DXT_SYSTEMATIC_SPREAD 3.5
#define DXT_SPREAD_OF_MANY 2.5
/* Correction of a spread over few members: 1 + this ÷ (members − 1). Textbook: least median of
 * squares (Rousseeuw and Leroy). */
#define DXT_FEW_SPREAD 5.0
/* How much ranks without a fault differ in a window, as a standard deviation [part of the step],
 * but at most this part of the floor. Larger: fewer false alarms of small lateness. Measured on the
 * recorded healthy windows (commit "errors that fit the window at hand"). */
#define DXT_DRIFT 0.0025
#define DXT_DRIFT_OF_FLOOR 0.25
/* Largest standard deviation of a computing time that is believed [means of it]. Chosen. */
#define DXT_MOST_VARIATION 1.5
/* The mean of such a time [1 ÷ part of the step]: a step holds compute and communication twice; on
 * the safe side. Larger: times count as more varied, limits move out. Chosen. */
#define DXT_STEP_PARTS 8
/* Operations below which one of them may have made all that is seen (a first call), so that how far
 * ranks differ is no proof. Larger: small lateness in short windows is missed. Chosen. */
#define DXT_ONE_EVENT_OPS 20
/* By how much medians understate the deviation of what leans, at a variation of 1 and more. From a
 * simulation of log-normal times. */
#define DXT_UNDERSTATED 0.2

/* ---- single cells ---- */

/* Part of the floor that is added to a wait before its logarithm is taken: what is shorter is no
 * wait. Larger: short waits count as calmer. Chosen. */
#define DXT_CELL_FLOOR 0.125
/* Deviation of cells that no machine's pairs have [part of the ordinary wait], and by how many
 * errors of it it must be above. Larger: less is taken for noise. Chosen. */
#define DXT_WILD 0.8
#define DXT_WILD_ERRORS 3
/* Members from which on one window tells its own wild cells. */
#define DXT_WILD_MEMBERS 4u
/* How much the deviation of few cells may be too small by chance [over the root of their number]:
 * for the noise of a lateness, and for the logarithm of a path. Larger: fewer false alarms in small
 * groups. From `deepxtrace bench accuracy`, cases with log-normal cells. */
#define DXT_FEW_CELLS_NOISE 1.5
#define DXT_FEW_CELLS_TAIL 3.0
/* Step at which the slope from waits to lateness is taken [1 ÷ part of a deviation]. Numeric. */
#define DXT_SLOPE_PARTS 16 /* not moved: numeric */
/* Spread of cells over the windows that is ordinary [standard deviation of the logarithm]. Larger:
 * wild cells are believed. Chosen: a factor of 1.4. */
#define DXT_CALM 0.36

/* ---- a slow send or receive side ---- */

/* Times the limit of a lateness that a slow side must exceed, which is in one wait of each pair
 * while lateness is in both; and the same where nothing says how far single waits vary. Larger:
 * fewer false receivers, small ones are missed. Chosen. */
#define DXT_SIDE_LIMITS 1.5
#define DXT_SIDE_LIMITS_ALONE 2.5
/* Ordinary ranks among which sides are looked for in rows and columns. Fewer cannot be told apart;
 * more show it in the median lateness, and less noisily. Chosen. */
#define DXT_SIDE_LEAST 3u
#define DXT_SIDE_MEMBERS 8u

/* ---- slow links (arrive/slow_links.c) ---- */

/* Ranks above which DXT_PARTNERS_OF_MANY partners judge a link. More: slower, surer. Chosen. */
#define DXT_PARTNERS_MANY_RANKS 512u /* not moved: a sample */
/* The waits over a link are its shortest ones: those of one in so many. Larger: fewer good links at
 * the other end are enough, noisier. Chosen: one of 16 finds 7 bad of 8. */
#define DXT_SHORTEST_ONE_IN 16u
/* Limits of a lateness that a slow link must exceed, as SIDE_LIMITS, and the part of an ordinary
 * wait over it by which links differ by nature: to all, that of few, and to other
 * nodes, where the shortest of eight waits is told. Larger: fewer false
 * links, small ones are missed. From `deepxtrace bench accuracy`, healthy cases with nodes. */
#define DXT_LINK_LIMITS 1.5
#define DXT_LINK_UNEVENNESS 0.5
#define DXT_LINK_UNEVENNESS_OF_FEW 1.0
#define DXT_NIC_UNEVENNESS 0.7
/* The same in spreads of the waits inside nodes, and of how many of these. Chosen. */
#define DXT_NIC_SPREADS 6.0
#define DXT_SPREAD_CELLS 256u /* not moved: a sample */
#define DXT_LINK_FEW 4u
/* Part of the operations in which a rank must come last to the others for it to be its link, not
 * its work, which is late now and early then. Larger: more links are doubted. Chosen: lateness in
 * half of the operations, and earliness in the others, give 0.5, a link 1. */
#define DXT_LINK_LAST 0.9
/* Ranks, or nodes, of which it shows which has the slow link. */
#define DXT_LINK_LEAST 3u
/* Standard deviation of an arrival in ordinary waits, where nothing takes time but the arrivals:
 * a half of the root of 4 pi. */
#define DXT_ARRIVALS_OF_WAIT 1.77

/* ---- blocks of ranks (blocks.c) ---- */

/* Part of the pairs inside a sparse pattern that must be observed. More: surer of the pattern,
 * which is found less often. Chosen. */
#define DXT_BLOCK_SEEN 0.9
/* Ranks from which on blocks can be told from chance. Larger: fewer hints. Chosen. */
#define DXT_BLOCK_RANKS 8u
/* Most pairs inside blocks, down from this part, must wait so many times less than most pairs
 * between them, up from this part; the rest may be a late rank's. Larger: fewer hints. Chosen. */
#define DXT_BLOCK_INSIDE 0.7
#define DXT_BLOCK_OUTSIDE 0.2
#define DXT_BLOCK_APART 1.5

/* ---- nodes ---- */

/* Nodes that the ordinary skew and transfer time are taken from at most, spread evenly. More: no
 * better, slower. Chosen. */
#define DXT_TELLING_NODES 64u /* not moved: a sample */
/* Cells looked at where all would be exact and slow, and the fewest of one pair of nodes. More:
 * surer, slower. Chosen. */
#define DXT_BLOCK_SAMPLES 262144u /* not moved: a sample */
#define DXT_BLOCK_LEAST 9u        /* not moved: a sample */
/* Slow ways between nodes above which it is not the ways [part of the pairs]. Larger: topology is
 * taken for faults. Chosen. */
#define DXT_MOST_LINKS_SHARE 0.1
/* A wait shorter than the skew ÷ this only says that the awaited was there long before. Chosen. */
#define DXT_FAR_APART 10
/* A slow way between two nodes must leave less than this part of the misfit that a late node
 * leaves. Smaller: more often "late". Chosen. */
#define DXT_TWO_NODES_BETTER 0.8

/* Of two nodes that wait for each other by turns, operator by operator: the part of what the one is
 * later in the other operator by which the two long waits may differ for it to be a slow way.
 * Larger: late nodes are called slow ways. And how many times the short wait of the operator in
 * which it is slow is that of the other one. Larger: more often it is not told. From `deepxtrace
 * bench accuracy`, uplinks of 16 ranks: 0 to 0.15 of a way, 4 of a node; 15 and more times. */
#define DXT_WAY_BOTH 0.5
#define DXT_WAY_WAITS 3.0

/* ---- slow paths ---- */

/* Typical deviations of a cell that a path must exceed. Larger: fewer false paths, small ones are
 * missed. Chosen. */
#define DXT_OUTLIER_SPREADS 8.0
/* Cells have long tails when their logarithm spreads by more than this: as it is, where so many
 * cells tell it, and with what few may do so less by chance, which uneven pairs never do. Larger:
 * fewer windows are treated so. Chosen: of log-normal cells of 0.3, 16 to 64 ranks, paths were told
 * in 6 to 40 % of the windows; now in none of 360 (`simulate --cell-tail lognormal:0.3`). */
#define DXT_LONG_TAILS_CELLS 128u
#define DXT_LONG_TAILS_KNOWN 0.2
#define DXT_LONG_TAILS 0.4
/* Windows in which one cell of a long tail may go so far. Larger: fewer false paths. Chosen. */
#define DXT_ONE_IN 1e3
/* Nothing spreads by more than this in the logarithm. Larger: long waits of odd windows are not
 * found (commit "a wait hundreds of times as long"). Chosen. */
#define DXT_WILDEST 1.0
/* Excess of a path [part of what is expected of it]. Larger: fewer paths on uneven machines.
 * Chosen. */
#define DXT_RELATIVE_EXCESS 0.3
/* Smallest expected wait whose ratio is worth something [part of the ordinary wait]. Chosen. */
#define DXT_RATIO_LEAST 0.1
/* Skew counts so often, since pairs of ranks that take turns (on one core, on one link) are more
 * skewed than others. Measured with `deepxtrace job` on shared cores. */
#define DXT_SKEW_EXCESS 2.0
/* Ranks up to which the windows before tell deviations better than one window. They do not show how
 * uneven pairs are for good: so many ordinary waits make up for it. Larger: small paths among few
 * ranks are missed. Chosen. */
#define DXT_CALM_RANKS 4u
#define DXT_CALM_EXCESS 1.25
/* Deviating cells above which it is not the paths [part of the cells]. Chosen. */
#define DXT_MOST_PATHS_SHARE 0.1

/* Paths of one bundle: the part of a rail's paths, or of those with a common end, that must be
 * slow, and the fewest with a common end; and paths without anything in common from which on it is
 * none of them. Larger: more lines. Chosen. */
#define DXT_BUNDLE_PART 0.8
#define DXT_BUNDLE_LEAST 3u
#define DXT_STALLS_LEAST 6u
/* Stalls on many paths: standard errors by which what a rank waits here must go along with how late
 * it is in the other operator, and how many times what cells without anything in common make rows
 * may differ. Larger errors, or fewer times: skew is said instead. From a model of coupled steps, 6
 * to 64 ranks: of stalls of 0.5-5 ms on 0.3-2 % of the paths three in four exceed 3 errors, of 60
 * windows of rotating lateness none. */
#define DXT_STALLS_ERRORS 3.0
#define DXT_STALLS_ROWS 5.0

/* ---- what explains what ---- */

/* An echo: how late a rank that is late in dispatch is found in combine [part of the transfer
 * time]. Measured on NVLink: +3 µs of a 12 µs combine, whatever the delay (tests/recorded/data). */
#define DXT_ECHO 0.8
/* How late a rank comes to an operator at most by leaving the transfer before it late [times what
 * two ranks wait there for each other, added up]: 1, but for what a slow path to a rank holds up
 * there besides. Larger: a late rank next to slow transfers is missed. Measured on two GPUs with
 * DeepEP V2: 0.7 to 1.7 while one's stores are slow, 4.2 and more of a late rank. */
#define DXT_ECHO_OF_TRANSFER 2.0
/* Wait for another in a transfer from which on it may have made a rank late [part of the other's
 * for it]. Larger: fewer echoes. Measured there: 0.8 and more; of a late rank's, 0. Chosen. */
#define DXT_ECHO_BACK 0.5
/* How well it is known what a rank carries over from the other operator [part of it]: it is taken
 * from means, not per operation. Larger: fewer second causes are named. The same for a slow
 * receiver, which leaves with the last of what comes, for a node, and over several windows, where
 * it does not average out. Chosen. */
#define DXT_CARRIED_DOUBT 0.3
#define DXT_RECEIVED_DOUBT 0.5
#define DXT_NODE_DOUBT 1.0
#define DXT_HISTORY_DOUBT 0.5
/* Bytes received from which on a rank is hot [times the median]. Chosen. */
#define DXT_HOT_BYTES 1.5
/* How early a slow sender is at most in the operator before [times what it sends late]. Chosen. */
#define DXT_SEND_AND_EARLY 1.3
/* Who comes last: fewer operations prove nothing; beyond chance [standard errors]; the part of a
 * fair share that each of several equally late ranks must have [1 ÷ part]. Larger: fewer stalls
 * count as lateness, or more causes as stalls. Chosen. */
#define DXT_FEW_OPS 10
#define DXT_CHANCE_ERRORS 2
#define DXT_FAIR_PARTS 4
/* Wait of an ordinary pair beyond the transfer from which on the ranks' own variation is worth a
 * line [part of the step]. Real jobs vary by up to a fifth of their compute, which is 2–4 % here.
 * Measured on the recorded windows. */
#define DXT_SYSTEMIC_SHARE 0.15
/* What the last of up to ROTATING_RANKS ranks costs the others, were arrivals normal, from which on
 * it is worth a line [part of the step]. Larger: fewer lines. From `deepxtrace bench accuracy`:
 * jitter of 25 % gives up to 0.125 (16 ranks), log-normal times of sigma 0.8, which lose 0.2 and
 * more, 0.13 to 0.17. */
#define DXT_VARIATION_SHARE 0.135

/* Columns differ so many times as far as rows, and by so much of the ordinary wait, where another
 * rank is late in each operation: arrivals that vary to both sides make both differ alike. Larger:
 * fewer windows are treated so. From a simulation, as RARE_LEAN, by how much such lateness leans to
 * the late side. */
#define DXT_ONE_SIDED 2.0
#define DXT_ONE_SIDED_TYPICAL 1.5
#define DXT_ONE_SIDED_LEAST 0.1
#define DXT_RARE_LEAN 1.2
/* What is lost at least, and, where columns differ and rows do not, at most, from which on it is
 * worth a line [part of the step]; and ranks up to which the latter says something, beyond which
 * cells of healthy jitter add up to as much. Larger: fewer lines. Chosen. */
#define DXT_LOSS_SHARE 0.10
#define DXT_ROTATING_SHARE 0.10
#define DXT_ROTATING 3.0
#define DXT_UNSURE_SHARE 0.4
/* What may be lost at most from which on a window of fewer ranks than SPREAD_MEMBERS is
 * inconclusive, which cannot tell jitter from another late rank in each operation [part of the
 * step]. Smaller: more windows with much jitter are. From a model: rotating lateness that loses 20
 * % of the step, and jitter of 25 % of the compute, which loses 10-15 % and stays below. */
#define DXT_UNSURE_SHARE_OF_FEW 0.2
#define DXT_ROTATING_RANKS 16u

/* ---- severity and confidence (weigh.c) ---- */

/* Severity [share of the step], and without a clock [times the ordinary wait]. From DESIGN. */
#define DXT_MAJOR_SHARE 0.05
#define DXT_CRITICAL_SHARE 0.20
#define DXT_MAJOR_MULTIPLE 3.0
#define DXT_CRITICAL_MULTIPLE 10.0
/* A limit is worth at least so many standard errors, also where it has another reason, and
 * confidence is 1 − exp(−z² ÷ width). From `deepxtrace bench accuracy`: of findings of 0.99 and
 * more, 99 in 100 are true. */
#define DXT_LIMIT_ERRORS 4.5
#define DXT_CONFIDENCE_WIDTH 6
/* The most that a finding can be sure of; without a clock, for either of two nodes, or next to what
 * it may be a trace of; in one window of up to SURE_RANKS ranks, or of operations that are not
 * known; and when others bear this out. From the same. */
#define DXT_SUREST 0.999
#define DXT_DOUBTFUL 0.95
#define DXT_SURE_OF_FEW 0.985
#define DXT_SURE_RANKS 4u
#define DXT_BORNE_OUT 0.995
/* How many times a finding something in the other operator has to be for the finding to be its
 * trace, and how small a part of the largest it has to be in the same window. Chosen. */
#define DXT_TRACE 1.5
#define DXT_SMALL_NEXT_TO 0.125

/* ---- windows in their order (history/) ---- */

/* Standard errors that a mean over windows must exceed, as SIGNIFICANCE: somewhat less, since the
 * noise is known better. From `deepxtrace bench accuracy`. */
#define DXT_HISTORY_SIGNIFICANCE 3.6
#define DXT_HISTORY_SIGNIFICANCE_PER_DOUBLING 0.15
/* A median over few differences may be far too small: 1 + this ÷ their number. Chosen. */
#define DXT_FEW_CHANGES 4.0
/* What pairs differ anyway [part of the transfer time]: over the peers of a rank half averages out
 * to about a quarter; up to HISTORY_FEW ranks have no peers to average over. As
 * TRANSFER_UNEVENNESS. */
#define DXT_HISTORY_UNEVENNESS 0.25
#define DXT_HISTORY_UNEVENNESS_OF_FEW 0.5
#define DXT_HISTORY_FEW 3u
/* A rank's small lateness spilled from another operator in which it is so many times larger.
 * Larger: more traces are named. Chosen. */
#define DXT_SPILL 10.0
/* Windows before that tell noise and what is ordinary, and that make a baseline. Larger: later, but
 * surer. Chosen. */
#define DXT_ESTABLISHED 4u
#define DXT_BASE_WINDOWS 8u
/* A finding is borne out by the window before, or by STRIKES of the RECENT ones. Chosen. */
#define DXT_RECENT 8u
#define DXT_STRIKES 2u
/* What a small finding can be worth as long as no other window bears it out: below 0.99. */
#define DXT_UNSUPPORTED 0.98
/* Fewest windows whose mean says anything. Larger: a small lateness is named later. Chosen. */
#define DXT_SHORTEST 3u
/* Lateness stays when this part of the windows show half of it. Larger: fewer stalls are taken for
 * it. Chosen. */
#define DXT_SHOWN_PART 0.75
/* Ranks up to which their own part of what they are held against is made up for; of more it is
 * little. Latenesses that add up to less than this part of their sizes are told against all. */
#define DXT_OWN_PART_RANKS 64u
#define DXT_NO_SUM 1e-6 /* not moved: a guard */
/* Changes between windows, and changes of cells in all of them, that tell how far cells vary.
 * Larger: later, but surer. Chosen. */
#define DXT_CELL_WINDOWS 3u
#define DXT_CELL_CHANGES 18u
/* What such a spread is at least, so that 0 can stand for unknown. */
#define DXT_SMALLEST_SPREAD 1e-9 /* not moved: a guard */
/* Standard deviations of what two ranks do, within which one is late, or the other early, and not
 * the other way round. Larger: more often it may be either. Chosen. */
#define DXT_PAIR_ERRORS 4.0
/* An episode is over when so many windows in a row do not name it. Larger: fewer, longer ones.
 * Chosen. */
#define DXT_EPISODE_GAP 8u
/* How sure it is that a rank takes no part which is behind the others in two windows in which
 * nothing is completed: it may itself wait for something else. Chosen. */
#define DXT_STILL_CONFIDENCE 0.95

#endif
