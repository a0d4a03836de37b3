/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of ncnn: every tensor has the name and the values that torch's files have, and
 * what is no RIFE, damaged or quantised is refused with the layer's name. */
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "base/printable.h"
#include "check_main.h"
#include "deterministic_weights.h"
#include "ncnn_file.h"
#include "temporary_folder.h"

static char *folder;

static void setup(void)
{
    folder = g_dir_make_tmp("vfi-ncnn-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
}

static void teardown(void)
{
    folder_remove(folder);
    g_free(folder);
}

/* By the .param files of TNTwise/rife-ncnn-vulkan. */
static const NcnnNetwork networks[] = {
    {"rife_v3_9",
     4,
     {100, 100, 100, 100},
     7,
     18,
     0,
     0,
     0,
     "",
     0,
     5,
     1,
     NCNN_NO_BETA,
     true,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_0",
     4,
     {192, 128, 96, 64},
     7,
     12,
     0,
     0,
     0,
     "",
     0,
     5,
     1,
     NCNN_NO_BETA,
     true,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_2",
     4,
     {192, 128, 96, 64},
     7,
     12,
     0,
     0,
     0,
     "",
     0,
     5,
     1,
     NCNN_NO_BETA,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_5",
     4,
     {192, 128, 96, 64},
     7,
     12,
     0,
     0,
     0,
     "",
     0,
     20,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_6",
     4,
     {192, 128, 96, 64},
     7,
     12,
     0,
     0,
     0,
     "",
     0,
     24,
     1,
     NCNN_BETA_FOLDED,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_7",
     4,
     {192, 128, 96, 64},
     15,
     20,
     2,
     16,
     4,
     "encode.",
     1,
     24,
     1,
     NCNN_BETA_BETWEEN,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_12_lite",
     4,
     {128, 96, 64, 48},
     15,
     20,
     4,
     32,
     4,
     "encode.",
     2,
     24,
     1,
     NCNN_BETA_BETWEEN,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_13",
     4,
     {192, 128, 96, 64},
     23,
     28,
     4,
     32,
     8,
     "encode.cnn",
     1,
     24,
     1,
     NCNN_BETA_BETWEEN,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_14_lite",
     4,
     {192, 128, 96, 64},
     23,
     28,
     4,
     32,
     8,
     "encode.cnn",
     1,
     24,
     2,
     NCNN_BETA_BETWEEN,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_15_lite",
     4,
     {128, 96, 64, 48},
     15,
     20,
     4,
     16,
     4,
     "encode.cnn",
     1,
     24,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_20",
     4,
     {384, 192, 96, 48},
     23,
     28,
     4,
     32,
     8,
     "encode.cnn",
     1,
     24,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_21",
     4,
     {256, 192, 96, 48},
     23,
     36,
     4,
     32,
     8,
     "encode.cnn",
     1,
     52,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_22_lite",
     4,
     {192, 128, 64, 32},
     15,
     28,
     4,
     16,
     4,
     "encode.cnn",
     1,
     52,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_25",
     5,
     {192, 128, 96, 64, 32},
     15,
     28,
     4,
     16,
     4,
     "encode.cnn",
     1,
     52,
     1,
     NCNN_BETA_BETWEEN,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_25_lite",
     5,
     {192, 128, 96, 64, 24},
     15,
     28,
     4,
     16,
     4,
     "encode.cnn",
     1,
     52,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_25_heavy",
     5,
     {384, 256, 192, 128, 64},
     15,
     28,
     4,
     16,
     4,
     "encode.cnn",
     1,
     52,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
    {"rife_v4_26_heavy",
     5,
     {192, 128, 96, 64, 32},
     39,
     52,
     4,
     16,
     16,
     "encode.cnn",
     1,
     52,
     1,
     NCNN_BETA_FIRST,
     false,
     NCNN_HEADS_AUTO,
     false},
};

/* Two blocks, small, with all kinds of layers but slopes. */
static const NcnnNetwork toy = {.family = "toy",
                                .n_blocks = 2,
                                .width = {6, 4},
                                .in_first = 13,
                                .in = 18,
                                .n_head = 4,
                                .head_width = 2,
                                .head_out = 3,
                                .head_key = "encode.cnn",
                                .head_step = 1,
                                .last = 24,
                                .groups = 1,
                                .beta = NCNN_BETA_BETWEEN};

static VfiCheckpoint *open_files(const NcnnFile *file, GError **error)
{
    ncnn_file_write(file, folder);
    return vfi_checkpoint_open(folder, error);
}

static void assert_values(const StateEntry *entry, const VfiCheckpoint *checkpoint,
                          const VfiTensorInfo *tensor, bool f16)
{
    guint64 n = state_entry_elements(entry);
    bool is_one = g_str_has_suffix(entry->key, ".beta") && entry->kind == STATE_WEIGHT;
    bool is_half = f16 && entry->kind == STATE_WEIGHT && !is_one;
    g_autofree float *expected = deterministic_values(entry);
    g_autofree float *values = g_new(float, n);

    ck_assert_int_eq(tensor->dtype, is_half ? VFI_DTYPE_F16 : VFI_DTYPE_F32);
    ck_assert(vfi_checkpoint_read_f32(checkpoint, tensor, values, NULL));
    for (guint64 i = 0; i < n; i++) {
        float value = is_one ? 1.0f : is_half ? ncnn_f16_value(expected[i]) : expected[i];
        if (values[i] != value)
            ck_abort_msg("%s[%d]: %g instead of %g", entry->key, (int)i,
                         (double)values[i], (double)value);
    }
}

static const VfiTensorInfo *find_tensor(const VfiCheckpoint *checkpoint,
                                        const StateEntry *entry)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, entry->key);

    ck_assert_msg(tensor != NULL, "no tensor %s", entry->key);
    ck_assert_int_eq(tensor->n_dims, entry->n_dims);
    for (int i = 0; i < entry->n_dims; i++)
        ck_assert_msg(tensor->shape[i] == entry->shape[i],
                      "%s: dimension %d is %d, not %d", entry->key, i,
                      (int)tensor->shape[i], entry->shape[i]);
    return tensor;
}

