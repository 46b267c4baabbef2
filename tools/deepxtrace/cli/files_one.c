/* SPDX-License-Identifier: Apache-2.0 */
#include "complain.h"
#include "files.h"

outcome files_find_one(const char *command, char **operands, size_t count, file_groups *groups)
{
    outcome result = files_find(command, operands, count, groups);
    if (result != GO_ON || groups->count == 1) return result;
    return complain(command, "%s and %s are two logs; name one of them", groups->groups[0].name,
                    groups->groups[1].name);
}
