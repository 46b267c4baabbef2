/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "complain.h"
#include "files.h"

bool file_has_ending(const char *path, const char *const *endings)
{
    const char *dot = strrchr(path, '.');
    for (; dot && *endings; endings++)
        if (strcasecmp(dot, *endings) == 0) return true;
    return false;
}

/* Whether something lies behind other operands that is to be written, or that is not there. */
static outcome look_at(const char *command, const char *path, const char *const *written)
{
    static const char *const pages[] = {".html", NULL};
    if (*path == '\0' || strcmp(path, "-") == 0) return GO_ON;
    bool there = access(path, F_OK) == 0;
    int why = errno;
    /* A page may be there to be read. */
    if (written && file_has_ending(path, written) && !(there && file_has_ending(path, pages)))
        return complain(command, "%s is no file to read; to write it: -o %s", path, path);
    return there ? GO_ON : complain(command, "%s: %s", path, strerror(why));
}

outcome files_find_one(const char *command, char **operands, size_t count,
                       const char *const *written, file_groups *groups)
{
    outcome looked = GO_ON;
    for (size_t i = 0; i < count && count > 1 && looked == GO_ON; i++)
        looked = look_at(command, operands[i], i ? written : NULL);
    if (looked != GO_ON) return looked;
    outcome result = files_find(command, operands, count, groups);
    if (result != GO_ON || groups->count == 1) return result;
    return complain(command, "%s and %s are two logs; name one of them", groups->groups[0].name,
                    groups->groups[1].name);
}
