/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI's files: what trainers save is recognised, whatever lies beside the network, and
 * no more is read than that; parts of it and its relatives are refused by name. */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "hollow_file.h"
#include "model/family.h"
#include "state_dict_tlbvfi.h"

/* Replaces the beginning of the key, if it is @prefix. */
static bool replace_prefix(StateEntry *entry, const char *prefix, const char *by)
{
    if (!g_str_has_prefix(entry->key, prefix))
        return false;
    g_autofree char *key = g_strconcat(by, entry->key + strlen(prefix), NULL);
    g_strlcpy(entry->key, key, sizeof entry->key);
    return true;
}

/* All that a trainer's state dict has: @used, what is not used, and copies. */
static GArray *whole_state_dict(const GArray *used)
{
    GArray *all = state_dict_tlbvfi_unused();

    g_array_append_vals(all, used->data, used->len);
    for (guint i = 0, n = all->len; i < n; i++) {
        StateEntry copy = g_array_index(all, StateEntry, i);
        if (replace_prefix(&copy, "vqgan.", "cond_stage_model."))
            g_array_append_val(all, copy);
    }
    return all;
}

/* Opens a file of @entries; NULL with @error. */
static VfiModel *open_entries(const GArray *entries, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("vfi-hollow-XXXXXX", &path, NULL);

    ck_assert_int_ge(fd, 0);
    close(fd);
    hollow_file(entries, G_MAXUINT, path);
    VfiModel *model = vfi_model_open(path, NULL, error);
    g_unlink(path);
    return model;
}

START_TEST(a_trainers_checkpoint_is_recognised)
{
    g_autoptr(GArray) used = state_dict_tlbvfi();
    g_autoptr(GArray) all = whole_state_dict(used);
    g_autoptr(GError) error = NULL;
    guint64 elements = 0;

    ck_assert_uint_eq(all->len, 1776);
    for (guint i = 0; i < used->len; i++)
        elements += state_entry_elements(&g_array_index(used, StateEntry, i));
    g_autoptr(VfiModel) model = open_entries(all, &error);
    ck_assert_msg(model != NULL, "%s", error == NULL ? "" : error->message);
    const VfiModelInfo *info = vfi_model_info(model);
    ck_assert_str_eq(info->family, "tlbvfi");
    ck_assert_str_eq(info->variant, "f32");
    ck_assert_uint_eq(info->n_parameters, elements);
}
END_TEST

START_TEST(only_what_is_computed_with_is_wanted)
{
    const VfiModelFamily *family = vfi_family_find("tlbvfi");
    g_autoptr(GArray) used = state_dict_tlbvfi();
    g_autoptr(GArray) all = whole_state_dict(used);
    guint n_wanted = 0;

    ck_assert_ptr_nonnull(family);
    const VfiModelSetup setup = {.options = NULL};
    for (guint i = 0; i < used->len; i++) {
        const char *key = g_array_index(used, StateEntry, i).key;
        ck_assert_msg(family->wants(&setup, key), "%s is not wanted", key);
    }
    for (guint i = 0; i < all->len; i++)
        n_wanted += family->wants(&setup, g_array_index(all, StateEntry, i).key);
    ck_assert_uint_eq(n_wanted, used->len);
}
END_TEST

/* ---- near misses ------------------------------------------------------------------- */

/* Changes a tensor of a whole state dict; false: it is left out. */
typedef bool (*Edit)(StateEntry *entry);

static bool bare_autoencoder(StateEntry *entry)
{
    return replace_prefix(entry, "vqgan.", "");
}

static bool autoencoder(StateEntry *entry)
{
    return g_str_has_prefix(entry->key, "vqgan.") ||
           g_str_has_prefix(entry->key, "cond_stage_model.");
}

static bool denoiser(StateEntry *entry)
{
    return g_str_has_prefix(entry->key, "denoise_fn.");
}

/* As a trainer averages it: parameters, but no buffers. */
static bool averages(StateEntry *entry)
{
    return strstr(entry->key, "running_") == NULL &&
           strstr(entry->key, "num_batches") == NULL && strchr(entry->key, '.') != NULL;
}

