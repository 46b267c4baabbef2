/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every number that was chosen, of src/analysis/ and src/history/, one after the other:
 *
 *     name, value, where it comes from, [unit], what it is; what a larger one trades, unless it is
 *     what the heading says
 *
 * A unit such as [step] is a part, or a multiple, of that. Where they come from:
 *   C  chosen: tried on the recordings (docs/accuracy.md) and on made-up windows, and kept
 *   B  `deepxtrace bench accuracy`
 *   R  measured on machines
 *   M  a model or a simulation
 *   T  a textbook, or counting
 *   E  the established rule, whose numbers they are
 *   D  the design of the product
 *   N  arithmetic
 *
 * TUNING.md says it in whole sentences, with what was measured and how (scripts/check-limits.sh).
 *
 * `make mutants` moves each of them both ways and runs the tests. It reads this file: one define a
 * line, a number alone. A size of memory stands between the marks, and is moved by building again.
 * "not moved" are samples, which trade time for what no test could see, and guards, which act where
 * no window is.
 */
#ifndef DXT_ANALYSIS_TUNING_H
#define DXT_ANALYSIS_TUNING_H

/* clang-format off */

/* Sizes of memory. Larger: surer or longer lists, more time and memory. */
/* ---- sizes ---- */
#define DXT_WITNESSES          64u    /* C [members] fitted pair by pair, for all (cost: square) */
#define DXT_LEVEL_SAMPLE       4096u  /* C [cells] of a level at most; errs 1.6 % of a deviation */
#define DXT_HEARD              16u    /* C [witnesses] heard on a member; more add only time */
#define DXT_MOST_PATH_FINDINGS 64u    /* C [findings] slow paths told; nobody reads more */
#define DXT_MOST_LISTED        4096u  /* C [words] in a window's lists, nodes' left out */
#define DXT_CELLS_OF           16u    /* C [ranks] whose cells history follows (square) */
#define DXT_TIME_TEXT          40u    /* D [bytes] for a window's begin, as in dxt_findings */
#define DXT_PARTNERS           32u    /* C [partners] that judge a link: few good of many bad */
#define DXT_PARTNERS_OF_MANY   16u    /* C [partners] the same above PARTNERS_MANY_RANKS */
#define DXT_BLOCK_PAIRS        128u   /* C [pairs] blocks of ranks are looked for in */
#define DXT_BUNDLE_LISTED      64u    /* C [paths, ranks, nodes] listed of a bundle */
#define DXT_LOSS_ROWS          16u    /* C [rows] that tell what is lost */
#define DXT_PAIR_MIXES         8u     /* C [mixes] of work remembered of two ranks */
#define DXT_PAIR_WINDOWS       32u    /* C [windows] of each; slower to follow a lasting change */
/* ---- end of sizes ---- */

/* A window, and what is worth telling. Larger: fewer findings, small causes stay hidden. */
#define DXT_MIN_SHARE          0.01   /* C [step] least lateness worth telling (`--min-share`) */
#define DXT_RELATIVE_FLOOR     0.05   /* C [longest wait] the same without a clock */
#define DXT_TIMEOUT_PARTS      20     /* C [1/time-out] rest that is a wait; more: fewer believed */
#define DXT_MOST_TIMEOUTS      256    /* C [time-outs] in a counter; more: wilder counters pass */
#define DXT_TIMEOUT_LOOKS      8u     /* C [rows] looked at for time-outs (not moved: a sample) */
#define DXT_COUNTED_CELLS      1024u  /* C [cells] of the others looked at (not moved: a sample) */
#define DXT_COUNTED_PART       0.9    /* C [those cells] that must count to say "takes no part" */
#define DXT_EMPTY_PART         0.25   /* C [cells] without a sample; more: fewer "nothing ended" */
#define DXT_THIN_OPS           8      /* C [operations] fewer prove no health: inconclusive */
#define DXT_THIN_VARIATION     0.07   /* M [step] deviation of arrivals in so few, at least */
#define DXT_TINY               1e-9   /* N [ns, cycles] told from 0: guards a division */
#define DXT_MOST_EXPONENT      100.0  /* N [1] taken, against overflow (not moved: a guard) */
#define DXT_RATIO_GUARD        1e-8   /* E [ns, cycles] added to a mean before dividing */
#define DXT_RATIO_AXIS         3.0    /* E [means] threshold of rows and columns */
#define DXT_RATIO_POINT        5.0    /* E [means] threshold of cells */

