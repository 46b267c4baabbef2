/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "options.h"
#include "outcome.h"
#include "part.h"
#include "temporary.h"

/* Values of an option that may be given repeatedly. */
typedef struct list {
    const char **values;
    size_t count;
} list;

struct serve {
    dxt_monitor_options options;
    list hosts, labels;
    int64_t keep_ns;
    double keep_bytes;
    uint32_t open_after[2];
    bool no_listen;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void say(const char *line)
{
    complain("serve", "%s", line);
}

static bool append(list *l, const char *text, char *why, size_t why_size)
{
    const char **grown = realloc(l->values, (l->count + 1) * sizeof *grown);
    if (!grown) {
        snprintf(why, why_size, "out of memory");
        return false;
    }
    l->values = grown;
    l->values[l->count++] = text;
    return true;
}

static bool parse_host(const char *text, void *value, char *why, size_t why_size)
{
    return append(value, text, why, why_size);
}

/* Labels that the metrics have themselves. */
static const char *const own_labels[] = {
    "group", "instance_id", "operator", "rank",     "hostname", "gpu", "UUID",
    "kind",  "source",      "node",     "severity", "version",  "file"};
#define MOST_LABELS 16
#define LONGEST_LABEL 256

static bool is_taken(const list *labels, const char *text, size_t name)
{
    bool taken = strncmp(text, "__", 2) == 0;
    for (size_t i = 0; i < sizeof own_labels / sizeof own_labels[0]; i++)
        taken |= strlen(own_labels[i]) == name && strncmp(own_labels[i], text, name) == 0;
    for (size_t i = 0; i < labels->count; i++)
        taken |= strncmp(labels->values[i], text, name + 1) == 0;
    return taken;
}

/* A label as Prometheus has them. */
static bool parse_label(const char *text, void *value, char *why, size_t why_size)
{
    list *labels = value;
    size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    char printable[LONGEST_LABEL + 1];
    bool good = name > 0 && text[name] == '=' && (text[0] < '0' || text[0] > '9') &&
                strlen(text) <= LONGEST_LABEL && !strpbrk(text + name, "\"\\");
    snprintf(printable, sizeof printable, "%s", text);
    dxt_make_printable(printable);
    if (!good || strcmp(printable, text) != 0) {
        snprintf(why, why_size, "'%.100s' is not NAME=VALUE, of at most %d printable characters",
                 text, LONGEST_LABEL);
        return false;
    }
    if (is_taken(labels, text, name)) {
        snprintf(why, why_size, "'%.*s' is a label already; give each name once", (int)name, text);
        return false;
    }
    if (labels->count == MOST_LABELS) {
        snprintf(why, why_size, "there are more than %d labels, the most", MOST_LABELS);
        return false;
    }
    return append(value, text, why, why_size);
}

static bool parse_open_after(const char *text, void *value, char *why, size_t why_size)
{
    uint32_t *counts = value, k, n;
    int used = 0;
    if (sscanf(text, "%u/%u%n", &k, &n, &used) == 2 && text[used] == '\0' && k >= 1 && k <= n &&
        n <= 32) {
        counts[0] = k;
        counts[1] = n;
        return true;
    }
    snprintf(why, why_size, "'%s' is not COUNT/WINDOWS, such as 2/3 (of at most 32 windows)", text);
    return false;
}

/* "14d", "36h", "90m". */
static bool parse_age(const char *text, void *value, char *why, size_t why_size)
{
    static const struct {
        char letter;
        int64_t s;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    char *end;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end == text || end[0] != units[i].letter || end[1] || !(number > 0 && number < 1e5))
            continue;
        *(int64_t *)value = (int64_t)(number * (double)units[i].s * 1e9);
        return true;
    }
    snprintf(why, why_size, "'%s' is not an age such as 14d, 36h or 90m", text);
    return false;
}

static bool parse_size(const char *text, void *value, char *why, size_t why_size)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
    char *end;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end == text || strcmp(end, units[i].name) != 0 || !(number > 0 && number < 1e6))
            continue;
        *(double *)value = number * units[i].bytes;
        return true;
    }
    snprintf(why, why_size, "'%s' is not a size such as 500MiB or 2GiB", text);
    return false;
}

