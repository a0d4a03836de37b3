/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which models are listed, and what the list says of memory. */
#include <string.h>

#include <glib/gstdio.h>

#include "check_main.h"
#include "common/installed_models.h"
#include "temporary_folder.h"

static const VfiSessionConfig small = {
    .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 48},
    .device = "cpu",
};

static char *folder;

static void make_folder(void)
{
    folder = g_dir_make_tmp("installed-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    g_setenv("VFI_MODEL_PATH", folder, TRUE);
    g_setenv("XDG_DATA_HOME", folder, TRUE);
}

static void remove_folder(void)
{
    folder_remove(folder);
    g_free(folder);
}

static const InstalledModel *find(const GPtrArray *models, const char *name)
{
    for (guint i = 0; i < models->len; i++) {
        const InstalledModel *model = models->pdata[i];

        if (strcmp(model->name, name) == 0)
            return model;
    }
    return NULL;
}

START_TEST(models_without_a_file_are_always_there)
{
    g_autoptr(GPtrArray) models = installed_models_list(NULL);
    const InstalledModel *flow = find(models, "flow");

    ck_assert_ptr_nonnull(flow);
    ck_assert_ptr_nonnull(find(models, "blend"));
    ck_assert_ptr_null(flow->path);
    ck_assert_ptr_null(flow->problem);
    ck_assert_str_eq(flow->family, "flow");
    ck_assert_int_eq(flow->fit, MODEL_FIT_UNKNOWN);
    ck_assert_uint_eq(flow->memory_bytes, 0);
}
END_TEST

START_TEST(a_file_that_is_no_model_is_listed_with_the_reason)
{
    folder_write(folder, "rife-4.7.pkl", "this is no checkpoint");

    g_autoptr(GPtrArray) models = installed_models_list(&small);
    g_autofree char *path = g_build_filename(folder, "rife-4.7.pkl", NULL);
    g_autofree char *table = installed_models_table(models);
    const InstalledModel *broken = find(models, "rife-4.7");

    ck_assert_ptr_nonnull(broken);
    ck_assert_str_eq(broken->path, path);
    ck_assert_ptr_nonnull(broken->problem);
    ck_assert_int_eq(broken->fit, MODEL_FIT_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(table, broken->problem));
}
END_TEST

START_TEST(what_needs_more_than_is_free_does_not_fit)
{
    VfiSessionConfig config = small;
    g_autoptr(InstalledModel) fits = installed_model_new("flow", NULL, &config);

    ck_assert_int_eq(fits->fit, MODEL_FIT_WHOLE);
    ck_assert_uint_gt(fits->memory_bytes, 0);

    config.memory_headroom = G_MAXUINT64;
    g_autoptr(InstalledModel) none_free = installed_model_new("flow", NULL, &config);
    g_autoptr(GPtrArray) models = g_ptr_array_new();

    ck_assert_int_eq(none_free->fit, MODEL_FIT_NOT);
    ck_assert_uint_eq(none_free->memory_bytes, fits->memory_bytes);
    g_ptr_array_add(models, none_free);
    g_autofree char *table = installed_models_table(models);
    ck_assert_ptr_nonnull(strstr(table, "does not fit"));
}
END_TEST

START_TEST(options_and_sizes_that_are_refused_are_problems)
{
    VfiSessionConfig config = small;
    GVariant *options = g_variant_new_parsed("{'no-such-option': <true>}");
    g_autoptr(InstalledModel) refused = installed_model_new("flow", options, &config);

    config.video.width = 0;
    g_autoptr(InstalledModel) no_size = installed_model_new("blend", NULL, &config);

    ck_assert_ptr_nonnull(strstr(refused->problem, "no-such-option"));
    ck_assert_ptr_nonnull(no_size->problem);
    ck_assert_int_eq(no_size->fit, MODEL_FIT_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("installed_models");
    TCase *tcase = tcase_create("installed_models");

    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, models_without_a_file_are_always_there);
    tcase_add_test(tcase, a_file_that_is_no_model_is_listed_with_the_reason);
    tcase_add_test(tcase, what_needs_more_than_is_free_does_not_fit);
    tcase_add_test(tcase, options_and_sizes_that_are_refused_are_problems);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
