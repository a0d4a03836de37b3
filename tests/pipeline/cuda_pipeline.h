/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests with frames in CUDA memory share: pipelines of GStreamer's own CUDA elements
 * around the element, on the simulated device. */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "simulated_device.h"

#define PATIENCE (30 * GST_SECOND)
#define IN_CUDA "video/x-raw(memory:CUDAMemory)"
#define UPLOAD "cudaupload ! " IN_CUDA " ! "
#define DOWNLOAD " ! cudadownload ! video/x-raw"
#define SINK " ! appsink name=sink sync=false wait-on-eos=false"

/* What the simulated device has counted. */
VfiSimulatedCounters counters(void);

/* A pipeline of that line; release it. */
GstElement *parse(const char *line);
void set_state(GstElement *pipeline, GstState state);
void release(GstElement *pipeline);

/* The first error on the bus, or NULL at the stream's end. */
GError *wait_for_end(GstElement *pipeline);

/* Plays a line to its end, without an error. */
void run_to_end(const char *line);

/* All samples of the pipeline's sink, once it has come to its end. */
GPtrArray *collect_from(GstElement *pipeline);

/* Those of a line that is played. */
GPtrArray *collect(const char *line);
void unref_sample(gpointer sample);

/* The beginning of a line: @n frames at 15/1. Free the result. */
char *source(const char *pattern, int n, const char *format, int width, int height);

/* The source's frames in CUDA memory, of a context of their own. */
GPtrArray *uploaded(const char *from);

/* The source's frames and in-betweens of blend, all of them, made by the CPU. */
GPtrArray *on_the_cpu(const char *from);

/* The largest difference of visible bytes. */
int difference(GstSample *a, GstSample *b);

/* As many samples at the same times, with differences of at most @most. */
void check_alike(const char *what, GPtrArray *found, GPtrArray *wanted, int most);

/* The element, named v, with model=blend and without a scene detector behind an
 * appsrc. */
typedef struct {
    GstElement *pipeline, *in;
    guint n_pushed;
} Fed;

Fed fed_new(const char *behind);

/* Pushes @frames, going on in time where the last ones ended; without their layout's meta
 * if @bare. */
void feed(Fed *fed, GPtrArray *frames, gboolean bare);
void fed_end(Fed *fed);
void fed_free(Fed *fed);

/* The end of main(): skips where there are no CUDA elements. */
int cuda_main(int argc, char **argv, void (*add_tests)(TCase *tcase));
