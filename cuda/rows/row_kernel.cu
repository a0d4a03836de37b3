/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interpreter of row programs (row_program.h). A thread is a pixel; all threads
 * follow the same instructions, so that branches on them never diverge. Slots lie in
 * shared memory as [slot][thread]: neighbouring threads access neighbouring words.
 * Several instances of the kernel differ in how many slots they have room for, and so in
 * threads per block. Programs of smaller pictures go through their instructions four
 * times per thread, once for each pixel that the mean is taken of. */
#include "rows/row_kernel.h"

#include "ops/tensor.cuh"

/* What the kernel gets besides the program. */
struct RowArguments {
    float *region[VFI_MAX_REGIONS];
    const VfiRunInputs *inputs;
    float *scalars;
};

struct RowThread {
    float *slots;         /* the thread's first */
    unsigned slot_stride; /* threads of the block */
    bool is_inside; /* else it goes along with the first pixel and writes no memory */
    unsigned x, y, pixel;        /* of the group's pictures */
    unsigned plane;              /* pixels of those */
    unsigned small, small_plane; /* the same of the smaller picture */
    unsigned turn;               /* which of the four pixels */
};

static __device__ __forceinline__ float element_at(const float *data, bool half,
                                                   size_t at)
{
    return half ? __half2float(((const __half *)data)[at]) : data[at];
}

static __device__ __forceinline__ float load(const RowThread &thread,
                                             const RowArguments &arguments,
                                             const VfiRowInstruction &code, int operand,
                                             unsigned channel)
{
    int region = code.region[operand];

    if (region == VFI_ROW_SLOT)
        return thread.slots[(code.at[operand] + channel) * thread.slot_stride];
    size_t at = (size_t)code.at[operand] + (size_t)channel * thread.plane + thread.pixel;
    return element_at(arguments.region[region], operand == VFI_ROW_A && code.half, at);
}

/* f16 channels of a pixel, two per slot. */
static __device__ __forceinline__ __half *half_slot(const RowThread &thread,
                                                    unsigned half)
{
    return (__half *)&thread.slots[half / 2 * thread.slot_stride] + half % 2;
}

/* Stores a channel of @pixel in the result's channels-last picture, and zeros after the
 * last one. */
static __device__ __forceinline__ void store_in_pixel(const RowArguments &arguments,
                                                      const VfiRowInstruction &code,
                                                      unsigned channel, unsigned pixel,
                                                      float value)
{
    float *data = arguments.region[code.region[VFI_ROW_DST]];
    size_t at = (size_t)code.at[VFI_ROW_DST] + (size_t)pixel * code.dst_stride + channel;
    unsigned zeros = channel + 1 == code.count ? code.padding : 0;

    for (unsigned i = 0; i <= zeros; i++) {
        float x = i == 0 ? value : 0.0f;
        if (code.dst_half)
            ((__half *)data)[at + i] = vfi_narrow(x);
        else
            data[at + i] = x;
    }
}

static __device__ __forceinline__ void store(const RowThread &thread,
                                             const RowArguments &arguments,
                                             const VfiRowInstruction &code,
                                             unsigned channel, float value)
{
    int region = code.region[VFI_ROW_DST];

    if (region == VFI_ROW_SLOT)
        thread.slots[(code.at[VFI_ROW_DST] + channel) * thread.slot_stride] = value;
    else if (region == VFI_ROW_HALVES)
        *half_slot(thread, code.at[VFI_ROW_DST] + channel) = vfi_narrow(value);
    else if (!thread.is_inside)
        return;
    else if (code.dst_stride != 0)
        store_in_pixel(arguments, code, channel, thread.pixel, value);
    else if (code.dst_half)
        ((__half *)
             arguments.region[region])[(size_t)code.at[VFI_ROW_DST] +
                                       (size_t)channel * thread.plane + thread.pixel] =
            vfi_narrow(value);
    else
        arguments.region[region][(size_t)code.at[VFI_ROW_DST] +
                                 (size_t)channel * thread.plane + thread.pixel] = value;
}

