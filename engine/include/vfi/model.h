/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models: a family (how a network is computed) with the weights of one checkpoint. */
#pragma once

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Which times a family can produce. */
typedef enum {
    VFI_TIME_ANY,      /**< any t in (0, 1) directly */
    VFI_TIME_MIDPOINT, /**< only t = 0.5; other times by bisection, see "bisect-depth" */
} VfiTimeMode;

/** One model option, as documentation and validation need it. Values travel as GVariant:
 * type "b", "u" (32 bits), "t" (64 bits), "d" or "s"; numbers of other types are taken as
 * long as the value stays the same. */
typedef struct {
    const char *name;
    const char *type; /**< GVariant type string */
    double minimum;   /**< numbers only */
    double maximum;   /**< numbers only; of "t" 0x1p64 for 2^64 - 1 */
    /** Printed form, as g_variant_print() without types; for strings all values,
     * separated by "|", the default first. */
    const char *default_value;
    const char *text;         /**< one sentence */
    gboolean chooses_weights; /**< which tensors are read depends on it */
} VfiOptionSpec;

/** A loaded model. Immutable, shared by any number of sessions. Thread-safety: safe. */
typedef struct VfiModel VfiModel;

/** What is known about a loaded model. Strings belong to the model. */
typedef struct {
    const char *name;    /**< what was asked for */
    const char *path;    /**< file, or NULL for families without weights */
    const char *family;  /**< "blend", "rife", … */
    const char *variant; /**< "4.0", "3.6", …; "" where there is none */
    VfiTimeMode time_mode;
    gboolean has_scale; /**< the session's flow scale has an effect */
    gboolean can_tile;  /**< memory_limit and tile_size of a session can make tiles */
    /** Frames that it sees before and after the two around an in-between; 0 for most. */
    int frames_before, frames_after;
    size_t n_parameters;
    size_t weight_bytes; /**< host memory that the weights take */
    /** What a user should know of how the model was chosen, a sentence without its full
     * stop; NULL unless it was asked for as "auto". */
    const char *note;
} VfiModelInfo;

/**
 * Folders in which a model's name is looked up; of two equally good matches the earlier
 * wins: VFI_MODEL_PATH (":" separated), $XDG_DATA_HOME/vfi/models,
 * /usr/local/share/vfi/models, /usr/share/vfi/models.
 * Returns a NULL-terminated array, free with g_strfreev().
 */
VFI_API char **vfi_model_search_path(void);

/**
 * Resolves @name to a file: a path that exists (of a file, or of a folder with a model in
 * it, also in the current folder), else the best match on the search path. Names need
 * neither extension nor version, nor the exact spelling: "rife", "rife-4.26" (also
 * rife426.pth, flownet_v4.26.pkl or a folder 4.26), "film", "ifrnet_s"; docs/models.md
 * has the rule. "auto" is the highest RIFE found, a lite or heavy one only where there is
 * no other, and without any "flow"; it never means a file of that name, nor "blend". A
 * folder stands for the flownet.param and flownet.bin (ncnn) or flownet.pkl in it or in
 * its train_log. Families without weights ("flow", "blend") resolve to no file.
 *
 * Returns TRUE and a new string in *path (NULL for a family without weights), or FALSE
 * with VFI_ERROR_NOT_FOUND (the message lists the folders searched and the models found
 * there, and says how to get one), VFI_ERROR_IO where a folder may not be read, or
 * VFI_ERROR_UNSUPPORTED for a folder of another framework.
 */
VFI_API gboolean vfi_model_resolve(const char *name, char **path, GError **error);

/** Files on the search path that look like models, in the order in which they are found;
 * they may still be refused when they are opened. NULL-terminated, free with
 * g_strfreev(). */
VFI_API char **vfi_model_list(void);

/**
 * Opens a model: resolves @name, reads the checkpoint, recognises family and variant from
 * tensor names and shapes, checks @options against the family's table, reads the weights.
 *
 * @options: a{sv} or NULL; a floating reference is consumed. Unknown names, wrong types
 * and values out of range are errors that list the valid options.
 *
 * The weights are this model's alone; vfi_model_cache_open() shares them.
 *
 * Returns a new reference, or NULL with an error that says what would help.
 */
VFI_API VfiModel *vfi_model_open(const char *name, GVariant *options, GError **error);

/** How a model is opened. Zero-initialise, then set what differs. */
typedef struct {
    /** Accepts weights that are infinite or NaN, which are otherwise an error that names
     * the tensor: pictures come out black or worse. */
    gboolean allow_nonfinite;
    /** Polled while the file is read and judged, by the calling thread, at least once per
     * megabyte; no lock is held. Once it returns TRUE, opening ends with
     * VFI_ERROR_CANCELLED. NULL: never. g_cancellable_is_cancelled() fits, cast. */
    gboolean (*is_cancelled)(void *user_data);
    void *user_data; /**< of is_cancelled */
} VfiOpenOptions;

/** vfi_model_open() as @how says; NULL: all defaults. */
VFI_API VfiModel *vfi_model_open_full(const char *name, GVariant *options,
                                      const VfiOpenOptions *how, GError **error);

/** Adds a reference and returns @model. */
VFI_API VfiModel *vfi_model_ref(VfiModel *model);

/** Drops a reference. NULL is allowed. */
VFI_API void vfi_model_unref(VfiModel *model);

/** Facts about @model; valid as long as the model. */
VFI_API const VfiModelInfo *vfi_model_info(const VfiModel *model);

/** Names of all families in this build, NULL-terminated, static. */
VFI_API const char *const *vfi_family_names(void);

/** The option table of a family and its length; NULL for an unknown one. Static. */
VFI_API const VfiOptionSpec *vfi_family_options(const char *family, size_t *n_options);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VfiModel, vfi_model_unref)

G_END_DECLS
