/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares frames, in the host's memory or the device's. */
#include <vfi/error.h>

#include "session/session_internal.h"

bool vfi_session_check_memory(const VfiSession *session, const VfiFrame *frame,
                              GError **error)
{
    if (frame->memory == VFI_MEMORY_HOST || !session->backend->host_memory)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "the frame is in CUDA memory, and the session computes on the %s",
                session->stats.device);
    return false;
}

bool vfi_session_frames_equal(VfiSession *session, const VfiFrame *a, const VfiFrame *b)
{
    bool equal = false;

    if (a->memory == VFI_MEMORY_HOST && b->memory == VFI_MEMORY_HOST)
        return vfi_pixels_equal(&session->video, a, b);
    return a->memory == b->memory &&
           session->backend->frames_equal(session->device, &session->video, a, b, &equal,
                                          NULL) &&
           equal;
}

gboolean vfi_session_scene_signature(VfiSession *session, const VfiFrame *frame,
                                     VfiSceneSignature *signature, GError **error)
{
    if (!vfi_session_check_memory(session, frame, error))
        return FALSE;
    if (frame->memory != VFI_MEMORY_HOST)
        return session->backend->scene_signature(session->device, &session->video, frame,
                                                 signature, error);
    vfi_scene_signature(&session->video, frame, signature);
    return TRUE;
}

gboolean vfi_session_frames_repeat(VfiSession *session, const VfiFrame *a,
                                   const VfiFrame *b, double threshold, gboolean *repeat,
                                   GError **error)
{
    bool repeats = false;

    *repeat = FALSE;
    if (!vfi_session_check_memory(session, a, error) ||
        !vfi_session_check_memory(session, b, error))
        return FALSE;
    if (a->memory == VFI_MEMORY_HOST && b->memory == VFI_MEMORY_HOST) {
        *repeat = vfi_frames_repeat(&session->video, a, b, threshold);
        return TRUE;
    }
    if (a->memory != b->memory)
        return TRUE;
    if (!session->backend->frames_repeat(session->device, &session->video, a, b,
                                         threshold, &repeats, error))
        return FALSE;
    *repeat = repeats;
    return TRUE;
}
