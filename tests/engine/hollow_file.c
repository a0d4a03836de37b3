/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hollow_file.h"

#include <stdio.h>
#include <unistd.h>

#include "check_main.h"
#include "state_entry.h"

void hollow_file(const GArray *entries, guint missing, const char *path)
{
    g_autoptr(GString) header = g_string_new("{");
    guint64 offset = 0;

    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        guint64 end = offset + 4 * state_entry_elements(entry);
        if (i == missing)
            continue;
        g_string_append_printf(header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                               header->len > 1 ? "," : "", entry->key);
        for (int dim = 0; dim < entry->n_dims; dim++)
            g_string_append_printf(header, "%s%d", dim > 0 ? "," : "", entry->shape[dim]);
        g_string_append_printf(
            header, "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
            offset, end);
        offset = end;
    }
    g_string_append_c(header, '}');
    guint64 length = GUINT64_TO_LE(header->len);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(&length, sizeof length, 1, file), 1);
    ck_assert_uint_eq(fwrite(header->str, 1, header->len, file), header->len);
    ck_assert_int_eq(fflush(file), 0);
    ck_assert_int_eq(ftruncate(fileno(file), (off_t)(8 + header->len + offset)), 0);
    ck_assert_int_eq(fclose(file), 0);
}
