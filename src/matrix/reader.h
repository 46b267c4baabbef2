/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers share. reader.c hands every line to the reader of its form: JSON lines to
 * read_recording.c, all other text to text.c, which finds headers (header.c), rows in brackets
 * (find_row.c) and tables (listed.c, table.c) in it; rows become windows in sheets.c.
 */
#ifndef DXT_MATRIX_READER_H
#define DXT_MATRIX_READER_H

#include <deepxtrace/matrix.h>

#include "matrix/input.h"
#include "matrix/parts.h"

/* Texts that are unwrapped within each other: of a collector's object, of Docker's, of a value. */
#define DXT_MOST_WRAPS 16

struct dxt_reader {
    dxt_input input;
    dxt_status status;  /**< DXT_OK, or what every further call returns */
    char message[1024]; /**< its text */
    dxt_remark_fn on_remark;
    void *context;
    uint64_t line;   /**< first line of the last window */
    uint64_t handed; /**< windows handed out */
    uint64_t lost;   /**< windows that could not be read, or were left out */
    uint64_t tick;   /**< counts headers and rows */
    bool begun;      /**< the first bytes of the file under way have been looked at */
    bool headers;    /**< there has been a header: this is a log */
    bool above;      /**< the newest row without a header may be the first one of a window */
    bool fell;       /**< and they came from a later rank down to the first */
    bool doubtful;   /**< windows that are ready are held back: their rows may be those of others */
    uint32_t streak; /**< rows since a line named an operator, with the same text in front */
    uint32_t streak_label;
    bool told;        /**< a line has named waits, a matrix or an operator */
    bool surplus;     /**< rows without a header have been told of */
    bool ranked;      /**< whole windows of rows that carry their ranks, without headers, came */
    int64_t launcher; /**< "rankR:" stands in front of every line, whatever the row; −1: no */
    dxt_npy npy;
    char first_loss[1024]; /**< what was said of the first one */
    char clue[384];        /**< what is known about why there is no window */
    char phase[256];       /**< of windows without a header */
    struct {
        double ns;     /**< that a unit has which a heading said; 0: cycles, or nothing was said */
        uint64_t line; /**< of the heading */
        bool phase;    /**< the heading named an operator as well */
        bool value;    /**< it was a name in JSON or Python, not a heading */
        bool told;     /**< a window was read by it, and that was told */
    } said;
    dxt_around around;
    dxt_row rowing; /**< the row under way */
    dxt_sheet sheets[DXT_SHEETS];
    struct {
        uint32_t ranks;
        int64_t rank;  /**< of its last row */
        uint32_t form; /**< of the text in front of its rows */
        bool pure;     /**< there was none */
        uint64_t line; /**< where it began */
    } newest;          /**< the window that was finished last */
    uint64_t tail;     /**< hash of the newest row */
    dxt_table table;
    dxt_queue ready;
    struct {
        uint64_t head, cells;
    } echoes[DXT_ECHOES];
    uint32_t echo;
    struct {
        uint64_t key, used;
        int64_t count;
    } series[DXT_SERIES];
    dxt_text inner; /**< lines that were wrapped in another */
    size_t inner_at;
    uint32_t wraps;      /**< so many texts stood in each other around it */
    dxt_text clean;      /**< the line under way without colours */
    dxt_text cells;      /**< the line of a table without what is drawn around it */
    dxt_text partial[2]; /**< a line that comes in parts, of each stream of a container */
    dxt_text compose[2]; /**< what docker compose puts in front, and a line that may have it */
    enum {
        DXT_NEWLINES_UNKNOWN,
        DXT_NEWLINES_WRITTEN,
        DXT_NEWLINES_LEFT_OUT
    } newlines;        /**< at the end of lines that objects carry */
    uint32_t held;     /**< texts that are held back because that is not known yet */
    dxt_text parts;    /**< of the row under way, where it runs over several lines */
    dxt_text heading;  /**< parts of a header, a line each */
    dxt_text joined;   /**< the whole of it */
    dxt_text unquoted; /**< an object of a field of CSV */
    dxt_text plain;    /**< a row whose values carried their ranks */
    dxt_text unticked; /**< a line without the marks of Markdown */
    uint32_t heading_lines;
    dxt_text listed; /**< a row whose values come one a line, or a line of a table made anew */
    bool listing;    /**< such a row is under way */
    struct {
        int64_t rank;   /**< that its name says; −1: it has none */
        uint32_t count; /**< values so far */
        bool keyed;     /**< they carry ranks */
    } list;
    dxt_text escaped; /**< a line of a mail that comes in parts */
    bool printable;   /**< the text is quoted-printable */
    dxt_document document;
    int64_t row[DXT_MAX_RANKS + 1];
    double reals[DXT_MAX_RANKS + 1];
};

