/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's caps arithmetic as tables of caps strings. "video/x-raw," is left out of
 * the tables where there are no memory features. */
#include <gst/gst.h>
#include <gst/video/video.h>

#include "check_main.h"
#include "pure/decide.h"

#define SINK GST_PAD_SINK
#define SRC GST_PAD_SRC
/* Added to what is asked from upstream. */
#define WANTED ",interlace-mode=progressive"
#define ANY_RATE "framerate=[0/1,2147483647/1]"
#define PICTURE "format=I420,width=320,height=240"

static GstCaps *parse(const char *text)
{
    if (strcmp(text, "EMPTY") == 0)
        return gst_caps_new_empty();
    g_autofree char *full = g_str_has_prefix(text, "video/")
                                ? g_strdup(text)
                                : g_strdup_printf("video/x-raw,%s", text);
    GstCaps *caps = gst_caps_from_string(full);
    ck_assert_msg(caps != NULL, "not caps: %s", full);
    return caps;
}

typedef struct {
    GstPadDirection direction;
    guint multiplier;
    const char *caps;
    const char *filter;   /* NULL for none */
    const char *expected; /* in this order of structures */
} TransformCase;

/* Wanted from the rules: f -> f*m first, then what else is possible; every structure with
 * its own features; filter's order first. */
