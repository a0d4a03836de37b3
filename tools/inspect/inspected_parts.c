/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspected_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "model/family.h"
#include "model/options.h"

/* Groups that are named of what is not read. */
#define MAX_GROUPS 6

/* The family with parts that the checkpoint has most tensors of; NULL: of none. */
static const VfiModelFamily *find_family(const VfiCheckpoint *checkpoint)
{
    const VfiModelFamily *best = NULL;
    int best_score = 0;

    for (const VfiModelFamily *const *at = vfi_families(); *at != NULL; at++) {
        int score = (*at)->n_parts > 0 ? (*at)->detect(checkpoint).score : 0;
        if (score > best_score) {
            best = *at;
            best_score = score;
        }
    }
    return best;
}

/* The part that the tensor belongs to, or -1. */
static int part_of(const VfiModelFamily *family, const char *tensor)
{
    for (size_t i = 0; i < family->n_parts; i++)
        if (g_str_has_prefix(tensor, family->parts[i].prefix))
            return (int)i;
    return -1;
}

static gboolean is_read(const VfiModelFamily *family, const VfiModelSetup *setup,
                        const char *tensor)
{
    return family->wants == NULL || family->wants(setup, tensor);
}

static void print_found(const VfiModelFamily *family, const size_t *n_read)
{
    const char *separator = "";

    printf("parts:       ");
    for (size_t i = 0; i < family->n_parts; i++) {
        if (n_read[i] == 0)
            continue;
        printf("%s%s (%zu tensor%s)", separator, family->parts[i].name, n_read[i],
               n_read[i] == 1 ? "" : "s");
        separator = ", ";
    }
    printf("%s\n", separator[0] == '\0' ? "none under their names" : "");
    separator = "missing:     ";
    for (size_t i = 0; i < family->n_parts; i++) {
        if (n_read[i] != 0)
            continue;
        printf("%s%s (\"%s…\")", separator, family->parts[i].name,
               family->parts[i].prefix);
        separator = ", ";
    }
    printf("%s", separator[0] == ',' ? "\n" : "");
}

/* What tensors that are not read are counted under: their part's name or the first
 * component of theirs. */
static char *group_of(const VfiModelFamily *family, const char *tensor)
{
    int part = part_of(family, tensor);

    if (part >= 0)
        return g_strdup_printf("of the %s", family->parts[part].name);
    return g_strndup(tensor, strcspn(tensor, "."));
}

/* The larger group first; GCompareDataFunc over pointers to names. */
static int compare_groups(const void *a, const void *b, void *counts)
{
    guint first = GPOINTER_TO_UINT(g_hash_table_lookup(counts, *(char *const *)a));
    guint second = GPOINTER_TO_UINT(g_hash_table_lookup(counts, *(char *const *)b));

    return (first < second) - (first > second);
}

/* @groups: keys of @counts. */
static void print_unread(GPtrArray *groups, GHashTable *counts, size_t n)
{
    if (n == 0)
        return;
    g_ptr_array_sort_with_data(groups, compare_groups, counts);
    printf("not read:    %zu tensor%s: ", n, n == 1 ? "" : "s");
    for (guint i = 0; i < groups->len && i < MAX_GROUPS; i++) {
        const char *name = g_ptr_array_index(groups, i);
        g_autofree char *shown = vfi_printable(name);
        printf("%s%u %s", i == 0 ? "" : ", ",
               GPOINTER_TO_UINT(g_hash_table_lookup(counts, name)), shown);
    }
    printf("%s\n", groups->len > MAX_GROUPS ? ", …" : "");
}

void inspected_print_parts(const VfiCheckpoint *checkpoint)
{
    const VfiModelFamily *family = find_family(checkpoint);

    if (family == NULL)
        return;
    VfiModelSetup setup = {.variant = family->detect(checkpoint).variant};
    setup.options = vfi_options_resolve(family, setup.variant, NULL, NULL);
    g_autofree size_t *n_read = g_new0(size_t, family->n_parts);
    g_autoptr(GHashTable) counts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) groups = g_ptr_array_new();
    size_t n_unread = 0;

    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++) {
        const char *tensor = vfi_checkpoint_tensor(checkpoint, i)->name;
        int part = part_of(family, tensor);
        if (part >= 0 && is_read(family, &setup, tensor)) {
            n_read[part]++;
            continue;
        }
        char *group = group_of(family, tensor);
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, group));
        n_unread++;
        if (count == 0)
            g_ptr_array_add(groups, group);
        g_hash_table_insert(counts, group, GUINT_TO_POINTER(count + 1));
    }
    print_found(family, n_read);
    print_unread(groups, counts, n_unread);
    g_hash_table_unref(setup.options);
}
