/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "outcome.h"

/*
 * What the interpreter begins with: argv is the folder that holds the package or nothing, the
 * options of the job, whether INT is held back, and the command line. It is held back until Python
 * has begun, which would answer it with a traceback. The current folder, which Python would look in
 * first, is left out: nobody expects code from there. The package itself is not executed, only its
 * launcher: that needs neither NumPy nor the library.
 */
static const char begin[] =
    "import sys\n"
    "if sys.path[:1] == ['']: del sys.path[0]\n"
    "import signal\n"
    "if signal.getsignal(signal.SIGINT) == signal.default_int_handler:\n"
    "    signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "if sys.argv[3]: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})\n"
    "import importlib.util, types\n"
    "places = [sys.argv[1]]\n"
    "if not sys.argv[1]:\n"
    "    spec = importlib.util.find_spec('deepxtrace')\n"
    "    places = list(spec.submodule_search_locations or []) if spec else []\n"
    "if not places:\n"
    "    print('deepxtrace run: the Python package is not here;',\n"
    "          '`make wheel` in the source tree makes it, then: pip install build/dist/*.whl',\n"
    "          file=sys.stderr)\n"
    "    sys.exit(3)\n"
    "package = sys.modules['deepxtrace'] = types.ModuleType('deepxtrace')\n"
    "package.__path__ = places\n"
    "from deepxtrace.run import main\n"
    "main(sys.argv[4:], sys.argv[2])\n";

/* Where the package may be, seen from the program: in the build tree and where it is installed, and
 * in the wheel, which is the package. */
static const char *const places[] = {"/../share/deepxtrace/python/deepxtrace", "/.."};

/* The folder of the package beside this program; "" if there is none. */
static void find_package(char folder[PATH_MAX])
{
    char program[PATH_MAX], path[2 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    folder[0] = '\0';
    if (length <= 0) return;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash) return;
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s%s/_inject/sitecustomize.py", program, places[i]);
        if (access(path, R_OK) != 0) continue;
        snprintf(path, sizeof path, "%s%s", program, places[i]);
        if (realpath(path, folder)) return;
        folder[0] = '\0';
    }
}

/* @return Whether it was not held back before. */
static bool hold_interrupt(void)
{
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    return sigprocmask(SIG_BLOCK, &set, &before) == 0 && !sigismember(&before, SIGINT);
}

/* Whether the interpreter begins without what PYTHONHOME says, for which one that has been moved
 * has no other. One that is not there is told of later. */
static bool begins_apart(char *python)
{
    char options[] = "-IBc", code[] = "";
    char *const line[] = {python, options, code, NULL};
    posix_spawn_file_actions_t quiet;
    pid_t child;
    int how = 0;
    if (!getenv("PYTHONHOME") || posix_spawn_file_actions_init(&quiet) != 0) return true;
    bool begun = posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0) == 0 &&
                 posix_spawnp(&child, python, &quiet, NULL, line, environ) == 0;
    posix_spawn_file_actions_destroy(&quiet);
    if (!begun) return true;
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR) return true;
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

outcome launch(int argc, char **argv, const char *job_options)
{
    enum { OWN = 7 };
    char folder[PATH_MAX], code[sizeof begin];
    char dash_c[] = "-c", held[] = "held", apart[] = "-IB", as_is[] = "-B";
    const char *given = secure_getenv("DEEPXTRACE_PYTHON");
    char *python = strdup(given && *given ? given : "python3"), *options = strdup(job_options);
    char **line = calloc(OWN + (size_t)argc, sizeof *line);
    if (!python || !options || !line) {
        free(python);
        free(options);
        free(line);
        complain("run", "%s", dxt_status_string(DXT_ERR_NO_MEMORY));
        return EXIT_FAILED;
    }
    find_package(folder);
    memcpy(code, begin, sizeof begin);
    bool isolated = folder[0] && begins_apart(python);
    /* Variables such as PYTHONHOME and PYTHONPATH are for the command's interpreter, which may be
     * another one, if ours needs none; without the folder, PYTHONPATH may be where the package is.
     */
    char *const own[OWN] = {python,
                            isolated ? apart : as_is,
                            dash_c,
                            code,
                            folder,
                            options,
                            hold_interrupt() ? held : held + strlen(held)};
    memcpy(line, own, sizeof own);
    for (int i = 1; i < argc; i++) line[OWN + i - 1] = argv[i];
    execvp(python, line);
    complain("run", "%s %s: the launcher needs Python 3 (DEEPXTRACE_PYTHON names the interpreter)",
             python, errno == ENOENT ? "is not here" : strerror(errno));
    free(python);
    free(options);
    free(line);
    return EXIT_FAILED;
}
