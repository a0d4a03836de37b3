/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session would cost, known before there is one: a plan is made, but nothing of
 * what it needs is allocated, and no weight is packed. */
#pragma once

#include <glib.h>

#include <vfi/export.h>
#include <vfi/model.h>
#include <vfi/session.h>

G_BEGIN_DECLS

/** Work and memory of a session; everything is 0 that the family does not have. */
typedef struct {
    int size_multiple; /**< width and height are padded to multiples of it, pixels */
    int padded_width;  /**< size that pictures are padded to, pixels */
    int padded_height;
    double scale;        /**< the flow scale in effect; 1 for families without one */
    const char *quality; /**< as in VfiSessionStats; static */
    unsigned tiles;      /**< that the network sees one by one; 1: the whole picture */
    /** Multiply-accumulates of all convolutions: per frame, per pair (for families with
     * such a stage), and per in-between in the usual case. Warps, resizes and activations
     * are not counted. */
    double constant_macs; /**< once, for networks that begin with no frame at all */
    double frame_macs;
    double pair_macs;
    double time_macs;
    /** The same for the costliest in-between, where pictures decide what is computed
     * (RIFE 4.0 starts again where motion is large); else time_macs. */
    double time_macs_max;
    /** Intermediate results, with what is kept for a pair and from round to round. */
    size_t arena_bytes;
    size_t constant_bytes; /**< kept as long as the session, whatever the frames */
    size_t frame_bytes;    /**< kept for a frame: image, features */
    unsigned frames;       /**< for which that is kept, at a time */
    /** Still to be packed: less where other sessions have done that. */
    size_t packed_weight_bytes;
    size_t scratch_bytes; /**< of the threads */
    size_t host_bytes;    /**< frames that bisection starts from, a mask of overlays */
    size_t session_bytes; /**< all of these; the model's own weights come on top */
} VfiEstimate;

/**
 * Plans a session of @model for @config as vfi_session_new() would, memory_limit and
 * tile_size included, fills @estimate and drops the plan; free memory is not looked at.
 * Returns FALSE with VFI_ERROR_INVALID_ARGUMENT, _UNSUPPORTED, _BACKEND or _NO_MEMORY
 * (more than can be addressed), and leaves @estimate alone. Thread-safety: safe.
 */
VFI_API gboolean vfi_model_estimate(VfiModel *model, const VfiSessionConfig *config,
                                    VfiEstimate *estimate, GError **error);

G_END_DECLS