static const TransformCase transforms[] = {
    /* Fractions: what a fixed output rate leaves. */
    {SINK, 2, "framerate=25/1", "framerate=50/1", "framerate=50/1"},
    {SINK, 2, "framerate=25/1", "framerate=25/1", "framerate=25/1"},
    {SINK, 2, "framerate=25/1", "framerate=75/1", "framerate=75/1"},
    {SINK, 2, "framerate=25/1", "framerate=25000/1", "framerate=25000/1"},
    {SINK, 2, "framerate=25/1", "framerate=25025/1", "EMPTY"},
    {SINK, 2, "framerate=25/1", "framerate=60/1", "framerate=60/1"},
    {SINK, 2, "framerate=25/1", "framerate=24/1", "EMPTY"},
    {SINK, 2, "framerate=25/1", "framerate=0/1", "EMPTY"},
    {SINK, 2, "framerate=30/1", "framerate=25/1", "EMPTY"},
    {SINK, 2, "framerate=30000/1001", "framerate=60000/1001", "framerate=60000/1001"},
    {SINK, 2, "framerate=24000/1001", "framerate=60000/1001", "framerate=60000/1001"},
    {SINK, 2, "framerate=25/1", "framerate=60000/1001", "framerate=60000/1001"},
    {SINK, 2, "framerate=25/1", "framerate=[0/1,75/1]",
     "framerate=50/1; video/x-raw,framerate=[25/1,75/1]"},
    {SINK, 4, "framerate=25/1", "framerate=[60/1,110/1]",
     "framerate=100/1; video/x-raw,framerate=[60/1,110/1]"},
    {SINK, 4, "framerate=25/1", "framerate=[1/1,49/1]", "framerate=[25/1,49/1]"},
    {SINK, 1, "framerate=25/1", "framerate=[1/1,60/1]",
     "framerate=25/1; video/x-raw,framerate=[25/1,60/1]"},
    {SRC, 2, "framerate=60/1", "framerate=30/1", "framerate=30/1" WANTED},
    {SRC, 2, "framerate=60/1", "framerate=60/1", "framerate=60/1" WANTED},
    {SRC, 2, "framerate=60/1", "framerate=24/1", "framerate=24/1" WANTED},
    {SRC, 2, "framerate=60/1", "framerate=0/1", "framerate=0/1" WANTED},
    {SRC, 2, "framerate=60/1", "framerate=120/1", "EMPTY"},
    {SRC, 2, "framerate=60000/1001", "framerate=20000/1001",
     "framerate=20000/1001" WANTED},
    {SRC, 2, "framerate=60/1", "framerate=60/1000", "framerate=3/50" WANTED},
    {SRC, 2, "framerate=60/1", "framerate=60/1001", "EMPTY"},
    {SRC, 3, "framerate=60/1", "framerate=[15/1,100/1]",
     "framerate=20/1" WANTED "; video/x-raw,framerate=[15/1,60/1]" WANTED},
    /* Lists, element by element. */
    {SINK, 2, "framerate={25/1,30/1}", "framerate={50/1,60/1,61/1}",
     "framerate={50/1,60/1}; video/x-raw,framerate={50/1,60/1,61/1}"},
    {SINK, 2, "framerate={25/1,30/1}", "framerate={90/1,61/1}", "framerate={90/1,61/1}"},
    {SINK, 2, "framerate={1/1,100/1}", NULL,
     "framerate={2/1,200/1}; video/x-raw,framerate=[1/1,100000/1]"},
    {SINK, 2, "framerate={1/1,2000/1}", NULL,
     "framerate={2/1,4000/1}; "
     "video/x-raw,framerate={[1/1,1000/1],[2000/1,2000000/1]}"},
    {SRC, 2, "framerate={50/1,60/1}", "framerate=[24/1,40/1]",
     "framerate={25/1,30/1}" WANTED "; video/x-raw,framerate=[24/1,40/1]" WANTED},
    /* Ranges: nothing is chosen yet, so from the lowest to the highest possible. */
    {SINK, 2, "framerate=[10/1,30/1]", NULL,
     "framerate=[20/1,60/1]; video/x-raw,framerate=[10/1,30000/1]"},
    {SRC, 2, "framerate=[10/1,30/1]", NULL,
     "framerate=[5/1,15/1]" WANTED "; video/x-raw,framerate={[1/100,30/1],0/1}" WANTED},
    {SINK, 2, "framerate=[0/1,2147483647/1]", NULL, "framerate=[0/1,2147483647/1]"},
    /* Variable rate. */
    {SINK, 2, "framerate=0/1", NULL, "framerate=0/1; video/x-raw," ANY_RATE},
    {SRC, 2, "framerate=0/1", NULL, "framerate=0/1" WANTED},
    {SINK, 2, "framerate=0/1", "framerate=60/1", "framerate=60/1"},
    {SINK, 2, "framerate=0/1,max-framerate=30/1", NULL,
     "framerate=0/1,max-framerate=60/1; video/x-raw,framerate=0/1,max-framerate=30/1; "
     "video/x-raw," ANY_RATE},
    {SRC, 2, "framerate=0/1,max-framerate=30/1", NULL,
     "framerate=0/1,max-framerate=15/1" WANTED
     "; video/x-raw,framerate=0/1,max-framerate=30/1" WANTED},
    {SINK, 2, "framerate=0/1,max-framerate=[1/1,30/1]", NULL,
     "framerate=0/1; video/x-raw," ANY_RATE},
    {SINK, 2, "framerate={0/1,25/1}", "framerate={0/1,50/1}", "framerate={0/1,50/1}"},
    /* No rate: any. */
    {SINK, 2, PICTURE, NULL, PICTURE},
    {SINK, 2, PICTURE, "framerate=60/1", PICTURE ",framerate=60/1"},
    /* Everything else stays as it is, features with their structure. */
    {SINK, 2,
     "video/x-raw(memory:CUDAMemory),format=NV12,framerate=25/1; "
     "video/x-raw,format=I420,framerate=30/1",
     "video/x-raw(memory:CUDAMemory),framerate=50/1; video/x-raw,framerate=60/1",
     "video/x-raw(memory:CUDAMemory),format=NV12,framerate=50/1; "
     "video/x-raw,format=I420,framerate=60/1"},
    {SINK, 2, "format=I420,framerate=25/1",
     "video/x-raw(memory:CUDAMemory),format=I420,framerate=50/1", "EMPTY"},
    {SINK, 2,
     PICTURE ",framerate=25/1,pixel-aspect-ratio=16/15,colorimetry=bt709,"
             "chroma-site=mpeg2,content-light-level=(string)\"1000:400\"",
     "framerate=50/1",
     PICTURE ",framerate=50/1,pixel-aspect-ratio=16/15,colorimetry=bt709,"
             "chroma-site=mpeg2,content-light-level=(string)\"1000:400\""},
    /* The filter's order wins. */
    {SINK, 2, "framerate=25/1", "framerate=100/1; video/x-raw,framerate=50/1",
     "framerate=100/1; video/x-raw,framerate=50/1"},
    /* Interlaced video is left out, towards upstream even where nothing was said. */
    {SINK, 2, "framerate=25/1,interlace-mode=interleaved", NULL, "EMPTY"},
    {SINK, 2, "framerate=25/1,interlace-mode=alternate", NULL, "EMPTY"},
    {SINK, 2, "framerate=0/1,interlace-mode={progressive,mixed}", NULL,
     "framerate=0/1,interlace-mode=progressive; "
     "video/x-raw," ANY_RATE ",interlace-mode=progressive"},
    {SINK, 2, "framerate=25/1,interlace-mode=progressive", "framerate=50/1",
     "framerate=50/1,interlace-mode=progressive"},
    {SRC, 2, "framerate=0/1", "interlace-mode={interleaved,progressive}",
     "framerate=0/1,interlace-mode=progressive"},
    /* Several views a frame keep their rate. */
    {SINK, 2, "framerate=25/1,multiview-mode=side-by-side", NULL,
     "framerate=25/1,multiview-mode=side-by-side"},
    {SINK, 2, "framerate=25/1,views=2", NULL, "framerate=25/1,views=2"},
    {SINK, 2, "framerate=25/1,views=1,multiview-mode=left", "framerate=50/1",
     "framerate=50/1,views=1,multiview-mode=left"},
    /* Near the end of what a fraction can hold a structure is dropped, not wrapped. */
    {SINK, 2, "framerate=2147483647/1", NULL, "framerate=2147483647/1"},
    {SINK, 3, "framerate=1073741823/1", NULL, "framerate=[1073741823/1,2147483647/1]"},
    {SRC, 2, "framerate=1/2147483647", NULL, "framerate=[0/1,1/2147483647]" WANTED},
    {SINK, 2, "framerate=1/2147483647", "framerate=2/2147483647",
     "framerate=2/2147483647"},
    {SINK, 1000, "framerate=[1/1,2147483647/1]", NULL,
     "framerate=[1000/1,2147483647/1]; video/x-raw,framerate=[1/1,2147483647/1]"},
    {SINK, 2, "framerate=[2147483646/1,2147483647/1]", NULL,
     "framerate=[2147483646/1,2147483647/1]"},
    {SRC, 2, "framerate=[0/1,1/2147483647]", NULL, "framerate=[0/1,1/2147483647]" WANTED},
    {SINK, 2, "framerate=0/1,max-framerate=2147483647/1", NULL,
     "framerate=0/1,max-framerate=2147483647/1; video/x-raw," ANY_RATE},
    {SINK, 2, "EMPTY", NULL, "EMPTY"},
};

