#include "lib/nn/batch.h"

#include <string.h>

#include "lib/base/rng.h"
#include "lib/data/vocab.h"

enum { MASK_ROW = 256 }; /* draws at a time */

/* SplitMix64's finaliser: cell id and row in the cell to one key. */
static uint64_t key_of(uint64_t cell_id, uint64_t row)
{
    uint64_t z = cell_id + (row + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

enum rc batch_layout(struct batch *b, struct arena *a, const uint32_t *length, size_t n_cells,
                     struct err *e)
{
    size_t n_genes = 0;
    for (size_t c = 0; c < n_cells; c++)
        n_genes += length[c];
    *b = (struct batch){ .n_cells = n_cells, .n_genes = n_genes, .n_rows = n_genes + n_cells };
    if (b->n_rows > UINT32_MAX / 2)
        return err_set(e, RC_INPUT, "a batch of %zu rows is too large", b->n_rows);
    b->first = arena_get(a, (n_cells + 1) * sizeof *b->first);
    b->species = arena_get_zero(a, n_cells);
    b->cell_id = arena_get_zero(a, n_cells * sizeof *b->cell_id);
    b->id = arena_get_zero(a, n_genes * sizeof *b->id);
    b->value = arena_get_zero(a, n_genes * sizeof *b->value);
    b->rank = arena_get(a, n_genes * sizeof *b->rank);
    b->pair = arena_get(a, n_genes * sizeof *b->pair);
    b->row_key = arena_get(a, b->n_rows * sizeof *b->row_key);
    b->gene_key = arena_get(a, n_genes * sizeof *b->gene_key);
    if (!b->first || !b->species || !b->cell_id || !b->id || !b->value || !b->rank || !b->pair ||
        !b->row_key || !b->gene_key)
        return err_set(e, RC_FAIL, "no memory for a batch of %zu rows", b->n_rows);
    b->first[0] = 0;
    for (size_t c = 0, g = 0; c < n_cells; c++) {
        b->first[c + 1] = b->first[c] + 1 + length[c];
        for (uint32_t j = 0; j < length[c]; j++)
            b->rank[g++] = j;
    }
    return RC_OK;
}

static void set_keys(struct batch *b)
{
    for (size_t c = 0, g = 0; c < b->n_cells; c++)
        for (uint32_t r = b->first[c]; r < b->first[c + 1]; r++) {
            b->row_key[r] = key_of(b->cell_id[c], r - b->first[c]);
            if (r > b->first[c])
                b->gene_key[g++] = b->row_key[r];
        }
}

enum rc pair_table_init(struct pair_table *p, struct arena *a, uint32_t n_tokens, struct err *e)
{
    const size_t bytes = 2 * (size_t)n_tokens * sizeof *p->seen;
    *p = (struct pair_table){ arena_get(a, bytes), n_tokens };
    if (!p->seen)
        return err_set(e, RC_FAIL, "no memory for pairs of %u tokens", n_tokens);
    memset(p->seen, 0xff, bytes);
    return RC_OK;
}

/* A word meets at most two knowledge rows: its own (human cells) and its homolog's (mouse cells).
 */
static uint32_t *place_of(const struct pair_table *p, uint32_t word, uint32_t row)
{
    return &p->seen[2 * (size_t)word + (row != word)];
}

/* Numbers the pairs of n genes from g on, in order of first appearance. No branch: in a small batch
 * half of the pairs are new. What is written behind the last pair is overwritten; there is room,
 * as there are no more pairs than genes so far. */
static enum rc number_pairs(struct batch *b, const struct pair_table *p, const uint32_t *row_of,
                            size_t g, size_t n, uint32_t *n_pairs, struct err *e)
{
    const uint32_t *id = b->id + g, n_tokens = p->n_tokens;
    uint32_t *pair = b->pair + g, *pair_word = b->pair_word, *pair_row = b->pair_row;
    uint32_t next = *n_pairs;
    for (size_t i = 0; i < n; i++) {
        const uint32_t word = id[i];
        if (word >= n_tokens)
            return err_set(e, RC_INPUT, "token %u of %u", word, n_tokens);
        const uint32_t row = row_of ? row_of[word] : word;
        uint32_t *seen = place_of(p, word, row);
        const uint32_t is_new = *seen == UINT32_MAX, keep = is_new - 1;
        pair_word[next] = word;
        pair_row[next] = row;
        pair[i] = *seen = (*seen & keep) | (next & ~keep);
        next += is_new;
    }
    *n_pairs = next;
    return RC_OK;
}

static enum rc find_pairs(struct batch *b, struct arena *a, struct pair_table *p,
                          const uint32_t *homolog, struct err *e)
{
    enum rc rc = RC_OK;
    set_keys(b);
    b->pair_word = arena_get(a, b->n_genes * sizeof *b->pair_word);
    b->pair_row = arena_get(a, b->n_genes * sizeof *b->pair_row);
    if (!b->pair_word || !b->pair_row)
        return err_set(e, RC_FAIL, "no memory for a batch of %zu rows", b->n_rows);
    uint32_t n_pairs = 0;
    for (size_t c = 0, g = 0; !rc && c < b->n_cells; c++) {
        const size_t n = b->first[c + 1] - b->first[c] - 1;
        rc = number_pairs(b, p, b->species[c] == 1 ? homolog : NULL, g, n, &n_pairs, e);
        if (rc)
            err_wrap(e, "cell %zu", c);
        g += n;
    }
    b->n_pairs = n_pairs;
    for (size_t i = 0; i < b->n_pairs; i++)
        *place_of(p, b->pair_word[i], b->pair_row[i]) = UINT32_MAX;
    return rc;
}

enum rc batch_find_pairs(struct batch *b, struct arena *a, uint32_t n_tokens,
                         const uint32_t *homolog, struct err *e)
{
    struct pair_table p;
    enum rc rc = pair_table_init(&p, a, n_tokens, e);
    return rc ? rc : find_pairs(b, a, &p, homolog, e);
}

/* Hides the token of gene row g = position j of cell c; u says how. */
static void mask_one(struct batch *b, const struct masking *m, uint64_t id, uint32_t j, size_t g,
                     uint32_t row, uint64_t u)
{
    const double unit = (double)(u >> 11) * 0x1p-53;
    b->masked[b->n_masked] = row;
    b->label[b->n_masked] = b->id[g];
    b->label_value[b->n_masked++] = b->value[g];
    if (unit < m->mask)
        b->id[g] = TOKEN_MASK;
    else if (unit < m->mask + m->random)
        b->id[g] =
            (uint32_t)rng_below(m->seed, RNG_MASK_TOKEN, id, j | m->round << 16, m->n_tokens);
    else
        return;
    b->value[g] = -1;
}

/* Picks tokens of one cell, whose gene rows begin at g. Special tokens are never picked. */
static void mask_cell(struct batch *b, const struct masking *m, size_t c, size_t g)
{
    uint64_t u[MASK_ROW];
    uint32_t picked[MASK_ROW];
    const uint32_t n = b->first[c + 1] - b->first[c] - 1;
    const uint64_t id = b->cell_id[c], round = m->round << 16;
    /* The largest number that picks: a rate of 1 picks all. */
    const uint64_t most = m->rate >= 1 ? UINT64_MAX : rng_threshold(m->rate) - 1;
    for (uint32_t at = 0; at < n; at += MASK_ROW) {
        const uint32_t k = n - at < MASK_ROW ? n - at : MASK_ROW;
        uint32_t n_picked = 0;
        rng_u64_row(m->seed, RNG_MASK_PICK, id, at | round, NULL, u, k);
        for (uint32_t i = 0; i < k; i++) { /* no branch: nobody could foresee it */
            picked[n_picked] = at + i;
            n_picked += (u[i] <= most) & (b->id[g + at + i] > TOKEN_MASK);
        }
        rng_u64_row(m->seed, RNG_MASK_KIND, id, round, picked, u, n_picked);
        for (uint32_t i = 0; i < n_picked; i++)
            mask_one(b, m, id, picked[i], g + picked[i], b->first[c] + 1 + picked[i], u[i]);
    }
}

static enum rc mask_all(struct batch *b, struct arena *a, const struct masking *m, struct err *e)
{
    b->masked = arena_get(a, b->n_genes * sizeof *b->masked);
    b->label = arena_get(a, b->n_genes * sizeof *b->label);
    b->label_value = arena_get(a, b->n_genes * sizeof *b->label_value);
    if (!b->masked || !b->label || !b->label_value)
        return err_set(e, RC_FAIL, "no memory for a batch of %zu rows", b->n_rows);
    for (size_t c = 0; c < b->n_cells; c++)
        mask_cell(b, m, c, b->first[c] - c);
    return RC_OK;
}

enum rc batch_build_with(struct batch *b, struct arena *a, struct pair_table *pairs,
                         const struct batch_cell *cell, size_t n_cells, uint32_t max_genes,
                         const uint32_t *homolog, const struct masking *mask, struct err *e)
{
    uint32_t *length = arena_get(a, n_cells * sizeof *length);
    if (!length)
        return err_set(e, RC_FAIL, "no memory for a batch of %zu cells", n_cells);
    for (size_t c = 0; c < n_cells; c++)
        length[c] = cell[c].n < max_genes ? cell[c].n : max_genes;
    enum rc rc = batch_layout(b, a, length, n_cells, e);
    if (rc)
        return rc;
    for (size_t c = 0, g = 0; c < n_cells; c++) {
        b->species[c] = cell[c].species;
        b->cell_id[c] = cell[c].cell_id;
        for (uint32_t j = 0; j < length[c]; j++, g++) {
            b->id[g] = cell[c].token[j];
            b->value[g] = cell[c].value[j];
        }
    }
    if (mask && mask->rate > 0)
        rc = mask_all(b, a, mask, e);
    return rc ? rc : find_pairs(b, a, pairs, homolog, e);
}

enum rc batch_build(struct batch *b, struct arena *a, const struct batch_cell *cell, size_t n_cells,
                    uint32_t max_genes, uint32_t n_tokens, const uint32_t *homolog,
                    const struct masking *mask, struct err *e)
{
    struct pair_table p;
    enum rc rc = pair_table_init(&p, a, n_tokens, e);
    return rc ? rc : batch_build_with(b, a, &p, cell, n_cells, max_genes, homolog, mask, e);
}
