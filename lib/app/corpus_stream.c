#include "lib/app/corpus_stream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/cell/gene_map.h"

enum { TILE_ROWS = 128, READ_TILES = 32 };

/* meta: the flags of qc.h, whether several columns share the gene, and its column in `columns`. */
enum { SHARED = 16, TOKEN_SHIFT = 8 };

struct stream_tile {
    size_t first, n_rows; /* in the block */
    unsigned char *packed;
    size_t n_bytes, nnz, room;
};

struct stream_work {
    struct csr rows; /* of a tile: counts of genes with a token */
    size_t row_room, room;
    uint64_t *sort;
    size_t sort_room;
    struct token_work token;
};

/* ---- set up ---- */

/* Genes that columns lead to get numbers; columns that share one are marked. */
static void number_genes(struct corpus_stream *s, const uint32_t *row_of, uint32_t *number,
                         uint32_t *gene)
{
    uint32_t n = 0;
    for (size_t r = 0; r < s->tables->n; r++)
        number[r] = GENE_NONE;
    for (size_t j = 0; j < s->n_cols; j++) {
        s->gene_of[j] = GENE_NONE;
        if (row_of[j] == GENE_NONE)
            continue;
        if (number[row_of[j]] == GENE_NONE) {
            gene[n] = row_of[j];
            number[row_of[j]] = n++;
        } else {
            s->meta[j] |= SHARED;
        }
        s->gene_of[j] = number[row_of[j]];
    }
    /* The first column of a shared gene was not known to be one. */
    for (size_t j = 0; j < s->n_cols; j++)
        if (s->meta[j] & SHARED)
            number[row_of[j]] = GENE_NONE;
    for (size_t j = 0; j < s->n_cols; j++)
        if (row_of[j] != GENE_NONE && number[row_of[j]] == GENE_NONE)
            s->meta[j] |= SHARED;
    for (size_t j = n; j < s->n_cols; j++)
        gene[j] = GENE_NONE;
}

/* The genes with a token, in order of appearance, are the columns of what is spooled. */
static enum rc token_genes(struct corpus_stream *s, const uint32_t *gene, struct err *e)
{
    uint32_t *with = malloc((s->n_cols + 1) * sizeof *with), n = 0;
    if (!with)
        return err_set(e, RC_FAIL, "no memory for %zu columns", s->n_cols);
    qc_flags(gene, s->n_cols, s->tables, s->flag);
    for (size_t g = 0; g < s->n_cols; g++) {
        s->token_col[g] = -1;
        if (s->flag[g] & QC_TOKEN) {
            s->token_col[g] = (int32_t)n;
            with[n++] = gene[g];
        }
    }
    enum rc rc = token_columns_of_tables(&s->columns, with, n, s->tables, e);
    free(with);
    for (size_t j = 0; j < s->n_cols; j++)
        if (s->gene_of[j] != GENE_NONE) {
            s->meta[j] |= s->flag[s->gene_of[j]];
            if (s->token_col[s->gene_of[j]] >= 0)
                s->meta[j] |= (uint32_t)s->token_col[s->gene_of[j]] << TOKEN_SHIFT;
        }
    return rc;
}

static enum rc set_columns(struct corpus_stream *s, enum species species, const char *const *names,
                           struct err *e)
{
    const struct cells c = { .count = { .n_cols = s->n_cols },
                             .gene = (const char **)names };
    struct gene_map_report report;
    uint32_t *row_of = malloc((s->n_cols + 1) * sizeof *row_of);
    uint32_t *gene = malloc((s->n_cols + 1) * sizeof *gene);
    uint32_t *number = malloc((s->tables->n + 1) * sizeof *number);
    enum rc rc = row_of && gene && number
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu columns", s->n_cols);
    if (!rc) {
        gene_map_columns(&c, s->tables, species, true, row_of, &report);
        number_genes(s, row_of, number, gene);
        rc = token_genes(s, gene, e);
    }
    free(row_of);
    free(gene);
    free(number);
    return rc;
}

