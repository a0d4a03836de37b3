/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open device: one session's part of a GPU. It has three streams: frames come in on
 * one, pictures are computed on the second and leave on the third; events order them. */
#pragma once

#include <stdatomic.h>

#include <cuda_runtime_api.h>

#include "backend/backend.h"
#include "conv/conv_shape.h"
#include "conv/cudnn_library.h"
#include "device/context.h"

/* At most so many stages of a picture are timed; later ones count towards the last. */
#define VFI_CUDA_MAX_STAMPS 24

/* Pinned memory that frames pass through. */
typedef struct {
    uint8_t *memory;
    size_t bytes;
    cudaEvent_t passed; /* the last copy from or to it */
} VfiCudaStaging;

/* A picture from begin_picture() to wait_picture(). */
typedef struct {
    uint64_t number; /* 0: none yet */
    bool in_flight;  /* guarded by the device's lock */
    bool failed;     /* a part of it could not be queued */
    cudaEvent_t computed;
    cudaEvent_t landed;
    int n_stamps;
    cudaEvent_t stamps[VFI_CUDA_MAX_STAMPS + 1]; /* the first is its beginning */
    VfiTimedStage stages[VFI_CUDA_MAX_STAMPS];
    bool has_download;
    VfiVideoInfo video; /* of what is downloaded */
    VfiFrame out;       /* the host's */
    VfiCudaStaging staging;
} VfiCudaPicture;

/* The largest answer to a question: the cells of a signature. */
#define VFI_CUDA_ANSWER_BYTES                                                            \
    ((size_t)VFI_SCENE_SIGNATURE_SIZE * VFI_SCENE_SIGNATURE_SIZE * sizeof(float))

/* For questions about frames, which any thread may ask: a stream of their own and room
 * for the answer. */
typedef struct {
    GMutex lock;
    cudaStream_t stream;
    void *result;        /* device memory */
    void *pinned_result; /* the same for the host */
} VfiCudaQuestions;

struct VfiDevice {
    VfiCudaContext *context;
    VfiPrecision precision;
    VfiCudaConvMath math;
    char *name;
    char *level;
    VfiLog log;
    cudnnHandle_t cudnn;
    GHashTable *convs; /* VfiCudaConvPlan by vfi_cuda_conv_shape_key() */
    cudaStream_t upload_stream, compute_stream, download_stream;
    VfiCudaStaging uploads[VFI_UPLOADS_IN_FLIGHT];
    uint64_t n_uploads;
    cudaEvent_t uploaded;
    cudaEvent_t reusable; /* planes that the current picture has read already */
    VfiCudaPicture pictures[VFI_PICTURES_IN_FLIGHT];
    VfiCudaPicture *picture; /* the current one: being queued; or NULL */
    uint64_t n_pictures;
    GMutex lock; /* guards pictures' in_flight */
    GCond picture_waited_for;
    double *mean;        /* device memory; or two floats, the least values of a picture */
    double *pinned_mean; /* the same for the host */
    float *mean_scratch;
    size_t mean_scratch_floats;
    float *tile_weights; /* device memory */
    size_t tile_weights_floats;
    uint8_t *keep_mask; /* of the session, in device memory; or NULL */
    bool no_graphs;     /* VFI_CUDA_GRAPHS=0 */
    _Atomic uint64_t graph_launches, graph_failures;
    VfiCudaQuestions questions;
};

/* Every function of the backend enters the device's context and leaves it. */
bool vfi_cuda_enter(VfiDevice *device, GError **error);
void vfi_cuda_leave(void);

/* The same around what is queued for a picture: false once the job is cancelled;
 * @result is what queueing @what gave. */
bool vfi_cuda_begin_work(VfiDevice *device, const atomic_int *cancel, GError **error);
bool vfi_cuda_end_work(cudaError_t result, const char *what, GError **error);

/* Waits until all that the session has queued has run. */
bool vfi_cuda_sync(VfiDevice *device, GError **error);

/* The backend's functions of these names (backend/backend.h). */
void vfi_cuda_info(VfiDevice *device, VfiDeviceInfo *info);
void vfi_cuda_memory_info(VfiDevice *device, uint64_t *free_bytes, uint64_t *total_bytes);
void *vfi_cuda_alloc(VfiDevice *device, size_t bytes, const char *what, GError **error);
void vfi_cuda_free(VfiDevice *device, void *memory);
void vfi_cuda_trim(VfiDevice *device);