/* Arrivals in a group (arrive/). Larger: fewer false alarms, small lateness is missed. */
#define DXT_REFINE_ROUNDS      10     /* C [rounds] of weights; more: least absolutes, slower */
#define DXT_REFINE_ENOUGH      100    /* C [1/deviation] change that ends them; more: the same */
#define DXT_FEW_MEMBERS        3u     /* C [members] pairs tell the skew of, beyond: medians */
#define DXT_SIGNIFICANCE       4.0    /* B [errors] a lateness must exceed */
#define DXT_SIGNIFICANCE_PER_DOUBLING 0.12 /* B [errors] more when members double */
#define DXT_TRANSFER_UNEVENNESS 0.5   /* R [transfer] lateness that may be a slower pair */
#define DXT_TRANSFER_UNEVENNESS_OF_MANY 0.3 /* R [transfer] the same, averaged out */
#define DXT_MANY_PEERS         7u     /* C [peers] from which on it averages out */
#define DXT_BLIND_RULER        0.4    /* C [companion's transfer] lateness of uncounted sums */
#define DXT_TWO_UNTIMED        20.0   /* C [shorter wait] lateness of two without a clock */
#define DXT_SPREAD_MEMBERS     6u     /* C [members] whose spread tells; more: fewer guarded */
#define DXT_MANY_MEMBERS       32u    /* C [members] of whom a quarter tells it; more: the same */
#define DXT_SYSTEMATIC_SPREAD  3.5    /* C [errors] spread not by chance; more: fewer doubted */
#define DXT_SPREAD_OF_MANY     2.5    /* C [errors] the same of MANY_MEMBERS; more: the same */
#define DXT_FEW_SPREAD         5.0    /* T [1] spread of few: times 1 + this/(members - 1) */
#define DXT_DRIFT              0.0025 /* R [step] deviation of ranks without a fault */
#define DXT_DRIFT_OF_FLOOR     0.25   /* R [floor] at most */
#define DXT_MOST_VARIATION     1.5    /* C [means] deviation of computing that is believed */
#define DXT_STEP_PARTS         8      /* C [1/step] mean of it: a step computes, sends twice */
#define DXT_ONE_EVENT_OPS      20     /* C [operations] fewer may all be one first call */
#define DXT_UNDERSTATED        0.2    /* M [deviation] that medians miss of what leans */

/* Single cells (arrive/noise.c, explain/cells.c). Larger: less is taken for noise. */
#define DXT_CELL_FLOOR         0.125  /* C [floor] added before a logarithm: short waits calm */
#define DXT_WILD               0.8    /* C [ordinary wait] deviation that no pair has */
#define DXT_WILD_ERRORS        3      /* C [errors] by which it must be above */
#define DXT_WILD_MEMBERS       4u     /* C [members] from which on one window tells */
#define DXT_FEW_CELLS_NOISE    1.5    /* B [1/root cells] deviation too small; more: quieter */
#define DXT_FEW_CELLS_TAIL     3.0    /* B [1/root cells] the same of a path's logarithm */
#define DXT_SLOPE_PARTS        16     /* N [1/deviation] step of a slope (not moved: numeric) */
#define DXT_CALM               0.36   /* C [log deviation] over windows that is usual: 1.4 times */

/* A slow send or receive side (arrive/sides.c). Larger: fewer false ones, small ones are missed. */
#define DXT_SIDE_LIMITS        1.5    /* C [limits of lateness] a side must exceed */
#define DXT_SIDE_LIMITS_ALONE  2.5    /* C [limits] where nothing tells how far waits vary */
#define DXT_SIDE_LEAST         3u     /* C [ordinary ranks] of a node; fewer cannot be told apart */
#define DXT_SIDE_MEMBERS       8u     /* C [ordinary ranks] more show it in the median, quieter */

