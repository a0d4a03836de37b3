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
static void ISA(blend_source_rows)(const VfiResizeRow *row)
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

/* src between columns x0[i] and x0[i]+1, for VECTOR_FLOATS outputs. */
static inline Vector ISA(between_columns)(const float *src, const int32_t *x0,
                                          const float *x_weight)
{
    int first = x0[0], reach = x0[VECTOR_FLOATS - 1] - first;
    VectorInt columns = vi_load(x0), index = vi_sub(columns, vi_set1(first));
    const float *from = src + first;
    Vector left, right;

    if (reach < VECTOR_FLOATS) {
        left = v_permute(v_load(from), index);
        right = v_permute(v_load(from + 1), index);
    } else if (reach < 2 * VECTOR_FLOATS - 1) {
        Vector low = v_load(from), high = v_load(from + VECTOR_FLOATS);
        left = v_permute2(low, high, index);
        right = v_permute2(low, high, vi_add(index, vi_set1(1)));
    } else {
        left = v_gather(src, columns);
        right = v_gather(src + 1, columns);
    }
    return ISA(lerp)(left, right, v_load(x_weight));
}

static void ISA(resize_row)(const VfiResizeRow *row)
{
    int last = row->dst_w - VECTOR_FLOATS;
    Vector mul = v_set1(row->mul);

    ISA(blend_source_rows)(row);
    for (int x = 0; last < 0 && x < row->dst_w; x++) {
        const float *from = row->blend + row->x0[x];
        row->dst[x] = row->mul * ISA(lerp1)(from[0], from[1], row->x_weight[x]);
    }
    for (int x = 0; x < last; x += VECTOR_FLOATS)
        v_store(
            row->dst + x,
            v_mul(ISA(between_columns)(row->blend, row->x0 + x, row->x_weight + x), mul));
    if (last >= 0)
        v_store(row->dst + last, v_mul(ISA(between_columns)(row->blend, row->x0 + last,
                                                            row->x_weight + last),
                                       mul));
}

static void ISA(stretch_row)(const VfiStretchRow *row)
{
    int last = row->dst_w - VECTOR_FLOATS;

    /* Behind the source there may be nothing that can be read. */
    memcpy(row->copy, row->src, (size_t)row->src_w * sizeof(float));
    row->copy[row->src_w] = row->copy[row->src_w - 1];
    for (int x = 0; last < 0 && x < row->dst_w; x++) {
        const float *from = row->copy + row->x0[x];
        row->dst[x] = ISA(lerp1)(from[0], from[1], row->x_weight[x]);
    }
    for (int x = 0; x < last; x += VECTOR_FLOATS)
        v_store(row->dst + x,
                ISA(between_columns)(row->copy, row->x0 + x, row->x_weight + x));
    if (last >= 0)
        v_store(row->dst + last,
                ISA(between_columns)(row->copy, row->x0 + last, row->x_weight + last));
}

/* Where VECTOR_FLOATS output pixels read: left and right columns, upper rows, weights. */
typedef struct {
    VectorInt x0, x1, y0;
    Vector x_weight, y_weight;
} ISA(WarpPlace);

static inline ISA(WarpPlace) ISA(warp_place)(const VfiWarpRow *row, int i)
{
    VectorInt x_limit = vi_set1(row->src_w - 1), y_limit = vi_set1(row->src_h - 1);
    Vector x = v_add(v_load(row->x + i), v_load(row->flow_x + i));
    Vector y = v_add(v_set1((float)row->y), v_load(row->flow_y + i));

    /* The maximum comes first: it turns NaN into 0. */
    x = v_min(v_max(x, v_zero()), v_from_int(x_limit));
    y = v_min(v_max(y, v_zero()), v_from_int(y_limit));
    VectorInt x0 = vi_truncate(x), y0 = vi_truncate(y);
    return (ISA(WarpPlace)){
        .x0 = x0,
        .x1 = vi_min(vi_add(x0, vi_set1(1)), x_limit),
        .y0 = y0,
        .x_weight = v_sub(x, v_from_int(x0)),
        .y_weight = v_sub(y, v_from_int(y0)),
    };
}

