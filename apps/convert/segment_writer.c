/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/segment_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <gst/app/gstappsrc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "convert/output_name.h"
#include "convert/pipeline.h"

struct _SegmentWriter {
    GstElement *pipeline, *in;
    gboolean pictures;
    gchar *path,
        *temporary; /* a file's; of pictures path is what their names begin with */
    guint64 bytes;  /* of the finished file */
};

static gchar *sink_of(const SegmentWriterConfig *config)
{
    if (!config->pictures)
        return g_strdup("gdppay ! filesink name=file");
    return g_strdup_printf(
        "multifilesink name=file next-file=buffer index=%" G_GUINT64_FORMAT,
        config->first);
}

SegmentWriter *segment_writer_new(const SegmentWriterConfig *config, GError **error)
{
    g_autoptr(SegmentWriter) writer = g_new0(SegmentWriter, 1);
    g_autofree gchar *sink = sink_of(config);
    g_autofree gchar *launch =
        g_strdup_printf("appsrc name=in format=time max-buffers=%d max-bytes=0 ! %s ! %s",
                        PIPELINE_QUEUE, config->launch, sink);
    writer->pictures = config->pictures;
    writer->path = g_strdup(config->path);
    writer->temporary =
        config->pictures ? NULL : g_strconcat(config->path, ".part", NULL);
    writer->pipeline = pipeline_parse(launch, error);
    if (writer->pipeline == NULL)
        return NULL;
    writer->in = pipeline_element(writer->pipeline, "in");
    gst_app_src_set_caps(GST_APP_SRC(writer->in), config->caps);
    g_autofree gchar *location =
        config->pictures ? output_pattern(config->path) : g_strdup(writer->temporary);
    g_object_set(pipeline_element(writer->pipeline, "file"), "location", location, NULL);
    if (!pipeline_play(writer->pipeline, CONVERT_ERROR_OUTPUT, error))
        return NULL;
    return g_steal_pointer(&writer);
}

gboolean segment_writer_push(SegmentWriter *writer, GstBuffer *buffer, GError **error)
{
    GstClockTime wait = 0;
    while (gst_app_src_get_current_level_buffers(GST_APP_SRC(writer->in)) >=
           PIPELINE_QUEUE) {
        if (!pipeline_is_well(writer->pipeline, wait, CONVERT_ERROR_OUTPUT, error)) {
            gst_buffer_unref(buffer);
            return FALSE;
        }
        wait = 2 * GST_MSECOND;
    }
    gst_app_src_push_buffer(GST_APP_SRC(writer->in), buffer);
    return TRUE;
}

static gboolean failed(const char *path, GError **error)
{
    int code = errno;
    g_set_error(error, CONVERT_ERROR,
                code == ENOSPC || code == EDQUOT ? CONVERT_ERROR_NO_SPACE
                                                 : CONVERT_ERROR_OUTPUT,
                "%s cannot be written: %s", path, g_strerror(code));
    return FALSE;
}

/* Data of @path, or with @all of the file system that it is on, to the disk. */
static gboolean sync_path(const char *path, gboolean all, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : all ? syncfs(fd) : fsync(fd);
    gboolean good = result == 0 || failed(path, error);
    if (fd >= 0)
        close(fd);
    return good;
}

static gboolean keep(SegmentWriter *writer, GError **error)
{
    g_autofree gchar *folder = g_path_get_dirname(writer->path);
    if (writer->pictures)
        return sync_path(folder, TRUE, error);
    if (!sync_path(writer->temporary, FALSE, error))
        return FALSE;
    struct stat status;
    if (stat(writer->temporary, &status) != 0 ||
        rename(writer->temporary, writer->path) != 0)
        return failed(writer->path, error);
    writer->bytes = (guint64)status.st_size;
    g_clear_pointer(&writer->temporary, g_free);
    return sync_path(folder, FALSE, error);
}

gboolean segment_writer_finish(SegmentWriter *writer, GError **error)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(writer->pipeline);
    gst_app_src_end_of_stream(GST_APP_SRC(writer->in));
    g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        gst_bus_post(bus, gst_message_ref(message));
        return pipeline_is_well(writer->pipeline, 0, CONVERT_ERROR_OUTPUT, error);
    }
    gst_element_set_state(writer->pipeline, GST_STATE_READY); /* closes the file */
    if (!pipeline_is_well(writer->pipeline, 0, CONVERT_ERROR_OUTPUT, error))
        return FALSE;
    return keep(writer, error);
}

guint64 segment_writer_bytes(const SegmentWriter *writer)
{
    return writer->bytes;
}

void segment_writer_free(SegmentWriter *writer)
{
    if (writer == NULL)
        return;
    pipeline_free(writer->pipeline);
    if (writer->temporary != NULL)
        unlink(writer->temporary);
    g_free(writer->temporary);
    g_free(writer->path);
    g_free(writer);
}