/* Every tensor that was written is there, and no other. */
static void assert_tensors(const NcnnFile *file, const VfiCheckpoint *checkpoint,
                           bool f16)
{
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), file->entries->len);
    for (guint i = 0; i < file->entries->len; i++) {
        const StateEntry *entry = &g_array_index(file->entries, StateEntry, i);
        assert_values(entry, checkpoint, find_tensor(checkpoint, entry), f16);
    }
}

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
        find_tensor(checkpoint, entry);
        n++;
    }
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), n);
    g_autoptr(VfiModel) model = vfi_model_open(folder, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", family, error != NULL ? error->message : "");
    ck_assert_str_eq(vfi_model_info(model)->family, "rife");
}

START_TEST(tensors_are_those_of_the_state_dict)
{
    const NcnnNetwork *network = &networks[_i];
    g_autoptr(GError) error = NULL;
    NcnnFile *file = ncnn_file_new(network, false);
    g_autoptr(VfiCheckpoint) checkpoint = open_files(file, &error);

    ck_assert_msg(checkpoint != NULL, "%s: %s", network->family,
                  error != NULL ? error->message : "");
    ck_assert_int_eq(vfi_checkpoint_container(checkpoint), VFI_CONTAINER_NCNN);
    assert_tensors(file, checkpoint, false);
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
            NcnnNetwork network = toy;
            network.heads = heads[i];
            network.n_head = n_layers[k];
            network.head_key = n_layers[k] == 2 ? "encode." : toy.head_key;
            network.beta = i == 0 ? toy.beta : NCNN_BETA_LINKED;
            NcnnFile *file = ncnn_file_new(&network, false);
            g_autoptr(GError) error = NULL;
            g_autoptr(VfiCheckpoint) checkpoint = open_files(file, &error);
            ck_assert_msg(checkpoint != NULL, "%d, %d layers: %s", (int)i, n_layers[k],
                          error != NULL ? error->message : "");
            assert_tensors(file, checkpoint, false);
            ncnn_file_free(file);
        }
    NcnnNetwork whole = networks[5]; /* 4.7 as rife-ncnn-vulkan has it */
    ck_assert_str_eq(whole.family, "rife_v4_7");
    whole.heads = NCNN_HEADS_FRAMES;
    whole.beta = NCNN_BETA_LINKED;
    NcnnFile *file = ncnn_file_new(&whole, true);
    g_autoptr(VfiCheckpoint) checkpoint = open_files(file, NULL);
    ck_assert_ptr_nonnull(checkpoint);
    assert_tensors(file, checkpoint, true);
    assert_family(whole.family, checkpoint);
    ncnn_file_free(file);
}
END_TEST

