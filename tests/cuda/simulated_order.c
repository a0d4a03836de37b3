/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In which order the simulated device runs what is queued. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simulated_work.h"

START_TEST(work_runs_when_something_waits)
{
    float *device = device_floats(N), *pinned = pinned_floats(N);
    cudaStream_t stream = new_stream();

    pinned[0] = 1.0f;
    must(cudaMemcpyAsync(device, pinned, sizeof(float), cudaMemcpyHostToDevice, stream));
    must(affine(stream, device, 2.0f, 1.0f, device, 1));
    must(cudaMemcpyAsync(pinned + 1, device, sizeof(float), cudaMemcpyDeviceToHost,
                         stream));
    ck_assert(isnan(pinned[1]));
    ck_assert_uint_eq(counters().queued, 3);
    pinned[0] = 5.0f; /* too early: the copy has not run */
    must(cudaStreamSynchronize(stream));
    ck_assert(pinned[1] == 11.0f);
    ck_assert_uint_eq(counters().queued, 0);
}
END_TEST

START_TEST(pageable_memory_is_copied_by_the_call)
{
    float *device = device_floats(1), value = 3.0f, result = 0.0f;
    cudaStream_t stream = new_stream();

    must(cudaMemcpyAsync(device, &value, sizeof value, cudaMemcpyHostToDevice, stream));
    value = 4.0f;
    must(cudaMemcpyAsync(&result, device, sizeof result, cudaMemcpyDeviceToHost, stream));
    ck_assert(result == 3.0f);
}
END_TEST

/* A producer and a consumer on two streams, ordered by an event or by nothing. */
static float produce_and_consume(uint64_t seed, bool ordered)
{
    vfi_simulated_reset();
    vfi_simulated_set_seed(seed);
    float *device = device_floats(1), *pinned = pinned_floats(1);
    cudaStream_t producer = new_stream(), consumer = new_stream();
    cudaEvent_t event = new_event();

    must(cudaMemsetAsync(device, 0, sizeof(float), producer));
    must(cudaStreamSynchronize(producer));
    must(affine(producer, device, 1.0f, 1.0f, device, 1));
    must(affine(producer, device, 1.0f, 1.0f, device, 1));
    must(cudaEventRecord(event, producer));
    if (ordered)
        must(cudaStreamWaitEvent(consumer, event, 0));
    must(
        cudaMemcpyAsync(pinned, device, sizeof(float), cudaMemcpyDeviceToHost, consumer));
    must(cudaStreamSynchronize(consumer));
    return *pinned;
}

START_TEST(events_order_streams)
{
    bool seen[3] = {false};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        float value = produce_and_consume(seed, true);
        if (value != 2.0f)
            ck_abort_msg("seed %d: %g", (int)seed, value);
        value = produce_and_consume(seed, false);
        seen[(int)value] = true;
    }
    /* Without the wait the consumer sees each of the producer's states. */
    ck_assert(seen[0] && seen[1] && seen[2]);
}
END_TEST

/* Work on a stream of its own and on the null stream, and the result. */
static float null_stream_after(uint64_t seed, unsigned flags)
{
    vfi_simulated_reset();
    vfi_simulated_set_seed(seed);
    float *device = device_floats(1), *pinned = pinned_floats(1);
    cudaStream_t stream;

    must(cudaStreamCreateWithFlags(&stream, flags));
    must(cudaMemset(device, 0, sizeof(float)));
    must(cudaDeviceSynchronize());
    must(affine(stream, device, 1.0f, 1.0f, device, 1));
    must(affine(NULL, device, 2.0f, 0.0f, device, 1));
    must(affine(stream, device, 1.0f, 10.0f, device, 1));
    must(cudaDeviceSynchronize());
    must(cudaMemcpy(pinned, device, sizeof(float), cudaMemcpyDeviceToHost));
    return *pinned;
}

START_TEST(null_stream_orders_blocking_streams)
{
    bool other = false;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        float value = null_stream_after(seed, cudaStreamDefault);
        if (value != 12.0f)
            ck_abort_msg("seed %d: %g", (int)seed, value);
        other |= null_stream_after(seed, cudaStreamNonBlocking) != 12.0f;
    }
    ck_assert(other);
}
END_TEST

START_TEST(polls_end)
{
    cudaStream_t stream = new_stream();
    cudaEvent_t event = new_event();
    float *device = device_floats(1);
    int polls = 0;

    ck_assert_int_eq(cudaEventQuery(event), cudaSuccess);
    for (int i = 0; i < 20; i++)
        must(affine(stream, device, 1.0f, 1.0f, device, 1));
    must(cudaEventRecord(event, stream));
    while (cudaEventQuery(event) == cudaErrorNotReady)
        polls++;
    ck_assert_int_ge(polls, 2);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorNotReady);
    must(cudaStreamQuery(stream));
}
END_TEST

START_TEST(full_queues_run)
{
    cudaStream_t stream = new_stream();
    float *device = device_floats(1);

    for (int i = 0; i < 3000; i++)
        must(affine(stream, device, 1.0f, 1.0f, device, 1));
    ck_assert_uint_gt(counters().queued, 0);
    ck_assert_uint_lt(counters().queued, 1100);
}
END_TEST

/* ---- graphs ------------------------------------------------------------------------ */

