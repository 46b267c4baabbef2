/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "files.h"

bool file_has_ending(const char *path, const char *const *endings)
{
    const char *dot = strrchr(path, '.');
    for (; dot && *endings; endings++)
        if (strcmp(dot, *endings) == 0) return true;
    return false;
}

/* Whether an operand is what is to be written: a picture, or no file that there is. */
static bool is_output(const char *path)
{
    static const char *const pictures[] = {".svg", ".png", ".pdf", NULL};
    return strcmp(path, "-") != 0 && (access(path, F_OK) != 0 || file_has_ending(path, pictures));
}

outcome files_find_one(const char *command, char **operands, size_t count, file_groups *groups)
{
    if (count > 1 && is_output(operands[count - 1]))
        return complain(command, "%s is no file to read; to write it: -o %s", operands[count - 1],
                        operands[count - 1]);
    outcome result = files_find(command, operands, count, groups);
    if (result != GO_ON || groups->count == 1) return result;
    return complain(command, "%s and %s are two logs; name one of them", groups->groups[0].name,
                    groups->groups[1].name);
}
