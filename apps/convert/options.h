/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of vfi-convert. */
#pragma once

#include "convert/encoder.h"
#include "convert/rate.h"

typedef struct {
    gchar **inputs; /* files, folders and patterns, NULL-terminated */
    gchar *output;  /* NULL: beside each input */
    gboolean has_fps;
    RateRequest fps;
    int slow_n, slow_d; /* how many times slower; 1/1 for as fast */
    gchar *model;
    gchar *model_options; /* NULL: none */
    gchar *scale;         /* as the element's property; NULL: its default */
    gchar *device;
    gchar **set; /* "NAME=VALUE" of other properties; NULL: none */
    GstClockTime from, to;
    VideoCodec codec; /* VIDEO_CODEC_NONE: auto */
    int quality;      /* 0 to 100 */
    Preset preset;
    gboolean copy_audio;
    gboolean keep_vfr;
    gboolean json, dry_run, list_models, version;
    gboolean overwrite, resume;
    double segment_seconds;
    double progress_seconds; /* 0: after every frame; below 0: what suits the terminal */
} ConvertOptions;

/* Takes options out of @argv, which stays as it is. NULL and CONVERT_ERROR_USAGE, which
 * says what is accepted. "--help" prints and exits. */
ConvertOptions *options_parse(int argc, char **argv, GError **error);

void options_free(ConvertOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConvertOptions, options_free)

/* The command of @argv with --resume, quoted for a shell. */
gchar *options_resume_command(int argc, char **argv);
