/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions: one model bound to one frame format and size on one device, with all memory
 * planned before the first frame.
 *
 *     session = vfi_session_new(model, &config, &error);
 *     pair = vfi_session_begin(session, frames, 2, 0, &error);
 *     job = vfi_pair_submit(pair, 0.5, &out, &error);
 *     vfi_job_wait(job, &error);
 *
 * Thread-safety of everything below: safe. Jobs run on the session's own worker thread in
 * submission order; begin and submit only queue work and never block on it. */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>
#include <vfi/frame.h>
#include <vfi/model.h>
#include <vfi/scene.h>

G_BEGIN_DECLS

typedef struct VfiSession VfiSession;
typedef struct VfiPair VfiPair;
typedef struct VfiJob VfiJob;

/** Number format of a network's multiplications; sums are f32 in all of them. */
typedef enum {
    VFI_PRECISION_AUTO, /**< CPU f32, CUDA f16 */
    VFI_PRECISION_F32,
    VFI_PRECISION_TF32, /**< 10 bits of mantissa; CUDA */
    VFI_PRECISION_BF16, /**< 7 bits of mantissa; CPUs with AVX512-BF16 */
    VFI_PRECISION_F16,  /**< 10 bits of mantissa, small range; CUDA */
} VfiPrecision;

/** "auto", "f32", "tf32", "bf16", "f16"; static. Thread-safety: safe. */
VFI_API const char *vfi_precision_to_string(VfiPrecision precision);

/** The precision of that name. FALSE for an unknown one, @precision is left alone then.
 * Thread-safety: safe. */
VFI_API gboolean vfi_precision_from_string(const char *name, VfiPrecision *precision);

/** How results of a network's per-frame part are kept for the next pair. Pictures, flows
 * and coordinates are f32 in any case. */
typedef enum {
    VFI_FEATURE_STORAGE_AUTO, /**< CPU f32, CUDA f16 */
    VFI_FEATURE_STORAGE_F32,
    VFI_FEATURE_STORAGE_F16, /**< half of the bytes, 11 significant bits */
} VfiFeatureStorage;

/** "auto", "f32", "f16"; static. Thread-safety: safe. */
VFI_API const char *vfi_feature_storage_to_string(VfiFeatureStorage storage);

/** The storage of that name. FALSE for an unknown one, @storage is left alone then.
 * Thread-safety: safe. */
VFI_API gboolean vfi_feature_storage_from_string(const char *name,
                                                 VfiFeatureStorage *storage);

/** Whether what lies still over a video that moves (subtitles, logos) is looked for and
 * kept as it is. Beside that, what is marked as such is kept in any case: by
 * VfiSessionConfig.overlay_mask and vfi_pair_keep_regions(). */
typedef enum {
    VFI_OVERLAY_OFF,
    /** Found by itself in every pair, with models whose result is motion (RIFE, "flow"),
     * on the CPU. Takes about four bytes a pixel; where memory_limit has no room for them
     * nothing is looked for, and a line of the log says so. */
    VFI_OVERLAY_AUTO,
} VfiOverlay;

/** A part of a picture, pixels; what lies outside of that does not count. */
typedef struct {
    int x, y;          /**< upper left corner */
    int width, height; /**< nothing where one is not positive */
} VfiRectangle;

/** What a session is built for. Zero-initialise, then set what differs. */
typedef struct {
    VfiVideoInfo video;
    /** "auto", "cpu" or "cuda[:N]"; NULL is "auto": CUDA, or the CPU where no session can
     * be built there, with a line of the log that says why. */
    const char *device;
    /** The CUcontext that frames in CUDA memory belong to; the session works in it, on
     * its device, and it must outlive the session. NULL: the device's primary context. */
    void *cuda_context;
    /** Flow scale 0.25 … 4; 0 chooses by size (1 up to 1920×1080 pixels, 0.5 up to four
     * times that, else 0.25). Ignored by families without a flow. */
    double scale;
    /** Largest number of threads that compute for this session; 0 is all usable CPUs
     * (affinity and cgroup quota). Sessions of one process share them. */
    unsigned threads;
    /** One that the device lacks is an error that names those it has. On the CPU, bf16
     * rounds the operands of those convolutions for which the model says that it does no
     * harm, such as the ones in RIFE's first and last block; all others stay f32. */
    VfiPrecision precision;
    VfiFeatureStorage feature_storage;
    /** TRUE: at the right and bottom edge the last warp sees the zero padding, as
     * upstream implementations do; for comparison with their output. FALSE (users): it
     * sees the frame's own edge repeated. */
    gboolean reference_borders;
    /** Bytes of memory that have to stay free beside the session, 0: see
     * vfi_memory_relieve(). */
    uint64_t memory_headroom;
    /** Most bytes of memory that the session may take for itself: working memory and what
     * it keeps of frames, without the model's weights, which are shared. 0: no limit. If
     * the whole picture needs more, the network sees it in overlapping tiles, as large as
     * the limit allows; if that is not enough or the family has no tiles, it is an
     * error. */
    uint64_t memory_limit;
    /** Largest width and height of a tile, pixels, overlap included; at least 256 (more
     * for a smaller scale) and a multiple of 64 is used. 0: tiles only where the limit
     * asks for them. Ignored by families without tiles. */
    unsigned tile_size;
    /** The pictures are for a live pipeline, where one that comes too late is none: what
     * a model's options leave open is chosen for speed ("flow": its quality "auto" is
     * then "fast"). */
    gboolean live;
    VfiOverlay overlay;
    /** NULL, or video.width × video.height bytes, row by row from the top, which are
     * copied: how much of each pixel stays where it is, 255 all of it, 0 nothing. There
     * in-betweens are both frames' mean, weighed by time, whatever the model finds. */
    const uint8_t *overlay_mask;
} VfiSessionConfig;

