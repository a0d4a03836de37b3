/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstVideoMetas that are odd but right, and such as lead out of the memory, in frames
 * that come and in buffers of downstream's pool: read where they say, or refused with the
 * reason. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND
#define WIDTH 64
#define HEIGHT 48

/* What is done to a right meta. */
typedef void (*Bend)(GstVideoMeta *meta, gsize size);

static void leave(GstVideoMeta *meta, gsize size)
{
    (void)meta, (void)size;
}

static void begin_behind(GstVideoMeta *meta, gsize size)
{
    meta->offset[meta->n_planes - 1] = size;
}

static void begin_far_behind(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->offset[0] = G_MAXSIZE;
}

static void begin_too_late(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->offset[meta->n_planes - 1]++;
}

static void end_behind(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->stride[meta->n_planes - 1] += 2;
}

static void stride_too_far(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->stride[0] = G_MAXINT;
}

static void stride_back_too_far(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->stride[0] = G_MININT;
}

static void begin_before(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->stride[0] = -meta->stride[0];
}

static void no_stride(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->stride[0] = 0;
}

static void rows_overlap(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->stride[0] /= 2;
}

static void fewer_planes(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->n_planes--;
}

static void more_planes(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->n_planes++;
}

static void planes_without_end(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->n_planes = G_MAXUINT;
}

static void another_format(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->format = GST_VIDEO_FORMAT_RGBA;
}

static void narrower(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->width = WIDTH - 1;
}

static void lower(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->height = 1;
}

static void nothing(GstVideoMeta *meta, gsize size)
{
    (void)size;
    meta->width = meta->height = 0;
}

static const Bend bad[] = {
    begin_behind, begin_far_behind,    begin_too_late, end_behind,   stride_too_far,
    begin_before, stride_back_too_far, no_stride,      rows_overlap, fewer_planes,
    more_planes,  planes_without_end,  another_format, narrower,     lower,
    nothing,
};

/* The engine's own layouts, repacked ones, packed groups of pixels, and tiles. */
static const char *const formats[] = {"I420",      "NV12", "RGB",  "P010_10LE",
                                      "P010_10BE", "YUY2", "v210", "NV12_64Z32"};

static GstVideoMeta *add_meta(const GstVideoInfo *info, GstBuffer *buffer)
{
    return gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
        (guint)GST_VIDEO_INFO_WIDTH(info), (guint)GST_VIDEO_INFO_HEIGHT(info),
        GST_VIDEO_INFO_N_PLANES(info), (gsize *)info->offset, (gint *)info->stride);
}

static GstBuffer *bent_frame(Fixture *f, guint number, Bend bend)
{
    GstBuffer *buffer = noise_frame(f, number, number * 50 * MS, 50 * MS);

    bend(add_meta(&f->info, buffer), gst_buffer_get_size(buffer));
    return buffer;
}

static void check_error(Fixture *f, const char *what)
{
    g_autoptr(GError) error = posted_error(f);

    ck_assert(error != NULL);
    ck_assert_int_eq(error->domain, GST_RESOURCE_ERROR);
    ck_assert_msg(strstr(error->message, "expected ") != NULL &&
                      strstr(error->message, what) != NULL,
                  "%s", error->message);
}

static Fixture *start(int mode, const char *format)
{
    Fixture *f = fixture_new(mode, NULL);
    g_autofree char *caps = video_caps(format, WIDTH, HEIGHT, "20/1");

    fixture_set_caps(f, caps, NULL);
    return f;
}

static void check_refused(int mode, const char *format, Bend bend)
{
    Fixture *f = start(mode, format);
    GstFlowReturn flow = gst_harness_push(f->harness, bent_frame(f, 0, leave));

    ck_assert_int_eq(flow, GST_FLOW_OK);
    for (guint i = 1; flow == GST_FLOW_OK && i < 20; i++)
        flow = gst_harness_push(f->harness, bent_frame(f, i, bend));
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    check_error(f, "found ");
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    fixture_free(f);
}

GST_START_TEST(metas_that_lead_astray_are_refused)
{
    /* Every other format, the others in the test of pools. */
    for (guint i = (guint)__i__ % 2; i < G_N_ELEMENTS(formats); i += 2)
        check_refused(in_flight_mode((int)(i / 2 % N_MODES)), formats[i], bad[__i__]);
}
GST_END_TEST

/* The number of the plane, its place and its memory are said. */
GST_START_TEST(the_reason_has_numbers)
{
    static const char *const numbers[] = {"plane 2 of I420 64x48", "24 rows of 32 bytes",
                                          "4608 bytes", "offset 3841", "stride of 32"};
    Fixture *f = start(in_flight_mode(0), "I420");
    GstMessage *message;
    g_autoptr(GError) error = NULL;

    ck_assert_int_eq(gst_harness_push(f->harness, bent_frame(f, 0, begin_too_late)),
                     GST_FLOW_ERROR);
    message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_ERROR);
    gst_message_parse_error(message, &error, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        ck_assert_msg(strstr(error->message, numbers[i]) != NULL, "%s", error->message);
    gst_message_unref(message);
    fixture_free(f);
}
GST_END_TEST

