/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of ncnn that people have and that are not read: which they are, and what to
 * take. */
#include "checkpoint/ncnn.h"

static const char ensemble_built_in[] = "it is a model with ensemble built in, whose "
                                        "graph has every block twice: take the one "
                                        "without (a folder …_ensembleFalse) and set the "
                                        "option ensemble=true, which does the same";

static const char refinement_built_in[] =
    "it is a model with its refinement networks built in: take the one without (a folder "
    "…_fastTrue), or the checkpoint (.pkl) and set the option refine=true";

static const char three_files[] = "it is RIFE 1.x, 2.x, 3.0 or 3.1, whose context, flow "
                                  "and fusion networks are three models, "
                                  "which is not supported; take RIFE 3.9 or 4.x";

static const char one_file_v3[] = "it is RIFE 3.2 to 3.8, of which the checkpoint (.pkl) "
                                  "is read but not the ncnn model; take "
                                  "that, or RIFE 3.9 or 4.x";

static bool has_line_of(VfiSpan text, const char *type)
{
    g_autofree char *line = g_strconcat("\n", type, " ", NULL);

    return text.size > 0 &&
           g_strstr_len((const char *)text.data, (gssize)text.size, line) != NULL;
}

static uint64_t hash_bytes(VfiSpan bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Whether two blocks begin with the same layer. */
static bool has_block_twice(const VfiNcnnLayer *layers, size_t n)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (size_t i = 0; i < n; i++) {
        const VfiNcnnLayer *layer = &layers[i];
        if (layer->kind != VFI_NCNN_CONV || layer->stride != 2 || layer->in == 3 ||
            layer->weights.size == 0)
            continue;
        uint64_t hash = hash_bytes(layer->weights);
        if (!g_hash_table_add(seen, g_memdup2(&hash, sizeof hash)))
            return true;
    }
    return false;
}

/* Input channels of the first block, or 0. */
static int64_t first_inputs(const VfiNcnnLayer *layers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (layers[i].kind == VFI_NCNN_CONV)
            return layers[i].in;
    return 0;
}

const char *vfi_ncnn_other_by_layers(VfiSpan text, const VfiGrowing *layers)
{
    int64_t in = first_inputs(layers->items, layers->count);

    if (in == 6 || (has_line_of(text, "InnerProduct") && has_line_of(text, "Pooling")))
        return three_files; /* both frames and nothing else; channel attention */
    if (in == 11)
        return one_file_v3;
    return has_block_twice(layers->items, layers->count) ? ensemble_built_in : NULL;
}

/* @path in lower case, without separators of words. */
static char *plain_path(const char *path)
{
    GString *plain = g_string_new(NULL);

    for (const char *p = path; *p != '\0'; p++)
        if (strchr("_-. ", *p) == NULL)
            g_string_append_c(plain, g_ascii_tolower(*p));
    return g_string_free(plain, FALSE);
}

static bool has_sibling(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

const char *vfi_ncnn_other_by_path(const char *param)
{
    g_autofree char *folder = g_path_get_dirname(param);
    g_autofree char *folder_name = g_path_get_basename(folder);
    g_autofree char *file_name = g_path_get_basename(param);
    g_autofree char *both = g_strconcat(folder_name, "/", file_name, NULL);
    g_autofree char *plain = plain_path(both);

    if (has_sibling(folder, "contextnet.param") || has_sibling(folder, "fusionnet.param"))
        return three_files;
    if (strstr(plain, "fastfalse") != NULL)
        return refinement_built_in;
    return strstr(plain, "ensembletrue") != NULL ? ensemble_built_in : NULL;
}
