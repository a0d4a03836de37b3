/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A decoder that sends a few surfaces of its own, without a pool, and waits for one to
 * come back, and an encoder that keeps some of them: the element stands between the
 * two. */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

G_BEGIN_DECLS

typedef struct {
    GstHarness *harness;
    GstElement *element;
    GMutex lock;         /* taken by who brings and who takes a buffer, for their order */
    GPtrArray *surfaces; /* GstMemory; whose only reference is here is free */
    GQueue kept;         /* GstMemory: those of them that the encoder has */
    gboolean synchronous;
    gboolean answers; /* the encoder answers the ALLOCATION query, with what it keeps */
    guint keeps;      /* different surfaces, the latest ones */
    gboolean keeps_first;   /* or the first ones for good, as long-term references */
    guint n_sent, n_came;   /* frames, buffers */
    guint n_out_of_surface; /* of the buffers that came: memory that is no surface */
} Surfaces;

/* Takes a reference on the decoder's @surfaces, frames of @caps. @properties: name=value
 * separated by blanks. */
void surfaces_open(Surfaces *line, GPtrArray *surfaces, const char *caps,
                   const char *properties);
void surfaces_close(Surfaces *line);

/* The least number of buffers that the element answers to the decoder. */
guint surfaces_ask(Surfaces *line);

/* Sends @n frames at 25/1, each in a surface that is free; none is free: fails, or, where
 * the element has a thread of its own, waits for one. */
void surfaces_send(Surfaces *line, guint n);

/* Sends EOS and takes all that comes until then. */
void surfaces_finish(Surfaces *line);

G_END_DECLS
