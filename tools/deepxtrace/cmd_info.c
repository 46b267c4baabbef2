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

#include "commands.h"
#include "options.h"
#include "output.h"

#define MAX_PARTS 16

/** What the command shows. */
struct info {
    dxt_part parts[MAX_PARTS];
    size_t part_count;
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

static void collect(struct info *info)
{
    struct timespec step = {0};
    struct statvfs shared;
    *info = (struct info){.clock = clock_name(), .vectors = vector_level()};
    size_t count = dxt_parts(info->parts, MAX_PARTS);
    info->part_count = count < MAX_PARTS ? count : MAX_PARTS;
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

static void print_text(const struct info *info)
{
    dxt_stdout_printf("deepxtrace %s (%s, %s)\n", dxt_version(), DXT_BUILD_TYPE, DXT_COMPILER);
    dxt_stdout_printf("probe clock    %s, %.6g MHz\n", info->clock, (double)info->clock_hz / 1e6);
    dxt_stdout_printf("system clock   CLOCK_MONOTONIC, resolution %.0f ns\n", info->resolution_ns);
    dxt_stdout_printf("cores          %ld of %ld online\n", info->online, info->cores);
    dxt_stdout_printf("vectors        %s\n", info->vectors);
    dxt_stdout_printf("shared memory  %.1f MiB, %.1f MiB free\n",
                      (double)info->shared_bytes / 1048576,
                      (double)info->shared_free_bytes / 1048576);
    for (size_t i = 0; i < info->part_count; i++) {
        const dxt_part *part = &info->parts[i];
        dxt_stdout_printf("part %-9s %s: %s\n  %s\n", part->name, part->purpose,
                          part->available ? "yes" : "no", part->why);
    }
}

static json_t *as_json(const struct info *info)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < info->part_count; i++)
        json_array_append_new(parts,
                              json_pack("{s:s, s:s, s:b, s:s}", "name", info->parts[i].name,
                                        "purpose", info->parts[i].purpose, "available",
                                        info->parts[i].available, "why", info->parts[i].why));
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:f, s:I, s:I, s:s, s:I, s:I, s:o}", "v", 1,
                     "version", dxt_version(), "build_type", DXT_BUILD_TYPE, "compiler",
                     DXT_COMPILER, "probe_clock", info->clock, "probe_clock_hz",
                     (json_int_t)info->clock_hz, "system_clock_resolution_ns", info->resolution_ns,
                     "cores", (json_int_t)info->cores, "cores_online", (json_int_t)info->online,
                     "vectors", info->vectors, "shared_memory_bytes",
                     (json_int_t)info->shared_bytes, "shared_memory_free_bytes",
                     (json_int_t)info->shared_free_bytes, "parts", parts);
}

int dxt_cmd_info(int argc, char **argv)
{
    bool json = false;
    const dxt_option options[] = {
        {.name = "json", .value = &json, .help = "one JSON object instead of text"},
    };
    const dxt_command command = {
        .name = "info",
        .summary = "Show this build, the parts it has, and this machine's clocks.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .examples = "  deepxtrace info\n"
                    "  deepxtrace info --json | jq .parts\n",
    };
    int operands;
    int status = dxt_command_line(&command, argc, argv, &operands);
    if (status >= 0) return status;
    struct info info;
    collect(&info);
    if (!json) {
        print_text(&info);
        return DXT_EXIT_DONE;
    }
    json_t *root = as_json(&info);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text) {
        dxt_complain("info", "%s", dxt_status_string(DXT_ERR_NO_MEMORY));
        return DXT_EXIT_FAILED;
    }
    dxt_stdout_printf("%s\n", text);
    free(text);
    return DXT_EXIT_DONE;
}