/* Slow links (arrive/slow_links.c). Larger: fewer false ones, small ones are missed. */
#define DXT_PARTNERS_MANY_RANKS 512u  /* C [ranks] of PARTNERS_OF_MANY (not moved: a sample) */
#define DXT_SHORTEST_ONE_IN    16u    /* C [waits] of which one tells; more: few good do, noisier */
#define DXT_LINK_LIMITS        1.5    /* B [limits of lateness] a link must exceed */
#define DXT_LINK_UNEVENNESS    0.5    /* B [ordinary wait] by which links differ by nature */
#define DXT_LINK_UNEVENNESS_OF_FEW 1.0 /* B [ordinary wait] of up to LINK_FEW ranks */
#define DXT_NIC_UNEVENNESS     0.7    /* B [ordinary wait] to other nodes, least of eight */
#define DXT_NIC_SPREADS        6.0    /* C [spreads inside nodes] the same */
#define DXT_SPREAD_CELLS       256u   /* C [cells] that tell that spread (not moved: a sample) */
#define DXT_LINK_FEW           4u     /* C [ranks] with LINK_UNEVENNESS_OF_FEW */
#define DXT_LINK_LAST          0.9    /* C [operations] last in if it is the link, not its work */
#define DXT_LINK_LEAST         3u     /* T [ranks, nodes] that show whose link is slow */
#define DXT_ARRIVALS_OF_WAIT   1.77   /* T [waits] deviation of arrivals: half of root 4 pi */

/* Blocks of ranks (blocks.c). Larger: fewer hints. */
#define DXT_BLOCK_SEEN         0.9    /* C [pairs] of a sparse pattern seen; more: surer, rarer */
#define DXT_BLOCK_RANKS        8u     /* C [ranks] from which on it is no chance */
#define DXT_BLOCK_INSIDE       0.7    /* C [pairs inside] that must wait less than */
#define DXT_BLOCK_OUTSIDE      0.2    /* C [pairs between] but this part; more: more hints */
#define DXT_BLOCK_APART        1.5    /* C [times] by which they must */

/* Nodes (arrive/nodes.c, arrive/links.c). Larger: slow paths become late nodes, or topology. */
#define DXT_TELLING_NODES      64u    /* C [nodes] that tell the transfer (not moved: a sample) */
#define DXT_BLOCK_SAMPLES      262144u /* C [cells] of all pairs (not moved: a sample) */
#define DXT_BLOCK_LEAST        9u     /* C [cells] of a pair of nodes (not moved: a sample) */
#define DXT_MOST_LINKS_SHARE   0.1    /* C [pairs] slow beyond: topology; more: is told as faults */
#define DXT_FAR_APART          10     /* C [1/skew] wait that tells nothing; more: fewer do */
#define DXT_TWO_NODES_BETTER   0.8    /* C [late node's misfit] of a path; less: more "late" */
#define DXT_NODE_PATH_BOTH     0.5    /* B [lateness there] by which waits differ; more: paths */
#define DXT_NODE_PATH_WAITS    3.0    /* B [short wait there] of a path; more: left open */
#define DXT_NODE_PATH_NONE     0.25   /* B [ordinary wait] below it no path; more: late nodes */

