/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/logging.h"

static GMutex log_lock;
static VfiLogFunc log_func;
static void *log_user_data;

void vfi_set_log_func(VfiLogFunc func, void *user_data)
{
    g_mutex_lock(&log_lock);
    log_func = func;
    log_user_data = user_data;
    g_mutex_unlock(&log_lock);
}

void vfi_log(VfiLogLevel level, const char *format, ...)
{
    g_mutex_lock(&log_lock);
    VfiLogFunc func = log_func;
    void *user_data = log_user_data;
    g_mutex_unlock(&log_lock);
    if (func == NULL)
        return;

    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    func(level, message, user_data);
}
