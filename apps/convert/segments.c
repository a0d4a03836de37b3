/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/segments.h"

#include "convert/error.h"
#include "convert/feed.h"
#include "convert/schedule.h"
#include "convert/segment_writer.h"

/* How often a signal and the state of the pipelines are looked at while nothing comes. */
#define PATIENCE (10 * GST_MSECOND)

typedef struct {
    const SegmentsJob *job;
    const Plan *plan;
    Source *source;
    Feed *feed;
    Interpolator *interpolator;
    Schedule schedule;
    guint64 total;          /* slots of the output; G_MAXUINT64 until that is known */
    GstClockTime limit;     /* variable rate: where outputs end, or NONE */
    guint64 done;           /* frames written */
    GstClockTime end;       /* of the last of them */
    GstClockTime last_time; /* of the frame that the element was given, or NONE */
    gboolean drained;       /* the element has given all that it had */
} Maker;

/* The segment that is made. */
typedef struct {
    guint number;
    guint64 first, last;      /* slots: from first, below last */
    GstClockTime start, stop; /* the same as times */
    SegmentWriter *writer;    /* NULL until there is a frame */
    guint64 written;
    GstSample *previous; /* output, also before the segment */
    gboolean complete;
} Segment;

static gboolean is_variable(const Maker *maker)
{
    return maker->schedule.rate_n == 0;
}

static SegmentWriter *open_writer(Maker *maker, const Segment *segment, GstCaps *caps,
                                  GError **error)
{
    const Plan *plan = maker->plan;
    g_autofree gchar *path = work_segment(maker->job->work, segment->number);
    SegmentWriterConfig config = {
        .launch = plan->encode,
        .caps = caps,
        .path = plan->pictures != NULL ? plan->pictures : path,
        .pictures = plan->pictures != NULL,
        .first = maker->done + 1,
    };
    return segment_writer_new(&config, error);
}

static gboolean write_frame(Maker *maker, Segment *segment, GstSample *sample,
                            GstClockTime time, GstClockTime duration, GError **error)
{
    if (segment->writer == NULL)
        segment->writer = open_writer(maker, segment, gst_sample_get_caps(sample), error);
    if (segment->writer == NULL)
        return FALSE;
    GstBuffer *buffer = gst_buffer_copy(gst_sample_get_buffer(sample));
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = duration;
    GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_GAP);
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DROPPABLE);
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT);
    if (!segment_writer_push(segment->writer, buffer, error))
        return FALSE;
    segment->written++;
    maker->done++;
    maker->end = time + (GST_CLOCK_TIME_IS_VALID(duration) ? duration : 0);
    progress_frame(maker->job->progress, maker->interpolator, maker->done);
    return TRUE;
}

/* Constant rate: @sample in the next slot. */
static gboolean write_slot(Maker *maker, Segment *segment, GstSample *sample,
                           GError **error)
{
    guint64 slot = segment->first + segment->written;
    GstClockTime time = schedule_slot_time(&maker->schedule, slot);
    return write_frame(maker, segment, sample, time,
                       schedule_slot_time(&maker->schedule, slot + 1) - time, error);
}

/* Slots below @end that are still empty show what was shown before. */
static gboolean fill_slots(Maker *maker, Segment *segment, guint64 end,
                           GstSample *filling, GError **error)
{
    while (segment->first + segment->written < end) {
        if (!write_slot(maker, segment, filling, error))
            return FALSE;
    }
    return TRUE;
}

static void remember(Segment *segment, GstSample *sample)
{
    gst_sample_ref(sample);
    g_clear_pointer(&segment->previous, gst_sample_unref);
    segment->previous = sample;
}

static gboolean place_in_slot(Maker *maker, Segment *segment, GstSample *sample,
                              GError **error)
{
    GstClockTime time = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
    guint64 slot = schedule_nearest_slot(&maker->schedule, time);
    guint64 last = MIN(segment->last, maker->total);
    if (slot >= segment->first + segment->written) {
        GstSample *filling = segment->previous != NULL ? segment->previous : sample;
        if (!fill_slots(maker, segment, MIN(slot, last), filling, error) ||
            (slot < last && !write_slot(maker, segment, sample, error)))
            return FALSE;
    }
    remember(segment, sample);
    segment->complete = segment->first + segment->written >= last;
    return TRUE;
}

