/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "family_session.h"

#include <check.h>

#include "frame_volume.h"

VfiSessionConfig family_config(const Clip *clip)
{
    return (VfiSessionConfig){.video = clip->video,
                              .device = test_device(),
                              .threads = 2,
                              .precision = VFI_PRECISION_F32,
                              .feature_storage = VFI_FEATURE_STORAGE_F32};
}

VfiSession *family_session(VfiModel *model, const Clip *clip)
{
    const VfiSessionConfig config = family_config(clip);

    return clip_session(model, &config);
}

VfiSessionStats session_stats(VfiSession *session)
{
    VfiSessionStats stats;

    vfi_session_get_stats(session, &stats);
    return stats;
}

void finish_job(VfiJob *job)
{
    g_autoptr(GError) error = NULL;

    if (!vfi_job_wait(job, &error))
        ck_abort_msg("a job failed: %s", error->message);
    vfi_job_unref(job);
}

void make_picture(VfiPair *pair, double t, const VfiFrame *out)
{
    finish_job(vfi_pair_submit(pair, t, out, NULL));
    vfi_pair_unref(pair);
}

void clip_view(const Reference *reference, Network *network, const Clip *clip, int first,
               Volume *view)
{
    for (int i = 0; i < reference_view_frames(reference); i++) {
        int index = first - reference->frames_before + i;
        view[i] = volume_of_frame(network, &clip->video,
                                  &clip->frames[CLAMP(index, 0, clip->n - 1)]);
    }
}

void compare_with_reference(const Reference *reference, VfiSession *session,
                            const Clip *clip, int first, ReferenceRequest request)
{
    g_autoptr(Network) network = reference_network(reference);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    Volume view[REFERENCE_MAX_VIEW];

    request.codes = clip->video.format == VFI_FORMAT_RGB_F32 ? 0 : 255;
    request.key = (uint64_t)first;
    clip_view(reference, network, clip, first, view);
    make_picture(clip_begin(session, clip, first), request.t, made->frames);
    g_autofree char *problem =
        picture_problem(network, &clip->video, made->frames,
                        reference_picture(reference, network, view, &request),
                        reference_rounds_twice(reference, &request));
    if (problem != NULL)
        ck_abort_msg("%s, %s, pair %d at %g: %s", reference->state_dict,
                     vfi_format_to_string(clip->video.format), first, request.t, problem);
}

void *cancel_in_the_middle(void *user_data)
{
    Cancelling *cancelling = user_data;

    while (session_stats(cancelling->session).work_chunks < 20 &&
           !vfi_job_is_done(cancelling->job))
        g_thread_yield();
    vfi_job_cancel(cancelling->job);
    cancelling->chunks = session_stats(cancelling->session).work_chunks;
    return NULL;
}
