/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The models that this machine has, and whether they fit into its memory. */
#pragma once

#include <stdint.h>

#include <vfi/session.h>

/** Whether a session of a model fits into the memory that is free. */
typedef enum {
    MODEL_FIT_UNKNOWN, /**< not asked for, not to be opened, or on a GPU */
    MODEL_FIT_WHOLE,   /**< the network sees whole pictures */
    MODEL_FIT_TILES,   /**< it fits if the network sees them in tiles: see tile_limit */
    MODEL_FIT_NOT,
} ModelFit;

/** A model, with what is known of it. Free with installed_model_free(). */
typedef struct {
    char *name;          /**< what vfi_model_open() and the element's "model" take */
    char *path;          /**< its file; NULL for what is built in */
    char *family;        /**< "rife", …; "" if it cannot be opened */
    char *variant;       /**< "4.0", …; "" where there is none */
    const char *licence; /**< of the weights, as their authors say; NULL: not known */
    size_t weight_bytes; /**< host memory that the weights take */
    char *problem;       /**< why it cannot be opened or planned; NULL if it can */
    ModelFit fit;
    uint64_t memory_bytes; /**< session and weights of whole pictures; 0: not asked for */
    uint64_t tile_limit;   /**< memory_limit of a session with which MODEL_FIT_TILES */
} InstalledModel;

/**
 * What is known of the model that the user calls @name, which stays its name. It is
 * opened with @options (a{sv} or NULL; a floating reference is consumed) and closed
 * again. @config is the session that an estimate is made for; NULL: none is made.
 * Never fails: what is wrong stands in its problem.
 */
InstalledModel *installed_model_new(const char *name, GVariant *options,
                                    const VfiSessionConfig *config);

/** Frees @model; NULL is allowed. */
void installed_model_free(InstalledModel *model);

/**
 * All files on the search path that look like models, in the order in which they are
 * found, then the models that need no file: InstalledModel, in an array that frees them.
 * Each is opened in turn, which reads it. @config as above.
 */
GPtrArray *installed_models_list(const VfiSessionConfig *config);

/**
 * @models as a table for people, a line each, with an ending line feed; free with
 * g_free(). Memory is a column if an estimate was made for any of them.
 */
char *installed_models_table(const GPtrArray *models);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InstalledModel, installed_model_free)
