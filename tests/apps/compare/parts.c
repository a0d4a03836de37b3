/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of vfi-compare that need no clip: metrics, times, which frames are shown, PNG. */
#include <math.h>
#include <string.h>

#include <zlib.h>

#include "check_main.h"
#include "common/clock_text.h"
#include "compare/choose.h"
#include "compare/clip.h"
#include "compare/metrics.h"
#include "compare/png.h"
#include "compare/report.h"
#include "compare/rgb.h"
#include "compare/triples.h"

enum { WIDTH = 13, HEIGHT = 11, N = WIDTH * HEIGHT };

/* Not even, and different for each @seed. */
static void fill(uint16_t *samples, unsigned peak, unsigned seed)
{
    for (unsigned i = 0; i < N; i++)
        samples[i] = (uint16_t)((i * 7919 + seed * 104729 + i * i * seed) % (peak + 1));
}

START_TEST(mse_is_in_units_of_the_peak)
{
    const uint16_t black[] = {0, 0}, white[] = {1023, 1023}, grey[] = {0, 1023};

    ck_assert_double_eq(metrics_mse(black, white, 2, 1023), 1);
    ck_assert_double_eq(metrics_mse(black, grey, 2, 1023), 0.5);
    ck_assert_double_eq_tol(metrics_psnr(0.001), 30, 1e-12);
    ck_assert(isinf(metrics_psnr(metrics_mse(grey, grey, 2, 1023))));
}
END_TEST

/* The definition in one window of 8×8, with sums of its own. */
static double ssim_of_window(const uint16_t *a, const uint16_t *b, double peak)
{
    double c1 = pow(0.01 * peak, 2), c2 = pow(0.03 * peak, 2);
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;

    for (int i = 0; i < 64; i++) {
        int at = i / 8 * WIDTH + i % 8;

        mean_a += a[at] / 64.0;
        mean_b += b[at] / 64.0;
    }
    for (int i = 0; i < 64; i++) {
        int at = i / 8 * WIDTH + i % 8;
        double from_a = a[at] - mean_a, from_b = b[at] - mean_b;

        aa += from_a * from_a / 63;
        bb += from_b * from_b / 63;
        ab += from_a * from_b / 63;
    }
    return (2 * mean_a * mean_b + c1) * (2 * ab + c2) /
           ((mean_a * mean_a + mean_b * mean_b + c1) * (aa + bb + c2));
}

static double ssim_by_definition(const uint16_t *a, const uint16_t *b, double peak)
{
    double total = 0, windows = 0;

    for (int top = 0; top + 8 <= HEIGHT / 4 * 4; top += 4) {
        for (int left = 0; left + 8 <= WIDTH / 4 * 4; left += 4) {
            int at = top * WIDTH + left;

            total += ssim_of_window(a + at, b + at, peak);
            windows++;
        }
    }
    return total / windows;
}

START_TEST(ssim_is_what_its_definition_says)
{
    static const unsigned peaks[] = {255, 1023, 65535};
    uint16_t a[N], b[N];

    for (size_t i = 0; i < G_N_ELEMENTS(peaks); i++) {
        fill(a, peaks[i], 1);
        fill(b, peaks[i], 2);
        ck_assert_double_eq_tol(metrics_ssim(a, b, WIDTH, HEIGHT, peaks[i]),
                                ssim_by_definition(a, b, peaks[i]), 1e-9);
        ck_assert_double_eq_tol(metrics_ssim(a, a, WIDTH, HEIGHT, peaks[i]), 1, 1e-9);
    }
    /* Too small for a window. */
    ck_assert_double_eq_tol(metrics_ssim(a, a, 1, 1, 255), 1, 1e-9);
    ck_assert_double_lt(metrics_ssim(a, b, 5, 3, 65535), 1);
}
END_TEST