/* $XDG_STATE_HOME/deepxtrace/serve.db, its folder made. */
static outcome usual_store(char *path, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[960];
    if (state && state[0] == '/')
        snprintf(folder, sizeof folder, "%s", state);
    else if (home && home[0] == '/')
        snprintf(folder, sizeof folder, "%s/.local/state", home);
    else
        return complain("serve", "neither XDG_STATE_HOME nor HOME is set; give --store FILE");
    char made[1000];
    snprintf(made, sizeof made, "%s/deepxtrace", folder);
    for (char *slash = strchr(made + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(made, 0700);
        *slash = '/';
    }
    if (mkdir(made, 0700) != 0 && errno != EEXIST)
        return complain("serve", "%s: %s; give --store FILE", made, strerror(errno));
    snprintf(path, size, "%s/serve.db", made);
    return GO_ON;
}

static outcome run(struct serve *serve, char **inputs, int count)
{
    char path[1024], why[DXT_MONITOR_WHY] = "";
    const char *missing;
    const dxt_monitor_part *part = monitor_find(&missing);
    if (!part) return complain("serve", "%s", missing);
    for (int i = 0; i < count; i++) {
        struct stat info;
        if (stat(inputs[i], &info) != 0)
            return complain("serve", "%s: %s", inputs[i], strerror(errno));
        if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
            return complain("serve", "%s is neither a file nor a folder", inputs[i]);
    }
    dxt_monitor_options *o = &serve->options;
    if (!o->store) {
        outcome result = usual_store(path, sizeof path);
        if (result != GO_ON) return result;
        o->store = path;
    }
    o->inputs = (const char *const *)inputs;
    o->input_count = (size_t)count;
    o->hosts = serve->hosts.values;
    o->host_count = serve->hosts.count;
    o->labels = serve->labels.values;
    o->label_count = serve->labels.count;
    o->keep_ns = serve->keep_ns;
    o->keep_bytes = (int64_t)serve->keep_bytes;
    o->open_count = serve->open_after[0];
    o->open_windows = serve->open_after[1];
    if (o->once) o->listen = NULL;
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    catch_hangup(&action);
    int status = part->serve(o, say, &stopped, why);
    if (status == 0) return EXIT_DONE;
    complain("serve", "%s", why[0] ? why : "out of memory");
    return status == 2 ? EXIT_USAGE : EXIT_FAILED;
}

#define STORE_OPTIONS 6
#define ACCESS_OPTIONS 8

/* What is kept, and what of it is an incident. */
static void store_options(struct serve *serve, cli_option *table)
{
    dxt_monitor_options *o = &serve->options;
    const cli_option options[STORE_OPTIONS] = {
        {.name = "listen",
         .type = OPTION_TEXT,
         .value = &o->listen,
         .argument = "ADDR:PORT",
         .help = "answer on this address and port (127.0.0.1:8899); port 0 takes a free one"},
        {.name = "store",
         .type = OPTION_FILE,
         .value = &o->store,
         .argument = "FILE",
         .help = "keep the database in FILE ($XDG_STATE_HOME/deepxtrace/serve.db)"},
        {.name = "keep",
         .type = OPTION_CUSTOM,
         .value = &serve->keep_ns,
         .argument = "AGE",
         .parse = parse_age,
         .help = "forget windows and closed incidents that are older (14d)"},
        {.name = "keep-size",
         .type = OPTION_CUSTOM,
         .value = &serve->keep_bytes,
         .argument = "SIZE",
         .parse = parse_size,
         .help = "forget the oldest windows above this size (2GiB)"},
        {.name = "open-after",
         .type = OPTION_CUSTOM,
         .value = serve->open_after,
         .argument = "K/N",
         .parse = parse_open_after,
         .help =
             "open an incident after K of N windows that name it, and close it after K of N that do"
             " not (2/3)"},
        {.name = "min-share",
         .type = OPTION_SHARE,
         .value = &o->min_share,
         .argument = "SHARE",
         .help = "report findings from this share of the step on (as recorded, else 1%)"},
    };
    memcpy(table, options, sizeof options);
}

/* Who is answered and told. */
static void access_options(struct serve *serve, cli_option *table)
{
    dxt_monitor_options *o = &serve->options;
    const cli_option options[ACCESS_OPTIONS] = {
        {.name = "token-file",
         .type = OPTION_FILE,
         .value = &o->token_file,
         .argument = "FILE",
         .help = "ask for the token on the first line of FILE"},
        {.name = "open",
         .value = &o->open,
         .help = "answer without a token on an address that others reach"},
        {.name = "allow-host",
         .type = OPTION_CUSTOM,
         .value = &serve->hosts,
         .argument = "NAME",
         .parse = parse_host,
         .help = "answer requests for this host name, too (repeatable)"},
        {.name = "label",
         .type = OPTION_CUSTOM,
         .value = &serve->labels,
         .argument = "KEY=VALUE",
         .parse = parse_label,
         .help = "add a label to every metric (repeatable)"},
        {.name = "webhook-file",
         .type = OPTION_FILE,
         .value = &o->webhook_file,
         .argument = "FILE",
         .help = "post each begin and end of an incident to the URL on the first line of FILE"},
        {.name = "exec",
         .type = OPTION_TEXT,
         .value = &o->command,
         .argument = "CMD",
         .help = "run CMD at each begin and end, with the incident as JSON on its standard input"},
        {.name = "metrics-textfile",
         .type = OPTION_FILE,
         .value = &o->metrics_file,
         .argument = "FILE",
         .help = "keep the metrics in FILE as well, for node_exporter"},
        {.name = "once",
         .value = &o->once,
         .help = "store the windows that are there, then end, without a server"},
    };
    memcpy(table, options, sizeof options);
}

outcome cmd_serve(int argc, char **argv)
{
    struct serve serve = {.options = {.listen = "127.0.0.1:8899"},
                          .keep_ns = INT64_C(14) * 86400 * 1000000000,
                          .keep_bytes = 2 * 0x1p30,
                          .open_after = {2, 3}};
    cli_option options[STORE_OPTIONS + ACCESS_OPTIONS];
    store_options(&serve, options);
    access_options(&serve, options + STORE_OPTIONS);
    const cli_command command = {
        .name = "serve",
        .summary = "Follow recordings and logs: keep history, open incidents, serve metrics and a\n"
                   "page.",
        .operands = "FILE|FOLDER...",
        .min_operands = 1,
        .max_operands = -1,
        .options = options,
        .option_count = STORE_OPTIONS + ACCESS_OPTIONS,
        .notes = "In a folder it follows *.jsonl, and *.log of jobs without a recording, also "
                 "if\n"
                 "they are rotated or packed. It only reads the files; the job does not "
                 "notice.\n"
                 "INT, TERM or HUP end serve; the next start goes on where it ended.\n",
        .examples = "  deepxtrace serve logs/\n"
                    "  deepxtrace serve --listen 0.0.0.0:8899 --token-file token logs/\n"
                    "  deepxtrace serve --exec ./page-somebody logs/\n",
    };
    int count;
    outcome result = command_line(&command, argc, argv, &count);
    if (result == GO_ON) result = run(&serve, argv + 1, count);
    free(serve.hosts.values);
    free(serve.labels.values);
    return result;
}
