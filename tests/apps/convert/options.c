/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, good and bad. */
#include "check_main.h"

#include "convert/error.h"
#include "convert/options.h"
#include "convert/output_name.h"

/* @line: words with single spaces. */
static ConvertOptions *parse(const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    return options_parse((int)g_strv_length(words), words, error);
}

START_TEST(test_defaults)
{
    g_autoptr(ConvertOptions) o = parse("vfi-convert a.mp4", NULL);
    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(o->inputs[0], "a.mp4");
    ck_assert_ptr_null(o->output);
    ck_assert(!o->has_fps && o->slow_n == 1 && o->slow_d == 1);
    ck_assert_str_eq(o->model, "auto");
    ck_assert_str_eq(o->device, "auto");
    ck_assert(o->codec == VIDEO_CODEC_NONE && o->preset == PRESET_MEDIUM);
    ck_assert_int_eq(o->quality, QUALITY_DEFAULT);
    ck_assert(o->copy_audio && !o->keep_vfr && !o->resume && !o->overwrite);
    ck_assert_uint_eq(o->to, GST_CLOCK_TIME_NONE);
}
END_TEST

START_TEST(test_all)
{
    g_autoptr(ConvertOptions) o = parse(
        "vfi-convert a.mp4 b.mkv -o out/ --fps 60 --slow-motion 4 --model rife-4.26 "
        "--model-options ensemble=true --scale 0.5 --device cuda:1 --from 1:30 --to 95.5 "
        "--codec h265 --quality 90 --preset slow --audio none --json --set "
        "duplicate-mode=replace --set scene-threshold=0 --segment-seconds 2 --resume",
        NULL);
    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(o->inputs[1], "b.mkv");
    ck_assert_str_eq(o->output, "out/");
    ck_assert(o->has_fps && o->fps.num == 60 && !o->fps.is_factor);
    ck_assert(o->slow_n == 4 && o->slow_d == 1);
    ck_assert_str_eq(o->model_options, "ensemble=true");
    ck_assert_str_eq(o->scale, "0.5");
    ck_assert_str_eq(o->device, "cuda:1");
    ck_assert_uint_eq(o->from, 90 * GST_SECOND);
    ck_assert_uint_eq(o->to, 95500 * GST_MSECOND);
    ck_assert(o->codec == VIDEO_CODEC_H265 && o->preset == PRESET_SLOW &&
              o->quality == 90);
    ck_assert(!o->copy_audio && o->json && o->resume);
    ck_assert_str_eq(o->set[1], "scene-threshold=0");
}
END_TEST

/* What is wrong, and a word of what the message must say. */
static const struct {
    const char *line, *says;
} WRONG[] = {
    {"vfi-convert", "INPUT"},
    {"vfi-convert a --fps fast", "60000/1001"},
    {"vfi-convert a --codec divx", "prores"},
    {"vfi-convert a --codec png", "prores"},
    {"vfi-convert a --quality 101", "0 (smallest"},
    {"vfi-convert a --preset turbo", "fastest"},
    {"vfi-convert a --audio mp3", "copy"},
    {"vfi-convert a --device gpu", "cuda:N"},
    {"vfi-convert a --device cuda:x", "cuda:N"},
    {"vfi-convert a --scale 9", "0.25"},
    {"vfi-convert a --slow-motion 0.5", "1 to 1000"},
    {"vfi-convert a --from x", "--from"},
    {"vfi-convert a --from 10 --to 5", "after --from"},
    {"vfi-convert a --keep-vfr --fps 60", "2x"},
    {"vfi-convert a --keep-vfr --fps 1x --slow-motion 2.5", "whole number"},
    {"vfi-convert a --keep-vfr --fps 1000x --slow-motion 1000", "at most 1000"},
    {"vfi-convert a --set nonsense", "NAME=VALUE"},
    {"vfi-convert a --segment-seconds 0", "above 0"},
    {"vfi-convert a --resume --overwrite", "one of them"},
    {"vfi-convert a --nonsense", "--help"},
};

START_TEST(test_wrong)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(parse(WRONG[_i].line, &error));
    ck_assert(g_error_matches(error, CONVERT_ERROR, CONVERT_ERROR_USAGE));
    ck_assert_msg(strstr(error->message, WRONG[_i].says) != NULL, "%s", error->message);
}
END_TEST

START_TEST(test_resume_command)
{
    char *words[] = {"vfi-convert", "--overwrite", "it's a.mp4", "-o", "b.mkv"};
    g_autofree gchar *command = options_resume_command(5, words);
    ck_assert_str_eq(command, "vfi-convert --resume 'it'\\''s a.mp4' -o b.mkv");
}
END_TEST

static const struct {
    const char *line, *folder, *output;
    int rate_n, rate_d;
} NAMES[] = {
    {"vfi-convert v/a.mp4", NULL, "v/a-60fps.mp4", 60, 1},
    {"vfi-convert a.mov", NULL, "a-59.94fps.mov", 60000, 1001},
    {"vfi-convert v/a.avi", NULL, "v/a-50fps.mkv", 50, 1},
    {"vfi-convert v/a.b.mkv", "out", "out/a.b-50fps.mkv", 50, 1},
    {"vfi-convert a.mp4 --slow-motion 2.5", NULL, "a-2.5x-slow.mp4", 25, 1},
    {"vfi-convert a.mp4 --keep-vfr --fps 3x", NULL, "a-3x.mp4", 0, 1},
};

START_TEST(test_names)
{
    g_autoptr(ConvertOptions) o = parse(NAMES[_i].line, NULL);
    g_autofree gchar *name = output_name(o, o->inputs[0], NAMES[_i].folder,
                                         NAMES[_i].rate_n, NAMES[_i].rate_d);
    ck_assert_str_eq(name, NAMES[_i].output);
}
END_TEST

START_TEST(test_pictures)
{
    g_autofree gchar *folder = output_pictures("100%/");
    ck_assert_str_eq(folder, "100%/frame-");
    g_autofree gchar *pattern = output_pattern(folder);
    ck_assert_str_eq(pattern, "100%%/frame-%06u.png");
    g_autofree gchar *named = output_pictures("out/scene.png");
    ck_assert_str_eq(named, "out/scene-");
    g_autofree gchar *work = output_work_folder("out/");
    ck_assert_str_eq(work, "out.vfi-work");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_defaults);
    tcase_add_test(tcase, test_all);
    tcase_add_loop_test(tcase, test_wrong, 0, (int)G_N_ELEMENTS(WRONG));
    tcase_add_test(tcase, test_resume_command);
    tcase_add_loop_test(tcase, test_names, 0, (int)G_N_ELEMENTS(NAMES));
    tcase_add_test(tcase, test_pictures);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
