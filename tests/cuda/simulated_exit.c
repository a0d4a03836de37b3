/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads may still use the simulated libraries while the process ends, as a session's
 * worker does: what the libraries keep must outlive their static destructors. */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cuda_runtime_api.h>
#include <cudnn.h>

#define N 4

/* Functions of the libraries, which are loaded late. */
static struct {
    __typeof__(&cudnnBackendCreateDescriptor) create;
    __typeof__(&cudnnBackendDestroyDescriptor) destroy;
    __typeof__(&cudaMalloc) allocate;
    __typeof__(&cudaFree) release;
} library;

static sem_t made, libraries_ended;
static pthread_t thread;

static bool find(void *handle, const char *name, void *place)
{
    *(void **)place = dlsym(handle, name);
    return *(void **)place != NULL;
}

static bool load(void)
{
    char path[4096];
    const char *folder = getenv("VFI_CUDNN_PATH");

    snprintf(path, sizeof path, "%s/libcudnn.so.9", folder != NULL ? folder : ".");
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        printf("# %s\n", dlerror());
        return false;
    }
    return find(handle, "cudnnBackendCreateDescriptor", &library.create) &&
           find(handle, "cudnnBackendDestroyDescriptor", &library.destroy) &&
           find(handle, "cudaMalloc", &library.allocate) &&
           find(handle, "cudaFree", &library.release);
}

static void *use_libraries(void *data)
{
    cudnnBackendDescriptor_t descriptors[N];
    void *memory[N];
    bool ok = true;

    for (int i = 0; i < N; i++)
        ok = ok &&
             library.create(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &descriptors[i]) ==
                 CUDNN_STATUS_SUCCESS &&
             library.allocate(&memory[i], 1000) == cudaSuccess;
    sem_post(&made);
    sem_wait(&libraries_ended);
    for (int i = 0; i < N && ok; i++)
        ok = library.destroy(descriptors[i]) == CUDNN_STATUS_SUCCESS &&
             library.release(memory[i]) == cudaSuccess;
    printf("%s 1 - a thread frees what it has after the libraries' destructors\n",
           ok ? "ok" : "not ok");
    return data;
}

static void let_thread_end(void)
{
    sem_post(&libraries_ended);
    pthread_join(thread, NULL);
}

int main(void)
{
    puts("1..1");
    sem_init(&made, 0, 0);
    sem_init(&libraries_ended, 0, 0);
    /* Runs after all handlers that are registered later, so after the destructors of
     * libraries that are loaded later. */
    if (atexit(let_thread_end) != 0 || !load() ||
        pthread_create(&thread, NULL, use_libraries, NULL) != 0) {
        puts("Bail out! the simulated libraries do not load");
        fflush(stdout);
        _Exit(EXIT_FAILURE);
    }
    sem_wait(&made);
    return EXIT_SUCCESS;
}
