/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader has under way: a row, windows, a table, an array, a value over several lines. */
#ifndef DXT_MATRIX_PARTS_H
#define DXT_MATRIX_PARTS_H

#include <deepxtrace/matrix.h>

#include "matrix/literal.h"

/** Most windows under way at a time: writers that share a log. */
#define DXT_SHEETS 8
/** Series of numbered windows that are remembered: writer and operator. */
#define DXT_SERIES 64
/** Windows that are remembered because they may come again, from a second handler. */
#define DXT_ECHOES 8

/** Numbers in a text in front of a row that are looked at. */
#define DXT_NUMBERS 16

/** The numbers in such a text, in order; one that is larger is INT32_MAX. */
typedef struct dxt_numbers {
    uint32_t count;
    uint32_t rank; /**< which of them, counted from 1 on, stands behind "rank"; 0: none */
    int32_t values[DXT_NUMBERS];
} dxt_numbers;

/** The line above the first row of a table. */
typedef struct dxt_titles {
    uint32_t counted; /**< columns that it counts, "rank r0 r1 r2" */
    uint32_t cells;   /**< words that it has for columns; 0: it is no heading */
    uint32_t sums;    /**< words behind those that it counts: sums or means of the row */
    bool series;      /**< the first one names a time, a step */
    bool disordered;  /**< the columns that it counts are ranks, and not in order */
    bool swapped;     /**< the awaited rank stands in front of the waiting one */
    bool roles;       /**< the last three are both of them and a wait: lines in any order */
    bool said;        /**< such lines are sentences, and may be none of a matrix */
} dxt_titles;

/** A row of a matrix as it is read; its values are in dxt_reader.row. */
typedef struct dxt_row {
    bool open;       /**< its bracket has not closed */
    bool comma;      /**< a value must follow */
    bool semicolons; /**< they stand between its values */
    bool bracket;    /**< one stands in front of it, or of the rows before it */
    bool named;      /**< it carries its rank */
    bool bare;       /**< without a bracket: the next line may go on with it */
    bool first;      /**< the bracket of the matrix stands in front of it */
    bool last;       /**< it closed behind it */
    bool pure;       /**< nothing stands in front of it */
    bool decimals;   /**< values are in dxt_reader.reals as well */
    uint32_t nans;   /**< values that say "nan"; the first is `nan_at` */
    uint32_t nan_at;
    uint32_t width;      /**< values so far */
    uint32_t parts;      /**< lines before this one that it runs over */
    uint32_t joints;     /**< places between them where a number may be cut in two */
    bool digit;          /**< the newest one ended in a digit */
    uint32_t label;      /**< of the text in front of it */
    uint32_t form;       /**< the same whatever its numbers are */
    int64_t rank;        /**< −1 = the next one */
    uint64_t line;       /**< where it begins */
    dxt_status status;   /**< DXT_OK, or what is wrong with it */
    char why[160];       /**< its reason */
    dxt_numbers numbers; /**< in the text in front of it, where there is no header */
    struct {
        uint32_t lines, width; /**< so many, and the values of the first one */
        uint32_t before;       /**< values before the newest one */
        bool tagged;           /**< the rank stands in front of each */
        bool uneven;           /**< they have not all as many values */
    } part;                    /**< of a bare row */
} dxt_row;

/** A window under way. */
typedef struct dxt_sheet {
    bool used;
    bool headed;          /**< it has a header */
    bool named;           /**< its rows carry their ranks */
    bool lost;            /**< it cannot be read: what follows of it is passed over */
    bool doubled;         /**< its header came twice, so every line will */
    bool skipped;         /**< the second copy of the last row has come */
    bool falls;           /**< its rows came from the last rank to the first, so far */
    bool stays;           /**< it has had a row since another one began */
    bool launched;        /**< its first two rows carried one rank, taken for a launcher's */
    bool mixed;           /**< lost: rows of several writers, and nothing says whose each is */
    bool unsure;          /**< of `mixed`: not each rank in turn since a matrix last began */
    uint32_t own;         /**< of `mixed`: rows with the label of the one that it began with */
    dxt_window *window;   /**< made with the first row; NULL if it is lost */
    uint8_t *missing;     /**< N: the rows that have not come; made with the first one */
    double *reals;        /**< N×N, once there are decimals */
    uint32_t ranks;       /**< N; 0 = as many as the first row has */
    uint32_t count;       /**< rows so far */
    uint32_t nans;        /**< of these, with "nan" for their own rank */
    uint32_t label;       /**< of the text in front of its header, or of its first row */
    bool alike;           /**< without a header: that or nothing stands in front of all its rows */
    uint32_t form;        /**< the same whatever its numbers are */
    uint32_t row_form;    /**< of the text in front of its first row */
    bool row_pure;        /**< there was none */
    int64_t first_rank;   /**< of the first row */
    int64_t last_rank;    /**< of the newest row; −1 = none */
    uint64_t last_line;   /**< where that begins */
    uint64_t line;        /**< of the header, or the first row */
    uint64_t doubt;       /**< of the header, if its rows may be those of the next one: rows stood
                               above it, and nothing before; 0: they are its own */
    uint64_t order;       /**< when it began */
    uint64_t touched;     /**< when the newest row came */
    uint64_t head;        /**< hash of the header's text; 0 = none */
    uint64_t cells;       /**< hash of the rows in the order they came */
    uint64_t tail;        /**< hash of the newest row */
    dxt_numbers *numbers; /**< N: in front of each row; NULL: they differ in more than these */
    char phase[256];
    char *instance;
    char *begin;
} dxt_sheet;