/** Parts of an in-between whose time is measured. */
typedef enum {
    VFI_TIMED_PREPARE,        /**< a frame's planes to the network's input */
    VFI_TIMED_FRAME_STAGE,    /**< the network's part that sees one frame */
    VFI_TIMED_PAIR_STAGE,     /**< the part that sees a pair, whatever the time */
    VFI_TIMED_TIME_STAGE,     /**< the rest of the network */
    VFI_TIMED_SYNTHESIS,      /**< the result to planes; blends and copies, too */
    VFI_TIMED_CONSTANT_STAGE, /**< the network's part that sees no frame */
    VFI_TIMED_COUNT
} VfiTimedStage;

/** How long one of them takes: percentiles of the last 128 runs, in ms, by the device's
 * own clock where it queues work. */
typedef struct {
    uint64_t runs; /**< so far; the rest is 0 if this is */
    double p50;
    double p95;
} VfiStageTimes;

/** Counters and sizes; see vfi_session_get_stats(). */
typedef struct {
    uint64_t pairs;          /**< pairs begun */
    uint64_t finished_pairs; /**< pairs released, with a picture or more */
    uint64_t in_betweens;    /**< jobs that finished with a picture */
    uint64_t inferences;     /**< runs of the model's time stage */
    uint64_t identical; /**< in-betweens copied because both frames are the same bits */
    uint64_t with_overlays; /**< in-betweens in which something was kept still */
    uint64_t cancelled;     /**< jobs that ended without a picture */
    uint64_t work_chunks;   /**< chunks of work run for this session */
    /** Runs of a part of the network that the device was given as a whole (CUDA
     * graphs). */
    uint64_t graph_launches;
    /** Parts that could not be given as a whole: they run kernel by kernel, and a line of
     * the log says why. */
    uint64_t graph_failures;
    size_t arena_bytes; /**< planned memory, allocated once */
    /** Weights in the layout that the device computes with, shared by all sessions of the
     * model where it is the CPU. */
    size_t packed_weight_bytes;
    unsigned threads;
    int padded_width; /**< size that the picture is padded to, pixels */
    int padded_height;
    double scale;   /**< the flow scale in effect; 1 for families without one */
    unsigned tiles; /**< that the network sees one by one; 1: the whole picture */
    int tile_width; /**< pixels; the padded size if there is one */
    int tile_height;
    unsigned cleanup_interval;     /**< finished pairs between two cleanups */
    uint64_t cleanups;             /**< see vfi_session_set_cleanup_interval() */
    uint64_t cleanup_bytes;        /**< by which they made the process smaller */
    uint64_t cleanup_microseconds; /**< that they took */
    /** Of the device's memory, or of the host's where that is the device's. */
    uint64_t device_free_bytes;
    uint64_t device_total_bytes; /**< 0 if unknown */
    VfiStageTimes times[VFI_TIMED_COUNT];
    const char *device;    /**< "cpu", …; static */
    const char *precision; /**< the precision in effect: "f32", "bf16", …; static */
    /** "f32" or "f16": how results of the per-frame part are kept; static. */
    const char *feature_storage;
    const char *cpu_level; /**< "c", "avx2", "avx512"; static */
    /** How thoroughly a model without weights, or one that is polished, looks for motion
     * besides a network: "fast", "medium" or "best"; "" for others; static. */
    const char *quality;
    /** Whether overlays are looked for. */
    gboolean finds_overlays;
} VfiSessionStats;