static gboolean place_in_time(Maker *maker, Segment *segment, GstSample *sample,
                              GError **error)
{
    const GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstClockTime time = GST_BUFFER_PTS(buffer);
    if (time >= maker->limit)
        maker->drained = TRUE;
    segment->complete = time >= segment->stop || maker->drained;
    if (segment->complete || time < segment->start)
        return TRUE;
    return write_frame(maker, segment, sample, time, GST_BUFFER_DURATION(buffer), error);
}

/* All input was read: now the number of slots is known. */
static void note_end(Maker *maker)
{
    if (is_variable(maker) || maker->total != G_MAXUINT64)
        return;
    GstClockTime usual =
        maker->plan->in_n > 0
            ? gst_util_uint64_scale(GST_SECOND, (guint64)maker->plan->in_d,
                                    (guint64)maker->plan->in_n)
            : 0;
    guint64 slots = schedule_nearest_slot(&maker->schedule, feed_end(maker->feed, usual));
    maker->total = MAX(slots, 1);
}

static GstBuffer *retimed(const SourceFrame *frame, GstClockTime time)
{
    GstBuffer *buffer = gst_buffer_copy(frame->buffer);
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = frame->duration;
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT);
    return buffer;
}

/* When the element sees @frame. A run of frames begins with the first of a lead and
 * behind every gap; the element lays its grid through that frame, so it has to lie on the
 * output's. */
static GstClockTime time_of(Maker *maker, const SourceFrame *frame, gboolean *is_first)
{
    GstClockTime before = maker->last_time;
    maker->last_time = frame->time;
    *is_first =
        GST_CLOCK_TIME_IS_VALID(before) && frame->time - before > maker->plan->max_gap;
    if (GST_CLOCK_TIME_IS_VALID(before) && !*is_first)
        return frame->time;
    GstClockTime anchor = schedule_anchor(&maker->schedule, frame->time);
    return GST_CLOCK_TIME_IS_VALID(before) && anchor <= before ? frame->time : anchor;
}

/* Gives the element a frame, or the end. */
static SourceResult push_next(Maker *maker, GError **error)
{
    const SourceFrame *frame = NULL;
    SourceResult result = feed_next(maker->feed, &frame, error);
    if (result == SOURCE_END) {
        note_end(maker);
        interpolator_end(maker->interpolator);
    } else if (result == SOURCE_FRAME) {
        gboolean is_first = FALSE;
        GstClockTime time = time_of(maker, frame, &is_first);
        GstBuffer *buffer = retimed(frame, time);
        if (is_first)
            GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
        interpolator_push(maker->interpolator, buffer);
    }
    return result;
}

static gboolean take_output(Maker *maker, Segment *segment, GError **error)
{
    g_autoptr(GstSample) sample = NULL;
    GstClockTime patience = interpolator_wants(maker->interpolator) ? 0 : PATIENCE;
    switch (interpolator_pull(maker->interpolator, patience, &sample, error)) {
    case INTERPOLATOR_FRAME:
        return is_variable(maker) ? place_in_time(maker, segment, sample, error)
                                  : place_in_slot(maker, segment, sample, error);
    case INTERPOLATOR_NOTHING_YET:
        progress_wait(maker->job->progress, maker->interpolator);
        return TRUE;
    case INTERPOLATOR_END:
        maker->drained = segment->complete = TRUE;
        if (is_variable(maker) || segment->previous == NULL)
            return TRUE;
        return fill_slots(maker, segment, MIN(segment->last, maker->total),
                          segment->previous, error);
    case INTERPOLATOR_FAILED:
        break;
    }
    return FALSE;
}

static SegmentsResult make_segment(Maker *maker, Segment *segment, guint lead,
                                   GError **error)
{
    maker->drained = FALSE;
    maker->last_time = GST_CLOCK_TIME_NONE;
    if (!interpolator_begin(maker->interpolator, lead, error))
        return SEGMENTS_FAILED;
    while (!segment->complete) {
        if (interrupt_is_set(maker->job->interrupt))
            return SEGMENTS_INTERRUPTED;
        if (interpolator_wants(maker->interpolator)) {
            SourceResult result = push_next(maker, error);
            if (result == SOURCE_INTERRUPTED)
                return SEGMENTS_INTERRUPTED;
            if (result == SOURCE_FAILED)
                return SEGMENTS_FAILED;
        }
        if (!take_output(maker, segment, error))
            return SEGMENTS_FAILED;
    }
    return SEGMENTS_COMPLETE;
}

