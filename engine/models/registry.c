/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "models/registry.h"

#define ADDRESS(name) &vfi_family_##name,
static const VfiModelFamily *const families[] = {VFI_MODEL_FAMILIES(ADDRESS) NULL};

const VfiModelFamily *const *vfi_families(void)
{
    return families;
}
