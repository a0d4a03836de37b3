/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session from inside, and the one header of most files of this folder: session.c
 * builds it, stages.c plans how it sees frames, need.c counts and claims its memory,
 * jobs.c has the public calls of pairs and jobs, idle.c keeps those for reuse, worker.c
 * runs the queue, interpolate.c makes one in-between, inference.c runs the network for
 * that, rounds.c its segments, steps.c what finds motion without one, polish.c both,
 * overlays.c puts back what lies still over the picture, frames.c keeps frames on
 * devices, compare.c compares frames, cleanup.c gives memory back now and then.
 * inference.h, overlays.h, rounds.h, steps.h, polish.h, stages.h, tiling.h, stage_times.h
 * and cleanup_policy.h have the rest. */
#pragma once

#include <stdatomic.h>

#include <vfi/session.h>

#include "backend/backend.h"
#include "model/loaded_model.h"
#include "session/stage_times.h"
#include "session/tiling.h"

/* Results kept for one frame: its prepared image and the per-frame stage's results, of a
 * network, of the steps of flow/ or of both. Only the worker touches slots. Of ranges
 * only what the family sets of a view's frames is not 0. */
typedef struct {
    char *memory;       /* device memory */
    uint64_t key;       /* which frame; 0 is empty */
    uint64_t last_used; /* on slot_clock */
    bool has_image;     /* the network's input is there */
    bool has_features;  /* the per-frame stage's results are, of a run with .ranges */
    VfiRunInputs ranges;
    bool has_motion; /* the steps' part is there */
    double mean;     /* of the image, for families that want it */
    VfiFrameRange range;
} VfiFrameSlot;

/* Where the steps of flow/ find their data (steps.h): offsets into the session's slots,
 * pair memory and arena. */
typedef struct {
    VfiFlowPlan *plan; /* of the whole picture; NULL: the model has no such steps */
    /* Only with tiles: of those [in the last row] [in the last column], which end where
     * the picture does. Of the whole there is the picture then, in slots. */
    VfiFlowPlan *tile_plans[2][2];
    size_t slot_offset, pair_offset, arena_offset, synthesis_offset;
    size_t tile_offset;                 /* of a tile's part in slots */
    VfiTileBand band;                   /* what tiles find, of the whole picture */
    uint64_t *profile[VFI_FLOW_STAGES]; /* ns of each step of .plan, if ever asked for */
    uint64_t pair_keys[2]; /* of the frames that the pair's results are for; 0: of none */
} VfiSessionMotion;

/* What lies still over the pictures (overlays.h). Only the worker touches what is not
 * constant. */
typedef struct {
    bool has_mask;  /* the caller marked something */
    bool is_wanted; /* to be looked for; false once there is no room for that */
    VfiOverlayFinder finder;
    char *memory;  /* the finder's; NULL: nothing is looked for */
    uint8_t *mask; /* what the caller marked, [height][width], or NULL */
    bool is_kept;  /* something was, of the picture that is being made */
} VfiSessionOverlays;

/* Planes in device memory, for sessions without host_memory. */
typedef struct {
    VfiFrame planes;       /* .data[0] is what was allocated */
    uint64_t key;          /* of the frame in it; 0 is none */
    uint64_t last_used;    /* on held_clock */
    uint64_t last_picture; /* the last one that was made with it */
} VfiDevicePlanes;

/* Planes of a view's frames, and one more to be filled meanwhile. */
#define VFI_MAX_HELD (VFI_MAX_VIEW_FRAMES + 1)

/* Most times that an interval is halved. */
#define VFI_MAX_BISECTION 4

/* Midpoint families: in-betweens that serve as model inputs for others of the same
 * pair. */
typedef struct {
    int depth;         /* times are multiples of 1/2^depth; 0: not a midpoint family */
    VfiFrame *frames;  /* [k] at time k/2^depth, allocated for even k only */
    bool *valid;       /* [k], for the pair of .pair_serial */
    bool *has_overlay; /* [k]: something was kept in it */
    uint64_t pair_serial;
} VfiBisection;

/* Memory that a session takes. */
typedef struct {
    size_t arena_bytes;
    int n_slots;
    size_t slot_bytes;
    size_t pair_bytes;
    size_t constant_bytes;
    size_t state_bytes; /* of a loop's states, as one round leaves them */
    size_t n_scalars;
    size_t overlay_bytes; /* for finding overlays */
    size_t mask_bytes;    /* of the caller's mask of them; host and device have one */
    size_t band_bytes;    /* bands where tiles are put together; 0 without */
    int n_planes;         /* frames whose planes are in device memory */
    size_t planes_bytes;  /* of one of them */
    size_t packed_bytes;  /* weights that are still to be packed */
    size_t limited_bytes; /* that memory-limit limits: all but packed weights */
    size_t device_bytes;  /* of the device's memory, all together */
    size_t host_bytes;    /* of the host's, besides that */
} VfiSessionNeed;

