/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void monitor_folder_make(char path[MONITOR_PATH])
{
    snprintf(path, MONITOR_PATH, "%s/dxt-monitor-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(path)) abort();
}

void monitor_folder_clear(const char *path, const char *begin)
{
    char name[512];
    DIR *folder = opendir(path);
    for (struct dirent *d; folder && (d = readdir(folder));) {
        if (d->d_name[0] == '.' || strncmp(d->d_name, begin, strlen(begin)) != 0) continue;
        snprintf(name, sizeof name, "%s/%s", path, d->d_name);
        unlink(name);
    }
    if (folder) closedir(folder);
}

void monitor_folder_remove(const char *path)
{
    monitor_folder_clear(path, "");
    rmdir(path);
}

void monitor_folder_write(const char *path, const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0) abort();
}

static void put_window(FILE *out, const char *phase, int number, int late)
{
    fprintf(out,
            "{\"v\":1,\"phase\":\"%s\",\"ranks\":4,\"window\":%d,\"unit\":\"ns\",\"ops\":100,"
            "\"elapsed_ns\":100000000,\"instance\":\"job\",\"group\":\"ep\",\"hosts\":[\"a\",\"a\","
            "\"b\",\"b\"],\"devices\":[{\"host\":\"a\",\"gpu\":0},{},{\"host\":\"b\",\"gpu\":1,"
            "\"uuid\":\"GPU-2\",\"pid\":7,\"rank\":2},{}],\"wait\":[",
            phase, number);
    for (int i = 0; i < 4; i++) {
        fputs(i ? ",[" : "[", out);
        for (int j = 0; j < 4; j++) {
            int usual_us = i == late ? 100 : 2000 + 97 * ((i + j + number) % 3);
            int wait_us = i == j ? 0 : j == late ? 30000 : usual_us;
            fprintf(out, "%s%d", j ? "," : "", 1000 * wait_us);
        }
        fputc(']', out);
    }
    fputs("]}\n", out);
}

char *monitor_recording(int windows)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) abort();
    for (int w = 0; w < windows; w++) {
        put_window(out, "dispatch", w, 2);
        put_window(out, "combine", w, -1);
    }
    fclose(out);
    return text;
}
