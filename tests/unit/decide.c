/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the caps on both pads ask the element to do, as tables of caps strings without
 * "video/x-raw,". */
#include <gst/gst.h>
#include <gst/video/video.h>

#include <string.h>

#include "check_main.h"
#include "pure/decide.h"

static GstCaps *parse(const char *text)
{
    g_autofree char *full = g_strdup_printf("video/x-raw,%s", text);
    GstCaps *caps = gst_caps_from_string(full);
    ck_assert_msg(caps != NULL, "not caps: %s", full);
    return caps;
}

/* Input, output, preferred multiplier, expected mode and multiplier, part of the
 * reason. */
static const struct {
    const char *in;
    const char *out;
    guint preferred;
    GstVfiMode mode;
    guint multiplier;
    const char *reason;
} decisions[] = {
    {"framerate=25/1", "framerate=50/1", 2, GST_VFI_MODE_MULTIPLY, 2, NULL},
    {"framerate=25/1", "framerate=50/1", 7, GST_VFI_MODE_MULTIPLY, 2, NULL},
    {"framerate=25/1", "framerate=25/1", 7, GST_VFI_MODE_PASSTHROUGH, 1, NULL},
    {"framerate=50/2", "framerate=25/1", 7, GST_VFI_MODE_PASSTHROUGH, 1, NULL},
    {"framerate=1/1", "framerate=1000/1", 2, GST_VFI_MODE_MULTIPLY, 1000, NULL},
    {"framerate=1/1", "framerate=1001/1", 2, GST_VFI_MODE_REFUSE, 1, "'videorate' after"},
    {"framerate=24/1", "framerate=60/1", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=24000/1001", "framerate=60000/1001", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=25/1", "framerate=60000/1001", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=1001/1000", "framerate=1000/1", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=30/1", "framerate=25/1", 2, GST_VFI_MODE_REFUSE, 1,
     "30/1 frames a second cannot become 25/1 frames a second: this element only raises "
     "the rate; use 'videorate' to lower it"},
    {"framerate=999/1000", "framerate=1000/1", 2, GST_VFI_MODE_REFUSE, 1, "1000 times"},
    {"framerate=25/1", "framerate=0/1", 2, GST_VFI_MODE_REFUSE, 1, "variable"},
    {"framerate=2147483647/1", "framerate=25/1", 2, GST_VFI_MODE_REFUSE, 1, "videorate"},
    {"framerate=0/1", "framerate=0/1", 3, GST_VFI_MODE_MULTIPLY, 3, NULL},
    {"framerate=0/1", "framerate=0/1", 1, GST_VFI_MODE_PASSTHROUGH, 1, NULL},
    {"framerate=0/1", "framerate=60/1", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=0/1,max-framerate=30/1", "framerate=60/1", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=0/1,max-framerate=30/1", "framerate=24/1", 2, GST_VFI_MODE_GRID, 1, NULL},
    {"framerate=0/1,max-framerate=30/1", "framerate=0/1,max-framerate=120/1", 2,
     GST_VFI_MODE_MULTIPLY, 4, NULL},
    {"framerate=0/1,max-framerate=30/1", "framerate=0/1,max-framerate=30/1", 2,
     GST_VFI_MODE_PASSTHROUGH, 1, NULL},
    {"framerate=0/1,max-framerate=30/1", "framerate=0/1", 2, GST_VFI_MODE_MULTIPLY, 2,
     NULL},
    {"width=16", "width=16", 2, GST_VFI_MODE_MULTIPLY, 2, NULL},
    {"framerate=25/1,interlace-mode=interleaved",
     "framerate=50/1,interlace-mode=interleaved", 2, GST_VFI_MODE_REFUSE, 1,
     "deinterlace"},
    {"framerate=25/1,interlace-mode=mixed", "framerate=25/1,interlace-mode=mixed", 2,
     GST_VFI_MODE_REFUSE, 1, "interlace-mode=mixed"},
    {"framerate=25/1,multiview-mode=side-by-side",
     "framerate=25/1,multiview-mode=side-by-side", 2, GST_VFI_MODE_PASSTHROUGH, 1, NULL},
    {"framerate=25/1,multiview-mode=side-by-side",
     "framerate=50/1,multiview-mode=side-by-side", 2, GST_VFI_MODE_REFUSE, 1, "views"},
    {"framerate=25/1", "framerate=50/1,width=8", 2, GST_VFI_MODE_REFUSE, 1,
     "I420 16x16 cannot become I420 8x16"},
};

