/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/deepxtrace.h>

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

/* The build's version and the header's are written in two places; this keeps them one. */
_Static_assert(sizeof DXT_VERSION_TEXT ==
                   sizeof VERSION(DXT_VERSION_MAJOR, DXT_VERSION_MINOR, DXT_VERSION_PATCH),
               "CMakeLists.txt and deepxtrace.h disagree about the version");

const char *dxt_version(void)
{
    return VERSION(DXT_VERSION_MAJOR, DXT_VERSION_MINOR, DXT_VERSION_PATCH);
}
