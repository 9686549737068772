#include <stdlib.h>
#include <string.h>

#include "lib/nn/model.h"

enum {
    CHUNK = 2048,         /* pairs at a time */
    KEEP_BYTES = 64 << 20 /* of packed weights */
};

void model_unfold(struct model *m)
{
    free(m->folded.table);
    free(m->folded.homolog);
    m->folded = (struct model_folded){ 0 };
}

/* All pairs: every word with its own row, then those whose homolog is another. */
static uint32_t *all_pairs(struct model *m, uint32_t **row)
{
    const uint32_t V = m->config.n_tokens, *homolog = m->tables.homolog;
    uint32_t *word = malloc(2 * (size_t)V * sizeof *word);
    *row = malloc(2 * (size_t)V * sizeof **row);
    m->folded.homolog = malloc(V * sizeof *m->folded.homolog);
    m->folded.rows = V;
    if (!word || !*row || !m->folded.homolog)
        return word;
    for (uint32_t w = 0; w < V; w++) {
        word[w] = (*row)[w] = m->folded.homolog[w] = w;
        if (homolog[w] == w)
            continue;
        m->folded.homolog[w] = (uint32_t)m->folded.rows;
        word[m->folded.rows] = w;
        (*row)[m->folded.rows++] = homolog[w];
    }
    return word;
}

enum rc model_fold(struct model *m, struct err *e)
{
    struct tape t;
    uint32_t *row = NULL;
    const size_t bytes = m->config.d * m->params.b->real_bytes;
    model_unfold(m);
    if (m->params.b->memory)
        return RC_OK; /* computed for each batch */
    uint32_t *word = all_pairs(m, &row);
    m->folded.table = malloc(m->folded.rows * bytes);
    enum rc rc = word && row && m->folded.homolog && m->folded.table
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for a table of %zu genes", m->folded.rows);
    tape_init(&t, m->params.b, false);
    tape_keep_weights(&t, KEEP_BYTES);
    bool none = false;
    for (size_t at = 0; !rc && !none && at < m->folded.rows; at += CHUNK) {
        struct batch b = { .pair_word = word + at, .pair_row = row + at };
        b.n_pairs = m->folded.rows - at < CHUNK ? m->folded.rows - at : CHUNK;
        tape_reset(&t);
        const struct tensor *y = model_pairs(m, &t, &b);
        rc = tape_check(&t, e);
        none = !rc && !y; /* nothing of the block is without the cell's values */
        if (!rc && y)
            memcpy((char *)m->folded.table + at * bytes, y->x, b.n_pairs * bytes);
    }
    tape_release(&t);
    free(word);
    free(row);
    if (rc || none)
        model_unfold(m);
    return rc;
}
