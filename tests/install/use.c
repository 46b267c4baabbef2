/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's program: everything by <deepxtrace/…> and pkg-config. Prints the version. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

#define RANKS 8u

/* Everybody waits for rank 2: the rule must name its column and nothing else. */
static int names_the_late_rank(void)
{
    dxt_analysis_options options = {.struct_size = sizeof options, .method = DXT_METHOD_RATIO};
    dxt_window *window = NULL;
    dxt_findings *findings = NULL;
    if (dxt_window_create(RANKS, "dispatch", &window) != DXT_OK) return 0;
    for (uint32_t row = 0; row < RANKS; row++)
        for (uint32_t column = 0; column < RANKS; column++)
            window->wait[row * RANKS + column] = column == 2 ? 90000 : 1000;
    int right = dxt_analyze(window, &options, &findings) == DXT_OK && findings->col_count == 1 &&
                findings->cols[0].rank == 2 && findings->row_count == 0;
    dxt_findings_free(findings);
    dxt_window_free(window);
    return right;
}

/* What is installed in @p folder must also be what is loaded. */
static int parts_are_found(const char *folder)
{
    dxt_part parts[16];
    char path[4096];
    size_t count = dxt_parts(parts, 16);
    for (size_t i = 0; i < count && i < 16; i++) {
        snprintf(path, sizeof path, "%s/libdeepxtrace-%s.so.0", folder, parts[i].name);
        if (access(path, R_OK) != 0) continue;
        if (!parts[i].available || strcmp(parts[i].why, path) != 0) {
            fprintf(stderr, "%s: %s\n", path, parts[i].why);
            return 0;
        }
    }
    return count > 0;
}

int main(int argc, char **argv)
{
    if (argc != 2 || !names_the_late_rank() || !parts_are_found(argv[1])) {
        fprintf(stderr, "%s\n", dxt_error());
        return 1;
    }
    puts(dxt_version());
    return 0;
}
