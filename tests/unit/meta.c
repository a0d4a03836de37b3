/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which metas and flags reach frames that were made and not received. */
#include <gst/gst.h>
#include <string.h>

#include <gst/video/gstvideometa.h>
#include <gst/video/video-anc.h>
#include <gst/video/video-overlay-composition.h>
#include <gst/video/video.h>

#include "check_main.h"
#include "pure/meta.h"

enum { SIDE = 16, STRIDE = 32, PADDED_BYTES = STRIDE * SIDE, BYTES = SIDE * SIDE };

static void add_overlay(GstBuffer *buffer)
{
    g_autoptr(GstBuffer) pixels = gst_buffer_new_allocate(NULL, 64, NULL);
    gst_buffer_add_video_meta(pixels, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_BGRA, 4,
                              4);
    GstVideoOverlayRectangle *rectangle = gst_video_overlay_rectangle_new_raw(
        pixels, 0, 0, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
    GstVideoOverlayComposition *composition =
        gst_video_overlay_composition_new(rectangle);
    gst_buffer_add_video_overlay_composition_meta(buffer, composition);
    gst_video_overlay_composition_unref(composition);
    gst_video_overlay_rectangle_unref(rectangle);
}

/* A 16x16 grey frame with a row stride of 32 and one of every meta that video has. */
static GstBuffer *new_full_frame(void)
{
    static const guint8 caption[3] = {0xfc, 0x80, 0x80};
    gsize offset[GST_VIDEO_MAX_PLANES] = {0};
    gint stride[GST_VIDEO_MAX_PLANES] = {STRIDE};
    GstBuffer *frame = gst_buffer_new_allocate(NULL, PADDED_BYTES, NULL);
    gst_buffer_add_video_meta_full(frame, GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_FORMAT_GRAY8, SIDE, SIDE, 1, offset, stride);
    gst_buffer_add_video_afd_meta(frame, 0, GST_VIDEO_AFD_SPEC_ATSC_A53,
                                  GST_VIDEO_AFD_16_9_LETTER_14_9_CENTER);
    gst_buffer_add_video_bar_meta(frame, 0, TRUE, 2, 3);
    add_overlay(frame);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(frame);
    crop->x = 1, crop->y = 2, crop->width = 8, crop->height = 9;
    gst_buffer_add_video_caption_meta(frame, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, caption,
                                      sizeof caption);
    gst_buffer_add_video_time_code_meta_full(
        frame, 25, 1, NULL, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);
    g_autoptr(GstCaps) clock = gst_caps_new_empty_simple("timestamp/x-ntp");
    gst_buffer_add_reference_timestamp_meta(frame, clock, 42, GST_CLOCK_TIME_NONE);
    gst_buffer_add_video_region_of_interest_meta(frame, "face", 1, 1, 4, 4);
    g_autoptr(GstBuffer) parent = gst_buffer_new();
    gst_buffer_add_parent_buffer_meta(frame, parent);
    return frame;
}

static void check_made_metas(GstBuffer *made)
{
    const GstVideoAFDMeta *afd =
        (GstVideoAFDMeta *)gst_buffer_get_meta(made, GST_VIDEO_AFD_META_API_TYPE);
    ck_assert_ptr_nonnull(afd);
    ck_assert_int_eq(afd->afd, GST_VIDEO_AFD_16_9_LETTER_14_9_CENTER);
    const GstVideoBarMeta *bar =
        (GstVideoBarMeta *)gst_buffer_get_meta(made, GST_VIDEO_BAR_META_API_TYPE);
    ck_assert_ptr_nonnull(bar);
    ck_assert_uint_eq(bar->bar_data2, 3);
    const GstVideoOverlayCompositionMeta *overlay =
        gst_buffer_get_video_overlay_composition_meta(made);
    ck_assert_ptr_nonnull(overlay);
    ck_assert_uint_eq(gst_video_overlay_composition_n_rectangles(overlay->overlay), 1);
    const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(made);
    ck_assert_ptr_nonnull(crop);
    ck_assert_uint_eq(crop->height, 9);

    ck_assert_uint_eq(gst_buffer_get_n_meta(made, GST_VIDEO_CAPTION_META_API_TYPE), 0);
    ck_assert_uint_eq(gst_buffer_get_n_meta(made, GST_VIDEO_TIME_CODE_META_API_TYPE), 0);
    ck_assert_uint_eq(gst_buffer_get_n_meta(made, GST_REFERENCE_TIMESTAMP_META_API_TYPE),
                      0);
    ck_assert_uint_eq(
        gst_buffer_get_n_meta(made, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 0);
    ck_assert_uint_eq(gst_buffer_get_n_meta(made, GST_PARENT_BUFFER_META_API_TYPE), 0);
}

static guint count_metas(GstBuffer *buffer)
{
    guint count = 0;
    gpointer state = NULL;
    while (gst_buffer_iterate_meta(buffer, &state))
        count++;
    return count;
}

START_TEST(in_betweens_take_the_picture_s_metas_only)
{
    g_autoptr(GstBuffer) a = new_full_frame();
    g_autoptr(GstBuffer) b = gst_buffer_new();
    g_autoptr(GstBuffer) made = gst_buffer_new_allocate(NULL, BYTES, NULL);
    gst_buffer_add_video_meta(made, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8,
                              SIDE, SIDE);
    gst_vfi_meta_copy_in_between(made, a, b, FALSE);
    check_made_metas(made);
    /* Its own layout stays: one video meta with its own stride. */
    ck_assert_uint_eq(gst_buffer_get_n_meta(made, GST_VIDEO_META_API_TYPE), 1);
    ck_assert_int_eq(gst_buffer_get_video_meta(made)->stride[0], SIDE);
    ck_assert_uint_eq(count_metas(made), 5);
    /* The source is as it was. */
    ck_assert_uint_eq(count_metas(a), 10);
}
END_TEST

START_TEST(metas_come_from_the_first_frame)
{
    g_autoptr(GstBuffer) a = gst_buffer_new();
    g_autoptr(GstBuffer) b = new_full_frame();
    g_autoptr(GstBuffer) made = gst_buffer_new();
    gst_vfi_meta_copy_in_between(made, a, b, FALSE);
    ck_assert_uint_eq(count_metas(made), 0);
}
END_TEST

static gconstpointer first_byte(GstBuffer *buffer)
{
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_READ));
    gst_buffer_unmap(buffer, &map);
    return map.data;
}

