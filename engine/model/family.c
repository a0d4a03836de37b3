/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/family.h"

#include <string.h>

const VfiModelFamily *vfi_family_find(const char *name)
{
    for (const VfiModelFamily *const *family = vfi_families(); *family != NULL; family++)
        if (strcmp((*family)->name, name) == 0)
            return *family;
    return NULL;
}

const char *const *vfi_family_names(void)
{
    static gsize names; /* a pointer to them, once they are listed */

    if (g_once_init_enter(&names)) {
        GPtrArray *list = g_ptr_array_new();
        for (const VfiModelFamily *const *family = vfi_families(); *family != NULL;
             family++)
            g_ptr_array_add(list, (char *)(*family)->name);
        g_ptr_array_add(list, NULL);
        g_once_init_leave(&names, (gsize)g_ptr_array_free(list, FALSE));
    }
    return (const char *const *)names;
}

int vfi_family_next_segment(const VfiModelFamily *family, const VfiModelSetup *setup,
                            int n_segments, int segment, const float *scalars)
{
    if (family->next_segment != NULL)
        return family->next_segment(setup, segment, scalars);
    return segment + 1 < n_segments ? segment + 1 : -1;
}

const VfiOptionSpec *vfi_family_options(const char *family, size_t *n_options)
{
    const VfiModelFamily *found = vfi_family_find(family);

    *n_options = found == NULL ? 0 : found->n_options;
    return found == NULL ? NULL : found->options;
}

static GVariant *setup_value(const VfiModelSetup *setup, const char *option)
{
    return g_hash_table_lookup(setup->options, option);
}

bool vfi_setup_boolean(const VfiModelSetup *setup, const char *option)
{
    return g_variant_get_boolean(setup_value(setup, option));
}

const char *vfi_setup_string(const VfiModelSetup *setup, const char *option)
{
    return g_variant_get_string(setup_value(setup, option), NULL);
}

unsigned vfi_setup_uint(const VfiModelSetup *setup, const char *option)
{
    return g_variant_get_uint32(setup_value(setup, option));
}

uint64_t vfi_setup_uint64(const VfiModelSetup *setup, const char *option)
{
    return g_variant_get_uint64(setup_value(setup, option));
}

double vfi_setup_double(const VfiModelSetup *setup, const char *option)
{
    return g_variant_get_double(setup_value(setup, option));
}
