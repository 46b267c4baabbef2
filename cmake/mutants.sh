#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mutants.sh TUNING.H FOLDER: make of each number of the header a variable that the environment sets,
# DXT_MUTANT="NAME=VALUE", for scripts/mutants.sh. FOLDER receives analysis/tuning.h, to be found
# before the real one, and mutants.c. Sizes of memory stay as they are.
set -eu
mkdir -p "$2/analysis"
awk -v source="$2/mutants.c" '
/---- sizes ----/ { sizes = 1 }
/---- end of sizes ----/ { sizes = 0 }
!sizes && /^#define DXT_[A-Z0-9_]+ +[0-9]/ {
    type = $3 ~ /[.e]/ ? "double" : $3 ~ /u$/ ? "unsigned" : "int"
    print "extern " type " mutant_" $2 ";"
    print "#define " $2 " mutant_" $2
    definitions = definitions type " mutant_" $2 " = " $3 ";\n"
    choices = choices "    if (is(name, size, \"" $2 "\")) mutant_" $2 " = (" type ")value;\n"
    next
}
/^#define DXT_ANALYSIS_TUNING_H/ { print; print "#include <stddef.h>"; next }
{ print }
END {
    print "#include <stdlib.h>\n#include <string.h>\n" > source
    print definitions > source
    print "static int is(const char *name, size_t size, const char *known)\n{" > source
    print "    return strlen(known) == size && strncmp(name, known, size) == 0;\n}\n" > source
    print "__attribute__((constructor)) static void mutate(void)\n{" > source
    print "    const char *name = getenv(\"DXT_MUTANT\"), *end = name ? strchr(name, (int)61) : NULL;" > source
    print "    if (!end) return;\n    size_t size = (size_t)(end - name);" > source
    print "    double value = strtod(end + 1, NULL);\n" choices "}" > source
}' "$1" > "$2/analysis/tuning.h"