START_TEST(duplicates_share_pixels_and_layout)
{
    g_autoptr(GstBuffer) a = new_full_frame();
    GST_BUFFER_PTS(a) = 40;
    GST_BUFFER_FLAG_SET(a, GST_BUFFER_FLAG_DISCONT);
    g_autoptr(GstBuffer) made = gst_vfi_meta_new_duplicate(a, FALSE);
    check_made_metas(made);
    ck_assert_int_eq(gst_buffer_get_video_meta(made)->stride[0], STRIDE);
    ck_assert_uint_eq(count_metas(made), 5);
    ck_assert_uint_eq(gst_buffer_n_memory(made), 1);
    ck_assert_ptr_eq(first_byte(made), first_byte(a));
    ck_assert_uint_eq(gst_buffer_get_size(made), gst_buffer_get_size(a));
    ck_assert(GST_BUFFER_FLAG_IS_SET(made, GST_BUFFER_FLAG_GAP));
    ck_assert(!GST_BUFFER_FLAG_IS_SET(made, GST_BUFFER_FLAG_DISCONT));
    ck_assert_uint_eq(GST_BUFFER_PTS(made), GST_CLOCK_TIME_NONE);
}
END_TEST

START_TEST(a_duplicate_outlives_its_frame_and_leaves_it_whole)
{
    GstBuffer *a = gst_buffer_new_memdup("frame", 6);
    GstBuffer *made = gst_vfi_meta_new_duplicate(a, FALSE);
    GstMemory *memory = gst_buffer_peek_memory(a, 0);

    /* A pool keeps a buffer that comes back with memory that nobody else has. */
    ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(memory), 1);
    ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(a), 2);
    gst_buffer_unref(a);
    ck_assert_int_eq(gst_buffer_memcmp(made, 0, "frame", 6), 0);
    gst_buffer_unref(made);
}
END_TEST

START_TEST(writing_to_a_duplicate_spares_the_frame)
{
    g_autoptr(GstBuffer) a = gst_buffer_new_memdup("frame", 6);
    g_autoptr(GstBuffer) made = gst_vfi_meta_new_duplicate(a, FALSE);
    GstMapInfo map;

    ck_assert(gst_buffer_map(made, &map, GST_MAP_WRITE));
    memcpy(map.data, "other", 6);
    gst_buffer_unmap(made, &map);
    ck_assert_int_eq(gst_buffer_memcmp(made, 0, "other", 6), 0);
    ck_assert_int_eq(gst_buffer_memcmp(a, 0, "frame", 6), 0);
}
END_TEST

