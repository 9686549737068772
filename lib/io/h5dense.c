/* Dense matrices in HDF5 to counts, piece by piece.
 *
 * A band is a row of chunks. Its chunks are fetched as they are stored, some MB of numbers at a
 * time, and unpacked by all threads, each to a list of what is not 0. The lists go on in the order
 * of the chunks. Where cells are rows a band is sorted into rows and done; where they are columns
 * (loom) all of it is turned (turn.h). What is stored in another way, and a chunk with a value that
 * is no small whole number, is read through HDF5. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/io/h5filter.h"
#include "lib/io/h5find.h"
#include "lib/io/sparse.h"
#include "lib/io/turn.h"

enum { ROUND_ITEMS = 1 << 21 };

/* ---- one matrix ---- */

struct piece { /* of one chunk, or what HDF5 reads at once */
    uint64_t row, col, n_rows, n_cols;
    size_t from, n_bytes; /* in `stored` */
    uint32_t skipped;
    bool absent; /* never written: fill values */
    enum rc rc;
    struct found found;
};

struct dense {
    const struct h5_data *d;
    struct source *s;
    bool cols_are_cells;
    struct turn turn; /* of the whole matrix, or of a band */
    uint64_t first;   /* row of that band */
    enum h5_lane lane;
    bool ours; /* chunks are unpacked here */
    uint64_t chunk[2];
    struct h5_filters filters;
    struct h5_unpacker *unpacker; /* one a thread; owned, as are the others */
    int n_unpackers;
    struct piece *piece;
    size_t n_pieces, room_pieces;
    unsigned char *stored;
    size_t stored_bytes, room_stored;
    struct entry *entry; /* [ROUND_ITEMS], or of a whole row */
    double *number;
    size_t room_numbers;
};

static void release(struct dense *m)
{
    for (int i = 0; i < m->n_unpackers; i++)
        h5_unpacker_release(&m->unpacker[i]);
    free(m->unpacker);
    free(m->piece);
    free(m->stored);
    free(m->entry);
    free(m->number);
    turn_release(&m->turn);
}

static enum rc no_memory(const struct dense *m, struct err *e)
{
    return err_set(e, RC_FAIL, "no memory to read '%s'", m->d->name);
}

/* How it is stored; what we do not unpack is checked before HDF5 reads it. */
static enum rc look(struct dense *m, struct err *e)
{
    const struct h5_data *d = m->d;
    hid_t type = H5Dget_type(d->id), dcpl = H5Dget_create_plist(d->id);
    hsize_t chunk[H5S_MAX_RANK] = { 0 };
    uint64_t n_cols = d->dim[1] ? d->dim[1] : 1;
    m->lane = h5_is_number(d) ? h5_lane_of(type) : H5_LANE_NONE;
    bool chunked = H5Pget_layout(dcpl) == H5D_CHUNKED &&
                   H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk) == 2 && chunk[0] && chunk[1];
    m->ours = chunked && m->lane != H5_LANE_NONE && h5_filters_of(dcpl, &m->filters) &&
              !m->filters.has_sum;
    enum rc rc = RC_OK;
    if (chunked && !m->ours && H5Pget_nfilters(dcpl) > 0)
        rc = h5_check_chunks(d, dcpl, e);
    if (m->ours) {
        m->filters.item_bytes = H5Tget_size(type);
        m->filters.chunk_bytes = (size_t)(chunk[0] * chunk[1]) * m->filters.item_bytes;
    } else if (!chunked) {
        chunk[1] = n_cols < ROUND_ITEMS ? n_cols : ROUND_ITEMS;
        chunk[0] = ROUND_ITEMS / chunk[1];
    }
    m->chunk[0] = chunk[0];
    m->chunk[1] = chunk[1];
    H5Pclose(dcpl);
    H5Tclose(type);
    return rc;
}

static enum rc prepare(struct dense *m, struct err *e)
{
    enum rc rc = look(m, e);
    if (rc || !m->ours)
        return rc;
    /* A slice of a chunk that is larger than a round is one row at least. */
    uint64_t room = m->chunk[1] < m->d->dim[1] ? m->chunk[1] : m->d->dim[1];
    room = room > ROUND_ITEMS ? room : ROUND_ITEMS;
    m->entry = malloc(((size_t)room + 1) * sizeof *m->entry);
    m->unpacker = calloc((size_t)threads_count(), sizeof *m->unpacker);
    if (!m->entry || !m->unpacker)
        return no_memory(m, e);
    m->n_unpackers = threads_count();
    return RC_OK;
}

/* ---- going on ---- */

static enum rc add(struct dense *m, uint32_t row, uint32_t col, uint32_t value, struct err *e)
{
    return m->cols_are_cells ? turn_add(&m->turn, col, row, value, e)
                             : turn_add(&m->turn, row - (uint32_t)m->first, col, value, e);
}