static inline Vector ISA(warp_mix)(const ISA(WarpPlace) * place, Vector top_left,
                                   Vector top_right, Vector bottom_left,
                                   Vector bottom_right)
{
    return ISA(lerp)(ISA(lerp)(top_left, top_right, place->x_weight),
                     ISA(lerp)(bottom_left, bottom_right, place->x_weight),
                     place->y_weight);
}

/* Pixels from anywhere. */
static void ISA(warp_gather)(const VfiWarpRow *row, const ISA(WarpPlace) * place,
                             float *dst, size_t dst_plane)
{
    VectorInt pitch = vi_set1(row->src_w), y_limit = vi_set1(row->src_h - 1);
    VectorInt top = vi_mul(place->y0, pitch);
    VectorInt bottom = vi_mul(vi_min(vi_add(place->y0, vi_set1(1)), y_limit), pitch);
    VectorInt top_left = vi_add(top, place->x0), top_right = vi_add(top, place->x1);
    VectorInt bottom_left = vi_add(bottom, place->x0);
    VectorInt bottom_right = vi_add(bottom, place->x1);
    const float *src = row->src;

    for (int c = 0; c < row->channels; c++) {
        v_store(dst,
                ISA(warp_mix)(place, v_gather(src, top_left), v_gather(src, top_right),
                              v_gather(src, bottom_left), v_gather(src, bottom_right)));
        src += row->src_plane;
        dst += dst_plane;
    }
}

/* Where all pixels lie near each other: two vectors a row, from column x on, of the
 * rows y, y+1 and, if any lane starts a row further down, y+2. Loads and permutes of
 * those are several times as fast as gathers. A split window has a place of its own for
 * either half of the lanes. */
typedef struct {
    int x[2], y[2];
    VectorInt left, right; /* columns less x: 0 … 2 * VECTOR_FLOATS - 1 */
    VectorInt lower;       /* rows less y: 0 or 1 */
    bool any_lower, is_split;
} ISA(WarpWindow);

/* Where a window starts so that pixels @span columns wide, the first at @first, lie in
 * its middle. */
static inline int ISA(window_start)(const VfiWarpRow *row, int first, float span)
{
    int start = first - (2 * VECTOR_FLOATS - 2 - (int)span) / 2;
    int last = row->src_w - 2 * VECTOR_FLOATS;

    return start < 0 ? 0 : start > last ? last : start;
}

/* Whether all lanes are in the window once x and the rows of the first lanes are set. */
static inline bool ISA(fit_window)(const ISA(WarpPlace) * place, ISA(WarpWindow) * window)
{
    const int half = VECTOR_FLOATS / 2;
    VectorInt x = vi_halves(vi_set1(window->x[0]), vi_set1(window->x[1]));
    VectorInt y = vi_halves(vi_set1(window->y[0]), vi_set1(window->y[1]));
    /* The first lane may be in the upper row or in the lower one. */
    unsigned above = vi_signs(vi_sub(place->y0, y));
    unsigned above0 = above & ((1u << half) - 1), above1 = above >> half;

    window->y[0] -= window->is_split ? above0 != 0 : above != 0;
    window->y[1] -= window->is_split ? above1 != 0 : above != 0;
    y = vi_halves(vi_set1(window->y[0]), vi_set1(window->y[1]));
    window->left = vi_sub(place->x0, x);
    window->right = vi_sub(place->x1, x);
    window->lower = vi_sub(place->y0, y);
    window->any_lower = vi_any_bits(window->lower, 1);
    return !vi_any_bits(vi_or(window->left, window->right), -2 * VECTOR_FLOATS) &&
           !vi_any_bits(window->lower, -2);
}

static inline bool ISA(find_window)(const VfiWarpRow *row, int i,
                                    const ISA(WarpPlace) * place,
                                    ISA(WarpWindow) * window)
{
    const int half = VECTOR_FLOATS / 2;
    const float *x = row->x + i;

    if (row->src_w < 2 * VECTOR_FLOATS)
        return false;
    int first = vi_first(place->x0), middle = vi_middle(place->x0);
    window->x[0] = window->x[1] =
        ISA(window_start)(row, first, x[VECTOR_FLOATS - 1] - x[0]);
    window->y[0] = window->y[1] = vi_first(place->y0);
    window->is_split = false;
    if (ISA(fit_window)(place, window))
        return true;
    window->x[0] = ISA(window_start)(row, first, x[half - 1] - x[0]);
    window->x[1] = ISA(window_start)(row, middle, x[VECTOR_FLOATS - 1] - x[half]);
    window->y[0] = vi_first(place->y0);
    window->y[1] = vi_middle(place->y0);
    window->is_split = true;
    return ISA(fit_window)(place, window);
}

