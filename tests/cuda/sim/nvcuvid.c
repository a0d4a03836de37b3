/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A libnvcuvid.so.1 that decodes nothing: GStreamer's nvcodec plugin registers its
 * elements only if it finds these functions. */
#define MISSING(name)                                                                    \
    __attribute__((visibility("default"))) int name(void);                               \
    int name(void)                                                                       \
    {                                                                                    \
        return 801; /* CUDA_ERROR_NOT_SUPPORTED */                                       \
    }
MISSING(cuvidCtxLockCreate)
MISSING(cuvidCtxLockDestroy)
MISSING(cuvidCtxLock)
MISSING(cuvidCtxUnlock)
MISSING(cuvidCreateDecoder)
MISSING(cuvidDestroyDecoder)
MISSING(cuvidDecodePicture)
MISSING(cuvidCreateVideoParser)
MISSING(cuvidParseVideoData)
MISSING(cuvidDestroyVideoParser)
MISSING(cuvidMapVideoFrame64)
MISSING(cuvidUnmapVideoFrame64)
MISSING(cuvidGetDecoderCaps)
