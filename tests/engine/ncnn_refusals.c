/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of ncnn that are no RIFE, damaged, quantised or incomplete are refused with the
 * layer's name. */
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "base/printable.h"
#include "check_main.h"
#include "ncnn_fixture.h"

/* Opens @file and wants an error of @code with @text in it. */
static void assert_refused(const NcnnFile *file, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(file, &error);

    ck_assert_msg(checkpoint == NULL, "not refused: %s", text);
    ck_assert_msg(g_error_matches(error, VFI_ERROR, code) &&
                      strstr(error->message, text) != NULL,
                  "\"%s\" should say \"%s\"", error->message, text);
    ck_assert(g_str_has_prefix(error->message, ncnn_folder));
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
    g_autofree char *outer = g_strdup(ncnn_folder);
    g_autofree char *inner = g_build_filename(ncnn_folder, name, NULL);

    ck_assert_int_eq(g_mkdir_with_parents(inner, 0700), 0);
    g_free(ncnn_folder);
    ncnn_folder = g_strdup(inner);
    assert_refused(file, code, text);
    g_free(ncnn_folder);
    ncnn_folder = g_strdup(outer);
}

static void assert_refused_in(const char *name, const NcnnFile *file, const char *text)
{
    assert_refused_with(name, file, VFI_ERROR_UNSUPPORTED, text);
}

/* As a clone without git lfs has them, and a download that was none. */
START_TEST(what_stands_in_for_files_is_named)
{
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\n";
    NcnnFile *file = ncnn_file_new(&ncnn_toy, false);

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
    NcnnNetwork twice = ncnn_toy, broken = ncnn_toy, old = ncnn_toy;

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
    g_autofree char *parts = g_build_filename(ncnn_folder, "rife-v2.3", NULL);
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
    file = ncnn_file_new(&ncnn_toy, false);
    edit(file, "Concat  ", "Pooling ");
    edit(file, "Sigmoid     ", "InnerProduct");
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "RIFE 1.x, 2.x, 3.0 or 3.1");
    ncnn_file_free(file);
}
END_TEST

START_TEST(names_of_layers_are_quoted)
{
    NcnnFile *file = ncnn_file_new(&ncnn_toy, false);

    edit(file, "layer_0 ", "lay\x1b[2J\xff\xe2\x80\xae ");
    edit(file, "Split  ", "\x1b]0;\a ");
    assert_refused(file, VFI_ERROR_UNSUPPORTED,
                   "layer 1 \"lay\\x1b[2J\\xff\\u202e\" of the ncnn model is of type "
                   "\"\\x1b]0;\\x07\"");
    ncnn_file_free(file);
    file = ncnn_file_new(&ncnn_toy, false);
    edit(file, "6=54", "6=\x1b[2J");
    assert_refused(file, VFI_ERROR_CORRUPT, "found \"6=\\x1b[2J\"");
    ncnn_file_free(file);
}
END_TEST

START_TEST(betas_that_the_graph_does_not_give_are_missed)
{
    NcnnNetwork network = ncnn_toy;

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
        NcnnFile *file = ncnn_file_new(&ncnn_toy, false);
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
        NcnnNetwork network = ncnn_toy;
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
    NcnnFile *file = ncnn_file_new(&ncnn_toy, false); /* an encoder for each frame */
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
    NcnnFile *file = ncnn_file_new(&ncnn_toy, false);

    flag(file, 0x000D4B38);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "layer 2 \"layer_1\" has int8 weights");
    flag(file, 0x00000100);
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flagged 0x00000100");
    flag(file, 0x01306B47); /* not true */
    assert_refused(file, VFI_ERROR_UNSUPPORTED, "flagged");
    flag(file, 0x0002C056); /* plain f32, but the second encoder still has the tag 0 */
    g_autoptr(VfiCheckpoint) scaled = ncnn_open(file, NULL);
    ck_assert_ptr_nonnull(scaled);
    ncnn_assert_tensors(file, scaled, false);
    flag(file, 0);
    g_byte_array_append(file->bin, (const guint8 *)"more", 4);
    assert_refused(file, VFI_ERROR_CORRUPT, "not of one model");
    ncnn_file_free(file);
}
END_TEST

START_TEST(truncation_anywhere_is_an_error)
{
    NcnnFile *whole = ncnn_file_new(&ncnn_toy, false);
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
        g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(&cut, &error);
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
    NcnnNetwork network = ncnn_toy;
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
        g_autoptr(VfiCheckpoint) checkpoint = ncnn_open(file, &error);
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
    g_autofree char *param = g_build_filename(ncnn_folder, "flownet.param", NULL);
    g_autofree char *bin = g_build_filename(ncnn_folder, "flownet.bin", NULL);
    NcnnFile *file = ncnn_file_new(&ncnn_toy, false);
    g_autoptr(GError) error = NULL;

    ncnn_file_write(file, ncnn_folder);
    g_unlink(bin);
    ck_assert_ptr_null(vfi_checkpoint_open(param, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_ptr_nonnull(strstr(error->message, "flownet.bin"));
    g_clear_error(&error);
    ck_assert_ptr_null(vfi_model_open(param, NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    g_clear_error(&error);

    ncnn_file_write(file, ncnn_folder);
    g_unlink(param);
    ck_assert_ptr_null(vfi_checkpoint_open(bin, &error));
    ck_assert_ptr_nonnull(strstr(error->message, ".param"));
    g_clear_error(&error);
    ck_assert_ptr_null(vfi_checkpoint_open(ncnn_folder, &error));
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
    Suite *suite = suite_create("ncnn_refusals");
    TCase *tcase = tcase_create("ncnn_refusals");

    tcase_add_checked_fixture(tcase, ncnn_setup, ncnn_teardown);
    tcase_add_test(tcase, models_that_are_not_read_say_what_to_take);
    tcase_add_test(tcase, what_stands_in_for_files_is_named);
    tcase_add_test(tcase, names_of_layers_are_quoted);
    tcase_add_test(tcase, betas_that_the_graph_does_not_give_are_missed);
    tcase_add_test(tcase, odd_structures_are_refused_by_the_layer);
    tcase_add_test(tcase, other_networks_are_refused_by_the_layer);
    tcase_add_test(tcase, other_weights_are_refused_by_the_layer);
    tcase_add_test(tcase, truncation_anywhere_is_an_error);
    tcase_add_test(tcase, damage_anywhere_is_an_error_or_harmless);
    tcase_add_test(tcase, missing_parts_are_named);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
