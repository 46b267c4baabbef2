/* SPDX-License-Identifier: Apache-2.0 */
/* As much of NCCL as our host code calls, likewise. */
#ifndef STAND_IN_NCCL_H
#define STAND_IN_NCCL_H

#include <stddef.h>

#define NCCL_VERSION_CODE 22800
#define NCCL_WIN_COLL_SYMMETRIC 1

typedef struct stand_in_comm *ncclComm_t;
typedef struct stand_in_window *ncclWindow_t;
typedef struct ncclUniqueId {
    char internal[128];
} ncclUniqueId;
typedef enum { ncclSuccess } ncclResult_t;

const char *ncclGetErrorString(ncclResult_t result);
ncclResult_t ncclGetVersion(int *version);
ncclResult_t ncclGetUniqueId(ncclUniqueId *id);
ncclResult_t ncclCommInitRank(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank);
ncclResult_t ncclCommAbort(ncclComm_t comm);
ncclResult_t ncclCommWindowRegister(ncclComm_t comm, void *memory, size_t size,
                                    ncclWindow_t *window, int flags);
ncclResult_t ncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t window);
ncclResult_t ncclMemAlloc(void **memory, size_t size);
ncclResult_t ncclMemFree(void *memory);

#endif