/** One line of a recording. @return DXT_OK; DXT_ERR_FORMAT, DXT_ERR_LIMIT: reported. */
dxt_status dxt_read_recording(dxt_reader *reader, const char *line, size_t size,
                              dxt_window **window);

/* ---- tell.c ---- */

/** dxt_fail() with "FILE:LINE: " of the current line in front. */
dxt_status dxt_reader_fail(const dxt_reader *reader, dxt_status status, const char *format, ...)
    DXT_PRINTF(3, 4);

/**
 * Tell of a window that is left out.
 *
 * @return DXT_OK: go on; @p status, reported, if nobody listens or the listener wants the end.
 */
dxt_status dxt_reader_lose(dxt_reader *reader, dxt_remark kind, dxt_status status, uint64_t line,
                           const char *format, ...) DXT_PRINTF(5, 6);

/** The rows of a window stand above its header, that of @p line, which is the first: tell so, and
 *  leave the rest of the file out. Unless @p sure, it may be so: the last header has no rows.
 *  @return As dxt_reader_lose(). */
dxt_status dxt_reader_backwards(dxt_reader *reader, uint64_t line, bool sure);

/** Have a window handed out; it is taken over. @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_LIMIT:
 *  too many at once. */
dxt_status dxt_reader_give(dxt_reader *reader, dxt_window *window, uint64_t line);

/** Remember why there may be no window, unless something is known already. */
void dxt_reader_hint(dxt_reader *reader, const char *format, ...) DXT_PRINTF(2, 3);

/* ---- unwrap.c: what stands around a line ---- */

/** The line without colours and without what containers write in front; parts of a line are kept
 *  until the last one (before, @p line becomes NULL). @return DXT_OK; DXT_ERR_NO_MEMORY;
 *  DXT_ERR_LIMIT. */
dxt_status dxt_unwrap_text(dxt_reader *reader, const char **line, size_t *size);
/** Leave out "web-1  | " in front of a table. @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_IO. */
dxt_status dxt_skip_compose(dxt_reader *reader, const char **line, size_t *size);
/** Whether a line of JSON is one of a recording. */
bool dxt_is_recording(const char *line, const char *end);
/** Whether a brace begins an object in JSON, and not a Python dictionary or a set of labels. */
bool dxt_is_object(const char *brace, const char *end);
/** Where a recording's object begins in a line of text; NULL if there is none. */
const char *dxt_find_recording(const char *line, const char *end);
/** Add to a part of a line that is kept. @return DXT_OK; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY. */
dxt_status dxt_keep_part(const dxt_reader *reader, dxt_text *kept, const char *at, size_t size);

/* ---- inner.c: text that is carried ---- */

/** Whether a member of this name carries the text of a log. */
bool dxt_carries_text(const char *name, size_t size);
/** Have the lines of a text read next; @p text is taken over. A text among the lines of another is
 *  left alone, so that no text is copied more than once for each depth, and so is one that stands
 *  in DXT_MOST_WRAPS others: whatever a text becomes, a line of the input comes to an end. */
void dxt_serve_inner(dxt_reader *reader, dxt_text *text);

/** Turn the lines of a text round if its rows run from the last rank to the first: services hand
 *  out logs with the newest line first. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_turn_lines(dxt_text *text);
/** Have the parts of a line read next between which a character stands, zero or a carriage return:
 *  not of a line of such a text. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_split_lines(dxt_reader *reader, const char *line, const char *end, char mark);

/** Have several lines in one read next: Python's repr() of a text, with "\\n" in it; lines that end
 *  in a carriage return. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_split_text(dxt_reader *reader, const char *line, const char *end, const char *mark);

/** html.c: have the lines of a line of HTML read next; then @p line is NULL. */
dxt_status dxt_split_html(dxt_reader *reader, const char **line, size_t size);

