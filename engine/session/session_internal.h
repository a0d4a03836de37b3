/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a session: session.c builds it, stages.c says how it sees frames,
 * jobs.c has pairs and jobs, idle.c keeps them for the next ones,
 * worker.c runs the job queue, frames.c keeps frames on devices,
 * compare.c compares frames wherever they lie, cleanup.c gives memory back
 * now and then, interpolate.c makes one in-between. */
#pragma once

#include <stdatomic.h>

#include <vfi/session.h>

#include "backend/backend.h"
#include "model/loaded_model.h"
#include "session/stage_times.h"
#include "session/tiling.h"

/* Frames of a pair at most: the regions that there are for frames. */
#define VFI_MAX_NEIGHBOURS (VFI_REGION_PAIR - VFI_REGION_FRAME0)

/* What is kept for one frame: its prepared image and the per-frame stage's results. Only the
 * worker touches slots. */
typedef struct {
    char *memory;       /* device memory */
    uint64_t key;       /* which frame; 0 is empty */
    uint64_t last_used; /* for choosing the least recently used */
    double mean;        /* of the image, for families that want it */
} VfiFrameSlot;

/* Planes in device memory, for sessions without host_memory. */
typedef struct {
    VfiFrame planes;       /* .data[0] is what was allocated */
    uint64_t key;          /* of the frame in it; 0 is none */
    uint64_t last_used;    /* for choosing the least recently used */
    uint64_t last_picture; /* the last one that was made with it */
} VfiDevicePlanes;

/* Those of a pair, and one to be filled meanwhile. */
#define VFI_MAX_HELD (VFI_MAX_NEIGHBOURS + 1)

/* Midpoint families: in-betweens that serve as model inputs for others of the same pair. */
typedef struct {
    int depth;        /* times are multiples of 1/2^depth; 0: not a midpoint family */
    VfiFrame *frames; /* [k] at time k/2^depth, allocated for even k only */
    bool *valid;      /* [k], for the pair of .pair_serial */
    uint64_t pair_serial;
} VfiBisection;

/* Memory that a session takes. */
typedef struct {
    size_t arena_bytes;
    int n_slots;
    size_t slot_bytes;
    size_t pair_bytes;
    size_t n_scalars;
    size_t band_bytes;    /* where tiles are put together; 0 without */
    int n_planes;         /* frames whose planes are in device memory */
    size_t planes_bytes;  /* of one of them */
    size_t packed_bytes;  /* weights that are to be packed yet */
    size_t limited_bytes; /* what memory-limit is about: all but packed weights */
    size_t device_bytes;  /* all of it on the device */
    size_t host_bytes;    /* besides that */
} VfiSessionNeed;

struct VfiSession {
    gatomicrefcount ref_count;
    VfiModel *model;
    VfiVideoInfo video;
    int padded_w, padded_h; /* of the whole picture */
    VfiTiling tiling;       /* of that; the network sees one tile at a time */
    double scale;
    bool reference_borders;
    bool half_features; /* what is kept of the per-frame stage is f16 */

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
    char *pair_memory;     /* device memory: the per-pair stage's results, or NULL */
    uint64_t pair_keys[2]; /* of the frames that they are for; 0: of none */
    VfiBisection bisection;
    VfiTileBand band;     /* of tiles' results; these three only if there are tiles */
    float *whole_scalars; /* as .scalars, of the whole picture */
    float *tile_weights;  /* columns', then rows' */
    /* The same without host_memory, frames.c; the worker's. */
    VfiDevicePlanes held[VFI_MAX_HELD]; /* of frames */
    int n_held;
    uint64_t held_clock;
    VfiDevicePlanes made[VFI_PICTURES_IN_FLIGHT]; /* of in-betweens */
    uint64_t picture;                             /* the one that is being queued */
    bool profiling;
    uint64_t
        *profile[VFI_STAGE_COUNT]; /* nanoseconds of each op of the plan, if ever asked */

    bool told_tight;  /* worker only: the log knows that memory is scarce */
    unsigned trimmed; /* the worker's: vfi_trim_requests() that it has followed */

