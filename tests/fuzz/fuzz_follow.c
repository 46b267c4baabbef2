/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are followed: the first byte says how it is called, the rest is in it. A failure of
 * the file is none of the monitor. */
#include "monitor_serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a.jsonl",  "a.log",       "a.jsonl.1.gz",
                                        "a.log.gz", "a.jsonl.zst", "a.log.zst"};
    char why[DXT_MONITOR_WHY];
    begin_folder();
    if (size == 0) return 0;
    put(names[data[0] % (sizeof names / sizeof names[0])], data + 1, size - 1);
    if (follow(why) != 0) abort();
    monitor_folder_clear(folder, "");
    return 0;
}
