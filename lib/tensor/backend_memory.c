/* Bytes and reals into and out of the memory of a backend. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/tensor/backend.h"

void *backend_get(const struct backend *b, size_t n_bytes)
{
    return b->memory ? b->memory->get(n_bytes) : memory_pages(n_bytes ? n_bytes : 64);
}

void backend_give(const struct backend *b, void *p)
{
    if (!b || !b->memory)
        free(p);
    else if (p)
        b->memory->give(p);
}

void backend_write(const struct backend *b, void *to, const void *from, size_t n_bytes)
{
    if (b->memory)
        b->memory->write(to, from, n_bytes);
    else if (n_bytes)
        memcpy(to, from, n_bytes);
}

void backend_read(const struct backend *b, void *to, const void *from, size_t n_bytes)
{
    if (b->memory) {
        b->memory->read(to, from, n_bytes);
        b->memory->wait();
    } else if (n_bytes) {
        memcpy(to, from, n_bytes);
    }
}

void backend_copy(const struct backend *b, void *to, const void *from, size_t n_bytes)
{
    if (b->memory)
        b->memory->copy(to, from, n_bytes);
    else if (n_bytes)
        memcpy(to, from, n_bytes);
}

void backend_zero(const struct backend *b, void *to, size_t n_bytes)
{
    if (b->memory)
        b->memory->zero(to, n_bytes);
    else if (n_bytes)
        memset(to, 0, n_bytes);
}

void reals_from_f32(const struct backend *b, void *to, const float *from, size_t n)
{
    if (b->type == REAL_F32) {
        backend_write(b, to, from, n * sizeof *from);
        return;
    }
    double *d = to;
    for (size_t i = 0; i < n; i++)
        d[i] = (double)from[i];
}

void reals_to_f32(const struct backend *b, float *to, const void *from, size_t n)
{
    if (b->type == REAL_F32) {
        backend_read(b, to, from, n * sizeof *to);
        return;
    }
    const double *d = from;
    for (size_t i = 0; i < n; i++)
        to[i] = (float)d[i];
}

enum { PIECE = 1024 };

/* Memory of others holds floats. */
void reals_from_f64(const struct backend *b, void *to, const double *from, size_t n)
{
    float *f = to, piece[PIECE];
    double *d = to;
    for (size_t i = 0; i < n && b->type == REAL_F64; i++)
        d[i] = from[i];
    for (size_t i = 0; i < n && b->type == REAL_F32 && !b->memory; i++)
        f[i] = (float)from[i];
    for (size_t at = 0; at < n && b->memory; at += PIECE) {
        const size_t m = n - at < PIECE ? n - at : PIECE;
        for (size_t i = 0; i < m; i++)
            piece[i] = (float)from[at + i];
        b->memory->write(f + at, piece, m * sizeof *piece);
    }
}

void reals_to_f64(const struct backend *b, double *to, const void *from, size_t n)
{
    const float *f = from;
    const double *d = from;
    if (b->memory && n) { /* floats into the upper half, then widened from below */
        f = (float *)to + n;
        backend_read(b, (float *)to + n, from, n * sizeof *f);
    }
    for (size_t i = 0; i < n; i++) {
        float x = 0;
        if (b->type == REAL_F32)
            memcpy(&x, (const char *)f + i * sizeof x, sizeof x);
        to[i] = b->type == REAL_F32 ? (double)x : d[i];
    }
}