START_TEST(half_precision_is_read)
{
    NcnnNetwork odd = toy;
    odd.last = 5;
    odd.beta =
        NCNN_NO_BETA; /* an odd number of weights: 5 · 4 · 16 is even, 9 · 13 · 3 not */
    NcnnFile *files[] = {ncnn_file_new(&toy, true), ncnn_file_new(&odd, true),
                         ncnn_file_new(&networks[1], true)};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VfiCheckpoint) checkpoint = open_files(files[i], &error);
        ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "");
        assert_tensors(files[i], checkpoint, true);
        ncnn_file_free(files[i]);
    }
}
END_TEST

START_TEST(a_model_opens_by_any_of_its_names)
{
    static const char *const names[] = {"", "flownet.param", "flownet.bin"};
    NcnnFile *file = ncnn_file_new(&networks[1], false);
    g_autoptr(GError) error = NULL;

    ncnn_file_write(file, folder);
    ncnn_file_free(file);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autoptr(VfiModel) model = vfi_model_open(path, NULL, &error);
        ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
        ck_assert_str_eq(vfi_model_info(model)->variant, "4.0");
        ck_assert_uint_eq(vfi_model_info(model)->n_parameters, 5160980);
    }
    g_autofree char *parent = g_path_get_dirname(folder);
    g_autofree char *name = g_path_get_basename(folder);
    g_setenv("VFI_MODEL_PATH", parent, TRUE);
    g_autoptr(VfiModel) found = vfi_model_open(name, NULL, &error);
    ck_assert_msg(found != NULL, "%s", error != NULL ? error->message : "");

    /* ncnn models have no refinement networks */
    ck_assert_ptr_null(
        vfi_model_open(folder, g_variant_new_parsed("{'refine': <true>}"), &error));
    ck_assert_ptr_nonnull(strstr(error->message, "contextnet"));
}
END_TEST

/* Opens @file and wants an error of @code with @text in it. */
static void assert_refused(const NcnnFile *file, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiCheckpoint) checkpoint = open_files(file, &error);

    ck_assert_msg(checkpoint == NULL, "not refused: %s", text);
    ck_assert_msg(g_error_matches(error, VFI_ERROR, code) &&
                      strstr(error->message, text) != NULL,
                  "\"%s\" should say \"%s\"", error->message, text);
    ck_assert(g_str_has_prefix(error->message, folder));
}

/* Replaces the first @old of the structure. */
static void edit(NcnnFile *file, const char *old, const char *new)
{
    char *at = strstr(file->param->str, old);

    ck_assert_msg(at != NULL, "no \"%s\"", old);
    gssize position = at - file->param->str;
    g_string_erase(file->param, position, (gssize)strlen(old));
    g_string_insert(file->param, position, new);
}

/* As assert_refused(), with the files in a folder called @name. */
static void assert_refused_with(const char *name, const NcnnFile *file, int code,
                                const char *text)
{
    g_autofree char *outer = g_strdup(folder);
    g_autofree char *inner = g_build_filename(folder, name, NULL);

    ck_assert_int_eq(g_mkdir_with_parents(inner, 0700), 0);
    g_free(folder);
    folder = g_strdup(inner);
    assert_refused(file, code, text);
    g_free(folder);
    folder = g_strdup(outer);
}

static void assert_refused_in(const char *name, const NcnnFile *file, const char *text)
{
    assert_refused_with(name, file, VFI_ERROR_UNSUPPORTED, text);
}

