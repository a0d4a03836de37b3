/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend interface: what a device must be able to do for a session. The CPU backend
 * is built in; vfi-cuda.so exports one function, vfi_backend_entry(), and is loaded at
 * run time.
 *
 * All calls on one device come from one thread at a time, unless said otherwise. Work may
 * be queued by the device; results are visible to the host after sync() or
 * wait_picture(). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <vfi/frame.h>
#include <vfi/scene.h>
#include <vfi/session.h>

#include "base/logging.h"
#include "flow/arguments.h"
#include "pixels/minimum_area.h"
#include "pixels/keep.h"
#include "pixels/motion.h"
#include "pixels/overlay.h"
#include "pixels/pixels.h"
#include "plan/plan.h"

/* What tells modules of other builds: its first factor grows whenever a structure below,
 * or what an op means, changes; kinds of ops count themselves. */
#define VFI_BACKEND_ABI (12 * 256 + (unsigned)VFI_OP_KIND_COUNT)

/* Defined by each backend. */
typedef struct VfiDevice VfiDevice;
typedef struct VfiProgram VfiProgram;

typedef struct {
    const char *name;       /* "cpu", "cuda:0 NVIDIA …"; lives as long as the device */
    VfiPrecision precision; /* in effect */
    const char *level; /* instruction set or compute capability; as long as the device */
    unsigned threads;  /* host threads that compute */
    uint64_t work_chunks; /* chunks of work run so far */
    /* Runs of networks that were launched as a whole, and networks that could not be. */
    uint64_t graph_launches, graph_failures;
} VfiDeviceInfo;

/* A request to open a device. */
typedef struct {
    const char *spec; /* "cpu", "cuda", "cuda:1" */
    unsigned threads; /* 0 is all usable CPUs */
    /* One that the device lacks is VFI_ERROR_UNSUPPORTED that names those it has. */
    VfiPrecision precision;
    void *context; /* CUcontext to work in, on its device; or NULL */
    VfiLog log;    /* set by vfi_device_open() */
} VfiDeviceRequest;

/* Memory that making a plan ready to run would take, bytes. */
typedef struct {
    size_t packed_bytes;  /* packed weights that are not there yet */
    size_t scratch_bytes; /* scratch and tables, the program's own; device memory, too */
} VfiProgramNeed;

/* Arguments of one run of a program. */
typedef struct {
    char *region[VFI_MAX_REGIONS]; /* device memory */
    VfiRunInputs inputs;
    float *scalars;           /* host; filled when the call returns */
    const atomic_int *cancel; /* polled between chunks of work; may be NULL */
    /* NULL, or the time of each op of the plan is added here; a row group's time is
     * divided among its ops with host_memory, else it is its first op's. */
    uint64_t *op_nanoseconds;
    /* NULL, or called with host_memory after each op or row group, by the thread that
     * runs the program: @n_ops from @ops on have run. */
    void (*ops_done)(void *data, const VfiOp *ops, int n_ops);
    void *ops_done_data;
} VfiRunArguments;

/* What a round wrote of a loop's states becomes what the next one reads: wanted after
 * each run of a segment with .writes_state. */
static inline void vfi_exchange_states(VfiRunArguments *arguments)
{
    char *written = arguments->region[VFI_REGION_NEXT_STATE];

    arguments->region[VFI_REGION_NEXT_STATE] = arguments->region[VFI_REGION_STATE];
    arguments->region[VFI_REGION_STATE] = written;
}

/* Calls that return bool give false with VFI_ERROR_CANCELLED once *cancel is non-zero, or
 * with VFI_ERROR_BACKEND. */