typedef struct {
    Vector top_left, top_right, bottom_left, bottom_right;
} ISA(WarpCorners);

/* The pixels around each lane's place in the window's part @part. */
static inline ISA(WarpCorners)
    ISA(warp_corners)(const VfiWarpRow *row, const ISA(WarpWindow) * window, int part,
                      const float *src)
{
    size_t pitch = (size_t)row->src_w;
    int y = window->y[part];
    size_t below = y + 1 < row->src_h ? pitch : 0;
    size_t lowest = below + (y + 2 < row->src_h ? pitch : 0);
    size_t next = lowest + (y + 3 < row->src_h ? pitch : 0);
    VectorInt left = window->left, right = window->right, lower = window->lower;
    ISA(WarpCorners) at;

    src += (size_t)y * pitch + (size_t)window->x[part];
    /* The next row of the result will want it: rows are too far apart for the CPU to
     * see. */
    v_prefetch(src + next);
    Vector low = v_load(src), high = v_load(src + VECTOR_FLOATS);
    at.top_left = v_permute2(low, high, left);
    at.top_right = v_permute2(low, high, right);
    low = v_load(src + below);
    high = v_load(src + below + VECTOR_FLOATS);
    at.bottom_left = v_permute2(low, high, left);
    at.bottom_right = v_permute2(low, high, right);
    if (window->any_lower) {
        low = v_load(src + lowest);
        high = v_load(src + lowest + VECTOR_FLOATS);
        at.top_left = v_pick(lower, at.top_left, at.bottom_left);
        at.top_right = v_pick(lower, at.top_right, at.bottom_right);
        at.bottom_left = v_pick(lower, at.bottom_left, v_permute2(low, high, left));
        at.bottom_right = v_pick(lower, at.bottom_right, v_permute2(low, high, right));
    }
    return at;
}

static inline void ISA(warp_from_window)(const VfiWarpRow *row,
                                         const ISA(WarpPlace) * place,
                                         const ISA(WarpWindow) * window, float *dst,
                                         size_t dst_plane)
{
    const float *src = row->src;

    for (int c = 0; c < row->channels; c++) {
        ISA(WarpCorners) at = ISA(warp_corners)(row, window, 0, src);
        if (window->is_split) {
            ISA(WarpCorners) other = ISA(warp_corners)(row, window, 1, src);
            at.top_left = v_halves(at.top_left, other.top_left);
            at.top_right = v_halves(at.top_right, other.top_right);
            at.bottom_left = v_halves(at.bottom_left, other.bottom_left);
            at.bottom_right = v_halves(at.bottom_right, other.bottom_right);
        }
        v_store(dst, ISA(warp_mix)(place, at.top_left, at.top_right, at.bottom_left,
                                   at.bottom_right));
        src += row->src_plane;
        dst += dst_plane;
    }
}

/* VECTOR_FLOATS pixels from the @i-th on, into @dst, planes @dst_plane apart. Both ways
 * give the same bits. */
static inline void ISA(warp_vector)(const VfiWarpRow *row, int i, float *dst,
                                    size_t dst_plane)
{
    ISA(WarpPlace) place = ISA(warp_place)(row, i);
    ISA(WarpWindow) window;

    if (ISA(find_window)(row, i, &place, &window))
        ISA(warp_from_window)(row, &place, &window, dst, dst_plane);
    else
        ISA(warp_gather)(row, &place, dst, dst_plane);
}

/* Fewer pixels than a vector holds, channel by channel through a full vector that repeats
 * the last pixel. */
