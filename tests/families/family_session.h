/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of small families that play clips, and their pictures against the reference.
 * Whatever fails fails the test. */
#pragma once

#include "clip.h"
#include "reference.h"
#include "session_util.h"

/* Single precision on test_device() with two threads, for frames of @clip. */
VfiSessionConfig family_config(const Clip *clip);
VfiSession *family_session(VfiModel *model, const Clip *clip);

VfiSessionStats session_stats(VfiSession *session);

/* Waits for the picture; takes the reference. */
void finish_job(VfiJob *job);

/* Makes the in-between of @pair, whose reference this takes, at @t. */
void make_picture(VfiPair *pair, double t, const VfiFrame *out);

/* The frames that the model sees around @first and @first + 1, as volumes. */
void clip_view(const Reference *reference, Network *network, const Clip *clip, int first,
               Volume *view);

/* Compares the in-between of the frames @first and @first + 1 at @request.t with the
 * reference; the key of its noise is @first. */
void compare_with_reference(const Reference *reference, VfiSession *session,
                            const Clip *clip, int first, ReferenceRequest request);

typedef struct {
    VfiSession *session;
    VfiJob *job;
    uint64_t chunks; /* of work that had run when it was cancelled */
} Cancelling;

/* A thread's: cancels the job once some work has run. Afterwards each thread of the
 * session may run one more chunk. */
void *cancel_in_the_middle(void *cancelling);