START_TEST(graphs_replay_a_stream)
{
    float *device = device_zeros(1), *pinned = pinned_floats(1);
    cudaStream_t stream = new_stream();
    cudaGraph_t graph;
    cudaGraphExec_t executable;

    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    must(affine(stream, device, 1.0f, 1.0f, device, 1));
    must(affine(stream, device, 2.0f, 0.0f, device, 1));
    must(cudaMemcpyAsync(pinned, device, 4, cudaMemcpyDeviceToHost, stream));
    must(cudaStreamEndCapture(stream, &graph));
    ck_assert_uint_eq(counters().launches, 0);
    must(cudaGraphInstantiate(&executable, graph, 0));
    must(cudaGraphDestroy(graph));
    must(cudaGraphLaunch(executable, stream));
    must(cudaGraphLaunch(executable, stream));
    must(cudaStreamSynchronize(stream));
    ck_assert(*pinned == 6.0f);
    must(cudaGraphLaunch(executable, stream));
    must(cudaGraphExecDestroy(executable));
    must(cudaStreamSynchronize(stream));
    ck_assert(*pinned == 14.0f);
    VfiSimulatedCounters c = counters();
    ck_assert(c.launches == 6 && c.graph_launches == 3 && c.graphs == 0 &&
              c.graph_executables == 0);
}
END_TEST

START_TEST(captures_forbid_waiting)
{
    float *device = device_floats(1), host;
    cudaStream_t stream = new_stream();
    cudaGraph_t graph;
    void *memory;

    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    ck_assert_int_eq(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    ck_assert_int_eq(cudaMalloc(&memory, 1), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
    must(cudaMalloc(&memory, 1));
    ck_assert_int_eq(cudaMemcpyAsync(&host, device, 4, cudaMemcpyDeviceToHost, stream),
                     cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
}
END_TEST

START_TEST(captures_of_others_are_the_threads_choice)
{
    enum cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal;
    cudaStream_t stream = new_stream(), other = new_stream();
    cudaGraph_t graph;

    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    must(cudaThreadExchangeStreamCaptureMode(&mode));
    ck_assert_int_eq(mode, cudaStreamCaptureModeGlobal);
    /* its own capture still forbids it */
    ck_assert_int_eq(cudaStreamSynchronize(other), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
    must(cudaThreadExchangeStreamCaptureMode(&mode));
    ck_assert_int_eq(mode, cudaStreamCaptureModeThreadLocal);
}
END_TEST

/* ---- waits, threads ---------------------------------------------------------------- */

START_TEST(waits_are_listed_and_dropped)
{
    char file[] = "simulated-waits-XXXXXX", site[200] = "", more[200];
    cudaStream_t stream = new_stream();
    float *device = device_floats(1);

    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    close(fd);
    vfi_simulated_list_waits(file);
    for (int i = 0; i < 2; i++) {
        must(affine(stream, device, 0.0f, 1.0f, device, 1));
        if (i == 1)
            vfi_simulated_drop_wait(site);
        for (int k = 0; k < 2; k++)
            must(cudaStreamSynchronize(stream));
        FILE *list = fopen(file, "r");
        ck_assert_ptr_nonnull(fgets(site, sizeof site, list));
        ck_assert_ptr_null(fgets(more, sizeof more, list));
        fclose(list);
        site[strcspn(site, "\n")] = '\0';
        ck_assert_ptr_nonnull(strstr(site, "simulated_order.c:"));
    }
    unlink(file);
    ck_assert_uint_eq(counters().queued, 1);
}
END_TEST

static void *thread_of_work(void *unused)
{
    cudaStream_t stream = new_stream();
    float *device = device_zeros(N), *pinned = pinned_floats(N);

    (void)unused;
    for (int i = 0; i < 200; i++) {
        must(affine(stream, device, 0.0f, (float)i, device, N));
        must(cudaMemcpyAsync(pinned, device, N * 4, cudaMemcpyDeviceToHost, stream));
        must(cudaStreamSynchronize(stream));
        if (pinned[N - 1] != (float)i)
            ck_abort_msg("%g instead of %d", pinned[N - 1], i);
    }
    must(cudaFree(device));
    must(cudaFreeHost(pinned));
    must(cudaStreamDestroy(stream));
    return NULL;
}

START_TEST(threads_share_the_device)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_of_work, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    VfiSimulatedCounters c = counters();
    ck_assert(c.allocations == 0 && c.pinned_allocations == 0 && c.streams == 0 &&
              c.launches == 800 && c.queued == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-simulated_order");
    TCase *tcase = tcase_create("order");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, work_runs_when_something_waits);
    tcase_add_test(tcase, pageable_memory_is_copied_by_the_call);
    tcase_add_test(tcase, events_order_streams);
    tcase_add_test(tcase, null_stream_orders_blocking_streams);
    tcase_add_test(tcase, polls_end);
    tcase_add_test(tcase, full_queues_run);
    tcase_add_test(tcase, graphs_replay_a_stream);
    tcase_add_test(tcase, captures_forbid_waiting);
    tcase_add_test(tcase, captures_of_others_are_the_threads_choice);
    tcase_add_test(tcase, waits_are_listed_and_dropped);
    tcase_add_test(tcase, threads_share_the_device);
    return check_main(suite);
}
