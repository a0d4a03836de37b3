/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps a device open between two sessions. */
#include "backend/backend.h"
#include "session/stages.h"

struct VfiDeviceHold {
    VfiDevice *device;
    const VfiBackend *backend;
};

VfiDeviceHold *vfi_device_hold(const VfiSessionConfig *config, GError **error)
{
    VfiDeviceRequest request = vfi_session_request(config);
    VfiDeviceHold held = {NULL, NULL};

    held.device = vfi_device_open(&request, &held.backend, error);
    return held.device != NULL ? g_memdup2(&held, sizeof held) : NULL;
}

void vfi_device_release(VfiDeviceHold *hold)
{
    if (hold == NULL)
        return;
    hold->backend->close(hold->device);
    g_free(hold);
}