static void ISA(warp_tail)(const VfiWarpRow *row, int i)
{
    int n = row->n - i;
    float x[VECTOR_FLOATS], flow_x[VECTOR_FLOATS], flow_y[VECTOR_FLOATS];
    float pixels[VECTOR_FLOATS];
    VfiWarpRow tail = *row;

    for (int lane = 0; lane < VECTOR_FLOATS; lane++) {
        int from = i + (lane < n ? lane : n - 1);
        x[lane] = row->x[from];
        flow_x[lane] = row->flow_x[from];
        flow_y[lane] = row->flow_y[from];
    }
    tail.x = x;
    tail.flow_x = flow_x;
    tail.flow_y = flow_y;
    tail.channels = 1;
    for (int c = 0; c < row->channels; c++) {
        tail.src = row->src + (size_t)c * row->src_plane;
        ISA(warp_vector)(&tail, 0, pixels, 0);
        memcpy(row->dst + (size_t)c * row->dst_plane + i, pixels,
               (size_t)n * sizeof(float));
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

/* VECTOR_FLOATS pixels or fewer, from the @i-th on: where each of them reads. */
typedef struct {
    ptrdiff_t top_left[VECTOR_FLOATS], bottom_left[VECTOR_FLOATS]; /* floats */
    ptrdiff_t right[VECTOR_FLOATS]; /* from there to the pixel on the right */
    float x_weight[VECTOR_FLOATS], y_weight[VECTOR_FLOATS];
} ISA(WarpPixels);

static void ISA(find_warp_pixels)(const VfiWarpBlocks *w, int i, ISA(WarpPixels) * at)
{
    float x[VECTOR_FLOATS], flow_x[VECTOR_FLOATS], flow_y[VECTOR_FLOATS];
    int x0[VECTOR_FLOATS], x1[VECTOR_FLOATS], y0[VECTOR_FLOATS];
    VfiWarpRow row = {.x = x,
                      .flow_x = flow_x,
                      .flow_y = flow_y,
                      .src_w = w->src_w,
                      .src_h = w->src_h,
                      .y = w->y};

    for (int lane = 0; lane < VECTOR_FLOATS; lane++) {
        int from = i + lane < w->n ? i + lane : w->n - 1;
        x[lane] = (float)(w->x + from);
        flow_x[lane] = w->flow_x[from];
        flow_y[lane] = w->flow_y[from];
    }
    ISA(WarpPlace) place = ISA(warp_place)(&row, 0);
    memcpy(x0, &place.x0, sizeof x0);
    memcpy(x1, &place.x1, sizeof x1);
    memcpy(y0, &place.y0, sizeof y0);
    v_store(at->x_weight, place.x_weight);
    v_store(at->y_weight, place.y_weight);
    for (int lane = 0; lane < VECTOR_FLOATS; lane++) {
        ptrdiff_t pitch = w->src_w;
        ptrdiff_t top = y0[lane] * pitch + x0[lane];
        at->top_left[lane] = top * VECTOR_FLOATS;
        at->bottom_left[lane] =
            (y0[lane] < w->src_h - 1 ? top + pitch : top) * VECTOR_FLOATS;
        at->right[lane] = (ptrdiff_t)(x1[lane] - x0[lane]) * VECTOR_FLOATS;
    }
}

static void ISA(warp_blocks)(const VfiWarpBlocks *w)
{
    for (int i = 0; i < w->n; i += VECTOR_FLOATS) {
        int n = w->n - i < VECTOR_FLOATS ? w->n - i : VECTOR_FLOATS;
        ISA(WarpPixels) at;
        ISA(find_warp_pixels)(w, i, &at);
        for (int b = 0; b < w->blocks; b++) {
            const float *src = w->src + (size_t)b * w->src_plane;
            float *dst = w->dst + (size_t)b * w->dst_plane + (size_t)i * VECTOR_FLOATS;
            for (int lane = 0; lane < n; lane++) {
                const float *top = src + at.top_left[lane];
                const float *bottom = src + at.bottom_left[lane];
                ptrdiff_t right = at.right[lane];
                Vector x_weight = v_set1(at.x_weight[lane]);
                Vector upper = ISA(lerp)(v_load(top), v_load(top + right), x_weight);
                Vector lower =
                    ISA(lerp)(v_load(bottom), v_load(bottom + right), x_weight);
                v_store(dst + (ptrdiff_t)lane * VECTOR_FLOATS,
                        ISA(lerp)(upper, lower, v_set1(at.y_weight[lane])));
            }
        }
    }
}

static void ISA(fill_resample)(VfiCpuKernels *kernels)
{
    kernels->resize_row = ISA(resize_row);
    kernels->stretch_row = ISA(stretch_row);
    kernels->warp_row = ISA(warp_row);
    kernels->warp_blocks = ISA(warp_blocks);
}
