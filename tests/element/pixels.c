/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixels: every format and odd size, originals and identical frames bit by bit, the known
 * answers of `blend` and `flow`, strides of all kinds; and the metas that go with
 * pictures. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND

static Fixture *start(int mode, const char *format, int width, int height,
                      const char *properties)
{
    Fixture *f = fixture_new(mode, properties);
    g_autofree char *caps = video_caps(format, width, height, "20/1");

    fixture_set_caps(f, caps, NULL);
    return f;
}

static void push(Fixture *f, GstBuffer *buffer)
{
    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
}

/* Formats that the engine works in, and how their samples are read. */
typedef struct {
    const char *name;
    int sample_bytes;
    int shift;  /* unused low bits of a sample */
    int filler; /* byte of a 4-byte pixel that holds nothing, or -1 */
} Direct;

static const Direct direct[] = {
    {"I420", 1, 0, -1},      {"YV12", 1, 0, -1},      {"NV12", 1, 0, -1},
    {"NV21", 1, 0, -1},      {"Y42B", 1, 0, -1},      {"Y444", 1, 0, -1},
    {"I420_10LE", 2, 0, -1}, {"P010_10LE", 2, 6, -1}, {"Y444_10LE", 2, 0, -1},
    {"GRAY8", 1, 0, -1},     {"RGB", 1, 0, -1},       {"BGR", 1, 0, -1},
    {"RGBx", 1, 0, 3},       {"xRGB", 1, 0, 0},       {"BGRx", 1, 0, 3},
    {"xBGR", 1, 0, 0},       {"RGBA", 1, 0, -1},      {"ARGB", 1, 0, -1},
    {"BGRA", 1, 0, -1},      {"ABGR", 1, 0, -1},      {"GBR", 1, 0, -1},
    {"RGBP", 1, 0, -1},      {"NV16", 1, 0, -1},      {"NV24", 1, 0, -1},
    {"I422_10LE", 2, 0, -1}, {"GBR_10LE", 2, 0, -1},  {"AYUV", 1, 0, -1},
    {"VUYA", 1, 0, -1},      {"A420", 1, 0, -1},      {"AV12", 1, 0, -1},
    {"GBRA", 1, 0, -1},      {"A420_10LE", 2, 0, -1}, {"A444_10LE", 2, 0, -1},
    {"GBRA_10LE", 2, 0, -1}, {"I420_12LE", 2, 0, -1}, {"I422_12LE", 2, 0, -1},
    {"Y444_12LE", 2, 0, -1}, {"Y444_16LE", 2, 0, -1}, {"P012_LE", 2, 4, -1},
    {"P016_LE", 2, 0, -1},   {"GRAY16_LE", 2, 0, -1}, {"GBR_12LE", 2, 0, -1},
    {"GBRA_12LE", 2, 0, -1}, {"Y412_LE", 2, 4, -1},   {"AYUV64", 2, 0, -1},
    {"ARGB64", 2, 0, -1},    {"ARGB64_LE", 2, 0, -1}, {"RGBA64_LE", 2, 0, -1},
    {"BGRA64_LE", 2, 0, -1}, {"ABGR64_LE", 2, 0, -1},
};

static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {16, 16}, {66, 50}, {1, 37}};

static int sample(const Direct *format, const guint8 *row, gsize x)
{
    if (format->sample_bytes == 1)
        return row[x];
    return (row[2 * x] | row[2 * x + 1] << 8) >> format->shift;
}

/* a + (b - a) * j / m, the weight rounded to 1/65536, the mean to nearest. */
static int blended(int a, int b, int j, int m)
{
    int weight = (int)(j * 65536.0 / m + 0.5);

    return (int)(((gint64)a * (65536 - weight) + (gint64)b * weight + 32768) >> 16);
}

static void check_row(const Direct *format, const guint8 *a, const guint8 *b,
                      const guint8 *out, gsize n, int j, int m)
{
    for (gsize x = 0; x < n; x++)
        if (format->filler < 0 || x % 4 != (gsize)format->filler)
            ck_assert_int_eq(sample(format, out, x),
                             blended(sample(format, a, x), sample(format, b, x), j, m));
}

