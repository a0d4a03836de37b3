/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far each vector is to be trusted. */
#include "cpu/flow/pass.h"

/* Columns that are done at once: their places lie on the stack. */
#define BLOCK 256

/* From @flow_x, @flow_y of row @y: dst = samples of @picture where they lead. To the
 * kernel a picture and its border are all one. */
static void warp_row(const VfiFlowWork *work, const VfiFlowPlane *picture, int y,
                     const float *flow_x, const float *flow_y, float *dst)
{
    float columns[BLOCK];
    VfiWarpRow row = {
        .src = vfi_work_row(work, picture, -VFI_FLOW_BORDER) - VFI_FLOW_LEAD,
        .x = columns,
        .channels = 1,
        .src_w = (int)picture->row,
        .src_h = picture->h + 2 * VFI_FLOW_BORDER,
        .y = y + VFI_FLOW_BORDER,
    };

    for (int x = 0; x < picture->w; x += BLOCK) {
        row.n = MIN(picture->w - x, BLOCK);
        for (int i = 0; i < row.n; i++)
            columns[i] = (float)(x + i + VFI_FLOW_LEAD);
        row.dst = dst + x;
        row.flow_x = flow_x + x;
        row.flow_y = flow_y + x;
        work->kernels->warp_row(&row);
    }
}

static VfiFlowArea residual_area(const VfiFlowStep *step)
{
    const VfiFlowPlane *plane = &step->u.residual.residual[0];

    return (VfiFlowArea){2, plane->h, plane->w};
}

static void residual_rows(const VfiFlowWork *work, int d, int begin, int end)
{
    const VfiFlowResidual *residual = &work->step->u.residual;
    size_t w = (size_t)residual->residual[d].w;

    for (int y = begin; y < end; y++) {
        float *dst = vfi_work_row(work, &residual->residual[d], y);
        warp_row(work, &residual->picture[1 - d], y,
                 vfi_work_row(work, &residual->flow[d][0], y),
                 vfi_work_row(work, &residual->flow[d][1], y), dst);
        work->kernels->flow.difference(dst, vfi_work_row(work, &residual->picture[d], y),
                                       w);
    }
}

static VfiFlowArea trust_area(const VfiFlowStep *step)
{
    const VfiFlowPlane *plane = &step->u.trust.weight[0];

    return (VfiFlowArea){2, plane->h, plane->w};
}

static void trust_rows(const VfiFlowWork *work, int d, int begin, int end)
{
    const VfiFlowTrust *trust = &work->step->u.trust;
    int h = trust->weight[d].h;
    VfiFlowTrustRow row = {
        .back_x = vfi_work_row(work, &trust->flow[1 - d][0], 0),
        .back_y = vfi_work_row(work, &trust->flow[1 - d][1], 0),
        .back_row = trust->flow[0][0].row,
        .w = trust->weight[d].w,
        .h = h,
        .falloff = trust->falloff,
        .disagreement = trust->disagreement,
    };

    for (int y = begin; y < end; y++) {
        for (int i = 0; i < 3; i++)
            row.residual[i] =
                vfi_work_row(work, &trust->residual[d], CLAMP(y + i - 1, 0, h - 1));
        row.x = vfi_work_row(work, &trust->flow[d][0], y);
        row.y = vfi_work_row(work, &trust->flow[d][1], y);
        row.line = y;
        work->kernels->flow.trust(vfi_work_row(work, &trust->weight[d], y), &row);
        work->kernels->flow.extent(row.y, row.w,
                                   vfi_work_row(work, &trust->extent[d], y));
    }
}

const VfiFlowPass vfi_flow_residual = {.area = residual_area, .rows = residual_rows};
const VfiFlowPass vfi_flow_trust = {.area = trust_area, .rows = trust_rows};
