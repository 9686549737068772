/* The layer of lib/tensor/cuda_device.h without a device: memory is apart (memory.cpp), work is done at once,
 * products are plain loops. Exchange between ranks: ranks.cpp. */
#include "lib/tensor/cuda_device.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tensor/cuda_facts.h"
#include "tests/cuemu/cuemu.h"
#include "tests/cuemu/memory.h"
#include "tests/cuemu/ranks.h"

/* How often device memory was asked for, how often the host waited, and how many bytes were set to
 * zero; for tests. */
extern "C" {
size_t cuemu_allocations, cuemu_waits, cuemu_zeroed;
}

bool cuda_open(struct cuda *c, bool bf16, const char **why)
{
    *why = NULL;
    *c = {};
    c->bf16 = bf16;
    c->capability = 90;
    c->multiprocessors = 2; /* so that blocks that go over tiles have several */
    return true;
}

void cuda_close(struct cuda *c)
{
    cuemu_release(c->work);
    *c = {};
}

int cuda_reserve(struct cuda *c, size_t n_bytes)
{
    if (n_bytes <= c->work_bytes)
        return 0;
    cuemu_allocations++;
    cuemu_waits++;
    cuemu_release(c->work);
    c->work = (char *)cuemu_memory(n_bytes);
    c->work_bytes = c->work ? n_bytes : 0;
    return !c->work;
}

int cuda_wait(const struct cuda *)
{
    cuemu_waits++;
    return 0;
}

/* As small a machine as there is: nobody takes its numbers for a device's. */
void cuda_facts(struct cuda_facts *f)
{
    *f = {};
    f->emulated = true;
    snprintf(f->name, sizeof f->name, "emulation on a processor");
    f->n_devices = 1;
    f->capability = 90;
    f->multiprocessors = 2;
    f->memory_bytes = f->free_bytes = (size_t)1 << 30;
}

size_t cuda_memory_peak(void)
{
    return cuemu_memory_peak();
}

const char *cuda_text(int status)
{
    return !status                   ? "no error"
           : status == CUEMU_RANK_LOST ? "another rank is lost"
                                       : "a launch that a device would refuse, or no memory";
}

void *cuda_memory(size_t n_bytes)
{
    cuemu_allocations++;
    return cuemu_memory(n_bytes);
}

/* On a device it waits for all that was queued. */
void cuda_release(void *p)
{
    cuemu_waits += p != NULL;
    cuemu_release(p);
}

void *cuda_host_memory(size_t n_bytes)
{
    cuemu_allocations++;
    return malloc(n_bytes ? n_bytes : 1);
}

void cuda_host_release(void *p)
{
    free(p);
}

int cuda_copy(const struct cuda *, void *to, const void *from, size_t n_bytes)
{
    cuemu_open();
    if (n_bytes)
        memmove(to, from, n_bytes);
    cuemu_close();
    return 0;
}

int cuda_zero(const struct cuda *, void *to, size_t n_bytes)
{
    cuemu_zeroed += n_bytes;
    cuemu_open();
    if (n_bytes)
        memset(to, 0, n_bytes);
    cuemu_close();
    return 0;
}

static float item(const void *x, size_t i, bool bf16)
{
    if (!bf16)
        return ((const float *)x)[i];
    const uint32_t bits = (uint32_t)((const uint16_t *)x)[i] << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void put(void *x, size_t i, bool bf16, float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    if (!bf16)
        ((float *)x)[i] = f;
    else if (f != f)
        ((uint16_t *)x)[i] = (uint16_t)(bits >> 16 | 0x40);
    else
        ((uint16_t *)x)[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* A dense copy [rows,cols] of x, or of its transpose. */
static float *dense(const void *x, size_t ld, bool turn, bool bf16, size_t rows, size_t cols)
{
    float *to = (float *)malloc((rows * cols + 1) * sizeof *to);
    for (size_t i = 0; to && i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            to[i * cols + j] = item(x, turn ? j * ld + i : i * ld + j, bf16);
    return to;
}

static int multiply(const struct cuda_product *p)
{
    float *a = dense(p->a, p->ld_a, p->turn_a, p->bf16, p->m, p->k);
    float *b = dense(p->b, p->ld_b, p->turn_b, p->bf16, p->k, p->n);
    float *sum = (float *)malloc((p->n + 1) * sizeof *sum);
    const bool good = a && b && sum;
    for (size_t i = 0; good && i < p->m; i++) {
        memset(sum, 0, p->n * sizeof *sum);
        for (size_t k = 0; k < p->k; k++)
            for (size_t j = 0; j < p->n; j++)
                sum[j] += a[i * p->k + k] * b[k * p->n + j];
        for (size_t j = 0; j < p->n; j++) {
            const size_t at = i * p->ld_out + j;
            const float before = p->beta == 0 ? 0 : p->beta * item(p->out, at, p->out_bf16);
            const float bias = p->bias ? item(p->bias, j, p->out_bf16) : 0;
            put(p->out, at, p->out_bf16, before + sum[j] + bias);
        }
    }
    free(a);
    free(b);
    free(sum);
    return !good;
}

int cuda_multiply(const struct cuda *, const struct cuda_product *p)
{
    const void *const all[] = { p->a, p->b, p->bias, p->out };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] && !cuemu_has(all[i]))
            cuemu_die("a product is given an address of the host");
    cuemu_open();
    const int status = multiply(p);
    cuemu_close();
    return status;
}
