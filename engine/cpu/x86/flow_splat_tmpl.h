/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The splat of `flow`, for any vector width. */

/* 0, 1, 2 …. */
static const int32_t ISA(lanes)[VECTOR_FLOATS] = {
    0, 1, 2,  3,  4,  5,  6,  7,
#if VECTOR_FLOATS == 16
    8, 9, 10, 11, 12, 13, 14, 15,
#endif
};

/* Where vectors land: upper left samples, and their shares of the four. */
typedef struct {
    VectorInt column, line;
    Vector share[2][2]; /* [below][right] */
    Vector x, y;
} ISA(Landing);

static inline Vector ISA(clamp_landing)(Vector x, float limit)
{
    return v_min(v_max(x, v_set1(-2.0f)), v_set1(limit));
}

static inline ISA(Landing) ISA(land)(const VfiFlowSplatRow *row, int i)
{
    Vector flow_x = v_load(row->x + i), flow_y = v_load(row->y + i);
    Vector weight = v_load(row->weight + i), sign = v_set1(row->sign);
    Vector at = v_from_int(vi_add(vi_load(ISA(lanes)), vi_set1(i))), t = v_set1(row->t);
    Vector x = ISA(clamp_landing)(v_fma(t, flow_x, at), (float)row->w + 1.0f);
    Vector y = ISA(clamp_landing)(v_fma(t, flow_y, v_set1((float)row->source_y)),
                                  (float)row->h + 1.0f);
    Vector column = v_floor(x), line = v_floor(y);
    Vector right = v_sub(x, column);
    Vector below = v_mul(weight, v_sub(y, line)), above = v_sub(weight, below);
    Vector above_right = v_mul(above, right), below_right = v_mul(below, right);

    return (ISA(Landing)){
        .column = vi_truncate(column),
        .line = vi_truncate(line),
        .share = {{v_sub(above, above_right), above_right},
                  {v_sub(below, below_right), below_right}},
        .x = v_mul(sign, flow_x),
        .y = v_mul(sign, flow_y),
    };
}

/* Whether all lanes land side by side in one row: what becomes of each then depends on
 * the row's own vectors alone, not on which rows are wanted. */
static inline bool ISA(lands_in_a_run)(const VfiFlowSplatRow *row,
                                       const ISA(Landing) * landing)
{
    int column = vi_first(landing->column), line = vi_first(landing->line);
    VectorInt from_run =
        vi_sub(landing->column, vi_add(vi_load(ISA(lanes)), vi_set1(column)));
    VectorInt from_line = vi_sub(landing->line, vi_set1(line));

    return column >= 0 && column < row->w - VECTOR_FLOATS &&
           !vi_any_bits(vi_or(from_run, from_line), -1);
}

static inline void ISA(add_run)(float *dst, Vector left, Vector right)
{
    v_store(dst, v_add(v_load(dst), v_add(left, v_shift_in(v_zero(), right))));
    dst[VECTOR_FLOATS] += v_last(right);
}

static inline void ISA(splat_run)(const VfiFlowSplatRow *row,
                                  const ISA(Landing) * landing)
{
    int line = vi_first(landing->line);

    for (int below = 0; below < 2; below++, line++) {
        Vector left = landing->share[below][0], right = landing->share[below][1];
        if (line < row->begin || line >= row->end)
            continue;
        ptrdiff_t at = line * (ptrdiff_t)row->sum_row + vi_first(landing->column);
        ISA(add_run)(row->sum_weight + at, left, right);
        ISA(add_run)(row->sum_x + at, v_mul(left, landing->x), v_mul(right, landing->x));
        ISA(add_run)(row->sum_y + at, v_mul(left, landing->y), v_mul(right, landing->y));
    }
}

static inline void ISA(add_share)(const VfiFlowSplatRow *row, int column, int line,
                                  float share, float x, float y)
{
    if (column < 0 || column >= row->w || line < row->begin || line >= row->end)
        return;
    ptrdiff_t at = line * (ptrdiff_t)row->sum_row + column;
    row->sum_weight[at] += share;
    row->sum_x[at] += share * x;
    row->sum_y[at] += share * y;
}

/* The first @n lanes, one by one. */
static void ISA(splat_lanes)(const VfiFlowSplatRow *row, const ISA(Landing) * landing,
                             int n)
{
    int32_t column[VECTOR_FLOATS], line[VECTOR_FLOATS];
    float share[2][2][VECTOR_FLOATS], x[VECTOR_FLOATS], y[VECTOR_FLOATS];

    memcpy(column, &landing->column, sizeof column);
    memcpy(line, &landing->line, sizeof line);
    memcpy(share, landing->share, sizeof share);
    v_store(x, landing->x);
    v_store(y, landing->y);
    for (int i = 0; i < n; i++)
        for (int below = 0; below < 2; below++) {
            ISA(add_share)
            (row, column[i], line[i] + below, share[below][0][i], x[i], y[i]);
            ISA(add_share)
            (row, column[i] + 1, line[i] + below, share[below][1][i], x[i], y[i]);
        }
}

static void ISA(flow_splat)(const VfiFlowSplatRow *row)
{
    for (int i = 0; i < row->w; i += VECTOR_FLOATS) {
        int n = row->w - i < VECTOR_FLOATS ? row->w - i : VECTOR_FLOATS;
        ISA(Landing) landing = ISA(land)(row, i);
        if (n == VECTOR_FLOATS && ISA(lands_in_a_run)(row, &landing))
            ISA(splat_run)(row, &landing);
        else
            ISA(splat_lanes)(row, &landing, n);
    }
}
