/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/chapters.h"

static void free_chapter(gpointer data)
{
    MediaChapter *chapter = (MediaChapter *)data;
    g_free(chapter->title);
    g_free(chapter);
}

static void add_chapter(GPtrArray *chapters, const GstTocEntry *entry)
{
    gint64 start = 0, stop = -1;
    gst_toc_entry_get_start_stop_times(entry, &start, &stop);
    MediaChapter *chapter = g_new0(MediaChapter, 1);
    chapter->start = (GstClockTime)MAX(start, 0);
    chapter->end = stop > start ? (GstClockTime)stop : GST_CLOCK_TIME_NONE;
    const GstTagList *tags = gst_toc_entry_get_tags(entry);
    if (tags != NULL)
        gst_tag_list_get_string(tags, GST_TAG_TITLE, &chapter->title);
    g_ptr_array_add(chapters, chapter);
}

GPtrArray *chapters_of_toc(const GstToc *toc)
{
    GPtrArray *chapters = g_ptr_array_new_with_free_func(free_chapter);
    GList *entries = toc != NULL ? gst_toc_get_entries(toc) : NULL;
    if (entries != NULL && gst_toc_entry_get_entry_type((GstTocEntry *)entries->data) ==
                               GST_TOC_ENTRY_TYPE_EDITION)
        entries = gst_toc_entry_get_sub_entries((GstTocEntry *)entries->data);
    for (; entries != NULL; entries = entries->next) {
        const GstTocEntry *entry = (const GstTocEntry *)entries->data;
        if (gst_toc_entry_get_entry_type(entry) == GST_TOC_ENTRY_TYPE_CHAPTER)
            add_chapter(chapters, entry);
    }
    /* A chapter ends where the next begins, if it does not say so. */
    for (guint i = 0; i + 1 < chapters->len; i++) {
        MediaChapter *chapter = (MediaChapter *)g_ptr_array_index(chapters, i);
        const MediaChapter *next = (MediaChapter *)g_ptr_array_index(chapters, i + 1);
        if (chapter->end == GST_CLOCK_TIME_NONE)
            chapter->end = next->start;
    }
    return chapters;
}

void chapters_clear_toc(GstToc **toc)
{
    if (*toc != NULL)
        gst_toc_unref(*toc);
    *toc = NULL;
}

static gint64 moved(GstClockTime time, GstClockTime from, double slow_motion)
{
    if (time <= from)
        return 0;
    GstClockTime distance = time - from;
    return (gint64)(slow_motion == 1 ? (double)distance : (double)distance * slow_motion);
}

GstToc *chapters_to_toc(const GPtrArray *chapters, GstClockTime from, GstClockTime to,
                        double slow_motion, GstClockTime end)
{
    GstToc *toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL);
    GstTocEntry *edition = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_EDITION, "1");
    guint left = 0;
    for (guint i = 0; i < chapters->len; i++) {
        const MediaChapter *chapter = (MediaChapter *)g_ptr_array_index(chapters, i);
        GstClockTime stop =
            MIN(chapter->end != GST_CLOCK_TIME_NONE ? chapter->end : end, to);
        if (chapter->start >= to || (stop != GST_CLOCK_TIME_NONE && stop <= from))
            continue;
        g_autofree gchar *uid = g_strdup_printf("%u", ++left);
        GstTocEntry *entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, uid);
        gst_toc_entry_set_start_stop_times(
            entry, moved(chapter->start, from, slow_motion),
            stop != GST_CLOCK_TIME_NONE ? moved(stop, from, slow_motion) : -1);
        if (chapter->title != NULL)
            gst_toc_entry_set_tags(entry,
                                   gst_tag_list_new(GST_TAG_TITLE, chapter->title, NULL));
        gst_toc_entry_append_sub_entry(edition, entry);
    }
    gst_toc_append_entry(toc, edition);
    if (left == 0)
        chapters_clear_toc(&toc);
    return toc;
}
