/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paint against the formulas in double precision, and as prepare's inverse. */
#include <glib.h>

#include "check_main.h"
#include "pixels/pixels.h"
#include "pixels_formula.h"

/* An RGB picture, 3 × height × width, partly outside [0,1]. */
typedef struct {
    int width, height;
    float *value;
} Picture;

static Picture picture_new(int width, int height, uint32_t seed)
{
    size_t n = 3 * (size_t)width * (size_t)height;
    Picture picture = {width, height, malloc(n * sizeof(float))};

    for (size_t i = 0; i < n; i++)
        picture.value[i] = (float)(noise(&seed) / 16777216.0 * 1.4 - 0.2);
    return picture;
}

static double channel_at(const Picture *picture, const VfiVideoInfo *info, int channel,
                         int x, int y)
{
    x = (int)clamp_to(x, 0, info->width - 1);
    y = (int)clamp_to(y, 0, info->height - 1);
    size_t row = (size_t)channel * (size_t)picture->height + (size_t)y;
    double value = (double)picture->value[row * (size_t)picture->width + (size_t)x];
    return info->format == VFI_FORMAT_RGB_F32 ? value : clamp_to(value, 0, 1);
}

/* Channel filtered to the site of sample (x, y) of a component. */
static double channel_at_site(const Picture *picture, const VfiVideoInfo *info,
                              int channel, const VfiComponent *component, int x, int y)
{
    const double single[3] = {0, 1, 0}, between[3] = {0, .5, .5}, on[3] = {.25, .5, .25};
    const bool on_x = ((int)info->chroma_site & 1) != 0;
    const bool on_y = ((int)info->chroma_site & 2) != 0;
    const double *wx = component->shift_x == 0 ? single : on_x ? on : between;
    const double *wy = component->shift_y == 0 ? single : on_y ? on : between;
    double sum = 0;

    for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++)
            sum += wx[i + 1] * wy[j + 1] *
                   channel_at(picture, info, channel, (x << component->shift_x) + i,
                              (y << component->shift_y) + j);
    return sum;
}

/* The code, not yet rounded, that @rgb has in component @c. */
static double code_of_rgb(const VfiVideoInfo *info, int c, const double rgb[3])
{
    double offset, span, kr, kb;

    luma_quantisation(info, &offset, &span);
    luma_coefficients(info, &kr, &kb);
    double luma = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
    if (vfi_format_describe(info->format)->colour == VFI_FAMILY_RGB)
        return offset + span * rgb[c];
    if (c == 0)
        return offset + span * luma;
    chroma_quantisation(info, &offset, &span);
    double difference =
        c == 1 ? (rgb[2] - luma) / 2 / (1 - kb) : (rgb[0] - luma) / 2 / (1 - kr);
    return clamp_to(offset + span * difference, 0, largest_code(info->format));
}

static void assert_painted(const TestFrame *out, const Picture *picture)
{
    const VfiFormatDescription *format = vfi_format_describe(out->info.format);

    for (int c = 0; c < MIN(format->n_components, 3); c++)
        for (int y = 0; y < component_height(&out->info, c); y++)
            for (int x = 0; x < component_width(&out->info, c); x++) {
                double rgb[3];
                for (int channel = 0; channel < 3; channel++)
                    rgb[channel] = channel_at_site(picture, &out->info, channel,
                                                   &format->component[c], x, y);
                /* Nearest, with room for f32 beside a half. */
                assert_code(out, c, x, y, code_of_rgb(&out->info, c, rgb),
                            format->depth == 32
                                ? 1e-6
                                : 0.5005 + rounding_slack(out->info.format));
            }
}

START_TEST(rgb_to_planes_follows_the_formulas)
{
    const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {66, 50}, {519, 3}};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int site = 0; site < 12; site++) {
            const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                       .width = sizes[s][0],
                                       .height = sizes[s][1],
                                       .matrix = (VfiMatrix)(site % 6),
                                       .range = (VfiRange)(site % 3),
                                       .chroma_site = (VfiChromaSite)(site % 4)};
            TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
            TestFrame out = test_frame_new(&info, (Layout)(site % LAYOUT_COUNT));
            Picture picture = picture_new(info.width + 5, info.height + 3, 9);
            const VfiRgbPicture painted =
                test_rgb_picture(picture.value, picture.width, picture.height);
            fill_noise(&a, 1);
            for (int y = 0; y < info.height; y += 2)
                vfi_pixels_rgb_to_planes(&info, &painted, &a.frame, &a.frame, 0.5,
                                         &out.frame, y, MIN(y + 2, info.height));
            assert_painted(&out, &picture);
            assert_filler(&out);
            test_frame_assert_guards(&out);
            free(picture.value);
            test_frame_free(&a);
            test_frame_free(&out);
        }
}
END_TEST

