/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of pixel formats. Planes and byte orders are GStreamer's; components are
 * always listed as Y, U, V or R, G, B, A whatever their order in memory. */
#include "pixels/format.h"

#include <string.h>

/* A component in a plane of its own at full resolution. */
#define OWN_PLANE(number, bytes)                                                         \
    {                                                                                    \
        .plane = (number), .pixel_stride = (bytes)                                       \
    }

/* A chroma component in a plane of its own. */
#define CHROMA_PLANE(number, bytes, sx, sy)                                              \
    {                                                                                    \
        .plane = (number), .pixel_stride = (bytes), .shift_x = (sx), .shift_y = (sy)     \
    }

/* A chroma component interleaved with the other one in plane 1. */
#define CHROMA_PAIR(at, bytes, sx, sy)                                                   \
    {                                                                                    \
        .plane = 1, .offset = (at), .pixel_stride = 2 * (bytes), .shift_x = (sx),        \
        .shift_y = (sy)                                                                  \
    }

/* A component of a packed pixel in plane 0. */
#define PACKED(at, bytes)                                                                \
    {                                                                                    \
        .plane = 0, .offset = (at), .pixel_stride = (bytes)                              \
    }

#define YUV(id, planes, bits, ...)                                                       \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_YUV, .n_planes = (planes), .n_components = 3, \
        .depth = (bits), .sample_bytes = (bits) > 8 ? 2 : 1, .component = {              \
            __VA_ARGS__                                                                  \
        }                                                                                \
    }

/* As YUV, with alpha as fourth component. */
#define YUVA(id, planes, bits, ...)                                                      \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_YUV, .n_planes = (planes), .n_components = 4, \
        .has_alpha = true, .depth = (bits), .sample_bytes = (bits) > 8 ? 2 : 1,          \
        .component = {                                                                   \
            __VA_ARGS__                                                                  \
        }                                                                                \
    }

/* Codes in the upper bits of two bytes, as P010 has them: chroma in pairs. */
#define SEMIPLANAR_420(id, bits)                                                         \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_YUV, .n_planes = 2, .n_components = 3,        \
        .depth = (bits), .shift = 16 - (bits), .sample_bytes = 2, .component = {         \
            OWN_PLANE(0, 2),                                                             \
            CHROMA_PAIR(0, 2, 1, 1),                                                     \
            CHROMA_PAIR(2, 2, 1, 1)                                                      \
        }                                                                                \
    }

#define GREY(id, bits)                                                                   \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_GREY, .n_planes = 1, .n_components = 1,       \
        .depth = (bits), .sample_bytes = (bits) / 8, .component = {                      \
            OWN_PLANE(0, (bits) / 8)                                                     \
        }                                                                                \
    }

#define PACKED_RGB(id, bytes, r, g, b)                                                   \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_RGB, .n_planes = 1, .n_components = 3,        \
        .depth = 8, .sample_bytes = 1, .component = {                                    \
            PACKED(r, bytes),                                                            \
            PACKED(g, bytes),                                                            \
            PACKED(b, bytes)                                                             \
        }                                                                                \
    }

/* r, g, b, a: the place of each among the pixel's four samples. */
#define PACKED_RGBA(id, bytes, r, g, b, a)                                               \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_RGB, .n_planes = 1, .n_components = 4,        \
        .has_alpha = true, .depth = 8 * (bytes), .sample_bytes = (bytes), .component = { \
            PACKED((r) * (bytes), 4 * (bytes)),                                          \
            PACKED((g) * (bytes), 4 * (bytes)),                                          \
            PACKED((b) * (bytes), 4 * (bytes)),                                          \
            PACKED((a) * (bytes), 4 * (bytes))                                           \
        }                                                                                \
    }

/* r, g, b: the plane of each. */
#define PLANAR_RGB(id, bits, bytes, r, g, b)                                             \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_RGB, .n_planes = 3, .n_components = 3,        \
        .depth = (bits), .sample_bytes = (bytes), .component = {                         \
            OWN_PLANE(r, bytes),                                                         \
            OWN_PLANE(g, bytes),                                                         \
            OWN_PLANE(b, bytes)                                                          \
        }                                                                                \
    }

