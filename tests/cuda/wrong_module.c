/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A backend module of another build. */
#include <vfi/export.h>

#include "backend/backend.h"

VFI_API const VfiBackend *vfi_backend_entry(void);

const VfiBackend *vfi_backend_entry(void)
{
    static const VfiBackend backend = {.abi = VFI_BACKEND_ABI + 1, .name = "cuda"};

    return &backend;
}