START_TEST(round_trip_returns_the_picture)
{
    const VfiFormat formats[] = {
        VFI_FORMAT_Y444,      VFI_FORMAT_Y444_10LE, VFI_FORMAT_GRAY8,
        VFI_FORMAT_RGB,       VFI_FORMAT_XBGR,      VFI_FORMAT_BGRA,
        VFI_FORMAT_GBR,       VFI_FORMAT_RGB_F32,   VFI_FORMAT_AYUV,
        VFI_FORMAT_NV24,      VFI_FORMAT_GBR_10LE,  VFI_FORMAT_GBRA_10LE,
        VFI_FORMAT_Y444_12LE, VFI_FORMAT_Y444_16LE, VFI_FORMAT_GRAY16_LE,
        VFI_FORMAT_GBR_12LE,  VFI_FORMAT_Y412_LE,   VFI_FORMAT_AYUV64,
        VFI_FORMAT_ARGB64,    VFI_FORMAT_BGRA64_LE};

    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        VfiVideoInfo info = {.format = formats[f], .width = 67, .height = 31};
        const bool exact = vfi_format_describe(info.format)->colour != VFI_FAMILY_YUV;
        TestFrame source = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame legal = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame out = test_frame_new(&info, LAYOUT_PADDED);
        float *rgb = malloc(sizeof *rgb * 3 * 67 * 31);
        const VfiRgbPicture painted = test_rgb_picture(rgb, 67, 31);

        /* Noise in YCbCr leaves the RGB cube: what is painted once stays inside. */
        fill_noise(&source, 5);
        vfi_pixels_prepare(&info, &source.frame, rgb, 67, 31, VFI_PAD_ZEROS, 0, 31);
        vfi_pixels_rgb_to_planes(&info, &painted, &source.frame, &source.frame, 0,
                                 &legal.frame, 0, 31);
        vfi_pixels_prepare(&info, &legal.frame, rgb, 67, 31, VFI_PAD_ZEROS, 0, 31);
        vfi_pixels_rgb_to_planes(&info, &painted, &source.frame, &source.frame, 0,
                                 &out.frame, 0, 31);
        for (int c = 0; c < vfi_format_describe(info.format)->n_components; c++)
            for (int y = 0; y < 31; y++)
                for (int x = 0; x < 67; x++) {
                    assert_code(&out, c, x, y, get_code(&legal, c, x, y), exact ? 0 : 1);
                    if (exact)
                        assert_code(&out, c, x, y, get_code(&source, c, x, y), 0);
                }
        free(rgb);
        test_frame_free(&source);
        test_frame_free(&legal);
        test_frame_free(&out);
    }
}
END_TEST

START_TEST(alpha_is_the_blend_of_the_frames)
{
    const VfiFormat formats[] = {
        VFI_FORMAT_RGBA,      VFI_FORMAT_ARGB,      VFI_FORMAT_BGRA,
        VFI_FORMAT_ABGR,      VFI_FORMAT_AYUV,      VFI_FORMAT_VUYA,
        VFI_FORMAT_A420,      VFI_FORMAT_AV12,      VFI_FORMAT_GBRA,
        VFI_FORMAT_A420_10LE, VFI_FORMAT_A444_10LE, VFI_FORMAT_GBRA_10LE,
        VFI_FORMAT_GBRA_12LE, VFI_FORMAT_A444_16LE, VFI_FORMAT_Y412_LE,
        VFI_FORMAT_AYUV64,    VFI_FORMAT_ARGB64,    VFI_FORMAT_RGBA64_LE};

    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        const VfiVideoInfo info = {.format = formats[f], .width = 9, .height = 4};
        TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame out = test_frame_new(&info, LAYOUT_TIGHT);
        Picture picture = picture_new(9, 4, 2);
        const VfiRgbPicture painted =
            test_rgb_picture(picture.value, picture.width, picture.height);

        fill_noise(&a, 3);
        fill_noise(&b, 4);
        vfi_pixels_rgb_to_planes(&info, &painted, &a.frame, &b.frame, 0.25, &out.frame, 0,
                                 4);
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 9; x++)
                assert_code(&out, 3, x, y,
                            floor(get_code(&a, 3, x, y) * 0.75 +
                                  get_code(&b, 3, x, y) * 0.25 + 0.5),
                            0);
        free(picture.value);
        test_frame_free(&a);
        test_frame_free(&b);
        test_frame_free(&out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pixels_rgb_to_planes");
    TCase *tcase = tcase_create("pixels_rgb_to_planes");
    tcase_add_loop_test(tcase, rgb_to_planes_follows_the_formulas, VFI_FORMAT_UNKNOWN + 1,
                        VFI_FORMAT_COUNT);
    tcase_add_test(tcase, round_trip_returns_the_picture);
    tcase_add_test(tcase, alpha_is_the_blend_of_the_frames);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
