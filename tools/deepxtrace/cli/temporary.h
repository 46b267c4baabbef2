/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a temporary name, which a signal that ends the command takes along. */
#ifndef TOOLS_CLI_TEMPORARY_H
#define TOOLS_CLI_TEMPORARY_H

/**
 * Make a file that is deleted when INT, TERM, HUP or QUIT ends this process, as long as nobody else
 * handles that signal.
 *
 * @param name  Of the form "…XXXXXX", which becomes its name; must outlive the file's
 *              temporary_forget().
 * @return A descriptor to read and write, closed on exec; -1 with errno.
 *
 * Threads: one.
 */
int temporary_open(char *name);

/**
 * The file has been renamed, and grows: a signal deletes it only as long as it is empty.
 *
 * @param name    As it was.
 * @param target  Must outlive the file's temporary_forget().
 */
void temporary_grows(const char *name, const char *target);

/** The file has been renamed, or is deleted by the caller. Also for a name that is not known. */
void temporary_forget(const char *name);

#endif
