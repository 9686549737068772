#include "lib/io/h5pull.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/io/h5lane.h"

enum { PIECE = 1 << 16 }; /* entries of a task where there are no chunks */

/* ---- from stored numbers to 32 bits ---- */

struct converted {
    uint64_t n_nonzero;
    uint32_t high;
    bool odd;
};

/* One loop per stored type. `from` may lie on any address. */
#define CONVERTER(name, type, good)                                                                \
    static void name(const unsigned char *from, size_t n, uint32_t *to, struct converted *c)       \
    {                                                                                              \
        uint64_t n_nonzero = 0;                                                                    \
        uint32_t high = 0, odd = 0;                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            type v;                                                                                \
            memcpy(&v, from + i * sizeof v, sizeof v);                                             \
            uint32_t u = (good) ? (uint32_t)(int32_t)v : 0;                                        \
            odd |= (type)u != v;                                                                   \
            to[i] = u;                                                                             \
            n_nonzero += u != 0;                                                                   \
            high = u > high ? u : high;                                                            \
        }                                                                                          \
        *c = (struct converted){ n_nonzero, high, odd != 0 };                                      \
    }
CONVERTER(from_i8, int8_t, v >= 0)
CONVERTER(from_u8, uint8_t, true)
CONVERTER(from_i16, int16_t, v >= 0)
CONVERTER(from_u16, uint16_t, true)
CONVERTER(from_i32, int32_t, v >= 0)
CONVERTER(from_u32, uint32_t, v <= INT32_MAX)
CONVERTER(from_i64, int64_t, v >= 0 && v <= INT32_MAX)
CONVERTER(from_u64, uint64_t, v <= INT32_MAX)
CONVERTER(from_f32, float, v >= 0 && v < 2147483648.0f)
CONVERTER(from_f64, double, v >= 0 && v < 2147483648.0)

static void (*const converter[H5_N_LANES])(const unsigned char *, size_t, uint32_t *, struct converted *) = {
    from_i8, from_u8, from_i16, from_u16, from_i32, from_u32, from_i64, from_u64, from_f32, from_f64
};
/* ---- open, close ---- */

/* How it is stored; what we do not unpack is checked before HDF5 reads it. */
static enum rc look(struct h5_pull *p, struct err *e)
{
    hid_t type = H5Dget_type(p->d.id), dcpl = H5Dget_create_plist(p->d.id);
    hsize_t chunk[H5S_MAX_RANK] = { 0 };
    p->lane = h5_lane_of(type);
    p->item_bytes = H5Tget_size(type);
    bool chunked = H5Pget_layout(dcpl) == H5D_CHUNKED &&
                   H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk) == 1 && chunk[0];
    bool ours = chunked && p->lane >= 0 && H5Pget_nfilters(dcpl) > 0 &&
                h5_filters_of(dcpl, &p->filters) && !p->filters.has_sum;
    p->chunk = ours ? chunk[0] : 0;
    p->filters.item_bytes = p->item_bytes;
    p->filters.chunk_bytes = (size_t)chunk[0] * p->item_bytes;
    enum rc rc = RC_OK;
    if (!ours && chunked && H5Pget_nfilters(dcpl) > 0)
        rc = h5_check_chunks(&p->d, dcpl, e);
    H5Pclose(dcpl);
    H5Tclose(type);
    return rc;
}

