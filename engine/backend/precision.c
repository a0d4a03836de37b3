/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of number formats. */
#include <string.h>

#include <vfi/session.h>

/* The index of @name, or -1. */
static int find_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}

static const char *const precisions[] = {
    [VFI_PRECISION_AUTO] = "auto", [VFI_PRECISION_F32] = "f32",
    [VFI_PRECISION_TF32] = "tf32", [VFI_PRECISION_BF16] = "bf16",
    [VFI_PRECISION_F16] = "f16",
};

const char *vfi_precision_to_string(VfiPrecision precision)
{
    return (unsigned)precision < G_N_ELEMENTS(precisions) ? precisions[precision]
                                                          : "unknown";
}

gboolean vfi_precision_from_string(const char *name, VfiPrecision *precision)
{
    int index = find_name(precisions, G_N_ELEMENTS(precisions), name);

    if (index >= 0)
        *precision = (VfiPrecision)index;
    return index >= 0;
}

static const char *const storages[] = {
    [VFI_FEATURE_STORAGE_AUTO] = "auto",
    [VFI_FEATURE_STORAGE_F32] = "f32",
    [VFI_FEATURE_STORAGE_F16] = "f16",
};

const char *vfi_feature_storage_to_string(VfiFeatureStorage storage)
{
    return (unsigned)storage < G_N_ELEMENTS(storages) ? storages[storage] : "unknown";
}

gboolean vfi_feature_storage_from_string(const char *name, VfiFeatureStorage *storage)
{
    int index = find_name(storages, G_N_ELEMENTS(storages), name);

    if (index >= 0)
        *storage = (VfiFeatureStorage)index;
    return index >= 0;
}