struct VfiSession {
    gatomicrefcount ref_count;
    VfiModel *model;
    VfiVideoInfo video;
    int padded_w, padded_h; /* of the whole picture */
    VfiTiling tiling;       /* of that; the network sees one tile at a time */
    double scale;
    bool reference_borders;
    bool is_live;
    bool half_features; /* results of the per-frame stage are kept as f16 */

    const VfiBackend *backend;
    VfiDevice *device;
    VfiGraph *graphs[VFI_STAGE_COUNT]; /* plans' keys live in them */
    VfiPlan *plans[VFI_STAGE_COUNT];   /* NULL: the family has no such stage */
    VfiProgram *programs[VFI_STAGE_COUNT];
    VfiSessionNeed need;
    uint64_t claimed; /* of the pressure guard; the worker's once it runs */
    bool is_granted;  /* by the pressure guard */
    char *arena;
    float *scalars;
    VfiFrameSlot *slots;
    int n_slots;
    uint64_t slot_clock;
    char *states[2]; /* device memory: a loop's states, before and after a round */
    /* Device memory: the constant stage's results, of a run with these ranges; NULL: the
     * family has no such stage. */
    char *constant_memory;
    bool has_constant;
    VfiRunInputs constant_ranges;
    char *pair_memory; /* device memory: the per-pair stage's results, or NULL */
    uint64_t
        pair_keys[VFI_MAX_VIEW_FRAMES]; /* of the view that they are for; 0: of none */
    VfiSessionMotion motion;
    VfiSessionOverlays overlays;
    VfiBisection bisection;
    VfiTileBand band;     /* of a network's tiles; these four only if there are tiles */
    float *whole_scalars; /* as .scalars, of the whole picture */
    int *tile_path;       /* segments of the time stage that all tiles run, in order */
    float *tile_weights;  /* of columns, then of rows */
    /* Only without host_memory (frames.c); the worker's. */
    VfiDevicePlanes held[VFI_MAX_HELD]; /* of frames */
    int n_held;
    uint64_t held_clock;
    VfiDevicePlanes made[VFI_PICTURES_IN_FLIGHT]; /* of in-betweens */
    uint64_t picture;                             /* the one that is being queued */
    void (*round_hook)(VfiSession *session, int round, char *states, void *data);
    void *round_hook_data; /* of tests: rounds.h */
    bool profiling;
    uint64_t *profile[VFI_STAGE_COUNT]; /* ns of each op of the plan, if ever asked for */

    bool told_tight;  /* worker only: the log says already that memory is scarce */
    unsigned trimmed; /* worker only: the vfi_trim_requests() that it followed last */

    GThread *worker;
    GMutex lock; /* everything below, and jobs' state */
    GCond work_arrived;
    GCond job_ended;
    GQueue queue;     /* of VfiJob, owned references, not yet running */
    GQueue in_flight; /* the same, submitted to the device, which makes them meanwhile */
    GCond submitted;  /* .in_flight grew */
    GThread *completion; /* waits for those in flight; NULL with host_memory */
    GQueue completed;    /* of VfiJob without a reference, for the worker to release */
    unsigned n_to_tell;  /* jobs that ended and that .notify was not called for yet */
    GQueue idle_pairs, idle_jobs; /* of VfiPair and VfiJob without a reference */
    VfiJob *running;              /* or NULL */
    bool busy; /* the worker has a job's reference, even if that ended */
    bool stopping;
    bool free_in_worker; /* the worker itself dropped the session's last reference */
    bool device_failed;  /* a job ended with VFI_ERROR_BACKEND */
    uint64_t next_key;
    unsigned cleanup_pairs;  /* interval; 0: adaptive_pairs is */
    unsigned adaptive_pairs; /* as chosen last */
    unsigned pairs_since_cleanup;
    unsigned max_in_betweens; /* of one of these pairs */
    VfiSessionStats stats;
    VfiStageRing times[VFI_TIMED_COUNT];

    GMutex notify_lock;
    void (*notify)(void *user_data);
    void *notify_data;
};

struct VfiPair {
    gatomicrefcount ref_count;
    GList link; /* in its session's idle_pairs */
    VfiSession *session;
    uint64_t serial; /* unique in the session, not 0 */
    unsigned n_made; /* in-betweens with a picture; under the session's lock */
    uint64_t noise_key;
    VfiFrame frames[VFI_MAX_VIEW_FRAMES]; /* the view, oldest first */
    uint64_t keys[VFI_MAX_VIEW_FRAMES];   /* of the frames' slots */
    GMutex lock;
    enum { IDENTICAL_UNKNOWN, IDENTICAL_NO, IDENTICAL_YES } identical; /* under lock */
    VfiRectangle regions[VFI_MAX_KEPT]; /* to be kept; under lock */
    int n_regions;
};

typedef enum {
    VFI_JOB_QUEUED,
    VFI_JOB_RUNNING,
    VFI_JOB_DONE,
} VfiJobState;

