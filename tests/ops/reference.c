/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference.h"

ReferenceFunc reference_of_kind(VfiOpKind kind)
{
    static const ReferenceFunc of_kind[] = {
#define ENTRY(SUFFIX, identifier) [VFI_OP_##SUFFIX] = reference_##identifier,
        VFI_OP_LIST(ENTRY)
#undef ENTRY
    };

    return of_kind[kind];
}

/* ---- what they have in common ------------------------------------------------------ */

/* (1 - weight) * a + weight * b, in the form that decides what becomes of infinities. */
static double mix(ReferenceElement *element, double a, double b, double weight)
{
    takes_part(element, a);
    takes_part(element, b);
    return a + weight * takes_part(element, b - a);
}

static double activated(const VfiActivation *activation, int c, double x)
{
    switch (activation->kind) {
    case VFI_ACTIVATION_NONE:
        return x;
    case VFI_ACTIVATION_PRELU:
        return x < 0.0 ? (double)activation->slope[c] * x : x;
    case VFI_ACTIVATION_LEAKY:
        return x < 0.0 ? (double)activation->leak * x : x;
    case VFI_ACTIVATION_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case VFI_ACTIVATION_SILU:
        return x == -INFINITY ? 0.0 : x / (1.0 + exp(-x)); /* the limit */
    case VFI_ACTIVATION_GELU:
        return x == -INFINITY ? 0.0 : x * 0.5 * erfc(-x / G_SQRT2);
    }
    return NAN;
}

/* ---- element by element ------------------------------------------------------------ */

/* A sigmoid is accurate however small it is. */
ReferenceElement reference_activate(const ReferenceInput *in, int c, int y, int x)
{
    const VfiActivation *activation = &in->op->u.activation;
    double value = at(in, 0, c, y, x);
    ReferenceElement e = {0};

    if (activation->kind != VFI_ACTIVATION_SIGMOID)
        takes_part(&e, value);
    return finish(e, activated(activation, c, value));
}

/* The second source may have one channel for all. */
static double second(const ReferenceInput *in, int c, int y, int x)
{
    return at(in, 1, in->op->src[1].shape.c == 1 ? 0 : c, y, x);
}

ReferenceElement reference_add(const ReferenceInput *in, int c, int y, int x)
{
    ReferenceElement e = {0};
    double a = takes_part(&e, at(in, 0, c, y, x));
    double b = takes_part(&e, second(in, c, y, x));

    return finish(e, (double)in->op->u.sum.scale * takes_part(&e, a + b));
}

ReferenceElement reference_sub(const ReferenceInput *in, int c, int y, int x)
{
    ReferenceElement e = {0};
    double a = takes_part(&e, at(in, 0, c, y, x));
    double b = takes_part(&e, second(in, c, y, x));

    return finish(e, (double)in->op->u.sum.scale * takes_part(&e, a - b));
}

ReferenceElement reference_mul(const ReferenceInput *in, int c, int y, int x)
{
    ReferenceElement e = {0};

    return finish(e, at(in, 0, c, y, x) * second(in, c, y, x));
}

ReferenceElement reference_affine(const ReferenceInput *in, int c, int y, int x)
{
    const VfiAffineParams *p = &in->op->u.affine;
    ReferenceElement e = {0};
    double product = takes_part(&e, at(in, 0, c, y, x) * (double)p->mul);

    takes_part(&e, (double)p->add);
    return finish(e, product + (double)p->add);
}

ReferenceElement reference_clamp(const ReferenceInput *in, int c, int y, int x)
{
    double value = at(in, 0, c, y, x);
    ReferenceElement e = {0};

    if (value < (double)in->op->u.clamp.low)
        value = (double)in->op->u.clamp.low;
    if (value > (double)in->op->u.clamp.high)
        value = (double)in->op->u.clamp.high;
    return finish(e, value); /* NaN is neither */
}

ReferenceElement reference_copy(const ReferenceInput *in, int c, int y, int x)
{
    ReferenceElement e = {0};

    return finish(e, at(in, 0, c, y, x));
}

ReferenceElement reference_convert(const ReferenceInput *in, int c, int y, int x)
{
    return reference_copy(in, c, y, x);
}