enum rc corpus_stream_init(struct corpus_stream *s, const struct gene_tables *t, enum species species,
                           const char *const *names, size_t n_cols, size_t n_cells, struct err *e)
{
    *s = (struct corpus_stream){ .tables = t, .n_cells = n_cells, .n_cols = n_cols };
    s->spool.fd = -1;
    s->n_work = threads_count();
    s->qc = malloc((n_cells + 1) * sizeof *s->qc);
    s->meta = calloc(n_cols + 1, sizeof *s->meta);
    s->gene_of = malloc((n_cols + 1) * sizeof *s->gene_of);
    s->flag = malloc(n_cols + 1);
    s->token_col = malloc((n_cols + 1) * sizeof *s->token_col);
    s->work = calloc((size_t)s->n_work, sizeof *s->work);
    bool good = s->qc && s->meta && s->gene_of && s->flag && s->token_col && s->work;
    enum rc rc = good ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n_cells);
    if (!rc)
        rc = set_columns(s, species, names, e);
    if (!rc)
        rc = spool_open(&s->spool, NULL, s->columns.n_cols, e);
    if (rc)
        corpus_stream_release(s);
    return rc;
}

void corpus_stream_release(struct corpus_stream *s)
{
    for (int i = 0; s->work && i < s->n_work; i++) {
        csr_release(&s->work[i].rows);
        token_work_release(&s->work[i].token);
        free(s->work[i].sort);
    }
    for (size_t i = 0; i < s->n_tiles; i++)
        free(s->tile[i].packed);
    free(s->work);
    free(s->tile);
    free(s->qc);
    free(s->meta);
    free(s->gene_of);
    free(s->flag);
    free(s->token_col);
    token_columns_release(&s->columns);
    spool_close(&s->spool);
    *s = (struct corpus_stream){ .spool.fd = -1 };
}

/* ---- adding ---- */

static bool grow_rows(struct stream_work *w, size_t n_rows, size_t nnz)
{
    if (n_rows <= w->row_room && nnz <= w->room)
        return true;
    csr_release(&w->rows);
    w->row_room = n_rows > w->row_room ? n_rows : w->row_room;
    w->room = nnz > w->room ? nnz + nnz / 2 : w->room;
    return !csr_alloc(&w->rows, w->row_room, 0, w->room, NULL);
}