/**
 * Builds a session: pads the size to the family's multiple, cuts it into tiles if it has
 * to, plans all stages, asks whether there is memory for it (idle models go if need be),
 * packs weights, allocates the arena. Takes a reference on @model.
 * Returns a new reference, or NULL with VFI_ERROR_INVALID_ARGUMENT, _UNSUPPORTED,
 * _BACKEND or _NO_MEMORY (need, free memory, limit and what would help in the text).
 */
VFI_API VfiSession *vfi_session_new(VfiModel *model, const VfiSessionConfig *config,
                                    GError **error);

/** Adds a reference and returns @session. */
VFI_API VfiSession *vfi_session_ref(VfiSession *session);

/** Drops a reference; the last one cancels what is queued and joins the worker. Pairs and
 * jobs keep their session alive. NULL is allowed. */
VFI_API void vfi_session_unref(VfiSession *session);

/** Frames that the model sees before and after the two around an in-between: (0, 0) for
 * most, whose views are pairs; at most six together. */
VFI_API void vfi_session_neighbours(const VfiSession *session, int *before, int *after);

/**
 * Opens a pair of consecutive frames with those around it that the model sees, its view:
 * @frames has before + 2 + after of them (vfi_session_neighbours()), oldest first. Where
 * there is no such frame, at the ends of a clip and beside a cut, the nearest one takes
 * its place, with the same id. The frames' memory must stay valid and unchanged until
 * the pair is released and all its jobs ended. What the session already computed for a
 * frame with the same non-zero id is reused: it keeps that of as many frames as a view
 * has.
 * @key seeds the noise of models that draw any, together with their options: the same
 * frames with the same key give the same picture. A time stamp of the pair does.
 * Returns a new reference, or NULL with VFI_ERROR_INVALID_ARGUMENT.
 */
VFI_API VfiPair *vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                   size_t n_frames, uint64_t key, GError **error);

/**
 * vfi_scene_signature() of a frame in any memory that the session can use. It waits for
 * no job.
 * Returns FALSE with VFI_ERROR_INVALID_ARGUMENT (memory that it cannot use) or _BACKEND.
 */
VFI_API gboolean vfi_session_scene_signature(VfiSession *session, const VfiFrame *frame,
                                             VfiSceneSignature *signature,
                                             GError **error);

/** vfi_frames_repeat() of frames in any memory that the session can use, both in the
 * same. *repeat is FALSE unless it returns TRUE. Errors as above. */
VFI_API gboolean vfi_session_frames_repeat(VfiSession *session, const VfiFrame *a,
                                           const VfiFrame *b, double threshold,
                                           gboolean *repeat, GError **error);

/** Most parts of a pair that are kept. */
#define VFI_MAX_KEPT 32

/**
 * Marks parts of the pair's pictures that are to stay where they are, such as subtitles:
 * in-betweens are both frames' mean there, weighed by time, whatever the model finds.
 * Replaces what the last call said. Jobs that were submitted before may or may not heed
 * it, so call it before the first. Regions that are no part of the picture are ignored.
 * Returns FALSE with VFI_ERROR_INVALID_ARGUMENT (more than VFI_MAX_KEPT) or
 * _UNSUPPORTED (the session's device cannot; nothing is kept then).
 */
VFI_API gboolean vfi_pair_keep_regions(VfiPair *pair, const VfiRectangle *regions,
                                       size_t n_regions, GError **error);

/** Adds a reference and returns @pair. */
VFI_API VfiPair *vfi_pair_ref(VfiPair *pair);

/** Drops a reference. NULL is allowed. */
VFI_API void vfi_pair_unref(VfiPair *pair);

/** TRUE if both frames are bitwise the same picture (padding bytes aside): then every
 * in-between is that picture and needs no inference. Compared on the first call. */
VFI_API gboolean vfi_pair_is_identical(VfiPair *pair);

/**
 * Queues the in-between at time @t, 0 < t < 1 (0 is the first frame), written to the
 * memory of @out, which must stay valid until the job ends. Jobs of one session run in
 * submission order.
 * Returns a new reference, or NULL with VFI_ERROR_INVALID_ARGUMENT.
 */
VFI_API VfiJob *vfi_pair_submit(VfiPair *pair, double t, const VfiFrame *out,
                                GError **error);

/** Adds a reference and returns @job. */
VFI_API VfiJob *vfi_job_ref(VfiJob *job);

/** Drops a reference; does not cancel the job. NULL is allowed. */
VFI_API void vfi_job_unref(VfiJob *job);