static enum rc add_found(struct dense *m, const struct found *f, struct err *e)
{
    struct counts_check *c = &m->s->check;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < f->n; i++)
        rc = add(m, f->to[i].row, f->to[i].col, f->to[i].value, e);
    c->n += f->n;
    c->high = f->high > c->high ? f->high : c->high;
    return rc;
}

/* A piece through HDF5, some of its rows at a time. */
static enum rc add_numbers(struct dense *m, const struct piece *p, struct err *e)
{
    uint64_t step = p->n_cols < ROUND_ITEMS ? ROUND_ITEMS / p->n_cols : 1;
    step = step < p->n_rows ? step : p->n_rows;
    if (step * p->n_cols > m->room_numbers) {
        free(m->number);
        m->room_numbers = (size_t)(step * p->n_cols);
        m->number = malloc(m->room_numbers * sizeof *m->number);
        if (!m->number)
            return no_memory(m, e);
    }
    enum rc rc = RC_OK;
    for (uint64_t r = 0, n; !rc && r < p->n_rows; r += n) {
        n = p->n_rows - r < step ? p->n_rows - r : step;
        rc = h5_read_block_f64(m->d, p->row + r, n, p->col, p->n_cols, m->number, e);
        for (uint64_t k = 0; !rc && k < n * p->n_cols; k++) {
            if (m->number[k] == 0)
                continue;
            uint64_t row = p->row + r + k / p->n_cols, col = p->col + k % p->n_cols;
            uint32_t v = m->cols_are_cells ? counts_take(&m->s->check, m->number[k], col, row)
                                           : counts_take(&m->s->check, m->number[k], row, col);
            if (v)
                rc = add(m, (uint32_t)row, (uint32_t)col, v, e);
        }
    }
    return rc;
}

/* ---- chunks ---- */

static bool grow_stored(struct dense *m, size_t n)
{
    if (n <= m->room_stored - m->stored_bytes)
        return true;
    size_t room = m->stored_bytes + n + m->room_stored / 2;
    unsigned char *more = realloc(m->stored, room);
    if (!more)
        return false;
    m->stored = more;
    m->room_stored = room;
    return true;
}

/* The chunk as it is stored, behind what was fetched. */
static enum rc fetch(struct dense *m, struct piece *p, struct err *e)
{
    const hsize_t at[2] = { p->row, p->col };
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(m->d->id, at, &stored) < 0 || stored == 0) {
        H5Eclear2(H5E_DEFAULT);
        p->absent = true;
        return RC_OK;
    }
    if (stored > h5_file_bytes(m->d->id) || stored > (hsize_t)1 << 32)
        return err_set(e, RC_INPUT, "'%s': a chunk of %llu bytes is larger than the file",
                       m->d->name, (unsigned long long)stored);
    if (!grow_stored(m, (size_t)stored))
        return no_memory(m, e);
    p->from = m->stored_bytes;
    p->n_bytes = (size_t)stored;
    m->stored_bytes += p->n_bytes;
    if (H5Dread_chunk(m->d->id, H5P_DEFAULT, at, &p->skipped, m->stored + p->from) < 0)
        return h5_err(e, RC_INPUT, "cannot read '%s'", m->d->name);
    return RC_OK;
}

/* Rows [first, first + n) of an unpacked chunk. */
static void find_rows(const struct dense *m, struct piece *p, const unsigned char *chunk,
                      uint64_t first, uint64_t n)
{
    size_t row_bytes = (size_t)m->chunk[1] * m->filters.item_bytes;
    for (uint64_t r = first; r < first + n; r++)
        h5_find(m->lane, chunk + (size_t)r * row_bytes, (size_t)p->n_cols, (uint32_t)(p->row + r),
                (uint32_t)p->col, &p->found);
}

static void run_piece(void *ctx, size_t i, int worker)
{
    struct dense *m = ctx;
    struct piece *p = &m->piece[i];
    const unsigned char *chunk;
    if (p->absent)
        return;
    p->rc = h5_unpack(&m->unpacker[worker], &m->filters, m->stored + p->from, p->n_bytes,
                      p->skipped, &chunk);
    if (!p->rc)
        find_rows(m, p, chunk, 0, p->n_rows);
}

static enum rc refuse_chunk(const struct dense *m, enum rc rc, struct err *e)
{
    return rc == RC_FAIL
               ? no_memory(m, e)
               : err_set(e, RC_INPUT, "'%s': a chunk is damaged: it does not unpack to %zu bytes",
                         m->d->name, m->filters.chunk_bytes);
}

/* One chunk that is larger than a round, slice by slice. */
static enum rc read_large(struct dense *m, struct piece *p, struct err *e)
{
    const unsigned char *chunk;
    if (p->absent)
        return add_numbers(m, p, e);
    enum rc rc = h5_unpack(&m->unpacker[0], &m->filters, m->stored + p->from, p->n_bytes,
                           p->skipped, &chunk);
    if (rc)
        return refuse_chunk(m, rc, e);
    uint64_t step = p->n_cols < ROUND_ITEMS ? ROUND_ITEMS / p->n_cols : 1;
    for (uint64_t r = 0, n; !rc && r < p->n_rows; r += n) {
        struct piece slice = *p;
        n = p->n_rows - r < step ? p->n_rows - r : step;
        p->found = (struct found){ .to = m->entry };
        find_rows(m, p, chunk, r, n);
        slice.row += r;
        slice.n_rows = n;
        rc = p->found.odd ? add_numbers(m, &slice, e) : add_found(m, &p->found, e);
    }
    return rc;
}

