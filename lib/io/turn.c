#include "lib/io/turn.h"

#include <stdlib.h>
#include <string.h>

/* Of 16 billion entries there are 4 million tiles: 160 MB of places. */
enum {
    ROUND = 1 << 21,
    LONG_ROUND = 1 << 22,
    LARGE = 1 << 30,
    MAX_BINS = 1024,
    FIRST_ROOM = 1 << 12
};

enum rc turn_begin(struct turn *t, struct source *to, size_t n_rows, size_t n_cols,
                   uint64_t n_entries, struct err *e)
{
    *t = (struct turn){ .bins = { .fd = -1 } };
    if (n_rows >= UINT32_MAX || n_cols >= UINT32_MAX)
        return err_set(e, RC_INPUT, "%zu x %zu: too many rows or columns", n_rows, n_cols);
    size_t round = n_entries > LARGE ? LONG_ROUND : ROUND;
    round = to->spool_from < round ? to->spool_from : round;
    *t = (struct turn){ .to = to,
                        .n_rows = n_rows,
                        .n_cols = n_cols,
                        .round = round ? round : 1,
                        .bins = { .fd = -1 } };
    /* As many entries in a bin as in a round, or of an unknown number a few hundred bins. */
    uint64_t n = n_entries ? n_entries / t->round + 1 : 256;
    n = n < MAX_BINS ? n : MAX_BINS;
    t->bin_rows = n_rows / (size_t)n + 1;
    t->n_bins = n_rows / t->bin_rows + 1;
    return RC_OK;
}

void turn_release(struct turn *t)
{
    free(t->entry);
    spool_close(&t->bins);
    *t = (struct turn){ .bins = { .fd = -1 } };
}

/* Entries to rows: a counting sort that keeps their order within a row. */
static enum rc sort_rows(const struct turn *t, struct csr *out, struct err *e)
{
    if (csr_alloc(out, t->n_rows, t->n_cols, t->n, e))
        return RC_FAIL;
    for (size_t k = 0; k < t->n; k++)
        out->indptr[t->entry[k].row + 1]++;
    for (size_t r = 0; r < t->n_rows; r++)
        out->indptr[r + 1] += out->indptr[r];
    for (size_t k = 0; k < t->n; k++) {
        uint64_t at = out->indptr[t->entry[k].row]++;
        out->index[at] = t->entry[k].col;
        out->value[at] = t->entry[k].value;
    }
    memmove(out->indptr + 1, out->indptr, t->n_rows * sizeof *out->indptr);
    out->indptr[0] = 0;
    return RC_OK;
}

static size_t rows_of_bin(const struct turn *t, size_t bin)
{
    size_t first = bin * t->bin_rows, left = t->n_rows - first;
    return left < t->bin_rows ? left : t->bin_rows;
}

/* What was gathered goes to the file. */
static enum rc end_round(struct turn *t, struct err *e)
{
    struct csr c;
    if (t->bins.fd < 0 && spool_open(&t->bins, t->to->spool_folder, t->n_cols, e))
        return RC_FAIL;
    if (sort_rows(t, &c, e))
        return RC_FAIL;
    unsigned char *packed = NULL;
    size_t room = 0;
    enum rc rc = RC_OK;
    for (size_t b = 0; !rc && b < t->n_bins; b++) {
        size_t first = b * t->bin_rows, n = rows_of_bin(t, b);
        uint64_t nnz = c.indptr[first + n] - c.indptr[first];
        size_t need = spool_room(n, (size_t)nnz, t->n_cols) + 1;
        if (need > room) {
            free(packed);
            packed = malloc(need);
            room = need;
        }
        rc = packed ? spool_add(&t->bins, packed, spool_pack(&c, first, n, packed), n, nnz, e)
                    : err_set(e, RC_FAIL, "no memory for %zu rows", n);
    }
    free(packed);
    csr_release(&c);
    t->n_rounds++;
    t->n = 0;
    return rc;
}