/* As a clone without git lfs has them, and a download that was none. */
START_TEST(what_stands_in_for_files_is_named)
{
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\n";
    NcnnFile *file = ncnn_file_new(&toy, false);

    g_byte_array_set_size(file->bin, 0);
    g_byte_array_append(file->bin, (const guint8 *)pointer, sizeof pointer - 1);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flownet.bin: it is a Git LFS pointer");
    g_string_assign(file->param, pointer);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flownet.param: it is a Git LFS pointer");
    g_string_assign(file->param, "<!DOCTYPE html>\n");
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flownet.param: it is a web page");
    ncnn_file_free(file);
}
END_TEST

START_TEST(models_that_are_not_read_say_what_to_take)
{
    NcnnNetwork twice = toy, broken = toy, old = toy;

    /* whatever it is called */
    twice.ensembles = true;
    twice.beta = NCNN_BETA_FOLDED;
    NcnnFile *file = ncnn_file_new(&twice, false);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "set the option ensemble=true");
    ncnn_file_free(file);
    /* by its name, whatever else is in it */
    broken.in = 19;
    file = ncnn_file_new(&broken, false);
    assert_refused_in("rife-v4.7_ensembleTrue", file,
                      "take the one without (a folder "
                      "…_ensembleFalse)");
    assert_refused_in("rife-v4.3_ensembleTrue_fastFalse", file, "…_fastTrue");
    assert_refused_in("rife-v4.7_ensembleFalse", file, "expected a convolution 18");
    /* RIFE 2.x: a part of three */
    g_autofree char *parts = g_build_filename(folder, "rife-v2.3", NULL);
    g_autofree char *context = g_build_filename(parts, "contextnet.param", NULL);
    ck_assert_int_eq(g_mkdir(parts, 0700), 0);
    ck_assert(g_file_set_contents(context, "7767517\n", -1, NULL));
    assert_refused_in("rife-v2.3", file, "RIFE 1.x, 2.x, 3.0 or 3.1");
    ncnn_file_free(file);
    /* by what the first block sees */
    old.n_head = 0;
    old.in_first = 6;
    file = ncnn_file_new(&old, false);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "take RIFE 3.9 or 4.x");
    ncnn_file_free(file);
    old.in_first = 11;
    file = ncnn_file_new(&old, false);
    assert_refused(file, VFI_ERROR_UNSUPPORTED,
                   "RIFE 3.2 to 3.8, of which the checkpoint");
    ncnn_file_free(file);
    file = ncnn_file_new(&old, false); /* also where the weights are another model's */
    g_byte_array_append(file->bin, (const guint8 *)"more", 4);
    assert_refused_with("rife-v2.3", file, VFI_ERROR_CORRUPT,
                        "RIFE 1.x, 2.x, 3.0 or 3.1");
    ncnn_file_free(file);
    /* by layers that only those have */
    file = ncnn_file_new(&toy, false);
    edit(file, "Concat  ", "Pooling ");
    edit(file, "Sigmoid     ", "InnerProduct");
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "RIFE 1.x, 2.x, 3.0 or 3.1");
    ncnn_file_free(file);
}
END_TEST

START_TEST(names_of_layers_are_quoted)
{
    NcnnFile *file = ncnn_file_new(&toy, false);

    edit(file, "layer_0 ", "lay\x1b[2J\xff\xe2\x80\xae ");
    edit(file, "Split  ", "\x1b]0;\a ");
    assert_refused(file, VFI_ERROR_UNSUPPORTED,
                   "layer 1 \"lay\\x1b[2J\\xff\\u202e\" of the ncnn model is of type "
                   "\"\\x1b]0;\\x07\"");
    ncnn_file_free(file);
    file = ncnn_file_new(&toy, false);
    edit(file, "6=54", "6=\x1b[2J");
    assert_refused(file, VFI_ERROR_CORRUPT, "found \"6=\\x1b[2J\"");
    ncnn_file_free(file);
}
END_TEST