static void check_transform(const TransformCase *test, GstVfiCapsOptions options)
{
    options.multiplier = test->multiplier;
    g_autoptr(GstCaps) caps = parse(test->caps);
    g_autoptr(GstCaps) filter = test->filter ? parse(test->filter) : NULL;
    g_autoptr(GstCaps) expected = parse(test->expected);
    g_autoptr(GstCaps) result =
        gst_vfi_caps_transform(test->direction, caps, filter, &options);
    g_autofree char *found = gst_caps_to_string(result);
    ck_assert_msg(gst_caps_is_strictly_equal(result, expected),
                  "%s of %s (x%u, filter %s): expected %s, found %.500s",
                  test->direction == SINK ? "output" : "input", test->caps,
                  test->multiplier, test->filter, test->expected, found);
}

START_TEST(rates_are_mapped)
{
    check_transform(&transforms[_i], (GstVfiCapsOptions){.multiplier = 1});
}
END_TEST

static const TransformCase pass_transforms[] = {
    {SINK, 2, "framerate=25/1,interlace-mode=interleaved", NULL,
     "framerate=25/1,interlace-mode=interleaved"},
    {SINK, 2, "framerate=25/1,interlace-mode={progressive,mixed}",
     "framerate={25/1,50/1}",
     "framerate=50/1,interlace-mode=progressive; "
     "video/x-raw,framerate={25/1,50/1},interlace-mode=progressive; "
     "video/x-raw,framerate=25/1,interlace-mode=mixed"},
    {SRC, 2, "framerate=0/1", "interlace-mode={interleaved,progressive}",
     "framerate=0/1,interlace-mode=progressive; "
     "video/x-raw,framerate=0/1,interlace-mode=interleaved"},
};

START_TEST(interlaced_video_can_pass)
{
    check_transform(&pass_transforms[_i], (GstVfiCapsOptions){.pass_unsupported = TRUE});
}
END_TEST

/* Pairs with multipliers of their own, up to 5. */
static const TransformCase pair_transforms[] = {
    {SINK, 2, "framerate=25/1", NULL,
     "framerate=0/1,max-framerate=125/1; video/x-raw,framerate=0/1; "
     "video/x-raw,framerate=50/1; video/x-raw,framerate=[25/1,25000/1]"},
    {SINK, 8, "framerate=25/1", "framerate=0/1,max-framerate=[1/1,300/1]",
     "framerate=0/1,max-framerate=200/1; "
     "video/x-raw,framerate=0/1,max-framerate=[1/1,300/1]"},
    {SINK, 2, "framerate=25/1", "framerate=60/1", "framerate=60/1"},
    {SINK, 2, "framerate=25/1", "framerate=24/1", "EMPTY"},
    {SINK, 2, "framerate=0/1,max-framerate=30/1", "framerate=0/1",
     "framerate=0/1,max-framerate=150/1; video/x-raw,framerate=0/1,max-framerate=30/1; "
     "video/x-raw,framerate=0/1"},
    {SRC, 2, "framerate=0/1", NULL,
     "framerate=0/1" WANTED "; video/x-raw," ANY_RATE WANTED},
    {SRC, 2, "framerate=60/1", "framerate=24/1", "framerate=24/1" WANTED},
};