typedef struct {
    unsigned abi; /* VFI_BACKEND_ABI */
    const char *name;
    bool host_memory; /* device memory is the machine's */

    /* Modules only: whether there is a device that could be opened at all; else
     * VFI_ERROR_BACKEND that says what is missing. Asked once per process. */
    bool (*probe)(GError **error);
    VfiDevice *(*open)(const VfiDeviceRequest *request, GError **error);
    void (*close)(VfiDevice *device);
    void (*info)(VfiDevice *device, VfiDeviceInfo *info);
    /* Bytes of memory free and in all; 0 if unknown. This and info() may be asked in any
     * thread. */
    void (*memory_info)(VfiDevice *device, uint64_t *free_bytes, uint64_t *total_bytes);

    /* Device memory, VFI_ALIGNMENT aligned. @what is for the error's text. When it is
     * freed, like a program or the device itself, nothing that is queued uses it. */
    void *(*alloc)(VfiDevice *device, size_t bytes, const char *what, GError **error);
    void (*free)(VfiDevice *device, void *memory);
    /* Gives cached memory back to the system; cheap where there is none. */
    void (*trim)(VfiDevice *device);

    /* Says what plans for this device should look like. */
    void (*plan_target)(VfiDevice *device, VfiPlanTarget *target);

    /* Packs the plan's weights, or takes them from plan->packed_weights where a program
     * did that before, and makes the plan ready to run. The plan and the weights it
     * points to must outlive the program. */
    VfiProgram *(*compile)(VfiDevice *device, const VfiPlan *plan, GError **error);
    /* The memory that compile() would take, without taking it. */
    bool (*measure)(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                    GError **error);
    void (*program_free)(VfiDevice *device, VfiProgram *program);
    /* Bytes of packed weights that the program uses, its own and shared ones. */
    size_t (*program_packed_bytes)(const VfiProgram *program);
    bool (*run)(VfiDevice *device, const VfiProgram *program, int segment,
                const VfiRunArguments *arguments, GError **error);

    /* Frames in, device memory between, frames out, all in the device's memory; see
     * pixels.h and motion.h. warp_blend(), synthesize() and rgb_to_planes() make luma
     * rows [begin, end), which begin at an even one. */
    bool (*prepare)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame,
                    float *image, int padded_w, int padded_h, VfiPadding padding,
                    const atomic_int *cancel, GError **error);
    /* The mean of the @width × @height × 3 values of a prepared image, its padding left
     * out. The same bits however many threads compute it. */
    bool (*image_mean)(VfiDevice *device, const float *image, int padded_w, int padded_h,
                       int width, int height, double *mean, const atomic_int *cancel,
                       GError **error);
    /* The least value of that part of a prepared image, and of it shrunk; the same bits
     * on every device. */
    bool (*image_minimum)(VfiDevice *device, const float *image, int padded_w,
                          int padded_h, const VfiMinimumArea *area, float minimum[2],
                          const atomic_int *cancel, GError **error);
    bool (*warp_blend)(VfiDevice *device, const VfiVideoInfo *video,
                       const VfiFrame *frame0, const VfiFrame *frame1,
                       const VfiFlowField *field, const VfiFrame *out, int begin, int end,
                       const atomic_int *cancel, GError **error);
    /* Optional, as is synthesis_bytes(). @scratch has as many bytes as that says for
     * motion of the same size, levels and numbers. */
    bool (*synthesize)(VfiDevice *device, const VfiVideoInfo *video,
                       const VfiFrame *frame0, const VfiFrame *frame1,
                       const VfiMotion *motion, void *scratch, const VfiFrame *out,
                       int begin, int end, const atomic_int *cancel, GError **error);
    size_t (*synthesis_bytes)(VfiDevice *device, const VfiMotion *shape);
    bool synthesizes_networks; /* motion may have a network's field in it */
    bool (*rgb_to_planes)(VfiDevice *device, const VfiVideoInfo *video,
                          const VfiRgbPicture *picture, const VfiFrame *frame0,
                          const VfiFrame *frame1, double t, const VfiFrame *out,
                          int begin, int end, const atomic_int *cancel, GError **error);
    bool (*blend)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame0,
                  const VfiFrame *frame1, double t, const VfiFrame *out,
                  const atomic_int *cancel, GError **error);
    bool (*copy)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame,
                 const VfiFrame *out, const atomic_int *cancel, GError **error);

    /* One step of `flow`; see flow/step.h. NULL: the device has none of them. */
    bool (*flow_step)(VfiDevice *device, const VfiFlowStep *step,
                      const VfiFlowArguments *arguments, GError **error);

    /* Parts of a picture that stay as they are; see keep.h and overlay.h. NULL: the
     * device cannot. find_overlays() makes all passes; wants motion that was judged. */
    bool (*keep)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame0,
                 const VfiFrame *frame1, double t, const VfiKeep *keep,
                 const VfiFrame *out, const atomic_int *cancel, GError **error);
    bool (*find_overlays)(VfiDevice *device, const VfiVideoInfo *video,
                          const VfiFrame *frame0, const VfiFrame *frame1,
                          VfiOverlayFinder *finder, const atomic_int *cancel,
                          GError **error);

    /* Puts tiles together in device memory; see pixels.h. */
    bool (*slide_band)(VfiDevice *device, const VfiTileBand *band, int first_row,
                       const atomic_int *cancel, GError **error);
    bool (*add_tile)(VfiDevice *device, const VfiTileBand *band, const float *tile,
                     int first_plane, int n_planes, const VfiTilePlace *place,
                     const atomic_int *cancel, GError **error);

    /* Waits until everything queued has run. */
    bool (*sync)(VfiDevice *device, GError **error);

    /* The rest is there only without host_memory. */

    /* Begins a picture: what is queued until end_picture() belongs to it. Waits while
     * there are VFI_PICTURES_IN_FLIGHT pictures that nobody has waited for. *picture
     * counts from 1. */
    bool (*begin_picture)(VfiDevice *device, uint64_t *picture, GError **error);
    /* Copies a frame to planes in device memory that picture @last_use was the last to
     * read (0: none was): while older pictures are being computed; what is queued later
     * sees it. */
    bool (*upload)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame,
                   const VfiFrame *planes, uint64_t last_use, GError **error);
    /* Has the picture in @planes copied to @out, both of which stay until wait_picture().
     * At most once per picture, as its last work. */
    bool (*download)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *planes,
                     const VfiFrame *out, GError **error);
    /* Says that the work queued since the picture began, or since the last stamp, was
     * @stage. */
    void (*stamp)(VfiDevice *device, VfiTimedStage stage);
    bool (*end_picture)(VfiDevice *device, GError **error);
    /* Waits until @picture is complete and in its place. Adds the ms that its stages
     * took. Once for every picture that was ended, in order, in any thread. */
    bool (*wait_picture)(VfiDevice *device, uint64_t picture,
                         double milliseconds[VFI_TIMED_COUNT], GError **error);
    /* vfi_pixels_equal() and what vfi/scene.h computes, for frames in device memory. Any
     * thread; they wait for nothing but themselves. */
    bool (*frames_equal)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *a,
                         const VfiFrame *b, bool *equal, GError **error);
    bool (*frames_repeat)(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *a,
                          const VfiFrame *b, double threshold, bool *repeat,
                          GError **error);
    bool (*scene_signature)(VfiDevice *device, const VfiVideoInfo *video,
                            const VfiFrame *frame, VfiSceneSignature *signature,
                            GError **error);
} VfiBackend;