START_TEST(betas_that_the_graph_does_not_give_are_missed)
{
    NcnnNetwork network = toy;

    network.beta = NCNN_BETA_LINKED;
    NcnnFile *file = ncnn_file_new(&network, false);
    edit(file, "2 1 one_0_2 ", "2 1 nothing ");
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "there is none for layer");
    ncnn_file_free(file);
    file = ncnn_file_new(&network, false);
    edit(file, "one_1_2 ", "one_1_3 "); /* of a Split: nobody asks for it */
    edit(file, "2 1 one_1_2 ", "2 1 one_1_4 ");
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "a constant that RIFE has no use for");
    ncnn_file_free(file);
}
END_TEST

START_TEST(odd_structures_are_refused_by_the_layer)
{
    static const struct {
        const char *old, *new;
        int code;
        const char *text;
    } cases[] = {
        {"7767517", "7767518", VFI_ERROR_UNSUPPORTED, "begins with 7767517"},
        {"Split  ", "Softmax", VFI_ERROR_UNSUPPORTED,
         "layer 1 \"layer_0\" of the ncnn model is of type \"Softmax\""},
        {"1=3 3=2", "1=5 3=2", VFI_ERROR_UNSUPPORTED,
         "layer 2 \"layer_1\" of the ncnn model is a convolution other than 3×3"},
        {"1=3 3=2", "1=3 2=2 3=2", VFI_ERROR_UNSUPPORTED,
         "other than 3×3 with padding 1"},
        {"3=2 4=1", "3=2 4=0", VFI_ERROR_UNSUPPORTED, "with padding 1"},
        {"4=1 5=1", "4=1 5=0", VFI_ERROR_UNSUPPORTED, "has no bias"},
        {"4=1 5=1", "4=1 5=1 8=2", VFI_ERROR_UNSUPPORTED, "quantised to int8"},
        {"4=1 5=1", "4=1 5=1 19=1", VFI_ERROR_UNSUPPORTED, "computes its weights"},
        {" 9=2 ", " 9=3 ", VFI_ERROR_UNSUPPORTED, "activation other than a leaky"},
        {"1,2.000000e-01", "1,1.000000e-01", VFI_ERROR_UNSUPPORTED, "activation other"},
        {"12=1 13=2 14=1", "12=1 13=1 14=1", VFI_ERROR_UNSUPPORTED, "transposed"},
        {"18=0 19=0", "18=1 19=0", VFI_ERROR_UNSUPPORTED, "transposed"},
        {"3=1 4=1", "3=2 4=1", VFI_ERROR_UNSUPPORTED,
         "layer 3 \"layer_2\" of the ncnn model differs from RIFE 3.9 to 4.26: expected "
         "a "
         "convolution 2 → 2, stride 1, with leaky ReLU, found a convolution 2 → 2, "
         "stride 2"},
        {"0=3 1=4", "0=5 1=4", VFI_ERROR_CORRUPT, "not a whole number"},
        {"6=54", "6=53", VFI_ERROR_CORRUPT, "layer 2 \"layer_1\": 53 weights are not"},
        {"6=54", "6=0", VFI_ERROR_CORRUPT, "not a whole number"},
        {"6=54", "6=-54", VFI_ERROR_CORRUPT, "not a whole number"},
        {"6=54", "6=1e300", VFI_ERROR_CORRUPT, "not a whole number"},
        {"6=54", "6=99999999999999999999", VFI_ERROR_CORRUPT, "not a whole number"},
        {"6=54", "6=nan", VFI_ERROR_CORRUPT, "found \"6=nan\""},
        {"6=54", "6=", VFI_ERROR_CORRUPT, "expected KEY=VALUE, found \"6=\""},
        {"6=54", "six=54", VFI_ERROR_CORRUPT, "expected KEY=VALUE"},
        {"6=54", "7=0 6=54", VFI_ERROR_CORRUPT, "not a whole number"},
        {"6=54", "7=3 6=54", VFI_ERROR_CORRUPT, "not a whole number"},
        {"0=2 1=3", "0=2147483648 1=3", VFI_ERROR_CORRUPT, "not a whole number"},
        {"layer_1 1 1", "layer_1 -1 1", VFI_ERROR_CORRUPT, "a number of inputs"},
        {"layer_1 1 1", "layer_1 1 9999", VFI_ERROR_CORRUPT, "the name of a blob"},
        {"layer_1 1 1", "layer_1 1 1e9", VFI_ERROR_CORRUPT, "a number of outputs"},
        {"0=1 1=1 2=6", "0=1 1=1 2=5", VFI_ERROR_UNSUPPORTED,
         "or the file is of another"},
        {"0=1 1=1 2=6", "0=4096 1=4096 2=4096", VFI_ERROR_UNSUPPORTED, "constants"},
        {"Concat                ", "MemoryData            ", VFI_ERROR_UNSUPPORTED,
         "flagged"},
        {"\n89 ", "\n90 ", VFI_ERROR_CORRUPT, "ends after 89 of 90 layers"},
        {"\n89 ", "\n0 ", VFI_ERROR_CORRUPT, "found the number \"0\""},
        {"\n89 ", "\n999999999999 ", VFI_ERROR_CORRUPT, "1 to 10000 layers"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        NcnnFile *file = ncnn_file_new(&toy, false);
        edit(file, cases[i].old, cases[i].new);
        assert_refused(file, cases[i].code, cases[i].text);
        ncnn_file_free(file);
    }
}
END_TEST

START_TEST(other_networks_are_refused_by_the_layer)
{
    static const struct {
        NcnnNetwork change; /* what is not 0 */
        const char *text;
    } cases[] = {
        {{.in_first = 14},
         "expected a convolution 13 → 3, stride 2, with leaky ReLU, found"},
        {{.in = 19}, "expected a convolution 18 → 2, stride 2"},
        {{.last = 28},
         "expected 5, 20, 24 or 52 channels, found a transposed convolution"},
        {{.groups = 3}, "found a convolution 6 → 6, stride 1, 3 groups"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        NcnnNetwork network = toy;
        const NcnnNetwork *change = &cases[i].change;
        if (change->groups != 0)
            network.groups = change->groups, network.width[1] = 6;
        if (change->in_first != 0)
            network.in_first = change->in_first;
        if (change->in != 0)
            network.in = change->in;
        if (change->last != 0)
            network.last = change->last;
        NcnnFile *file = ncnn_file_new(&network, false);
        assert_refused(file, VFI_ERROR_UNSUPPORTED, cases[i].text);
        ncnn_file_free(file);
    }
    NcnnFile *file = ncnn_file_new(&toy, false); /* an encoder for each frame */
    file->bin->data[4] ^= 1;
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "should have the weights of layer 2");
    ncnn_file_free(file);
}
END_TEST

/* Puts @tag before the weights of the first layer. */
static void flag(NcnnFile *file, guint32 tag)
{
    tag = GUINT32_TO_LE(tag);
    memcpy(file->bin->data, &tag, sizeof tag);
}

START_TEST(other_weights_are_refused_by_the_layer)
{
    NcnnFile *file = ncnn_file_new(&toy, false);

    flag(file, 0x000D4B38);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "layer 2 \"layer_1\" has int8 weights");
    flag(file, 0x00000100);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flagged 0x00000100");
    flag(file, 0x01306B47); /* not true */
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flagged");
    flag(file, 0x0002C056); /* plain f32, but the second encoder still has the tag 0 */
    g_autoptr(VfiCheckpoint) scaled = open_files(file, NULL);
    ck_assert_ptr_nonnull(scaled);
    assert_tensors(file, scaled, false);
    flag(file, 0);
    g_byte_array_append(file->bin, (const guint8 *)"more", 4);
    assert_refused(file, VFI_ERROR_CORRUPT, "not of one model");
    ncnn_file_free(file);
}
END_TEST

