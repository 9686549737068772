/* The thin layer between the cuda kernels and the libraries of a device: memory, one stream, matrix
 * products (cuBLASLt) and exchange between ranks (NCCL). lib/tensor/cuda_*.cu fill it on a device;
 * tests/cuemu/device.cpp fills it with plain loops, so that everything above runs without one.
 *
 * A status is 0 or a code that cuda_text turns into words. What takes a `struct cuda` is queued on
 * its stream and returns at once, except cuda_open, cuda_close, cuda_reserve and cuda_wait. */
#ifndef GC_TENSOR_CUDA_DEVICE_H
#define GC_TENSOR_CUDA_DEVICE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/tensor/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cuda {
    void *stream;
    void *products; /* the product library and its plans */
    char *work;     /* scratch of one launcher at a time, device memory, 256-byte aligned */
    size_t work_bytes;
    bool bf16; /* products take their inputs rounded to bf16 and add in f32; else all is f32 */
    int capability; /* of the device, ten times its major number and its minor one */
    int multiprocessors;
};

/* The device whose number is this process's among those that mpirun or srun started on this
 * machine, device 0 where neither did. On failure *c is empty and *why says what this machine
 * lacks. */
bool cuda_open(struct cuda *c, bool bf16, const char **why);
void cuda_close(struct cuda *c);
/* At least n bytes of work; waits for the stream when it must grow. */
int cuda_reserve(struct cuda *c, size_t n_bytes);
int cuda_wait(const struct cuda *c);
const char *cuda_text(int status);

void *cuda_memory(size_t n_bytes); /* NULL when short */
void cuda_release(void *p);
/* Memory of the host that copies to the device need not wait for; NULL when short. */
void *cuda_host_memory(size_t n_bytes);
void cuda_host_release(void *p);
int cuda_copy(const struct cuda *c, void *to, const void *from, size_t n_bytes); /* any direction */
int cuda_zero(const struct cuda *c, void *to, size_t n_bytes);

/* out[m,n] = a' b' + beta out + bias, all row-major. a' is a[m,k], or the transpose of a[k,m] where
 * turn_a; b' is b[k,n], or the transpose of b[n,k] where turn_b. bias [n], of the type of out, or
 * NULL. Sums in f32; what is added to them is added before out is rounded.
 * The same arguments give the same bytes: no split sums by atomics. */
struct cuda_product {
    size_t m, n, k;
    const void *a, *b;
    size_t ld_a, ld_b;
    bool turn_a, turn_b;
    bool bf16;     /* what a and b hold; else f32 */
    bool out_bf16; /* what out and bias hold, where a and b do; else f32 */
    float beta;
    const void *bias;
    void *out;
    size_t ld_out;
};
int cuda_multiply(const struct cuda *c, const struct cuda_product *p);

/* What a kernel hands to the instruction that copies tiles of a matrix (kernels/cuda_tiles.h). */
struct cuda_tile_map {
    alignas(64) char words[128];
};
/* Of a bf16 matrix x[rows,cols] whose rows lie ld apart: tiles of box_rows rows, at most 256, of 64
 * columns, pieces of 16 bytes placed as kernels/cuda_wgmma.h says. x on 16 bytes, ld a multiple of 8,
 * neither rows nor cols 0. Queues nothing; a status. */
int cuda_tile_map(struct cuda_tile_map *map, const void *x, size_t rows, size_t cols, size_t ld,
                  unsigned box_rows);

/* Ranks, one device each. The id is made by one of them and handed to all. Nothing is added here:
 * ranks exchange bytes, and who adds them decides the order (lib/nn/grad_share.h). */
enum { CUDA_ID_BYTES = 128 };
struct cuda_ranks {
    void *handle;
    void *stream; /* a second one */
    void *event;
    int rank, n_ranks;
};
int cuda_ranks_id(char id[CUDA_ID_BYTES]);
/* Waits for all ranks. */
int cuda_ranks_open(struct cuda_ranks *r, const char id[CUDA_ID_BYTES], int rank, int n_ranks);
void cuda_ranks_close(struct cuda_ranks *r);
/* What is queued on stream `second` from now on begins behind what is queued on `first` so far. */
int cuda_ranks_follow(struct cuda_ranks *r, void *first, void *second);
/* All at once, on c->stream. Each send meets the receive of its peer, of the same length; several
 * between the same two ranks meet in their order. A rank may send to itself. */
int cuda_ranks_exchange(const struct cuda *c, const struct cuda_ranks *r,
                        const struct backend_transfer *send, size_t n_send,
                        const struct backend_transfer *recv, size_t n_recv);
/* As cuda_wait, on c->stream; a status when another rank is lost. */
int cuda_ranks_wait(const struct cuda *c, struct cuda_ranks *r);

#ifdef __cplusplus
}
#endif
#endif
