/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model "auto": the best RIFE on the search path, else the one that needs no file,
 * and one line of the log that says which. */
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "temporary_folder.h"

static char *folder;
static GPtrArray *lines; /* of the log, INFO and above */

static void keep_line(VfiLogLevel level, const char *message, void *user_data)
{
    (void)user_data;
    if (level <= VFI_LOG_INFO)
        g_ptr_array_add(lines, g_strdup(message));
}

static void setup(void)
{
    folder = g_dir_make_tmp("vfi-auto-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    g_setenv("VFI_MODEL_PATH", folder, TRUE);
    g_setenv("XDG_DATA_HOME", folder, TRUE);
    lines = g_ptr_array_new_with_free_func(g_free);
    vfi_set_log_func(keep_line, NULL);
}

static void teardown(void)
{
    vfi_set_log_func(NULL, NULL);
    g_ptr_array_unref(lines);
    folder_remove(folder);
    g_free(folder);
}

typedef VfiModel *(*Opener)(GVariant *options, GError **error);

static VfiModel *open_alone(GVariant *options, GError **error)
{
    return vfi_model_open("auto", options, error);
}

static VfiModel *open_shared(GVariant *options, GError **error)
{
    return vfi_model_cache_open("auto", options, NULL, error);
}

static const Opener openers[] = {open_alone, open_shared};

static void assert_says(const char *text)
{
    const char *line = g_ptr_array_index(lines, 0);

    ck_assert_msg(strstr(line, text) != NULL, "no \"%s\" in: %s", text, line);
}

/* Models of other families are on the path, and an archive that may be one of RIFE. */
START_TEST(without_a_rife_it_is_flow)
{
    static const char *const files[] = {"film_net.pt", "auto.pkl", "blend.pth",
                                        "RIFEv4.25_0919.zip"};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = g_build_filename(folder, files[i], NULL);
        ck_assert(g_file_set_contents(file, "", 0, NULL));
    }
    ck_assert(vfi_model_resolve("auto", &path, NULL));
    ck_assert_ptr_null(path);
    g_autoptr(VfiModel) model = openers[_i](NULL, &error);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    const VfiModelInfo *info = vfi_model_info(model);
    ck_assert_str_eq(info->name, "auto");
    ck_assert_str_eq(info->family, "flow");
    ck_assert_ptr_null(info->path);
    ck_assert_uint_eq(info->weight_bytes, 0);
    ck_assert_uint_eq(lines->len, 1);
    ck_assert_str_eq(g_ptr_array_index(lines, 0), info->note);
    assert_says("flow");
    assert_says(folder);
    assert_says("film_net.pt");
    assert_says("RIFEv4.25_0919.zip is an archive");
    assert_says("tools/get-models");
    assert_says("VFI_MODEL_PATH");
}
END_TEST

START_TEST(a_rife_on_the_path_is_preferred)
{
    g_autofree char *checkpoint = deterministic_checkpoint("rife_v4_0", NULL);
    g_autofree char *path = g_build_filename(folder, "rife-4.0.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize length;

    ck_assert(g_file_get_contents(checkpoint, &bytes, &length, NULL));
    ck_assert(g_file_set_contents(path, bytes, (gssize)length, NULL));
    g_unlink(checkpoint);
    g_autoptr(VfiModel) model = openers[_i](NULL, &error);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    const VfiModelInfo *info = vfi_model_info(model);
    ck_assert_str_eq(info->family, "rife");
    ck_assert_str_eq(info->path, path);
    ck_assert_uint_eq(lines->len, 1);
    ck_assert_str_eq(g_ptr_array_index(lines, 0), info->note);
    assert_says("rife 4.0");
    assert_says(path);
}
END_TEST

/* A file that was chosen and cannot be used is an error: nothing else is run in its
 * place. */
START_TEST(a_damaged_rife_is_an_error)
{
    g_autofree char *path = g_build_filename(folder, "rife-4.0.safetensors", NULL);
    g_autoptr(GError) error = NULL;

    ck_assert(g_file_set_contents(path, "nothing", -1, NULL));
    ck_assert_ptr_null(openers[_i](NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, path));
}
END_TEST

START_TEST(options_are_those_of_the_model_that_runs)
{
    GVariant *known = g_variant_new_parsed("{'quality': <'best'>}");
    GVariant *unknown = g_variant_new_parsed("{'ensemble': <true>}");
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = openers[_i](known, NULL);

    ck_assert_ptr_nonnull(model);
    ck_assert_ptr_null(openers[_i](unknown, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    ck_assert_ptr_nonnull(strstr(error->message, "quality (auto|fast|medium|best"));
}
END_TEST

START_TEST(models_that_are_named_have_no_note)
{
    g_autoptr(VfiModel) flow = vfi_model_open("flow", NULL, NULL);
    g_autoptr(VfiModel) blend = vfi_model_open("blend", NULL, NULL);

    ck_assert_ptr_null(vfi_model_info(flow)->note);
    ck_assert_ptr_null(vfi_model_info(blend)->note);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("auto");
    TCase *tcase = tcase_create("auto");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, without_a_rife_it_is_flow, 0, G_N_ELEMENTS(openers));
    tcase_add_loop_test(tcase, a_rife_on_the_path_is_preferred, 0, G_N_ELEMENTS(openers));
    tcase_add_loop_test(tcase, a_damaged_rife_is_an_error, 0, G_N_ELEMENTS(openers));
    tcase_add_loop_test(tcase, options_are_those_of_the_model_that_runs, 0,
                        G_N_ELEMENTS(openers));
    tcase_add_test(tcase, models_that_are_named_have_no_note);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