static GstVideoInfo picture_info(const char *text)
{
    g_autoptr(GstCaps) caps = parse(text);
    GstStructure *structure = gst_caps_get_structure(caps, 0);
    gst_structure_set(structure, "format", G_TYPE_STRING, "I420", "height", G_TYPE_INT,
                      16, NULL);
    if (!gst_structure_has_field(structure, "width"))
        gst_structure_set(structure, "width", G_TYPE_INT, 16, NULL);
    GstVideoInfo info;
    ck_assert(gst_video_info_from_caps(&info, caps));
    return info;
}

START_TEST(rates_are_decided)
{
    GstVideoInfo in = picture_info(decisions[_i].in);
    GstVideoInfo out = picture_info(decisions[_i].out);
    GstVfiCapsOptions options = {.multiplier = decisions[_i].preferred};
    GstVfiCapsDecision decision;
    g_autofree char *reason = NULL;
    GstVfiMode mode = gst_vfi_caps_decide(&in, &out, &options, &decision, &reason);
    ck_assert_msg(mode == decisions[_i].mode, "%s to %s: %d, %s", decisions[_i].in,
                  decisions[_i].out, mode, reason);
    ck_assert_int_eq(decision.mode, mode);
    ck_assert_uint_eq(decision.multiplier, decisions[_i].multiplier);
    ck_assert_int_eq(decision.grid_num, mode == GST_VFI_MODE_GRID ? out.fps_n : 0);
    ck_assert_int_eq(decision.grid_den, mode == GST_VFI_MODE_GRID ? out.fps_d : 1);
    ck_assert(!decision.per_pair && !decision.multipliers_ignored);
    if (decisions[_i].reason)
        ck_assert_msg(reason && strstr(reason, decisions[_i].reason), "%s", reason);
    else
        ck_assert_ptr_null(reason);
}
END_TEST

