/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every level of the pixel functions gives the bits of the plain C one. */
#include <glib.h>

#include "check_main.h"
#include "machine/cpu_level.h"
#include "pixels/level.h"
#include "pixels_field.h"

static const int sizes[][2] = {{1, 1}, {3, 5}, {66, 50}, {519, 3}};

/* Frames with noise, a field, and room for the output of two levels. */
typedef struct {
    VfiVideoInfo info;
    TestFrame a, b, plain, fast;
    TestField field;
    size_t n;
    float *plain_rgb, *fast_rgb;
} Bench;

static Bench bench_new(VfiFormat format, int width, int height, bool reference_borders)
{
    Bench bench = {.info = {.format = format, .width = width, .height = height}};

    bench.a = test_frame_new(&bench.info, LAYOUT_TIGHT);
    bench.b = test_frame_new(&bench.info, LAYOUT_BOTTOM_UP);
    bench.plain = test_frame_new(&bench.info, LAYOUT_PADDED);
    bench.fast = test_frame_new(&bench.info, LAYOUT_PADDED);
    bench.field = test_field_new(&bench.info, reference_borders);
    fill_noise(&bench.a, 1);
    fill_noise(&bench.b, 2);
    fill_field_noise(&bench.field, 15, 3);
    bench.n = 3 * (size_t)width * (size_t)height;
    bench.plain_rgb = calloc(bench.n, sizeof(float));
    bench.fast_rgb = calloc(bench.n, sizeof(float));
    return bench;
}

static void bench_free(Bench *bench)
{
    test_frame_free(&bench->a);
    test_frame_free(&bench->b);
    test_frame_free(&bench->plain);
    test_frame_free(&bench->fast);
    test_field_free(&bench->field);
    free(bench->plain_rgb);
    free(bench->fast_rgb);
}

static void assert_same_frames(const Bench *bench, const char *what)
{
    for (int plane = 0; plane < vfi_format_planes(bench->info.format); plane++)
        if (memcmp(bench->plain.block[plane], bench->fast.block[plane],
                   bench->plain.size[plane]) != 0)
            ck_abort_msg("%s %s %dx%d differs", what,
                         vfi_format_to_string(bench->info.format), bench->info.width,
                         bench->info.height);
}

/* Of frames that have single samples in common, and some columns, over a motion that
 * leads everywhere. */
static void find_overlays(Bench *bench, VfiOverlayRun *run, VfiOverlayFinder *finder,
                          void *memory)
{
    vfi_overlay_init(finder, &bench->info, memory);
    vfi_overlay_begin(finder);
    vfi_overlay_note_field(finder, &bench->field.field, 0, bench->info.height);
    vfi_overlay_judge(finder);
    for (int i = 0; i < finder->blocks_x * finder->blocks_y; i++)
        finder->blocks[i].is_candidate = i % 7 != 0;
    for (int pass = 0; pass < (int)VFI_OVERLAY_PASSES; pass++) {
        run(finder, (VfiOverlayPass)pass, &bench->info, &bench->a.frame, &bench->b.frame,
            0, bench->info.height);
        if (pass == (int)VFI_OVERLAY_JUDGE)
            memset(finder->verdicts, VFI_OVERLAY_YES,
                   (size_t)finder->cells_x * (size_t)finder->cells_y);
    }
}

static void assert_same_overlays(Bench *bench)
{
    const VfiFrame *a = &bench->a.frame, *b = &bench->b.frame;
    size_t bytes = vfi_overlay_bytes(&bench->info);
    g_autofree char *memory = g_malloc0(bytes), *other = g_malloc0(bytes);
    VfiOverlayFinder plain, fast;

    find_overlays(bench, vfi_overlay_run_c, &plain, memory);
    find_overlays(bench, vfi_overlay_run_avx2, &fast, other);
    for (int y = 0; y < bench->info.height; y++)
        ck_assert_mem_eq(plain.kept + (size_t)y * plain.row,
                         fast.kept + (size_t)y * fast.row, (size_t)bench->info.width);
    fill_noise(&bench->plain, 5);
    fill_noise(&bench->fast, 5);
    for (size_t i = 0; i < plain.row * (size_t)bench->info.height; i++)
        plain.kept[i] = (uint8_t)(i * i);
    const VfiKeep keep = {.mask = {plain.kept}, .stride = {plain.row}};
    vfi_pixels_keep_c(&bench->info, a, b, 0.3, &keep, &bench->plain.frame, 0,
                      bench->info.height);
    vfi_pixels_keep_avx2(&bench->info, a, b, 0.3, &keep, &bench->fast.frame, 0,
                         bench->info.height);
    assert_same_frames(bench, "keep");
}

START_TEST(levels_agree)
{
#ifdef VFI_PIXELS_HAVE_AVX2
    if (vfi_cpu_level_of_machine() < VFI_CPU_LEVEL_AVX2)
        return;
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(sizes); i++) {
        const int width = sizes[i / 2][0], height = sizes[i / 2][1];
        Bench x = bench_new((VfiFormat)_i, width, height, i % 2 != 0);
        const VfiFrame *a = &x.a.frame, *b = &x.b.frame;
        const VfiFrame *plain = &x.plain.frame, *fast = &x.fast.frame;
        const VfiRgbPicture painted = test_rgb_picture(x.plain_rgb, width, height);

        vfi_pixels_blend_c(&x.info, a, b, 0.3, plain, 0, height);
        vfi_pixels_blend_avx2(&x.info, a, b, 0.3, fast, 0, height);
        assert_same_frames(&x, "blend");
        vfi_pixels_warp_blend_c(&x.info, a, b, &x.field.field, plain, 0, height);
        vfi_pixels_warp_blend_avx2(&x.info, a, b, &x.field.field, fast, 0, height);
        assert_same_frames(&x, "warp_blend");
        vfi_pixels_prepare_c(&x.info, a, x.plain_rgb, width, height, VFI_PAD_ZEROS, 0,
                             height);
        vfi_pixels_prepare_avx2(&x.info, a, x.fast_rgb, width, height, VFI_PAD_ZEROS, 0,
                                height);
        ck_assert_mem_eq(x.plain_rgb, x.fast_rgb, x.n * sizeof(float));
        vfi_pixels_rgb_to_planes_c(&x.info, &painted, a, b, 0.3, plain, 0, height);
        vfi_pixels_rgb_to_planes_avx2(&x.info, &painted, a, b, 0.3, fast, 0, height);
        assert_same_frames(&x, "rgb_to_planes");
        vfi_pixels_grid_c(&x.info, a, VFI_GRID_LUMA, _i % 4, x.plain_rgb, (size_t)width,
                          0, (height + 7) / 8);
        vfi_pixels_grid_avx2(&x.info, a, VFI_GRID_LUMA, _i % 4, x.fast_rgb, (size_t)width,
                             0, (height + 7) / 8);
        ck_assert_mem_eq(x.plain_rgb, x.fast_rgb, x.n * sizeof(float));
        assert_same_overlays(&x);
        bench_free(&x);
    }
#else
    ck_assert_int_eq(vfi_cpu_level_of_machine(), VFI_CPU_LEVEL_C);
#endif
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pixels_levels");
    TCase *tcase = tcase_create("pixels_levels");
    tcase_add_loop_test(tcase, levels_agree, VFI_FORMAT_UNKNOWN + 1, VFI_FORMAT_COUNT);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
