/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels of normalisation, and the activations that follow it, like those of
 * elementwise_tmpl.h and included after it: plain C in a form that compilers turn into
 * vectors, the same bits at every level. What is written goes through an array of
 * VFI_LANES floats, a vector or two: so it may lie where it was read. */

/* Of x, the magnitude of which is at most @limit; NaN stays. */
static inline float ISA(limited)(float x, float limit)
{
    x = x < -limit ? -limit : x;
    return x > limit ? limit : x;
}

/* x / (1 + exp(-x)). Below the least argument of exp() it is as good as zero, which it
 * tends to. */
static inline float ISA(silu_of)(float x)
{
    float y = x / (1.0f + ISA(exp)(-ISA(limited)(x, 87.0f)));

    return x < -87.0f ? 0.0f : y;
}

/* x * Φ(x). Φ(-|x|) = erfc(|x| / sqrt(2)) / 2 by formula 7.1.26 of Abramowitz and Stegun,
 * to 1e-7. */
static inline float ISA(gelu_of)(float x)
{
    float z = ISA(limited)(x < 0.0f ? -x : x, 13.0f);
    float t = 1.0f / (1.0f + 0.231641888f * z);
    float p = 0.5307027145f;

    p = p * t - 0.726576014f;
    p = p * t + 0.7107068705f;
    p = p * t - 0.142248368f;
    p = p * t + 0.127414796f;
    float tail = p * t * ISA(exp)(-0.5f * z * z);
    float y = x * (x < 0.0f ? tail : 1.0f - tail);
    return x < -13.0f ? 0.0f : y;
}

static void ISA(silu)(float *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = ISA(silu_of)(src[i]);
}

static void ISA(gelu)(float *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = ISA(gelu_of)(src[i]);
}

static inline __attribute__((always_inline)) float
ISA(ended)(float x, const VfiActivationKind activation, float leak)
{
    switch (activation) {
    case VFI_ACTIVATION_LEAKY:
        return x < 0.0f ? x * leak : x;
    case VFI_ACTIVATION_SILU:
        return ISA(silu_of)(x);
    case VFI_ACTIVATION_GELU:
        return ISA(gelu_of)(x);
    case VFI_ACTIVATION_NONE:
    case VFI_ACTIVATION_PRELU:
    case VFI_ACTIVATION_SIGMOID:
        break;
    }
    return x;
}

static inline __attribute__((always_inline)) void
ISA(scale_shift_with)(const VfiScaleShiftRun *run, const VfiActivationKind activation)
{
    const float *factor = run->factor, *addend = run->addend;
    float leak = run->leak;
    size_t i = 0;

    for (; i + VFI_LANES <= run->n; i += VFI_LANES) {
        float x[VFI_LANES];
        memcpy(x, run->src + i, sizeof x);
        for (size_t l = 0; l < VFI_LANES; l++)
            x[l] = ISA(ended)(x[l] * factor[l] + addend[l], activation, leak);
        memcpy(run->dst + i, x, sizeof x);
    }
    for (size_t l = 0; i < run->n; i++, l++)
        run->dst[i] = ISA(ended)(run->src[i] * factor[l] + addend[l], activation, leak);
}

static void ISA(scale_shift)(const VfiScaleShiftRun *run)
{
    switch (run->activation) {
    case VFI_ACTIVATION_LEAKY:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_LEAKY);
        break;
    case VFI_ACTIVATION_SILU:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_SILU);
        break;
    case VFI_ACTIVATION_GELU:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_GELU);
        break;
    case VFI_ACTIVATION_NONE:
    case VFI_ACTIVATION_PRELU:
    case VFI_ACTIVATION_SIGMOID:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_NONE);
        break;
    }
}

static void ISA(moments)(const VfiMomentsRun *run)
{
    double sum[VFI_LANES], square[VFI_LANES];
    const float *src = run->src;
    size_t i = 0;

    memcpy(sum, run->sum, sizeof sum);
    memcpy(square, run->square, sizeof square);
    for (; i + VFI_LANES <= run->n; i += VFI_LANES)
        for (size_t l = 0; l < VFI_LANES; l++) {
            double x = (double)src[i + l];
            sum[l] += x;
            square[l] += x * x;
        }
    for (size_t l = 0; i < run->n; i++, l++) {
        double x = (double)src[i];
        sum[l] += x;
        square[l] += x * x;
    }
    memcpy(run->sum, sum, sizeof sum);
    memcpy(run->square, square, sizeof square);
}

static inline __attribute__((always_inline)) void
ISA(add_deviations_of)(float *squares, const VfiLayerNormRun *run, const size_t block)
{
    for (size_t i = 0; i < run->n; i++) {
        const float *src = run->src + i * block;
        float *sum = squares + i * block;
        float mean = run->mean[i];
        for (size_t c = 0; c < block; c++) {
            float off = src[c] - mean;
            sum[c] += off * off;
        }
    }
}

static void ISA(add_deviations)(float *squares, const VfiLayerNormRun *run)
{
    if (run->block == 1)
        ISA(add_deviations_of)(squares, run, 1);
    else if (run->block == 8)
        ISA(add_deviations_of)(squares, run, 8);
    else
        ISA(add_deviations_of)(squares, run, 16);
}

static inline __attribute__((always_inline)) void
ISA(layer_norm_of)(const VfiLayerNormRun *run, const size_t block)
{
    const float *weight = run->weight, *bias = run->bias;

    for (size_t i = 0; i < run->n; i++) {
        float x[VFI_LANES];
        float mean = run->mean[i], factor = run->factor[i];
        memcpy(x, run->src + i * block, block * sizeof *x);
        for (size_t c = 0; c < block; c++)
            x[c] = (x[c] - mean) * factor * weight[c] + bias[c];
        memcpy(run->dst + i * block, x, block * sizeof *x);
    }
}

static void ISA(layer_norm)(const VfiLayerNormRun *run)
{
    if (run->block == 8)
        ISA(layer_norm_of)(run, 8);
    else if (run->block == 16)
        ISA(layer_norm_of)(run, 16);
    else
        for (size_t i = 0; i < run->n; i++)
            run->dst[i] = (run->src[i] - run->mean[i]) * run->factor[i] * run->weight[0] +
                          run->bias[0];
}

static void ISA(fill_norm)(VfiCpuKernels *kernels)
{
    kernels->silu = ISA(silu);
    kernels->gelu = ISA(gelu);
    kernels->scale_shift = ISA(scale_shift);
    kernels->moments = ISA(moments);
    kernels->add_deviations = ISA(add_deviations);
    kernels->layer_norm = ISA(layer_norm);
}
