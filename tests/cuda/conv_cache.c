/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of chosen engines: another process finds what was kept, and damage does no
 * harm. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "check_main.h"
#include "conv/choice_cache.h"
#include "temporary_folder.h"

#define SHAPE "conv f16 8x2x3:8 to 16x2x3:16 kernel 3x3 stride 1 pad 1,1,1,1 groups 1"
#define OTHER                                                                            \
    "conv_transpose f32 8x2x3:0 to 16x4x6:0 kernel 4x4 stride 2 pad 1,1,1,1 groups 1"
#define FILE_NAME "cudnn-91900-sm_86-NVIDIA-Some-GPU--12GB-.ini"

static const VfiCudaConvChoice first = {
    .engine = 51,
    .n_knobs = 3,
    .knobs = {{2, 1}, {14, 3}, {18, -1}},
};
static const VfiCudaConvChoice plain = {.engine = 0};

/* The cache folder of all tests. */
static char *folder;

static void tear_down(void)
{
    g_autofree char *inner = g_build_filename(folder, "vfi", NULL);

    folder_remove(inner);
}

static VfiCudaConvCache *open_cache(void)
{
    return vfi_cuda_conv_cache_new("NVIDIA Some/GPU (12GB)", 8, 6, 91900);
}

static bool has(VfiCudaConvCache *cache, const char *key, const VfiCudaConvChoice *choice)
{
    VfiCudaConvChoice found;

    if (!vfi_cuda_conv_cache_find(cache, key, &found) || found.engine != choice->engine ||
        found.n_knobs != choice->n_knobs)
        return false;
    for (int i = 0; i < found.n_knobs; i++)
        if (found.knobs[i].type != choice->knobs[i].type ||
            found.knobs[i].value != choice->knobs[i].value)
            return false;
    return true;
}

START_TEST(choices_are_kept)
{
    VfiCudaConvCache *cache = open_cache(), *again;

    ck_assert(!has(cache, SHAPE, &first));
    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    vfi_cuda_conv_cache_keep(cache, OTHER, &plain);
    ck_assert(has(cache, SHAPE, &first));
    again = open_cache(); /* not saved yet */
    ck_assert(!has(again, SHAPE, &first));
    vfi_cuda_conv_cache_free(again);
    ck_assert(vfi_cuda_conv_cache_save(cache, NULL));
    vfi_cuda_conv_cache_free(cache);

    again = open_cache();
    ck_assert(has(again, SHAPE, &first));
    ck_assert(has(again, OTHER, &plain));
    vfi_cuda_conv_cache_free(again);
    g_autofree char *file = g_build_filename(folder, "vfi", FILE_NAME, NULL);
    ck_assert(g_file_test(file, G_FILE_TEST_IS_REGULAR));
}
END_TEST

START_TEST(processes_keep_each_others_choices)
{
    VfiCudaConvCache *one = open_cache(), *two = open_cache();

    vfi_cuda_conv_cache_keep(one, SHAPE, &first);
    vfi_cuda_conv_cache_keep(two, OTHER, &plain);
    ck_assert(vfi_cuda_conv_cache_save(one, NULL));
    ck_assert(vfi_cuda_conv_cache_save(two, NULL));
    vfi_cuda_conv_cache_free(one);
    vfi_cuda_conv_cache_free(two);
    one = open_cache();
    ck_assert(has(one, SHAPE, &first) && has(one, OTHER, &plain));
    vfi_cuda_conv_cache_free(one);
}
END_TEST

static const char *const damaged[] = {
    "",
    "\x7f"
    "ELF\x02\x01\x01",
    "[convolutions",
    "[convolutions]\n" SHAPE "=\n",
    "[convolutions]\n" SHAPE "=x\n",
    "[convolutions]\n" SHAPE "=-1\n",
    "[convolutions]\n" SHAPE "=51 2\n",
    "[convolutions]\n" SHAPE "=51 2=\n",
    "[convolutions]\n" SHAPE "=51 2=1 =3\n",
    "[convolutions]\n" SHAPE "=51  2=1\n",
    "[convolutions]\n" SHAPE "=99999999999999999999\n",
    "[convolutions]\n" SHAPE "=51 2=99999999999\n",
    "[others]\n" SHAPE "=51 2=1 14=3 18=-1\n",
};

