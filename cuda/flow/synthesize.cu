/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture from motion hypotheses on the frames' own planes. A thread makes the samples
 * of all components at a place of a grid that they share: luma's, then chroma's. Formulas
 * and their order are those of engine/pixels/synthesize.c and cubic.c. */
#include "flow/flow_kernels.h"
#include "flow/synthesis.cuh"

/* Most bytes of weights at a time; rows of cells that are worth a launch. */
#define WEIGHT_BYTES ((size_t)32 << 20)
#define LEAST_ROWS 64

/* Vectors that lead this far lead out of any frame. */
#define FAR 30000.0f

/* A place among cells. */
struct CellPlace {
    int x, y;
    float part_x, part_y;
};

/* ---- between cells ----------------------------------------------------------------- */

/* In eighths of a cell. */
static __device__ __forceinline__ int place_on_cells(int luma, bool between, int level)
{
    return ((8 * luma + (between ? 8 : 4)) >> level) - 4;
}

/* Among every @spacing-th cell. */
static __device__ __forceinline__ CellPlace cell_place(const SynthesisParameters *p,
                                                       int x, int y, int spacing)
{
    const int level = p->motion.level;
    const int column = place_on_cells(x << p->shift_x, p->between_x, level) / spacing;
    const int row = place_on_cells(y << p->shift_y, p->between_y, level) / spacing;

    return {column >> 3, row >> 3, (float)(column & 7) * 0.125f,
            (float)(row & 7) * 0.125f};
}

static __device__ __forceinline__ float
weight_between(const MotionParameters *p, int hypothesis, const CellPlace *place)
{
    const float *plane = p->weight + hypothesis * p->weight_plane;
    const int left = clamp_below(place->x, p->weights_w);
    const int right = clamp_below(place->x + 1, p->weights_w);
    const float *above =
        plane + (clamp_below(place->y, p->weights_h) - p->first_row) * p->weight_row;
    const float *below =
        plane + (clamp_below(place->y + 1, p->weights_h) - p->first_row) * p->weight_row;
    const float first = above[left] + (below[left] - above[left]) * place->part_y;
    const float second = above[right] + (below[right] - above[right]) * place->part_y;

    return first + (second - first) * place->part_x;
}

/* Between two rows, and finite: NaN leads upwards or to the left. */
static __device__ __forceinline__ float column_between(const MotionParameters *p,
                                                       const MotionField *field, int axis,
                                                       const CellPlace *place, int x)
{
    const float above = cell_vector(p, field, axis, x, place->y);
    const float below =
        place->part_y == 0.0f ? above : cell_vector(p, field, axis, x, place->y + 1);

    return clamp_between(above + (below - above) * place->part_y, -FAR, FAR);
}

static __device__ __forceinline__ float vector_between(const MotionParameters *p,
                                                       const MotionField *field, int axis,
                                                       const CellPlace *place)
{
    const float first = column_between(p, field, axis, place, place->x);
    const float second = column_between(p, field, axis, place, place->x + 1);

    return first + (second - first) * place->part_x;
}

/* ---- the picture ------------------------------------------------------------------- */

/* Adds what lies in frame @f at a place of the grid. */
template <typename Access>
static __device__ __forceinline__ void add_samples(const SynthesisParameters *p, int f,
                                                   float x, float y, float weight,
                                                   float sum[Access::N])
{
    float value[Access::N];
    Taps taps;

    find_taps(x, p->width, taps.column, taps.weight_x);
    find_taps(y, p->height, taps.row, taps.weight_y);
    Access::interpolate(p, f, &taps, value);
    VFI_UNROLL
    for (int c = 0; c < Access::N; c++)
        sum[c] += weight * value[c];
}

/* How far a place is from the nearest of @size samples, in luma pixels. */
static __device__ __forceinline__ float distance_beyond(float at, int size, int shift)
{
    const float before = -at, behind = at - (float)(size - 1);
    const float most = before > behind ? before : behind;

    return (most > 0.0f ? most : 0.0f) * (float)(1 << shift);
}

/* What frame @f counts where a hypothesis leads to (x, y). */
static __device__ __forceinline__ float seen_part(const SynthesisParameters *p, int f,
                                                  float x, float y)
{
    const float beyond_x = distance_beyond(x, p->width, p->shift_x);
    const float beyond_y = distance_beyond(y, p->height, p->shift_y);
    const float beyond = beyond_x > beyond_y ? beyond_x : beyond_y;
    const float part = 1.0f - beyond * (1.0f / VFI_MOTION_EDGE);

    return p->share[f] * (part > VFI_MOTION_LEAST_PART ? part : VFI_MOTION_LEAST_PART);
}

