/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How tests steer the simulated cuDNN (libcudnn.so.9 in this folder of the build). Read
 * once when it is loaded: VFI_SIMULATED_CUDNN_VERSION, VFI_SIMULATED_CUDNN_FAIL_CREATE,
 * VFI_SIMULATED_CUDNN_FAIL_EXECUTE and VFI_SIMULATED_CUDNN_REFUSE_ENGINES, numbers with
 * the meaning of the functions' arguments. */
#pragma once

#include <cudnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The @nth next call of cudnnCreate(), or of cudnnBackendExecute(), fails and queues
 * nothing; 0: none does. */
void cudnnSimulatedFailCreate(int64_t nth);
void cudnnSimulatedFailExecute(int64_t nth);

/* Engines, bit by index, whose executions all fail. */
void cudnnSimulatedRefuseEngines(uint64_t bits);

/* What cudnnGetVersion() says. */
void cudnnSimulatedSetVersion(size_t version);

/* Handles and descriptors that exist. */
size_t cudnnSimulatedLive(void);

/* Executions queued, and handles made, since the process began. */
size_t cudnnSimulatedExecutions(void);
size_t cudnnSimulatedHandlesMade(void);

#ifdef __cplusplus
}
#endif
