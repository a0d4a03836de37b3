/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frames a view shows in which place. */
#include <glib.h>

#include <string.h>

#include "check_main.h"
#include "op/op.h"
#include "pure/view_order.h"

/* The element has room for the largest views that the engine has. */
G_STATIC_ASSERT(GST_VFI_MAX_VIEW_FRAMES == VFI_MAX_VIEW_FRAMES);

/* Frames are letters in the order in which they came: 'a' is the first that there is, the
 * two around the in-between are capitals. Views are oldest first. */
static const struct {
    guint before, after;
    gboolean reverse;
    const char *came;
    const char *view;
    gboolean repeats;
} views[] = {
    {0, 0, FALSE, "AB", "AB", FALSE},
    {0, 0, TRUE, "AB", "BA", FALSE},
    /* Three frames, the third before the two, */
    {1, 0, FALSE, "aBC", "aBC", FALSE},
    {1, 0, FALSE, "AB", "AAB", TRUE},
    {1, 0, TRUE, "ABc", "cBA", FALSE},
    {1, 0, TRUE, "AB", "BBA", TRUE},
    /* and after them. */
    {0, 1, FALSE, "ABc", "ABc", FALSE},
    {0, 1, FALSE, "AB", "ABB", TRUE},
    {0, 1, TRUE, "aBC", "CBa", FALSE},
    {0, 1, TRUE, "AB", "BAA", TRUE},
    /* Four. */
    {1, 1, FALSE, "aBCd", "aBCd", FALSE},
    {1, 1, FALSE, "ABc", "AABc", TRUE},
    {1, 1, FALSE, "aBC", "aBCC", TRUE},
    {1, 1, FALSE, "AB", "AABB", TRUE},
    {1, 1, TRUE, "aBCd", "dCBa", FALSE},
    {1, 1, TRUE, "ABc", "cBAA", TRUE},
    {1, 1, TRUE, "aBC", "CCBa", TRUE},
    {1, 1, TRUE, "AB", "BBAA", TRUE},
    /* Unlike numbers, and as many as there may be. */
    {2, 1, FALSE, "abCDe", "abCDe", FALSE},
    {2, 1, FALSE, "aBCd", "aaBCd", TRUE},
    {2, 1, FALSE, "AB", "AAABB", TRUE},
    {2, 1, TRUE, "aBCde", "edCBa", FALSE},
    {2, 1, TRUE, "ABc", "ccBAA", TRUE},
    {3, 3, FALSE, "abcDEfgh", "abcDEfgh", FALSE},
    {3, 3, TRUE, "abcDEfgh", "hgfEDcba", FALSE},
    {3, 3, FALSE, "aBCd", "aaaBCddd", TRUE},
    {6, 0, FALSE, "aBC", "aaaaaaBC", TRUE},
    {0, 6, TRUE, "abcdefGH", "HGfedcba", FALSE},
};

START_TEST(frames_stand_in_the_order_of_their_times)
{
    const GstVfiViewShape shape = {views[_i].before, views[_i].after, views[_i].reverse};
    const char *came = views[_i].came, *first = came;
    guint order[GST_VFI_MAX_VIEW_FRAMES];

    while (!g_ascii_isupper(*first))
        first++;
    guint n_earlier = (guint)(first - came), n_later = (guint)strlen(first + 2);
    ck_assert_int_eq(gst_vfi_view_order(&shape, n_earlier, n_later, order),
                     views[_i].repeats);
    ck_assert_uint_eq(gst_vfi_view_shape_frames(&shape), strlen(views[_i].view));
    for (guint i = 0; i < gst_vfi_view_shape_frames(&shape); i++)
        ck_assert_int_eq(came[order[i]], views[_i].view[i]);
}
END_TEST

START_TEST(play_says_which_frames_come_first)
{
    const GstVfiViewShape forwards = {3, 2, FALSE}, backwards = {3, 2, TRUE};

    ck_assert_uint_eq(gst_vfi_view_shape_earlier(&forwards), 3);
    ck_assert_uint_eq(gst_vfi_view_shape_later(&forwards), 2);
    ck_assert_uint_eq(gst_vfi_view_shape_earlier(&backwards), 2);
    ck_assert_uint_eq(gst_vfi_view_shape_later(&backwards), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("view_order");
    TCase *tcase = tcase_create("view_order");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, frames_stand_in_the_order_of_their_times, 0,
                        (int)G_N_ELEMENTS(views));
    tcase_add_test(tcase, play_says_which_frames_come_first);
    return check_main(suite);
}
