/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands in for onednn.c in a build without oneDNN. */
#include "onednn.h"

#include <vfi/error.h>

gboolean bench_onednn_init(int threads, const char *cpu_level, GError **error)
{
    (void)threads;
    (void)cpu_level;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "this vfi-bench was built without oneDNN, which --layers compares with: "
                "install libdnnl-dev (tools/setup --bench does) and configure the build "
                "folder again");
    return FALSE;
}

BenchOnednn *bench_onednn_new(const BenchConv *conv, GError **error)
{
    (void)conv;
    bench_onednn_init(0, NULL, error);
    return NULL;
}

void bench_onednn_free(BenchOnednn *onednn)
{
    (void)onednn;
}

double bench_onednn_time(BenchOnednn *onednn, GError **error)
{
    (void)onednn;
    bench_onednn_init(0, NULL, error);
    return -1.0;
}

const char *bench_onednn_implementation(const BenchOnednn *onednn)
{
    (void)onednn;
    return "";
}
