/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One convolution as oneDNN computes it, for comparison. onednn.c where the library was
 * found at configuration, else onednn_none.c, which says how to get it. */
#pragma once

#include <glib.h>

/* A convolution's form, all that its time depends on. Only ints, without gaps: two forms
 * are compared as bytes. */
typedef struct {
    int transposed; /* 0 or 1 */
    int groups, kernel_h, kernel_w, stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    int in_c, in_h, in_w;
    int out_c, out_h, out_w;
} BenchConv;

typedef struct BenchOnednn BenchOnednn;

/* Sets oneDNN up for the whole process: its threads, and not more than @cpu_level
 * ("avx2", "avx512") of the instruction set. */
gboolean bench_onednn_init(int threads, const char *cpu_level, GError **error);

/* Prepares @conv with bias, f32, in the layouts that oneDNN itself prefers, with the
 * weights already in them: direct and, where it has one, Winograd; the faster of the two
 * stays. */
BenchOnednn *bench_onednn_new(const BenchConv *conv, GError **error);
void bench_onednn_free(BenchOnednn *onednn);

/* Milliseconds of one run, the median of a few with everything warm; negative on
 * failure. */
double bench_onednn_time(BenchOnednn *onednn, GError **error);

/* What was chosen: oneDNN's own name of the implementation, valid as long as @onednn. */
const char *bench_onednn_implementation(const BenchOnednn *onednn);
