/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clips that sessions play, and comparing results. */
#pragma once

#include <stdbool.h>

#include <vfi/vfi.h>

#define CLIP_MAX_FRAMES 8

/* Pictures of one format, in host memory. */
typedef struct {
    VfiVideoInfo video;
    int n;
    VfiFrame frames[CLIP_MAX_FRAMES];
} Clip;

/* A textured scene that moves by some pixels from frame to frame; ids from 1 on. */
Clip *clip_new(VfiFormat format, int width, int height, int n);
/* @n frames of zeros. */
Clip *clip_blank(const VfiVideoInfo *video, int n);
void clip_free(Clip *clip);

/* Absolute difference of samples; 1 is the whole range of code values. */
typedef struct {
    double max, mean;
} ClipDifference;

ClipDifference clip_compare(const Clip *a, const Clip *b);
/* Whether all samples are the same bits. */
bool clip_equal(const Clip *a, const Clip *b);

/* The pair of frames @first and @first + 1, with those around it that the model sees: at
 * the clip's ends its first and last frame once more. The noise's key is @first. Fails
 * the test instead of returning NULL. */
VfiPair *clip_begin(VfiSession *session, const Clip *clip, int first);

/* Plays all pairs of @clip with @n_times in-betweens each, at most CLIP_MAX_FRAMES in
 * all. Two pairs are begun before the first is waited for. A failure fails the test. */
Clip *clip_play(VfiSession *session, const Clip *clip, int n_times);

/* clip_play() in a session of its own. */
Clip *clip_interpolate(VfiModel *model, const VfiSessionConfig *config, const Clip *clip,
                       int n_times);

/* Fails the test unless both sessions make the same bits between frames @first and
 * @first + 1 at @t. */
void clip_check_same_between(VfiSession *session, VfiSession *other, const Clip *clip,
                             int first, double t);

/* Fails the test unless sessions of two and five threads make the same bits of @clip,
 * twice a pair, as one of a single thread. */
void clip_check_threads(VfiModel *model, const VfiSessionConfig *config,
                        const Clip *clip);

/* A session; fails the test instead of returning NULL. */
VfiSession *clip_session(VfiModel *model, const VfiSessionConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clip, clip_free)
