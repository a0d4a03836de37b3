/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/polish.h"

bool vfi_polish_rows(VfiSession *session, const VfiView *view, const VfiMotion *found,
                     const VfiFlowField *network, const VfiFrame *out, int begin, int end,
                     GError **error)
{
    VfiMotion motion = *found;

    motion.network = network;
    return vfi_apply_motion(session, view, &motion, out, begin, end, error);
}

/* Both have what they keep of frames and of the pair before either looks at the time: the
 * steps' arena lies behind the network's results, within what it is done with. */
bool vfi_infer_polished(VfiSession *session, const VfiView *view, const VfiFrame *out,
                        GError **error)
{
    VfiRunArguments network;
    VfiFlowArguments steps;
    VfiMotion found;
    int segment = 0;

    if (!vfi_ready_frames(session, view, &network, error) ||
        !vfi_ready_motion(session, view, &steps, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!vfi_run_time_stage(session, view, &network, &segment, error) ||
        !vfi_find_motion(session, &steps, &found, error))
        return false;
    vfi_record_time(session, VFI_TIMED_TIME_STAGE, start);
    start = g_get_monotonic_time();
    VfiFlowField field = vfi_output_field(session, segment);
    if (!vfi_polish_rows(session, view, &found, &field, out, 0, session->video.height,
                         error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}
