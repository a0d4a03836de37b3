/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry of model families. A new family is one file in models/ and one line here. */
#include "model/family.h"

#include <string.h>

static const VfiModelFamily *const families[] = {
    &vfi_family_blend, &vfi_family_rife, &vfi_family_ifrnet, &vfi_family_film, NULL,
};

const VfiModelFamily *const *vfi_families(void)
{
    return families;
}

const VfiModelFamily *vfi_family_find(const char *name)
{
    for (size_t i = 0; families[i] != NULL; i++)
        if (strcmp(families[i]->name, name) == 0)
            return families[i];
    return NULL;
}

const char *const *vfi_family_names(void)
{
    static const char *names[G_N_ELEMENTS(families)];
    static gsize filled;

    if (g_once_init_enter(&filled)) {
        for (size_t i = 0; families[i] != NULL; i++)
            names[i] = families[i]->name;
        g_once_init_leave(&filled, 1);
    }
    return names;
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