/* The picture of @tight with its last row first, or in the corner of a larger one. */
static GstBuffer *laid_out(const GstVideoInfo *info, GstBuffer *tight,
                           gboolean upside_down)
{
    GstVideoInfo large;
    GstVideoFrame from, to;
    GstBuffer *buffer;
    GstVideoMeta *meta;

    gst_video_info_set_format(&large, GST_VIDEO_INFO_FORMAT(info), WIDTH + 96,
                              HEIGHT + 32);
    buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&large), NULL);
    meta = add_meta(&large, buffer);
    for (guint i = 0; upside_down && i < meta->n_planes; i++) {
        int components[GST_VIDEO_MAX_COMPONENTS];
        int last;

        gst_video_format_info_component(info->finfo, i, components);
        last = GST_VIDEO_INFO_COMP_HEIGHT(info, components[0]) - 1;
        meta->offset[i] += (gsize)last * (gsize)meta->stride[i];
        meta->stride[i] = -meta->stride[i];
    }
    ck_assert(gst_video_frame_map(&from, info, tight, GST_MAP_READ));
    ck_assert(gst_video_frame_map(&to, info, buffer, GST_MAP_WRITE));
    to.info.width = WIDTH;
    to.info.height = HEIGHT;
    ck_assert(gst_video_frame_copy(&to, &from));
    gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
    gst_buffer_copy_into(buffer, tight, GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize)-1);
    gst_buffer_unref(tight);
    return buffer;
}

/* The CRC of the in-between of two noise frames, laid out oddly if @odd. */
static guint32 made_picture(int mode, const char *format, gboolean odd,
                            gboolean upside_down)
{
    Fixture *f = start(mode, format);
    guint32 crc;

    for (guint i = 0; i < 2; i++) {
        GstBuffer *buffer = noise_frame(f, i, i * 50 * MS, 50 * MS);

        if (odd)
            buffer = laid_out(&f->info, buffer, upside_down);
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    crc = picture_crc(&f->info, nth_buffer(f, 1));
    fixture_free(f);
    return crc;
}

GST_START_TEST(odd_but_right_metas_are_honoured)
{
    static const char *const layouts[] = {"I420",      "NV12",      "RGB",
                                          "P010_10LE", "P010_10BE", "YUY2"};
    const guint n = __i__ != 0 ? 4 : G_N_ELEMENTS(layouts);

    for (guint i = 0; i < n; i++) {
        guint32 wanted =
            made_picture(in_flight_mode((int)i % N_MODES), layouts[i], FALSE, FALSE);

        ck_assert_uint_eq(made_picture(in_flight_mode(((int)i + 1) % N_MODES), layouts[i],
                                       TRUE, __i__ != 0),
                          wanted);
    }
}
GST_END_TEST

/* GstVideoConverter cannot read such. */
GST_START_TEST(the_last_row_first_is_not_converted)
{
    Fixture *f = start(in_flight_mode(0), "YUY2");
    GstBuffer *buffer = laid_out(&f->info, noise_frame(f, 0, 0, 50 * MS), TRUE);

    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_ERROR);
    check_error(f, "strides above 0");
    fixture_free(f);
}
GST_END_TEST

/* A pool whose buffers say what is not so. */
typedef struct {
    GstVideoBufferPool parent;
    Bend bend;
} BentPool;
typedef GstVideoBufferPoolClass BentPoolClass;

GType bent_pool_get_type(void);
G_DEFINE_TYPE(BentPool, bent_pool, GST_TYPE_VIDEO_BUFFER_POOL)

static GstFlowReturn alloc_bent(GstBufferPool *pool, GstBuffer **buffer,
                                GstBufferPoolAcquireParams *params)
{
    GstFlowReturn flow =
        GST_BUFFER_POOL_CLASS(bent_pool_parent_class)->alloc_buffer(pool, buffer, params);

    if (flow == GST_FLOW_OK)
        ((BentPool *)pool)
            ->bend(gst_buffer_get_video_meta(*buffer), gst_buffer_get_size(*buffer));
    return flow;
}

static void bent_pool_class_init(BentPoolClass *class)
{
    GST_BUFFER_POOL_CLASS(class)->alloc_buffer = alloc_bent;
}

static void bent_pool_init(BentPool *pool)
{
    pool->bend = leave;
}

static void check_pool(int mode, const char *format, Bend bend)
{
    Fixture *f = fixture_new(mode, NULL);
    g_autofree char *caps = video_caps(format, WIDTH, HEIGHT, "20/1");
    BentPool *pool = g_object_new(bent_pool_get_type(), NULL);
    GstFlowReturn flow = GST_FLOW_OK;

    pool->bend = bend;
    fixture_offer_pool(f, GST_BUFFER_POOL(pool), TRUE);
    fixture_set_caps(f, caps, NULL);
    for (guint i = 0; flow == GST_FLOW_OK && i < 20; i++)
        flow = gst_harness_push(f->harness, noise_frame(f, i, i * 50 * MS, 50 * MS));
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    check_error(f, "found ");
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    fixture_free(f);
    gst_object_unref(pool);
}

GST_START_TEST(buffers_of_an_odd_pool_are_refused)
{
    for (guint i = 1 - (guint)__i__ % 2; i < G_N_ELEMENTS(formats); i += 2)
        check_pool(in_flight_mode((int)(i / 2 % N_MODES)), formats[i], bad[__i__]);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-layout");
    TCase *tcase = tcase_create("layout");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, metas_that_lead_astray_are_refused, 0,
                        (int)G_N_ELEMENTS(bad));
    tcase_add_test(tcase, the_reason_has_numbers);
    tcase_add_loop_test(tcase, odd_but_right_metas_are_honoured, 0, 2);
    tcase_add_test(tcase, the_last_row_first_is_not_converted);
    tcase_add_loop_test(tcase, buffers_of_an_odd_pool_are_refused, 0,
                        (int)G_N_ELEMENTS(bad));
    return element_main(argc, argv, suite);
}