/* Adds what a hypothesis finds in both frames. */
template <typename Access>
static __device__ __forceinline__ void add_hypothesis(const SynthesisParameters *p,
                                                      int hypothesis, float weight, int x,
                                                      int y, float sum[Access::N])
{
    const MotionField *field = &p->motion.field[hypothesis];
    const CellPlace place = cell_place(p, x, y, 1);
    const float vector_x = vector_between(&p->motion, field, 0, &place);
    const float vector_y = vector_between(&p->motion, field, 1, &place);

    float part[2];
    VFI_UNROLL
    for (int f = 0; f < 2; f++)
        part[f] = seen_part(p, f, (float)x + p->move_x[f] * vector_x,
                            (float)y + p->move_y[f] * vector_y);
    const float unit = weight / (part[0] + part[1]);
    VFI_UNROLL_BY_1 /* both frames at once need too many registers */
        for (int f = 0; f < 2; f++)
            add_samples<Access>(p, f, (float)x + p->move_x[f] * vector_x,
                                (float)y + p->move_y[f] * vector_y,
                                unit * (f == 0 ? part[0] : part[1]), sum);
}

/* The network's at a sample: its own, or the mean of the luma samples that a chroma
 * sample is co-sited with. */
static __device__ __forceinline__ float network_mean(const SynthesisParameters *p,
                                                     int plane, int x, int y)
{
    const NetworkField *network = &p->motion.network;
    const int left = x << p->shift_x, top = y << p->shift_y;
    const int right = p->between_x ? clamp_below(left + 1, network->width) : left;
    const int bottom = p->between_y ? clamp_below(top + 1, network->height) : top;
    const float above = network_at(network, plane, left, top);

    if (p->shift_x == 0)
        return above;
    const float below = network_at(network, plane, left, bottom);
    if (right == left)
        return (above + below) * 0.5f;
    return ((above + network_at(network, plane, right, top)) +
            (below + network_at(network, plane, right, bottom))) *
           0.25f;
}

/* Adds what a network finds: each frame where its flow leads, with the mask's part. */
template <typename Access>
static __device__ __forceinline__ void add_network(const SynthesisParameters *p,
                                                   float weight, int x, int y,
                                                   float sum[Access::N])
{
    const float first = weight * clamp_code(network_mean(p, 4, x, y), 1.0f);

    VFI_UNROLL_BY_1
    for (int f = 0; f < 2; f++) {
        const float vector_x = clamp_between(network_mean(p, 2 * f, x, y), -FAR, FAR);
        const float vector_y = clamp_between(network_mean(p, 2 * f + 1, x, y), -FAR, FAR);
        add_samples<Access>(p, f, (float)x + p->scale_x * vector_x,
                            (float)y + p->scale_y * vector_y,
                            f == 0 ? first : weight - first, sum);
    }
}

template <typename Access>
static __global__ void __launch_bounds__(BLOCK_X *BLOCK_Y)
    synthesize(const __grid_constant__ SynthesisParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = p.begin + (int)(blockIdx.y * blockDim.y + threadIdx.y);
    float sum[Access::N], ahead[Access::N];

    if (x >= p.width || y >= p.end)
        return;
    const CellPlace place = cell_place(&p, x, y, p.motion.spacing);
    float weights = weight_between(&p.motion, p.motion.n_hypotheses, &place);
    Access::codes_at(&p, 0, x, y, sum);
    Access::codes_at(&p, 1, x, y, ahead);
    VFI_UNROLL
    for (int c = 0; c < Access::N; c++)
        sum[c] = weights * (sum[c] * p.share[0] + ahead[c] * p.share[1]);
    for (int h = 0; h < p.motion.n_hypotheses; h++) {
        const float weight = weight_between(&p.motion, h, &place);
        if (weight != 0.0f) /* else it counts as another one here */
            add_hypothesis<Access>(&p, h, weight, x, y, sum);
        weights += weight;
    }
    if (p.motion.network.flow != NULL) {
        const float weight = weight_between(&p.motion, p.motion.n_hypotheses + 1, &place);
        add_network<Access>(&p, weight, x, y, sum);
        weights += weight;
    }
    VFI_UNROLL
    for (int c = 0; c < Access::N; c++)
        sum[c] /= weights;
    Access::store(&p, x, y, sum);
}

/* ---- on the host ------------------------------------------------------------------- */

/* A shift in whole cells, halves away from zero. */
static int cells_of_shift(int shift, int level)
{
    const int half = (1 << level) / 2;

    return shift < 0 ? -((half - shift) >> level) : (half + shift) >> level;
}

