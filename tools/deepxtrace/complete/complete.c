/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "output.h"

/* How a shell is told of a command, of each of its options, and of the end of it. */
typedef struct dialect {
    const char *shell;
    void (*begin)(const complete_command *commands, size_t count);
    void (*command)(const cli_command *command);
    void (*option)(const cli_command *command, const cli_option *option);
    void (*done)(const cli_command *command); /* NULL: nothing is told */
    void (*end)(void);                        /* the same */
} dialect;

/* Whose operands are another command line: its table is another program's. */
static bool launches(const cli_command *command)
{
    return command->operands && strcmp(command->operands, "CMD") == 0;
}

static bool takes_files(const cli_command *command)
{
    return command->operands && command->max_operands != 1;
}

static bool takes_file(const cli_option *option)
{
    return option->type == OPTION_FILE ||
           (option->type == OPTION_TEXT &&
            (strstr(option->argument, "FILE") || strstr(option->argument, "FOLDER") ||
             strcmp(option->argument, "CMD") == 0));
}

static void put_words(const char *const *words)
{
    for (size_t i = 0; words[i]; i++) stdout_printf("%s%s", i ? " " : "", words[i]);
}

/* Text between single quotes, for a shell in which \' does not work there. Behind a backslash:
 * characters that mean something to who reads it. */
