/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: any bytes as a model, all the way: it is opened, estimated, made a
 * session of, and asked for an in-between of two tiny frames. Most inputs end as errors
 * on the way; none may crash, hang or take more memory than the run's limit. Inputs are
 * as those of fuzz-checkpoint; run it with a folder that fuzz-model-seeds has filled. */
#include <sys/stat.h>

#include <vfi/vfi.h>

#include "fuzz_file.h"

#define SIDE 16

/* Larger networks are estimated only: packing their weights takes longer than an input is
 * worth. */
#define MAX_PACKED ((size_t)8 << 20)
#define MAX_MACS 1e8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(VfiFrame *frame, const VfiVideoInfo *video, int seed)
{
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < vfi_video_info_rows(video, plane); y++)
            for (size_t x = 0; x < vfi_video_info_row_bytes(video, plane); x++)
                frame->data[plane][y * frame->stride[plane] + (ptrdiff_t)x] =
                    (uint8_t)(seed + (int)x * 5 + y * 3);
}

/* TRUE, or an error; never both or neither. */
static void check(bool succeeded, const GError *error)
{
    if (succeeded != (error == NULL))
        abort();
}

static void interpolate(VfiSession *session, const VfiVideoInfo *video)
{
    VfiFrame frames[2] = {{.id = 1}, {.id = 2}}, out = {.id = 0};
    g_autoptr(GError) error = NULL;

    if (!vfi_frame_alloc(&frames[0], video, NULL) ||
        !vfi_frame_alloc(&frames[1], video, NULL) || !vfi_frame_alloc(&out, video, NULL))
        abort();
    fill(&frames[0], video, 1);
    fill(&frames[1], video, 99);
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, &error);
    check(pair != NULL, error);
    if (pair != NULL) {
        g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out, &error);
        check(job != NULL, error);
        if (job != NULL)
            check(vfi_job_wait(job, &error), error);
    }
    vfi_session_flush(session);
    vfi_frame_clear(&frames[0]);
    vfi_frame_clear(&frames[1]);
    vfi_frame_clear(&out);
}

static void use(VfiModel *model)
{
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = SIDE, .height = SIDE},
        .device = "cpu",
        .threads = 1,
        .memory_limit = (uint64_t)256 << 20,
    };
    g_autoptr(GError) error = NULL;
    VfiEstimate estimate;

    bool estimated = vfi_model_estimate(model, &config, &estimate, &error);
    check(estimated, error);
    if (!estimated || estimate.packed_weight_bytes > MAX_PACKED)
        return;
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
    check(session != NULL, error);
    if (session != NULL &&
        estimate.frame_macs + estimate.pair_macs + estimate.time_macs < MAX_MACS)
        interpolate(session, &config.video);
}

static void open_and_use(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = vfi_model_open(path, NULL, &error);

    check(model != NULL, error);
    if (model != NULL)
        use(model);
}

/* Two files that lie side by side. */
static void open_ncnn(VfiSpan param, VfiSpan weights)
{
    FuzzFile structure = fuzz_file_new(param), values = fuzz_file_new(weights);
    char folder[] = "/tmp/fuzz-model-XXXXXX", first[64], second[64];

    if (mkdtemp(folder) == NULL)
        abort();
    snprintf(first, sizeof first, "%s/n.param", folder);
    snprintf(second, sizeof second, "%s/n.bin", folder);
    if (symlink(structure.path, first) != 0 || symlink(values.path, second) != 0)
        abort();
    open_and_use(first);
    unlink(first);
    unlink(second);
    rmdir(folder);
    fuzz_file_close(structure);
    fuzz_file_close(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VfiSpan param, weights;

    if (fuzz_is_ncnn((VfiSpan){data, size}, &param, &weights)) {
        open_ncnn(param, weights);
        return 0;
    }
    FuzzFile file = fuzz_file_new((VfiSpan){data, size});
    open_and_use(file.path);
    fuzz_file_close(file);
    return 0;
}
