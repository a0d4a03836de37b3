/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of ncnn: every tensor has the name and the values that torch's files have. */
#include <string.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "ncnn_fixture.h"

/* By the .param files of TNTwise/rife-ncnn-vulkan. */
/* clang-format off */
static const NcnnNetwork networks[] = {
    {"rife_v3_9", 4, {100, 100, 100, 100}, 7, 18, 0, 0, 0, "", 0, 5, 1, NCNN_NO_BETA,
     true, NCNN_HEADS_AUTO, false},
    {"rife_v4_0", 4, {192, 128, 96, 64}, 7, 12, 0, 0, 0, "", 0, 5, 1, NCNN_NO_BETA,
     true, NCNN_HEADS_AUTO, false},
    {"rife_v4_2", 4, {192, 128, 96, 64}, 7, 12, 0, 0, 0, "", 0, 5, 1, NCNN_NO_BETA,
     false, NCNN_HEADS_AUTO, false},
    {"rife_v4_5", 4, {192, 128, 96, 64}, 7, 12, 0, 0, 0, "", 0, 20, 1, NCNN_BETA_FIRST,
     false, NCNN_HEADS_AUTO, false},
    {"rife_v4_6", 4, {192, 128, 96, 64}, 7, 12, 0, 0, 0, "", 0, 24, 1, NCNN_BETA_FOLDED,
     false, NCNN_HEADS_AUTO, false},
    {"rife_v4_7", 4, {192, 128, 96, 64}, 15, 20, 2, 16, 4, "encode.", 1, 24, 1,
     NCNN_BETA_BETWEEN, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_12_lite", 4, {128, 96, 64, 48}, 15, 20, 4, 32, 4, "encode.", 2, 24, 1,
     NCNN_BETA_BETWEEN, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_13", 4, {192, 128, 96, 64}, 23, 28, 4, 32, 8, "encode.cnn", 1, 24, 1,
     NCNN_BETA_BETWEEN, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_14_lite", 4, {192, 128, 96, 64}, 23, 28, 4, 32, 8, "encode.cnn", 1, 24, 2,
     NCNN_BETA_BETWEEN, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_15_lite", 4, {128, 96, 64, 48}, 15, 20, 4, 16, 4, "encode.cnn", 1, 24, 1,
     NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_20", 4, {384, 192, 96, 48}, 23, 28, 4, 32, 8, "encode.cnn", 1, 24, 1,
     NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_21", 4, {256, 192, 96, 48}, 23, 36, 4, 32, 8, "encode.cnn", 1, 52, 1,
     NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_22_lite", 4, {192, 128, 64, 32}, 15, 28, 4, 16, 4, "encode.cnn", 1, 52, 1,
     NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_25", 5, {192, 128, 96, 64, 32}, 15, 28, 4, 16, 4, "encode.cnn", 1, 52, 1,
     NCNN_BETA_BETWEEN, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_25_lite", 5, {192, 128, 96, 64, 24}, 15, 28, 4, 16, 4, "encode.cnn", 1,
     52, 1, NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_25_heavy", 5, {384, 256, 192, 128, 64}, 15, 28, 4, 16, 4, "encode.cnn", 1,
     52, 1, NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
    {"rife_v4_26_heavy", 5, {192, 128, 96, 64, 32}, 39, 52, 4, 16, 16, "encode.cnn", 1,
     52, 1, NCNN_BETA_FIRST, false, NCNN_HEADS_AUTO, false},
};
/* clang-format on */

/* Every tensor of the family's state dict is there, but for refinement, which ncnn models
 * do not have; and the family's model opens. Families that are not built are left out. */
static void assert_family(const char *family, const VfiCheckpoint *checkpoint)
{
    g_autoptr(GArray) entries = state_dict_of(family);
    g_autoptr(GError) error = NULL;
    guint n = 0;

    if (entries == NULL)
        return;
    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        if (g_str_has_prefix(entry->key, "contextnet.") ||
            g_str_has_prefix(entry->key, "unet."))
            continue;
        ncnn_find_tensor(checkpoint, entry);
        n++;
    }
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), n);
    g_autoptr(VfiModel) model = vfi_model_open(ncnn_folder, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", family, error != NULL ? error->message : "");
    ck_assert_str_eq(vfi_model_info(model)->family, "rife");
}

