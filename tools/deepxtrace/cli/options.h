/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long options from a table, shared by all commands: one line per option gives its parser, its
 * limits and its help. Understands --name VALUE, --name=VALUE, -l VALUE, -lVALUE, "--", and "-" as
 * an operand; options and operands may be mixed.
 */
#ifndef TOOLS_CLI_OPTIONS_H
#define TOOLS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <deepxtrace/status.h>

#include "complain.h"

/** What an option takes, and the type that cli_option.value points to. */
typedef enum cli_option_type {
    OPTION_FLAG = 0, /**< nothing; bool, set to true */
    OPTION_TEXT,     /**< const char *, points into argv */
    OPTION_FILE,     /**< the same, NULL until given; not more than once */
    OPTION_COUNT,    /**< uint64_t, min … max */
    OPTION_DURATION, /**< int64_t in ns, min … max; "1ms", "50us", "2s", "300ns" */
    OPTION_SHARE,    /**< double, 0 … 1; "1%" or "0.01", from a half on only with % */
    OPTION_NUMBER,   /**< double > 0 */
    OPTION_CHOICE,   /**< int, index into choices */
    OPTION_CUSTOM    /**< whatever parse() makes of it; may be given repeatedly */
} cli_option_type;

/** One option. */
typedef struct cli_option {
    const char *name; /**< without the dashes */
    char letter;      /**< short form; 0 = none */
    cli_option_type type;
    void *value;                /**< changed only when the option is given */
    const char *argument;       /**< name of the argument in the help; NULL for a flag */
    const char *help;           /**< what it does; is wrapped */
    const char *standard;       /**< what it is where it is not given, written as one gives it: read
                                     before the command line, and told in the help; NULL = as
                                     `value` is */
    uint64_t min, max;          /**< counts and durations; max 0 = no limit */
    uint64_t multiple;          /**< counts: only multiples of this; 0 = any; needs a max */
    const char *const *choices; /**< NULL-terminated; of a text, what is offered */
    /** Custom: false with a reason in @p why, e.g. "'9' is not a rank". */
    bool (*parse)(const char *text, void *value, char *why, size_t why_size);
} cli_option;

/** A command: what its help shows and its command line may hold. */
typedef struct cli_command {
    const char *name;               /**< "analyze" */
    const char *summary;            /**< one sentence */
    const char *operands;           /**< "FILE...|-"; NULL = none allowed */
    int min_operands, max_operands; /**< max −1 = any number */
    const char *const *words;       /**< for the first operand, NULL-terminated; NULL = any */
    const cli_option *options;
    size_t option_count;
    const char *notes;    /**< paragraphs behind the options; NULL = none */
    const char *examples; /**< lines, each "  deepxtrace …\n" */
} cli_command;

/* ---- one value; false leaves the value alone and writes the reason, e.g. "'5x' is not a
 *      percentage" ---- */

bool cli_parse_duration(const char *text, int64_t *ns, char *why, size_t why_size);
bool cli_parse_share(const char *text, double *share, char *why, size_t why_size);
bool cli_parse_number(const char *text, double *number, char *why, size_t why_size);
/** @param max  0 = no limit. */
bool cli_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *count, char *why,
                     size_t why_size);
bool cli_parse_choice(const char *text, const char *const *choices, int *choice, char *why,
                      size_t why_size);

/** Cut a text at the first separator. @return false, and nothing changed, if there is none. */
static inline bool cli_cut(char *text, const char *separator, char **rest)
{
    char *at = strstr(text, separator);
    if (!at) return false;
    *at = '\0';
    *rest = at + strlen(separator);
    return true;
}

/** Cut a path in two where its arrow is, either way round: "6->1", "1<-6", or as findings print it,
 *  "6 → 1". @return false when there is none. */
bool cli_cut_path(char *text, char **to, char **from);

/* ---- a command line ---- */

/** What options_parse() came to. */
typedef enum cli_parsed { PARSED = 0, PARSED_HELP = 1, PARSED_BAD = 2 } cli_parsed;

/**
 * Read a command line into the values of the options.
 *
 * @param argv      Operands are moved to argv[1] … argv[*operands].
 * @param operands  Receives their number.
 * @param why       Receives one line on PARSED_BAD, e.g. "--min-share: '5x' is not a
 *                  percentage".
 * @return PARSED_HELP when --help or -h was met; what follows it is not looked at.
 */
cli_parsed options_parse(const cli_command *command, int argc, char **argv, int *operands,
                         char *why, size_t why_size);

/**
 * options_parse() that answers --help on standard output and complains on standard error.
 *
 * @return GO_ON; otherwise the exit status.
 */
outcome command_line(const cli_command *command, int argc, char **argv, int *operands);

/**
 * Look at the table of a command without running it.
 *
 * @param main  The command; it must begin with command_line().
 * @param name  Its name.
 * @param look  Called once, with the table; that is gone when this returns.
 */
void command_line_look(outcome (*main)(int argc, char **argv), const char *name,
                       void (*look)(const cli_command *command, void *context), void *context);

/** Write words as a shell takes them, with blanks between; what does not fit is cut off. */
void command_line_text(int count, char *const *words, char *text, size_t size);

#endif
