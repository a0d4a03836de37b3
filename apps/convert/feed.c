/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/feed.h"

#include <string.h>

#include "convert/schedule.h"

struct _Feed {
    Source *source;
    GPtrArray *frames; /* of SourceFrame */
    guint next;        /* that feed_next() gives */
    GstClockTime stop; /* of the segment */
    gboolean ended;
};

static void free_frame(gpointer frame)
{
    source_frame_free(frame);
}

Feed *feed_new(Source *source)
{
    Feed *feed = g_new0(Feed, 1);
    feed->source = source;
    feed->frames = g_ptr_array_new_with_free_func(free_frame);
    return feed;
}

void feed_free(Feed *feed)
{
    if (feed == NULL)
        return;
    g_ptr_array_unref(feed->frames);
    g_free(feed);
}

static SourceFrame *at(const Feed *feed, guint index)
{
    return g_ptr_array_index(feed->frames, index);
}

/* Frames whose times do not rise have no place: the first of them counts. */
static SourceResult read_on(Feed *feed, GError **error)
{
    if (feed->ended)
        return SOURCE_END;
    for (;;) {
        SourceFrame *frame = NULL;
        SourceResult result = source_next(feed->source, &frame, error);
        if (result == SOURCE_END)
            feed->ended = TRUE;
        if (result != SOURCE_FRAME)
            return result;
        guint count = feed->frames->len;
        if (count == 0 || frame->time > at(feed, count - 1)->time) {
            g_ptr_array_add(feed->frames, frame);
            return SOURCE_FRAME;
        }
        source_frame_free(frame);
    }
}

static void forget(Feed *feed, guint count)
{
    if (count > 0)
        g_ptr_array_remove_range(feed->frames, 0, count);
}

/* A segment may have more frames than there is memory for. */
static void forget_given(Feed *feed)
{
    while (feed->next > 0 && feed->frames->len > SCHEDULE_LEAD &&
           at(feed, SCHEDULE_LEAD)->time < feed->stop) {
        forget(feed, 1);
        feed->next--;
    }
}

SourceResult feed_next(Feed *feed, const SourceFrame **frame, GError **error)
{
    if (feed->next == feed->frames->len) {
        SourceResult result = read_on(feed, error);
        if (result != SOURCE_FRAME)
            return result;
        forget_given(feed);
    }
    *frame = at(feed, feed->next++);
    return SOURCE_FRAME;
}

SourceResult feed_begin(Feed *feed, GstClockTime start, GstClockTime stop, guint *lead,
                        GError **error)
{
    guint before = 0;
    feed->next = 0;
    feed->stop = stop;
    for (;;) {
        while (before < feed->frames->len && at(feed, before)->time < start)
            before++;
        guint kept = MIN(before, SCHEDULE_LEAD);
        forget(feed, before - kept);
        *lead = before = kept;
        if (before < feed->frames->len)
            return SOURCE_FRAME;
        SourceResult result = read_on(feed, error);
        if (result != SOURCE_FRAME)
            return result;
    }
}

void feed_describe_lead(const Feed *feed, guint lead, JournalLead *found)
{
    *found = (JournalLead){.frames = lead};
    if (lead == 0)
        return;
    found->time = at(feed, 0)->input_time;
    g_autofree gchar *sum = source_checksum(source_caps(feed->source),
                                            (SourceFrame **)feed->frames->pdata, lead);
    g_strlcpy(found->checksum, sum, sizeof found->checksum);
}

SourceResult feed_find_lead(Feed *feed, const JournalLead *wanted, GError **error)
{
    while (feed->frames->len < wanted->frames) {
        SourceResult result = read_on(feed, error);
        if (result != SOURCE_FRAME)
            return result;
        if (at(feed, 0)->input_time < wanted->time)
            forget(feed, 1);
        else if (at(feed, 0)->input_time > wanted->time)
            return SOURCE_END;
    }
    JournalLead found;
    feed_describe_lead(feed, wanted->frames, &found);
    return strcmp(found.checksum, wanted->checksum) == 0 ? SOURCE_FRAME : SOURCE_END;
}

void feed_clear(Feed *feed)
{
    forget(feed, feed->frames->len);
    feed->next = 0;
    feed->ended = FALSE;
}

GstClockTime feed_end(const Feed *feed, GstClockTime usual)
{
    guint count = feed->frames->len;
    if (count == 0)
        return 0;
    const SourceFrame *last = at(feed, count - 1);
    GstClockTime duration = last->duration;
    if (!GST_CLOCK_TIME_IS_VALID(duration) || duration == 0)
        duration = count > 1 ? last->time - at(feed, count - 2)->time : usual;
    return last->time + duration;
}