/* A bilinear sample of a picture: @at leads to it in the first plane. */
struct RowSample {
    const float *data;
    size_t at, plane;
    unsigned right, below;
    float wx, wy;
    bool half;
};

static __device__ __forceinline__ RowSample sample_at(const RowArguments &arguments,
                                                      const VfiRowInstruction &code,
                                                      float x, float y)
{
    unsigned w = code.src_w, h = code.src_h;
    unsigned x0 = (unsigned)x, y0 = (unsigned)y;
    RowSample sample;

    x0 = x0 < w - 1 ? x0 : w - 1;
    y0 = y0 < h - 1 ? y0 : h - 1;
    sample.plane = (size_t)w * h;
    sample.data = arguments.region[code.region[VFI_ROW_A]];
    sample.half = code.half;
    sample.at = code.at[VFI_ROW_A] + ((size_t)y0 * w + x0);
    sample.right = x0 < w - 1;
    sample.below = y0 < h - 1 ? w : 0;
    sample.wx = x - (float)x0;
    sample.wy = y - (float)y0;
    return sample;
}

static __device__ __forceinline__ float value_of(const RowSample &sample,
                                                 unsigned channel)
{
    size_t p = sample.at + channel * sample.plane, q = p + sample.below;
    float a = element_at(sample.data, sample.half, p);
    float b = element_at(sample.data, sample.half, p + sample.right);
    float c = element_at(sample.data, sample.half, q);
    float d = element_at(sample.data, sample.half, q + sample.right);
    float top = a + sample.wx * (b - a), bottom = c + sample.wx * (d - c);

    return top + sample.wy * (bottom - top);
}

static __device__ __forceinline__ void run_enlargement(const RowThread &thread,
                                                       const RowArguments &arguments,
                                                       const VfiRowInstruction &code)
{
    float x = code.scale_x * ((float)thread.x + 0.5f) - 0.5f;
    float y = code.scale_y * ((float)thread.y + 0.5f) - 0.5f;
    RowSample sample =
        sample_at(arguments, code, x > 0.0f ? x : 0.0f, y > 0.0f ? y : 0.0f);

    sample.wx = sample.wx < 1.0f ? sample.wx : 1.0f;
    sample.wy = sample.wy < 1.0f ? sample.wy : 1.0f;
    for (unsigned c = 0; c < code.count; c++)
        store(thread, arguments, code, c, code.p * value_of(sample, c));
}

/* Into [0, limit]; NaN becomes 0. */
static __device__ __forceinline__ float clamp_coordinate(float x, float limit)
{
    x = x > 0.0f ? x : 0.0f;
    return x < limit ? x : limit;
}

static __device__ __forceinline__ void run_warp(const RowThread &thread,
                                                const RowArguments &arguments,
                                                const VfiRowInstruction &code)
{
    float x = (float)thread.x + load(thread, arguments, code, VFI_ROW_B, 0);
    float y = (float)thread.y + load(thread, arguments, code, VFI_ROW_C, 0);
    RowSample sample =
        sample_at(arguments, code, clamp_coordinate(x, (float)(code.src_w - 1)),
                  clamp_coordinate(y, (float)(code.src_h - 1)));

    for (unsigned c = 0; c < code.count; c++)
        store(thread, arguments, code, c, value_of(sample, c));
}

static __device__ __forceinline__ void run_pixel_shuffle(const RowThread &thread,
                                                         const RowArguments &arguments,
                                                         const VfiRowInstruction &code)
{
    const float *data = arguments.region[code.region[VFI_ROW_A]];
    size_t plane = (size_t)code.src_w * code.src_h;
    size_t pixel = (size_t)(thread.y / 2) * code.src_w + thread.x / 2;
    unsigned first = thread.y % 2 * 2 + thread.x % 2;
    size_t pixel_step = code.stride != 0 ? code.stride : 1;
    size_t channel_step = code.stride != 0 ? 1 : plane;

    for (unsigned c = 0; c < code.count; c++) {
        size_t at =
            code.at[VFI_ROW_A] + pixel * pixel_step + (first + 4 * c) * channel_step;
        store(thread, arguments, code, c, element_at(data, code.half, at));
    }
}

