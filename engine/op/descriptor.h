/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a kind of op is like: the one place that knows it besides its kernels. The
 * graph, the planner, the backends, estimates, profiles and tests ask here and never by
 * kind. */
#pragma once

#include <glib.h>

#include "op/op.h"

/* How a source is read to compute one pixel of the result. */
typedef enum {
    VFI_READS_PIXEL,    /* the same place, or those under it of a picture 2ⁿ larger */
    VFI_READS_HALO,     /* a neighbourhood that the parameters give */
    VFI_READS_ANYWHERE, /* by coordinates: of another source, or of another size */
    VFI_READS_WHOLE,    /* all of it */
} VfiReading;

/* Layouts that an operand may have; of VfiOperand, flags. */
enum {
    VFI_LAYOUT_PLANAR = 1 << 0,
    VFI_LAYOUT_BLOCKS = 1 << 1, /* NCHWc */
    VFI_LAYOUT_CHANNELS_LAST = 1 << 2,
    VFI_LAYOUT_ALL = VFI_LAYOUT_PLANAR | VFI_LAYOUT_BLOCKS | VFI_LAYOUT_CHANNELS_LAST,
    /* Results only: the layout of the first source, whichever of the above that is. */
    VFI_LAYOUT_LIKE_SOURCE = 1 << 3,
    /* On targets with f16: that instead of f32, where it is not planar; … */
    VFI_LAYOUT_HALF = 1 << 4,
    VFI_LAYOUT_HALF_PLANES = 1 << 5, /* … where it is */
};

typedef struct {
    VfiReading reading;
    unsigned layouts;
    bool in_place; /* the result may lie on it, where this source has its size */
} VfiSourceRule;

/* An array that an op's parameters point to. */
typedef struct {
    const char *name;
    size_t place; /* of the pointer, in VfiOpParams */
    size_t n;     /* floats */
    bool is_optional;
} VfiOpArray;

#define VFI_OP_MAX_ARRAYS 3

/* Where @params point to @array. */
static inline const float **vfi_op_array(VfiOpParams *params, const VfiOpArray *array)
{
    return (const float **)(void *)((char *)params + array->place);
}

/* How near to one another results are that different code computed. */
typedef enum {
    VFI_TOLERANCE_EXACT, /* equal but for NaN's bits, the sign of zero, and denormals */
    VFI_TOLERANCE_ROUNDING, /* a few roundings: 1e-6 of the largest value involved */
    VFI_TOLERANCE_SUMS,     /* of the largest |result|: 4e-5, and 6e-6 rms (Winograd's) */
} VfiTolerance;

/* What sources hold in a test. */
typedef enum {
    VFI_VALUES_RANDOM,  /* in [-1, 1) * scale */
    VFI_VALUES_EXTREME, /* the same with NaN, infinities, zeros of both signs, denormals
                         * and huge values strewn in */
} VfiCaseValues;

/* One op for the test runner to try. The runner makes the arrays that .arrays of the
 * descriptor names, in [-1, 1), but for those whose bits are set in @without. */
typedef struct {
    VfiShape src[VFI_OP_MAX_SOURCES]; /* as many as have channels */
    VfiOpParams params;               /* without its arrays */
    unsigned without;
    VfiNoiseInputs noise; /* what the run is given */
    VfiCaseValues values;
    float scale[VFI_OP_MAX_SOURCES];  /* 0: 1 */
    float offset[VFI_OP_MAX_SOURCES]; /* added to values that are not extreme */
} VfiOpCase;

typedef struct {
    int min_sources, max_sources;
    VfiSourceRule source[VFI_OP_MAX_SOURCES];
    unsigned result;   /* layouts */
    bool whole_blocks; /* results in blocks have as many channels as fill them */
    /* May be computed row by row together with others (VfiRowGroup in plan.h). */
    bool row_local;
    bool gives_scalar; /* to the host, by u.max_abs.scalar; there is no other result */

    /* Shape of the result, from the sources' and the parameters (not their arrays), or
     * what is wrong with those. Asked by vfi_op_infer() alone, which has checked the
     * sources' number. */
    bool (*infer)(const VfiOp *op, VfiShape *result, GError **error);
    /* Optional, where .source and .row_local do not say it for all ops of the kind: how
     * source @i is read; the pictures whose rows the op is computed by, 0×0 if it is
     * not (else those are the result's size). Sources' and result's shapes are known. */
    VfiReading (*reading)(const VfiOp *op, int i);
    VfiShape (*picture)(const VfiOp *op);
    /* Multiply-accumulates; NULL: none that count. */
    double (*macs)(const VfiOp *op);
    /* Lists the arrays of @op, once shapes are known, and returns their number. NULL:
     * none. */
    int (*arrays)(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS]);

    VfiTolerance tolerance;
    const VfiOpCase *cases;
    int n_cases;
} VfiOpDescriptor;

#define VFI_OP_DESCRIPTOR(SUFFIX, identifier)                                            \
    extern const VfiOpDescriptor vfi_op_##identifier;
VFI_OP_LIST(VFI_OP_DESCRIPTOR)
#undef VFI_OP_DESCRIPTOR

/* Of a kind below VFI_OP_KIND_COUNT. */
const VfiOpDescriptor *vfi_op_descriptor(VfiOpKind kind);

/* Sets *result to the shape of what @op gives: its kind, n_src, sources' shapes and
 * parameters are set. False with VFI_ERROR_UNSUPPORTED, which names the op, the shapes
 * and what was expected. */
bool vfi_op_infer(const VfiOp *op, VfiShape *result, GError **error);

/* Whether a placed op is sound, so that kernels need no checks: operands, result and
 * parameters fit each other and have layouts of the descriptor's, where @blocked
 * (VFI_LAYOUT_BLOCKS or VFI_LAYOUT_CHANNELS_LAST) says what operands with blocks are.
 * Results of ops in row groups may be channels last in any case. Else false with
 * VFI_ERROR_UNSUPPORTED. */
bool vfi_op_check(const VfiOp *op, unsigned blocked, GError **error);

/* The following want the kind, n_src, the parameters and all shapes. */

/* How source @i is read. */
VfiReading vfi_op_reading(const VfiOp *op, int i);

/* Whether source @i is read elsewhere than in the rows that are computed. */
static inline bool vfi_op_reads_beyond_rows(const VfiOp *op, int i)
{
    return vfi_op_reading(op, i) != VFI_READS_PIXEL;
}

/* The size of the pictures on which @op is computed row by row; 0×0 if it is not. */
VfiShape vfi_op_picture(const VfiOp *op);

double vfi_op_macs(const VfiOp *op);

/* Whether the result is laid out as the first source: all channels of a pixel are treated
 * alike. */
bool vfi_op_moves_pixels(VfiOpKind kind);

/* Index of the scalar that @op gives the host; -1 if it gives none. */
int vfi_op_scalar(const VfiOp *op);

/* Lists the arrays of @op; returns their number. */
int vfi_op_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS]);

/* The op of a case: everything but memory and arrays. */
bool vfi_op_of_case(VfiOp *op, VfiOpKind kind, const VfiOpCase *test, GError **error);

/* For descriptors: sets the error "KIND 'NAME' of SHAPES: …" and returns false. */
bool vfi_op_refuse(const VfiOp *op, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* For descriptors: the result has the first source's shape. */
bool vfi_op_infer_same(const VfiOp *op, VfiShape *result, GError **error);