START_TEST(places_follow_the_times)
{
    GstClockTime ms = GST_MSECOND;

    ck_assert_double_eq(triple_place(0, 20 * ms, 40 * ms), 0.5);
    ck_assert_double_eq(triple_place(33 * ms, 67 * ms, 100 * ms), 0.5); /* rounded */
    ck_assert_double_eq(triple_place(0, 22 * ms, 40 * ms), 0.5);
    ck_assert_double_eq(triple_place(0, 18 * ms, 40 * ms), 0.5);
    ck_assert_double_eq(triple_place(0, 23 * ms, 40 * ms), 23 / 40.0);
    ck_assert_double_eq(triple_place(0, 5 * ms, 8 * ms), 0.5); /* an eighth of it */
    ck_assert_double_eq(triple_place(0, 6 * ms, 8 * ms), 0.75);
    ck_assert_double_eq(triple_place(0, 10 * ms, 40 * ms), 0.25);
    ck_assert_double_eq(triple_place(0, 30 * ms, 40 * ms), 0.75);
    ck_assert_double_eq(triple_place(40 * ms, 10 * ms, 0), 0.5); /* backwards */
    ck_assert_double_eq(triple_place(0, 0, 40 * ms), 0.5);
    ck_assert_double_eq(triple_place(0, 0, 0), 0.5);
}
END_TEST

START_TEST(clocks_are_read_and_written)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"0", 0},          {"12.5", 12500},    {"90", 90000},
                {"1:02.5", 62500}, {"90:00", 5400000}, {"1:02:03.25", 3723250}};
    static const char *const bad[] = {"",       "-1", "1:60", "1:2:3:4",
                                      "1.5:00", "x",  "1:.5", "1..5",
                                      "1e3",    " 1", "1 s",  "9999999999"};
    uint64_t time;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        ck_assert(clock_parse(good[i].text, &time, NULL));
        ck_assert_uint_eq(time, good[i].ms * 1000000);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        ck_assert_msg(!clock_parse(bad[i], &time, &error), "\"%s\" is taken", bad[i]);
        ck_assert_ptr_nonnull(strstr(error->message, "expected seconds"));
    }
    g_autofree char *text = clock_text(3723249600000);

    ck_assert_str_eq(text, "1:02:03.250");
}
END_TEST

static Comparison *comparison_of(const double scores[][4], guint n_contestants)
{
    Comparison *comparison = comparison_new("clip");

    for (guint i = 0; i < 4; i++) {
        ClipPlace place = {.frame = 2 * i + 1};

        g_array_append_val(comparison->left_out, place);
    }
    for (guint i = 0; i < n_contestants; i++) {
        InstalledModel *facts = g_new0(InstalledModel, 1);
        Contestant *contestant = comparison_add(comparison, "model", NULL, facts);

        for (guint k = 0; k < 4; k++) {
            Score score = {.mse_luma = scores[i][k], .ssim = 0.5};

            g_array_append_val(contestant->scores, score);
        }
    }
    return comparison;
}

/* "at:contestant/rank,…" of each frame that is shown. */
static char *describe(const Comparison *comparison)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < comparison->shown->len; i++) {
        const Shown *shown = comparison->shown->pdata[i];

        g_string_append_printf(text, "%s%u:", i == 0 ? "" : " ", shown->at);
        for (guint k = 0; k < shown->reasons->len; k++) {
            const Reason *reason = &g_array_index(shown->reasons, Reason, k);

            g_string_append_printf(text, "%s%u/%u", k == 0 ? "" : ",", reason->contestant,
                                   reason->rank);
        }
    }
    return g_string_free(text, FALSE);
}

START_TEST(the_worst_and_the_typical_frames_are_shown)
{
    static const double scores[][4] = {{0.1, 0.4, 0.2, 0.3}, {0.1, 0.2, 0.4, 0.3}};
    g_autoptr(Comparison) three = comparison_of(scores, 2);
    g_autoptr(Comparison) one = comparison_of(scores, 1);

    choose_shown(three, 3);
    g_autofree char *text = describe(three);
    ck_assert_str_eq(text, "1:0/1,1/3 2:1/1,0/3 3:0/0,1/0,0/2,1/2");

    choose_shown(one, 1);
    g_autofree char *single = describe(one);
    ck_assert_str_eq(single, "1:0/1");
}
END_TEST

START_TEST(figures_are_summed_up)
{
    static const double scores[][4] = {{0.1, 0.4, 0.2, 0.3}};
    g_autoptr(Comparison) comparison = comparison_of(scores, 1);
    Contestant *contestant = comparison->contestants->pdata[0];
    Summary sum;

    contestant->stats.n_timed = 3;
    contestant->stats.seconds = 1.5;
    sum = contestant_summary(contestant);
    ck_assert_double_eq_tol(sum.psnr, -10 * log10(0.25), 1e-9);
    ck_assert_double_eq_tol(sum.ssim, 0.5, 1e-12);
    ck_assert_uint_eq(sum.worst, 1);
    ck_assert_double_eq(sum.fps, 2);
    ck_assert(isinf(sum.psnr_rgb));
}
END_TEST

