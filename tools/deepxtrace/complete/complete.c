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
    void (*command)(const char *name);
    void (*option)(const char *command, const cli_option *option);
    void (*done)(void);
    void (*end)(void);
} dialect;

/* Text between single quotes, for a shell in which \' does not work there, less the characters that
 * mean something to zsh's _arguments. */
static void put_quoted(const char *text, const char *without)
{
    for (; *text; text++) {
        if (*text == '\'')
            stdout_printf("'\\''");
        else if (!strchr(without, *text))
            stdout_printf("%c", *text);
    }
}

/* ---- bash ---- */

static void bash_begin(const complete_command *commands, size_t count)
{
    stdout_printf("# bash completion of deepxtrace: source <(deepxtrace completion bash)\n"
                  "_deepxtrace()\n{\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]} options=() choices=() flags=' '\n"
                  "    local previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
                  "    COMPREPLY=()\n"
                  "    if ((COMP_CWORD == 1)); then\n"
                  "        mapfile -t COMPREPLY < <(compgen -W 'help --help --version");
    for (size_t i = 0; i < count; i++) stdout_printf(" %s", commands[i].name);
    stdout_printf("' -- \"$current\")\n        return\n    fi\n"
                  "    case ${COMP_WORDS[1]} in\n");
}

static void bash_command(const char *name)
{
    stdout_printf("    %s)\n        options=(--help)\n", name);
}

static void bash_option(const char *command, const cli_option *option)
{
    (void)command;
    stdout_printf("        options+=(--%s)\n", option->name);
    if (!option->argument) stdout_printf("        flags+='--%s '\n", option->name);
    if (option->type != OPTION_CHOICE) return;
    stdout_printf("        if [[ $previous == --%s ]]; then choices=(", option->name);
    for (size_t i = 0; option->choices[i]; i++)
        stdout_printf("%s%s", i ? " " : "", option->choices[i]);
    stdout_printf("); fi\n");
}

static void bash_done(void)
{
    stdout_printf("        ;;\n");
}

static void bash_end(void)
{
    stdout_printf(
        "    esac\n"
        "    if ((${#choices[@]})); then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"${choices[*]}\" -- \"$current\")\n"
        "    elif [[ $current == -* && ($previous != --* || $flags == *\" $previous \"*) ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"${options[*]}\" -- \"$current\")\n"
        "    elif [[ ${COMP_WORDS[1]} == run && $COMP_CWORD == 2 ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -c -- \"$current\")\n"
        "    else\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
        "    fi\n"
        "}\n"
        "complete -o filenames -F _deepxtrace deepxtrace\n");
}

/* ---- zsh ---- */

static void zsh_begin(const complete_command *commands, size_t count)
{
    stdout_printf("#compdef deepxtrace\n"
                  "# zsh completion of deepxtrace: deepxtrace completion zsh > FOLDER-OF-FPATH/"
                  "_deepxtrace\n"
                  "local -a commands\ncommands=(\n");
    for (size_t i = 0; i < count; i++) {
        stdout_printf("    '%s:", commands[i].name);
        put_quoted(commands[i].summary, "");
        stdout_printf("'\n");
    }
    stdout_printf(")\nif ((CURRENT == 2)); then\n    _describe command commands\n    return\nfi\n"
                  "local command=$words[2]\nshift words\n((CURRENT--))\ncase $command in\n");
}

static void zsh_command(const char *name)
{
    stdout_printf("%s)\n    _arguments '--help[show this and stop]'", name);
}

static void zsh_option(const char *command, const cli_option *option)
{
    (void)command;
    stdout_printf(" \\\n        '*--%s[", option->name);
    put_quoted(option->help ? option->help : "", "[]:\\");
    stdout_printf("]");
    if (option->argument) {
        stdout_printf(":");
        put_quoted(option->argument, ":\\");
        stdout_printf(":");
        if (option->type == OPTION_CHOICE) {
            stdout_printf("(");
            for (size_t i = 0; option->choices[i]; i++)
                stdout_printf("%s%s", i ? " " : "", option->choices[i]);
            stdout_printf(")");
        } else {
            stdout_printf("_files");
        }
    }
    stdout_printf("'");
}

