/* Ranking. A positive double read as a whole number has the order of its value, so the upper half
 * of its bits is sorted by counting, three digits of 11 bits from the lowest (n is a few thousand
 * and the counters stay in the cache); what agrees in the upper half is then put in order by
 * comparing. */
#include "lib/cell/rank_table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct token_key {
    uint64_t bits; /* of x */
    uint32_t token;
};

static enum rc columns_alloc(struct token_columns *c, size_t n_cols, struct err *e)
{
    *c = (struct token_columns){ .n_cols = n_cols };
    c->token = malloc((n_cols + 1) * sizeof *c->token);
    c->median = malloc((n_cols + 1) * sizeof *c->median);
    c->no_median = calloc(n_cols + 1, sizeof *c->no_median);
    if (c->token && c->median && c->no_median)
        return RC_OK;
    token_columns_release(c);
    return err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
}

void token_columns_release(struct token_columns *c)
{
    free(c->token);
    free(c->median);
    free(c->no_median);
    if (c->ranks)
        rank_table_release(c->ranks);
    free(c->ranks);
    *c = (struct token_columns){ 0 };
}

/* median NaN: none. */
static void set_column(struct token_columns *c, size_t j, int32_t token, double median)
{
    c->token[j] = token;
    c->median[j] = isnan(median) ? 1 : median;
    c->n_tokens += token >= 0;
    c->no_median[j] = token >= 0 && isnan(median);
    c->n_no_median += c->no_median[j];
}

static enum rc add_ranks(struct token_columns *c, struct err *e)
{
    c->ranks = calloc(1, sizeof *c->ranks);
    enum rc rc = c->ranks ? rank_table_init(c->ranks, c, e)
                          : err_set(e, RC_FAIL, "no memory for %zu columns", c->n_cols);
    if (rc)
        token_columns_release(c);
    return rc;
}

enum rc token_columns_of(struct token_columns *c, const char *const *id, size_t n_cols,
                         const struct vocab *v, const struct medians *m, struct err *e)
{
    if (columns_alloc(c, n_cols, e))
        return RC_FAIL;
    for (size_t j = 0; j < n_cols; j++) {
        int32_t token = vocab_token(v, id[j]);
        const struct median *x = medians_find(m, id[j]);
        /* A gene called `<pad>` would be a strange file, not a token. */
        set_column(c, j, token < TOKEN_FIRST_GENE ? -1 : token, x ? x->median : NAN);
    }
    return add_ranks(c, e);
}

enum rc token_columns_of_tables(struct token_columns *c, const uint32_t *gene, size_t n_cols,
                                const struct gene_tables *t, struct err *e)
{
    if (columns_alloc(c, n_cols, e))
        return RC_FAIL;
    for (size_t j = 0; j < n_cols; j++) {
        const struct gene *g = gene[j] == GENE_NONE ? NULL : &t->gene[gene[j]];
        set_column(c, j, g && g->core ? g->token : -1, g ? g->median : NAN);
    }
    return add_ranks(c, e);
}

void token_work_init(struct token_work *w)
{
    *w = (struct token_work){ 0 };
}

void token_work_release(struct token_work *w)
{
    free(w->key);
    free(w->swap);
    free(w->place);
    free(w->place_swap);
    free(w->token);
    free(w->value);
    free(w->x);
    *w = (struct token_work){ 0 };
}

static enum rc work_grow(struct token_work *w, size_t n, struct err *e)
{
    if (n <= w->room)
        return RC_OK;
    const uint64_t total = w->total;
    const bool want_x = w->want_x;
    token_work_release(w);
    w->total = total;
    w->want_x = want_x;
    size_t room = n < 4096 ? 4096 : n + n / 2;
    w->key = malloc(room * sizeof *w->key);
    w->swap = malloc(room * sizeof *w->swap);
    w->place = malloc(room * sizeof *w->place);
    w->place_swap = malloc(room * sizeof *w->place_swap);
    w->token = malloc(room * sizeof *w->token);
    w->value = malloc(room * sizeof *w->value);
    w->x = want_x ? malloc(room * sizeof *w->x) : NULL;
    if (!w->key || !w->swap || !w->place || !w->place_swap || !w->token || !w->value ||
        (want_x && !w->x)) {
        token_work_release(w);
        return err_set(e, RC_FAIL, "no memory for a cell of %zu genes", n);
    }
    w->room = room;
    return RC_OK;
}

static int by_rank(const void *a, const void *b)
{
    const struct token_key *x = a, *y = b;
    if (x->bits != y->bits)
        return x->bits < y->bits ? 1 : -1;
    return (x->token > y->token) - (x->token < y->token);
}

