/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the user asked for. */
#pragma once

#include "compare/clip.h"

/** A model, with options. */
typedef struct {
    char *model;
    char *options; /**< NULL: none */
} Asked;

typedef struct {
    char *path;
    ClipPart part;    /**< its path is path */
    GPtrArray *asked; /**< of Asked; empty: all that fit */
    char *device;     /**< NULL: auto */
    double scale;
    guint most_shown;            /**< frames in the page; 0: by models */
    int crop_width, crop_height; /**< largest pictures in the page; 0: no limit */
    char *page;                  /**< file to write; NULL: none */
    char *table;                 /**< file for the table as JSON; NULL: none */
    gboolean json;               /**< the table on stdout is JSON */
    gboolean version;
} Settings;

/**
 * Reads the command line. Returns NULL with an error of G_OPTION_ERROR that says what was
 * expected; "--help" prints and exits.
 */
Settings *settings_parse(int *argc, char ***argv, GError **error);

/** Frees @settings; NULL is allowed. */
void settings_free(Settings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