/* Of @size cells so many have weights. */
static int spaced(const VfiMotion *motion, int size)
{
    return (size + motion->spacing - 1) / motion->spacing;
}

static size_t weight_row(const VfiMotion *motion)
{
    return ((size_t)spaced(motion, motion->grid_w) + 31) / 32 * 32;
}

/* Even, so that bands begin at even rows. */
static int weight_rows(const VfiMotion *motion)
{
    const size_t planes = (size_t)motion_weights(motion);
    const size_t row_bytes = planes * weight_row(motion) * sizeof(float);
    const size_t rows = WEIGHT_BYTES / row_bytes / 2 * 2;
    const size_t all = ((size_t)spaced(motion, motion->grid_h) + 1) / 2 * 2 + 2;

    return (int)(rows > all ? all : rows > LEAST_ROWS ? rows : LEAST_ROWS);
}

size_t vfi_cuda_synthesis_scratch(const VfiMotion *shape)
{
    return (size_t)motion_weights(shape) * (size_t)weight_rows(shape) *
           weight_row(shape) * sizeof(float);
}

static NetworkField network_field(const VfiVideoInfo *info, const VfiFlowField *field)
{
    NetworkField view = {};

    if (field == NULL)
        return view;
    view.flow = field->flow;
    view.mask = field->mask;
    view.row = field->padded_w;
    view.plane = (ptrdiff_t)field->plane;
    view.first_row = field->first_row;
    view.width = info->width;
    view.height = info->height;
    return view;
}

static MotionParameters motion_parameters(const VfiVideoInfo *info,
                                          const VfiMotion *motion, void *scratch)
{
    MotionParameters p = {};

    p.level = motion->level;
    p.grid_w = motion->grid_w;
    p.grid_h = motion->grid_h;
    p.row = (ptrdiff_t)motion->row;
    p.n_hypotheses = motion_hypotheses(motion);
    p.network = network_field(info, motion->network);
    for (int i = 0; i < p.n_hypotheses; i++) {
        const int flow = i < motion->n_flows ? i : 0;
        p.field[i] = {{motion->flow[flow][0], motion->flow[flow][1]}, 0, 0};
        if (i < motion->n_flows)
            continue;
        const int8_t *shift = motion->shift[i - motion->n_flows];
        p.field[i].shift_x = cells_of_shift(shift[0], motion->level);
        p.field[i].shift_y = cells_of_shift(shift[1], motion->level);
    }
    p.spacing = motion->spacing;
    p.weights_w = spaced(motion, motion->grid_w);
    p.weights_h = spaced(motion, motion->grid_h);
    p.weight = (float *)scratch;
    p.weight_row = (ptrdiff_t)weight_row(motion);
    p.weight_plane = p.weight_row * weight_rows(motion);
    return p;
}

/* What the grids of a picture have in common. */
struct Synthesis {
    const VfiVideoInfo *info;
    const VfiFormatDescription *format;
    FormatParameters facts;
    FrameSamples frame[2], out;
    const VfiMotion *motion;
};

/* The components of @work whose chroma shift is that of @p. Returns how many. */
static int take_components(const Synthesis *work, SynthesisParameters *p)
{
    int n = 0;

    for (int c = 0; c < work->format->n_components; c++) {
        const VfiComponent *component = &work->format->component[c];
        if (component->shift_x != p->shift_x || component->shift_y != p->shift_y)
            continue;
        for (int f = 0; f < 2; f++)
            p->frame[f][n] = work->frame[f].component[c];
        p->out[n] = work->out.component[c];
        p->bit[n++] = work->facts.bit[c];
    }
    return n;
}

static SynthesisParameters grid_parameters(const Synthesis *work, int shift_x,
                                           int shift_y)
{
    const float t = work->motion->t, move[2] = {-t, 1.0f - t};
    SynthesisParameters p = {};

    p.shift_x = shift_x;
    p.shift_y = shift_y;
    p.between_x = shift_x && !work->facts.cosited_x;
    p.between_y = shift_y && !work->facts.cosited_y;
    p.width = vfi_subsampled(work->info->width, shift_x);
    p.height = vfi_subsampled(work->info->height, shift_y);
    p.whole = work->out;
    p.filler = work->facts.filler;
    p.shift = work->facts.shift;
    p.mask = work->facts.mask;
    p.limit = work->facts.limit;
    p.scale_x = 1.0f / (float)(1 << shift_x);
    p.scale_y = 1.0f / (float)(1 << shift_y);
    for (int f = 0; f < 2; f++) {
        p.move_x[f] = move[f] / (float)(1 << shift_x);
        p.move_y[f] = move[f] / (float)(1 << shift_y);
    }
    p.share[0] = 1.0f - t;
    p.share[1] = t;
    return p;
}