    GThread *worker;
    GMutex lock; /* everything below, and jobs' state */
    GCond work_arrived;
    GCond job_ended;
    GQueue queue;     /* of VfiJob, owned references, not yet running */
    GQueue in_flight; /* the same, queued on a device that makes them meanwhile */
    GQueue
        landed; /* of VfiJob without a reference, ended there, for the worker to release */
    unsigned n_to_tell; /* jobs that ended, of which .notify has not heard yet */
    GThread *lander;    /* waits for those in flight; NULL with host_memory */
    GCond took_off;
    GQueue idle_pairs, idle_jobs; /* of VfiPair and VfiJob without a reference */
    VfiJob *running;              /* or NULL */
    bool busy; /* the worker has a job's reference, also after the job has ended */
    bool stopping;
    bool free_in_worker; /* the worker itself dropped the last reference */
    bool device_failed;  /* a job ended with VFI_ERROR_BACKEND */
    uint64_t next_key;
    unsigned cleanup_pairs;  /* 0: adaptive_pairs counts */
    unsigned adaptive_pairs; /* what was chosen last */
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
    int n_frames;
    VfiFrame frames[VFI_MAX_NEIGHBOURS];
    uint64_t keys[VFI_MAX_NEIGHBOURS]; /* of the frames' slots */
    GMutex lock;
    enum { IDENTICAL_UNKNOWN, IDENTICAL_NO, IDENTICAL_YES } identical; /* under lock */
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
    uint64_t picture;  /* on the device that makes it meanwhile; 0: none does */
    VfiJobState state; /* under the session's lock */
    int64_t started;   /* under the session's lock: when the worker took and left it, */
    int64_t ended;     /* monotonic µs */
    GError *error;     /* set before DONE, NULL if there is a picture */
};

/* session.c: releases everything; the worker has ended or is the caller. */
void vfi_session_free(VfiSession *session);

/* For benchmarks, while no job is queued: adds the time of every op to session->profile. */
void vfi_session_set_profiling(VfiSession *session, bool profiling);

/* idle.c: a pair or a job with one reference, to be filled in; and what the
 * last reference gives back. No memory is allocated unless more are in use at once
 * than ever before. */
VfiPair *vfi_session_take_pair(VfiSession *session);
VfiJob *vfi_session_take_job(VfiSession *session);
void vfi_session_give_pair(VfiSession *session, VfiPair *pair);
void vfi_session_give_job(VfiSession *session, VfiJob *job);

/* session.c: what dropping the last reference does. */
void vfi_job_release(VfiJob *job);
void vfi_session_free_idle(VfiSession *session);

/* cleanup.c. Starting is for the builder; the next two want the session's lock, and
 * cleaning up is for the worker. */
void vfi_session_start_cleanups(VfiSession *session);
void vfi_session_note_finished(VfiSession *session, unsigned in_betweens);
bool vfi_session_cleanup_is_due(const VfiSession *session);
void vfi_session_clean_up(VfiSession *session);

/* need.c */

/* Whether the in-between at @t is made by bisection; if ever, then at 0.5. */
bool vfi_session_bisects(const VfiSession *session, double t);

/* Fills session->need from the plans. */
bool vfi_session_measure(VfiSession *session, GError **error);
/* Asks for it; false with VFI_ERROR_NO_MEMORY. Claimed memory counts as taken until it is: a
 * part by vfi_session_unclaim(), the rest with the first picture or with the session. */
bool vfi_session_claim(VfiSession *session, const VfiSessionConfig *config,
                       GError **error);
void vfi_session_unclaim(VfiSession *session, uint64_t bytes);

/* worker.c */
bool vfi_session_start_worker(VfiSession *session, GError **error);
void vfi_session_stop_worker(VfiSession *session);

/* frames.c, worker thread only: pictures in the device's own memory. Where that is the
 * host's, or the frame is there already, planes are the frame's own. */

/* Memory for them; fills in .held and .made. */
bool vfi_session_allocate_planes(VfiSession *session, GError **error);
void vfi_session_free_planes(VfiSession *session);
/* One more, for good: .data[0] is what is to be freed. */
bool vfi_session_allocate_frame(VfiSession *session, VfiFrame *frame, GError **error);
/* *planes are those of @frame, copied unless they are there for its key, in place of what has none
 * of the two keys @keep. */
bool vfi_session_hold_frame(VfiSession *session, const VfiFrame *frame, uint64_t key,
                            const uint64_t *keep, VfiFrame *planes, GError **error);
/* Where the picture that goes to @out is to be made. */
VfiFrame vfi_session_planes_for(VfiSession *session, const VfiFrame *out);
/* Has it copied there, if it was not made there. */
bool vfi_session_deliver(VfiSession *session, const VfiFrame *planes, const VfiFrame *out,
                         GError **error);

/* compare.c: whether the session can use the memory that @frame is in. */
bool vfi_session_check_memory(const VfiSession *session, const VfiFrame *frame,
                              GError **error);

/* Whether both hold the same bits; a device that cannot compare says so
 * again when it is to compute. */
bool vfi_session_frames_equal(VfiSession *session, const VfiFrame *a, const VfiFrame *b);

/* interpolate.c: makes the picture of @job, or queues what makes it (job->picture). Worker thread
 * only. */
bool vfi_interpolate(VfiSession *session, VfiJob *job, GError **error);