/* Slow paths (explain/). Larger: fewer false ones, small ones are missed. */
#define DXT_OUTLIER_SPREADS    8.0    /* C [deviations of a cell] a path must exceed */
#define DXT_OUTLIER_SPREADS_KNOWN 6.0 /* B [deviations] the same where tails are known as short */
#define DXT_OUTLIER_RANKS      128u   /* B [ranks] up to which that holds; more: false paths */
#define DXT_OUTLIER_CELLS      512u   /* C [cells] that tell that; more: larger groups only */
#define DXT_OUTLIER_PART       50u    /* N [1/part] of them is a tail (not moved: arithmetic) */
#define DXT_LONG_TAILS_CELLS   128u   /* B [cells] that tell long tails; more: fewer windows */
#define DXT_LONG_TAILS_KNOWN   0.2    /* B [log deviation] of them; more: the same */
#define DXT_LONG_TAILS         0.4    /* B [log deviation] told by fewer; more: the same */
#define DXT_ONE_IN             1e3    /* C [windows] where one long-tailed cell goes so far */
#define DXT_WILDEST            1.0    /* C [log deviation] at most; more: odd windows missed */
#define DXT_RELATIVE_EXCESS    0.3    /* C [expected wait] of a path: uneven machines */
#define DXT_RATIO_LEAST        0.1    /* C [ordinary wait] whose ratio counts; more: fewer cells */
#define DXT_SKEW_EXCESS        2.0    /* R [times skew] of pairs that share a core or link */
#define DXT_CALM_RANKS         4u     /* C [ranks] whose deviations the windows before tell */
#define DXT_CALM_EXCESS        1.25   /* C [ordinary waits] of uneven pairs, unseen there */
#define DXT_MOST_PATHS_SHARE   0.1    /* C [cells] deviating: no paths; more: told as paths */
#define DXT_BUNDLE_PART        0.8    /* C [paths] of a rail or common end; more: more lines */
#define DXT_BUNDLE_LEAST       3u     /* C [paths] of a common end; more: more lines */
#define DXT_STALLS_LEAST       6u     /* C [paths] with nothing in common; more: more lines */
#define DXT_STALLS_ERRORS      3.0    /* M [errors] along with lateness there; more: skew is said */
#define DXT_STALLS_UNSHOWN     3.4    /* M [errors] the same where no pair waits for long */
#define DXT_STALLS_HINT        1.0    /* M [errors] the same, where cells are lumps */
#define DXT_STALLS_LUMPS       2.5    /* M [waits of an operation] of a cell; stalls 4, skew 1.6 */
#define DXT_STALLS_RANKS       256u   /* C [ranks] looked at for them unasked (not moved: cost) */
#define DXT_STALLS_FEW_LUMPS   0.7    /* M [waits of an operation] the same of cells that lean */
#define DXT_STALLS_LEAN        2.5    /* M [errors/root 6] by which cells lean; more: skew */
#define DXT_STALLS_ROWS        5.0    /* M [times] rows differ by cells alone; less: skew is said */

/* What explains what (explain/). Larger: fewer second causes, or lines, are told. */
#define DXT_ECHO               0.8    /* R [transfer] lateness in combine of who is late before */
#define DXT_ECHO_OF_TRANSFER   2.0    /* R [waits there] lateness by leaving a transfer late */
#define DXT_ECHO_OF_MORE       8.0    /* R [more than ordinary waits there] the same, if known */
#define DXT_ECHO_BACK          0.5    /* R [other's wait] that made it late; more: fewer echoes */
#define DXT_CARRIED_DOUBT      0.3    /* C [what is carried] its error: means, not operations */
#define DXT_RECEIVED_DOUBT     1.25   /* M [what is carried] of a receiver: leaves with the last */
#define DXT_NODE_DOUBT         1.0    /* C [what is carried] of a node */
#define DXT_HISTORY_DOUBT      1.25   /* M [what is carried] over windows: the same of all */
#define DXT_HOT_BYTES          1.5    /* C [median] bytes received by a hot rank */
#define DXT_SEND_AND_EARLY     1.3    /* C [what is sent late] earliness before; more: fewer hot */
#define DXT_FEW_OPS            10     /* C [operations] prove little; more: stalls are lateness */
#define DXT_CHANCE_ERRORS      2      /* C [errors] beyond chance; more: lateness is stalls */
#define DXT_FAIR_PARTS         4      /* C [1/fair share] of each; more: stalls are lateness */
#define DXT_SYSTEMIC_SHARE     0.15   /* R [step] wait of an ordinary pair worth a line */
#define DXT_VARIATION_SHARE    0.135  /* B [step] cost of the last rank worth a line */
#define DXT_ONE_SIDED          2.0    /* M [times] columns differ as rows: each is late in turn */
#define DXT_ONE_SIDED_TYPICAL  1.5    /* M [times] the same without the largest */
#define DXT_ONE_SIDED_LEAST    0.1    /* M [ordinary wait] by which columns differ */
#define DXT_RARE_LEAN          1.2    /* M [deviation] such lateness leans; more: limits move out */
#define DXT_LOSS_SHARE         0.10   /* C [step] lost at least, for a line */
#define DXT_ROTATING_SHARE     0.10   /* C [step] lost at most, for a line if ROTATING */
#define DXT_ROTATING           3.0    /* C [times] as ONE_SIDED, for a line */
#define DXT_UNSURE_SHARE       0.4    /* C [step] lost at most; less: more inconclusive */
#define DXT_UNSURE_SHARE_OF_FEW 0.2   /* M [step] below SPREAD_MEMBERS; less: the same */
#define DXT_LOST_SHARE         0.20   /* B [step] likely lost to nobody; less: more inconclusive */
#define DXT_APART_SHARE        0.15   /* B [step] between two nodes; less: more inconclusive */
#define DXT_ROTATING_RANKS     16u    /* C [ranks] whose jitter adds up to less; more: lines */
#define DXT_FEW_VARIATION      1.5    /* M [1] variation of ROTATING_RANKS / 2; more: more skew */