enum rc h5_pull_open(hid_t at, const char *name, bool whole, struct h5_pull *p, struct err *e)
{
    *p = (struct h5_pull){ .lane = -1 };
    if (h5_data_open_packed(at, name, &p->d, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_data_want_1d(&p->d, UINT64_MAX, e);
    bool fits = h5_is_number(&p->d) && !(whole && p->d.type == H5_FLOAT);
    if (!rc && !fits)
        rc = err_set(e, RC_INPUT, "'%s' are %s, not %s", name, h5_type_name(p->d.type),
                     whole ? "whole numbers" : "numbers");
    if (!rc)
        rc = look(p, e);
    if (rc)
        h5_pull_close(p);
    return rc;
}

void h5_pull_close(struct h5_pull *p)
{
    h5_data_close(&p->d);
    free(p->value);
    free(p->odd);
    *p = (struct h5_pull){ .d.id = -1, .lane = -1 };
}

/* ---- a round ---- */

struct pull_task {
    struct h5_pull *p;
    uint64_t at, n; /* entries */
    size_t from, n_bytes; /* in `stored` */
    uint32_t skipped;
    bool packed;
    enum rc rc;
    struct converted got;
};

void h5_puller_release(struct h5_puller *q)
{
    for (int i = 0; i < q->n_unpackers; i++)
        h5_unpacker_release(&q->unpacker[i]);
    free(q->unpacker);
    free(q->stored);
    free(q->task);
    *q = (struct h5_puller){ 0 };
}

static enum rc no_memory(const struct h5_pull *p, struct err *e)
{
    return err_set(e, RC_FAIL, "no memory to read '%s'", p->d.name);
}

/* Room for n more stored bytes, on a multiple of 16. */
static bool grow_stored(struct h5_puller *q, size_t n)
{
    q->stored_bytes = (q->stored_bytes + 15) / 16 * 16;
    if (n > SIZE_MAX / 4 - q->stored_bytes)
        return false;
    if (q->stored_bytes + n <= q->room)
        return true;
    size_t room = q->stored_bytes + n + q->room / 2;
    unsigned char *more = realloc(q->stored, room);
    if (!more)
        return false;
    q->stored = more;
    q->room = room;
    return true;
}

static struct pull_task *add_task(struct h5_puller *q, struct h5_pull *p, uint64_t at, uint64_t n,
                                  struct err *e)
{
    if (q->n_tasks == q->task_room) {
        size_t room = 2 * q->task_room + 64;
        struct pull_task *more = realloc(q->task, room * sizeof *more);
        if (!more) {
            no_memory(p, e);
            return NULL;
        }
        q->task = more;
        q->task_room = room;
    }
    struct pull_task *t = &q->task[q->n_tasks++];
    *t = (struct pull_task){ .p = p, .at = at, .n = n };
    return t;
}

/* Numbers as HDF5 gives them, in the stored type where that is the machine's. */
static enum rc fetch_plain(struct h5_puller *q, struct h5_pull *p, uint64_t at, uint64_t n,
                           struct err *e)
{
    enum h5_lane lane = p->lane >= 0             ? (enum h5_lane)p->lane
                        : p->d.type == H5_FLOAT ? H5_LANE_F64
                                                : H5_LANE_I64;
    /* Unsigned ones beyond 2^63 are clipped there, which is odd as well. */
    if (!grow_stored(q, (size_t)n * h5_lane_bytes(lane)))
        return no_memory(p, e);
    size_t from = q->stored_bytes;
    if (h5_read_rows(&p->d, at, n, h5_lane_type(lane), q->stored + from, e))
        return e ? e->rc : RC_INPUT;
    p->lane = lane;
    p->item_bytes = h5_lane_bytes(lane);
    q->stored_bytes += (size_t)n * p->item_bytes;
    for (uint64_t k = 0; k < n; k += PIECE) {
        uint64_t m = n - k < PIECE ? n - k : PIECE;
        struct pull_task *t = add_task(q, p, at + k, m, e);
        if (!t)
            return RC_FAIL;
        t->from = from + (size_t)k * p->item_bytes;
        t->n_bytes = (size_t)m * p->item_bytes;
    }
    return RC_OK;
}

/* One chunk as it is stored. One that was never written holds fill values: HDF5 knows them. */
static enum rc fetch_chunk(struct h5_puller *q, struct h5_pull *p, uint64_t at, uint64_t n,
                           struct err *e)
{
    hsize_t stored = 0, offset = at;
    if (H5Dget_chunk_storage_size(p->d.id, &offset, &stored) < 0 || stored == 0) {
        H5Eclear2(H5E_DEFAULT);
        return fetch_plain(q, p, at, n, e);
    }
    uint64_t file_bytes = h5_file_bytes(p->d.id);
    if (stored > file_bytes || stored > (hsize_t)1 << 32)
        return err_set(e, RC_INPUT, "'%s': a chunk of %llu bytes is larger than the file",
                       p->d.name, (unsigned long long)stored);
    struct pull_task *t = add_task(q, p, at, n, e);
    if (!t || !grow_stored(q, (size_t)stored))
        return t ? no_memory(p, e) : RC_FAIL;
    t->from = q->stored_bytes;
    t->n_bytes = (size_t)stored;
    t->packed = true;
    q->stored_bytes += (size_t)stored;
    if (H5Dread_chunk(p->d.id, H5P_DEFAULT, &offset, &t->skipped, q->stored + t->from) < 0)
        return h5_err(e, RC_INPUT, "cannot read '%s'", p->d.name);
    return RC_OK;
}

/* Drops what lies in front of `at`; room for entries up to `end`. */
static enum rc move_window(struct h5_pull *p, uint64_t at, uint64_t end, struct err *e)
{
    assert(at >= p->first);
    uint64_t gone = at - p->first < p->n ? at - p->first : p->n;
    p->n -= gone;
    if (gone && p->n)
        memmove(p->value, p->value + gone, (size_t)p->n * sizeof *p->value);
    /* After a jump over whole chunks the window begins with a chunk. */
    p->first = p->n == 0 && p->chunk ? at / p->chunk * p->chunk : at;
    size_t k = 0;
    while (k < p->n_odd && p->odd[k].at + p->odd[k].n <= at)
        k++;
    p->n_odd -= k;
    if (k && p->n_odd)
        memmove(p->odd, p->odd + k, p->n_odd * sizeof *p->odd);
    uint64_t need = end - p->first + p->chunk;
    if (need > SIZE_MAX / 8)
        return no_memory(p, e);
    if (need > p->room) {
        uint32_t *more = realloc(p->value, (size_t)(need + need / 8) * sizeof *more);
        if (!more)
            return no_memory(p, e);
        p->value = more;
        p->room = need + need / 8;
    }
    return RC_OK;
}

static enum rc fetch(struct h5_puller *q, struct h5_pull *p, uint64_t at, uint64_t end,
                     struct err *e)
{
    if (move_window(p, at, end, e))
        return RC_FAIL;
    uint64_t from = p->first + p->n;
    if (from >= end)
        return RC_OK;
    if (!p->chunk) {
        p->n = end - p->first;
        return fetch_plain(q, p, from, end - from, e);
    }
    enum rc rc = RC_OK;
    for (; !rc && from < end; from += p->chunk) {
        uint64_t left = p->d.n_items - from, n = left < p->chunk ? left : p->chunk;
        rc = fetch_chunk(q, p, from, n, e);
        p->n += n;
    }
    return rc;
}

static void run_task(void *ctx, size_t i, int worker)
{
    struct h5_puller *q = ctx;
    struct pull_task *t = &q->task[i];
    const unsigned char *from = q->stored + t->from;
    if (t->packed)
        t->rc = h5_unpack(&q->unpacker[worker], &t->p->filters, from, t->n_bytes, t->skipped, &from);
    if (!t->rc)
        converter[t->p->lane](from, (size_t)t->n, h5_pull_at(t->p, t->at), &t->got);
}

static enum rc take(struct pull_task *t, struct err *e)
{
    struct h5_pull *p = t->p;
    if (t->rc == RC_FAIL)
        return no_memory(p, e);
    if (t->rc)
        return err_set(e, RC_INPUT, "'%s': a chunk is damaged: it does not unpack to %zu bytes",
                       p->d.name, p->filters.chunk_bytes);
    if (!t->got.odd) {
        p->n_nonzero += t->got.n_nonzero;
        p->high = t->got.high > p->high ? t->got.high : p->high;
        return RC_OK;
    }
    if (p->n_odd == p->room_odd) {
        size_t room = 2 * p->room_odd + 16;
        struct h5_span *more = realloc(p->odd, room * sizeof *more);
        if (!more)
            return no_memory(p, e);
        p->odd = more;
        p->room_odd = room;
    }
    p->odd[p->n_odd++] = (struct h5_span){ t->at, t->n };
    return RC_OK;
}

enum rc h5_pull_need(struct h5_puller *q, struct h5_pull *const *p, int n_pulls, uint64_t at,
                     uint64_t n, struct err *e)
{
    enum rc rc = RC_OK;
    if (n == 0)
        return RC_OK;
    if (!q->unpacker) {
        q->unpacker = calloc((size_t)threads_count(), sizeof *q->unpacker);
        if (!q->unpacker)
            return no_memory(p[0], e);
        q->n_unpackers = threads_count();
    }
    q->n_tasks = q->stored_bytes = 0;
    for (int i = 0; !rc && i < n_pulls; i++) {
        assert(at <= p[i]->d.n_items && n <= p[i]->d.n_items - at);
        rc = fetch(q, p[i], at, at + n, e);
    }
    if (!rc)
        threads_for(q->n_tasks, run_task, q);
    for (size_t i = 0; !rc && i < q->n_tasks; i++)
        rc = take(&q->task[i], e);
    return rc;
}
