#include "lib/cell/rank_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 2^18 places take two passes of 9 bits, and their tables stay in the second-level cache. */
enum { MAX_PLACES = 1 << 18, MAX_COUNT = 16 };

struct entry {
    uint64_t bits;
    uint32_t col, count;
};

/* Columns with a token by rising token: a later stable sort then leaves equal x in that order. */
static size_t columns_by_token(const struct token_columns *c, uint32_t *col)
{
    size_t *at = calloc(VOCAB_MAX + 1, sizeof *at), n = 0;
    if (!at)
        return 0;
    for (size_t j = 0; j < c->n_cols; j++)
        if (c->token[j] >= 0)
            at[c->token[j] + 1]++;
    for (size_t v = 0; v < VOCAB_MAX; v++)
        at[v + 1] += at[v];
    for (size_t j = 0; j < c->n_cols; j++)
        if (c->token[j] >= 0) {
            col[at[c->token[j]]++] = (uint32_t)j;
            n++;
        }
    free(at);
    return n;
}

/* By falling bits, equal ones in their order. Returns where the result is: either array. */
static struct entry *sort_entries(struct entry *a, struct entry *b, size_t n)
{
    enum { DIGIT = 11, BINS = 1 << DIGIT };
    for (int shift = 0; shift < 64; shift += DIGIT) {
        size_t at[BINS] = { 0 }, sum = 0;
        for (size_t i = 0; i < n; i++)
            at[a[i].bits >> shift & (BINS - 1)]++;
        if (n && at[a[0].bits >> shift & (BINS - 1)] == n)
            continue;
        for (int d = BINS - 1; d >= 0; d--) {
            size_t here = at[d];
            at[d] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            b[at[a[i].bits >> shift & (BINS - 1)]++] = a[i];
        struct entry *t = a;
        a = b;
        b = t;
    }
    return a;
}

static void fill(struct rank_table *t, const struct token_columns *c, const struct entry *sorted)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct entry *x = &sorted[i];
        double ratio;
        memcpy(&ratio, &x->bits, sizeof ratio);
        t->place[(x->count - 1) * t->n_cols + x->col] = i;
        t->token[i] = (uint16_t)c->token[x->col];
        t->value[i] = (float)log2(1 + ratio);
        t->bits[i] = x->bits;
    }
    for (t->digit = 1; (uint32_t)1 << 2 * t->digit < t->n;)
        t->digit++;
}

enum rc rank_table_init(struct rank_table *t, const struct token_columns *c, struct err *e)
{
    *t = (struct rank_table){ .n_cols = c->n_cols };
    size_t most = c->n_tokens ? MAX_PLACES / c->n_tokens : 0;
    t->max_count = most < MAX_COUNT ? (uint32_t)most : MAX_COUNT;
    t->n = (uint32_t)(c->n_tokens * t->max_count);
    uint32_t *col = malloc((c->n_cols + 1) * sizeof *col);
    struct entry *a = malloc(((size_t)t->n + 1) * 2 * sizeof *a);
    t->place = malloc((c->n_cols * t->max_count + 1) * sizeof *t->place);
    t->token = malloc(((size_t)t->n + 1) * sizeof *t->token);
    t->value = malloc(((size_t)t->n + 1) * sizeof *t->value);
    t->bits = malloc(((size_t)t->n + 1) * sizeof *t->bits);
    bool good = col && a && t->place && t->token && t->value && t->bits &&
                columns_by_token(c, col) == c->n_tokens;
    for (size_t i = 0, k = 0; good && i < c->n_tokens; i++)
        for (uint32_t v = 1; v <= t->max_count; v++, k++) {
            double x = v / c->median[col[i]];
            a[k] = (struct entry){ .col = col[i], .count = v };
            memcpy(&a[k].bits, &x, sizeof x);
        }
    if (good)
        fill(t, c, sort_entries(a, a + t->n, t->n));
    free(col);
    free(a);
    if (good)
        return RC_OK;
    rank_table_release(t);
    return err_set(e, RC_FAIL, "no memory for %zu ranks", (size_t)t->n);
}

void rank_table_release(struct rank_table *t)
{
    free(t->place);
    free(t->token);
    free(t->value);
    free(t->bits);
    *t = (struct rank_table){ 0 };
}