static void begin_segment(const Maker *maker, Segment *segment, guint number)
{
    const Schedule *schedule = &maker->schedule;
    *segment = (Segment){
        .number = number,
        .first = number * schedule->segment_frames,
        .last = (number + 1) * schedule->segment_frames,
        .start = schedule_segment_start(schedule, number),
        .stop = schedule_segment_start(schedule, number + 1),
    };
}

static void end_segment(Segment *segment)
{
    g_clear_pointer(&segment->writer, segment_writer_free);
    g_clear_pointer(&segment->previous, gst_sample_unref);
}

static SegmentsResult of_source(SourceResult result)
{
    return result == SOURCE_FAILED        ? SEGMENTS_FAILED
           : result == SOURCE_INTERRUPTED ? SEGMENTS_INTERRUPTED
                                          : SEGMENTS_COMPLETE;
}

/* Whether there is nothing behind @segment. */
static gboolean is_last(const Maker *maker, const Segment *segment)
{
    return is_variable(maker) ? maker->drained : segment->last >= maker->total;
}

/* Puts a finished segment into the journal, with what the next one begins with. */
static SegmentsResult record(Maker *maker, const Segment *segment, gboolean *is_end,
                             GError **error)
{
    Journal *journal = maker->job->work->journal;
    JournalSegment done = {
        .frames = segment->written,
        .bytes = segment->writer != NULL ? segment_writer_bytes(segment->writer) : 0,
    };
    *is_end = is_last(maker, segment);
    if (!*is_end) {
        guint lead = 0;
        SourceResult result =
            feed_begin(maker->feed, segment->stop, segment->stop, &lead, error);
        if (of_source(result) != SEGMENTS_COMPLETE)
            return of_source(result);
        if (result == SOURCE_END)
            note_end(maker);
        *is_end = is_last(maker, segment);
        feed_describe_lead(maker->feed, lead, &done.next);
    }
    journal_append(journal, &done);
    if (*is_end)
        journal_set_complete(journal);
    return journal_save(journal, error) ? SEGMENTS_COMPLETE : SEGMENTS_FAILED;
}

static SegmentsResult make_and_record(Maker *maker, Segment *segment, gboolean *is_end,
                                      GError **error)
{
    guint lead = 0;
    SourceResult begun =
        feed_begin(maker->feed, segment->start, segment->stop, &lead, error);
    if (of_source(begun) != SEGMENTS_COMPLETE)
        return of_source(begun);
    if (begun == SOURCE_END)
        note_end(maker);
    SegmentsResult result = make_segment(maker, segment, lead, error);
    if (result == SEGMENTS_FAILED)
        return result;
    /* What there is of an interrupted one is shown, but made again. */
    if (segment->writer != NULL && !segment_writer_finish(segment->writer, error))
        return SEGMENTS_FAILED;
    return result == SEGMENTS_COMPLETE ? record(maker, segment, is_end, error) : result;
}

static SegmentsResult make_all(Maker *maker, guint *count, GError **error)
{
    gboolean is_end = FALSE;
    SegmentsResult result = SEGMENTS_COMPLETE;
    for (guint number = *count; !is_end && result == SEGMENTS_COMPLETE; number++) {
        Segment segment;
        begin_segment(maker, &segment, number);
        result = make_and_record(maker, &segment, &is_end, error);
        if (result == SEGMENTS_COMPLETE || segment.written > 0)
            *count = number + 1;
        end_segment(&segment);
    }
    return result;
}

/* Moves the source to where the journal's last segment ends. */
static SegmentsResult go_on(Maker *maker, const JournalLead *lead, GError **error)
{
    if (lead->frames == 0)
        return SEGMENTS_COMPLETE; /* feed_begin() will read on up to there */
    if (!source_seek(maker->source, lead->time, error))
        return g_error_matches(*error, CONVERT_ERROR, CONVERT_ERROR_INTERRUPTED)
                   ? SEGMENTS_INTERRUPTED
                   : SEGMENTS_FAILED;
    SourceResult result = feed_find_lead(maker->feed, lead, error);
    if (result == SOURCE_END) {
        /* Not every file can be entered anywhere: decode it all, which costs little. */
        feed_clear(maker->feed);
        if (!source_rewind(maker->source, error))
            return SEGMENTS_FAILED;
        result = feed_find_lead(maker->feed, lead, error);
    }
    if (result != SOURCE_END)
        return of_source(result);
    g_set_error(
        error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
        "%s does not decode to the same frames as when it was begun; begin anew with "
        "--overwrite",
        maker->plan->input);
    return SEGMENTS_FAILED;
}