static void zsh_done(void)
{
    stdout_printf(" \\\n        '*:file:_files'\n    ;;\n");
}

static void zsh_end(void)
{
    stdout_printf("esac\n");
}

/* ---- fish ---- */

static void fish_begin(const complete_command *commands, size_t count)
{
    stdout_printf("# fish completion of deepxtrace: deepxtrace completion fish | source\n");
    for (size_t i = 0; i < count; i++) {
        stdout_printf("complete -c deepxtrace -n __fish_use_subcommand -f -a %s -d '",
                      commands[i].name);
        put_quoted(commands[i].summary, "");
        stdout_printf("'\n");
    }
}

static void fish_command(const char *name)
{
    (void)name;
}

static void fish_option(const char *command, const cli_option *option)
{
    stdout_printf("complete -c deepxtrace -n '__fish_seen_subcommand_from %s' -l %s", command,
                  option->name);
    if (option->letter) stdout_printf(" -s %c", option->letter);
    if (option->type == OPTION_CHOICE) {
        stdout_printf(" -x -a '");
        for (size_t i = 0; option->choices[i]; i++)
            stdout_printf("%s%s", i ? " " : "", option->choices[i]);
        stdout_printf("'");
    } else if (option->argument) {
        stdout_printf(" -r");
    }
    stdout_printf(" -d '");
    put_quoted(option->help ? option->help : "", "\\");
    stdout_printf("'\n");
}

static void fish_done(void)
{
}

static const dialect dialects[] = {
    {"bash", bash_begin, bash_command, bash_option, bash_done, bash_end},
    {"zsh", zsh_begin, zsh_command, zsh_option, zsh_done, zsh_end},
    {"fish", fish_begin, fish_command, fish_option, fish_done, fish_done},
};

/* ---- the options of a command ---- */

static void put_table(const cli_command *command, void *context)
{
    const dialect *to = context;
    for (size_t i = 0; i < command->option_count; i++)
        to->option(command->name, &command->options[i]);
}

/* One line of a help: "  --interval SECONDS  between diagnoses". */
static void put_help_line(const dialect *to, const char *command, char *line)
{
    char *name = line + strspn(line, " ");
    if (name == line || strncmp(name, "--", 2) != 0) return;
    name += 2;
    size_t length = strcspn(name, " =\n");
    char *rest = name + length;
    bool takes = (rest[0] == ' ' || rest[0] == '=') && rest[1] && rest[1] != ' ';
    const char *help = strstr(rest, "  ");
    help = help ? help + strspn(help, " ") : "";
    rest[strcspn(rest, "\n")] = '\0';
    if (*rest) *rest = '\0';
    if (length == 0 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != length) return;
    const cli_option option = {.name = name,
                               .argument = takes ? "VALUE" : NULL,
                               .type = takes ? OPTION_TEXT : OPTION_FLAG,
                               .help = help};
    to->option(command, &option);
}

/* What another program has the table of. */
static void put_help(const dialect *to, const char *command)
{
    char self[4096], call[sizeof self + 64], line[512];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0 || memchr(self, '\'', (size_t)length)) return;
    self[length] = '\0';
    snprintf(call, sizeof call, "'%s' %s --help 2> /dev/null < /dev/null", self, command);
    stdout_flush();
    FILE *help = popen(call, "re");
    if (!help) return;
    while (fgets(line, sizeof line, help)) put_help_line(to, command, line);
    pclose(help);
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
        to->command(commands[i].name);
        if (strcmp(commands[i].name, launcher) == 0)
            put_help(to, launcher);
        else
            command_line_look(commands[i].main, commands[i].name, put_table, (void *)to);
        to->done();
    }
    to->end();
    return EXIT_DONE;
}