/** Blocks until the job ended. TRUE: the picture is complete. FALSE with
 * VFI_ERROR_CANCELLED, _NO_MEMORY or _BACKEND: its content is undefined. By then the
 * session has dropped its own reference to the job: once all jobs have been waited for,
 * whoever drops the last reference to session, pairs and jobs finds the session gone when
 * that call returns. */
VFI_API gboolean vfi_job_wait(VfiJob *job, GError **error);

/** TRUE once the job ended, with a picture or without. Never blocks. */
VFI_API gboolean vfi_job_is_done(VfiJob *job);

/** How far the job of a model that works in rounds (a sampler) is: *@round of *@n_rounds
 * are done, tiles counted one by one. Both are 0 before it has begun, and always for
 * other models; *@n_rounds grows where the in-between is made by way of others
 * (bisection). Never blocks. */
VFI_API void vfi_job_get_progress(VfiJob *job, unsigned *round, unsigned *n_rounds);

/** Blocks until more than @round rounds of the job are done, and returns TRUE; FALSE once
 * it has ended. */
VFI_API gboolean vfi_job_wait_round(VfiJob *job, unsigned round);

/** The same of all of its work, in the rounds and around them: *@part of it, 0 to 1 as
 * multiply-accumulates count, was done when waiters were told last, which is after every
 * round and several times a second; *@elapsed is how long ago the worker took the job,
 * or how long it took, µs. 0 and 1 only, before and after its end, for other models.
 * Never blocks. */
VFI_API void vfi_job_get_work(VfiJob *job, double *part, int64_t *elapsed);

/** Blocks until more than @part of the job's work is told to be done, and returns TRUE;
 * FALSE once it has ended. */
VFI_API gboolean vfi_job_wait_work(VfiJob *job, double part);

/** When the worker took the job and when it ended, as g_get_monotonic_time(): what it
 * cost without waiting for others. Returns FALSE, and leaves both alone, before the job
 * ended. Never blocks. */
VFI_API gboolean vfi_job_get_times(VfiJob *job, int64_t *started, int64_t *ended);

/** Asks the job to end soon: afterwards each thread runs at most one more chunk of work.
 * Never blocks; a job that already ended stays as it is. */
VFI_API void vfi_job_cancel(VfiJob *job);

/** Cancels all jobs submitted so far. Never blocks; later submissions run normally. */
VFI_API void vfi_session_flush(VfiSession *session);

/** Blocks until all jobs submitted so far have ended and the worker has let go of them:
 * if the caller then drops the session's last reference, its memory is free when that
 * returns. Must not be called from the function of vfi_session_set_notify(). */
VFI_API void vfi_session_wait(VfiSession *session);

/** Sets the function that a thread of the session calls after each job's end and, for a
 * model that works in rounds, as it proceeds (vfi_job_get_work()); NULL removes it.
 * It must only wake a waiter: dropping the session's last reference waits for it. Once
 * this call has returned, the old function is not called any more; so that one must not
 * make this call. */
VFI_API void vfi_session_set_notify(VfiSession *session, void (*notify)(void *user_data),
                                    void *user_data);

/** The cleanup interval of a session for which none was set. */
#define VFI_CLEANUP_PAIRS_DEFAULT 10

/**
 * Makes the session give back memory that nobody uses whenever @pairs more pairs are
 * finished: what allocators keep, and packed weights that no session of the model uses.
 * Its worker does that between two jobs. 0 chooses 1 to 20 pairs by the device's free
 * memory and the session's size, again at each cleanup. Counts from the last cleanup on.
 */
VFI_API void vfi_session_set_cleanup_interval(VfiSession *session, unsigned pairs);

/** A device that is kept open. */
typedef struct VfiDeviceHold VfiDeviceHold;

/**
 * Opens the device of @config, whose other fields do not matter, and keeps it open.
 * Starting a GPU (a context, cuDNN) may take a second: sessions that are built while the
 * device is held, and vfi_model_estimate(), need not do it again. config->cuda_context
 * must outlive the result.
 * Returns NULL with VFI_ERROR_BACKEND or _UNSUPPORTED. Thread-safety: safe.
 */
VFI_API VfiDeviceHold *vfi_device_hold(const VfiSessionConfig *config, GError **error);

/** Ends the hold. NULL is allowed. Thread-safety: safe. */
VFI_API void vfi_device_release(VfiDeviceHold *hold);

/** Fills @stats with the numbers as they are now. */
VFI_API void vfi_session_get_stats(VfiSession *session, VfiSessionStats *stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VfiSession, vfi_session_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VfiPair, vfi_pair_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VfiJob, vfi_job_unref)

G_END_DECLS
