/* SPDX-License-Identifier: Apache-2.0 */
/* Panels as a page to look at in a browser. */
#include <deepxtrace/page.h>

#include "render/pictures.h"

dxt_status dxt_write_html(const dxt_job *job)
{
    dxt_page_options options = {.struct_size = sizeof options,
                                .title = job->heading ? job->heading : job->models[0]->title};
    dxt_page *page;
    dxt_status status = dxt_page_create(&options, &page);
    if (status != DXT_OK) return status;
    for (size_t i = 0; status == DXT_OK && i < job->count; i++) {
        const dxt_model *model = job->models[i];
        dxt_page_window window = {.struct_size = sizeof window,
                                  .window = model->window,
                                  .title = model->title,
                                  .caption = model->caption,
                                  .marks = model->marks,
                                  .mark_count = model->mark_count};
        status = dxt_page_add(page, &window);
    }
    if (status == DXT_OK) status = dxt_page_write(page, job->write, job->context);
    dxt_page_free(page);
    return status;
}