struct VfiJob {
    gatomicrefcount ref_count;
    GList link; /* in its session's queue or idle_jobs */
    VfiPair *pair;
    double t;
    VfiFrame out;
    atomic_int cancel;
    uint64_t picture;  /* its number on a device that makes it meanwhile; else 0 */
    VfiJobState state; /* under the session's lock */
    int64_t taken;     /* by the worker: monotonic µs, under the session's lock, … */
    int64_t started;   /* … like these; later where the device was at another picture */
    int64_t ended;
    unsigned round, n_rounds; /* done, and expected so far; under the session's lock */
    /* Of models with rounds: multiply-accumulates done and expected, and the part of them
     * that waiters were woken for, at that time; under the lock, too. */
    double work, expected_work, told_part;
    int64_t told_at;
    int inferences_ahead; /* the worker's: that its picture takes behind the next one */
    GError *error;        /* set before DONE, NULL if there is a picture */
};

/* ---- session.c --------------------------------------------------------------------- */

/* Releases everything; the worker has ended or is the caller. */
void vfi_session_free(VfiSession *session);

/* For benchmarks, while no job is queued: adds the time of every op to
 * session->profile. */
void vfi_session_set_profiling(VfiSession *session, bool profiling);

/* ---- jobs.c ------------------------------------------------------------------------ */

/* The effect of dropping the last reference. */
void vfi_job_release(VfiJob *job);

/* ---- idle.c ------------------------------------------------------------------------ */

/* A pair or a job with one reference, to be filled in; give functions take one that has
 * none any more. No memory is allocated unless more are in use at once than ever
 * before. */
VfiPair *vfi_session_take_pair(VfiSession *session);
VfiJob *vfi_session_take_job(VfiSession *session);
void vfi_session_give_pair(VfiSession *session, VfiPair *pair);
void vfi_session_give_job(VfiSession *session, VfiJob *job);
void vfi_session_free_idle(VfiSession *session);

/* ---- cleanup.c --------------------------------------------------------------------- */

/* For the builder. */
void vfi_session_start_cleanups(VfiSession *session);
/* Under the session's lock: a pair was released with that many in-betweens. */
void vfi_session_note_finished(VfiSession *session, unsigned in_betweens);
/* Under the session's lock. */
bool vfi_session_cleanup_is_due(const VfiSession *session);
/* Worker thread only. */
void vfi_session_clean_up(VfiSession *session);

/* ---- need.c ------------------------------------------------------------------------ */

/* Whether the in-between at @t is made by bisection; if ever, then at 0.5. */
bool vfi_session_bisects(const VfiSession *session, double t);

/* Fills session->need from the plans. */
bool vfi_session_measure(VfiSession *session, GError **error);

/* Claims that memory of the pressure guard; false with VFI_ERROR_NO_MEMORY. A claim is
 * released once its memory has been touched: a part by vfi_session_unclaim(), the rest
 * with the first picture or with the session. */
bool vfi_session_claim(VfiSession *session, const VfiSessionConfig *config,
                       GError **error);
void vfi_session_unclaim(VfiSession *session, uint64_t bytes);

/* ---- worker.c ---------------------------------------------------------------------- */

/* Starts the worker and, without host_memory, the completion thread. */
bool vfi_session_start_worker(VfiSession *session, GError **error);
/* Every job holds its session, so the queue is empty when the last reference goes. */
void vfi_session_stop_worker(VfiSession *session);

/* Calls the function of vfi_session_set_notify(). */
void vfi_session_call_notify(VfiSession *session);

/* ---- frames.c, worker thread only -------------------------------------------------- */

/* Frames in the device's own memory. Where the device has none, or a frame is there
 * already, its planes are its own. */

/* Memory for them; fills in .held and .made. */
bool vfi_session_allocate_planes(VfiSession *session, GError **error);
void vfi_session_free_planes(VfiSession *session);

/* One frame more, for good: free its .data[0]. */
bool vfi_session_allocate_frame(VfiSession *session, VfiFrame *frame, GError **error);

/* *planes are those of @frame: they are copied unless they are there for its key, and
 * take the place of others whose key is none of the @n_keep of @keep, which are no more
 * than a view has. */
bool vfi_session_hold_frame(VfiSession *session, const VfiFrame *frame, uint64_t key,
                            const uint64_t *keep, int n_keep, VfiFrame *planes,
                            GError **error);

/* Where the picture that goes to @out is to be made. */
VfiFrame vfi_session_planes_for(VfiSession *session, const VfiFrame *out);

/* Has it copied to @out, unless it was made there. */
bool vfi_session_deliver(VfiSession *session, const VfiFrame *planes, const VfiFrame *out,
                         GError **error);

/* ---- compare.c --------------------------------------------------------------------- */

/* Whether the session can use the memory that @frame is in; else
 * VFI_ERROR_INVALID_ARGUMENT. */
bool vfi_session_check_memory(const VfiSession *session, const VfiFrame *frame,
                              GError **error);

/* Whether both hold the same bits. False also where the device fails to compare: it will
 * say so again when it is to compute. */
bool vfi_session_frames_equal(VfiSession *session, const VfiFrame *a, const VfiFrame *b);

/* ---- interpolate.c, worker thread only --------------------------------------------- */

/* Makes the picture of @job, or submits it to the device (job->picture). */
bool vfi_interpolate(VfiSession *session, VfiJob *job, GError **error);
