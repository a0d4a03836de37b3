/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of subtitles, lists of chapters, and which packets of a track belong into the
 * output. */
#include <gst/gst.h>
#include <string.h>

#include "check_main.h"
#include "media/chapters.h"
#include "media/ebml.h"
#include "media/passed.h"
#include "media/text.h"
#include "media/tracks.h"

typedef gchar *(*Convert)(const gchar *text, gsize size);

static void assert_converts(Convert convert, const char *from, const char *expected)
{
    gchar *found = convert(from, strlen(from));
    ck_assert_str_eq(found, expected);
    g_free(found);
}

START_TEST(test_markup)
{
    assert_converts(text_markup_to_subrip, "Tom &amp; <i>Jerry</i>",
                    "Tom & <i>Jerry</i>");
    assert_converts(text_markup_to_plain, "Tom &amp; <i>Jerry</i>", "Tom & Jerry");
    assert_converts(text_markup_to_subrip, "<span color=\"red\">x</span>", "x");
    assert_converts(text_markup_to_plain, "1 &lt; 2 &#62; &#x41;&quot;", "1 < 2 > A\"");
    assert_converts(text_markup_to_plain, "a & b < c &bogus; &#xZZ;",
                    "a & b < c &bogus; &#xZZ;");
    assert_converts(text_markup_to_plain, "", "");
}
END_TEST

START_TEST(test_ass)
{
    assert_converts(text_ass_to_plain,
                    "3,0,Default,,0,0,0,,{\\b1}Hello{\\b0}\\NWorld, you",
                    "Hello\nWorld, you");
    assert_converts(text_ass_to_plain, "3,0,Default,,0,0,0,,a\\hb\\nc\\d{open",
                    "a b\nc\\d{open");
    assert_converts(text_ass_to_plain, "too,short", "");
}
END_TEST

/* Damaged texts end where their bytes do. */
START_TEST(test_text_ends)
{
    static const char text[] = "0,0,,,,,,,a{b}\\N&amp;<i>&#65;";
    for (gsize size = 0; size < sizeof text; size++) {
        gchar *exact = g_memdup2(text, MAX(size, 1));
        g_free(text_markup_to_plain(exact, size));
        g_free(text_markup_to_subrip(exact, size));
        gchar *plain = text_ass_to_plain(exact, size);
        ck_assert_uint_le(strlen(plain), size);
        g_free(plain);
        g_free(exact);
    }
}
END_TEST

static void add_chapter(GPtrArray *chapters, guint64 start, guint64 end,
                        const char *title)
{
    MediaChapter *chapter = g_new0(MediaChapter, 1);
    chapter->start = start * GST_SECOND;
    chapter->end = end != 0 ? end * GST_SECOND : GST_CLOCK_TIME_NONE;
    chapter->title = g_strdup(title);
    g_ptr_array_add(chapters, chapter);
}

static void assert_chapter(const GPtrArray *chapters, guint index, double start,
                           double end, const char *title)
{
    const MediaChapter *chapter = g_ptr_array_index((GPtrArray *)chapters, index);
    ck_assert_uint_eq(chapter->start, (GstClockTime)(start * GST_SECOND));
    ck_assert_uint_eq(chapter->end, (GstClockTime)(end * GST_SECOND));
    ck_assert_str_eq(chapter->title, title);
}

START_TEST(test_chapters_cut_and_stretched)
{
    GPtrArray *chapters = chapters_of_toc(NULL);
    add_chapter(chapters, 0, 10, "a");
    add_chapter(chapters, 10, 20, "b");
    add_chapter(chapters, 20, 0, "c");
    GstToc *toc =
        chapters_to_toc(chapters, 5 * GST_SECOND, 15 * GST_SECOND, 2, 30 * GST_SECOND);
    GPtrArray *cut = chapters_of_toc(toc);
    ck_assert_uint_eq(cut->len, 2);
    assert_chapter(cut, 0, 0, 10, "a");
    assert_chapter(cut, 1, 10, 20, "b");
    chapters_clear_toc(&toc);
    g_ptr_array_unref(cut);

    toc = chapters_to_toc(chapters, 0, GST_CLOCK_TIME_NONE, 1, 30 * GST_SECOND);
    cut = chapters_of_toc(toc);
    ck_assert_uint_eq(cut->len, 3);
    assert_chapter(cut, 2, 20, 30, "c");
    chapters_clear_toc(&toc);
    g_ptr_array_unref(cut);

    toc = chapters_to_toc(chapters, 40 * GST_SECOND, GST_CLOCK_TIME_NONE, 1,
                          30 * GST_SECOND);
    ck_assert_ptr_null(toc);
    g_ptr_array_unref(chapters);
}
END_TEST

