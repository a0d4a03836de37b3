/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/tags.h"

GstTagList *tags_without_technical(const GstTagList *tags)
{
    static const char *const technical[] = {
        GST_TAG_CONTAINER_FORMAT,
        GST_TAG_VIDEO_CODEC,
        GST_TAG_AUDIO_CODEC,
        GST_TAG_SUBTITLE_CODEC,
        GST_TAG_CODEC,
        GST_TAG_ENCODER,
        GST_TAG_ENCODER_VERSION,
        GST_TAG_APPLICATION_NAME,
        GST_TAG_BITRATE,
        GST_TAG_NOMINAL_BITRATE,
        GST_TAG_MINIMUM_BITRATE,
        GST_TAG_MAXIMUM_BITRATE,
        GST_TAG_IMAGE_ORIENTATION,
        GST_TAG_DURATION,

        GST_TAG_PRIVATE_DATA,
        GST_TAG_EXTENDED_COMMENT,
    };
    if (tags == NULL)
        return NULL;
    GstTagList *left = gst_tag_list_copy(tags);
    for (size_t i = 0; i < G_N_ELEMENTS(technical); i++)
        gst_tag_list_remove_tag(left, technical[i]);
    if (gst_tag_list_is_empty(left))
        gst_clear_tag_list(&left);
    return left;
}