START_TEST(damage_does_no_harm)
{
    g_autofree char *inner = g_build_filename(folder, "vfi", NULL);
    g_autofree char *file = g_build_filename(inner, FILE_NAME, NULL);
    VfiCudaConvChoice found;

    ck_assert_int_eq(g_mkdir(inner, 0700), 0);
    ck_assert(g_file_set_contents(file, damaged[_i], -1, NULL));
    VfiCudaConvCache *cache = open_cache();
    ck_assert(!vfi_cuda_conv_cache_find(cache, SHAPE, &found));
    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    ck_assert(vfi_cuda_conv_cache_save(cache, NULL));
    vfi_cuda_conv_cache_free(cache);
    cache = open_cache();
    ck_assert(has(cache, SHAPE, &first));
    vfi_cuda_conv_cache_free(cache);
}
END_TEST

START_TEST(more_settings_than_there_can_be_are_refused)
{
    g_autoptr(GString) text = g_string_new("[convolutions]\n" SHAPE "=1");
    g_autofree char *inner = g_build_filename(folder, "vfi", NULL);
    g_autofree char *file = g_build_filename(inner, FILE_NAME, NULL);
    VfiCudaConvChoice found;

    for (int i = 0; i <= VFI_CUDA_CONV_MAX_KNOBS; i++)
        g_string_append_printf(text, " %d=0", i);
    ck_assert_int_eq(g_mkdir(inner, 0700), 0);
    ck_assert(g_file_set_contents(file, text->str, -1, NULL));
    VfiCudaConvCache *cache = open_cache();
    ck_assert(!vfi_cuda_conv_cache_find(cache, SHAPE, &found));
    vfi_cuda_conv_cache_free(cache);
}
END_TEST

/* There is a file in place of the folder: the error says so, and choices stay in
 * memory. */
START_TEST(what_cannot_be_written_is_no_failure)
{
    g_autofree char *inner = g_build_filename(folder, "vfi", NULL);
    g_autoptr(GError) error = NULL;
    VfiCudaConvCache *cache = open_cache();

    ck_assert(g_file_set_contents(inner, "x", -1, NULL));
    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    ck_assert(!vfi_cuda_conv_cache_save(cache, &error));
    ck_assert_ptr_nonnull(strstr(error->message, inner));
    ck_assert(has(cache, SHAPE, &first));
    vfi_cuda_conv_cache_free(cache);
    g_unlink(inner);
}
END_TEST

/* The file's path; its folder is made. */
static char *file_in_folder(void)
{
    g_autofree char *inner = g_build_filename(folder, "vfi", NULL);

    ck_assert_int_eq(g_mkdir(inner, 0700), 0);
    return g_build_filename(inner, FILE_NAME, NULL);
}

static void assert_nothing_is_read(void)
{
    VfiCudaConvChoice found;
    VfiCudaConvCache *cache = open_cache();

    ck_assert(!vfi_cuda_conv_cache_find(cache, SHAPE, &found));
    vfi_cuda_conv_cache_free(cache);
}

/* Keeps a choice; afterwards the file is ours and regular, and alone in its folder. */
static void assert_file_is_made(const char *file)
{
    g_autofree char *inner = g_path_get_dirname(file);
    g_autoptr(GDir) names = g_dir_open(inner, 0, NULL);
    VfiCudaConvCache *cache = open_cache();
    struct stat status;

    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    ck_assert(vfi_cuda_conv_cache_save(cache, NULL));
    vfi_cuda_conv_cache_free(cache);
    cache = open_cache();
    ck_assert(has(cache, SHAPE, &first));
    vfi_cuda_conv_cache_free(cache);
    ck_assert_int_eq(lstat(file, &status), 0);
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_str_eq(g_dir_read_name(names), FILE_NAME);
    ck_assert_ptr_null(g_dir_read_name(names));
}

START_TEST(a_file_is_for_its_owner_alone)
{
    g_autofree char *file = file_in_folder();
    mode_t mask = umask(0);

    ck_assert(g_file_set_contents(file, "[convolutions]\n" OTHER "=0\n", -1, NULL));
    ck_assert_int_eq(g_chmod(file, 0666), 0);
    assert_file_is_made(file);
    umask(mask);
    VfiCudaConvCache *cache = open_cache();
    ck_assert(has(cache, OTHER, &plain));
    vfi_cuda_conv_cache_free(cache);
}
END_TEST

/* Nobody writes to the FIFO: opening it would block for ever. */
START_TEST(a_fifo_is_not_waited_for)
{
    g_autofree char *file = file_in_folder();

    ck_assert_int_eq(mkfifo(file, 0600), 0);
    assert_nothing_is_read();
    assert_file_is_made(file);
}
END_TEST

