/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames and in-betweens of a session whose device has a memory of its own: which frames'
 * planes are there, and where pictures are made. */
#include "pixels/frame_layout.h"
#include "session/session_internal.h"

bool vfi_session_allocate_frame(VfiSession *session, VfiFrame *frame, GError **error)
{
    uint8_t *memory = session->backend->alloc(session->device, session->need.planes_bytes,
                                              "a frame's planes on the device", error);

    *frame = (VfiFrame){.memory = VFI_MEMORY_CUDA};
    if (memory != NULL)
        vfi_frame_lay_out(&session->video, memory, frame);
    return memory != NULL;
}

bool vfi_session_allocate_planes(VfiSession *session, GError **error)
{
    if (session->need.n_planes == 0)
        return true;
    session->n_held = session->need.n_planes - VFI_PICTURES_IN_FLIGHT;
    for (int i = 0; i < session->n_held; i++)
        if (!vfi_session_allocate_frame(session, &session->held[i].planes, error))
            return false;
    for (int i = 0; i < VFI_PICTURES_IN_FLIGHT; i++)
        if (!vfi_session_allocate_frame(session, &session->made[i].planes, error))
            return false;
    return true;
}

void vfi_session_free_planes(VfiSession *session)
{
    for (int i = 0; i < session->n_held; i++)
        session->backend->free(session->device, session->held[i].planes.data[0]);
    for (int i = 0; i < VFI_PICTURES_IN_FLIGHT; i++)
        session->backend->free(session->device, session->made[i].planes.data[0]);
}

static bool is_in_place(const VfiSession *session, const VfiFrame *frame)
{
    return session->backend->host_memory || frame->memory != VFI_MEMORY_HOST;
}

static VfiDevicePlanes *find_held(VfiSession *session, uint64_t key)
{
    for (int i = 0; i < session->n_held; i++)
        if (session->held[i].key == key)
            return &session->held[i];
    return NULL;
}

static bool is_among(const uint64_t *keys, int n_keys, uint64_t key)
{
    bool found = false;

    for (int i = 0; i < n_keys; i++)
        found = found || keys[i] == key;
    return found;
}

/* The least recently used planes, other than those of a frame whose key is among
 * @keep. */
static VfiDevicePlanes *oldest_held(VfiSession *session, const uint64_t *keep, int n_keep)
{
    VfiDevicePlanes *oldest = NULL;

    for (int i = 0; i < session->n_held; i++) {
        VfiDevicePlanes *held = &session->held[i];
        bool is_needed = held->key != 0 && is_among(keep, n_keep, held->key);
        if (!is_needed && (oldest == NULL || held->last_used < oldest->last_used))
            oldest = held;
    }
    return oldest;
}

bool vfi_session_hold_frame(VfiSession *session, const VfiFrame *frame, uint64_t key,
                            const uint64_t *keep, int n_keep, VfiFrame *planes,
                            GError **error)
{
    *planes = *frame;
    if (is_in_place(session, frame))
        return true;
    VfiDevicePlanes *held = find_held(session, key);
    if (held == NULL) {
        held = oldest_held(session, keep, n_keep);
        held->key = 0;
        if (!session->backend->upload(session->device, &session->video, frame,
                                      &held->planes, held->last_picture, error))
            return false;
        held->key = key;
    }
    held->last_used = ++session->held_clock;
    held->last_picture = session->picture;
    *planes = held->planes;
    planes->id = frame->id;
    return true;
}

VfiFrame vfi_session_planes_for(VfiSession *session, const VfiFrame *out)
{
    return is_in_place(session, out)
               ? *out
               : session->made[session->picture % VFI_PICTURES_IN_FLIGHT].planes;
}

bool vfi_session_deliver(VfiSession *session, const VfiFrame *planes, const VfiFrame *out,
                         GError **error)
{
    return is_in_place(session, out) ||
           session->backend->download(session->device, &session->video, planes, out,
                                      error);
}