/** In a table: nothing, or "nan", stands in the cell, which must be that of a rank for itself. */
#define DXT_HOLE INT64_MIN
/** The same, with the line that it stands in. */
#define DXT_HOLE_OF(line) (DXT_HOLE + (int64_t)(line))
/** Whether a cell is one. */
#define DXT_IS_HOLE(cell) ((cell) < DXT_HOLE / 2)

/** Between tabs nothing is missing. */
#define DXT_NO_GAP UINT32_MAX

/** Rows of numbers without brackets, of one matrix. */
typedef struct dxt_table {
    int64_t *cells;
    double *reals; /**< the same as real numbers */
    uint32_t width, rows, capacity;
    uint32_t nans, nan_row; /**< rows with "nan" for their own rank; the first */
    uint32_t named;         /**< rows that are row, column and value, as far as they go */
    /** Rows whose cell for themselves, alone, is the smallest: if their ranks stand in front, from
     *  0 or from 1 on; if nothing does. */
    uint32_t own[2], plain;
    uint32_t gap; /**< in its first row; DXT_NO_GAP: there is none */
    bool gaps;    /**< between tabs, nothing is an empty cell, and not a wide column */
    bool ended;   /**< a separator stands behind its first row */
    /** The same as in dxt_cells, of all its rows. */
    uint64_t timed, bare[2], pointed, fractions, proven, whole;
    uint32_t form; /**< of what stands in front of each row; 0: nothing does */
    bool message;  /**< and it is a sentence of somebody */
    bool level;    /**< or ends in the level of a message */
    bool clocked;  /**< a time stands in front of each row; of the first and last, in ms */
    int64_t clock[2];
    bool hours; /**< or may be an hour, unless these are the numbers of lines */
    dxt_titles titles;
    bool holes;           /**< cells are DXT_HOLE */
    bool decimals;        /**< `reals` say more than `cells` */
    bool lost;            /**< it cannot be read: its rows are passed over */
    bool wide;            /**< its columns are printed in blocks below each other, as pandas does */
    bool more;            /**< another block follows */
    bool parted;          /**< more blocks may follow as long as it is not square */
    double scale;         /**< of all values; 0: 1 */
    dxt_numbers *numbers; /**< in the names of its rows; NULL: there are none, or they differ */
    uint32_t noted;       /**< for so many rows there is room */
    bool points, thousands; /**< between tabs, commas are decimal points; they part thousands */
    /** Of lines of two ranks and a wait: commas in a value, "1,234", from and to. */
    uint32_t least_commas, most_commas;
    uint64_t commas_line; /**< the first with one */
    uint32_t group;       /**< what stands behind the last one of the first value … */
    bool groups_differ;   /**< … and something else behind that of another one */
    bool padded;          /**< a group behind one begins with 0 */
    bool heading;         /**< with the next line */
    uint32_t head;        /**< columns that the heading of the block under way has */
    struct {
        int64_t *cells;
        double *reals;
        uint32_t width, rows;
    } left; /**< the blocks before it */
    uint64_t line;
    char phase[256]; /**< dxt_reader.phase at its first row */
} dxt_table;

/** An array as NumPy stores it, under way. */
typedef struct dxt_npy {
    char kind;     /**< i, u or f */
    bool swapped;  /**< the bytes of a value are in the other order */
    bool fortran;  /**< column by column */
    bool flat;     /**< it has one axis */
    uint32_t size; /**< bytes of a value */
    uint32_t ranks;
    uint64_t windows; /**< to come; 0 = no array is under way */
    uint32_t axes;    /**< in front of a matrix's own two; each has `axis` elements */
    int64_t axis[6];
    uint64_t matrices; /**< of the whole array */
} dxt_npy;

/** What stands around a matrix and is no row of it. */
typedef struct dxt_around {
    double factor;   /**< of the matrix that begins or ends; 0: none */
    bool here;       /**< it stands behind one that ends in the line under way */
    uint64_t line;   /**< of it */
    uint64_t told;   /**< of the one that was told of */
    bool outer;      /**< outer keys that were taken for ranks were told of */
    bool tagged;     /**< one rank in front of all rows was told of */
    bool lists;      /**< several lists in a line were told of */
    bool torn;       /**< rows of ranks came in parts that might be matrices */
    uint64_t beside; /**< hash of what was told not to be applied */
    uint64_t counts; /**< the same of what was told to count something other than waits */
    uint64_t other;  /**< line of a heading that names something other than waits; 0: none */
    uint64_t scaled; /**< line of a factor that is not applied; 0: none */
    uint64_t arrow;  /**< line of a pair of ranks with an arrow, "0 -> 1: 5"; 0: none */
    bool pointed;    /**< such arrows were told of */
    bool joined;     /**< commas in the waits of pairs of ranks were told of */
    bool saying;     /**< the row that comes is a sentence or a cell by its ranks */
    bool waits;      /**< a line above names waits, and no numbers stand between */
    uint64_t turned; /**< of words for axes that are turned round; 0: none */
    dxt_text rest;   /**< the line without it */
} dxt_around;

/** A window that is ready to be handed out. */
typedef struct dxt_ready {
    dxt_window *window;
    uint64_t line;
} dxt_ready;

/** Windows that are ready, in order: those before `at` have been handed out. */
typedef struct dxt_queue {
    dxt_ready *windows;
    uint32_t at, end, capacity;
    bool full; /**< there was no room for more, which has been said */
} dxt_queue;

/** A value as JSON or Python writes it that runs over several lines. */
typedef struct dxt_document {
    bool open;
    bool plain;    /**< what is read again was none: it is text */
    int64_t rank;  /**< that stands in front of it; −1: none does */
    uint64_t line; /**< where it begins */
    dxt_literal literal;
    dxt_text text;  /**< so far */
    dxt_text lines; /**< what it holds */
} dxt_document;

#endif
