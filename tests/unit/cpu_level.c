/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFI_CPU caps the level. The variable is read once a process; Check forks for each
 * test. */
#include <stdlib.h>
#include <string.h>

#include <vfi/log.h>

#include "check_main.h"
#include "machine/cpu_level.h"

static int warnings;
static char *last_warning;

static void count_warning(VfiLogLevel level, const char *message, void *user_data)
{
    (void)user_data;
    if (level != VFI_LOG_WARNING)
        return;
    warnings++;
    g_free(last_warning);
    last_warning = g_strdup(message);
}

static VfiCpuLevel level_with(const char *value)
{
    vfi_set_log_func(count_warning, NULL);
    if (value != NULL)
        setenv("VFI_CPU", value, 1);
    else
        unsetenv("VFI_CPU");
    return vfi_cpu_level();
}

START_TEST(without_the_variable_the_machine_decides)
{
    ck_assert_int_eq(level_with(_i == 0 ? NULL : ""), vfi_cpu_level_of_machine());
    ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(the_variable_caps_the_level)
{
    VfiCpuLevel cap = (VfiCpuLevel)_i;
    VfiCpuLevel expected = MIN(cap, vfi_cpu_level_of_machine());

    ck_assert_int_eq(level_with(vfi_cpu_level_to_string(cap)), expected);
    ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(an_unknown_value_is_one_warning)
{
    ck_assert_int_eq(level_with("sse9"), vfi_cpu_level_of_machine());
    ck_assert_int_eq(vfi_cpu_level(), vfi_cpu_level_of_machine());
    ck_assert_int_eq(warnings, 1);
    ck_assert_ptr_nonnull(strstr(last_warning, "sse9"));
    ck_assert_ptr_nonnull(strstr(last_warning, "c, avx2, avx512"));
}
END_TEST

START_TEST(the_variable_is_read_once)
{
    VfiCpuLevel level = level_with("c");
    setenv("VFI_CPU", "avx512", 1);
    ck_assert_int_eq(level, VFI_CPU_LEVEL_C);
    ck_assert_int_eq(vfi_cpu_level(), VFI_CPU_LEVEL_C);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_level");
    TCase *tcase = tcase_create("cpu_level");
    tcase_add_loop_test(tcase, without_the_variable_the_machine_decides, 0, 2);
    tcase_add_loop_test(tcase, the_variable_caps_the_level, 0, 3);
    tcase_add_test(tcase, an_unknown_value_is_one_warning);
    tcase_add_test(tcase, the_variable_is_read_once);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
