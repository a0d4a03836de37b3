/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of model families. A new family is a file of its own in this folder that
 * defines vfi_family_NAME, and one row here. */
#pragma once

#include "model/family.h"

/* In the order in which checkpoints are shown to them and messages name them. */
#define VFI_MODEL_FAMILIES(X)                                                            \
    X(blend)                                                                             \
    X(flow)                                                                              \
    X(rife)                                                                              \
    X(ifrnet)                                                                            \
    X(film)                                                                              \
    X(tlbvfi)

#define VFI_DECLARE_FAMILY(name) extern const VfiModelFamily vfi_family_##name;
VFI_MODEL_FAMILIES(VFI_DECLARE_FAMILY)
#undef VFI_DECLARE_FAMILY
