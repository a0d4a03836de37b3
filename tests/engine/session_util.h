/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions whose pictures are compared. */
#pragma once

#include <string.h>

#include <check.h>

#include <vfi/vfi.h>

/* Where sessions run; VFI_TEST_DEVICE has the tests run elsewhere. */
static inline const char *test_device(void)
{
    const char *device = g_getenv("VFI_TEST_DEVICE");

    return device != NULL ? device : "cpu";
}

/* Fails the test instead of returning NULL. */
static inline VfiSession *new_session(VfiModel *model, const VfiSessionConfig *config)
{
    g_autoptr(GError) error = NULL;
    VfiSession *session = vfi_session_new(model, config, &error);

    ck_assert_msg(session != NULL, "%s", error != NULL ? error->message : "");
    return session;
}

/* The in-between of @pair at @t, as a new frame of @video. */
static inline VfiFrame pair_in_between(VfiPair *pair, const VfiVideoInfo *video, double t)
{
    g_autoptr(GError) error = NULL;
    VfiFrame out;

    ck_assert_ptr_nonnull(pair);
    ck_assert(vfi_frame_alloc(&out, video, NULL));
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, t, &out, NULL);
    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
    return out;
}

static inline VfiFrame in_between(VfiSession *session, const VfiVideoInfo *video,
                                  const VfiFrame *a, const VfiFrame *b, double t)
{
    VfiFrame frames[] = {*a, *b};
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);

    return pair_in_between(pair, video, t);
}

/* Whether two frames of @video have the same bits in all three planes. */
static inline bool same_picture(const VfiVideoInfo *video, const VfiFrame *a,
                                const VfiFrame *b)
{
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < vfi_video_info_rows(video, plane); y++)
            if (memcmp(a->data[plane] + y * a->stride[plane],
                       b->data[plane] + y * b->stride[plane],
                       vfi_video_info_row_bytes(video, plane)) != 0)
                return false;
    return true;
}

/* Begins the in-between of @pair at 0.5 in @out, cancels it once @session has done
 * @chunks of work in all, unless it is done by then, and waits for that. */
static inline void cancel_after(VfiSession *session, VfiPair *pair, uint64_t chunks,
                                const VfiFrame *out)
{
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, out, NULL);
    VfiSessionStats stats;

    do
        vfi_session_get_stats(session, &stats);
    while (stats.work_chunks < chunks && !vfi_job_is_done(job));
    vfi_job_cancel(job);
    vfi_job_wait(job, NULL);
}