static const guint8 *plane_row(const GstVideoFrame *frame, guint plane, int y)
{
    return (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(frame, plane) +
           (gssize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
}

/* Every sample of @out is the blend of @a and @b at j/m. */
static void check_blend(const Direct *format, const GstVideoInfo *info, GstBuffer *a,
                        GstBuffer *b, GstBuffer *out, int j, int m)
{
    GstVideoFrame frames[3];
    int components[GST_VIDEO_MAX_COMPONENTS];

    ck_assert(gst_video_frame_map(&frames[0], info, a, GST_MAP_READ));
    ck_assert(gst_video_frame_map(&frames[1], info, b, GST_MAP_READ));
    ck_assert(gst_video_frame_map(&frames[2], info, out, GST_MAP_READ));
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frames[0]); plane++) {
        gst_video_format_info_component(info->finfo, plane, components);
        gsize n = (gsize)GST_VIDEO_FRAME_COMP_WIDTH(&frames[0], components[0]) *
                  (gsize)GST_VIDEO_FRAME_COMP_PSTRIDE(&frames[0], components[0]) /
                  (gsize)format->sample_bytes;
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frames[0], components[0]); y++)
            check_row(format, plane_row(&frames[0], plane, y),
                      plane_row(&frames[1], plane, y), plane_row(&frames[2], plane, y), n,
                      j, m);
    }
    for (int i = 0; i < 3; i++)
        gst_video_frame_unmap(&frames[i]);
}

static void check_direct(const Direct *format, int mode, int width, int height)
{
    Fixture *f = start(mode, format->name, width, height, "multiplier=3");
    GstBuffer *a = noise_frame(f, 1, 0, 50 * MS),
              *b = noise_frame(f, 2, 50 * MS, 50 * MS);
    guint32 crc_a = picture_crc(&f->info, a), crc_b = picture_crc(&f->info, b);

    push(f, a);
    push(f, b);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
    ck_assert_uint_eq(picture_crc(&f->info, nth_buffer(f, 0)), crc_a);
    for (int j = 1; j < 3; j++)
        check_blend(format, &f->info, nth_buffer(f, 0), nth_buffer(f, 3),
                    nth_buffer(f, (guint64)j), j, 3);
    for (guint64 i = 3; i < 6; i++)
        ck_assert_uint_eq(picture_crc(&f->info, nth_buffer(f, i)), crc_b);
    fixture_free(f);
}

GST_START_TEST(formats_of_the_engine_are_exact)
{
    /* Every format and every size meets both modes. */
    for (int i = 0; i < (int)G_N_ELEMENTS(sizes); i++)
        check_direct(&direct[__i__], in_flight_mode((__i__ + i) % N_MODES), sizes[i][0],
                     sizes[i][1]);
}
GST_END_TEST

/* Formats that are converted for the engine, and four bytes that, repeated, make a frame
 * of one colour. */
static const struct {
    const char *name;
    guint8 bytes[4];
} converted[] = {
    {"YUY2", {90, 120, 90, 140}},
    {"UYVY", {120, 90, 140, 90}},
    {"v308", {91, 91, 91, 91}},
    {"Y41B", {91, 91, 91, 91}},
    {"BGRP", {91, 91, 91, 91}},
    {"BGR16", {0x84, 0x84, 0x84, 0x84}},
    {"v210", {0x02, 0x0a, 0x28, 0x20}}, /* three samples of 514 */
    {"r210", {0x20, 0x28, 0x0a, 0x02}},
    {"P010_10BE", {0x80, 0x40, 0x80, 0x40}},
    {"GRAY10_LE32", {0x02, 0x0a, 0x28, 0x20}},
    {"Y212_LE", {0x50, 0x83, 0xe0, 0x41}},
    {"Y212_BE", {0x83, 0x50, 0x41, 0xe0}},
    {"Y412_BE", {0x83, 0x50, 0x83, 0x50}},
    {"P012_BE", {0x83, 0x50, 0x83, 0x50}},
    {"P016_BE", {0x83, 0x57, 0x83, 0x57}},
    {"I420_12BE", {0x07, 0x53, 0x07, 0x53}},
    {"I422_12BE", {0x07, 0x53, 0x07, 0x53}},
    {"Y444_12BE", {0x07, 0x53, 0x07, 0x53}},
    {"Y444_16BE", {0x83, 0x57, 0x83, 0x57}},
    {"GBR_12BE", {0x07, 0x53, 0x07, 0x53}},
    {"GBRA_12BE", {0x07, 0x53, 0x07, 0x53}},
    {"ARGB64_BE", {0x83, 0x57, 0x41, 0xe9}},
    {"ABGR64_BE", {0x83, 0x57, 0x41, 0xe9}},
    {"GRAY16_BE", {0x83, 0x57, 0x83, 0x57}},
};

