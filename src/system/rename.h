/* SPDX-License-Identifier: Apache-2.0 */
/* Another name for a file, for every library and program of this tree. */
#ifndef DXT_SYSTEM_RENAME_H
#define DXT_SYSTEM_RENAME_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * Give a file a name that nothing has, in one step: of two that want it, one gets it. Only a file
 * system that knows neither renameat2() nor hard links leaves a moment in between.
 *
 * @return 0; -1 with errno, EEXIST if something has the name, be it a link to nothing.
 */
static inline int dxt_rename_new(const char *from, const char *to)
{
    struct stat there;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (link(from, to) == 0) return unlink(from);
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS) return -1;
    if (lstat(to, &there) != 0) return rename(from, to);
    errno = EEXIST;
    return -1;
}

#endif
