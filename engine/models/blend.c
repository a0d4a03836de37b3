/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The family without weights: every in-between is the linear blend of its two frames, in
 * integers, the same bits everywhere. The reference and the model that tests use. */
#include "models/registry.h"

static VfiOutputKind blend_output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_BLEND;
}

const VfiModelFamily vfi_family_blend = {
    .name = "blend",
    .output = blend_output,
};
