/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open_family.h"

#include <string.h>

#include <check.h>
#include <glib/gstdio.h>

#include "deterministic_weights.h"

VfiModel *open_entries(const GArray *entries, GVariant *options, GError **error)
{
    g_autofree char *path = deterministic_file(entries, error);

    ck_assert_ptr_nonnull(path);
    VfiModel *model = vfi_model_open(path, options, error);
    g_unlink(path);
    return model;
}

StateEntry *find_entry(GArray *entries, const char *key)
{
    for (guint i = 0; i < entries->len; i++)
        if (strcmp(g_array_index(entries, StateEntry, i).key, key) == 0)
            return &g_array_index(entries, StateEntry, i);
    ck_abort_msg("no entry %s", key);
    return NULL;
}

VfiModel *open_family(const char *family, const char *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = deterministic_checkpoint(family, &error);
    g_autoptr(GVariant) parsed = NULL;

    if (options != NULL)
        parsed = g_variant_parse(G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(path);
    VfiModel *model = vfi_model_open(path, parsed, &error);
    g_unlink(path);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return model;
}
