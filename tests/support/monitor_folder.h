/* SPDX-License-Identifier: Apache-2.0 */
/* A folder in memory for a store and files that are followed, and a recording to put there. */
#ifndef DXT_TESTS_MONITOR_FOLDER_H
#define DXT_TESTS_MONITOR_FOLDER_H

#include <stddef.h>

#define MONITOR_PATH 128

/** Make an empty folder, in memory where the system has that. @param path Receives it. */
void monitor_folder_make(char path[MONITOR_PATH]);

/** Remove it with what is in it. */
void monitor_folder_remove(const char *path);

/** Remove the files whose name begins so. */
void monitor_folder_clear(const char *path, const char *begin);

void monitor_folder_write(const char *path, const void *data, size_t size);

/** Windows of both operators, of 4 ranks, the third of which is late in dispatch. @return Text to
 *  free(). */
char *monitor_recording(int windows);

#endif
