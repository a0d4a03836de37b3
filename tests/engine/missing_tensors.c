/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A checkpoint without one of its network's tensors, whichever that is, is told which
 * one, and of which network: it is neither taken for another nor for something unknown.
 * Only names and shapes are looked at for that, so the files are nearly empty. */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "hollow_file.h"
#include "model/model_source.h"
#include "state_dict.h"

static const struct {
    const char *dict, *name;
} networks[] = {
    {"rife_eccv", "rife ECCV"},
    {"rife_eccv_m", "rife ECCV-m"},
    {"rife_v3_6", "rife 3.6"},
    {"rife_v3_9", "rife 3.9"},
    {"rife_v4_0", "rife 4.0"},
    {"rife_v4_2", "rife 4.2"},
    {"rife_v4_5", "rife 4.5"},
    {"rife_v4_6", "rife 4.6"},
    {"rife_v4_7", "rife 4.7"},
    {"rife_v4_10", "rife 4.10"},
    {"rife_v4_12_lite", "rife 4.12.lite"},
    {"rife_v4_13", "rife 4.13"},
    {"rife_v4_14_lite", "rife 4.14.lite"},
    {"rife_v4_15_lite", "rife 4.15.lite"},
    {"rife_v4_20", "rife 4.20"},
    {"rife_v4_21", "rife 4.21"},
    {"rife_v4_22_lite", "rife 4.22.lite"},
    {"rife_v4_25", "rife 4.25"},
    {"rife_v4_25_lite", "rife 4.25.lite"},
    {"rife_v4_25_heavy", "rife 4.25.heavy"},
    {"rife_v4_26_heavy", "rife 4.26.heavy"},
    {"ifrnet_s", "ifrnet S"},
    {"ifrnet", "ifrnet base"},
    {"ifrnet_l", "ifrnet L"},
    {"film", "film film_net"},
    {"tlbvfi", "tlbvfi f32"},
};

/* What the file at @path is taken for; NULL with @error. */
static const char *detect(const char *path, VfiDetection *detection, GError **error)
{
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(path, error);

    ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? (*error)->message : "");
    const VfiModelFamily *family =
        vfi_model_source_detect(vfi_families(), checkpoint, detection, error);
    return family == NULL ? NULL : family->name;
}

/* Whether it is tried: what recognition looks at first, one of the others in STEP, those
 * of one network all. */
#define STEP 29

static bool is_tried(int network, guint index, const char *key)
{
    static const char *const first[] = {
        "block0.conv0.0.0.weight",
        "block0.conv0.1.0.weight",
        "block0.lastconv",
        "block0.convblock",
        "encode.",
        "encoder.pyramid1.0.0",
        "extract.",
        "fuse.output_conv",
    };
    bool all = strcmp(networks[network].name, "rife 4.0") == 0;

    for (size_t i = 0; i < G_N_ELEMENTS(first); i++)
        all |= g_str_has_prefix(key, first[i]) && strstr(key, ".7.") == NULL &&
               g_str_has_suffix(key, "0.weight");
    return all || index % STEP == (guint)network % STEP;
}

/* Networks that can run without it. */
static bool is_optional(const char *network, const char *key)
{
    return strstr(network, "ECCV") == NULL &&
           (g_str_has_prefix(key, "contextnet.") || g_str_has_prefix(key, "unet."));
}

START_TEST(the_missing_one_is_named)
{
    g_autoptr(GArray) entries = state_dict_of(networks[_i].dict);
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("vfi-hollow-XXXXXX", &path, NULL);

    ck_assert_ptr_nonnull(entries);
    ck_assert_int_ge(fd, 0);
    close(fd);
    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        g_autofree char *expected =
            g_strdup_printf("as %s: tensor \"%s\" (", networks[_i].name, entry->key);
        g_autoptr(GError) error = NULL;
        VfiDetection detection;
        if (!is_tried(_i, i, entry->key) || g_str_has_prefix(entry->key, "block_tea.") ||
            is_optional(networks[_i].name, entry->key))
            continue;
        hollow_file(entries, i, path);
        const char *family = detect(path, &detection, &error);
        ck_assert_msg(family == NULL, "without %s it is %s %s", entry->key, family,
                      detection.name);
        ck_assert_msg(strstr(error->message, expected) != NULL &&
                          strstr(error->message, "is missing") != NULL,
                      "no \"%s\" in: %s", expected, error->message);
    }
    VfiDetection detection;
    hollow_file(entries, G_MAXUINT, path);
    ck_assert_ptr_nonnull(detect(path, &detection, NULL));
    ck_assert(g_str_has_suffix(networks[_i].name, detection.name));
    g_unlink(path);
}
END_TEST

/* IFNet_2R has the tensors of IFNet: only its name says what it is. */
START_TEST(the_large_network_is_refused_by_its_name)
{
    static const struct {
        const char *dict, *name;
        bool is_refused;
    } cases[] = {
        {"rife_eccv", "RIFE_2R.safetensors", true},
        {"rife_eccv", "rife-large.safetensors", true},
        {"rife_eccv_m", "RIFE-2T2R.safetensors", true},
        {"rife_eccv", "RIFE.safetensors", false},
        {"rife_eccv", "rife2regular.safetensors", false},
        {"rife_v4_2", "rife_2R.safetensors", false},
    };
    g_autofree char *folder = g_dir_make_tmp("vfi-sizes-XXXXXX", NULL);

    ck_assert_ptr_nonnull(folder);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) entries = state_dict_of(cases[i].dict);
        g_autofree char *path = g_build_filename(folder, cases[i].name, NULL);
        g_autoptr(GError) error = NULL;
        VfiDetection detection;
        hollow_file(entries, G_MAXUINT, path);
        const char *family = detect(path, &detection, &error);
        g_unlink(path);
        ck_assert_msg((family == NULL) == cases[i].is_refused, "%s: %s", cases[i].name,
                      error != NULL ? error->message : "recognised");
        ck_assert(family != NULL || strstr(error->message, "IFNet_2R") != NULL);
    }
    g_rmdir(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("missing_tensors");
    TCase *tcase = tcase_create("missing_tensors");

    tcase_add_loop_test(tcase, the_missing_one_is_named, 0, (int)G_N_ELEMENTS(networks));
    tcase_add_test(tcase, the_large_network_is_refused_by_its_name);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