/* Sorts by falling upper 32 bits; keys keep their order among equals. The result is in w->key. */
static void sort_by_upper(struct token_work *w, size_t n)
{
    enum { DIGIT = 11, BINS = 1 << DIGIT };
    static const int shift[3] = { 32, 43, 54 };
    uint32_t at[3][BINS] = { { 0 } };
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < 3; d++)
            at[d][w->key[i].bits >> shift[d] & (BINS - 1)]++;
    for (int d = 0; d < 3; d++) {
        if (at[d][w->key[0].bits >> shift[d] & (BINS - 1)] == n)
            continue; /* all keys agree in this digit */
        uint32_t sum = 0;
        for (int b = BINS - 1; b >= 0; b--) {
            uint32_t here = at[d][b];
            at[d][b] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            w->swap[at[d][w->key[i].bits >> shift[d] & (BINS - 1)]++] = w->key[i];
        struct token_key *t = w->key;
        w->key = w->swap;
        w->swap = t;
    }
}

/* Puts keys [0, n) that agree in their upper bits in order; mostly one or two. */
static void sort_run(struct token_key *key, size_t n)
{
    if (n > 24) {
        qsort(key, n, sizeof *key, by_rank);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct token_key k = key[i];
        size_t j = i;
        for (; j > 0 && by_rank(&key[j - 1], &k) > 0; j--)
            key[j] = key[j - 1];
        key[j] = k;
    }
}

static void sort_keys(struct token_work *w, size_t n, size_t need)
{
    if (n < 64) {
        qsort(w->key, n, sizeof *w->key, by_rank);
        return;
    }
    sort_by_upper(w, n);
    /* Ranks behind the cut are never looked at. */
    for (size_t i = 0, j; i < n && i < need; i = j) {
        for (j = i + 1; j < n && w->key[j].bits >> 32 == w->key[i].bits >> 32; j++)
            ;
        if (j - i > 1)
            sort_run(w->key + i, j - i);
    }
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Places rise as x falls. The result is in w->place. */
static void sort_places(struct token_work *w, size_t n, unsigned digit)
{
    enum { MAX_BINS = 1 << 11 };
    uint32_t at[2][MAX_BINS] = { { 0 } }, mask = ((uint32_t)1 << digit) - 1;
    for (size_t i = 0; i < n; i++) {
        at[0][w->place[i] & mask]++;
        at[1][w->place[i] >> digit]++;
    }
    for (uint32_t b = 0, sum[2] = { 0 }; b <= mask; b++)
        for (int d = 0; d < 2; d++) {
            uint32_t here = at[d][b];
            at[d][b] = sum[d];
            sum[d] += here;
        }
    for (size_t i = 0; i < n; i++)
        w->place_swap[at[0][w->place[i] & mask]++] = w->place[i];
    for (size_t i = 0; i < n; i++)
        w->place[at[1][w->place_swap[i] >> digit]++] = w->place_swap[i];
}

static uint64_t bits_of(uint32_t count, double median)
{
    double x = count / median;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The first w->n of n_places sorted places and n_keys sorted keys. */
static void merge(struct token_work *w, const struct rank_table *t, size_t n_places, size_t n_keys)
{
    size_t i = 0, j = 0;
    double total = (double)w->total;
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t p = i < n_places ? w->place[i] : 0;
        bool key = j < n_keys;
        if (key && i < n_places)
            key = w->key[j].bits > t->bits[p] ||
                  (w->key[j].bits == t->bits[p] && w->key[j].token < t->token[p]);
        w->token[k] = key ? (uint16_t)w->key[j].token : t->token[p];
        if (w->total)
            w->value[k] =
                (float)log2(1 + double_of(key ? w->key[j].bits : t->bits[p]) * 10000 / total);
        else
            w->value[k] = key ? (float)log2(1 + double_of(w->key[j].bits)) : t->value[p];
        if (w->want_x)
            w->x[k] = double_of(key ? w->key[j].bits : t->bits[p]);
        j += key;
        i += !key;
    }
}

enum rc cell_tokenize(struct token_work *w, const struct token_columns *c, const uint32_t *col,
                      const uint32_t *count, size_t n, size_t max_length, struct err *e)
{
    const struct rank_table *t = c->ranks;
    uint32_t max_count = t ? t->max_count : 0;
    size_t n_keys = 0, n_places = 0;
    w->n = w->n_nonzero = 0;
    if (work_grow(w, n, e))
        return RC_FAIL;
    for (size_t k = 0; k < n; k++) {
        uint32_t j = col[k], v = count[k];
        assert(j < c->n_cols && v > 0);
        if (c->token[j] < 0)
            continue;
        if (v <= max_count)
            w->place[n_places++] = t->place[(v - 1) * t->n_cols + j];
        else
            w->key[n_keys++] =
                (struct token_key){ bits_of(v, c->median[j]), (uint32_t)c->token[j] };
    }
    size_t m = n_keys + n_places;
    w->n_nonzero = (uint32_t)m;
    w->n = (uint32_t)(m < max_length ? m : max_length);
    if (n_keys)
        sort_keys(w, n_keys, w->n);
    if (n_places)
        sort_places(w, n_places, t->digit);
    merge(w, t, n_places, n_keys);
    return RC_OK;
}