static gboolean open_interpolator(Maker *maker, GError **error)
{
    const Plan *plan = maker->plan;
    g_autoptr(GstCaps) caps = gst_caps_copy(source_caps(maker->source));
    gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, plan->in_n, plan->in_d,
                        NULL);
    InterpolatorConfig config = {
        .caps = caps,
        .rate_n = plan->out_n,
        .rate_d = plan->out_d,
        .properties = (const InterpolatorProperty *)plan->properties->data,
    };
    maker->interpolator = interpolator_new(&config, error);
    return maker->interpolator != NULL;
}

static gboolean open_source(Maker *maker, GError **error)
{
    const Plan *plan = maker->plan;
    const ConvertOptions *o = plan->options;
    SourceConfig config = {
        .path = plan->input,
        .stream_id = source_stream_id(plan->media),
        .filter = plan->filter,
        .formats = plan->formats,
        .from = o->from,
        .to = o->to,
        .slow_n = o->slow_n,
        .slow_d = o->slow_d,
    };
    maker->source = source_open(&config, maker->job->interrupt, error);
    if (maker->source == NULL)
        return FALSE;
    maker->feed = feed_new(maker->source);
    return TRUE;
}

/* Origin and end of the output. */
static SegmentsResult lay_out(Maker *maker, GError **error)
{
    const Plan *plan = maker->plan;
    const ConvertOptions *o = plan->options;
    Journal *journal = maker->job->work->journal;
    GstClockTime origin = journal_origin(journal);
    if (!GST_CLOCK_TIME_IS_VALID(origin)) {
        const SourceFrame *frame = NULL;
        SourceResult result = feed_next(maker->feed, &frame, error);
        if (result == SOURCE_END) {
            g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_INPUT,
                        "%s: expected frames from --from on, found its end", plan->input);
            return SEGMENTS_FAILED;
        }
        if (result != SOURCE_FRAME)
            return of_source(result);
        origin = frame->time;
        journal_set_origin(journal, origin);
        if (!journal_save(journal, error))
            return SEGMENTS_FAILED;
    }
    schedule_init(&maker->schedule, origin, plan->out_n, plan->out_d, o->segment_seconds);
    maker->total = G_MAXUINT64;
    maker->limit = GST_CLOCK_TIME_NONE;
    if (GST_CLOCK_TIME_IS_VALID(o->to)) {
        maker->limit = gst_util_uint64_scale(o->to - o->from, (guint64)o->slow_n,
                                             (guint64)o->slow_d);
        if (!is_variable(maker))
            maker->total = MAX(schedule_slots_before(&maker->schedule, maker->limit), 1);
    }
    return SEGMENTS_COMPLETE;
}

static SegmentsResult run(Maker *maker, guint *count, GError **error)
{
    const SegmentsJob *job = maker->job;
    JournalSegment last = {0};
    for (guint i = 0; i < *count; i++) {
        journal_segment(job->work->journal, i, &last);
        maker->done += last.frames;
    }
    progress_begin(job->progress, maker->plan, maker->done);
    if (!open_source(maker, error) || !open_interpolator(maker, error))
        return g_error_matches(*error, CONVERT_ERROR, CONVERT_ERROR_INTERRUPTED)
                   ? SEGMENTS_INTERRUPTED
                   : SEGMENTS_FAILED;
    SegmentsResult result = lay_out(maker, error);
    if (result == SEGMENTS_COMPLETE && *count > 0) {
        maker->end = schedule_segment_start(&maker->schedule, *count);
        result = go_on(maker, &last.next, error);
    }
    return result == SEGMENTS_COMPLETE ? make_all(maker, count, error) : result;
}

SegmentsResult segments_make(const SegmentsJob *job, guint *count, GstClockTime *end,
                             GError **error)
{
    Maker maker = {.job = job, .plan = job->plan};
    g_autoptr(GError) cause = NULL;
    *count = journal_segments(job->work->journal);
    SegmentsResult result = SEGMENTS_COMPLETE;
    if (journal_is_complete(job->work->journal))
        progress_begin(job->progress, job->plan, plan_frames(job->plan));
    else
        result = run(&maker, count, &cause);
    *end = maker.end;
    g_clear_pointer(&maker.feed, feed_free);
    g_clear_pointer(&maker.source, source_free);
    g_clear_pointer(&maker.interpolator, interpolator_free);
    if (result == SEGMENTS_FAILED)
        g_propagate_error(error, g_steal_pointer(&cause));
    return result;
}