static GstBuffer *one_colour(Fixture *f, const guint8 bytes[4], GstClockTime pts)
{
    GstBuffer *buffer = flat_frame(f, 0, pts, 50 * MS);
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = bytes[i % 4];
    gst_buffer_unmap(buffer, &map);
    return buffer;
}

/* A frame whose samples all have @code, which is less than 256. */
static GstBuffer *one_code(Fixture *f, const Direct *format, int code, GstClockTime pts)
{
    int stored = code << format->shift;
    guint8 low = (guint8)(stored & 255);
    guint8 high = format->sample_bytes == 2 ? (guint8)(stored >> 8) : low;

    return one_colour(f, (const guint8[]){low, high, low, high}, pts);
}

/* Nothing can be seen to move in flat frames, whatever the format: so `flow` has to make
 * what `blend` would. */
static void check_flow(const Direct *format, int mode, int width, int height)
{
    Fixture *f =
        start(mode, format->name, width, height, "model=flow device=cpu multiplier=4");

    push(f, one_code(f, format, 40, 0));
    push(f, one_code(f, format, 200, 50 * MS));
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 8);
    for (int j = 1; j < 4; j++)
        check_blend(format, &f->info, nth_buffer(f, 0), nth_buffer(f, 4),
                    nth_buffer(f, (guint64)j), j, 4);
    ck_assert_uint_eq(engine_stat(f, "inferences"), 3);
    fixture_free(f);
}

GST_START_TEST(flow_works_in_all_formats)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(sizes); i++)
        check_flow(&direct[__i__], in_flight_mode((__i__ + i) % N_MODES), sizes[i][0],
                   sizes[i][1]);
}
GST_END_TEST

static guint n_different(GstBuffer *a, GstBuffer *b)
{
    GstMapInfo map_a, map_b;
    guint n = 0;

    ck_assert(gst_buffer_map(a, &map_a, GST_MAP_READ));
    ck_assert(gst_buffer_map(b, &map_b, GST_MAP_READ));
    ck_assert_uint_eq(map_a.size, map_b.size);
    for (gsize i = 0; i < map_a.size; i++)
        n += map_a.data[i] != map_b.data[i];
    gst_buffer_unmap(b, &map_b);
    gst_buffer_unmap(a, &map_a);
    return n;
}

/* In-betweens of a still picture are that picture: no conversion makes them darker. The
 * width is one that every format stores without padding. */
static void check_conversion(int mode, int which)
{
    Fixture *f = start(mode, converted[which].name, 96, 16, NULL);
    GstBuffer *a = one_colour(f, converted[which].bytes, 0);
    GstBuffer *b = one_colour(f, converted[which].bytes, 50 * MS);
    guint wrong;

    /* One byte keeps the pair from being identical; it may show in its neighbourhood. */
    gst_buffer_memset(b, 0, converted[which].bytes[0] ^ 0x14, 1);
    push(f, gst_buffer_ref(a));
    push(f, b);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    ck_assert_uint_eq(engine_stat(f, "identical"), 0);
    wrong = n_different(nth_buffer(f, 1), a);
    ck_assert_msg(wrong <= 16, "%s: %u bytes differ", converted[which].name, wrong);
    gst_buffer_unref(a);
    fixture_free(f);
}

static void check_conversion_at(int mode, int which, int width, int height)
{
    Fixture *f = start(mode, converted[which].name, width, height, "multiplier=3");

    push(f, one_colour(f, converted[which].bytes, 0));
    push(f, one_colour(f, converted[(which + 1) % 4].bytes, 50 * MS));
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
    fixture_free(f);
}

GST_START_TEST(other_formats_are_converted)
{
    for (int mode = 0; mode < N_MODES; mode++)
        check_conversion(in_flight_mode(mode), __i__);
    for (int i = 0; i < (int)G_N_ELEMENTS(sizes); i++)
        check_conversion_at(in_flight_mode((__i__ + i) % N_MODES), __i__, sizes[i][0],
                            sizes[i][1]);
}
GST_END_TEST

