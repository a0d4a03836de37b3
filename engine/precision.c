/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of precisions. */
#include <string.h>

#include <vfi/session.h>

static const char *const names[] = {
    [VFI_PRECISION_AUTO] = "auto", [VFI_PRECISION_F32] = "f32",
    [VFI_PRECISION_TF32] = "tf32", [VFI_PRECISION_BF16] = "bf16",
    [VFI_PRECISION_F16] = "f16",
};

const char *vfi_precision_to_string(VfiPrecision precision)
{
    return (unsigned)precision < G_N_ELEMENTS(names) ? names[precision] : "unknown";
}

gboolean vfi_precision_from_string(const char *name, VfiPrecision *precision)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *precision = (VfiPrecision)i;
            return TRUE;
        }
    }
    return FALSE;
}