static void count_entry(struct qc_cell *q, uint32_t f, uint32_t v)
{
    q->total += f & QC_COUNTED ? v : 0;
    q->mito += f & QC_MITO ? v : 0;
    q->n_genes += (f & QC_COUNTED) != 0;
    q->n_coding += (f & QC_CODING) != 0;
    q->n_tokens += (f & QC_TOKEN) != 0;
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A cell in which two entries may belong to one gene: by gene, then summed. RC_INPUT: a sum that
 * does not fit. */
static enum rc slow_cell(const struct corpus_stream *s, struct stream_work *w, const uint32_t *index,
                         const uint32_t *value, size_t n, struct qc_cell *q, uint64_t *to)
{
    size_t m = 0;
    if (n > w->sort_room) {
        free(w->sort);
        w->sort = malloc(n * sizeof *w->sort);
        w->sort_room = w->sort ? n : 0;
        if (!w->sort)
            return RC_FAIL;
    }
    for (size_t k = 0; k < n; k++)
        if (value[k] && s->gene_of[index[k]] != GENE_NONE)
            w->sort[m++] = (uint64_t)s->gene_of[index[k]] << 32 | value[k];
    qsort(w->sort, m, sizeof *w->sort, rising);
    for (size_t k = 0; k < m;) {
        uint64_t gene = w->sort[k] >> 32, sum = 0;
        for (; k < m && w->sort[k] >> 32 == gene; k++)
            sum += (uint32_t)w->sort[k];
        if (sum > UINT32_MAX)
            return RC_INPUT;
        count_entry(q, s->flag[gene], (uint32_t)sum);
        if (s->token_col[gene] >= 0) {
            w->rows.index[*to] = (uint32_t)s->token_col[gene];
            w->rows.value[(*to)++] = (uint32_t)sum;
        }
    }
    return RC_OK;
}

/* The usual cell: columns rise, and no two of them share a gene. False: it is another one. */
static bool fast_cell(const struct corpus_stream *s, struct stream_work *w, const uint32_t *index,
                      const uint32_t *value, size_t n, struct qc_cell *q, uint64_t *to)
{
    uint64_t total = 0, mito = 0, at = *to;
    uint32_t n_genes = 0, n_coding = 0, n_shared = 0, last = 0, fell = 0;
    for (size_t k = 0; k < n; k++) {
        uint32_t j = index[k], v = value[k], m = v ? s->meta[j] : 0;
        fell |= k && j <= last;
        last = j;
        total += m & QC_COUNTED ? v : 0;
        mito += m & QC_MITO ? v : 0;
        n_genes += m & QC_COUNTED;
        n_coding += m / QC_CODING & 1;
        n_shared += m / SHARED & 1;
        w->rows.index[at] = m >> TOKEN_SHIFT;
        w->rows.value[at] = v;
        at += m / QC_TOKEN & 1;
    }
    if (fell || n_shared > 1)
        return false;
    q->total = total;
    q->mito = mito;
    q->n_genes = n_genes;
    q->n_coding = n_coding;
    q->n_tokens = (uint32_t)(at - *to);
    *to = at;
    return true;
}

struct add_task {
    struct corpus_stream *s;
    const struct csr *block;
    size_t first;
    atomic_int rc;
};

static void add_tile(void *ctx, size_t i, int worker)
{
    struct add_task *a = ctx;
    struct corpus_stream *s = a->s;
    struct stream_tile *t = &s->tile[i];
    struct stream_work *w = &s->work[worker];
    const struct csr *b = a->block;
    size_t nnz = (size_t)(b->indptr[t->first + t->n_rows] - b->indptr[t->first]);
    size_t need = spool_room(t->n_rows, nnz, s->columns.n_cols);
    if (need > t->room) {
        free(t->packed);
        t->packed = malloc(need);
        t->room = t->packed ? need : 0;
    }
    /* One entry more: the fast way writes before it knows. */
    if (!t->packed || !grow_rows(w, t->n_rows, nnz + 1)) {
        atomic_store(&a->rc, RC_FAIL);
        return;
    }
    uint64_t to = 0;
    enum rc rc = RC_OK;
    for (size_t r = 0; !rc && r < t->n_rows; r++) {
        uint64_t at = b->indptr[t->first + r];
        size_t n = (size_t)(b->indptr[t->first + r + 1] - at);
        struct qc_cell *q = &s->qc[a->first + t->first + r];
        *q = (struct qc_cell){ 0 };
        if (!fast_cell(s, w, b->index + at, b->value + at, n, q, &to))
            rc = slow_cell(s, w, b->index + at, b->value + at, n, q, &to);
        w->rows.indptr[r + 1] = to;
    }
    w->rows.n_rows = t->n_rows;
    w->rows.n_cols = s->columns.n_cols;
    t->nnz = (size_t)to;
    t->n_bytes = spool_pack(&w->rows, 0, t->n_rows, t->packed);
    if (rc)
        atomic_store(&a->rc, (int)rc);
}

enum rc corpus_stream_add(struct corpus_stream *s, const struct csr *block, size_t first,
                          struct err *e)
{
    size_t n = (block->n_rows + TILE_ROWS - 1) / TILE_ROWS;
    if (n > s->n_tiles) {
        struct stream_tile *more = realloc(s->tile, n * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu tiles", n);
        memset(more + s->n_tiles, 0, (n - s->n_tiles) * sizeof *more);
        s->tile = more;
        s->n_tiles = n;
    }
    for (size_t i = 0; i < n; i++) {
        s->tile[i].first = i * TILE_ROWS;
        size_t left = block->n_rows - i * TILE_ROWS;
        s->tile[i].n_rows = left < TILE_ROWS ? left : TILE_ROWS;
    }
    struct add_task a = { .s = s, .block = block, .first = first };
    atomic_init(&a.rc, RC_OK);
    threads_for(n, add_tile, &a);
    int rc = atomic_load(&a.rc);
    if (rc == RC_INPUT)
        return err_set(e, RC_INPUT, "cells %zu..%zu: a sum of counts does not fit in 32 bits", first,
                       first + block->n_rows);
    if (rc)
        return err_set(e, RC_FAIL, "no memory for %zu cells", block->n_rows);
    for (size_t i = 0; i < n; i++) {
        const struct stream_tile *t = &s->tile[i];
        if (spool_add(&s->spool, t->packed, t->n_bytes, t->n_rows, t->nnz, e))
            return RC_FAIL;
    }
    return RC_OK;
}

enum rc corpus_stream_judge(struct corpus_stream *s, const struct qc_rules *rules, struct err *e)
{
    uint32_t *sample = calloc(s->n_cells + 1, sizeof *sample);
    enum rc rc = sample ? qc_judge(s->n_cells, sample, 1, rules, s->qc, e)
                        : err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    free(sample);
    return rc;
}

/* ---- ranking ---- */

struct rank_task {
    struct corpus_stream *s;
    size_t first, max_length; /* first tile */
    const unsigned char *packed;
    uint16_t *token; /* of all cells of the tiles; a cell's are where its entries were */
    float *value;
    uint32_t *length;
    atomic_bool failed;
};

static void rank_tile(void *ctx, size_t i, int worker)
{
    struct rank_task *k = ctx;
    struct corpus_stream *s = k->s;
    struct stream_work *w = &s->work[worker];
    const struct spool_tile *first = &s->spool.tile[k->first], *t = first + i;
    if (!grow_rows(w, t->n_rows, (size_t)t->nnz)) {
        atomic_store(&k->failed, true);
        return;
    }
    spool_unpack(t, s->columns.n_cols, k->packed + (t->at - first->at), &w->rows);
    uint64_t base = 0;
    for (size_t before = 0; before < i; before++)
        base += first[before].nnz;
    for (size_t r = 0; r < t->n_rows; r++) {
        uint64_t at = w->rows.indptr[r];
        uint32_t *length = &k->length[t->first - first->first + r];
        *length = 0;
        if (s->qc[t->first + r].verdict != QC_KEPT)
            continue;
        if (cell_tokenize(&w->token, &s->columns, w->rows.index + at, w->rows.value + at,
                          (size_t)(w->rows.indptr[r + 1] - at), k->max_length, NULL)) {
            atomic_store(&k->failed, true);
            return;
        }
        *length = w->token.n;
        if (w->token.n) {
            memcpy(k->token + base + at, w->token.token, w->token.n * sizeof *k->token);
            memcpy(k->value + base + at, w->token.value, w->token.n * sizeof *k->value);
        }
    }
}

struct hand_over {
    enum rc (*take)(void *ctx, size_t cell, const uint16_t *token, const float *value, uint32_t n,
                    struct err *e);
    void *ctx;
};

/* The row of each cell starts where its entries did, so the spool's row lengths are walked again. */
static enum rc give(const struct rank_task *k, size_t n_tiles, const struct hand_over *h,
                    struct err *e)
{
    const struct corpus_stream *s = k->s;
    const struct spool_tile *first = &s->spool.tile[k->first];
    uint64_t at = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n_tiles; i++) {
        const unsigned char *lengths = k->packed + (first[i].at - first->at);
        for (size_t r = 0; !rc && r < first[i].n_rows; r++) {
            uint32_t n;
            size_t cell = first[i].first + r;
            memcpy(&n, lengths + 4 * r, 4);
            if (s->qc[cell].verdict == QC_KEPT)
                rc = h->take(h->ctx, cell, k->token + at, k->value + at,
                             k->length[cell - first->first], e);
            at += n;
        }
    }
    return rc;
}

static enum rc rank_some(struct rank_task *k, size_t n_tiles, const struct hand_over *h,
                         struct err *e)
{
    const struct spool_tile *t = &k->s->spool.tile[k->first];
    uint64_t nnz = 0, n_bytes = 0;
    size_t n_rows = 0;
    for (size_t i = 0; i < n_tiles; i++) {
        nnz += t[i].nnz;
        n_bytes += t[i].n_bytes;
        n_rows += t[i].n_rows;
    }
    unsigned char *packed = malloc((size_t)n_bytes + 1);
    k->packed = packed;
    k->token = malloc(((size_t)nnz + 1) * sizeof *k->token);
    k->value = malloc(((size_t)nnz + 1) * sizeof *k->value);
    k->length = malloc((n_rows + 1) * sizeof *k->length);
    enum rc rc = packed && k->token && k->value && k->length
                     ? spool_get(&k->s->spool, k->first, n_tiles, packed, e)
                     : err_set(e, RC_FAIL, "no memory for %zu cells", n_rows);
    if (!rc) {
        threads_for(n_tiles, rank_tile, k);
        rc = atomic_load(&k->failed) ? err_set(e, RC_FAIL, "no memory to rank a cell") : RC_OK;
    }
    if (!rc)
        rc = give(k, n_tiles, h, e);
    free(packed);
    free(k->token);
    free(k->value);
    free(k->length);
    return rc;
}

enum rc corpus_stream_rank(struct corpus_stream *s, size_t max_length,
                           enum rc (*take)(void *ctx, size_t cell, const uint16_t *token,
                                           const float *value, uint32_t n, struct err *e),
                           void *ctx, struct err *e)
{
    const struct hand_over h = { take, ctx };
    struct rank_task k = { .s = s, .max_length = max_length };
    atomic_init(&k.failed, false);
    enum rc rc = RC_OK;
    for (size_t at = 0; !rc && at < s->spool.n_tiles; at += READ_TILES) {
        size_t left = s->spool.n_tiles - at;
        k.first = at;
        rc = rank_some(&k, left < READ_TILES ? left : READ_TILES, &h, e);
    }
    return rc;
}
