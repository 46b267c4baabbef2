/* SPDX-License-Identifier: Apache-2.0 */
/* A library for the tests of the loader. */
int loader_number(void);

__attribute__((visibility("default"))) int loader_number(void)
{
    return 42;
}
