/* SPDX-License-Identifier: Apache-2.0 */
/* The page itself, as cmake/DxtPage.cmake puts it together; between two pieces goes what differs
 * from page to page. */
#ifndef DXT_RENDER_PAGE_SOURCE_H
#define DXT_RENDER_PAGE_SOURCE_H

/** To the begin of the policy, to the begin of the title, to the data, to the end. */
extern const char dxt_page_source_head[], dxt_page_source_title[], dxt_page_source_body[],
    dxt_page_source_tail[];
/** Content-Security-Policy with the hashes of script and style. */
extern const char dxt_page_source_policy[];

#endif
