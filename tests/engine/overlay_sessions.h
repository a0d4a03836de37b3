/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that keep what lies over a video, and their pictures. */
#pragma once

#include <vfi/vfi.h>

#include "check_main.h"
#include "pixels_frames.h"
#include "session_util.h"

static inline VfiModel *open_flow(const char *quality)
{
    g_autofree char *options = g_strdup_printf("{'quality': <'%s'>}", quality);
    VfiModel *model = vfi_model_open("flow", g_variant_new_parsed(options), NULL);

    ck_assert_ptr_nonnull(model);
    return model;
}

static inline void make(VfiSession *session, const TestFrame *a, const TestFrame *b,
                        double t, const VfiRectangle *regions, size_t n_regions,
                        const TestFrame *out)
{
    VfiFrame frames[] = {a->frame, b->frame};
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
    ck_assert(vfi_pair_keep_regions(pair, regions, n_regions, NULL));
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, t, &out->frame, NULL);

    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
}

static inline uint64_t count_overlays(VfiSession *session)
{
    VfiSessionStats stats;

    vfi_session_get_stats(session, &stats);
    return stats.with_overlays;
}

static inline bool same(const TestFrame *a, const TestFrame *b)
{
    return same_picture(&a->info, &a->frame, &b->frame);
}
