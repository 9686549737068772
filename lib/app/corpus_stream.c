#include "lib/app/corpus_stream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/corpus_stream_parts.h"
#include "lib/base/spill.h"
#include "lib/base/thread.h"
#include "lib/cell/gene_map.h"

enum { TILE_ROWS = 128 };

/* meta: the flags of qc.h, whether several columns share the gene, and its column in `columns`. */
enum { SHARED = 16, TOKEN_SHIFT = 8 };

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
    s->qc = spill_alloc((n_cells + 1) * sizeof *s->qc);
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
        free(s->work[i].packed);
        free(s->work[i].sort);
    }
    for (size_t i = 0; i < s->n_tiles; i++)
        free(s->tile[i].packed);
    free(s->work);
    free(s->tile);
    stream_ranked_release(&s->ranked);
    spill_free(s->qc);
    free(s->meta);
    free(s->gene_of);
    free(s->flag);
    free(s->token_col);
    token_columns_release(&s->columns);
    spool_close(&s->spool);
    *s = (struct corpus_stream){ .spool.fd = -1 };
}

/* ---- adding ---- */

bool stream_grow_rows(struct stream_work *w, size_t n_rows, size_t nnz)
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
    if (!t->packed || !stream_grow_rows(w, t->n_rows, nnz + 1)) {
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

/* By all threads: copying to the system's pages is a good part of the work. */
struct put_task {
    const struct corpus_stream *s;
    size_t first; /* tile of the spool */
    atomic_bool failed;
};

static void put_tile(void *ctx, size_t i, int worker)
{
    struct put_task *p = ctx;
    (void)worker;
    if (spool_put(&p->s->spool, p->first + i, p->s->tile[i].packed, NULL))
        atomic_store(&p->failed, true);
}

static enum rc put_tiles(struct corpus_stream *s, size_t n, struct err *e)
{
    struct put_task p = { .s = s, .first = s->spool.n_tiles };
    enum rc rc = RC_OK;
    atomic_init(&p.failed, false);
    for (size_t i = 0; !rc && i < n; i++)
        rc = spool_place(&s->spool, s->tile[i].n_bytes, s->tile[i].n_rows, s->tile[i].nnz, e);
    if (rc)
        return rc;
    threads_for(n, put_tile, &p);
    return atomic_load(&p.failed) ? err_set(e, RC_FAIL, "cannot write a temporary file") : RC_OK;
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
    return put_tiles(s, n, e);
}

enum rc corpus_stream_judge(struct corpus_stream *s, const struct qc_rules *rules, struct err *e)
{
    uint32_t *sample = spill_alloc((s->n_cells + 1) * sizeof *sample);
    enum rc rc = sample ? qc_judge(s->n_cells, sample, 1, rules, s->qc, e)
                        : err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    spill_free(sample);
    return rc;
}
