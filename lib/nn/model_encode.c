/* The encoder without gradients. Rows of one cell never meet those of another, so cells go through
 * all layers a group at a time, and memory is that of a group: two buffers take turns as a layer's
 * input and output, and what lies between them is given back behind each layer. Where only row 0
 * of a cell is asked for, the last layer computes keys and values for all rows and the rest for
 * that row alone. No bit depends on how cells are grouped. */
#include "lib/base/thread.h"
#include "lib/nn/model_parts.h"

enum {
    PAIRS = 512,      /* of the embedding block at a time */
    GROUP_ROWS = 1024 /* of a group for each worker: whole cells, one at least */
};

/* The pairs of a batch, or their words, in pieces. */
static struct tensor *in_pieces(struct model *m, struct tape *t, const struct batch *b,
                                struct tensor *(*make)(struct model *, struct tape *,
                                                       const struct batch *))
{
    const size_t bytes = m->config.d * t->b->real_bytes;
    struct tensor *all = tape_new(t, b->n_pairs, m->config.d);
    const struct tape_mark mark = tape_mark(t);
    for (size_t at = 0; !t->failed && at < b->n_pairs; at += PAIRS) {
        const struct batch piece = { .n_pairs = b->n_pairs - at < PAIRS ? b->n_pairs - at : PAIRS,
                                     .pair_word = b->pair_word + at,
                                     .pair_row = b->pair_row + at };
        const struct tensor *y = make(m, t, &piece);
        if (!y)
            return NULL;
        if (t->failed)
            break;
        backend_copy(t->b, (char *)all->x + at * bytes, y->x, piece.n_pairs * bytes);
        tape_rewind(t, mark);
    }
    return all;
}

/* Rows of the folded table. */
static void take_folded(struct model *m, struct tape *t, const struct batch *b,
                        struct model_embedding *x)
{
    const size_t d = m->config.d;
    uint32_t *index = tape_memory(t, (b->n_genes + 1) * sizeof *index);
    x->pairs = tape_memory(t, sizeof *x->pairs);
    if (t->failed)
        return;
    for (size_t g = 0; g < b->n_genes; g++) {
        const uint32_t word = b->pair_word[b->pair[g]], row = b->pair_row[b->pair[g]];
        index[g] = row == word ? word : m->folded.homolog[word];
    }
    x->index = index;
    *x->pairs = (struct tensor){ .rows = m->folded.rows, .cols = d, .ld = d, .x = m->folded.table };
}

/* Cells [from, from + n) as a batch that borrows. */
static struct batch group_of(struct tape *t, const struct batch *b, size_t from, size_t n)
{
    const size_t row = b->first[from], gene = row - from;
    struct batch g = *b;
    g.n_cells = n;
    g.n_rows = b->first[from + n] - row;
    g.n_genes = g.n_rows - n;
    g.n_masked = 0;
    g.species += from;
    g.cell_id += from;
    g.row_key += row;
    g.id += gene;
    g.value += gene;
    g.rank += gene;
    g.pair += gene;
    g.gene_key += gene;
    g.first = tape_memory(t, (n + 1) * sizeof *g.first);
    for (size_t c = 0; g.first && c <= n; c++)
        g.first[c] = b->first[from + c] - (uint32_t)row;
    return g;
}

static struct model_embedding embedding_of_group(const struct model_embedding *x, size_t gene)
{
    struct model_embedding g = *x;
    g.index += gene;
    g.word_index += gene;
    return g;
}

/* `to`: what is asked of these cells. keep[2]: room for the group's rows. */
static void encode_group(struct model *m, struct tape *t, const struct batch *g,
                         const struct model_embedding *x, const struct model_run *run,
                         struct tensor keep[2], bool cells_only, void *to)
{
    const unsigned n_layers = m->config.n_layers;
    const size_t row = m->config.d * t->b->real_bytes;
    const bool few = cells_only && !run->dropout && n_layers && t->b->attention_first;
    const struct tape_mark mark = tape_mark(t);
    struct tensor *h = model_embed(m, t, g, x, run);
    for (unsigned l = 0; l < n_layers && !t->failed; l++) {
        struct tensor *next = &keep[l % 2];
        if (few && l + 1 == n_layers) {
            h = model_layer_cells(m, t, h, l, g);
            break;
        }
        next->rows = g->n_rows;
        h = model_layer(m, t, h, l, g, run, next);
        tape_rewind(t, mark);
    }
    if (cells_only && !few)
        h = model_cell_rows(m, t, g, h);
    if (!t->failed)
        backend_copy(t->b, to, h->x, (cells_only ? g->n_cells : g->n_rows) * row);
}

/* Cells from `from` on that make a group. */
static size_t group_size(const struct batch *b, size_t from)
{
    const size_t most = GROUP_ROWS * (size_t)threads_count();
    size_t n = 1;
    while (from + n < b->n_cells && b->first[from + n + 1] - b->first[from] <= most)
        n++;
    return n;
}

static size_t largest_group(const struct batch *b)
{
    size_t most = 0;
    for (size_t from = 0, n; from < b->n_cells; from += n) {
        n = group_size(b, from);
        if (b->first[from + n] - b->first[from] > most)
            most = b->first[from + n] - b->first[from];
    }
    return most;
}

void model_encode_only(struct model *m, struct tape *t, const struct batch *b,
                       const struct model_run *run, struct model_out *out)
{
    const size_t d = m->config.d, most = largest_group(b);
    struct model_embedding x = { .index = b->pair, .word_index = b->pair };
    out->last = tape_new(t, out->cells_only ? b->n_cells : b->n_rows, d);
    if (m->folded.table)
        take_folded(m, t, b, &x);
    else
        x.pairs = in_pieces(m, t, b, model_pairs);
    if (m->config.value_encoder == VALUE_JOINT)
        x.words = in_pieces(m, t, b, model_words);
    struct tensor keep[2] = { *tape_new(t, most, d), *tape_new(t, most, d) };
    const struct tape_mark mark = tape_mark(t);
    for (size_t from = 0, n; !t->failed && from < b->n_cells; from += n) {
        n = group_size(b, from);
        const struct batch g = group_of(t, b, from, n);
        const struct model_embedding of = embedding_of_group(&x, b->first[from] - from);
        const size_t at = out->cells_only ? from : b->first[from];
        if (!t->failed)
            encode_group(m, t, &g, &of, run, keep, out->cells_only,
                         (char *)out->last->x + at * d * t->b->real_bytes);
        if (!t->failed)
            tape_rewind(t, mark);
    }
    if (t->failed)
        out->last = &t->nothing;
}