/* One packet of a track of @kind from @time on, in milliseconds, on its way to
 * @container. */
static PassedVerdict judge(MediaTrackKind kind, ContainerKind container,
                           ReaderPacket packet, guint64 from, guint64 to,
                           double slow_motion, Passed *out)
{
    g_autoptr(GstCaps) caps = gst_caps_new_empty_simple("audio/mpeg");
    MediaTrack track = {.kind = kind, .caps = caps};
    KeepItem item = {.track = &track, .passage = PASSAGE_COPY};
    packet.caps = caps;
    Passed *passed =
        passed_new(&item, container, from * GST_MSECOND,
                   to != 0 ? to * GST_MSECOND : GST_CLOCK_TIME_NONE, slow_motion);
    packet.time *= GST_MSECOND;
    packet.duration *= GST_MSECOND;
    packet.skipped *= GST_MSECOND;
    PassedVerdict verdict = passed_judge(passed, &packet);
    *out = *passed;
    passed_free(passed);
    return verdict;
}

START_TEST(test_audio_range)
{
    Passed passed;
    MediaTrackKind audio = MEDIA_TRACK_AUDIO;
    ReaderPacket before = {.time = -20, .duration = 20},
                 at = {.time = 500, .duration = 20};
    ReaderPacket clipped = {.time = 0, .duration = 14, .skipped = 6};
    /* What a decoder wants before the beginning stays where the container can hide it. */
    ck_assert_int_eq(judge(audio, CONTAINER_MP4, before, 0, 0, 1, &passed), PASSED_TAKE);
    ck_assert_int_eq(passed.lead, 20 * GST_MSECOND);
    ck_assert_int_eq(passed.time + passed.lead, 0);
    ck_assert_int_eq(judge(audio, CONTAINER_MKV, before, 0, 0, 1, &passed), PASSED_DROP);
    ck_assert_int_eq(judge(audio, CONTAINER_MP4, clipped, 0, 0, 1, &passed), PASSED_TAKE);
    ck_assert_int_eq(passed.lead, 6 * GST_MSECOND);
    ck_assert_int_eq(passed.duration, 20 * GST_MSECOND);
    ck_assert_int_eq(judge(audio, CONTAINER_MKV, clipped, 0, 0, 1, &passed), PASSED_TAKE);
    ck_assert_int_eq(passed.time, 0);
    ck_assert_int_eq(judge(audio, CONTAINER_MKV, at, 400, 0, 1, &passed), PASSED_TAKE);
    ck_assert_int_eq(passed.time, 100 * GST_MSECOND);
    ck_assert_int_eq(judge(audio, CONTAINER_MP4, at, 600, 0, 1, &passed), PASSED_DROP);
    judge(audio, CONTAINER_MKV, at, 0, 500, 1, &passed);
    ck_assert(passed.ended);
}
END_TEST

/* Whether a track of @before goes on with packets of @after. */
static gboolean goes_on(const char *before, const char *after)
{
    g_autoptr(GstCaps) first = gst_caps_from_string(before);
    g_autoptr(GstCaps) later = gst_caps_from_string(after);
    MediaTrack track = {.kind = MEDIA_TRACK_AUDIO, .caps = first};
    KeepItem item = {.track = &track, .passage = PASSAGE_COPY};
    ReaderPacket packet = {.caps = later, .duration = GST_SECOND};
    Passed *passed = passed_new(&item, CONTAINER_MKV, 0, GST_CLOCK_TIME_NONE, 1);
    passed_judge(passed, &packet);
    gboolean ended = passed->ended;
    passed_free(passed);
    return !ended;
}

/* A transport stream's times are no whole nanoseconds. */
START_TEST(test_audio_begins_at_zero)
{
    g_autoptr(GstCaps) caps = gst_caps_new_empty_simple("audio/mpeg");
    MediaTrack track = {.kind = MEDIA_TRACK_AUDIO, .caps = caps};
    KeepItem item = {.track = &track, .passage = PASSAGE_COPY};
    ReaderPacket packet = {.caps = caps, .time = -1, .duration = 20 * GST_MSECOND};
    Passed *passed = passed_new(&item, CONTAINER_MKV, 0, GST_CLOCK_TIME_NONE, 1);
    ck_assert_int_eq(passed_judge(passed, &packet), PASSED_TAKE);
    ck_assert_int_eq(passed->time, 0);
    passed_free(passed);
}
END_TEST

