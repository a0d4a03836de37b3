/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What element tests share: the element in a harness, a record of everything that leaves
 * it in order, and frames with known pixels. */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <dlfcn.h>

#include "../sanitizers.h"

G_BEGIN_DECLS

/* For a function of the test that stands before another of the same name: that one. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A buffer or an event that left the element, in order. */
typedef struct {
    GstBuffer *buffer;
    GstEvent *event;
} Item;

typedef struct {
    GstHarness *harness;
    GstElement *element;
    GstVideoInfo info; /* of the last fixture_set_caps() */
    GstBus *bus;       /* messages of the element */
    GMutex lock;
    GCond changed;
    GPtrArray *items; /* Item; guarded by lock until the stream is quiet */
    gboolean
        forget; /* TRUE: buffers are dropped instead of recorded; set before the first */
    gboolean copies; /* TRUE: copies of buffers are recorded, so that pools get theirs
                        back; set before the first */
} Fixture;

/* max-in-flight of a loop test's index: 0 synchronous, 2 with the task. */
int in_flight_mode(int index);
#define N_MODES 2

/* The element with model=blend and without a scene detector, playing. @properties:
 * further ones, name=value, or NULL. */
Fixture *fixture_new(int in_flight, const char *properties);
void fixture_free(Fixture *fixture);

/* Input caps (and stream-start and segment at the first call); @out: what downstream
 * takes, NULL for everything. */
void fixture_set_caps(Fixture *fixture, const char *in, const char *out);

/* stream-start, such caps and a segment: what begins a stream after a state change. */
void fixture_start(Fixture *fixture, const char *caps);

/* Has downstream offer @pool, which the caller keeps, in its answers to ALLOCATION
 * queries; @with_meta: frames may lie in buffers as their GstVideoMeta says. */
void fixture_offer_pool(Fixture *fixture, GstBufferPool *pool, gboolean with_meta);

/* Caps of I420 video of that size and rate. Free the result. */
char *video_caps(const char *format, int width, int height, const char *rate);

/* A frame of the fixture's caps whose every byte is @value. */
GstBuffer *flat_frame(Fixture *fixture, int value, GstClockTime pts,
                      GstClockTime duration);

/* A frame whose bytes depend on position and @seed. */
GstBuffer *noise_frame(Fixture *fixture, guint seed, GstClockTime pts,
                       GstClockTime duration);

/* Pushes flat frames number 0 … n-1 of value first + 10 * number at the caps' rate. */
void push_frames(Fixture *fixture, int n, int first);

/* Pushes EOS and waits until it has left the element. */
void finish(Fixture *fixture);

/* The same for a stream that fails: EOS is refused where that is known already. */
void finish_failing(Fixture *fixture);

/* Waits until an event of @type has left the element. */
void wait_for_event(Fixture *fixture, GstEventType type);

/* Waits until @n buffers have left since the last fixture_clear(). */
void wait_for_buffers(Fixture *fixture, guint n);

/* Forgets what was recorded. */
void fixture_clear(Fixture *fixture);

/* What was recorded; only while nothing moves. */
guint n_buffers(Fixture *fixture);
GstBuffer *nth_buffer(Fixture *fixture, guint64 index);
guint n_events(Fixture *fixture, GstEventType type);
GstEvent *last_event(Fixture *fixture, GstEventType type);
int last_event_index(Fixture *fixture, GstEventType type);

/* CRC-32 of a picture's visible bytes. */
guint32 picture_crc(const GstVideoInfo *info, GstBuffer *buffer);

/* First byte of the first plane. */
int first_byte(const GstVideoInfo *info, GstBuffer *buffer);

guint64 counter(Fixture *fixture, const char *name);

/* A field of `stats` that is a uint64. */
guint64 engine_stat(Fixture *fixture, const char *name);

/* The next error that the element posted, or NULL. Caller frees. */
GError *posted_error(Fixture *fixture);

/* The next warning on the bus has @text in it; NULL: there is none. */
void assert_warning(Fixture *fixture, const char *text);

void assert_times(GstBuffer *buffer, GstClockTime pts, GstClockTime duration);
#define assert_flag(buffer, flag, wanted)                                                \
    ck_assert_int_eq(GST_BUFFER_FLAG_IS_SET(buffer, flag) != 0, (wanted) != 0)

/* The end of every element test's main(). */
int element_main(int argc, char **argv, Suite *suite);

G_END_DECLS