GST_START_TEST(originals_of_converted_formats_are_exact)
{
    Fixture *f = start(in_flight_mode(__i__), "YUY2", 33, 17, NULL);
    GstBuffer *a = noise_frame(f, 1, 0, 50 * MS),
              *b = noise_frame(f, 2, 50 * MS, 50 * MS);
    guint32 crc_a = picture_crc(&f->info, a), crc_b = picture_crc(&f->info, b);

    push(f, a);
    push(f, b);
    finish(f);
    ck_assert_uint_eq(picture_crc(&f->info, nth_buffer(f, 0)), crc_a);
    ck_assert_uint_eq(picture_crc(&f->info, nth_buffer(f, 2)), crc_b);
    ck_assert_uint_eq(picture_crc(&f->info, nth_buffer(f, 3)), crc_b);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(identical_frames_need_no_inference)
{
    Fixture *f = start(in_flight_mode(__i__), "I420", 66, 50, "multiplier=4");
    guint32 crc;

    for (guint64 i = 0; i < 3; i++)
        push(f, noise_frame(f, 9, i * 50 * MS, 50 * MS));
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 12);
    crc = picture_crc(&f->info, nth_buffer(f, 0));
    for (guint64 i = 1; i < 12; i++)
        ck_assert_uint_eq(picture_crc(&f->info, nth_buffer(f, i)), crc);
    ck_assert_uint_eq(engine_stat(f, "inferences"), 0);
    ck_assert_uint_eq(engine_stat(f, "identical"), 6);
    fixture_free(f);
}
GST_END_TEST

/* The frame @tight in memory with @padding more bytes a row, beginning at @offset. */
static GstBuffer *loose_copy(const GstVideoInfo *info, GstBuffer *tight, int padding,
                             gsize offset)
{
    gsize offsets[GST_VIDEO_MAX_PLANES] = {0};
    gint strides[GST_VIDEO_MAX_PLANES] = {0};
    gsize total = offset;
    GstVideoFrame from, to;
    GstBuffer *loose;

    for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(info); plane++) {
        strides[plane] = GST_VIDEO_INFO_PLANE_STRIDE(info, plane) + padding;
        offsets[plane] = total;
        total += (gsize)strides[plane] * (gsize)GST_VIDEO_INFO_HEIGHT(info) + 3;
    }
    total += total % 2;
    loose = gst_buffer_new_allocate(NULL, total, NULL);
    gst_buffer_add_video_meta_full(
        loose, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
        (guint)GST_VIDEO_INFO_WIDTH(info), (guint)GST_VIDEO_INFO_HEIGHT(info),
        GST_VIDEO_INFO_N_PLANES(info), offsets, strides);
    ck_assert(gst_video_frame_map(&from, info, tight, GST_MAP_READ));
    ck_assert(gst_video_frame_map(&to, info, loose, GST_MAP_WRITE));
    ck_assert(gst_video_frame_copy(&to, &from));
    gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
    gst_buffer_copy_into(loose, tight, GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize)-1);
    gst_buffer_unref(tight);
    return loose;
}

static void check_strides(const Direct *format, int mode, gboolean meta_downstream)
{
    Fixture *f = fixture_new(mode, NULL);
    g_autofree char *caps = video_caps(format->name, 35, 9, "20/1");
    GstBuffer *a, *b;

    if (meta_downstream)
        gst_harness_add_propose_allocation_meta(f->harness, GST_VIDEO_META_API_TYPE,
                                                NULL);
    fixture_set_caps(f, caps, NULL);
    a = loose_copy(&f->info, noise_frame(f, 1, 0, 50 * MS), 7, 5);
    b = loose_copy(&f->info, noise_frame(f, 2, 50 * MS, 50 * MS), 2, 2);
    push(f, a);
    push(f, b);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    check_blend(format, &f->info, nth_buffer(f, 0), nth_buffer(f, 2), nth_buffer(f, 1), 1,
                2);
    ck_assert_int_eq(gst_buffer_get_video_meta(nth_buffer(f, 1)) != NULL,
                     meta_downstream);
    fixture_free(f);
}

GST_START_TEST(strides_and_offsets_are_honoured)
{
    for (guint i = 0; i < G_N_ELEMENTS(direct); i += SANITIZER_STEP) {
        check_strides(&direct[i], in_flight_mode(__i__), FALSE);
        check_strides(&direct[i], in_flight_mode(__i__), TRUE);
    }
}
GST_END_TEST

GST_START_TEST(large_frames_work)
{
    static const int large[][2] = {{1920, 1080}, {8192, 4320}};

    for (guint i = 0; i < G_N_ELEMENTS(large) - (SANITIZER_STEP > 1); i++) {
        Fixture *f = start(in_flight_mode(__i__), "NV12", large[i][0], large[i][1], NULL);
        push_frames(f, 2, 100);
        finish(f);
        ck_assert_uint_eq(n_buffers(f), 4);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), 105);
        fixture_free(f);
    }
}
GST_END_TEST