START_TEST(test_audio_changes)
{
    ck_assert(goes_on("audio/mpeg,mpegversion=4", "audio/mpeg,mpegversion=4,channels=2"));
    ck_assert(!goes_on("audio/mpeg,mpegversion=4,channels=2",
                       "audio/mpeg,mpegversion=4,channels=1"));
    ck_assert(!goes_on("audio/x-raw,rate=44100", "audio/x-raw,rate=48000"));
    /* Decoders see it in each packet. */
    ck_assert(goes_on("audio/x-ac3,channels=6", "audio/x-ac3,channels=2"));
    ck_assert(!goes_on("audio/x-ac3,channels=6", "audio/x-eac3,channels=6"));
}
END_TEST

START_TEST(test_subtitle_range)
{
    Passed passed;
    MediaTrackKind kind = MEDIA_TRACK_SUBTITLE;
    ReaderPacket packet = {.time = 1000, .duration = 1000};
    ck_assert_int_eq(judge(kind, CONTAINER_MKV, packet, 1500, 1700, 4, &passed),
                     PASSED_TAKE);
    ck_assert_int_eq(passed.time, 0);
    ck_assert_int_eq(passed.duration, 800 * GST_MSECOND);
    ck_assert_int_eq(judge(kind, CONTAINER_MKV, packet, 500, 0, 2, &passed), PASSED_TAKE);
    ck_assert_int_eq(passed.time, GST_SECOND);
    ck_assert_int_eq(passed.duration, 2 * GST_SECOND);
    ck_assert_int_eq(judge(kind, CONTAINER_MKV, packet, 2000, 0, 1, &passed),
                     PASSED_DROP);
    judge(kind, CONTAINER_MKV, packet, 0, 1000, 1, &passed);
    ck_assert(passed.ended);
}
END_TEST

static MediaVideo measure(const int *milliseconds, size_t count)
{
    MediaVideo video = {0};
    gint64 times[32];
    for (size_t i = 0; i < count; i++)
        times[i] = milliseconds[i] * (gint64)GST_MSECOND;
    track_measure_rate(&video, times, count);
    return video;
}

START_TEST(test_rate)
{
    static const int constant[] = {0, 120, 40, 80, 160, 201, 239, 280};
    static const int varying[] = {0, 40, 80, 160, 200, 280, 320, 360};
    MediaVideo video = measure(constant, G_N_ELEMENTS(constant));
    ck_assert_double_eq_tol(video.usual_fps, 25, 1e-9);
    ck_assert(!video.varying);
    video = measure(varying, G_N_ELEMENTS(varying));
    ck_assert_double_eq_tol(video.usual_fps, 25, 1e-9);
    ck_assert(video.varying);
    video = measure(varying, 2);
    ck_assert_double_eq(video.usual_fps, 0);
}
END_TEST

START_TEST(test_ebml)
{
    /* A master 0xAE with an unsigned integer of two bytes in it, and something of
     * three. */
    static const guint8 bytes[] = {0xAE, 0x88, 0x55, 0xAA, 0x82, 0x01,
                                   0x02, 0xEC, 0x81, 0x00, 0xFF};
    Ebml master, child;
    ck_assert(ebml_at(bytes, sizeof bytes, 0, &master));
    ck_assert_uint_eq(master.id, 0xAE);
    ck_assert_uint_eq(master.end, 10);
    ck_assert(ebml_find(bytes, &master, 0x55AA, &child));
    ck_assert_uint_eq(ebml_number(bytes, &child), 0x102);
    ck_assert(ebml_find(bytes, &master, 0xEC, &child));
    ck_assert(!ebml_find(bytes, &master, 0xD7, &child));
    for (gsize size = 0; size < 10; size++)
        ck_assert(!ebml_at(bytes, size, 0, &master));
    ck_assert(!ebml_at(bytes, sizeof bytes, 10, &master));
}
END_TEST

START_TEST(test_ebml_void)
{
    static const gsize sizes[] = {2, 3, 128, 129, 300, 70000};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        guint8 *bytes = g_malloc(sizes[i]);
        Ebml element;
        ebml_write_void(bytes, sizes[i]);
        ck_assert(ebml_at(bytes, sizes[i], 0, &element));
        ck_assert_uint_eq(element.id, 0xEC);
        ck_assert_uint_eq(element.end, sizes[i]);
        g_free(bytes);
    }
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("media-parts");
    TCase *tcase = tcase_create("parts");
    tcase_add_test(tcase, test_markup);
    tcase_add_test(tcase, test_ass);
    tcase_add_test(tcase, test_text_ends);
    tcase_add_test(tcase, test_chapters_cut_and_stretched);
    tcase_add_test(tcase, test_audio_range);
    tcase_add_test(tcase, test_audio_begins_at_zero);
    tcase_add_test(tcase, test_audio_changes);
    tcase_add_test(tcase, test_subtitle_range);
    tcase_add_test(tcase, test_rate);
    tcase_add_test(tcase, test_ebml);
    tcase_add_test(tcase, test_ebml_void);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
