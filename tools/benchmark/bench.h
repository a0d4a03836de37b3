/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-bench's parts: what is measured (Bench), its frames, runs of pairs, and the forms
 * in which figures are printed. They reach into the session for the plan and its
 * profile. */
#pragma once

#include <vfi/vfi.h>

#include "session/session_internal.h"

typedef struct {
    char *model, *options, *size, *frames, *times, *precision, *device, *feature_storage;
    int threads, runs, warm_up, in_flight;
    double scale;
    gint64 memory_limit; /* bytes, 0: none */
    gboolean json, profile, layers, interactive, list, hold;
} BenchArguments;

/* One session with what its pairs are made of. */
typedef struct {
    const BenchArguments *arguments;
    VfiVideoInfo video;
    VfiModel *model;
    VfiSession *session;
    VfiFrame frames[2]; /* the two pictures */
    VfiFrame out;
    double *times; /* of a pair's in-betweens */
    guint n_times;
    guint64 n_pairs; /* begun so far */
} Bench;

typedef struct {
    double median, min, max; /* ms a pair */
    double gflops;           /* effective, by the median */
    double gflop;            /* of a pair */
    double in_flight_ms;     /* an in-between while others are queued; 0: not measured */
    VfiSessionStats stats;
    guint64 rss_bytes; /* peak */
} BenchFigures;

/* frames.c: pictures of @bench->video, drawn or read. */
gboolean bench_draw_frames(Bench *bench, GError **error);
/* Reads two 8-bit PPM (P6) files of one size, named "A,B"; sets the video's size and
 * format. */
gboolean bench_read_frames(Bench *bench, const char *paths, GError **error);
/* The same of raw I420 files of the video's size. */
gboolean bench_read_raw_frames(Bench *bench, const char *paths, GError **error);
gboolean bench_write_frame(const VfiVideoInfo *video, const VfiFrame *frame,
                           const char *path, GError **error);

/* measure.c: the next pair. Pairs go to and fro between the two pictures, so that each
 * shares a frame with the one before and brings a new one, as in a video. */
VfiPair *bench_begin_pair(Bench *bench, GError **error);
/* Interpolates all times of the next pair, to @bench->out. Milliseconds, or a negative
 * value on failure. */
double bench_time_pair(Bench *bench, GError **error);
/* arguments->warm_up pairs, the first of them profiled: what it shows is what a pair
 * runs. */
gboolean bench_warm_up(Bench *bench, GError **error);
gboolean bench_measure(Bench *bench, BenchFigures *figures, GError **error);
/* Starts the session's profile anew. */
void bench_clear_profile(Bench *bench);
/* Ops that the time in the profile of op @op, or the launch that begins with it, is of: a
 * device with its own memory runs a row group as one, the CPU divides its time among the
 * ops. */
int bench_launch_ops(const VfiSession *session, int stage, int op);
double bench_launch_flop(const VfiSession *session, int stage, int op);
guint64 bench_peak_rss(void);
double bench_median(double *values, size_t n); /* sorts them */

/* throughput.c: milliseconds an in-between while arguments->in_flight are queued. */
gboolean bench_throughput(Bench *bench, double *ms, GError **error);

/* report.c */
void bench_print_json(const Bench *bench, const BenchFigures *figures);
void bench_print_text(const Bench *bench, const BenchFigures *figures);

/* serve.c: reads commands from standard input and answers each with one line of JSON, for
 * programs that compare several workers in turn. */
gboolean bench_serve(Bench *bench, GError **error);

/* layers.c: each distinct convolution against oneDNN. */
gboolean bench_layers(Bench *bench, GError **error);
