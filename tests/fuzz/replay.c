/* SPDX-License-Identifier: Apache-2.0 */
/* The seeds of a fuzz target, each once, where there is no fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* @return Whether the file was read. */
static int replay(const char *folder, const char *name)
{
    char path[4096];
    static uint8_t data[1 << 20];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    /* Memory of exactly this size, so that a step beyond its end is seen. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return 0;
    for (size_t i = 0; i < size; i++) copy[i] = data[i];
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 1;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "replay: a folder of seeds is needed\n");
        return 2;
    }
    int seeds = 0;
    const struct dirent *item;
    while ((item = readdir(folder)))
        if (item->d_name[0] != '.') seeds += replay(argv[1], item->d_name);
    closedir(folder);
    printf("%d seeds\n", seeds);
    return seeds > 0 ? 0 : 1;
}
