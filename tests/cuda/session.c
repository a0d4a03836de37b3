/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions on the simulated device against the CPU's, through the public calls: families,
 * formats, tiles; whatever order the device does things in, and whatever else goes on. */
#include <stdio.h>
#include <string.h>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "check_main.h"
#include "device_clip.h"
#include "format.h"
#include "open_family.h"
#include "simulated_device.h"

/* Largest and mean |difference| to the CPU's f32, where 1 is the range of code values. Sums in
 * another order are what f32 may show. Deterministic weights amplify what layers lose to f16 and
 * tf32 (10 bits of mantissa: 5e-4) about 40 times; code values of 8 bits add half of 4e-3. */
#define F32_MAX 1e-4
#define SHORT_MAX 2e-2
#define SHORT_MEAN 5e-4
#define CODE_OF_8_BITS (1.0 / 255)

static VfiModel *open_model(const char *family, const char *options)
{
    return strcmp(family, "blend") == 0 ? vfi_model_open("blend", NULL, NULL)
                                        : open_family(family, options);
}

static double largest_rounding(VfiFormat format)
{
    const VfiFormatDescription *description = vfi_format_describe(format);

    return description->depth == 32 ? 0.0 : 1.0 / ((1 << description->depth) - 1);
}

/* Plays on the CPU and on the device, and compares. */
static void compare_devices(VfiModel *model, VfiSessionConfig config, const Clip *clip,
                            int n_times, const char *what)
{
    bool exact = config.precision == VFI_PRECISION_F32;
    double rounding = largest_rounding(clip->video.format);
    VfiSessionConfig on_cpu = config;

    on_cpu.device = "cpu";
    on_cpu.precision = VFI_PRECISION_F32;
    on_cpu.feature_storage = VFI_FEATURE_STORAGE_F32;
    config.device = "cuda";
    if (exact)
        config.feature_storage = VFI_FEATURE_STORAGE_F32;
    g_autoptr(Clip) expected = clip_interpolate(model, &on_cpu, clip, n_times);
    g_autoptr(Clip) made = clip_interpolate(model, &config, clip, n_times);
    ClipDifference difference = clip_compare(expected, made);
    if (g_getenv("VFI_TEST_TELL") != NULL)
        fprintf(stderr, "%s: max %.2e, mean %.2e\n", what, difference.max,
                difference.mean);
    if (!(difference.max <= (exact ? F32_MAX : SHORT_MAX) + rounding) ||
        !(difference.mean <= (exact ? F32_MAX : SHORT_MEAN + 0.05 * rounding)))
        ck_abort_msg("%s: max %.2e, mean %.2e", what, difference.max, difference.mean);
}

/* ---- families ------------------------------------------------------------------------- */

static const struct {
    const char *family, *options;
    VfiPrecision precision;
    VfiFormat format;
    int width, height, n_times;
    unsigned tile_size;
} cases[] = {
    {"rife_v4_0", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 70, 45, 1, 0},
    {"rife_v4_2", NULL, VFI_PRECISION_TF32, VFI_FORMAT_RGB_F32, 64, 64, 2, 0},
    {"rife_v4_7", NULL, VFI_PRECISION_F16, VFI_FORMAT_NV12, 64, 48, 2, 0},
    {"rife_v4_22_lite", NULL, VFI_PRECISION_F16, VFI_FORMAT_P010_10LE, 66, 50, 2, 0},
    {"rife_v4_25_lite", NULL, VFI_PRECISION_TF32, VFI_FORMAT_RGBA, 61, 33, 1, 0},
    {"rife_v3_6", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 63, 47, 3, 0},
    {"film_tiny", NULL, VFI_PRECISION_F16, VFI_FORMAT_RGB_F32, 64, 64, 1, 0},
    {"film_tiny", "{'timestep-mode': <'direct'>}", VFI_PRECISION_TF32, VFI_FORMAT_I420,
     65, 63, 2, 0},
    {"ifrnet_s", NULL, VFI_PRECISION_F16, VFI_FORMAT_NV12, 64, 64, 2, 0},
    {"rife_v4_25_lite", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 400, 300, 1, 256},
    {"ifrnet_s", NULL, VFI_PRECISION_F16, VFI_FORMAT_RGBA, 400, 64, 1, 256},
};

START_TEST(a_session_matches_the_cpu)
{
    g_autoptr(VfiModel) model = open_model(cases[_i].family, cases[_i].options);
    g_autoptr(Clip) clip = clip_new(cases[_i].format, cases[_i].width, cases[_i].height,
                                    cases[_i].tile_size != 0 ? 2 : 3);
    const VfiSessionConfig config = {.precision = cases[_i].precision,
                                     .tile_size = cases[_i].tile_size};
    g_autofree char *what = g_strdup_printf(
        "%s %s %s %d×%d", cases[_i].family, vfi_precision_to_string(cases[_i].precision),
        vfi_format_to_string(cases[_i].format), cases[_i].width, cases[_i].height);

    compare_devices(model, config, clip, cases[_i].n_times, what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");

    tcase_add_loop_test(tcase, a_session_matches_the_cpu, 0, (int)G_N_ELEMENTS(cases));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