template <typename Access>
static void launch(cudaStream_t stream, const SynthesisParameters &p)
{
    VFI_LAUNCH(synthesize<Access>, grid_over(p.width, p.end - p.begin, 1),
               dim3(BLOCK_X, BLOCK_Y), stream, p);
}

template <int BYTES>
static void launch_singles(cudaStream_t stream, const SynthesisParameters &p, int n)
{
    if (n == 1)
        launch<SingleSamples<BYTES, 1>>(stream, p);
    else if (n == 2)
        launch<SingleSamples<BYTES, 2>>(stream, p);
    else if (n == 3)
        launch<SingleSamples<BYTES, 3>>(stream, p);
    else
        launch<SingleSamples<BYTES, 4>>(stream, p);
}

/* Components that share a word which all frames may be read by: the whole pixel, or the
 * pair of chroma. False: they do not. */
static bool launch_words(const Synthesis *work, cudaStream_t stream,
                         SynthesisParameters p, int n)
{
    const bool is_pair = work->facts.pair && p.shift_x != 0;
    const int bytes = work->format->sample_bytes;

    if (!is_pair && !work->facts.words)
        return false;
    for (int f = 0; f < 2; f++)
        p.frame[f][0] = {
            is_pair ? work->frame[f].pairs : work->frame[f].pixels,
            is_pair ? work->frame[f].pairs_stride : work->frame[f].pixels_stride, 0};
    p.out[0] = {is_pair ? work->out.pairs : work->out.pixels,
                is_pair ? work->out.pairs_stride : work->out.pixels_stride, 0};
    if (is_pair && bytes == 1)
        launch<SampleWords<uint16_t, 2>>(stream, p);
    else if (is_pair)
        launch<SampleWords<uint32_t, 2>>(stream, p);
    else if (n == 3)
        launch<SampleWords<uint32_t, 3>>(stream, p);
    else
        launch<SampleWords<uint32_t, 4>>(stream, p);
    return true;
}

/* Luma rows [begin, end), of the grid whose shifts are given. */
static void launch_grid(const Synthesis *work, cudaStream_t stream,
                        const MotionParameters &motion, int shift_x, int shift_y,
                        int begin, int end)
{
    SynthesisParameters p = grid_parameters(work, shift_x, shift_y);
    const int n = take_components(work, &p), bytes = work->format->sample_bytes;

    p.motion = motion;
    p.begin = begin >> shift_y;
    p.end = vfi_subsampled(end, shift_y);
    if (launch_words(work, stream, p, n))
        return;
    if (bytes == 1)
        launch_singles<1>(stream, p, n);
    else if (bytes == 2)
        launch_singles<2>(stream, p, n);
    else
        launch<SingleSamples<4, 3>>(stream, p); /* RGB_F32 */
}

/* Luma rows [begin, end), whose weights have room in the scratch. */
static void launch_band(const Synthesis *work, cudaStream_t stream,
                        MotionParameters motion, int begin, int end)
{
    const int cell = motion.spacing << motion.level;
    const int first_row = begin / cell - 1, end_row = (end - 1) / cell + 2;

    motion.first_row = first_row > 0 ? first_row : 0;
    vfi_cuda_weigh_hypotheses(stream, work->motion, motion,
                              end_row < motion.weights_h ? end_row : motion.weights_h);
    launch_grid(work, stream, motion, 0, 0, begin, end);
    if (work->facts.shift_x != 0)
        launch_grid(work, stream, motion, work->facts.shift_x, work->facts.shift_y, begin,
                    end);
}

cudaError_t vfi_cuda_synthesize(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame0, const VfiFrame *frame1,
                                const VfiMotion *motion, void *scratch,
                                const VfiFrame *out, int begin, int end)
{
    const MotionParameters parameters = motion_parameters(info, motion, scratch);
    const int rows = (weight_rows(motion) - 2) * motion->spacing << motion->level;
    Synthesis work = {};

    work.info = info;
    work.format = vfi_format_describe(info->format);
    work.facts = format_parameters(info);
    work.frame[0] = frame_samples(info, frame0, &work.facts);
    work.frame[1] = frame_samples(info, frame1, &work.facts);
    work.out = frame_samples(info, out, &work.facts);
    work.motion = motion;
    for (int y = begin; y < end; y += rows)
        launch_band(&work, stream, parameters, y, end - y < rows ? end : y + rows);
    return cudaGetLastError();
}
