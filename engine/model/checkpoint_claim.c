/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/checkpoint_claim.h"

#include "checkpoint/open.h"
#include "memory/guard.h"

static bool claim(void *data, uint64_t bytes, GError **error)
{
    const uint64_t *headroom = data;
    const VfiMemoryRequest memory = {
        .what = "reading a part of the file",
        .remedy = "a smaller model",
        .host_bytes = bytes,
        .headroom = headroom == NULL ? 0 : *headroom,
    };

    return vfi_memory_claim(&memory, error);
}

static void unclaim(void *data, uint64_t bytes)
{
    (void)data;
    vfi_memory_unclaim(bytes);
}

void vfi_checkpoint_claims(VfiReadHooks *hooks, const uint64_t *headroom)
{
    hooks->claim = claim;
    hooks->unclaim = unclaim;
    hooks->claim_data = (void *)headroom;
}

VfiCheckpoint *vfi_checkpoint_open(const char *path, GError **error)
{
    VfiReadHooks hooks = {.claim = NULL};

    g_return_val_if_fail(path != NULL, NULL);
    vfi_checkpoint_claims(&hooks, NULL);
    return vfi_checkpoint_open_with(path, &hooks, error);
}
