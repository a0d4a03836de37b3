/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/assemble.h"

gboolean assemble(const AssembleJob *job, GCancellable *cancellable,
                  AssembleProgress progress, gpointer user_data, GError **error)
{
    (void)cancellable;
    (void)progress;
    (void)user_data;
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                "%s: files cannot be written yet", job->output);
    return FALSE;
}