START_TEST(tensors_are_those_of_the_state_dict)
{
    const NcnnNetwork *network = &networks[_i];
    g_autoptr(GError) error = NULL;
    NcnnFile *file = ncnn_file_new(network, false);
    g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(file, &error);

    ck_assert_msg(checkpoint != NULL, "%s: %s", network->family,
                  error != NULL ? error->message : "");
    ck_assert_int_eq(vfi_checkpoint_container(checkpoint), VFI_CONTAINER_NCNN);
    ncnn_assert_tensors(file, checkpoint, false);
    assert_family(network->family, checkpoint);
    ncnn_file_free(file);
}
END_TEST

/* What does not depend on each other may stand in any order. */
START_TEST(the_order_of_independent_layers_does_not_matter)
{
    static const NcnnHeads heads[] = {NCNN_HEADS_LAYERS, NCNN_HEADS_FRAMES,
                                      NCNN_HEADS_MIXED};
    static const int n_layers[] = {2, 4};

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(n_layers); k++) {
            NcnnNetwork network = ncnn_toy;
            network.heads = heads[i];
            network.n_head = n_layers[k];
            network.head_key = n_layers[k] == 2 ? "encode." : ncnn_toy.head_key;
            network.beta = i == 0 ? ncnn_toy.beta : NCNN_BETA_LINKED;
            NcnnFile *file = ncnn_file_new(&network, false);
            g_autoptr(GError) error = NULL;
            g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(file, &error);
            ck_assert_msg(checkpoint != NULL, "%d, %d layers: %s", (int)i, n_layers[k],
                          error != NULL ? error->message : "");
            ncnn_assert_tensors(file, checkpoint, false);
            ncnn_file_free(file);
        }
    NcnnNetwork whole = networks[5]; /* 4.7 as rife-ncnn-vulkan has it */
    ck_assert_str_eq(whole.family, "rife_v4_7");
    whole.heads = NCNN_HEADS_FRAMES;
    whole.beta = NCNN_BETA_LINKED;
    NcnnFile *file = ncnn_file_new(&whole, true);
    g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(file, NULL);
    ck_assert_ptr_nonnull(checkpoint);
    ncnn_assert_tensors(file, checkpoint, true);
    assert_family(whole.family, checkpoint);
    ncnn_file_free(file);
}
END_TEST

START_TEST(half_precision_is_read)
{
    NcnnNetwork odd = ncnn_toy;
    odd.last = 5;
    odd.beta =
        NCNN_NO_BETA; /* an odd number of weights: 5 · 4 · 16 is even, 9 · 13 · 3 not */
    NcnnFile *files[] = {ncnn_file_new(&ncnn_toy, true), ncnn_file_new(&odd, true),
                         ncnn_file_new(&networks[1], true)};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(files[i], &error);
        ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "");
        ncnn_assert_tensors(files[i], checkpoint, true);
        ncnn_file_free(files[i]);
    }
}
END_TEST

START_TEST(a_model_opens_by_any_of_its_names)
{
    static const char *const names[] = {"", "flownet.param", "flownet.bin"};
    NcnnFile *file = ncnn_file_new(&networks[1], false);
    g_autoptr(GError) error = NULL;

    ncnn_file_write(file, ncnn_folder);
    ncnn_file_free(file);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(ncnn_folder, names[i], NULL);
        g_autoptr(VfiModel) model = vfi_model_open(path, NULL, &error);
        ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
        ck_assert_str_eq(vfi_model_info(model)->variant, "4.0");
        ck_assert_uint_eq(vfi_model_info(model)->n_parameters, 5160980);
    }
    g_autofree char *parent = g_path_get_dirname(ncnn_folder);
    g_autofree char *name = g_path_get_basename(ncnn_folder);
    g_setenv("VFI_MODEL_PATH", parent, TRUE);
    g_autoptr(VfiModel) found = vfi_model_open(name, NULL, &error);
    ck_assert_msg(found != NULL, "%s", error != NULL ? error->message : "");

    /* ncnn models have no refinement networks */
    ck_assert_ptr_null(
        vfi_model_open(ncnn_folder, g_variant_new_parsed("{'refine': <true>}"), &error));
    ck_assert_ptr_nonnull(strstr(error->message, "contextnet"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ncnn");
    TCase *tcase = tcase_create("ncnn");

    tcase_add_checked_fixture(tcase, ncnn_setup, ncnn_teardown);
    tcase_add_loop_test(tcase, tensors_are_those_of_the_state_dict, 0,
                        G_N_ELEMENTS(networks));
    tcase_add_test(tcase, the_order_of_independent_layers_does_not_matter);
    tcase_add_test(tcase, half_precision_is_read);
    tcase_add_test(tcase, a_model_opens_by_any_of_its_names);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