START_TEST(truncation_anywhere_is_an_error)
{
    NcnnFile *whole = ncnn_file_new(&toy, false);
    guint length = whole->bin->len;

    for (guint size = 0; size < length; size += size < 400 ? 3 : 397) {
        NcnnFile cut = *whole;
        GByteArray bytes = {.data = whole->bin->data, .len = size};
        cut.bin = &bytes;
        assert_refused(&cut, VFI_ERROR_CORRUPT,
                       size == 0 ? "empty" : "truncated, or of another model");
    }
    for (gsize size = 1; size < whole->param->len - 1; size += 13) {
        NcnnFile cut = *whole;
        GString text = {.str = whole->param->str, .len = size};
        g_autoptr(GError) error = NULL;
        cut.param = &text;
        g_autoptr(VfiCheckpoint) checkpoint = open_files(&cut, &error);
        ck_assert_ptr_null(checkpoint);
        ck_assert_ptr_nonnull(error);
    }
    ncnn_file_free(whole);
}
END_TEST

/* Seeded: what a structure says is believed nowhere. Sanitizers watch. */
START_TEST(damage_anywhere_is_an_error_or_harmless)
{
    static const char bytes[] = " \n=,-0123456789eSBMC_\xff";
    g_autoptr(GRand) random = g_rand_new_with_seed(7767517);
    NcnnNetwork network = toy;
    guint n_opened = 0;

    network.beta = NCNN_BETA_LINKED;
    network.n_head = 2;
    network.head_key = "encode.";
    for (int i = 0; i < 300; i++) {
        NcnnFile *file = ncnn_file_new(&network, i % 2 == 0);
        g_autoptr(GError) error = NULL;
        for (int k = g_rand_int_range(random, 1, 5); k > 0; k--)
            file->param->str[g_rand_int_range(random, 0, (gint32)file->param->len)] =
                bytes[g_rand_int_range(random, 0, sizeof bytes - 1)];
        g_autoptr(VfiCheckpoint) checkpoint = open_files(file, &error);
        ck_assert((checkpoint == NULL) == (error != NULL));
        n_opened += checkpoint != NULL;
        g_autofree char *shown = vfi_printable(error == NULL ? "" : error->message);
        ck_assert_str_eq(error == NULL ? "" : error->message, shown);
        ncnn_file_free(file);
    }
    ck_assert_uint_gt(n_opened, 0); /* names matter to nobody */
}
END_TEST