/* What was fetched goes on; the pieces are forgotten. */
static enum rc end_round(struct dense *m, struct err *e)
{
    enum rc rc = RC_OK;
    if (m->n_pieces == 1 && m->piece[0].n_rows * m->piece[0].n_cols > ROUND_ITEMS) {
        rc = read_large(m, &m->piece[0], e);
    } else {
        threads_for(m->n_pieces, run_piece, m);
        for (size_t i = 0; !rc && i < m->n_pieces; i++) {
            const struct piece *p = &m->piece[i];
            if (p->rc)
                rc = refuse_chunk(m, p->rc, e);
            else
                rc = p->absent || p->found.odd ? add_numbers(m, p, e) : add_found(m, &p->found, e);
        }
    }
    m->n_pieces = m->stored_bytes = 0;
    return rc;
}

static struct piece *new_piece(struct dense *m, struct err *e)
{
    if (m->n_pieces == m->room_pieces) {
        size_t room = 2 * m->room_pieces + 64;
        struct piece *more = realloc(m->piece, room * sizeof *more);
        if (!more) {
            no_memory(m, e);
            return NULL;
        }
        m->piece = more;
        m->room_pieces = room;
    }
    return &m->piece[m->n_pieces++];
}

static enum rc read_band(struct dense *m, uint64_t row, uint64_t n_rows, struct err *e)
{
    uint64_t wide = m->chunk[1], items = 0;
    enum rc rc = RC_OK;
    if (!m->ours) /* as many chunks side by side as make a round */
        while (2 * wide * m->chunk[0] <= ROUND_ITEMS && wide < m->d->dim[1])
            wide *= 2;
    for (uint64_t col = 0; !rc && col < m->d->dim[1]; col += wide) {
        uint64_t left = m->d->dim[1] - col, n = left < wide ? left : wide;
        struct piece p = { .row = row, .col = col, .n_rows = n_rows, .n_cols = n };
        if (!m->ours) {
            rc = add_numbers(m, &p, e);
            continue;
        }
        if (items + n_rows * n > ROUND_ITEMS) {
            rc = end_round(m, e);
            items = 0;
        }
        struct piece *to = rc ? NULL : new_piece(m, e);
        if (!to)
            return rc ? rc : RC_FAIL;
        p.found.to = m->entry + items;
        *to = p;
        items += n_rows * n;
        rc = fetch(m, to, e);
    }
    return rc ? rc : end_round(m, e);
}

static enum rc read_matrix(struct dense *m, struct err *e)
{
    uint64_t n_rows = m->d->dim[0], n_cols = m->d->dim[1];
    enum rc rc = prepare(m, e);
    if (!rc && m->cols_are_cells)
        rc = turn_begin(&m->turn, m->s, (size_t)n_cols, (size_t)n_rows, n_rows * n_cols / 16, e);
    for (uint64_t row = 0, n; !rc && row < n_rows; row += n) {
        n = n_rows - row < m->chunk[0] ? n_rows - row : m->chunk[0];
        if (!m->cols_are_cells)
            rc = turn_begin(&m->turn, m->s, (size_t)n, (size_t)n_cols, n * n_cols / 16, e);
        m->first = row;
        if (!rc)
            rc = read_band(m, row, n, e);
        if (!rc && !m->cols_are_cells)
            rc = turn_end(&m->turn, e);
        if (!m->cols_are_cells)
            turn_release(&m->turn);
    }
    return !rc && m->cols_are_cells ? turn_end(&m->turn, e) : rc;
}

enum rc dense_matrix_read(const struct h5_data *d, bool cols_are_cells, struct source *s,
                          struct err *e)
{
    struct dense m = {
        .d = d, .s = s, .cols_are_cells = cols_are_cells, .turn = { .bins = { .fd = -1 } }
    };
    if (d->n_dims != 2)
        return err_set(e, RC_INPUT, "'%s' has %d dimensions, not two", d->name, d->n_dims);
    if (d->dim[0] >= UINT32_MAX || d->dim[1] >= UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s' has too many rows or columns", d->name);
    size_t n_cols = (size_t)d->dim[cols_are_cells ? 0 : 1];
    const struct csr none = { .n_cols = n_cols, .indptr = &(uint64_t){ 0 } };
    s->check = (struct counts_check){ 0 };
    source_rows_begin(s, n_cols);
    enum rc rc = source_rows_add(s, &none, e);
    if (!rc)
        rc = read_matrix(&m, e);
    release(&m);
    return rc;
}