#define CORRUPTED GST_BUFFER_FLAG_CORRUPTED
#define DROPPABLE GST_BUFFER_FLAG_DROPPABLE
#define GAP GST_BUFFER_FLAG_GAP
#define MADE_FLAGS (CORRUPTED | DROPPABLE | GAP)

static const struct {
    guint a, b;
    gboolean droppable;
    guint in_between, duplicate;
} flags[] = {
    {0, 0, FALSE, 0, GAP},
    {CORRUPTED, 0, FALSE, CORRUPTED, CORRUPTED | GAP},
    {0, CORRUPTED, FALSE, CORRUPTED, GAP},
    {CORRUPTED, CORRUPTED, FALSE, CORRUPTED, CORRUPTED | GAP},
    {0, 0, TRUE, DROPPABLE, DROPPABLE | GAP},
    {DROPPABLE | GAP, DROPPABLE | GAP, FALSE, 0, GAP},
    {CORRUPTED, 0, TRUE, CORRUPTED | DROPPABLE, CORRUPTED | DROPPABLE | GAP},
};

START_TEST(flags_follow_their_table)
{
    g_autoptr(GstBuffer) a = gst_buffer_new();
    g_autoptr(GstBuffer) b = gst_buffer_new();
    g_autoptr(GstBuffer) made = gst_buffer_new();
    GST_BUFFER_FLAG_SET(a, flags[_i].a);
    GST_BUFFER_FLAG_SET(b, flags[_i].b);
    gst_vfi_meta_copy_in_between(made, a, b, flags[_i].droppable);
    g_autoptr(GstBuffer) again = gst_vfi_meta_new_duplicate(a, flags[_i].droppable);
    ck_assert_uint_eq(GST_BUFFER_FLAGS(made) & MADE_FLAGS, flags[_i].in_between);
    ck_assert_uint_eq(GST_BUFFER_FLAGS(again) & MADE_FLAGS, flags[_i].duplicate);
}
END_TEST

/* x, y, width, height of each frame's crop; width 0: none */
static const struct {
    guint a[4], b[4];
    gboolean same;
} crops[] = {
    {{0, 0, 0, 0}, {0, 0, 0, 0}, TRUE},  {{1, 2, 8, 9}, {1, 2, 8, 9}, TRUE},
    {{1, 2, 8, 9}, {0, 0, 0, 0}, FALSE}, {{0, 0, 0, 0}, {1, 2, 8, 9}, FALSE},
    {{1, 2, 8, 9}, {2, 2, 8, 9}, FALSE}, {{1, 2, 8, 9}, {1, 3, 8, 9}, FALSE},
    {{1, 2, 8, 9}, {1, 2, 7, 9}, FALSE}, {{1, 2, 8, 9}, {1, 2, 8, 8}, FALSE},
};

static GstBuffer *new_cropped(const guint crop[4])
{
    GstBuffer *buffer = gst_buffer_new();
    if (crop[2] > 0) {
        GstVideoCropMeta *meta = gst_buffer_add_video_crop_meta(buffer);
        meta->x = crop[0], meta->y = crop[1], meta->width = crop[2],
        meta->height = crop[3];
    }
    return buffer;
}

START_TEST(crops_are_compared)
{
    g_autoptr(GstBuffer) a = new_cropped(crops[_i].a);
    g_autoptr(GstBuffer) b = new_cropped(crops[_i].b);
    ck_assert_int_eq(gst_vfi_meta_same_crop(a, b), crops[_i].same);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("meta");
    TCase *tcase = tcase_create("meta");
    tcase_add_test(tcase, in_betweens_take_the_picture_s_metas_only);
    tcase_add_test(tcase, metas_come_from_the_first_frame);
    tcase_add_test(tcase, duplicates_share_pixels_and_layout);
    tcase_add_test(tcase, a_duplicate_outlives_its_frame_and_leaves_it_whole);
    tcase_add_test(tcase, writing_to_a_duplicate_spares_the_frame);
    tcase_add_loop_test(tcase, flags_follow_their_table, 0, G_N_ELEMENTS(flags));
    tcase_add_loop_test(tcase, crops_are_compared, 0, G_N_ELEMENTS(crops));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