START_TEST(missing_parts_are_named)
{
    g_autofree char *param = g_build_filename(folder, "flownet.param", NULL);
    g_autofree char *bin = g_build_filename(folder, "flownet.bin", NULL);
    NcnnFile *file = ncnn_file_new(&toy, false);
    g_autoptr(GError) error = NULL;

    ncnn_file_write(file, folder);
    g_unlink(bin);
    ck_assert_ptr_null(vfi_checkpoint_open(param, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_ptr_nonnull(strstr(error->message, "flownet.bin"));
    g_clear_error(&error);
    ck_assert_ptr_null(vfi_model_open(param, NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    g_clear_error(&error);

    ncnn_file_write(file, folder);
    g_unlink(param);
    ck_assert_ptr_null(vfi_checkpoint_open(bin, &error));
    ck_assert_ptr_nonnull(strstr(error->message, ".param"));
    g_clear_error(&error);
    ck_assert_ptr_null(vfi_checkpoint_open(folder, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "directory"));
    g_clear_error(&error);
    ck_assert(g_file_set_contents(bin, "\xdd\x85\x76\0binary", 10, NULL));
    ck_assert_ptr_null(vfi_checkpoint_open(bin, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "binary form"));
    ncnn_file_free(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ncnn");
    TCase *tcase = tcase_create("ncnn");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, tensors_are_those_of_the_state_dict, 0,
                        G_N_ELEMENTS(networks));
    tcase_add_test(tcase, the_order_of_independent_layers_does_not_matter);
    tcase_add_test(tcase, models_that_are_not_read_say_what_to_take);
    tcase_add_test(tcase, what_stands_in_for_files_is_named);
    tcase_add_test(tcase, names_of_layers_are_quoted);
    tcase_add_test(tcase, betas_that_the_graph_does_not_give_are_missed);
    tcase_add_test(tcase, half_precision_is_read);
    tcase_add_test(tcase, a_model_opens_by_any_of_its_names);
    tcase_add_test(tcase, odd_structures_are_refused_by_the_layer);
    tcase_add_test(tcase, other_networks_are_refused_by_the_layer);
    tcase_add_test(tcase, other_weights_are_refused_by_the_layer);
    tcase_add_test(tcase, truncation_anywhere_is_an_error);
    tcase_add_test(tcase, damage_anywhere_is_an_error_or_harmless);
    tcase_add_test(tcase, missing_parts_are_named);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
