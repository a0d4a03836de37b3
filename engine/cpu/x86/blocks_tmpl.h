/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Epilogue and change of layout of channel blocks, for any vector width. */

/* Bias, residual and activation of one pixel's channel block; @residual may be NULL where
 * @place is NONE. The zero comes first: minimum and maximum then pass NaN on. */
static inline __attribute__((always_inline)) Vector ISA(finish)(Vector x, Vector bias,
                                                                Vector slope,
                                                                const float *residual,
                                                                const VfiResidual place)
{
    x = v_add(x, bias);
    if (place == VFI_RESIDUAL_BEFORE_ACTIVATION)
        x = v_add(x, v_load(residual));
    x = v_fma(slope, v_min(v_zero(), x), v_max(v_zero(), x));
    if (place == VFI_RESIDUAL_AFTER_ACTIVATION)
        x = v_add(x, v_load(residual));
    return x;
}

static inline __attribute__((always_inline)) void
ISA(epilogue_pixels_with)(const VfiEpiloguePixels *e, const VfiResidual place)
{
    Vector bias = v_load(e->epilogue.bias), slope = v_load(e->epilogue.slope);
    const float *residual = e->residual;

    for (int i = 0; i < e->n; i++) {
        size_t at = (size_t)i * e->pixel_pitch;
        Vector x = v_load(e->acc + (size_t)i * e->acc_pitch);
        v_store(e->dst + at,
                ISA(finish)(x, bias, slope,
                            place == VFI_RESIDUAL_NONE ? NULL : residual + at, place));
    }
}

static void ISA(epilogue_pixels)(const VfiEpiloguePixels *e)
{
    switch (e->epilogue.residual_place) {
    case VFI_RESIDUAL_NONE:
        ISA(epilogue_pixels_with)(e, VFI_RESIDUAL_NONE);
        break;
    case VFI_RESIDUAL_BEFORE_ACTIVATION:
        ISA(epilogue_pixels_with)(e, VFI_RESIDUAL_BEFORE_ACTIVATION);
        break;
    case VFI_RESIDUAL_AFTER_ACTIVATION:
        ISA(epilogue_pixels_with)(e, VFI_RESIDUAL_AFTER_ACTIVATION);
        break;
    }
}

/* VECTOR_FLOATS pixels from the @i-th on as a square of lanes, channels then in rows. */
static inline void ISA(unblock_square)(const VfiUnblockRow *row, int i, Vector *square)
{
    for (int k = 0; k < VECTOR_FLOATS; k++) {
        int x = row->x_begin + (i + k) * row->stride;
        bool inside = row->src != NULL && i + k < row->n && x >= 0 && x < row->w;
        square[k] = inside ? v_load(row->src + (ptrdiff_t)x * VECTOR_FLOATS) : v_zero();
    }
    ISA(transpose)(square);
}

static void ISA(unblock_row)(const VfiUnblockRow *row)
{
    Vector square[VECTOR_FLOATS];
    int i = 0;

    for (; i + VECTOR_FLOATS <= row->n; i += VECTOR_FLOATS) {
        ISA(unblock_square)(row, i, square);
        for (int c = 0; c < row->channels; c++)
            v_store(row->dst + (size_t)c * row->dst_pitch + i, square[c]);
    }
    if (i == row->n)
        return;
    ISA(unblock_square)(row, i, square);
    for (int c = 0; c < row->channels; c++)
        memcpy(row->dst + (size_t)c * row->dst_pitch + i, &square[c],
               (size_t)(row->n - i) * sizeof(float));
}

static void ISA(block_row)(const VfiBlockRow *row)
{
    for (int x = 0; x < row->w; x += VECTOR_FLOATS) {
        int n = row->w - x < VECTOR_FLOATS ? row->w - x : VECTOR_FLOATS;
        Vector square[VECTOR_FLOATS];
        for (int c = 0; c < VECTOR_FLOATS; c++) {
            square[c] = v_zero();
            if (c < row->channels && n == VECTOR_FLOATS)
                square[c] = v_load(row->src + (size_t)c * row->src_pitch + x);
            else if (c < row->channels)
                memcpy(&square[c], row->src + (size_t)c * row->src_pitch + x,
                       (size_t)n * sizeof(float));
        }
        ISA(transpose)(square);
        for (int i = 0; i < n; i++)
            v_store(row->dst + (ptrdiff_t)(x + i) * VECTOR_FLOATS, square[i]);
    }
}

static void ISA(fill_blocks)(VfiCpuKernels *kernels)
{
    kernels->epilogue_pixels = ISA(epilogue_pixels);
    kernels->unblock_row = ISA(unblock_row);
    kernels->block_row = ISA(block_row);
}