static void put_quoted(const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            stdout_printf("'\\''");
        else
            stdout_printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

/* ---- bash ---- */

static void bash_begin(const complete_command *commands, size_t count)
{
    stdout_printf("# bash completion of deepxtrace: source <(deepxtrace completion bash)\n"
                  "_deepxtrace()\n{\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]} options=() files= first= launches=\n"
                  "    local commands='");
    for (size_t i = 0; i < count; i++) stdout_printf("%s%s", i ? " " : "", commands[i].name);
    stdout_printf("'\n"
                  "    local -A takes=() # of each option with a value: FILE, or what it may be\n"
                  "    COMPREPLY=()\n"
                  "    if ((COMP_CWORD == 1)); then\n"
                  "        mapfile -t COMPREPLY < <(compgen -W \"help --help --version $commands\" "
                  "-- \"$current\")\n        return\n    fi\n"
                  "    case ${COMP_WORDS[1]} in\n"
                  "    help) first=$commands ;;\n");
}

static void bash_command(const cli_command *command)
{
    stdout_printf("    %s)\n        options=(--help -h)\n", command->name);
    if (command->words) {
        stdout_printf("        first='");
        put_words(command->words);
        stdout_printf("'\n");
    }
    if (takes_files(command)) stdout_printf("        files=yes\n");
    if (launches(command)) stdout_printf("        launches=yes\n");
}

static void bash_option(const cli_command *command, const cli_option *option)
{
    (void)command;
    for (int brief = 0; brief <= (option->letter != 0); brief++) {
        char name[64] = {'-', option->letter};
        if (!brief) snprintf(name, sizeof name, "--%s", option->name);
        stdout_printf("        options+=(%s)\n", name);
        if (!option->argument) continue;
        stdout_printf("        takes[%s]='", name);
        if (takes_file(option))
            stdout_printf("FILE");
        else if (option->choices)
            put_words(option->choices);
        stdout_printf("'\n");
    }
}

static void bash_done(const cli_command *command)
{
    (void)command;
    stdout_printf("        ;;\n");
}

static void bash_end(void)
{
    stdout_printf(
        "    esac\n"
        "    # bash cuts words at = and : too; here they are whole.\n"
        "    local line=() word='' cut=yes value='' operands=0 behind='' i\n"
        "    for ((i = 2; i <= COMP_CWORD; i++)); do\n"
        "        word=${COMP_WORDS[i]}\n"
        "        if [[ $word =~ ^[=:@]+$ ]]; then\n"
        "            if ((i == COMP_CWORD)); then current=; fi\n"
        "            if ((i == 2)); then line+=(''); fi\n"
        "            line[-1]+=$word cut=\n"
        "        elif [[ $cut ]]; then line+=(\"$word\")\n"
        "        else line[-1]+=$word cut=yes; fi\n"
        "    done\n"
        "    word=${line[-1]}\n"
        "    unset 'line[-1]'\n"
        "    for i in \"${line[@]}\"; do\n"
        "        if [[ $value ]]; then value=\n"
        "        elif [[ $i == -- ]]; then behind=yes\n"
        "        elif [[ ! $behind && $i == -?* ]]; then [[ ${takes[$i]+yes} ]] && value=$i\n"
        "        else ((++operands)); if [[ $launches ]]; then behind=yes; fi; fi\n"
        "    done\n"
        "    if [[ ! $value && ! $behind && $word == --*=* ]]; then\n"
        "        value=${word%%%%=*} word=${word#*=}\n"
        "        files= first=${takes[$value]-}\n"
        "    elif [[ $value ]]; then files= first=${takes[$value]}\n"
        "    elif [[ ! $behind && $word == -* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"${options[*]}\" -- \"$word\")\n"
        "        return\n"
        "    elif ((operands)); then\n"
        "        first=\n"
        "        if [[ $launches ]]; then files=yes; fi\n"
        "    elif [[ $launches ]]; then files=command; fi\n"
        "    if [[ $first == FILE ]]; then first= files=yes; fi\n"
        "    mapfile -t COMPREPLY < <(\n"
        "        compgen -W \"$first\" -- \"$word\"\n"
        "        case $files in yes) compgen -f -- \"$word\" ;;\n"
        "        command) compgen -c -- \"$word\"; compgen -f -- \"$word\" ;; esac\n"
        "    )\n"
        "    # What stands before the last = or : is not replaced.\n"
        "    COMPREPLY=(\"${COMPREPLY[@]#\"${word%%\"$current\"}\"}\")\n"
        "}\n"
        "complete -o filenames -F _deepxtrace deepxtrace\n");
}

/* ---- zsh ---- */

static void zsh_begin(const complete_command *commands, size_t count)
{
    stdout_printf("#compdef deepxtrace\n"
                  "# zsh completion of deepxtrace: deepxtrace completion zsh > FOLDER-OF-FPATH/"
                  "_deepxtrace\n"
                  "_deepxtrace() {\n"
                  "local -a commands\ncommands=(\n");
    for (size_t i = 0; i < count; i++) {
        stdout_printf("    '%s:", commands[i].name);
        put_quoted(commands[i].summary, "");
        stdout_printf("'\n");
    }
    stdout_printf(")\nif ((CURRENT == 2)); then\n    _describe command commands\n    return\nfi\n"
                  "shift words\n((CURRENT--))\ncase $words[1] in\n"
                  "help)\n    _describe command commands\n    ;;\n");
}

static void zsh_command(const cli_command *command)
{
    stdout_printf("%s)\n    _arguments -s -S '(-h --help)'{-h,--help}'[show this and stop]'",
                  command->name);
}

static void zsh_value(const cli_option *option)
{
    stdout_printf(":");
    put_quoted(option->argument, ":\\");
    if (option->choices) {
        stdout_printf(":(");
        put_words(option->choices);
        stdout_printf(")");
    } else {
        stdout_printf(takes_file(option) ? ":_files" : ": ");
    }
}

static void zsh_option(const cli_command *command, const cli_option *option)
{
    (void)command;
    for (int brief = 0; brief <= (option->letter != 0); brief++) {
        if (brief)
            stdout_printf(" \\\n        '*-%c%s[", option->letter, option->argument ? "+" : "");
        else
            stdout_printf(" \\\n        '*--%s%s[", option->name, option->argument ? "=" : "");
        put_quoted(option->help ? option->help : "", "[]:\\");
        stdout_printf("]");
        if (option->argument) zsh_value(option);
        stdout_printf("'");
    }
}

static void zsh_done(const cli_command *command)
{
    if (launches(command)) {
        stdout_printf(" \\\n        '(-)*::command:_normal'");
    } else if (command->words) {
        stdout_printf(" \\\n        '1:what:(");
        put_words(command->words);
        stdout_printf(")'");
    }
    if (takes_files(command)) stdout_printf(" \\\n        '*:file:_files'");
    stdout_printf("\n    ;;\n");
}

static void zsh_end(void)
{
    stdout_printf("esac\n}\n"
                  "if [[ $funcstack[1] == _deepxtrace ]]; then _deepxtrace \"$@\"\n"
                  "else compdef _deepxtrace deepxtrace; fi\n");
}

/* ---- fish ---- */

static void fish_begin(const complete_command *commands, size_t count)
{
    stdout_printf(
        "# fish completion of deepxtrace: deepxtrace completion fish | source\n"
        "function __deepxtrace_is\n"
        "    set -l words (commandline -opc)\n"
        "    test (count $words) -ge 2; and test \"$words[2]\" = \"$argv[1]\"\nend\n"
        "function __deepxtrace_first # OPTION-WITH-A-VALUE…: no operand yet\n"
        "    set -l words (commandline -opc)\n"
        "    set -l value\n"
        "    set -e words[1 2]\n"
        "    for word in $words\n"
        "        if set -q value[1]\n            set -e value[1]\n"
        "        else if contains -- $word $argv\n            set value $word\n"
        "        else if not string match -q -- '-*' $word\n            return 1\n"
        "        end\n    end\n"
        "end\n"
        "set -g __deepxtrace_values --= # fish takes its own options first, up to what is none\n"
        "function __deepxtrace_begins\n"
        "    test (count (commandline -opc)) -eq 1\nend\n"
        "complete -c deepxtrace -n __deepxtrace_begins -f -a help -d 'explain a command'\n"
        "complete -c deepxtrace -n '__deepxtrace_is help' -f\n"
        "complete -c deepxtrace -n '__deepxtrace_is help; and __deepxtrace_first' -a '");
    for (size_t i = 0; i < count; i++) stdout_printf("%s%s", i ? " " : "", commands[i].name);
    stdout_printf("'\n");
    for (size_t i = 0; i < count; i++) {
        stdout_printf("complete -c deepxtrace -n __deepxtrace_begins -f -a %s -d '",
                      commands[i].name);
        put_quoted(commands[i].summary, "\\");
        stdout_printf("'\n");
    }
}

static void fish_words(const cli_command *command)
{
    stdout_printf("complete -c deepxtrace -n '__deepxtrace_is %s; and __deepxtrace_first",
                  command->name);
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        if (!option->argument) continue;
        stdout_printf(" --%s", option->name);
        if (option->letter) stdout_printf(" -%c", option->letter);
    }
    stdout_printf("' -a '");
    put_words(command->words);
    stdout_printf("'\n");
}

