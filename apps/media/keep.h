/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a file gets into another container, and why the rest does not. Pure. */
#pragma once

#include "media/container.h"

typedef struct {
    ContainerKind container;
    VideoCodec codec;    /* of the converted video */
    gboolean copy_audio; /* --audio copy */
    gboolean cut;        /* --from or --to: not all of the input */
    double slow_motion;  /* how many times longer than the input; 1 for none */
} KeepOptions;

/* One track or one kind of metadata that the input has. */
typedef struct {
    const MediaTrack *track; /* NULL: an extra */
    Extra extra;             /* if track is NULL */
    Passage passage;         /* of a track; for an extra COPY or NONE */
    gchar *name;             /* "audio track 2 (aac, deu)", "chapters" */
    /* For the user, without the name and a full stop: why it is not kept, or what it
     * loses on the way; NULL if it is kept as it is. */
    gchar *reason;
} KeepItem;

typedef struct {
    /* Of KeepItem: tracks in file order but for the converted video, then extras in their
     * order. Only what the input has. */
    GPtrArray *items;
    /* The input is rotated, and the container cannot say so: the picture itself must be
     * turned (videoflip video-direction=auto) before it is interpolated. */
    gboolean turn_picture;
} KeepPlan;

/* Never fails. @media must live as long as the plan. */
KeepPlan *keep_plan(const Media *media, const KeepOptions *options);

void keep_plan_free(KeepPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeepPlan, keep_plan_free)

/* Whether an extra gets into the output; FALSE also if the input has none. */
gboolean keep_has(const KeepPlan *plan, Extra extra);

/* One line about what is not kept as it was, or NULL if it is: "not kept: chapters
 * (GStreamer cannot put them into mp4; mkv can)", "changed: rotation (…)". */
gchar *keep_item_text(const KeepItem *item);
