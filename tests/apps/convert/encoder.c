/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of encoders. No plugin is there: only what is said about them. */
#include "check_main.h"

#include "convert/encoder.h"
#include "convert/error.h"

static const VideoCodec CODECS[] = {
    VIDEO_CODEC_H264,   VIDEO_CODEC_H265, VIDEO_CODEC_AV1, VIDEO_CODEC_VP9,
    VIDEO_CODEC_PRORES, VIDEO_CODEC_FFV1, VIDEO_CODEC_PNG};

/* The number behind "NAME=" in @launch. */
static gint64 value_of(const char *launch, const char *name)
{
    g_autofree gchar *word = g_strdup_printf("%s=", name);
    const char *found = strstr(launch, word);
    ck_assert_msg(found != NULL, "%s in %s", name, launch);
    return g_ascii_strtoll(found + strlen(word), NULL, 10);
}

START_TEST(test_list)
{
    EncoderList list, with_cuda;
    encoder_list(CODECS[_i], FALSE, &list);
    encoder_list(CODECS[_i], TRUE, &with_cuda);
    ck_assert_ptr_nonnull(list.found[0]);
    for (const Encoder **e = list.found; *e != NULL; e++) {
        ck_assert_int_eq((*e)->codec, CODECS[_i]);
        ck_assert(!g_str_has_prefix((*e)->element, "nv"));
        ck_assert(g_str_has_prefix((*e)->package, "gstreamer1.0-"));
    }
    gboolean has_hardware =
        CODECS[_i] == VIDEO_CODEC_H264 || CODECS[_i] == VIDEO_CODEC_H265;
    ck_assert_int_eq(g_str_has_prefix(with_cuda.found[0]->element, "nv"), has_hardware);
}
END_TEST

START_TEST(test_missing)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(encoder_find(VIDEO_CODEC_H264, FALSE, &error));
    ck_assert(g_error_matches(error, CONVERT_ERROR, CONVERT_ERROR_MISSING));
    ck_assert_ptr_nonnull(strstr(error->message, "gstreamer1.0-plugins-ugly"));
    ck_assert_ptr_nonnull(strstr(error->message, "x264enc"));
}
END_TEST

/* Better quality never means a coarser quantizer, and 0 and 100 are far apart. */
START_TEST(test_quality)
{
    EncoderList list;
    encoder_list(VIDEO_CODEC_H264, FALSE, &list);
    gint64 before = 100;
    for (int quality = 0; quality <= 100; quality++) {
        g_autofree gchar *launch =
            encoder_launch(list.found[0], quality, PRESET_MEDIUM, FALSE, 250);
        gint64 quantizer = value_of(launch, "quantizer");
        ck_assert_int_le(quantizer, before);
        before = quantizer;
    }
    g_autofree gchar *usual =
        encoder_launch(list.found[0], QUALITY_DEFAULT, PRESET_SLOW, FALSE, 300);
    ck_assert_str_eq(usual,
                     "x264enc pass=qual quantizer=19 speed-preset=slow key-int-max=300");
    ck_assert_int_le(before, 8);
}
END_TEST

START_TEST(test_av1_range)
{
    EncoderList list;
    encoder_list(VIDEO_CODEC_AV1, FALSE, &list);
    ck_assert_str_eq(list.found[1]->element, "av1enc");
    g_autofree gchar *launch = encoder_launch(list.found[1], 70, PRESET_FAST, FALSE, 250);
    ck_assert_int_eq(value_of(launch, "min-quantizer"),
                     value_of(launch, "max-quantizer"));
}
END_TEST

START_TEST(test_prores_profile)
{
    EncoderList list;
    encoder_list(VIDEO_CODEC_PRORES, FALSE, &list);
    static const struct {
        int quality;
        gboolean full_chroma;
        int profile; /* 0 proxy, 1 lt, 2 standard, 3 hq, 4 4444, 5 4444xq */
    } CASES[] = {{0, FALSE, 0},   {50, FALSE, 1}, {60, FALSE, 2}, {70, FALSE, 3},
                 {100, FALSE, 3}, {70, TRUE, 4},  {100, TRUE, 5}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree gchar *launch = encoder_launch(list.found[0], CASES[i].quality,
                                                  PRESET_MEDIUM, CASES[i].full_chroma, 1);
        ck_assert_int_eq(value_of(launch, "profile"), CASES[i].profile);
    }
}
END_TEST

int main(void)
{
    gst_init(NULL, NULL);
    Suite *suite = suite_create("encoder");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_list, 0, (int)G_N_ELEMENTS(CODECS));
    tcase_add_test(tcase, test_missing);
    tcase_add_test(tcase, test_quality);
    tcase_add_test(tcase, test_av1_range);
    tcase_add_test(tcase, test_prores_profile);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
