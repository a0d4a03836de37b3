/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Brownian bridge between latents with a blank frame in the middle (step 999) and
 * those with the in-between there (step 0): section 3 of the paper, and Li et al., "BBDM:
 * Image-to-Image Translation with Brownian Bridge Diffusion Models", CVPR 2023, of which
 * steps are left out. */
#include "models/tlbvfi.h"

#include <math.h>

#define STEPS 1000

/* How much of a state is the bridge's end, 0.001 … 0.999: f32 like upstream's table. */
static double end_share(int step)
{
    return (double)(float)(0.001 + (0.999 - 0.001) * step / (STEPS - 1));
}

static double variance(int step)
{
    double m = 0.001 + (0.999 - 0.001) * step / (STEPS - 1);

    return (double)(float)(2.0 * (m - m * m));
}

/* 999 down in even steps, then 1 and 0. */
static int step_of_round(unsigned n_steps, unsigned round)
{
    unsigned even = n_steps - 2;

    if (round >= even)
        return round == even ? 1 : 0;
    return (int)(float)(STEPS - 1 - (STEPS - 1) * ((double)round / even));
}

VfiTlbvfiStep vfi_tlbvfi_step(unsigned n_steps, unsigned round, double eta)
{
    int step = step_of_round(n_steps, round);

    /* What the denoiser finds is the difference to the end. */
    if (step == 0)
        return (VfiTlbvfiStep){.step = 0, .weight = {1.0, -1.0, 0.0, 0.0}};
    int next = step_of_round(n_steps, round + 1);
    double m = end_share(step), m_next = end_share(next);
    double v = variance(step), v_next = variance(next);
    double ratio = (1.0 - m) / (1.0 - m_next);
    double noise = (v - v_next * ratio * ratio) * v_next / v;
    double kept = sqrt((v_next - noise) / v);

    return (VfiTlbvfiStep){
        .step = step,
        .weight = {1.0 - m_next + kept * m, kept * (1.0 - m) - (1.0 - m_next),
                   m_next - kept * m, eta * sqrt(noise)},
    };
}