ReferenceElement reference_fill(const ReferenceInput *in, int c, int y, int x)
{
    const VfiFillParams *p = &in->op->u.fill;
    ReferenceElement e = {0};
    double product = takes_part(&e, (double)in->inputs->value[p->input] * (double)p->mul);

    (void)c;
    (void)y;
    (void)x;
    takes_part(&e, (double)p->add);
    return finish(e, product + (double)p->add);
}

ReferenceElement reference_scale_shift(const ReferenceInput *in, int c, int y, int x)
{
    const VfiScaleShiftParams *p = &in->op->u.scale_shift;
    const VfiActivation activation = {.kind = p->activation, .leak = p->leak};
    ReferenceElement e = {0};
    double value = takes_part(&e, at(in, 0, c, y, x));

    if (in->op->n_src == 2) {
        int channels = in->op->src[1].shape.c / (p->adds ? 2 : 1), of = c % channels;
        e.largest = 0.0;
        value = takes_part(&e, value * at(in, 1, of, 0, 0));
        if (p->adds)
            value += takes_part(&e, at(in, 1, channels + of, 0, 0));
    }
    return finish(e, activated(&activation, c, takes_part(&e, value)));
}

ReferenceElement reference_step_embedding(const ReferenceInput *in, int c, int y, int x)
{
    const VfiStepEmbeddingParams *p = &in->op->u.step_embedding;
    int half = p->channels / 2;
    double frequency = pow((double)p->base, -(double)(c % half) / half);
    double angle = (double)in->inputs->value[p->input] * frequency;
    ReferenceElement e = {.largest = 1.0};

    (void)y;
    (void)x;
    return finish(e, c < half ? cos(angle) : sin(angle));
}

/* ---- random numbers ---------------------------------------------------------------- */

/* One round of Philox4x32 as section 3.3 of the paper has it: two multipliers, and a key
 * that is XORed in. */
static void philox_round(uint32_t x[4], uint32_t key0, uint32_t key1)
{
    uint64_t a = UINT64_C(0xd2511f53) * x[0], b = UINT64_C(0xcd9e8d57) * x[2];
    uint32_t next[4] = {(uint32_t)(b >> 32) ^ x[1] ^ key0, (uint32_t)(b & 0xffffffff),
                        (uint32_t)(a >> 32) ^ x[3] ^ key1, (uint32_t)(a & 0xffffffff)};

    for (int i = 0; i < 4; i++)
        x[i] = next[i];
}

/* The words are exact, and so is u, which is an f32 by definition. */
ReferenceElement reference_noise(const ReferenceInput *in, int c, int y, int x)
{
    const VfiNoiseInputs *run = &in->inputs->noise;
    const VfiNoiseParams *p = &in->op->u.noise;
    unsigned column = run->origin[0] / (unsigned)p->reduction + (unsigned)x;
    unsigned row = run->origin[1] / (unsigned)p->reduction + (unsigned)y;
    uint32_t words[4] = {65536u * row + column,
                         ((run->round * 16u + run->place) * 64u + p->stream) * 64u +
                             (unsigned)c / 4,
                         run->key[0], run->key[1]};
    ReferenceElement e = {0};

    for (uint32_t round = 0; round < 10; round++)
        philox_round(words, (uint32_t)(run->seed % 0x100000000u) + round * 0x9e3779b9u,
                     (uint32_t)(run->seed / 0x100000000u) + round * 0xbb67ae85u);
    const uint32_t *pair = words + c % 4 / 2 * 2;
    double u = (double)(float)((double)(float)pair[0] * 0x1p-32 + 0x1p-33);
    double radius = takes_part(&e, sqrt(-2.0 * log(u)));
    double angle = 2.0 * G_PI * (pair[1] >> 8) * 0x1p-24;
    return finish(e, radius * (c % 2 == 0 ? cos(angle) : sin(angle)));
}

/* ---- moving pixels ----------------------------------------------------------------- */

/* Between samples @x and @x1 with @weight of the second, and the same of rows. */
typedef struct {
    int x, x1, y, y1;
    double weight_x, weight_y;
} Between;