enum rc turn_room(struct turn *t, struct err *e)
{
    if (t->n == t->round)
        return end_round(t, e);
    size_t room = t->room ? 4 * t->room : FIRST_ROOM;
    room = room < t->round ? room : t->round;
    struct entry *more = realloc(t->entry, room * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu counts", room);
    t->entry = more;
    t->room = room;
    return RC_OK;
}

enum rc turn_add_rows(struct turn *t, const struct csr *columns, size_t first, struct err *e)
{
    const struct csr *b = columns;
    enum rc rc = RC_OK;
    for (size_t r = 0; !rc && r < b->n_rows; r++)
        for (uint64_t k = b->indptr[r]; !rc && k < b->indptr[r + 1]; k++)
            rc = turn_add(t, b->index[k], (uint32_t)(first + r), b->value[k], e);
    return rc;
}

/* ---- joining ---- */

static size_t tile_of(const struct turn *t, size_t round, size_t bin)
{
    return round * t->n_bins + bin;
}

/* Rows [first, first + n) of a bin, which have n_of[first..] entries. */
static enum rc join_rows(struct turn *t, size_t bin, size_t first, size_t n, const uint64_t *n_of,
                         struct err *e)
{
    struct csr out, part;
    uint64_t nnz = 0;
    for (size_t r = first; r < first + n; r++)
        nnz += n_of[r];
    if (csr_alloc(&out, n, t->n_cols, (size_t)nnz, e))
        return RC_FAIL;
    for (size_t r = 0; r < n; r++)
        out.indptr[r + 1] = out.indptr[r] + n_of[first + r];
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < t->n_rounds; k++) {
        rc = spool_get_rows(&t->bins, tile_of(t, k, bin), &part, e);
        for (size_t r = 0; !rc && r < n; r++) {
            uint64_t from = part.indptr[first + r], m = part.indptr[first + r + 1] - from;
            if (!m)
                continue;
            memcpy(out.index + out.indptr[r], part.index + from, m * sizeof *out.index);
            memcpy(out.value + out.indptr[r], part.value + from, m * sizeof *out.value);
            out.indptr[r] += m;
        }
        if (!rc)
            csr_release(&part);
    }
    /* Each offset has moved to the end of its row, the start of the next. */
    memmove(out.indptr + 1, out.indptr, n * sizeof *out.indptr);
    out.indptr[0] = 0;
    if (!rc)
        rc = source_rows_add(t->to, &out, e);
    csr_release(&out);
    return rc;
}

static enum rc join_bin(struct turn *t, size_t bin, uint64_t *n_of, uint32_t *n_of_tile,
                        struct err *e)
{
    size_t n_rows = rows_of_bin(t, bin);
    enum rc rc = RC_OK;
    memset(n_of, 0, n_rows * sizeof *n_of);
    for (size_t k = 0; !rc && k < t->n_rounds; k++) {
        rc = spool_get_lengths(&t->bins, tile_of(t, k, bin), n_of_tile, e);
        for (size_t r = 0; !rc && r < n_rows; r++)
            n_of[r] += n_of_tile[r];
    }
    for (size_t first = 0, n; !rc && first < n_rows; first += n) {
        uint64_t nnz = n_of[first];
        for (n = 1; first + n < n_rows && nnz + n_of[first + n] <= 2 * t->round; n++)
            nnz += n_of[first + n];
        rc = join_rows(t, bin, first, n, n_of, e);
    }
    return rc;
}

static enum rc join_bins(struct turn *t, struct err *e)
{
    uint64_t *n_of = malloc(t->bin_rows * sizeof *n_of);
    uint32_t *n_of_tile = malloc(t->bin_rows * sizeof *n_of_tile);
    enum rc rc =
        n_of && n_of_tile ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu rows", t->bin_rows);
    for (size_t b = 0; !rc && b < t->n_bins; b++)
        rc = join_bin(t, b, n_of, n_of_tile, e);
    free(n_of);
    free(n_of_tile);
    return rc;
}

enum rc turn_end(struct turn *t, struct err *e)
{
    struct csr rows;
    enum rc rc;
    if (t->n_rounds) {
        rc = end_round(t, e);
        free(t->entry); /* its room is for the joined rows now */
        t->entry = NULL;
        t->room = 0;
        return rc ? rc : join_bins(t, e);
    }
    rc = sort_rows(t, &rows, e);
    if (!rc)
        rc = source_rows_add(t->to, &rows, e);
    csr_release(&rows);
    return rc;
}

/* ---- a source ---- */

enum rc turn_source(struct source *by_feature, struct source *to, struct err *e)
{
    struct turn t;
    size_t n_features = by_feature->count.n_rows, n_cells = by_feature->count.n_cols;
    uint64_t nnz = by_feature->spooled ? by_feature->rows.nnz : csr_nnz(&by_feature->count);
    source_rows_begin(to, n_features);
    if (!by_feature->spooled && nnz <= to->spool_from)
        return source_turn(&by_feature->count, &to->count, e);
    enum rc rc = turn_begin(&t, to, n_cells, n_features, nnz, e);
    for (size_t i = 0; !rc && i < source_blocks(by_feature); i++) {
        struct csr b = by_feature->count;
        if (by_feature->spooled)
            rc = spool_get_rows(&by_feature->rows, i, &b, e);
        if (!rc)
            rc = turn_add_rows(&t, &b, source_block_first(by_feature, i), e);
        if (by_feature->spooled)
            csr_release(&b); /* empty when it could not be read */
    }
    if (!rc)
        rc = turn_end(&t, e);
    turn_release(&t);
    return rc;
}