/* Stores the mean that a reduction found. */
static __device__ __forceinline__ void store_mean(const RowThread &thread,
                                                  const RowArguments &arguments,
                                                  const VfiRowInstruction &code,
                                                  unsigned channel, float mean)
{
    if (code.dst_stride != 0)
        store_in_pixel(arguments, code, channel, thread.small, mean);
    else
        arguments.region[code.region[VFI_ROW_DST]][(size_t)code.at[VFI_ROW_DST] +
                                                   (size_t)channel * thread.small_plane +
                                                   thread.small] = mean;
}

/* Adds the pixel to the sums; the last of the four turns them into means. */
static __device__ __forceinline__ void run_reduction(const RowThread &thread,
                                                     const RowArguments &arguments,
                                                     const VfiRowInstruction &code)
{
    for (unsigned c = 0; c < code.count; c++) {
        float *sum = &thread.slots[(code.at[VFI_ROW_C] + c) * thread.slot_stride];
        float value = load(thread, arguments, code, VFI_ROW_A, c);
        value = thread.turn == 0 ? value : *sum + value;
        if (thread.turn == 3)
            value = code.p * (0.25f * value);
        if (thread.turn < 3 || code.is_gathered)
            *sum = value;
        else if (thread.is_inside)
            store_mean(thread, arguments, code, c, value);
    }
}

/* Channels @channel and @channel + 1 of the gathered pixel, as f16 in one word. */
static __device__ __forceinline__ uint32_t two_channels(const RowThread &thread,
                                                        const VfiRowInstruction &code,
                                                        unsigned channel)
{
    unsigned slot = code.at[VFI_ROW_A], zeros = code.at[VFI_ROW_C];
    uint32_t bits = 0;

    if (channel >= zeros)
        return 0;
    if (code.is_down) {
        const float *first = &thread.slots[(slot + channel) * thread.slot_stride];
        return vfi_narrow_two(first[0],
                              channel + 1 < zeros ? first[thread.slot_stride] : 0.0f);
    }
    memcpy(&bits, &thread.slots[(slot + channel / 2) * thread.slot_stride], sizeof bits);
    return channel + 1 < zeros ? bits : bits & 0xffffu;
}

/* Writes eight channels at a time where they begin at a multiple of eight, others one by
 * one. */
static __device__ __forceinline__ void run_pack(const RowThread &thread,
                                                const RowArguments &arguments,
                                                const VfiRowInstruction &code)
{
    unsigned channel = code.at[VFI_ROW_B], end = channel + code.count;
    size_t pixel = code.is_down ? thread.small : thread.pixel;

    if (!thread.is_inside || (code.is_down && thread.turn < 3))
        return;
    uint4 *base = (uint4 *)arguments.region[code.region[VFI_ROW_DST]] +
                  code.at[VFI_ROW_DST] + pixel * (code.dst_stride / VFI_GROUP);
    while (channel < end) {
        if (channel % VFI_GROUP == 0 && channel + VFI_GROUP <= end) {
            base[channel / VFI_GROUP] =
                make_uint4(two_channels(thread, code, channel),
                           two_channels(thread, code, channel + 2),
                           two_channels(thread, code, channel + 4),
                           two_channels(thread, code, channel + 6));
            channel += VFI_GROUP;
        } else {
            uint32_t bits = two_channels(thread, code, channel & ~1u);
            ((unsigned short *)base)[channel] =
                (unsigned short)(channel % 2 == 0 ? bits : bits >> 16);
            channel++;
        }
    }
}

static __device__ __forceinline__ unsigned size_bits(float x)
{
    unsigned bits;

    memcpy(&bits, &x, sizeof bits);
    return bits & 0x7fffffffu;
}