/* Pictures that may be queued and not waited for yet. */
#define VFI_PICTURES_IN_FLIGHT 2

/* Most frames that are on their way to the device through buffers in host memory;
 * pictures in flight come back through such buffers, too. */
#define VFI_UPLOADS_IN_FLIGHT 3

/* The one symbol of a backend module. */
#define VFI_BACKEND_ENTRY "vfi_backend_entry"
typedef const VfiBackend *(*VfiBackendEntry)(void);

extern const VfiBackend vfi_backend_cpu;

/* Chooses the backend for "auto", "cpu" or "cuda[:N]" (NULL is "auto") and opens the
 * device. "auto" prefers CUDA where the module loads and a device answers, else the CPU,
 * with one INFO line saying why (but for frames in CUDA memory, which the CPU cannot
 * have). NULL with an error that says what is missing and what would help. */
VfiDevice *vfi_device_open(const VfiDeviceRequest *request, const VfiBackend **backend,
                           GError **error);

/* Says in one line of the log why "auto" is the CPU; not again for the same reason. */
void vfi_tell_why_cpu(const GError *reason);

/* Whether @spec leaves the choice to the engine. */
bool vfi_device_is_auto(const char *spec);

/* Whether the CUDA module loads and finds a device; *text is its file, or why not, and
 * stays for as long as the process. */
bool vfi_cuda_find(const char **text);

/* A key that is equal wherever @spec and @precision mean the same: "cpu f32" for both
 * "cpu" and, without CUDA, "auto". Opens nothing. Free with g_free(). */
char *vfi_device_key(const char *spec, VfiPrecision precision);
