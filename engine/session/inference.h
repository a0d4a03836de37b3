/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running the network between two pictures. Worker thread only. */
#pragma once

#include "session/session_internal.h"

/* Records the time since @start, monotonic µs, as one run of @stage. A device that queues
 * work is asked to measure it instead. */
void vfi_record_time(VfiSession *session, VfiTimedStage stage, int64_t start);

/* Waits for a device that computes in the host's memory. Others are waited for picture by
 * picture, by the completion thread. */
bool vfi_finish_work(VfiSession *session, GError **error);

/* Input of one run of the network: all of the picture, or a tile. */
typedef struct {
    VfiVideoInfo video;
    int n_frames;                         /* of the view */
    int first;                            /* of the two around the in-between */
    VfiFrame frames[VFI_MAX_VIEW_FRAMES]; /* oldest first */
    uint64_t keys[VFI_MAX_VIEW_FRAMES];   /* of the results kept for each */
    uint64_t noise_key;
    uint32_t noise_place;   /* as in VfiNoiseInputs */
    int origin_x, origin_y; /* of a tile, pixels of the whole picture */
    double t;
    bool is_part; /* of whole frames, of which these are: */
    double mean;
    VfiFrameRange range[VFI_MAX_VIEW_FRAMES];
    VfiJob *job;              /* that it is for */
    const atomic_int *cancel; /* the job's */
} VfiView;

/* Of a prepared image of @view, so much from its first pixel on: what @range says becomes
 * that of this part, too. */
bool vfi_extend_range(VfiSession *session, const VfiView *view, const float *image,
                      int width, int height, VfiFrameRange *range, GError **error);

/* The slot of frame @i of @view, which may be that of another frame so far: then it holds
 * nothing. */
VfiFrameSlot *vfi_session_take_slot(VfiSession *session, const VfiView *view, int i);

/* Frames of @view whose stage is still to be run, in all tiles. */
int vfi_frames_to_run(VfiSession *session, const VfiView *view);

/* Prepares the frames of @view and runs their per-frame stage and the per-pair stage, as
 * far as results are not kept; fills @arguments for the time stage. */
bool vfi_ready_frames(VfiSession *session, const VfiView *view,
                      VfiRunArguments *arguments, GError **error);

/* The part of @whole in tile (@column, @row). */
VfiView vfi_view_of_tile(const VfiSession *session, const VfiView *whole, int column,
                         int row);

/* Where what was found for that tile belongs: from pixel to pixel at @level 0, else by
 * cells of 2^@level × 2^@level. Fills session->tile_weights. */
VfiTilePlace vfi_place_of_tile(VfiSession *session, int column, int row, int level);

/* Runs the time stage segment by segment. *last is the one that has the outputs. */
bool vfi_run_time_stage(VfiSession *session, const VfiView *view,
                        VfiRunArguments *arguments, int *last, GError **error);

/* Data of an output of the time stage; or its flows and mask, of the whole picture. */
const float *vfi_output_data(const VfiSession *session, int segment, const char *name);
VfiFlowField vfi_output_field(const VfiSession *session, int segment);

/* Rows that the band of tiles keeps above and below those that are to be written, which
 * are made of these, too: chroma that lies on luma rows reads one, a polished picture
 * more. */
int vfi_rows_below(const VfiSession *session);
int vfi_rows_above(const VfiSession *session);

/* Makes the picture that @whole asks for: prepare what is not kept yet, run the stages,
 * apply the result to the planes of @out. At once, or tile by tile
 * (inference_tiles.c). */
bool vfi_infer_whole(VfiSession *session, const VfiView *whole, const VfiFrame *out,
                     GError **error);
bool vfi_infer_tiles(VfiSession *session, const VfiView *whole, const VfiFrame *out,
                     GError **error);
