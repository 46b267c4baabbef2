/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_EP_COMMON_BF16_H
#define DXT_EP_COMMON_BF16_H

/** BF16 without its sign. */
#define DXT_BF16_MAGNITUDE 0x7fffu
/** Magnitude of infinity; what is above is NaN. */
#define DXT_BF16_INFINITY 0x7f80u
#define DXT_BF16_MAX_FINITE 0x7f7fu

#endif