/* Downstream insists on the rate or does not. */
START_TEST(a_fixed_multiple_is_to_be_kept)
{
    static const struct {
        const char *in, *out;
        gint num, den;
    } table[] = {
        {"framerate=30/1", "framerate=60/1", 60, 1},
        {"framerate=30000/1001", "framerate=120000/1001", 120000, 1001},
        {"framerate=30/1", "framerate=30/1", 0, 1}, /* passes through */
        {"framerate=24/1", "framerate=60/1", 0, 1}, /* has a grid */
        {"framerate=0/1", "framerate=60/1", 0, 1},
        {"framerate=0/1", "framerate=0/1", 0, 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        GstVideoInfo in = picture_info(table[i].in), out = picture_info(table[i].out);
        GstVfiCapsOptions options = {.multiplier = 2, .rate_is_fixed = TRUE};
        GstVfiCapsDecision decision;
        gst_vfi_caps_decide(&in, &out, &options, &decision, NULL);
        ck_assert_int_eq(decision.constant_num, table[i].num);
        ck_assert_int_eq(decision.constant_den, table[i].den);
        options.rate_is_fixed = FALSE;
        gst_vfi_caps_decide(&in, &out, &options, &decision, NULL);
        ck_assert_int_eq(decision.constant_num, 0);
    }
}
END_TEST

START_TEST(some_caps_leave_a_choice_of_rates)
{
    static const struct {
        const char *caps;
        gboolean fixed;
    } table[] = {
        {"video/x-raw,framerate=60/1", TRUE},
        {"video/x-raw,framerate={50/1,60/1}", TRUE},
        {"video/x-raw,framerate=60/1;video/x-raw,width=8,framerate=60/1", TRUE},
        {"video/x-raw,framerate=60/1;video/x-raw,framerate=[30/1,300/1]", FALSE},
        {"video/x-raw,framerate={60/1,[90/1,100/1]}", FALSE},
        {"video/x-raw,framerate=[0/1,60/1]", FALSE},
        {"video/x-raw", FALSE},
        {"ANY", FALSE},
        {"EMPTY", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GstCaps) caps = gst_caps_from_string(table[i].caps);
        ck_assert_msg(gst_vfi_caps_rate_is_fixed(caps) == table[i].fixed, "%s",
                      table[i].caps);
    }
}
END_TEST

START_TEST(unsupported_video_passes_only_when_asked)
{
    GstVideoInfo info = picture_info("framerate=25/1,interlace-mode=interleaved");
    GstVideoInfo twice = picture_info("framerate=50/1,interlace-mode=interleaved");
    GstVfiCapsOptions options = {.multiplier = 2, .pass_unsupported = TRUE};
    GstVfiCapsDecision decision;
    ck_assert_int_eq(gst_vfi_caps_decide(&info, &info, &options, &decision, NULL),
                     GST_VFI_MODE_PASSTHROUGH);
    ck_assert_int_eq(gst_vfi_caps_decide(&info, &twice, &options, &decision, NULL),
                     GST_VFI_MODE_REFUSE);
}
END_TEST

/* With pairs that have multipliers of their own, up to 5. */
static const struct {
    const char *in;
    const char *out;
    guint preferred;
    GstVfiCapsDecision expected;
} pair_decisions[] = {
    {"framerate=25/1",
     "framerate=0/1",
     2,
     {GST_VFI_MODE_MULTIPLY, 2, 0, 1, .variable = TRUE, .per_pair = TRUE}},
    {"framerate=25/1",
     "framerate=0/1",
     1,
     {GST_VFI_MODE_MULTIPLY, 1, 0, 1, .variable = TRUE, .per_pair = TRUE}},
    {"framerate=0/1,max-framerate=30/1",
     "framerate=0/1,max-framerate=150/1",
     2,
     {GST_VFI_MODE_MULTIPLY, 2, 0, 1, .variable = TRUE, .per_pair = TRUE}},
    {"framerate=25/1",
     "framerate=75/1",
     2,
     {GST_VFI_MODE_MULTIPLY, 3, 0, 1, .multipliers_ignored = TRUE}},
    {"framerate=25/1",
     "framerate=60/1",
     2,
     {GST_VFI_MODE_GRID, 1, 60, 1, .multipliers_ignored = TRUE}},
    {"framerate=0/1",
     "framerate=60/1",
     2,
     {GST_VFI_MODE_GRID, 1, 60, 1, .multipliers_ignored = TRUE}},
    {"framerate=25/1",
     "framerate=25/1",
     2,
     {GST_VFI_MODE_PASSTHROUGH, 1, 0, 1, .multipliers_ignored = TRUE}},
    {"framerate=25/1",
     "framerate=24/1",
     2,
     {GST_VFI_MODE_REFUSE, 1, 0, 1, .variable = FALSE}},
};

START_TEST(multipliers_of_pairs_need_a_variable_rate)
{
    GstVideoInfo in = picture_info(pair_decisions[_i].in);
    GstVideoInfo out = picture_info(pair_decisions[_i].out);
    const GstVfiCapsDecision *expected = &pair_decisions[_i].expected;
    GstVfiCapsOptions options = {.multiplier = pair_decisions[_i].preferred,
                                 .largest_of_pairs = 5};
    GstVfiCapsDecision decision;
    gst_vfi_caps_decide(&in, &out, &options, &decision, NULL);
    ck_assert_int_eq(decision.mode, expected->mode);
    ck_assert_uint_eq(decision.multiplier, expected->multiplier);
    ck_assert_int_eq(decision.grid_num, expected->grid_num);
    ck_assert_int_eq(decision.grid_den, expected->grid_den);
    ck_assert_int_eq(decision.variable, expected->variable);
    ck_assert_int_eq(decision.per_pair, expected->per_pair);
    ck_assert_int_eq(decision.multipliers_ignored, expected->multipliers_ignored);
}
END_TEST

/* Frames of the input and of the output; 0 for no constant ratio. */
static const struct {
    const char *in;
    const char *out;
    gint64 from, to;
    gint64 back; /* to, converted back */
} counts[] = {
    {"framerate=25/1", "framerate=50/1", 100, 200, 100},
    {"framerate=25/1", "framerate=25/1", 100, 100, 100},
    {"framerate=24/1", "framerate=60/1", 100, 250, 100},
    {"framerate=24/1", "framerate=60/1", 101, 253, 101},
    {"framerate=24000/1001", "framerate=60000/1001", 86312, 215780, 86312},
    {"framerate=25/1", "framerate=60000/1001", 90090, 216000, 90090},
    {"framerate=0/1", "framerate=0/1", 100, 200, 100},
    {"framerate=0/1", "framerate=60/1", 100, 0, 0},
    {"framerate=25/1", "framerate=30/1", -1, -1, -1},
    {"framerate=25/1", "framerate=30/1", 0, 0, 0},
    {"framerate=25/1", "framerate=50/1", G_MAXINT64, G_MAXINT64, G_MAXINT64 / 2},
};

START_TEST(frames_are_converted)
{
    GstVideoInfo in = picture_info(counts[_i].in);
    GstVideoInfo out = picture_info(counts[_i].out);
    GstVfiCapsOptions options = {.multiplier = 2};
    GstVfiCapsDecision decision;
    gint64 frames = counts[_i].from;
    gboolean possible = counts[_i].from == 0 || counts[_i].to != 0;
    gst_vfi_caps_decide(&in, &out, &options, &decision, NULL);
    ck_assert_int_eq(gst_vfi_caps_convert_frames(&in, &out, &decision, TRUE, &frames),
                     possible);
    ck_assert_int_eq(frames, possible ? counts[_i].to : counts[_i].from);
    ck_assert_int_eq(gst_vfi_caps_convert_frames(&in, &out, &decision, FALSE, &frames),
                     possible);
    if (possible)
        ck_assert_int_eq(frames, counts[_i].back);
}
END_TEST

START_TEST(uneven_ratios_are_not_converted)
{
    GstVideoInfo in = picture_info("framerate=25/1");
    GstVideoInfo out = picture_info("framerate=0/1");
    GstVfiCapsOptions options = {.multiplier = 2, .largest_of_pairs = 5};
    GstVfiCapsDecision decision;
    gint64 frames = 100;
    gst_vfi_caps_decide(&in, &out, &options, &decision, NULL);
    ck_assert(!gst_vfi_caps_convert_frames(&in, &out, &decision, TRUE, &frames));
    ck_assert_int_eq(frames, 100);
    options.largest_of_pairs = 0;
    gst_vfi_caps_decide(&in, &out, &options, &decision, NULL);
    ck_assert_int_eq(decision.mode, GST_VFI_MODE_REFUSE);
    ck_assert(!gst_vfi_caps_convert_frames(&in, &out, &decision, TRUE, &frames));
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("decide");
    TCase *tcase = tcase_create("decide");
    tcase_add_loop_test(tcase, rates_are_decided, 0, G_N_ELEMENTS(decisions));
    tcase_add_test(tcase, a_fixed_multiple_is_to_be_kept);
    tcase_add_test(tcase, some_caps_leave_a_choice_of_rates);
    tcase_add_test(tcase, unsupported_video_passes_only_when_asked);
    tcase_add_loop_test(tcase, multipliers_of_pairs_need_a_variable_rate, 0,
                        G_N_ELEMENTS(pair_decisions));
    tcase_add_loop_test(tcase, frames_are_converted, 0, G_N_ELEMENTS(counts));
    tcase_add_test(tcase, uneven_ratios_are_not_converted);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