/* What it points to is not overwritten, either. */
START_TEST(a_link_is_not_followed)
{
    static const char text[] = "[convolutions]\n" SHAPE "=51 2=1 14=3 18=-1\n";
    g_autofree char *file = file_in_folder();
    g_autofree char *target = g_build_filename(folder, "vfi", "target", NULL);
    g_autofree char *after = NULL;

    ck_assert(g_file_set_contents(target, text, -1, NULL));
    ck_assert_int_eq(symlink(_i == 0 ? target : "/dev/zero", file), 0);
    assert_nothing_is_read();
    VfiCudaConvCache *cache = open_cache();
    vfi_cuda_conv_cache_keep(cache, OTHER, &plain);
    ck_assert(vfi_cuda_conv_cache_save(cache, NULL));
    vfi_cuda_conv_cache_free(cache);
    ck_assert(g_file_get_contents(target, &after, NULL, NULL));
    ck_assert_str_eq(after, text);
    ck_assert(!g_file_test(file, G_FILE_TEST_IS_SYMLINK));
}
END_TEST

/* It is not read, although its beginning is valid; its holes would take 100 GB of
 * memory. */
START_TEST(a_file_that_is_too_large_is_not_read)
{
    static const off_t sizes[] = {(4 << 20) + 1, (off_t)100 << 30};
    g_autofree char *file = file_in_folder();

    ck_assert(g_file_set_contents(file, "[convolutions]\n" SHAPE "=51 2=1 14=3 18=-1\n#",
                                  -1, NULL));
    ck_assert_int_eq(truncate(file, sizes[_i]), 0);
    assert_nothing_is_read();
    assert_file_is_made(file);
}
END_TEST

START_TEST(a_folder_in_its_place_is_told)
{
    g_autofree char *file = file_in_folder();
    g_autofree char *inner = g_path_get_dirname(file);
    g_autoptr(GError) error = NULL;

    ck_assert_int_eq(g_mkdir(file, 0700), 0);
    assert_nothing_is_read();
    VfiCudaConvCache *cache = open_cache();
    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    ck_assert(!vfi_cuda_conv_cache_save(cache, &error));
    ck_assert_ptr_nonnull(strstr(error->message, file));
    ck_assert(has(cache, SHAPE, &first));
    vfi_cuda_conv_cache_free(cache);
    g_autoptr(GDir) names = g_dir_open(inner, 0, NULL);
    ck_assert_str_eq(g_dir_read_name(names), FILE_NAME);
    ck_assert_ptr_null(g_dir_read_name(names)); /* no temporary file is left */
}
END_TEST

START_TEST(a_choice_may_be_forgotten)
{
    VfiCudaConvChoice found;
    VfiCudaConvCache *cache = open_cache();

    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    vfi_cuda_conv_cache_keep(cache, OTHER, &plain);
    ck_assert(vfi_cuda_conv_cache_save(cache, NULL));
    vfi_cuda_conv_cache_keep(cache, SHAPE, NULL);
    ck_assert(!vfi_cuda_conv_cache_find(cache, SHAPE, &found));
    ck_assert(vfi_cuda_conv_cache_save(cache, NULL));
    vfi_cuda_conv_cache_free(cache);
    cache = open_cache();
    ck_assert(!vfi_cuda_conv_cache_find(cache, SHAPE, &found));
    ck_assert(has(cache, OTHER, &plain));
    vfi_cuda_conv_cache_keep(cache, SHAPE, &first);
    ck_assert(has(cache, SHAPE, &first));
    vfi_cuda_conv_cache_free(cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-conv_cache");
    TCase *tcase = tcase_create("cache");

    folder = g_dir_make_tmp("vfi-cache-XXXXXX", NULL);
    g_setenv("XDG_CACHE_HOME", folder, TRUE);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, choices_are_kept);
    tcase_add_test(tcase, processes_keep_each_others_choices);
    tcase_add_loop_test(tcase, damage_does_no_harm, 0, G_N_ELEMENTS(damaged));
    tcase_add_test(tcase, more_settings_than_there_can_be_are_refused);
    tcase_add_test(tcase, what_cannot_be_written_is_no_failure);
    tcase_add_test(tcase, a_file_is_for_its_owner_alone);
    tcase_add_test(tcase, a_fifo_is_not_waited_for);
    tcase_add_loop_test(tcase, a_link_is_not_followed, 0, 2);
    tcase_add_loop_test(tcase, a_file_that_is_too_large_is_not_read, 0, 2);
    tcase_add_test(tcase, a_folder_in_its_place_is_told);
    tcase_add_test(tcase, a_choice_may_be_forgotten);
    int result = check_main(suite);
    g_rmdir(folder);
    g_free(folder);
    return result;
}