static void fish_command(const cli_command *command)
{
    bool launcher = launches(command);
    if (launcher || !takes_files(command))
        stdout_printf("complete -c deepxtrace -n '__deepxtrace_is %s' %s\n", command->name,
                      launcher
                          ? "-a '(__fish_complete_subcommand --fcs-skip=2 $__deepxtrace_values)'"
                          : "-f");
    if (command->words) fish_words(command);
}

static void fish_option(const cli_command *command, const cli_option *option)
{
    if (launches(command) && option->argument)
        stdout_printf("set -a __deepxtrace_values --%s\n", option->name);
    stdout_printf("complete -c deepxtrace -n '__deepxtrace_is %s' -l %s", command->name,
                  option->name);
    if (option->letter) stdout_printf(" -s %c", option->letter);
    if (option->argument) stdout_printf(takes_file(option) ? " -r -F" : " -x");
    if (option->choices) {
        stdout_printf(" -a '");
        put_words(option->choices);
        stdout_printf("'");
    }
    stdout_printf(" -d '");
    put_quoted(option->help ? option->help : "", "\\");
    stdout_printf("'\n");
}

static const dialect dialects[] = {
    {"bash", bash_begin, bash_command, bash_option, bash_done, bash_end},
    {"zsh", zsh_begin, zsh_command, zsh_option, zsh_done, zsh_end},
    {"fish", fish_begin, fish_command, fish_option, NULL, NULL},
};

/* ---- the options of a command ---- */

static void put_table(const cli_command *command, void *context)
{
    const dialect *to = context;
    to->command(command);
    for (size_t i = 0; i < command->option_count; i++) to->option(command, &command->options[i]);
    if (to->done) to->done(command);
}

/* An option of a help that is read line by line. */
typedef struct told {
    char name[64], argument[64], help[512];
} told;

static void put_told(const dialect *to, const cli_command *command, told *option)
{
    if (option->name[0])
        to->option(command, &(cli_option){.name = option->name,
                                          .argument = option->argument[0] ? option->argument : NULL,
                                          .type = option->argument[0] ? OPTION_TEXT : OPTION_FLAG,
                                          .help = option->help});
    *option = (told){0};
}

/* One line: "  --interval SECONDS  diagnose at", or with more blanks in front what goes on. */
static void take_help_line(const dialect *to, const cli_command *command, told *option, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    size_t blanks = strspn(line, " "), used = strlen(option->help);
    const char *text = line + blanks;
    if (option->name[0] && blanks > 4 && *text && *text != '-') {
        snprintf(option->help + used, sizeof option->help - used, "%s%s", used ? " " : "", text);
        return;
    }
    put_told(to, command, option);
    if (blanks == 0 || strncmp(text, "--", 2) != 0) return;
    const char *name = text + 2, *rest = name + strspn(name, "abcdefghijklmnopqrstuvwxyz-");
    const char *help = strstr(rest, "  ");
    if (rest == name || (*rest && *rest != ' ')) return;
    snprintf(option->name, sizeof option->name, "%.*s", (int)(rest - name), name);
    if (rest[0] == ' ' && rest[1] != ' ')
        snprintf(option->argument, sizeof option->argument, "%.*s", (int)strcspn(rest + 1, " "),
                 rest + 1);
    if (help) snprintf(option->help, sizeof option->help, "%s", help + strspn(help, " "));
}

/* What another program has the table of. */
static void put_help(const dialect *to, const char *name)
{
    const cli_command command = {.name = name, .operands = "CMD", .max_operands = 1};
    char self[4096], call[sizeof self + 64], line[512];
    to->command(&command);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    FILE *help = NULL;
    if (length > 0 && !memchr(self, '\'', (size_t)length)) {
        self[length] = '\0';
        snprintf(call, sizeof call, "'%s' %s --help 2> /dev/null < /dev/null", self, name);
        stdout_flush();
        help = popen(call, "re");
    }
    told option = {0};
    while (help && fgets(line, sizeof line, help)) take_help_line(to, &command, &option, line);
    put_told(to, &command, &option);
    if (help) pclose(help);
    if (to->done) to->done(&command);
}

outcome complete_write(const char *shell, const complete_command *commands, size_t count,
                       const char *launcher)
{
    const dialect *to = NULL;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
        if (strcmp(dialects[i].shell, shell) == 0) to = &dialects[i];
    if (!to) return EXIT_USAGE;
    to->begin(commands, count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(commands[i].name, launcher) == 0)
            put_help(to, launcher);
        else
            command_line_look(commands[i].main, commands[i].name, put_table, (void *)to);
    }
    if (to->end) to->end();
    return EXIT_DONE;
}
