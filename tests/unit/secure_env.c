/* SPDX-License-Identifier: Apache-2.0 */
/* secure_env.sh runs this with and without raised privileges: which settings of the environment are
 * taken. It prints a line of three words: "secure" or "plain", the part's number or "none", and the
 * MPI or "none". */
#include <stdio.h>
#include <sys/auxv.h>

#include "system/loader.h"

int main(void)
{
    char why[DXT_LOADER_WHY_SIZE];
    int (*number)(void) = NULL;
    void *library = dxt_load_part("test", NULL, NULL, NULL, why, sizeof why);
    if (library) dxt_part_symbol(library, "loader_number", &number);
    const char *mpi = dxt_which_mpi(why, sizeof why);
    printf("%s ", getauxval(AT_SECURE) ? "secure" : "plain");
    if (number)
        printf("%d", number());
    else
        printf("none");
    printf(" %s\n", mpi ? mpi : "none");
    return 0;
}