START_TEST(names_cannot_steer_the_terminal)
{
    static const double scores[][4] = {{0.1, 0.4, 0.2, 0.3}};
    g_autoptr(Comparison) comparison = comparison_of(scores, 1);

    g_free(comparison->path);
    comparison->path = g_strdup("a\033[2Jb\n\302\233c\303\244.mkv");

    g_autofree char *text = report_text(comparison);

    ck_assert_msg(g_str_has_prefix(text, "a?[2Jb??c\303\244.mkv: "), "%s", text);
}
END_TEST

/* Streams whose frames may be fields or whole say that each is whole, or not. */
START_TEST(whole_frames_of_mixed_video_are_converted)
{
    GstVideoInfo info;
    GstVideoFrame frame;
    g_autoptr(GError) error = NULL;
    uint16_t rgb[3 * 16 * 16];

    gst_video_info_set_interlaced_format(&info, GST_VIDEO_FORMAT_GRAY8,
                                         GST_VIDEO_INTERLACE_MODE_MIXED, 16, 16);
    g_autoptr(GstBuffer) buffer = gst_buffer_new_allocate(NULL, info.size, NULL);

    gst_buffer_memset(buffer, 0, 235, info.size);
    ck_assert(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    g_autoptr(RgbConverter) converter = rgb_converter_new(&info, FALSE, &error);

    ck_assert_msg(converter != NULL, "%s", error != NULL ? error->message : "");
    rgb_convert(converter, &frame, rgb);
    gst_video_frame_unmap(&frame);
    for (size_t i = 1; i < G_N_ELEMENTS(rgb); i++)
        ck_assert_uint_eq(rgb[i], rgb[0]);
    ck_assert_uint_ge(rgb[0], 235);
}
END_TEST

START_TEST(opening_a_file_ends)
{
    gint64 second = G_USEC_PER_SEC;

    ck_assert_int_eq(clip_patience(9 * second, TRUE), CLIP_WAIT);
    ck_assert_int_eq(clip_patience(11 * second, TRUE), CLIP_TELL);
    ck_assert_int_eq(clip_patience(61 * second, TRUE), CLIP_GIVE_UP);
    ck_assert_int_eq(clip_patience(9 * second, FALSE), CLIP_WAIT);
    ck_assert_int_eq(clip_patience(3600 * second, FALSE), CLIP_TELL);
}
END_TEST

static uint32_t number_at(const guint8 *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

/* Every chunk's checksum has to be right; returns the number of chunks. ffmpeg decodes
 * whole files in compare.py. */
static int check_chunks(const guint8 *file, size_t n)
{
    int chunks = 0;

    for (size_t at = 8; at < n; chunks++) {
        uint32_t length = number_at(file + at);

        ck_assert_uint_le(at + 12 + length, n);
        ck_assert_uint_eq(crc32(0, file + at + 4, length + 4),
                          number_at(file + at + 8 + length));
        at += 12 + length;
    }
    return chunks;
}

START_TEST(png_files_are_well_formed)
{
    uint8_t rgb[3 * 5 * 4];

    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * i);

    /* Three pixels of five in a row. */
    g_autoptr(GBytes) png = png_encode(rgb + 3, 15, 3, 4);
    size_t n;
    const guint8 *file = g_bytes_get_data(png, &n);

    ck_assert_mem_eq(file, "\x89PNG\r\n\x1a\n", 8);
    ck_assert_mem_eq(file + 12, "IHDR\0\0\0\3\0\0\0\4\10\2\0\0\0", 17);
    ck_assert_int_eq(check_chunks(file, n), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare");
    TCase *tcase = tcase_create("parts");

    gst_init(NULL, NULL);
    tcase_add_test(tcase, mse_is_in_units_of_the_peak);
    tcase_add_test(tcase, ssim_is_what_its_definition_says);
    tcase_add_test(tcase, places_follow_the_times);
    tcase_add_test(tcase, clocks_are_read_and_written);
    tcase_add_test(tcase, the_worst_and_the_typical_frames_are_shown);
    tcase_add_test(tcase, figures_are_summed_up);
    tcase_add_test(tcase, names_cannot_steer_the_terminal);
    tcase_add_test(tcase, whole_frames_of_mixed_video_are_converted);
    tcase_add_test(tcase, opening_a_file_ends);
    tcase_add_test(tcase, png_files_are_well_formed);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