static bool denoiser_of_pictures(StateEntry *entry)
{
    if (denoiser(entry) && entry->n_dims == 5) {
        entry->n_dims = 4;
        memmove(entry->shape + 2, entry->shape + 3, 2 * sizeof *entry->shape);
    }
    return true;
}

static bool ldmvfi(StateEntry *entry)
{
    denoiser_of_pictures(entry);
    return replace_prefix(entry, "denoise_fn.", "model.diffusion_model.") ||
           replace_prefix(entry, "vqgan.", "first_stage_model.");
}

/* By a configuration with twice the channels. */
static bool wide_denoiser(StateEntry *entry)
{
    for (int dim = 0; denoiser(entry) && dim < MIN(entry->n_dims, 2); dim++)
        entry->shape[dim] *= entry->shape[dim] >= 32 ? 2 : 1;
    return true;
}

static bool wide_autoencoder(StateEntry *entry)
{
    bool is_wide = !denoiser(entry) && strstr(entry->key, "flownet") == NULL &&
                   strstr(entry->key, "rel_pos_bias") == NULL &&
                   strstr(entry->key, "quantize") == NULL;

    for (int dim = 0; is_wide && dim < MIN(entry->n_dims, 2); dim++)
        entry->shape[dim] *= entry->shape[dim] >= 64 ? 2 : 1;
    return true;
}

static bool without_refinement(StateEntry *entry)
{
    return strstr(entry->key, ".refinenet.") == NULL;
}

static const struct {
    const char *what;
    Edit edit;
    const char *texts[3];
} near_misses[] = {
    {"the autoencoder as it is trained alone",
     bare_autoencoder,
     {"this is tlbvfi without its denoiser", "vimeo_unet.pth", "\"denoise_fn.\""}},
    {"the autoencoder under its names",
     autoencoder,
     {"this is tlbvfi without its denoiser", "the autoencoder alone"}},
    {"the denoiser",
     denoiser,
     {"this is tlbvfi without its autoencoder", "\"ema\"", "vimeo_unet.pth"}},
    {"averages of all parameters", averages, {"as tlbvfi f32", "running_", "is missing"}},
    {"a denoiser of single pictures",
     denoiser_of_pictures,
     {"this is tlbvfi without time", "2-D convolutions", "three frames"}},
    {"its predecessor", ldmvfi, {"in an older form, LDMVFI", "2-D convolutions"}},
    {"a wider denoiser",
     wide_denoiser,
     {"as tlbvfi f32: tensor \"denoise_fn.", "should be", "but the checkpoint has"}},
    {"a wider autoencoder",
     wide_autoencoder,
     {"as tlbvfi f32: tensor \"vqgan.", "should be", "but the checkpoint has"}},
    {"no refinement of flow",
     without_refinement,
     {"as tlbvfi f32: tensor \"vqgan.decoder.refinenet.", "is missing"}},
};

START_TEST(near_misses_are_refused_by_name)
{
    g_autoptr(GArray) used = state_dict_tlbvfi();
    g_autoptr(GArray) all = whole_state_dict(used);
    g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(StateEntry));
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < all->len; i++) {
        StateEntry entry = g_array_index(all, StateEntry, i);
        if (near_misses[_i].edit(&entry))
            g_array_append_val(left, entry);
    }
    g_autoptr(VfiModel) model = open_entries(left, &error);
    ck_assert_msg(model == NULL, "%s is opened", near_misses[_i].what);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    for (size_t i = 0; i < 3 && near_misses[_i].texts[i] != NULL; i++)
        ck_assert_msg(strstr(error->message, near_misses[_i].texts[i]) != NULL,
                      "%s: no \"%s\" in: %s", near_misses[_i].what,
                      near_misses[_i].texts[i], error->message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tlbvfi_files");
    TCase *tcase = tcase_create("tlbvfi_files");

    tcase_add_test(tcase, a_trainers_checkpoint_is_recognised);
    tcase_add_test(tcase, only_what_is_computed_with_is_wanted);
    tcase_add_loop_test(tcase, near_misses_are_refused_by_name, 0,
                        (int)G_N_ELEMENTS(near_misses));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
