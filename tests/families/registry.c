/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The families of engine/models/ and the small ones, in place of models/registry.c. */
#include "models/registry.h"

#include "families.h"
#include "weighted_sum.h"

#define ADDRESS(name) &vfi_family_##name,
static const VfiModelFamily *const families[] = {
    &three_frames_family, &three_frames_ahead_family, &four_frames_family,
    &sampler_family,      WEIGHTED_SUM_FAMILIES,      VFI_MODEL_FAMILIES(ADDRESS) NULL,
};

const VfiModelFamily *const *vfi_families(void)
{
    return families;
}