/* ---- around.c ---- */

/** Take a factor off a line in which a matrix begins or ends, and note words for turned axes. */
dxt_status dxt_look_around(dxt_reader *reader, const char **line, size_t *size);

/* ---- unwrap_json.c: lines that objects carry ---- */

/** Put the text that an object of JSON carries into `inner`, if it does. */
dxt_status dxt_unwrap_json(dxt_reader *reader, const char *line, const char *end);
/** The file ends: have the parts of lines that are kept read next. @return Whether there are any.
 */
bool dxt_serve_parts(dxt_reader *reader);

/* ---- document.c: values over several lines ---- */

/** Whether a line of text begins such a value, or holds a whole one: then @p at is moved to it. */
bool dxt_document_find(dxt_reader *reader, const char **at, const char *end);
/** Take a value that begins, or the whole of it. Text that turns out to be none is read as text.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_LIMIT. */
dxt_status dxt_document_begin(dxt_reader *reader, const char *at, const char *end);
/** The next line of one that is open. */
dxt_status dxt_document_line(dxt_reader *reader, const char *line, size_t size);
/** The file ends. */
dxt_status dxt_document_end(dxt_reader *reader);

/* ---- text.c ---- */

/** A line of text that is no recording. */
dxt_status dxt_text_line(dxt_reader *reader, const char *line, const char *end);
/** The file has ended; @p more: another one follows. */
dxt_status dxt_text_end(dxt_reader *reader, bool more);

/* ---- header.c, phase.c ---- */

bool dxt_is_header(const char *at, const char *end);
/** Begin a window. */
dxt_status dxt_read_header(dxt_reader *reader, const char *at, const char *end);
/** A line with an instance and no matrix ends the window of its writer. */
dxt_status dxt_read_finding(dxt_reader *reader, const char *at, const char *end);
/** Hash of the text in front of a header or row, without times. */
uint32_t dxt_label(const char *at, const char *end);
/** The same for texts that differ in their numbers only. */
uint32_t dxt_form(const char *at, const char *end);
/** The same of what stands in front of a row of a table, a time in brackets with it; not 0. */
uint32_t dxt_tag_form(const char *at, const char *end);
/** Take the operator that a text names, "dispatch" or "combine", for windows without a header. */
void dxt_note_phase(dxt_reader *reader, const char *at, const char *end);

/* ---- said.c ---- */

/** A line of a value in JSON or Python: the unit of time of what follows, or none. It ends no table
 *  but one of another unit. */
#define DXT_UNIT_LINE "#\001"
/** Whether such a line says another unit than holds: @p ns. */
bool dxt_changes_unit(const dxt_reader *reader, const char *line, const char *end, double *ns);
void dxt_say_unit(dxt_reader *reader, double ns);
/** Note the unit of time that a heading says of values below; @p phase: it names an operator. */
void dxt_note_unit(dxt_reader *reader, const char *line, const char *end, bool phase);
/** Turn values without a unit into ns if a heading has said theirs. @p reals  N×N, in the place of
 *  window->wait; NULL: none. */
dxt_status dxt_take_said(dxt_reader *reader, uint64_t line, double *reals, dxt_window *window);

/** Whether a text names one of them. */
bool dxt_names_phase(const char *at, const char *end);
/** The operator of a line that heads its matrix, "combine waits:"; NULL: it is none.
 *  @param begin  Receives where the heading begins, behind what stands in front; may be NULL. */
const char *dxt_heads_phase(const char *at, const char *end, const char **begin);

/* ---- wrapped.c: lines that were wrapped ---- */

