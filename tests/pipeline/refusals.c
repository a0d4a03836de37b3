/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cannot be had in whole pipelines: an element that pushes caps without asking is
 * told why, and the element that is named for it, put in front, negotiates by itself. A
 * file that is no whole model is told from one, and what to take instead. */
#include <gst/check/gstcheck.h>

#include <string.h>

#include <glib/gstdio.h>

#include "../engine/deterministic_weights.h"
#include "../engine/state_dict_tlbvfi.h"

#define PATIENCE (60 * GST_SECOND)
#define SOURCE "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=48,"
/* Decoders push the caps that they find; decodebin links them before these are known. */
#define DECODED(rate)                                                                    \
    SOURCE "framerate=" rate                                                             \
           " ! vp8enc deadline=1 cpu-used=8 ! matroskamux ! decodebin ! "
#define SINK " ! fakesink sync=false"

/* A pipeline and a word of the element's error; NULL where it runs to its end. */
static const struct {
    const char *line, *word;
} cases[] = {
    {DECODED("50/1") "vfiinterp model=blend ! video/x-raw,framerate=15/1" SINK,
     "'videorate'"},
    {DECODED(
         "50/1") "videorate ! vfiinterp model=blend ! video/x-raw,framerate=15/1" SINK,
     NULL},
    {DECODED("1/1") "vfiinterp model=blend ! video/x-raw,framerate=5000/1" SINK,
     "1000 times"},
    {DECODED(
         "25/1") "videoconvert ! vfiinterp model=blend ! video/x-raw,format=RGB16" SINK,
     NULL},
    {SOURCE "format=v216,framerate=25/1 ! videoconvert ! vfiinterp model=blend" SINK,
     NULL},
    {SOURCE "format=Y444_12LE,framerate=25/1 ! vfiinterp model=blend ! "
            "video/x-raw,format=Y444_12LE,framerate=50/1" SINK,
     NULL},
    {SOURCE "interlace-mode=interleaved,framerate=25/1 ! deinterlace ! "
            "vfiinterp model=blend" SINK,
     NULL},
};

/* Runs @line to its end; its error, or NULL. */
static GError *run(const char *line)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(line, &error);
    g_autoptr(GstBus) bus = NULL;
    GstMessage *message;

    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message =
        gst_bus_timed_pop_filtered(bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    ck_assert(message != NULL);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return error;
}

GST_START_TEST(what_is_named_helps)
{
    g_autoptr(GError) error = run(cases[__i__].line);

    if (cases[__i__].word == NULL)
        ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    else
        ck_assert_msg(error != NULL && strstr(error->message, cases[__i__].word) != NULL,
                      "%s", error != NULL ? error->message : "no error");
}
GST_END_TEST

/* The averages that a trainer keeps of TLBVFI, without what it does not train. */
GST_START_TEST(a_part_of_a_model_is_named)
{
    g_autoptr(GArray) entries = state_dict_tlbvfi();

    for (guint i = entries->len; i-- > 0;)
        if (!g_str_has_prefix(g_array_index(entries, StateEntry, i).key, "denoise_fn."))
            g_array_remove_index(entries, i);
    g_autofree char *path = deterministic_file(entries, NULL);
    ck_assert(path != NULL);
    g_autofree char *line =
        g_strdup_printf(SOURCE "framerate=25/1 ! vfiinterp model=\"%s\"" SINK, path);
    g_autoptr(GError) error = run(line);
    g_unlink(path);
    ck_assert(error != NULL);
    ck_assert_msg(strstr(error->message, "tlbvfi without its autoencoder") != NULL &&
                      strstr(error->message, "vimeo_unet.pth") != NULL,
                  "%s", error->message);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("pipeline-refusals");
    TCase *tcase = tcase_create("refusals");
    SRunner *runner;
    int failed;

    gst_check_init(&argc, &argv);
    tcase_add_loop_test(tcase, what_is_named_helps, 0, (int)G_N_ELEMENTS(cases));
    tcase_add_test(tcase, a_part_of_a_model_is_named);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
