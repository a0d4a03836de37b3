/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/element.h"

/* The one of the highest rank, or NULL. */
static GstElementFactory *best(GstElementFactoryListType type, const GstCaps *caps)
{
    GList *all = gst_element_factory_list_get_elements(type, GST_RANK_MARGINAL);
    GList *able =
        gst_element_factory_list_filter(all, caps, GST_PAD_SINK, gst_caps_is_fixed(caps));
    GstElementFactory *found = NULL;
    if (able != NULL)
        found = (GstElementFactory *)gst_object_ref(able->data);
    gst_plugin_feature_list_free(able);
    gst_plugin_feature_list_free(all);
    return found;
}

#define PARSERS                                                                          \
    (GST_ELEMENT_FACTORY_TYPE_PARSER | GST_ELEMENT_FACTORY_TYPE_MEDIA_AUDIO |            \
     GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO | GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE)

static GstElement *make(GstElementFactoryListType type, const GstCaps *caps)
{
    g_autoptr(GstElementFactory) factory = best(type, caps);
    return factory != NULL ? gst_element_factory_create(factory, NULL) : NULL;
}

static gboolean exists(GstElementFactoryListType type, const GstCaps *caps)
{
    g_autoptr(GstElementFactory) factory = best(type, caps);
    return factory != NULL;
}

GstElement *element_that_demuxes(const GstCaps *caps)
{
    return make(GST_ELEMENT_FACTORY_TYPE_DEMUXER, caps);
}

GstElement *element_that_parses(const GstCaps *caps)
{
    return make(PARSERS, caps);
}

gboolean element_parses(const GstCaps *caps)
{
    return exists(PARSERS, caps);
}

gboolean element_decodes(const GstCaps *caps)
{
    return exists(GST_ELEMENT_FACTORY_TYPE_DECODER, caps);
}