/** Keep a part of a header. @p whole: it is complete, and in dxt_reader.joined.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_header_part(dxt_reader *reader, const char *line, const char *end, bool *whole);
/** Keep a part of the row under way; its line ends at @p line_end. */
void dxt_row_part(dxt_reader *reader, const char *from, const char *to, const char *line_end);
/** The row goes on at @p at of a line: where the part before ended, a number may be cut. */
void dxt_row_joint(dxt_reader *reader, const char *line, const char *at, const char *end);
/** The row is whole: put numbers together that were cut, if its window wants that, and spoil it
 *  where nothing tells. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_row_unwrap(dxt_reader *reader);

/* ---- find_row.c ---- */

/** Where a row or the rest of one begins in a line. */
typedef struct dxt_found {
    const char *begin;    /**< of the word "rank", or as `at` */
    const char *at, *end; /**< numbers and brackets */
    bool named, bracket;
    int64_t rank;
    bool pure;            /**< nothing stands in front of it; as the next two for dxt_text_line() */
    uint32_t label, form; /**< of what stands there */
    const char *line, *line_end;
    dxt_numbers numbers;
} dxt_found;

/** blocks.c: whether "rank3  1 2" is a part of a row of a table whose columns are printed in
 *  blocks: nothing else stands in front, it has as many values as the block has columns, with or
 *  without one for the rows, and the block is not full. */
bool dxt_table_has_part(const dxt_reader *reader, const char *line, const dxt_found *found);

/** Find a row: "rank=R [ … ]", "rank R: 1 2 3", "[ … ]", "tensor([[ … ". */
bool dxt_find_row(const char *line, const char *end, dxt_found *found);
/** Find nothing but numbers and brackets at the end of a line: the rest of a row that is open. */
bool dxt_find_rest(const char *line, const char *end, dxt_found *found);

/** cells.c: whether all commas stand between groups of three digits, in two words or in one of
 *  three that are numbers. */
bool dxt_parts_thousands(const char *at, const char *end);
/** In front of "tensor(" or "array(", if the text ends so, which is part of the print. */
const char *dxt_before_call(const char *from, const char *end);
/** "1,234  56,789" without commas that part thousands. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_join_thousands(dxt_reader *reader, const char **at, const char **end);
/** rows.c: have the row under way as real numbers as well. */
void dxt_row_reals(dxt_reader *reader);
/** Put the finished row where it belongs. */
dxt_status dxt_sheet_row(dxt_reader *reader);
/** A row follows: the matrix of rows without ranks that is whole is no header's. @return As
 *  dxt_sheet_end(). */
dxt_status dxt_sheets_whole(dxt_reader *reader);
/** The heading of operator @p phase stands above rows without one of their own: the rows so far
 *  that are no whole matrix have ended; those that carry their ranks, if they are another's.
 *  NULL: nothing is done. @return As dxt_sheet_end(). */
dxt_status dxt_sheets_stale(dxt_reader *reader, const char *phase);
/* ---- placed.c: rows whose rank stands in the text in front of them ---- */

/** The numbers in a text. */
void dxt_take_numbers(dxt_numbers *numbers, const char *at, const char *end);
/** Keep those of a row that is about to be added. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_sheet_note(dxt_sheet *sheet, const dxt_row *row);
/** All rows are there: put each where its rank belongs, if a number in front of it is its rank.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_sheet_place(dxt_reader *reader, dxt_sheet *sheet);
/** Keep the numbers in the name of a row that is about to be added; there is room for it. */
dxt_status dxt_table_note(dxt_table *table, const dxt_numbers *numbers);
/** Whether a number in front of each row is its rank, and that in front of the next one may be. */
bool dxt_table_ranked(const dxt_table *table, const dxt_numbers *next);
/** Put the rows of the table's matrix where their names, or a column of numbers in front, say. */
dxt_status dxt_table_place(dxt_reader *reader, uint32_t ranks, uint32_t column, uint32_t row,
                           int64_t *wait, double *reals);

/* ---- sheets.c: windows that grow row by row ---- */