static void set_column(Between *between, float place, int width)
{
    between->x = place < (float)(width - 1) ? (int)place : width - 1;
    between->x1 = between->x + 1 < width ? between->x + 1 : width - 1;
    between->weight_x = (double)place - between->x;
}

static void set_row(Between *between, float place, int height)
{
    between->y = place < (float)(height - 1) ? (int)place : height - 1;
    between->y1 = between->y + 1 < height ? between->y + 1 : height - 1;
    between->weight_y = (double)place - between->y;
}

/* Whichever direction comes first, a difference of two of the four may be taken. */
static void differences_take_part(ReferenceElement *element, const double *values)
{
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            takes_part(element, values[i] - values[j]);
}

static bool any_is_nan(const ReferenceInput *in, int c, const Between *b)
{
    return isnan(at(in, 0, c, b->y, b->x)) || isnan(at(in, 0, c, b->y, b->x1)) ||
           isnan(at(in, 0, c, b->y1, b->x)) || isnan(at(in, 0, c, b->y1, b->x1));
}

static ReferenceElement sample(const ReferenceInput *in, int c, const Between *b,
                               double mul)
{
    ReferenceElement e = {0};
    double top =
        mix(&e, at(in, 0, c, b->y, b->x), at(in, 0, c, b->y, b->x1), b->weight_x);
    double bottom =
        mix(&e, at(in, 0, c, b->y1, b->x), at(in, 0, c, b->y1, b->x1), b->weight_x);
    double value = mix(&e, top, bottom, b->weight_y);

    differences_take_part(
        &e, (double[]){at(in, 0, c, b->y, b->x), at(in, 0, c, b->y, b->x1),
                       at(in, 0, c, b->y1, b->x), at(in, 0, c, b->y1, b->x1)});
    e.infinite = isnan(value) && !any_is_nan(in, c, b);
    takes_part(&e, mul * e.largest);
    return finish(e, mul * value);
}

/* Half-pixel centres, not before the first one's. In f32 as everywhere in the field,
 * so that no sample is another: each product and sum is rounded, which double gives
 * before. */
static float resized_place(int i, int in, int out)
{
    float scale = (float)((double)in / out);
    float product = (float)((double)scale * (i + 0.5));
    float place = (float)((double)product - 0.5);

    return place > 0.0f ? place : 0.0f;
}

ReferenceElement reference_resize(const ReferenceInput *in, int c, int y, int x)
{
    VfiShape from = in->op->src[0].shape, to = in->op->dst.shape;
    Between between;

    set_column(&between, resized_place(x, from.w, to.w), from.w);
    set_row(&between, resized_place(y, from.h, to.h), from.h);
    return sample(in, c, &between, (double)in->op->u.resize.mul);
}

/* @i and what the flow adds, in f32, inside of the picture; NaN is its begin. */
static float warped_place(int i, double flow, int size)
{
    float place = (float)(i + flow);

    if (!(place > 0.0f))
        return 0.0f;
    return place < (float)(size - 1) ? place : (float)(size - 1);
}

ReferenceElement reference_warp(const ReferenceInput *in, int c, int y, int x)
{
    VfiShape from = in->op->src[0].shape;
    Between between;

    set_column(&between, warped_place(x, at(in, 1, 0, y, x), from.w), from.w);
    set_row(&between, warped_place(y, at(in, 1, 1, y, x), from.h), from.h);
    return sample(in, c, &between, 1.0);
}

static double or_zero(const ReferenceInput *in, int c, int y, int x)
{
    VfiShape s = in->op->src[0].shape;

    return y < 0 || x < 0 || y >= s.h || x >= s.w ? 0.0 : at(in, 0, c, y, x);
}

/* Pixel (@y, @x) of the picture that the first source's channel @c is when it is moved by
 * @dy rows and @dx columns: zero where that comes from outside. */
static double moved(const ReferenceInput *in, int c, int y, int x, int dy, int dx)
{
    return or_zero(in, c, y + dy, x + dx);
}

