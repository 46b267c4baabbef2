/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <deepxtrace/deepxtrace.h>

#include <deepxtrace/ep.h>

#include "commands.h"
#include "device.h"
#include "options.h"
#include "outcome.h"
#include "output.h"

#define MAX_PARTS 16

/** A part that is not the library's own, and what it says of itself. */
struct tool_part {
    const char *name;
    const char *purpose;
    bool available;
    char why[512];
};

/** What the command shows. */
struct info {
    dxt_part parts[MAX_PARTS];
    size_t part_count;
    struct tool_part tool_parts[2];
    uint64_t clock_hz;
    const char *clock;
    double resolution_ns; /**< of CLOCK_MONOTONIC */
    long cores, online;
    unsigned long long shared_bytes, shared_free_bytes;
    const char *vectors;
};

static const char *vector_level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return "AVX-512";
    if (__builtin_cpu_supports("avx2")) return "AVX2";
    if (__builtin_cpu_supports("avx")) return "AVX";
    return "SSE2";
#elif defined(__aarch64__)
    return "NEON";
#else
    return "none known";
#endif
}

static const char *clock_name(void)
{
#if defined(__x86_64__)
    return "time-stamp counter";
#elif defined(__aarch64__)
    return "virtual counter";
#else
    return "CLOCK_MONOTONIC";
#endif
}

/* An engine that is a part says so when it is asked for a size, and touches no device for that. */
static void ask_engine(struct tool_part *part, const char *engine)
{
    const dxt_ep_config config = {.struct_size = sizeof config,
                                  .engine = engine,
                                  .ranks = 2,
                                  .max_tokens = 1,
                                  .hidden = 1024,
                                  .experts = 2,
                                  .max_topk = 1};
    size_t size;
    part->available = dxt_ep_buffer_size(&config, &size) == DXT_OK;
    snprintf(part->why, sizeof part->why, "%s",
             part->available ? "loaded when --engine asks for it" : dxt_ep_error());
}

static void ask_device(struct tool_part *part, const char *name)
{
    const char *why = NULL;
    const device_table *device = device_find(name, &why);
    part->available = device != NULL;
    uint32_t count = device ? device->count() : 0;
    if (count == 0)
        snprintf(part->why, sizeof part->why, "%s", device ? device->error() : why);
    else if (device->describe(0, part->why, sizeof part->why) != 0)
        snprintf(part->why, sizeof part->why, "%s", device->error());
    size_t length = strlen(part->why);
    if (count > 1) snprintf(part->why + length, sizeof part->why - length, "; %u GPUs", count);
}

static void collect(struct info *info)
{
    struct timespec step = {0};
    struct statvfs shared;
    *info = (struct info){.clock = clock_name(), .vectors = vector_level()};
    size_t count = dxt_parts(info->parts, MAX_PARTS);
    info->part_count = count < MAX_PARTS ? count : MAX_PARTS;
    info->tool_parts[0] =
        (struct tool_part){.name = "ep-cuda", .purpose = "dispatch and combine on NVIDIA GPUs"};
    info->tool_parts[1] =
        (struct tool_part){.name = "run-cuda", .purpose = "job and bench on NVIDIA GPUs"};
    ask_engine(&info->tool_parts[0], "cuda");
    ask_device(&info->tool_parts[1], "cuda");
    info->clock_hz = dxt_probe_clock_rate();
    clock_getres(CLOCK_MONOTONIC, &step);
    info->resolution_ns = (double)step.tv_sec * 1e9 + (double)step.tv_nsec;
    info->cores = sysconf(_SC_NPROCESSORS_CONF);
    info->online = sysconf(_SC_NPROCESSORS_ONLN);
    if (statvfs("/dev/shm", &shared) == 0) {
        info->shared_bytes = (unsigned long long)shared.f_blocks * shared.f_frsize;
        info->shared_free_bytes = (unsigned long long)shared.f_bavail * shared.f_frsize;
    }
}

static void print_part(const char *name, const char *purpose, bool available, const char *why)
{
    stdout_printf("part %-9s %s: %s\n  %s\n", name, purpose, available ? "yes" : "no", why);
}

static void print_text(const struct info *info)
{
    stdout_printf("deepxtrace %s (%s, %s)\n", dxt_version(), DXT_BUILD_TYPE, DXT_COMPILER);
    stdout_printf("probe clock    %s, %.6g MHz\n", info->clock, (double)info->clock_hz / 1e6);
    stdout_printf("system clock   CLOCK_MONOTONIC, resolution %.0f ns\n", info->resolution_ns);
    stdout_printf("cores          %ld of %ld online\n", info->online, info->cores);
    stdout_printf("vectors        %s\n", info->vectors);
    stdout_printf("shared memory  %.1f MiB, %.1f MiB free\n", (double)info->shared_bytes / 1048576,
                  (double)info->shared_free_bytes / 1048576);
    for (size_t i = 0; i < info->part_count; i++)
        print_part(info->parts[i].name, info->parts[i].purpose, info->parts[i].available,
                   info->parts[i].why);
    for (size_t i = 0; i < sizeof info->tool_parts / sizeof info->tool_parts[0]; i++) {
        const struct tool_part *part = &info->tool_parts[i];
        print_part(part->name, part->purpose, part->available, part->why);
    }
}

static void add_part(json_t *parts, const char *name, const char *purpose, bool available,
                     const char *why)
{
    json_array_append_new(parts, json_pack("{s:s, s:s, s:b, s:s}", "name", name, "purpose", purpose,
                                           "available", available, "why", why));
}

static json_t *as_json(const struct info *info)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < info->part_count; i++)
        add_part(parts, info->parts[i].name, info->parts[i].purpose, info->parts[i].available,
                 info->parts[i].why);
    for (size_t i = 0; i < sizeof info->tool_parts / sizeof info->tool_parts[0]; i++) {
        const struct tool_part *part = &info->tool_parts[i];
        add_part(parts, part->name, part->purpose, part->available, part->why);
    }
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:f, s:I, s:I, s:s, s:I, s:I, s:o}", "v", 1,
                     "version", dxt_version(), "build_type", DXT_BUILD_TYPE, "compiler",
                     DXT_COMPILER, "probe_clock", info->clock, "probe_clock_hz",
                     (json_int_t)info->clock_hz, "system_clock_resolution_ns", info->resolution_ns,
                     "cores", (json_int_t)info->cores, "cores_online", (json_int_t)info->online,
                     "vectors", info->vectors, "shared_memory_bytes",
                     (json_int_t)info->shared_bytes, "shared_memory_free_bytes",
                     (json_int_t)info->shared_free_bytes, "parts", parts);
}

outcome cmd_info(int argc, char **argv)
{
    bool json = false;
    const cli_option options[] = {
        {.name = "json", .value = &json, .help = "one JSON object instead of text"},
    };
    const cli_command command = {
        .name = "info",
        .summary = "Show this build, the parts it has, and this machine's clocks.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .examples = "  deepxtrace info\n"
                    "  deepxtrace info --json | jq .parts\n",
    };
    int operands;
    outcome status = command_line(&command, argc, argv, &operands);
    if (status != GO_ON) return status;
    struct info info;
    collect(&info);
    if (!json) {
        print_text(&info);
        return EXIT_DONE;
    }
    json_t *root = as_json(&info);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text) {
        complain("info", "%s", dxt_status_string(DXT_ERR_NO_MEMORY));
        return EXIT_FAILED;
    }
    stdout_printf("%s\n", text);
    free(text);
    return EXIT_DONE;
}