/** A sheet without rows; the oldest one is finished if there is no room. NULL: see @p status. */
dxt_sheet *dxt_sheet_begin(dxt_reader *reader, dxt_status *status);
/** Memory for one more row; a lost window has no cells. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_sheet_room(dxt_sheet *sheet, const dxt_row *row);
void dxt_sheet_free_cells(dxt_sheet *sheet);
/** Keep one row, that of @p from, as that of @p to; all others are missing and hold zeros. */
void dxt_sheet_keep_row(dxt_sheet *sheet, uint32_t from, uint32_t to);
/** All its rows are there, or as many as there will be: number it and hand it out. */
dxt_status dxt_sheet_give(dxt_reader *reader, dxt_sheet *sheet);
/** Its writer goes on to something else: hand it out, or tell why not. */
dxt_status dxt_sheet_end(dxt_reader *reader, dxt_sheet *sheet);
/** The input ends, @p torn: within a row: hand it out if its last rows are there. */
dxt_status dxt_sheet_cut(dxt_reader *reader, dxt_sheet *sheet, bool torn);
void dxt_sheet_drop(dxt_sheet *sheet);
/** The only row of a window names a rank beyond its size. */
dxt_status dxt_lose_beyond(dxt_reader *reader, const dxt_sheet *sheet);
/** Make whole numbers of N×N decimals, the waits of @p window; its missing rows are passed over. */
dxt_status dxt_round(dxt_reader *reader, uint64_t line, const double *reals, dxt_window *window);
/** Number and hand out a window of text. */
dxt_status dxt_give_text(dxt_reader *reader, dxt_window *window, uint64_t line);
/** FNV-1a. */
uint64_t dxt_hash(uint64_t hash, const void *bytes, size_t size);
#define DXT_HASH_SEED UINT64_C(1469598103934665603)

#define DXT_WHAT_IS_READ                                                                 \
    "what is read: recordings (JSON Lines with \"v\", \"phase\", \"ranks\", \"wait\"), " \
    "logs of a diagnosis, and matrices as text or .npy"

#define DXT_SHORTENED                                       \
    "the print is shortened (\"...\"); to print it whole: " \
    "numpy.set_printoptions(threshold=sys.maxsize) or torch.set_printoptions(profile=\"full\")"

/* ---- table.c ---- */

/** A line of a table: a row of numbers, a heading, a blank line or something else. */
dxt_status dxt_table_line(dxt_reader *reader, const char *line, const char *end);
/** Whether a line is nothing but what stands in front of the rows of the table under way. */
bool dxt_table_is_tag(const dxt_reader *reader, const char *line, const char *end);
/** Hand out the table under way if it is a matrix as it is; else it goes on. */
dxt_status dxt_table_close(dxt_reader *reader);

/* ---- table_end.c ---- */

/** Make room for one more row. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_table_grow(dxt_table *table);
/** Nothing follows the rows so far; @p cut: because the file ends. */
dxt_status dxt_table_end(dxt_reader *reader, bool cut);
void dxt_table_drop(dxt_table *table);

/* ---- blocks.c: tables whose columns are printed in blocks ---- */

/** The block under way has ended: it stands behind those before it, and is the table itself once
 *  no other follows. */
dxt_status dxt_table_join(dxt_table *table);

/** Make room for the values of so many cells, which the caller frees: whole and real numbers.
 *  @return DXT_OK or DXT_ERR_NO_MEMORY. */
dxt_status dxt_table_values(size_t count, int64_t **cells, double **reals);

/* ---- listed.c ---- */

/** The row of a list in YAML that is under way is complete. */
dxt_status dxt_end_listed(dxt_reader *reader);

/* ---- escapes.c ---- */

/** Have the lines read that syslog ("#012") or quoted-printable text of a mail hold.
 *  @p line: NULL where there is nothing yet. @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_LIMIT. */
dxt_status dxt_unescape(dxt_reader *reader, const char **line, size_t *size);

/* ---- read_npy.c ---- */

bool dxt_is_npy(const char *bytes, size_t size);
/** The head of an array as NumPy stores it. */
dxt_status dxt_npy_begin(dxt_reader *reader);
/** One window of it. */
dxt_status dxt_npy_next(dxt_reader *reader);

/* ---- guess.c ---- */

/** What a file looks like that is none of ours, by its first bytes; NULL: nothing in particular. */
const char *dxt_guess(const char *bytes, size_t size);

#endif
