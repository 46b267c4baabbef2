/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

const char *dxt_status_string(dxt_status status)
{
    switch (status) {
    case DXT_OK: return "done";
    case DXT_END: return "nothing more";
    case DXT_AGAIN: return "not there yet";
    case DXT_ERR_INVALID: return "invalid argument";
    case DXT_ERR_NO_MEMORY: return "out of memory";
    case DXT_ERR_LIMIT: return "above a limit";
    case DXT_ERR_IO: return "input/output failed";
    case DXT_ERR_FORMAT: return "malformed input";
    case DXT_ERR_UNSUPPORTED: return "not supported here";
    case DXT_ERR_TIMEOUT: return "timed out";
    case DXT_ERR_MASKED: return "the group went on without this rank";
    case DXT_ERR_STATE: return "call out of order";
    }
    return "unknown status";
}
