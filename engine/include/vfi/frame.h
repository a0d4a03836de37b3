/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw video frames as the engine sees them: a format, a size, colour facts that hold for
 * a whole stream (VfiVideoInfo), and per frame the plane pointers (VfiFrame). */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Largest number of planes of a format. */
#define VFI_MAX_PLANES 4

/** Largest width or height accepted, in pixels. */
#define VFI_MAX_DIMENSION 16384

/**
 * Pixel formats with a direct path. Names, plane order and byte order are GStreamer's
 * (video-format documentation of gst-plugins-base; ARGB64 and AYUV64 have the host's byte
 * order); RGB_F32 is three f32 planes R, G, B in
 * [0,1], the form that embedders, benchmarks and reference vectors use.
 */
typedef enum {
    VFI_FORMAT_UNKNOWN,
    VFI_FORMAT_I420,
    VFI_FORMAT_YV12,
    VFI_FORMAT_NV12,
    VFI_FORMAT_NV21,
    VFI_FORMAT_Y42B,
    VFI_FORMAT_Y444,
    VFI_FORMAT_I420_10LE,
    VFI_FORMAT_P010_10LE,
    VFI_FORMAT_Y444_10LE,
    VFI_FORMAT_GRAY8,
    VFI_FORMAT_RGB,
    VFI_FORMAT_BGR,
    VFI_FORMAT_RGBX,
    VFI_FORMAT_XRGB,
    VFI_FORMAT_BGRX,
    VFI_FORMAT_XBGR,
    VFI_FORMAT_RGBA,
    VFI_FORMAT_ARGB,
    VFI_FORMAT_BGRA,
    VFI_FORMAT_ABGR,
    VFI_FORMAT_GBR,
    VFI_FORMAT_RGBP,
    VFI_FORMAT_NV16,
    VFI_FORMAT_NV24,
    VFI_FORMAT_I422_10LE,
    VFI_FORMAT_GBR_10LE,
    VFI_FORMAT_AYUV,
    VFI_FORMAT_VUYA,
    VFI_FORMAT_A420,
    VFI_FORMAT_AV12,
    VFI_FORMAT_GBRA,
    VFI_FORMAT_A420_10LE,
    VFI_FORMAT_A444_10LE,
    VFI_FORMAT_GBRA_10LE,
    VFI_FORMAT_I420_12LE,
    VFI_FORMAT_I422_12LE,
    VFI_FORMAT_Y444_12LE,
    VFI_FORMAT_Y444_16LE,
    VFI_FORMAT_P012_LE,
    VFI_FORMAT_P016_LE,
    VFI_FORMAT_GRAY16_LE,
    VFI_FORMAT_GBR_12LE,
    VFI_FORMAT_GBR_16LE,
    VFI_FORMAT_GBRA_12LE,
    VFI_FORMAT_A444_12LE,
    VFI_FORMAT_A444_16LE,
    VFI_FORMAT_Y412_LE,
    VFI_FORMAT_AYUV64,
    VFI_FORMAT_ARGB64,
    VFI_FORMAT_ARGB64_LE,
    VFI_FORMAT_RGBA64_LE,
    VFI_FORMAT_BGRA64_LE,
    VFI_FORMAT_ABGR64_LE,
    VFI_FORMAT_RGB_F32,
    VFI_FORMAT_COUNT
} VfiFormat;

/** YCbCr matrix; ignored for RGB formats. UNKNOWN is taken as BT601 below 720 lines, else
 * BT709. */
typedef enum {
    VFI_MATRIX_UNKNOWN,
    VFI_MATRIX_BT601,
    VFI_MATRIX_BT709,
    VFI_MATRIX_BT2020,
    VFI_MATRIX_SMPTE240M,
    VFI_MATRIX_FCC,
} VfiMatrix;

/** Code range. UNKNOWN is limited for YCbCr and full for RGB and grey. */
typedef enum {
    VFI_RANGE_UNKNOWN,
    VFI_RANGE_LIMITED,
    VFI_RANGE_FULL,
} VfiRange;

/** Where chroma samples sit against luma; a bit set means co-sited in that direction,
 * clear means centred between the luma samples. MPEG-2 style 4:2:0 is HORIZONTAL. */
typedef enum {
    VFI_CHROMA_SITE_CENTRED = 0,
    VFI_CHROMA_SITE_HORIZONTAL = 1 << 0,
    VFI_CHROMA_SITE_VERTICAL = 1 << 1,
} VfiChromaSite;

/** What all frames of a session have in common. Plain data, copied freely. */
typedef struct {
    VfiFormat format;
    int width;  /**< pixels, 1 … VFI_MAX_DIMENSION */
    int height; /**< pixels, 1 … VFI_MAX_DIMENSION */
    VfiMatrix matrix;
    VfiRange range;
    VfiChromaSite chroma_site; /**< bits of VfiChromaSite */
} VfiVideoInfo;

/** Where a frame's planes lie. */
typedef enum {
    VFI_MEMORY_HOST,
    VFI_MEMORY_CUDA, /**< addresses of the context that the session works in */
} VfiMemoryKind;

/**
 * One frame's memory; the engine never owns it. Planes follow the format's own order
 * (YV12: Y, V, U; GBR: G, B, R). A stride is in bytes, at least the plane's row bytes,
 * and may be negative (bottom-up; data then points at the first row). Two-byte samples
 * need 2-byte alignment, f32 samples 4-byte alignment of data and stride.
 */
typedef struct {
    uint8_t *data[VFI_MAX_PLANES];
    ptrdiff_t stride[VFI_MAX_PLANES];
    /** Identity of the content: two frames with the same non-zero id are the same
     * picture, so results kept for one serve the other. 0 means "unknown". */
    uint64_t id;
    /** CUDA memory is taken by sessions on a CUDA device only, and they neither copy it
     * to the host nor back. What filled it must have run when the frame is handed
     * over. */
    VfiMemoryKind memory;
} VfiFrame;

/** Name of a format as GStreamer spells it ("I420", "RGBx", …; "RGB_F32"), never NULL. */
VFI_API const char *vfi_format_to_string(VfiFormat format);

/** The format of that name, or VFI_FORMAT_UNKNOWN. */
VFI_API VfiFormat vfi_format_from_string(const char *name);

/** Number of planes of @format, 1 … VFI_MAX_PLANES; 0 for UNKNOWN. */
VFI_API int vfi_format_planes(VfiFormat format);

/** Bytes that a row of @plane takes without padding, for frames of @info; 0 if there is
 * no such plane. */
VFI_API size_t vfi_video_info_row_bytes(const VfiVideoInfo *info, int plane);

/** Rows of @plane for frames of @info; 0 if there is no such plane. */
VFI_API int vfi_video_info_rows(const VfiVideoInfo *info, int plane);

/** Checks format, size and enums. Returns FALSE with VFI_ERROR_INVALID_ARGUMENT. */
VFI_API gboolean vfi_video_info_validate(const VfiVideoInfo *info, GError **error);

/**
 * Allocates a frame of @info in one 64-byte aligned block with 64-byte multiples as
 * strides (data[0] is the block). Release with vfi_frame_clear(). Contents are zero.
 * Returns FALSE with VFI_ERROR_NO_MEMORY.
 */
VFI_API gboolean vfi_frame_alloc(VfiFrame *frame, const VfiVideoInfo *info,
                                 GError **error);

/** Releases what vfi_frame_alloc() gave and zeroes the struct; a zeroed frame is
 * allowed. */
VFI_API void vfi_frame_clear(VfiFrame *frame);

G_END_DECLS