/* A buffer that is smaller than its caps say is an error and not a crash. */
GST_START_TEST(short_buffers_are_an_error)
{
    Fixture *f = start(in_flight_mode(__i__), "I420", 64, 64, NULL);
    GstFlowReturn flow = GST_FLOW_OK;
    g_autoptr(GError) error = NULL;

    for (guint64 i = 0; flow == GST_FLOW_OK; i++) {
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, 100, NULL);
        GST_BUFFER_PTS(buffer) = i * 50 * MS;
        flow = gst_harness_push(f->harness, buffer);
    }
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    error = posted_error(f);
    ck_assert_int_eq(error->domain, GST_RESOURCE_ERROR);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(captions_and_timecodes_stay_with_originals)
{
    Fixture *f = start(in_flight_mode(__i__), "I420", 16, 16, NULL);
    static const guint8 caption[] = {0x80, 0x80};
    g_autoptr(GstCaps) clock = gst_caps_new_empty_simple("timestamp/x-test");

    for (guint64 i = 0; i < 2; i++) {
        GstBuffer *buffer = flat_frame(f, (int)i, i * 50 * MS, 50 * MS);
        gst_buffer_add_video_caption_meta(buffer, GST_VIDEO_CAPTION_TYPE_CEA608_RAW,
                                          caption, sizeof caption);
        gst_buffer_add_video_time_code_meta_full(
            buffer, 20, 1, NULL, GST_VIDEO_TIME_CODE_FLAGS_NONE, 0, 0, 0, (guint)i, 0);
        gst_buffer_add_reference_timestamp_meta(buffer, clock, i, GST_CLOCK_TIME_NONE);
        push(f, buffer);
    }
    finish(f);
    for (guint64 i = 0; i < 4; i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        gboolean original = i == 0 || i == 2;
        ck_assert_int_eq(gst_buffer_get_video_caption_meta(buffer) != NULL, original);
        ck_assert_int_eq(gst_buffer_get_video_time_code_meta(buffer) != NULL, original);
        ck_assert_int_eq(gst_buffer_get_reference_timestamp_meta(buffer, clock) != NULL,
                         original);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(corruption_spreads)
{
    Fixture *f = start(in_flight_mode(__i__), "I420", 16, 16, NULL);

    for (guint64 i = 0; i < 4; i++) {
        GstBuffer *buffer = flat_frame(f, (int)i, i * 50 * MS, 50 * MS);
        if (i == 1)
            GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
        push(f, buffer);
    }
    finish(f);
    for (guint64 i = 0; i < 8; i++)
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_CORRUPTED, i >= 1 && i <= 3);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(different_crops_are_no_pair)
{
    Fixture *f = start(in_flight_mode(__i__), "I420", 16, 16, NULL);
    GstBuffer *cropped = flat_frame(f, 90, 50 * MS, 50 * MS);

    gst_buffer_add_video_crop_meta(cropped)->width = 8;
    push(f, flat_frame(f, 10, 0, 50 * MS));
    push(f, cropped);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), 10);
    assert_flag(nth_buffer(f, 1), GST_BUFFER_FLAG_GAP, TRUE);
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-pixels");
    TCase *tcase = tcase_create("pixels");

    suite_add_tcase(suite, tcase);
    for (int i = 0; i < (int)G_N_ELEMENTS(direct); i += SANITIZER_STEP)
        tcase_add_loop_test(tcase, formats_of_the_engine_are_exact, i, i + 1);
    for (int i = 0; i < (int)G_N_ELEMENTS(direct); i += SANITIZER_STEP)
        tcase_add_loop_test(tcase, flow_works_in_all_formats, i, i + 1);
    for (int i = 0; i < (int)G_N_ELEMENTS(converted); i += SANITIZER_STEP)
        tcase_add_loop_test(tcase, other_formats_are_converted, i, i + 1);
    tcase_add_loop_test(tcase, originals_of_converted_formats_are_exact, 0, N_MODES);
    tcase_add_loop_test(tcase, identical_frames_need_no_inference, 0, N_MODES);
    tcase_add_loop_test(tcase, strides_and_offsets_are_honoured, 0, N_MODES);
    tcase_add_loop_test(tcase, large_frames_work, 0, N_MODES);
    tcase_add_loop_test(tcase, short_buffers_are_an_error, 0, N_MODES);
    tcase_add_loop_test(tcase, captions_and_timecodes_stay_with_originals, 0, N_MODES);
    tcase_add_loop_test(tcase, corruption_spreads, 0, N_MODES);
    tcase_add_loop_test(tcase, different_crops_are_no_pair, 0, N_MODES);
    return element_main(argc, argv, suite);
}