START_TEST(multipliers_of_pairs_make_the_rate_variable)
{
    check_transform(&pair_transforms[_i], (GstVfiCapsOptions){.largest_of_pairs = 5});
}
END_TEST

START_TEST(open_answers_prefer_the_multiplier)
{
    const TransformCase test = {SINK, 3, "framerate=25/1", NULL,
                                "framerate=75/1; video/x-raw,framerate=[25/1,25000/1]"};
    check_transform(&test, (GstVfiCapsOptions){.multiplier = 3});
}
END_TEST

START_TEST(answers_of_answers_stay_short)
{
    g_autoptr(GstCaps) caps = parse("framerate={24/1,25/1,30/1,50/1}");
    GstVfiCapsOptions options = {.multiplier = 2};
    g_autoptr(GstCaps) once = gst_vfi_caps_transform(SINK, caps, NULL, &options);
    g_autoptr(GstCaps) twice = gst_vfi_caps_transform(SINK, once, NULL, &options);
    g_autoptr(GstCaps) expected = parse("framerate={96/1,100/1,120/1,200/1}; "
                                        "video/x-raw,framerate=[48/1,100000/1]; "
                                        "video/x-raw,framerate=[24/1,50000000/1]");
    g_autofree char *found = gst_caps_to_string(twice);
    ck_assert_msg(gst_caps_is_equal(twice, expected), "found %s", found);
    ck_assert_uint_le(gst_caps_get_size(twice), 4);
}
END_TEST

START_TEST(any_caps_become_the_filter)
{
    g_autoptr(GstCaps) any = gst_caps_new_any();
    g_autoptr(GstCaps) filter = parse("framerate=50/1");
    GstVfiCapsOptions options = {.multiplier = 2};
    g_autoptr(GstCaps) open = gst_vfi_caps_transform(SINK, any, NULL, &options);
    g_autoptr(GstCaps) limited = gst_vfi_caps_transform(SINK, any, filter, &options);
    ck_assert(gst_caps_is_any(open));
    ck_assert(gst_caps_is_equal(limited, filter));
}
END_TEST

/* What both directions say must agree, and must agree with the decision. */
START_TEST(answers_promise_only_what_is_accepted)
{
    static const gint rates[][2] = {{24, 1},       {25, 1},  {30, 1},       {50, 1},
                                    {60, 1},       {120, 1}, {24000, 1001}, {30000, 1001},
                                    {60000, 1001}, {15, 2},  {1, 1},        {0, 1}};
    const GstVfiCapsOptions variants[] = {
        {.multiplier = 2},
        {.multiplier = 1},
        {.multiplier = 2, .largest_of_pairs = 4},
    };
    const GstVfiCapsOptions options = variants[_i];
    for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(rates); j++) {
            GstVideoInfo in, out;
            gst_video_info_set_format(&in, GST_VIDEO_FORMAT_I420, 320, 240);
            out = in;
            in.fps_n = rates[i][0], in.fps_d = rates[i][1];
            out.fps_n = rates[j][0], out.fps_d = rates[j][1];
            GstVfiCapsDecision decision;
            gboolean accepted = gst_vfi_caps_decide(&in, &out, &options, &decision,
                                                    NULL) != GST_VFI_MODE_REFUSE;
            g_autoptr(GstCaps) from = gst_caps_new_simple(
                "video/x-raw", "framerate", GST_TYPE_FRACTION, in.fps_n, in.fps_d, NULL);
            g_autoptr(GstCaps) to =
                gst_caps_new_simple("video/x-raw", "framerate", GST_TYPE_FRACTION,
                                    out.fps_n, out.fps_d, NULL);
            g_autoptr(GstCaps) down = gst_vfi_caps_transform(SINK, from, NULL, &options);
            g_autoptr(GstCaps) up = gst_vfi_caps_transform(SRC, to, NULL, &options);
            ck_assert_msg(gst_caps_can_intersect(down, to) == accepted &&
                              gst_caps_can_intersect(up, from) == accepted,
                          "%d/%d to %d/%d", in.fps_n, in.fps_d, out.fps_n, out.fps_d);
        }
    }
}
END_TEST