/* The planes are G, B, R, A. */
#define PLANAR_GBRA(id, bits, bytes)                                                     \
    {                                                                                    \
        .name = (id), .colour = VFI_FAMILY_RGB, .n_planes = 4, .n_components = 4,        \
        .has_alpha = true, .depth = (bits), .sample_bytes = (bytes), .component = {      \
            OWN_PLANE(2, bytes),                                                         \
            OWN_PLANE(0, bytes),                                                         \
            OWN_PLANE(1, bytes),                                                         \
            OWN_PLANE(3, bytes)                                                          \
        }                                                                                \
    }

static const VfiFormatDescription formats[VFI_FORMAT_COUNT] = {
    [VFI_FORMAT_I420] = YUV("I420", 3, 8, OWN_PLANE(0, 1), CHROMA_PLANE(1, 1, 1, 1),
                            CHROMA_PLANE(2, 1, 1, 1)),
    [VFI_FORMAT_YV12] = YUV("YV12", 3, 8, OWN_PLANE(0, 1), CHROMA_PLANE(2, 1, 1, 1),
                            CHROMA_PLANE(1, 1, 1, 1)),
    [VFI_FORMAT_NV12] = YUV("NV12", 2, 8, OWN_PLANE(0, 1), CHROMA_PAIR(0, 1, 1, 1),
                            CHROMA_PAIR(1, 1, 1, 1)),
    [VFI_FORMAT_NV21] = YUV("NV21", 2, 8, OWN_PLANE(0, 1), CHROMA_PAIR(1, 1, 1, 1),
                            CHROMA_PAIR(0, 1, 1, 1)),
    [VFI_FORMAT_Y42B] = YUV("Y42B", 3, 8, OWN_PLANE(0, 1), CHROMA_PLANE(1, 1, 1, 0),
                            CHROMA_PLANE(2, 1, 1, 0)),
    [VFI_FORMAT_Y444] =
        YUV("Y444", 3, 8, OWN_PLANE(0, 1), OWN_PLANE(1, 1), OWN_PLANE(2, 1)),
    [VFI_FORMAT_I420_10LE] = YUV("I420_10LE", 3, 10, OWN_PLANE(0, 2),
                                 CHROMA_PLANE(1, 2, 1, 1), CHROMA_PLANE(2, 2, 1, 1)),
    [VFI_FORMAT_P010_10LE] = SEMIPLANAR_420("P010_10LE", 10),
    [VFI_FORMAT_Y444_10LE] =
        YUV("Y444_10LE", 3, 10, OWN_PLANE(0, 2), OWN_PLANE(1, 2), OWN_PLANE(2, 2)),
    [VFI_FORMAT_GRAY8] = GREY("GRAY8", 8),
    [VFI_FORMAT_RGB] = PACKED_RGB("RGB", 3, 0, 1, 2),
    [VFI_FORMAT_BGR] = PACKED_RGB("BGR", 3, 2, 1, 0),
    [VFI_FORMAT_RGBX] = PACKED_RGB("RGBx", 4, 0, 1, 2),
    [VFI_FORMAT_XRGB] = PACKED_RGB("xRGB", 4, 1, 2, 3),
    [VFI_FORMAT_BGRX] = PACKED_RGB("BGRx", 4, 2, 1, 0),
    [VFI_FORMAT_XBGR] = PACKED_RGB("xBGR", 4, 3, 2, 1),
    [VFI_FORMAT_RGBA] = PACKED_RGBA("RGBA", 1, 0, 1, 2, 3),
    [VFI_FORMAT_ARGB] = PACKED_RGBA("ARGB", 1, 1, 2, 3, 0),
    [VFI_FORMAT_BGRA] = PACKED_RGBA("BGRA", 1, 2, 1, 0, 3),
    [VFI_FORMAT_ABGR] = PACKED_RGBA("ABGR", 1, 3, 2, 1, 0),
    [VFI_FORMAT_GBR] = PLANAR_RGB("GBR", 8, 1, 2, 0, 1),
    [VFI_FORMAT_RGBP] = PLANAR_RGB("RGBP", 8, 1, 0, 1, 2),
    [VFI_FORMAT_NV16] = YUV("NV16", 2, 8, OWN_PLANE(0, 1), CHROMA_PAIR(0, 1, 1, 0),
                            CHROMA_PAIR(1, 1, 1, 0)),
    [VFI_FORMAT_NV24] = YUV("NV24", 2, 8, OWN_PLANE(0, 1), CHROMA_PAIR(0, 1, 0, 0),
                            CHROMA_PAIR(1, 1, 0, 0)),
    [VFI_FORMAT_I422_10LE] = YUV("I422_10LE", 3, 10, OWN_PLANE(0, 2),
                                 CHROMA_PLANE(1, 2, 1, 0), CHROMA_PLANE(2, 2, 1, 0)),
    [VFI_FORMAT_GBR_10LE] = PLANAR_RGB("GBR_10LE", 10, 2, 2, 0, 1),
    [VFI_FORMAT_AYUV] =
        YUVA("AYUV", 1, 8, PACKED(1, 4), PACKED(2, 4), PACKED(3, 4), PACKED(0, 4)),
    [VFI_FORMAT_VUYA] =
        YUVA("VUYA", 1, 8, PACKED(2, 4), PACKED(1, 4), PACKED(0, 4), PACKED(3, 4)),
    [VFI_FORMAT_A420] = YUVA("A420", 4, 8, OWN_PLANE(0, 1), CHROMA_PLANE(1, 1, 1, 1),
                             CHROMA_PLANE(2, 1, 1, 1), OWN_PLANE(3, 1)),
    [VFI_FORMAT_AV12] = YUVA("AV12", 3, 8, OWN_PLANE(0, 1), CHROMA_PAIR(0, 1, 1, 1),
                             CHROMA_PAIR(1, 1, 1, 1), OWN_PLANE(2, 1)),
    [VFI_FORMAT_GBRA] = PLANAR_GBRA("GBRA", 8, 1),
    [VFI_FORMAT_A420_10LE] =
        YUVA("A420_10LE", 4, 10, OWN_PLANE(0, 2), CHROMA_PLANE(1, 2, 1, 1),
             CHROMA_PLANE(2, 2, 1, 1), OWN_PLANE(3, 2)),
    [VFI_FORMAT_A444_10LE] = YUVA("A444_10LE", 4, 10, OWN_PLANE(0, 2), OWN_PLANE(1, 2),
                                  OWN_PLANE(2, 2), OWN_PLANE(3, 2)),
    [VFI_FORMAT_GBRA_10LE] = PLANAR_GBRA("GBRA_10LE", 10, 2),
    [VFI_FORMAT_I420_12LE] = YUV("I420_12LE", 3, 12, OWN_PLANE(0, 2),
                                 CHROMA_PLANE(1, 2, 1, 1), CHROMA_PLANE(2, 2, 1, 1)),
    [VFI_FORMAT_I422_12LE] = YUV("I422_12LE", 3, 12, OWN_PLANE(0, 2),
                                 CHROMA_PLANE(1, 2, 1, 0), CHROMA_PLANE(2, 2, 1, 0)),
    [VFI_FORMAT_Y444_12LE] =
        YUV("Y444_12LE", 3, 12, OWN_PLANE(0, 2), OWN_PLANE(1, 2), OWN_PLANE(2, 2)),
    [VFI_FORMAT_Y444_16LE] =
        YUV("Y444_16LE", 3, 16, OWN_PLANE(0, 2), OWN_PLANE(1, 2), OWN_PLANE(2, 2)),
    [VFI_FORMAT_P012_LE] = SEMIPLANAR_420("P012_LE", 12),
    [VFI_FORMAT_P016_LE] = SEMIPLANAR_420("P016_LE", 16),
    [VFI_FORMAT_GRAY16_LE] = GREY("GRAY16_LE", 16),
    [VFI_FORMAT_GBR_12LE] = PLANAR_RGB("GBR_12LE", 12, 2, 2, 0, 1),
    [VFI_FORMAT_GBR_16LE] = PLANAR_RGB("GBR_16LE", 16, 2, 2, 0, 1),
    [VFI_FORMAT_GBRA_12LE] = PLANAR_GBRA("GBRA_12LE", 12, 2),
    [VFI_FORMAT_A444_12LE] = YUVA("A444_12LE", 4, 12, OWN_PLANE(0, 2), OWN_PLANE(1, 2),
                                  OWN_PLANE(2, 2), OWN_PLANE(3, 2)),
    [VFI_FORMAT_A444_16LE] = YUVA("A444_16LE", 4, 16, OWN_PLANE(0, 2), OWN_PLANE(1, 2),
                                  OWN_PLANE(2, 2), OWN_PLANE(3, 2)),
    [VFI_FORMAT_Y412_LE] = {.name = "Y412_LE",
                            .colour = VFI_FAMILY_YUV,
                            .n_planes = 1,
                            .n_components = 4,
                            .has_alpha = true,
                            .depth = 12,
                            .shift = 4,
                            .sample_bytes = 2,
                            .component = {PACKED(2, 8), PACKED(0, 8), PACKED(4, 8),
                                          PACKED(6, 8)}},
    [VFI_FORMAT_AYUV64] =
        YUVA("AYUV64", 1, 16, PACKED(2, 8), PACKED(4, 8), PACKED(6, 8), PACKED(0, 8)),
    [VFI_FORMAT_ARGB64] = PACKED_RGBA("ARGB64", 2, 1, 2, 3, 0),
    [VFI_FORMAT_ARGB64_LE] = PACKED_RGBA("ARGB64_LE", 2, 1, 2, 3, 0),
    [VFI_FORMAT_RGBA64_LE] = PACKED_RGBA("RGBA64_LE", 2, 0, 1, 2, 3),
    [VFI_FORMAT_BGRA64_LE] = PACKED_RGBA("BGRA64_LE", 2, 2, 1, 0, 3),
    [VFI_FORMAT_ABGR64_LE] = PACKED_RGBA("ABGR64_LE", 2, 3, 2, 1, 0),
    [VFI_FORMAT_RGB_F32] = PLANAR_RGB("RGB_F32", 32, 4, 0, 1, 2),
};