/* All nine moved pictures are warped as by WARP, and compared with the third source. */
TEST_FORMULA ReferenceElement reference_correlation(const ReferenceInput *in, int c,
                                                    int y, int x)
{
    VfiShape from = in->op->src[0].shape;
    int dy = c / 3 - 1, dx = c % 3 - 1;
    double product = 0.0, squares = 0.0, own = 0.0;
    ReferenceElement e = {0};
    Between b;

    set_column(&b, warped_place(x, at(in, 1, 0, y, x), from.w), from.w);
    set_row(&b, warped_place(y, at(in, 1, 1, y, x), from.h), from.h);
    for (int k = 0; k < from.c; k++) {
        double top = mix(&e, moved(in, k, b.y, b.x, dy, dx),
                         moved(in, k, b.y, b.x1, dy, dx), b.weight_x);
        double bottom = mix(&e, moved(in, k, b.y1, b.x, dy, dx),
                            moved(in, k, b.y1, b.x1, dy, dx), b.weight_x);
        double value = mix(&e, top, bottom, b.weight_y), reference = at(in, 2, k, y, x);
        product += reference * value;
        squares += value * value;
        own += reference * reference;
    }
    /* between -1 and 1, whatever went into it */
    return (ReferenceElement){
        .value = product / (sqrt(own + 1e-12) * sqrt(squares + 1e-12)), .largest = 1.0};
}

/* The factor of place @second (0 or 1) of the two that a band's filter has. */
static double haar_factor(bool high, int second)
{
    return (high && second == 0 ? -0.5 : 0.5) / sqrt(2.0);
}

/* The definition's sum over two frames, two rows and two columns. */
ReferenceElement reference_haar(const ReferenceInput *in, int c, int y, int x)
{
    int frames = in->op->src[0].shape.c - 1, band = c / frames, frame = c % frames;
    double sum = 0.0, sizes = 0.0;
    ReferenceElement e = {0};

    for (int i = 0; i < 8; i++) {
        double value = or_zero(in, frame + (i >> 2), y + (i >> 1 & 1), x + (i & 1));
        sum += value * haar_factor((band & 4) != 0, i >> 2) *
               haar_factor((band & 2) != 0, i >> 1 & 1) *
               haar_factor((band & 1) != 0, i & 1);
        sizes += isfinite(value) ? fabs(value) : 0.0;
    }
    takes_part(&e, sizes);
    return finish(e, sum);
}

ReferenceElement reference_keep_inside(const ReferenceInput *in, int c, int y, int x)
{
    const VfiKeepInsideParams *p = &in->op->u.keep_inside;
    double width = (double)in->inputs->value[VFI_RUN_INPUT_IMAGE_WIDTH];
    double height = (double)in->inputs->value[VFI_RUN_INPUT_IMAGE_HEIGHT];
    bool inside = x < floor(width * p->scale) && y < floor(height * p->scale);
    ReferenceElement e = {0};

    return finish(e, inside ? at(in, 0, c, y, x) : (double)p->outside);
}

ReferenceElement reference_avg_pool(const ReferenceInput *in, int c, int y, int x)
{
    ReferenceElement e = {0};
    double sum = 0.0, sizes = 0.0;

    for (int i = 0; i < 4; i++) {
        double value = at(in, 0, c, 2 * y + i / 2, 2 * x + i % 2);
        sum += value;
        sizes += isfinite(value) ? fabs(value) : 0.0;
    }
    takes_part(&e, sizes);
    return finish(e, sum / 4.0);
}

/* Where the enlargement's row or column @i comes from. */
static int nearest_of(int i, int in, int out)
{
    return (int)((int64_t)i * in / out);
}

ReferenceElement reference_nearest(const ReferenceInput *in, int c, int y, int x)
{
    VfiShape from = in->op->src[0].shape, to = in->op->dst.shape;
    ReferenceElement e = {0};

    return finish(e,
                  at(in, 0, c, nearest_of(y, from.h, to.h), nearest_of(x, from.w, to.w)));
}

ReferenceElement reference_upsample_conv_sum(const ReferenceInput *in, int c, int y,
                                             int x)
{
    VfiShape from = in->op->src[0].shape, to = in->op->dst.shape;
    const float *bias = in->op->u.nearest.bias;
    double sum = bias != NULL ? (double)bias[c] : 0.0, sizes = fabs(sum);
    ReferenceElement e = {0};

    for (int i = 0; i < 4; i++) {
        int row = y + i / 2, column = x + i % 2;
        if (row >= to.h || column >= to.w)
            continue;
        double value = at(in, 0, i * to.c + c, nearest_of(row, from.h, to.h),
                          nearest_of(column, from.w, to.w));
        sum += value;
        sizes += isfinite(value) ? fabs(value) : 0.0;
    }
    takes_part(&e, sizes);
    return finish(e, sum);
}