/* Most warps find that the result is large enough already and leave it alone. */
static __device__ __forceinline__ void run_max_abs(const RowThread &thread,
                                                   const RowArguments &arguments,
                                                   const VfiRowInstruction &code)
{
    unsigned *result = (unsigned *)(arguments.scalars + code.at[VFI_ROW_DST]);
    unsigned largest = 0;

    for (unsigned c = 0; c < code.count; c++) {
        unsigned bits = size_bits(load(thread, arguments, code, VFI_ROW_A, c));
        largest = bits > largest ? bits : largest;
    }
#ifdef __CUDACC__
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        unsigned other = __shfl_xor_sync(0xffffffffu, largest, lanes);
        largest = other > largest ? other : largest;
    }
    if (threadIdx.x % 32 != 0)
        return;
#endif
    if (largest > *(volatile unsigned *)result)
        atomicMax(result, largest);
}

/* The result of an element-wise operation. */
static __device__ __forceinline__ float elementwise_value(const RowArguments &arguments,
                                                          const VfiRowInstruction &code,
                                                          float a, float b)
{
    float p = code.p, q = code.q;

    switch ((VfiRowOperation)code.operation) {
    case VFI_ROW_ADD:
        return p * (a + b);
    case VFI_ROW_SUB:
        return p * (a - b);
    case VFI_ROW_MUL:
        return a * b;
    case VFI_ROW_AFFINE:
        return a * p + q;
    case VFI_ROW_CLAMP:
        a = a < p ? p : a;
        return a > q ? q : a;
    case VFI_ROW_ACTIVATE:
        return vfi_activated(a, code.is_sigmoid, p);
    case VFI_ROW_FILL:
        return arguments.inputs->value[code.input] * p + q;
    case VFI_ROW_COPY:
    case VFI_ROW_RESIZE: /* these and the next are not element-wise */
    case VFI_ROW_WARP:
    case VFI_ROW_PIXEL_SHUFFLE:
    case VFI_ROW_MAX_ABS:
    case VFI_ROW_PACK:
        break;
    }
    return a;
}

static __device__ __forceinline__ void run_elementwise(const RowThread &thread,
                                                       const RowArguments &arguments,
                                                       const VfiRowInstruction &code)
{
    bool has_a = code.operation != VFI_ROW_FILL;
    bool has_b = code.operation == VFI_ROW_ADD || code.operation == VFI_ROW_SUB ||
                 code.operation == VFI_ROW_MUL;

    for (unsigned c = 0; c < code.count; c++) {
        float a = has_a ? load(thread, arguments, code, VFI_ROW_A, c) : 0.0f;
        float b =
            has_b ? load(thread, arguments, code, VFI_ROW_B, code.one_b ? 0 : c) : 0.0f;
        store(thread, arguments, code, c, elementwise_value(arguments, code, a, b));
    }
}

static __device__ __forceinline__ void run_instruction(const RowThread &thread,
                                                       const RowArguments &arguments,
                                                       const VfiRowInstruction &code)
{
    switch ((VfiRowOperation)code.operation) {
    case VFI_ROW_ADD:
    case VFI_ROW_SUB:
    case VFI_ROW_MUL:
    case VFI_ROW_AFFINE:
    case VFI_ROW_CLAMP:
    case VFI_ROW_ACTIVATE:
    case VFI_ROW_FILL:
    case VFI_ROW_COPY:
        run_elementwise(thread, arguments, code);
        break;
    case VFI_ROW_RESIZE:
        if (code.is_down)
            run_reduction(thread, arguments, code);
        else
            run_enlargement(thread, arguments, code);
        break;
    case VFI_ROW_WARP:
        run_warp(thread, arguments, code);
        break;
    case VFI_ROW_PIXEL_SHUFFLE:
        run_pixel_shuffle(thread, arguments, code);
        break;
    case VFI_ROW_MAX_ABS:
        run_max_abs(thread, arguments, code);
        break;
    case VFI_ROW_PACK:
        run_pack(thread, arguments, code);
        break;
    }
}

