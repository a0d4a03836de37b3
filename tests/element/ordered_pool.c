/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ordered_pool.h"

typedef struct {
    GstBufferPool parent;
    GMutex lock;
} OrderedPool;

typedef struct {
    GstBufferPoolClass parent;
} OrderedPoolClass;

static GType ordered_pool_get_type(void);
G_DEFINE_TYPE(OrderedPool, ordered_pool, GST_TYPE_BUFFER_POOL)

static void order(GstBufferPool *pool)
{
    OrderedPool *self = (OrderedPool *)pool;

    g_mutex_lock(&self->lock);
    g_mutex_unlock(&self->lock);
}

static GstFlowReturn acquire(GstBufferPool *pool, GstBuffer **buffer,
                             GstBufferPoolAcquireParams *params)
{
    GstBufferPoolClass *parent = GST_BUFFER_POOL_CLASS(ordered_pool_parent_class);
    GstFlowReturn result = parent->acquire_buffer(pool, buffer, params);

    order(pool);
    return result;
}

static void release(GstBufferPool *pool, GstBuffer *buffer)
{
    order(pool);
    GST_BUFFER_POOL_CLASS(ordered_pool_parent_class)->release_buffer(pool, buffer);
}

static void finalize(GObject *object)
{
    g_mutex_clear(&((OrderedPool *)object)->lock);
    G_OBJECT_CLASS(ordered_pool_parent_class)->finalize(object);
}

static void ordered_pool_class_init(OrderedPoolClass *class)
{
    class->parent.acquire_buffer = acquire;
    class->parent.release_buffer = release;
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void ordered_pool_init(OrderedPool *self)
{
    g_mutex_init(&self->lock);
}

GstBufferPool *ordered_pool_new(void)
{
    return GST_BUFFER_POOL_CAST(g_object_new(ordered_pool_get_type(), NULL));
}
