/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the environment may say to a program, and that a privileged one does not listen.
 * Each case is a process of its own: what is asked once stays. */
#include <string.h>

#include <vfi/model.h>
#include <vfi/system.h>

#include "base/environment.h"
#include "base/privilege.h"
#include "check_main.h"
#include "machine/cpu_level.h"

/* Stands in for the engine's. */
static bool privileged;

bool vfi_is_privileged(void)
{
    return privileged;
}

static void set_environment(void)
{
    g_setenv("HOME", "/home-of-the-test", TRUE);
    g_setenv("VFI_MODEL_PATH", "/models-of-the-test", TRUE);
    g_setenv("VFI_BACKEND_PATH", "/backend-of-the-test", TRUE);
    g_setenv("VFI_CPU", "c", TRUE);
    g_setenv("XDG_DATA_HOME", "/data-of-the-test", TRUE);
    g_setenv("XDG_CACHE_HOME", "/cache-of-the-test", TRUE);
}

static char *search_path(void)
{
    g_auto(GStrv) folders = vfi_model_search_path();

    return g_strjoinv(":", folders);
}

/* Whether all that can be seen of the engine has or lacks what the variables say. */
static void check_engine(bool listens)
{
    g_autofree char *path = search_path();
    VfiSystemInfo info;

    vfi_system_info(&info);
    ck_assert_int_eq(strstr(info.cuda, "/backend-of-the-test") != NULL, listens);
    ck_assert_int_eq(g_str_has_prefix(path, "/models-of-the-test:/data-of-the-test/vfi/"),
                     listens);
    ck_assert_int_eq(strstr(path, "-of-the-test") != NULL, listens);
    ck_assert_ptr_nonnull(strstr(path, "/usr/share/vfi/models"));
    ck_assert_int_eq(vfi_cpu_level() == VFI_CPU_LEVEL_C,
                     listens || vfi_cpu_level_of_machine() == VFI_CPU_LEVEL_C);
}

START_TEST(variables_are_listened_to)
{
    set_environment();
    check_engine(true);
}
END_TEST

START_TEST(a_privileged_program_does_not_listen)
{
    set_environment();
    privileged = true;
    check_engine(false);
    ck_assert_ptr_null(vfi_environment("VFI_CUDNN_PATH"));
    ck_assert_ptr_null(vfi_user_folder("XDG_CACHE_HOME", ".cache"));
    g_unsetenv("XDG_CACHE_HOME");
    ck_assert_ptr_null(vfi_user_folder("XDG_CACHE_HOME", ".cache"));
}
END_TEST

START_TEST(an_empty_variable_says_nothing)
{
    set_environment();
    g_setenv("VFI_BACKEND_PATH", "", TRUE);
    ck_assert_ptr_null(vfi_environment("VFI_BACKEND_PATH"));
    ck_assert_ptr_null(vfi_environment("VFI_NO_SUCH_VARIABLE"));
}
END_TEST

/* Value of the folder's variable and of HOME, and what is wanted. */
static const struct {
    const char *folder, *home, *wanted;
} folders[] = {
    {"/somewhere", "/home/user", "/somewhere"},
    {"", "/home/user", "/home/user/.cache"},
    {NULL, "/home/user", "/home/user/.cache"},
    {".", "/home/user", "/home/user/.cache"},
    {"cache", "/home/user", "/home/user/.cache"},
    {"cache", "here", NULL},
};

START_TEST(a_relative_folder_does_not_count)
{
    if (folders[_i].folder != NULL)
        g_setenv("XDG_CACHE_HOME", folders[_i].folder, TRUE);
    else
        g_unsetenv("XDG_CACHE_HOME");
    g_setenv("HOME", folders[_i].home, TRUE);
    g_autofree char *found = vfi_user_folder("XDG_CACHE_HOME", ".cache");
    ck_assert_pstr_eq(found, folders[_i].wanted);
}
END_TEST

START_TEST(an_empty_part_of_the_path_is_no_folder)
{
    g_setenv("XDG_DATA_HOME", "", TRUE);
    g_setenv("HOME", "/home/user", TRUE);
    g_setenv("VFI_MODEL_PATH", ":/a::/b:", TRUE);
    g_autofree char *path = search_path();
    ck_assert_str_eq(path, "/a:/b:/home/user/.local/share/vfi/models:"
                           "/usr/local/share/vfi/models:/usr/share/vfi/models");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unit-environment");
    TCase *tcase = tcase_create("environment");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, variables_are_listened_to);
    tcase_add_test(tcase, a_privileged_program_does_not_listen);
    tcase_add_test(tcase, an_empty_variable_says_nothing);
    tcase_add_loop_test(tcase, a_relative_folder_does_not_count, 0,
                        G_N_ELEMENTS(folders));
    tcase_add_test(tcase, an_empty_part_of_the_path_is_no_folder);
    return check_main(suite);
}
