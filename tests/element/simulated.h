/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A live pipeline in simulated time: a test clock, a source that sends frames when their
 * time has come, and an engine whose jobs take as long as the test says, by the test
 * clock. Everything that the element does between two frames has happened when the next
 * one is sent, so that both in-flight modes do the same. */
#pragma once

#include "fixture.h"

#include "pure/ladder.h"
#include "stream/state.h"

G_BEGIN_DECLS

typedef struct {
    Fixture *fixture;
    GstTestClock *clock;
    GstVfiStream *stream;
    GstClockTime frame;                         /* interval of the input */
    GstClockTime cost;                          /* of a job */
    GstClockTime lower_costs[GST_VFI_N_MAKERS]; /* the same of lower makers */
    GstClockTime lag; /* how far the last frame was behind its time when it was sent */
    GstClockTime worst_lag;
    guint sent;
    guint step; /* by which a frame's value is greater than that of the one before */
    guint jobs; /* that were given their cost */
    guint rehearsals;
    GPtrArray *told; /* GstMessage: that simulated_play() has found */
} Simulated;

/* The element in a playing live pipeline; rates as in caps, @out NULL for what it
 * prefers. */
Simulated *simulated_new(int in_flight, const char *properties, const char *rate,
                         const char *out);

/* The same in two steps. */
Simulated *simulated_open(int in_flight, const char *properties);
void simulated_start(Simulated *sim, const char *rate, const char *out);

void simulated_free(Simulated *sim);

/* Sessions are built when the test says so. Set .open and .fails before it is used, or
 * leave them. */
typedef struct {
    GMutex lock;
    GCond changed;
    gboolean open;  /* builds may end */
    gboolean fails; /* in an error */
} Gate;

/* Between simulated_open() and simulated_start(): has @sim build behind @gate. */
void simulated_gate_builds(Simulated *sim, Gate *gate);
void gate_open(Gate *gate);

/* After @sim has been freed. */
void gate_clear(Gate *gate);

/* The value of frame number @k, which is flat: 10 + k * step % 200. */
int simulated_value(const Simulated *sim, guint k);

/* Sends @n frames, each at its time or, if the element is behind, as soon as it takes it,
 * and waits until they have left. */
void simulated_send(Simulated *sim, guint n);

/* The same in a pipeline that sets the latency whenever the element asks for it. */
void simulated_play(Simulated *sim, guint n);

/* The pipeline asks for the latency and sets it. */
GstClockTime simulated_configure_latency(Simulated *sim);

/* Lets the clock go on. */
void simulated_advance(Simulated *sim, GstClockTime time);

/* Lets it go on to what the element waits for. */
void simulated_crank(Simulated *sim);

/* Waits until a buffer with this or a later PTS has left. */
void simulated_wait_for(Simulated *sim, GstClockTime pts);

/* A QOS event from downstream about a buffer of this running time. */
void simulated_qos(Simulated *sim, GstQOSType type, GstClockTimeDiff diff,
                   GstClockTime timestamp);

/* `rung` of `stats`. Free the result. */
char *simulated_rung(Simulated *sim);

/* How many messages of these types simulated_play() has found. */
guint simulated_told(Simulated *sim, GstMessageType types);

/* Takes the messages of a type from the bus; returns how many there were. */
guint simulated_messages(Simulated *sim, GstMessageType type);

/* Every frame sent has left once, unchanged, in order. */
void simulated_assert_originals(Simulated *sim);

G_END_DECLS