/* Input, multiplier, what downstream accepts, expected output rate. */
static const struct {
    const char *in;
    guint multiplier;
    const char *downstream;
    const char *expected;
} fixations[] = {
    {PICTURE ",framerate=25/1", 2, PICTURE, "framerate=50/1"},
    {PICTURE ",framerate=25/1", 4, PICTURE, "framerate=100/1"},
    {PICTURE ",framerate=25/1", 1, PICTURE, "framerate=25/1"},
    {PICTURE ",framerate=25/1", 2, "framerate=25/1", "framerate=25/1"},
    {PICTURE ",framerate=25/1", 2, "framerate=100/1", "framerate=100/1"},
    {PICTURE ",framerate=25/1", 3, "framerate=[0/1,60/1]", "framerate=60/1"},
    {PICTURE ",framerate=24/1", 2, "framerate=[100/1,200/1]", "framerate=100/1"},
    {PICTURE ",framerate=24/1", 2, "framerate=60/1", "framerate=60/1"},
    {PICTURE ",framerate=24000/1001", 2, "framerate=60000/1001", "framerate=60000/1001"},
    {PICTURE ",framerate=0/1", 2, "framerate=60/1", "framerate=60/1"},
    {PICTURE ",framerate=0/1", 2, "framerate=[1/1,100/1]", "framerate=60/1"},
    {PICTURE ",framerate=0/1,max-framerate=24/1", 3, "framerate=[1/1,100/1]",
     "framerate=72/1"},
    {PICTURE ",framerate=30000/1001", 2, PICTURE, "framerate=60000/1001"},
    {PICTURE ",framerate=0/1", 2, PICTURE, "framerate=0/1"},
    {PICTURE ",framerate=0/1,max-framerate=30/1", 2, PICTURE,
     "framerate=0/1,max-framerate=60/1"},
    {PICTURE, 2, PICTURE, NULL},
    {PICTURE, 2, "framerate=[0/1,2147483647/1]", "framerate=0/1"},
    {PICTURE ",framerate=2147483647/1", 2, PICTURE, "framerate=2147483647/1"},
    {PICTURE ",framerate=25/1,views=2", 2, PICTURE, "framerate=25/1"},
};

START_TEST(the_multiplier_is_fixated)
{
    g_autoptr(GstCaps) in = parse(fixations[_i].in);
    g_autoptr(GstCaps) downstream = parse(fixations[_i].downstream);
    GstVfiCapsOptions options = {.multiplier = fixations[_i].multiplier};
    GstCaps *candidates = gst_vfi_caps_transform(SINK, in, downstream, &options);
    ck_assert(!gst_caps_is_empty(candidates));
    g_autoptr(GstCaps) fixed = gst_vfi_caps_fixate(in, candidates, &options);
    ck_assert(gst_caps_is_fixed(fixed));
    g_autoptr(GstCaps) expected = gst_caps_copy(in);
    if (fixations[_i].expected) {
        g_autoptr(GstCaps) rate = parse(fixations[_i].expected);
        gst_structure_remove_fields(gst_caps_get_structure(expected, 0), "framerate",
                                    "max-framerate", NULL);
        const GstStructure *from = gst_caps_get_structure(rate, 0);
        for (gint i = 0; i < gst_structure_n_fields(from); i++) {
            const char *name = gst_structure_nth_field_name(from, (guint)i);
            gst_caps_set_value(expected, name, gst_structure_get_value(from, name));
        }
    }
    g_autofree char *found = gst_caps_to_string(fixed);
    ck_assert_msg(gst_caps_is_equal(fixed, expected), "%s: found %s", fixations[_i].in,
                  found);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("caps");
    TCase *tcase = tcase_create("caps");
    tcase_add_loop_test(tcase, rates_are_mapped, 0, G_N_ELEMENTS(transforms));
    tcase_add_loop_test(tcase, interlaced_video_can_pass, 0,
                        G_N_ELEMENTS(pass_transforms));
    tcase_add_loop_test(tcase, multipliers_of_pairs_make_the_rate_variable, 0,
                        G_N_ELEMENTS(pair_transforms));
    tcase_add_test(tcase, open_answers_prefer_the_multiplier);
    tcase_add_test(tcase, answers_of_answers_stay_short);
    tcase_add_test(tcase, any_caps_become_the_filter);
    tcase_add_loop_test(tcase, answers_promise_only_what_is_accepted, 0, 3);
    tcase_add_loop_test(tcase, the_multiplier_is_fixated, 0, G_N_ELEMENTS(fixations));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
