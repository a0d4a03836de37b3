/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of chosen engines: what is kept comes back in another process, damage does no harm. */
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "check_main.h"
#include "conv.h"

#define SHAPE "conv f16 8x2x3:8 to 16x2x3:16 kernel 3x3 stride 1 pad 1,1,1,1 groups 1"
#define OTHER "deconv f32 8x2x3:0 to 16x4x6:0 kernel 4x4 stride 2 pad 1,1,1,1 groups 1"
#define FILE_NAME "cudnn-91900-sm_86-NVIDIA-Some-GPU--12GB-.ini"

static const VfiCudaConvChoice first = {
    .engine = 51,
    .n_knobs = 3,
    .knobs = {{2, 1}, {14, 3}, {18, -1}},
};
static const VfiCudaConvChoice plain = {.engine = 0};

/* The cache folder of all tests: GLib asks for it once a process. */
static char *folder;

static void tear_down(void)
{
    g_autofree char *file = g_build_filename(folder, "vfi", FILE_NAME, NULL);
    g_autofree char *inner = g_build_filename(folder, "vfi", NULL);

    g_unlink(file);
    g_rmdir(inner);
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

/* A file where the folder should be: the reason, and choices stay in memory. */
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
    int result = check_main(suite);
    g_rmdir(folder);
    g_free(folder);
    return result;
}