const VfiFormatDescription *vfi_format_describe(VfiFormat format)
{
    if ((int)format <= VFI_FORMAT_UNKNOWN || (int)format >= VFI_FORMAT_COUNT)
        return NULL;
    return &formats[format];
}

int vfi_format_filler_offset(const VfiFormatDescription *format)
{
    const VfiComponent *component = format->component;

    if (format->colour != VFI_FAMILY_RGB || format->n_components != 3 ||
        component[0].pixel_stride != 4 || format->sample_bytes != 1)
        return -1;
    /* The four offsets of a pixel are 0, 1, 2, 3, which add up to 6. */
    return 6 - component[0].offset - component[1].offset - component[2].offset;
}

VfiPlaneLayout vfi_format_plane(const VfiFormatDescription *format, int plane)
{
    VfiPlaneLayout layout = {0};

    for (int i = 0; i < format->n_components; i++) {
        const VfiComponent *component = &format->component[i];
        if (component->plane != plane)
            continue;
        layout.pixel_stride = component->pixel_stride;
        layout.shift_x = component->shift_x;
        layout.shift_y = component->shift_y;
    }
    return layout;
}

const char *vfi_format_to_string(VfiFormat format)
{
    const VfiFormatDescription *description = vfi_format_describe(format);

    return description != NULL ? description->name : "UNKNOWN";
}

VfiFormat vfi_format_from_string(const char *name)
{
    for (int i = VFI_FORMAT_UNKNOWN + 1; name != NULL && i < VFI_FORMAT_COUNT; i++)
        if (strcmp(name, formats[i].name) == 0)
            return (VfiFormat)i;
    return VFI_FORMAT_UNKNOWN;
}

int vfi_format_planes(VfiFormat format)
{
    const VfiFormatDescription *description = vfi_format_describe(format);

    return description != NULL ? description->n_planes : 0;
}
