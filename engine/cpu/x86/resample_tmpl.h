/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bilinear resize and backward warp, for any vector width. */

static inline Vector ISA(lerp)(Vector a, Vector b, Vector weight)
{
    return v_fma(weight, v_sub(b, a), a);
}

static inline float ISA(lerp1)(float a, float b, float weight)
{
    return __builtin_fmaf(weight, b - a, a);
}

/* The two source rows blended, and the last column repeated once. */
static void ISA(blend_rows)(const VfiResizeRow *row)
{
    Vector weight = v_set1(row->y_weight);
    int x = 0;

    for (; x + VECTOR_FLOATS <= row->src_w; x += VECTOR_FLOATS)
        v_store(row->blend + x,
                ISA(lerp)(v_load(row->top + x), v_load(row->bottom + x), weight));
    for (; x < row->src_w; x++)
        row->blend[x] = ISA(lerp1)(row->top[x], row->bottom[x], row->y_weight);
    row->blend[row->src_w] = row->blend[row->src_w - 1];
}

/* VECTOR_FLOATS outputs from column @x on. */
static inline void ISA(resize_vector)(const VfiResizeRow *row, int x, bool enlarges)
{
    VectorInt x0 = vi_load(row->x0 + x);
    Vector left, right;

    if (enlarges) { /* all columns lie within one vector of the first */
        const float *from = row->blend + row->x0[x];
        VectorInt index = vi_sub(x0, vi_set1(row->x0[x]));
        left = v_permute(v_load(from), index);
        right = v_permute(v_load(from + 1), index);
    } else {
        left = v_gather(row->blend, x0);
        right = v_gather(row->blend + 1, x0);
    }
    Vector value = ISA(lerp)(left, right, v_load(row->x_weight + x));
    v_store(row->dst + x, v_mul(value, v_set1(row->mul)));
}

static void ISA(resize_row)(const VfiResizeRow *row)
{
    int last = row->dst_w - VECTOR_FLOATS;

    ISA(blend_rows)(row);
    if (last < 0) {
        for (int x = 0; x < row->dst_w; x++) {
            const float *from = row->blend + row->x0[x];
            row->dst[x] = row->mul * ISA(lerp1)(from[0], from[1], row->x_weight[x]);
        }
        return;
    }
    if (row->enlarges) {
        for (int x = 0; x < last; x += VECTOR_FLOATS)
            ISA(resize_vector)(row, x, true);
        ISA(resize_vector)(row, last, true);
    } else {
        for (int x = 0; x < last; x += VECTOR_FLOATS)
            ISA(resize_vector)(row, x, false);
        ISA(resize_vector)(row, last, false);
    }
}

/* Where VECTOR_FLOATS output pixels read: indices of the four corners and two weights. */
typedef struct {
    VectorInt top_left, top_right, bottom_left, bottom_right;
    Vector x_weight, y_weight;
} ISA(WarpPlace);

static inline ISA(WarpPlace) ISA(warp_place)(const VfiWarpRow *row, int i)
{
    VectorInt column = vi_add(vi_counting(), vi_set1(row->x_begin + i));
    VectorInt x_limit = vi_set1(row->src_w - 1), y_limit = vi_set1(row->src_h - 1);
    VectorInt one = vi_set1(1), pitch = vi_set1(row->src_w);
    Vector x = v_add(v_from_int(column), v_load(row->flow_x + i));
    Vector y = v_add(v_set1((float)row->y), v_load(row->flow_y + i));

    /* The maximum comes first: it turns NaN into 0. */
    x = v_min(v_max(x, v_zero()), v_from_int(x_limit));
    y = v_min(v_max(y, v_zero()), v_from_int(y_limit));
    VectorInt x0 = vi_truncate(x), y0 = vi_truncate(y);
    VectorInt x1 = vi_min(vi_add(x0, one), x_limit);
    VectorInt top = vi_mul(y0, pitch);
    VectorInt bottom = vi_mul(vi_min(vi_add(y0, one), y_limit), pitch);
    return (ISA(WarpPlace)){
        .top_left = vi_add(top, x0),
        .top_right = vi_add(top, x1),
        .bottom_left = vi_add(bottom, x0),
        .bottom_right = vi_add(bottom, x1),
        .x_weight = v_sub(x, v_from_int(x0)),
        .y_weight = v_sub(y, v_from_int(y0)),
    };
}

/* VECTOR_FLOATS pixels from the @i-th on, into @dst, planes @dst_plane apart. */
static inline void ISA(warp_vector)(const VfiWarpRow *row, int i, float *dst,
                                    size_t dst_plane)
{
    ISA(WarpPlace) place = ISA(warp_place)(row, i);
    const float *src = row->src;

    for (int c = 0; c < row->channels; c++) {
        Vector top = ISA(lerp)(v_gather(src, place.top_left),
                               v_gather(src, place.top_right), place.x_weight);
        Vector bottom = ISA(lerp)(v_gather(src, place.bottom_left),
                                  v_gather(src, place.bottom_right), place.x_weight);
        v_store(dst, ISA(lerp)(top, bottom, place.y_weight));
        src += row->src_plane;
        dst += dst_plane;
    }
}

/* Fewer pixels than a vector holds, channel by channel through a full vector. */
static void ISA(warp_tail)(const VfiWarpRow *row, int i)
{
    size_t n = (size_t)(row->n - i);
    float flow[2][VECTOR_FLOATS] = {{0}}, pixels[VECTOR_FLOATS];
    VfiWarpRow tail = *row;

    memcpy(flow[0], row->flow_x + i, n * sizeof(float));
    memcpy(flow[1], row->flow_y + i, n * sizeof(float));
    tail.flow_x = flow[0];
    tail.flow_y = flow[1];
    tail.x_begin = row->x_begin + i;
    tail.channels = 1;
    for (int c = 0; c < row->channels; c++) {
        tail.src = row->src + (size_t)c * row->src_plane;
        ISA(warp_vector)(&tail, 0, pixels, 0);
        memcpy(row->dst + (size_t)c * row->dst_plane + i, pixels, n * sizeof(float));
    }
}

static void ISA(warp_row)(const VfiWarpRow *row)
{
    int i = 0;

    for (; i + VECTOR_FLOATS <= row->n; i += VECTOR_FLOATS)
        ISA(warp_vector)(row, i, row->dst + i, row->dst_plane);
    if (i < row->n)
        ISA(warp_tail)(row, i);
}

static void ISA(fill_resample)(VfiCpuKernels *kernels)
{
    kernels->resize_row = ISA(resize_row);
    kernels->warp_row = ISA(warp_row);
}