ReferenceElement reference_pixel_shuffle(const ReferenceInput *in, int c, int y, int x)
{
    ReferenceElement e = {0};

    return finish(e, at(in, 0, 4 * c + 2 * (y % 2) + x % 2, y / 2, x / 2));
}

/* ---- convolutions ------------------------------------------------------------------ */

/* Which of the weight's input channels the op's channel @i is. */
static int channel_of_weight(const VfiConvParams *p, int i)
{
    int channel = i;

    for (int run = 0, seen = 0; run < p->n_runs; run++) {
        if (i >= seen && i < seen + p->runs[run].count)
            channel = p->runs[run].first + i - seen;
        seen += p->runs[run].count;
    }
    return channel;
}

/* The weight of output channel @o, input channel @i (of the group) and place @place of
 * the kernel, which has @places. */
static float conv_weight(const ReferenceInput *in, int o, int i, int place, int places)
{
    const VfiConvParams *p = &in->op->u.conv;
    int channels = p->weight_in > 0 ? p->weight_in : in->op->src[0].shape.c / p->groups;

    if (p->taps > 0) {
        place = o / p->tap_channels;
        places = p->taps;
        o %= p->tap_channels;
    }
    size_t filter = (size_t)o * (size_t)channels + (size_t)channel_of_weight(p, i);
    if (p->depth > 0)
        filter = filter * (size_t)p->depth + (size_t)p->slice;
    return p->weight[filter * (size_t)places + (size_t)place];
}

static ReferenceElement after_sum(const ReferenceInput *in, double sum, int c, int y,
                                  int x)
{
    const VfiConvParams *p = &in->op->u.conv;
    ReferenceElement e = {.largest = fabs(sum)};

    e.value = sum + (p->bias != NULL ? (double)p->bias[c] : 0.0);
    if (p->residual == VFI_RESIDUAL_BEFORE_ACTIVATION)
        e.value += at(in, 1, c, y, x);
    e.value = activated(&p->activation, c, e.value);
    if (p->residual == VFI_RESIDUAL_AFTER_ACTIVATION)
        e.value += at(in, 1, c, y, x);
    return e;
}

TEST_FORMULA ReferenceElement reference_conv(const ReferenceInput *in, int c, int y,
                                             int x)
{
    const VfiConvParams *p = &in->op->u.conv;
    int channels = in->op->src[0].shape.c / p->groups;
    int first = c / (in->op->dst.shape.c / p->groups) * channels;
    int places = p->kernel_h * p->kernel_w;
    double sum = 0.0;

    for (int i = 0; i < channels; i++)
        for (int place = 0; place < places; place++) {
            int row = y * p->stride - p->pad_top + place / p->kernel_w;
            int column = x * p->stride - p->pad_left + place % p->kernel_w;
            sum += (double)conv_weight(in, c, i, place, places) *
                   or_zero(in, first + i, row, column);
        }
    return after_sum(in, sum, c, y, x);
}

TEST_FORMULA ReferenceElement reference_conv_transpose(const ReferenceInput *in, int c,
                                                       int y, int x)
{
    const VfiConvParams *p = &in->op->u.conv;
    int outputs = p->weight_out != 0 ? p->weight_out : p->out;
    int places = p->kernel_h * p->kernel_w;
    double sum = 0.0;

    for (int place = 0; place < places; place++) {
        int row = y + p->pad_top - place / p->kernel_w;
        int column = x + p->pad_left - place % p->kernel_w;
        if (row % p->stride != 0 || column % p->stride != 0)
            continue;
        for (int i = 0; i < in->op->src[0].shape.c; i++)
            sum += (double)p->weight[(i * outputs + c) * places + place] *
                   or_zero(in, i, row / p->stride, column / p->stride);
    }
    return after_sum(in, sum, c, y, x);
}
