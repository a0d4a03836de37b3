/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's types as another version may have them, most fields missing or renamed:
 * gdb_printers.py asks that the printers leave out what there is not. */
typedef struct {
    int channels, h;
} VfiShape;

typedef struct {
    VfiShape shape;
} VfiOperand;

typedef struct {
    int n_src;
    VfiOperand result;
    union {
        int scalar;
    } other;
} VfiOp;

typedef struct {
    int first_op;
} VfiPlanSegment;

typedef struct {
    VfiPlanSegment *segments;
    int n_segments, n_ops;
} VfiPlan;

void stop_with(const VfiPlan *plan, const VfiOp *op);

__attribute__((noinline)) void stop_with(const VfiPlan *plan, const VfiOp *op)
{
    __asm__ volatile("" ::"r"(plan), "r"(op) : "memory");
}

int main(void)
{
    VfiPlanSegment segment = {7};
    VfiPlan plan = {&segment, 1, 3};
    VfiOp op = {1, {{2, 4}}, {0}};

    stop_with(&plan, &op);
    return 0;
}
