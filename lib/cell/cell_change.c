#include "lib/cell/cell_change.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/data/vocab.h"

/* A gene with its new place in the order. */
struct moved {
    uint16_t token;
    double x;
};

static float value_of(double x)
{
    return (float)log2(1 + x); /* as cell_tokenize has it */
}

static bool before(double x, uint16_t token, const struct moved *m)
{
    return x != m->x ? x > m->x : token < m->token;
}

static bool among(const uint16_t *gene, size_t n, uint16_t token)
{
    for (size_t i = 0; i < n; i++)
        if (gene[i] == token)
            return true;
    return false;
}

static uint32_t find(const struct ranked_cell *c, uint16_t token)
{
    uint32_t i = 0;
    while (i < c->n && c->token[i] != token)
        i++;
    return i; /* c->n: absent */
}

static double changed_x(const struct ranked_cell *c, uint32_t at, const struct change *how)
{
    const double x = at < c->n ? c->x[at] : 0;
    if (how->kind == CHANGE_LOW)
        return x > 1 ? x : 1;
    if (how->kind == CHANGE_HIGH)
        return nextafter(c->n ? c->x[0] : 1, INFINITY);
    return x * how->factor;
}

/* Keeps m[0..n) in order while one more comes in. */
static void insert(struct moved *m, size_t n, struct moved x)
{
    while (n && before(x.x, x.token, &m[n - 1])) {
        m[n] = m[n - 1];
        n--;
    }
    m[n] = x;
}

enum change_result cell_change(const struct ranked_cell *c, const uint16_t *gene, size_t n_genes,
                               const struct change *how, uint32_t max, struct cell_copy *out)
{
    struct moved m[CHANGE_MAX_GENES];
    size_t n_moved = 0, n_here = 0;
    assert(n_genes && n_genes <= CHANGE_MAX_GENES);
    const uint32_t seen = c->n < max ? c->n : max;
    /* A gene behind the cut counts only where the change may bring it in front. */
    const uint32_t reach = how->kind == CHANGE_FACTOR && how->factor <= 1 ? seen : c->n;
    for (size_t k = 0; k < n_genes; k++) {
        const uint32_t at = find(c, gene[k]);
        n_here += at < reach;
        if (how->top_half && at < c->n && 2 * at >= seen)
            return CHANGE_ABSENT;
        const double x = changed_x(c, at, how);
        if (x > 0)
            insert(m, n_moved++, (struct moved){ gene[k], x });
    }
    if (how->kind == CHANGE_FACTOR && (!n_here || (how->every && n_here < n_genes)))
        return CHANGE_ABSENT;
    bool same = true;
    uint32_t n = 0;
    for (size_t i = 0, k = 0; n < max && (i < c->n || k < n_moved); n++) {
        while (i < c->n && among(gene, n_genes, c->token[i]))
            i++;
        if (i == c->n && k == n_moved)
            break;
        const bool old = i < c->n && (k == n_moved || before(c->x[i], c->token[i], &m[k]));
        out->token[n] = old ? c->token[i] : m[k].token;
        out->value[n] = value_of(old ? c->x[i] : m[k].x);
        same =
            same && n < seen && out->token[n] == c->token[n] && out->value[n] == value_of(c->x[n]);
        i += old;
        k += !old;
    }
    out->n = n;
    return same && n == seen ? CHANGE_NOTHING : CHANGE_DONE;
}

void cell_unchanged(const struct ranked_cell *c, uint32_t max, struct cell_copy *out)
{
    out->n = c->n < max ? c->n : max;
    memcpy(out->token, c->token, out->n * sizeof *out->token);
    for (uint32_t i = 0; i < out->n; i++)
        out->value[i] = value_of(c->x[i]);
}

/* What number i of a shuffle of the run [first, ...) is exchanged with. */
static uint32_t partner(uint64_t seed, uint64_t id, uint32_t first, uint32_t i)
{
    return first + (uint32_t)rng_below(seed, RNG_SHUFFLE, id, i, i - first + 1);
}

/* Growing a shuffle from its front (number i goes to a random place of [first, i], what stood there
 * to i) needs only the places in front of the cut, and those of the run that reaches over it. */
void cell_shuffle_ties(const struct ranked_cell *c, uint64_t seed, uint64_t id, uint32_t max,
                       struct cell_copy *out)
{
    cell_unchanged(c, max, out);
    for (uint32_t i = 0, first = 0; i < c->n; i++) {
        if (c->x[i] != c->x[first])
            first = i;
        if (first >= out->n)
            break;
        const uint32_t j = partner(seed, id, first, i);
        if (i < out->n)
            out->token[i] = j < i ? out->token[j] : c->token[i];
        if (j < out->n)
            out->token[j] = c->token[i];
    }
}

static void fill_up(uint32_t from, uint32_t to, struct cell_copy *out)
{
    for (uint32_t i = from; i < to; i++) {
        out->token[i] = TOKEN_PAD;
        out->value[i] = 0;
    }
    out->n = to;
}

void cell_padded(const struct ranked_cell *c, uint32_t max, struct cell_copy *out)
{
    cell_unchanged(c, max, out);
    fill_up(out->n, max, out);
}

void cell_delete_padded(const struct ranked_cell *c, const uint16_t *gene, size_t n_genes,
                        uint32_t max, struct cell_copy *out, uint32_t *removed, size_t *n_removed)
{
    uint32_t n = 0;
    *n_removed = 0;
    assert(n_genes <= CHANGE_MAX_GENES);
    for (uint32_t i = 0; i < c->n && i < max; i++) {
        if (among(gene, n_genes, c->token[i])) {
            removed[(*n_removed)++] = i;
            continue;
        }
        out->token[n] = c->token[i];
        out->value[n++] = value_of(c->x[i]);
    }
    fill_up(n, max - (uint32_t)*n_removed, out);
}