/* Severity and confidence (weigh.c). Larger: milder, and surer. */
#define DXT_MAJOR_SHARE        0.05   /* D [step] lost: major */
#define DXT_CRITICAL_SHARE     0.20   /* D [step] lost: critical */
#define DXT_MAJOR_MULTIPLE     3.0    /* D [ordinary wait] without a clock: major */
#define DXT_CRITICAL_MULTIPLE  10.0   /* D [ordinary wait] without a clock: critical */
#define DXT_LIMIT_ERRORS       4.5    /* B [errors] any limit is worth */
#define DXT_CONFIDENCE_WIDTH   6      /* B [errors squared] 1 - exp(-z*z/this); more: less sure */
#define DXT_SUREST             0.999  /* B [confidence] of any finding */
#define DXT_DOUBTFUL           0.95   /* B [confidence] no clock, of two nodes, or a trace */
#define DXT_SURE_OF_FEW        0.985  /* B [confidence] SURE_RANKS ranks, or operations unknown */
#define DXT_SURE_RANKS         4u     /* B [ranks] that bear out little; more: less sure */
#define DXT_TURNS              10.0   /* C [operations] late in so few each in turn: chance, skew */
#define DXT_TURNS_APART        0.5    /* T [lateness of two] they wait if in turn; more: named */
#define DXT_BORNE_OUT          0.995  /* B [confidence] borne out by other windows */
#define DXT_TRACE              1.5    /* C [finding] size there of what it may be a trace of */
#define DXT_SMALL_NEXT_TO      0.125  /* C [largest] size here of a trace; more: less sure */

/* Windows in their order (src/history/). Larger: told later, but surer. */
#define DXT_HISTORY_SIGNIFICANCE 3.6  /* B [errors] of a mean over windows: noise is known better */
#define DXT_HISTORY_SIGNIFICANCE_PER_DOUBLING 0.15 /* B [errors] more when members double */
#define DXT_FEW_CHANGES        4.0    /* C [1] median of few changes: times 1 + this/number */
#define DXT_HISTORY_UNEVENNESS 0.25   /* R [transfer] pairs differ, over many peers */
#define DXT_HISTORY_UNEVENNESS_OF_FEW 0.5 /* R [transfer] the same of HISTORY_FEW */
#define DXT_HISTORY_FEW        3u     /* C [ranks] without peers to average over */
#define DXT_SPILL              10.0   /* C [lateness] size there of its cause; more: traces */
#define DXT_ESTABLISHED        4u     /* C [windows] that tell noise and what is ordinary */
#define DXT_BASE_WINDOWS       8u     /* C [windows] that make a baseline */
#define DXT_RECENT             8u     /* C [windows] that may bear out; more: more borne out */
#define DXT_STRIKES            2u     /* C [windows] of RECENT; more: fewer are borne out */
#define DXT_UNSUPPORTED        0.98   /* C [confidence] of what is small and alone: below 0.99 */
#define DXT_SHORTEST           3u     /* C [windows] whose mean says anything */
#define DXT_SHOWN_PART         0.75   /* C [windows] with half of a lateness that stays */
#define DXT_OWN_PART_RANKS     64u    /* C [ranks] own part in the rest: made up for */
#define DXT_NO_SUM             1e-6   /* N [sizes] sum told from none (not moved: a guard) */
#define DXT_CELL_WINDOWS       3u     /* C [windows] changes that tell how far cells vary */
#define DXT_CELL_CHANGES       18u    /* C [changes] of cells in them */
#define DXT_SMALLEST_SPREAD    1e-9   /* N [log deviation] 0 is unknown (not moved: a guard) */
#define DXT_PAIR_ERRORS        4.0    /* C [deviations] late, not one early; more: either one */
#define DXT_EPISODE_GAP        8u     /* C [windows] without it: it ends; more: fewer, longer */
#define DXT_STILL_CONFIDENCE   0.95   /* C [confidence] a rank behind takes no part: may wait */
/* clang-format on */

#endif