/* Goes to the pixel of the thread's turn. */
static __device__ __forceinline__ void
take_turn(RowThread *thread, const VfiRowProgram &program, unsigned turn)
{
    unsigned factor = (unsigned)program.factor, w = (unsigned)program.w;

    thread->turn = turn;
    if (factor == 0) {
        thread->x = thread->small % w;
        thread->y = thread->small / w;
    } else {
        unsigned small_w = w / factor;
        thread->x = thread->small % small_w * factor + factor / 2 - 1 + turn % 2;
        thread->y = thread->small / small_w * factor + factor / 2 - 1 + turn / 2;
    }
    thread->pixel = thread->y * w + thread->x;
}

/* At most 64 registers per thread, except where shared memory has room for few threads
 * anyway. */
template <int SLOTS, int THREADS>
static __global__ void __launch_bounds__(THREADS, THREADS > 32 ? 1024 / THREADS : 1)
    run_rows(const __grid_constant__ VfiRowProgram program,
             const __grid_constant__ RowArguments arguments)
{
    __shared__ float slots[SLOTS * THREADS];
    unsigned factor = (unsigned)program.factor, turns = factor == 0 ? 1 : 4;
    RowThread thread;

    thread.slots = slots + threadIdx.x;
    thread.slot_stride = THREADS;
    thread.plane = (unsigned)program.w * (unsigned)program.h;
    thread.small_plane = factor == 0 ? thread.plane : thread.plane / (factor * factor);
    thread.small = blockIdx.x * THREADS + threadIdx.x;
    thread.is_inside = thread.small < thread.small_plane;
    thread.small = thread.is_inside ? thread.small : 0;
    for (unsigned turn = 0; turn < turns; turn++) {
        take_turn(&thread, program, turn);
        for (int i = 0; i < program.n; i++)
            run_instruction(thread, arguments, program.code[i]);
    }
}

/* At most 48 KiB of slots per block, which every device has without asking. */
template <int SLOTS, int THREADS>
static cudaError_t launch(cudaStream_t stream, const VfiRowProgram &program,
                          const RowArguments &arguments)
{
    size_t threads = (size_t)program.w * (size_t)program.h;
    auto kernel = run_rows<SLOTS, THREADS>;

    if (program.factor != 0)
        threads /= (size_t)program.factor * (size_t)program.factor;
    VFI_LAUNCH(kernel, dim3((unsigned)vfi_ceil_div(threads, THREADS)), dim3(THREADS),
               stream, program, arguments);
    return cudaGetLastError();
}

cudaError_t vfi_cuda_run_rows(cudaStream_t stream, const VfiRowProgram *program,
                              char *const *region, const VfiRunInputs *inputs,
                              float *scalars)
{
    RowArguments arguments;

    for (int i = 0; i < VFI_MAX_REGIONS; i++)
        arguments.region[i] = (float *)region[i];
    arguments.inputs = inputs;
    arguments.scalars = scalars;
    if (program->n_slots <= 12)
        return launch<12, 256>(stream, *program, arguments);
    if (program->n_slots <= 24)
        return launch<24, 256>(stream, *program, arguments);
    if (program->n_slots <= 32)
        return launch<32, 256>(stream, *program, arguments);
    if (program->n_slots <= 48)
        return launch<48, 128>(stream, *program, arguments);
    if (program->n_slots <= 64)
        return launch<64, 128>(stream, *program, arguments);
    if (program->n_slots <= 96)
        return launch<96, 128>(stream, *program, arguments);
    return launch<VFI_ROW_SLOTS, 32>(stream, *program, arguments);
}

static __global__ void clear(float *scalar)
{
    *scalar = 0.0f;
}

cudaError_t vfi_cuda_clear_scalar(cudaStream_t stream, float *scalar)
{
    VFI_LAUNCH(clear, dim3(1), dim3(1), stream, scalar);
    return cudaGetLastError();
}
