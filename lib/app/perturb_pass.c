/* Copies of cells through the model, each beside its original.
 *
 *   a cell      its original, then a copy for each perturbation that concerns it: one behind the
 * other a batch     as many of them as fit, of one cell or of several, without padding a shift 1 -
 * cosine between a row of the copy and the original's row of the same gene An original is encoded
 * once a block of perturbations. Where a batch ends between it and the last of its copies, its rows
 * are kept. A row's bits do not depend on what else is in the batch, and sums are added in the
 * order of cells and perturbations, so neither batches nor threads change a bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"

enum { FOLD_COPIES = 200 }; /* whose genes are some hundred thousand: more than the vocabulary */
#define KEPT SIZE_MAX

enum copy_kind { COPY_ORIGINAL, COPY_CHANGED, COPY_NOTHING, COPY_TIES };

struct copy {
    enum copy_kind kind;
    uint32_t cell;   /* place in held_cells.cell */
    size_t which;    /* perturbation */
    size_t original; /* place in the batch, or KEPT */
    struct cell_copy of;
    uint32_t n_original; /* tokens of the original, and they: in the batch's memory or kept */
    const uint16_t *original_token;
    uint32_t removed[CHANGE_MAX_GENES]; /* as released */
    size_t n_removed;
    double measure[MAX_MEASURES];
    double *shift;         /* [of.n] of each gene; NaN: it cannot be compared */
    const uint16_t *label; /* [of.n] which gene that is taken for */
};

struct runner {
    struct embedder *m;
    const struct held_cells *c;
    const struct perturbations *p;
    const struct targets *t;
    const struct perturb_options *o;
    struct shifts *s; /* one of the two */
    struct noise *noise;
    struct copy *copy;       /* [n] the batch so far */
    struct batch_cell *cell; /* [n] the same for the model */
    size_t n, room, rows;
    struct arena memory; /* of the batch so far */
    size_t now;          /* original of the cell at hand in the batch, or KEPT */
    void *kept;          /* its rows, when they are kept */
    uint16_t *kept_token;
    uint32_t kept_n;
    struct model_out out;
    struct batch batch;
    uint32_t *
        *at; /* [threads][V] a worker's: 1 + place of a token in the original, 0 between copies */
    double **row;             /* [threads][2 D] */
    struct cell_copy scratch; /* [max_genes] a copy before there is room for it */
    uint64_t n_copies;
};

/* ---- comparing ---- */

static const char *rows_of(const struct runner *r, const struct copy *k)
{
    const size_t bytes = r->m->model.config.d * r->m->model.params.b->real_bytes;
    return k->original == KEPT ? r->kept
                               : (const char *)r->out.last->x + r->batch.first[k->original] * bytes;
}

/* 1 - cosine of row i of a and row j of b. */
static double shift_of(const struct runner *r, double *room, const char *a, size_t i, const char *b,
                       size_t j)
{
    const size_t d = r->m->model.config.d, bytes = d * r->m->model.params.b->real_bytes;
    double aa = 0, bb = 0, ab = 0;
    reals_to_f64(r->m->model.params.b, room, a + i * bytes, d);
    reals_to_f64(r->m->model.params.b, room + d, b + j * bytes, d);
    if (memcmp(room, room + d, d * sizeof *room) == 0)
        return 0; /* not the rounding of a root */
    for (size_t k = 0; k < d; k++) {
        aa += room[k] * room[k];
        bb += room[d + k] * room[d + k];
        ab += room[k] * room[d + k];
    }
    return 1 - ab / sqrt(aa * bb);
}

static bool changed_gene(const struct runner *r, const struct copy *k, uint16_t token)
{
    if (k->kind != COPY_CHANGED)
        return false;
    const struct perturbation *x = &r->p->item[k->which];
    for (uint32_t i = 0; i < x->n_tokens; i++)
        if (x->token[i] == token)
            return true;
    return false;
}

/* Gene by gene: those that stand in both, but for the ones that were changed. */
static void compare(const struct runner *r, struct copy *k, const char *a, const char *b,
                    uint32_t *at, double *room)
{
    for (uint32_t i = 0; i < k->n_original; i++)
        at[k->original_token[i]] = i + 1;
    for (uint32_t j = 0; j < k->of.n; j++) {
        const uint32_t i = at[k->of.token[j]];
        k->shift[j] =
            !i || changed_gene(r, k, k->of.token[j]) ? NAN : shift_of(r, room, a, i, b, j + 1);
    }
    for (uint32_t i = 0; i < k->n_original; i++)
        at[k->original_token[i]] = 0;
}

/* Place by place, as the published code: rows of the removed genes leave the original, pads count,
 * and the names are those of the list before the deletion (spec 05 section 2, a and b). */
static void compare_released(const struct runner *r, struct copy *k, const char *a, const char *b,
                             double *room)
{
    size_t gone = 0;
    for (uint32_t j = 0; j < k->of.n; j++) {
        while (gone < k->n_removed && k->removed[gone] <= j + gone)
            gone++;
        k->shift[j] = shift_of(r, room, a, 1 + j + gone, b, 1 + j);
    }
    k->label = k->original_token;
}

/* How much nearer the copy's species token is to the targets; room holds it behind the original's.
 */
static void compare_targets(const struct runner *r, struct copy *k, const double *room)
{
    const size_t d = r->m->model.config.d;
    double aa = 0, bb = 0;
    for (size_t i = 0; i < d; i++) {
        aa += room[i] * room[i];
        bb += room[d + i] * room[d + i];
    }
    for (size_t t = 0; t < r->t->n; t++) {
        double a = 0, b = 0;
        for (size_t i = 0; i < d; i++) {
            a += room[i] * r->t->mean[t][i];
            b += room[d + i] * r->t->mean[t][i];
        }
        k->measure[MEASURE_TARGET + t] = b / sqrt(bb) - a / sqrt(aa);
    }
}

static void compare_copy(void *ctx, size_t i, int worker)
{
    struct runner *r = ctx;
    struct copy *k = &r->copy[i];
    const size_t bytes = r->m->model.config.d * r->m->model.params.b->real_bytes;
    double *room = r->row[worker], sum = 0;
    if (k->kind == COPY_ORIGINAL)
        return;
    const char *a = rows_of(r, k), *b = (const char *)r->out.last->x + r->batch.first[i] * bytes;
    k->label = k->of.token;
    k->measure[MEASURE_CLS] = shift_of(r, room, a, 0, b, 0);
    compare_targets(r, k, room);
    if (r->o->as_released)
        compare_released(r, k, a, b, room);
    else
        compare(r, k, a, b, r->at[worker], room);
    uint32_t n = 0;
    for (uint32_t j = 0; j < k->of.n; j++)
        if (!isnan(k->shift[j])) {
            sum += k->shift[j];
            n++;
        }
    k->measure[MEASURE_GENE] = n ? sum / n : NAN;
}

/* ---- adding up ---- */

static enum rc keep_cell(struct cell_shifts *s, const struct copy *k, struct err *e)
{
    if (s->n == s->room) {
        const size_t room = 2 * s->room + 16;
        double *value = malloc(MAX_MEASURES * room * sizeof *value);
        uint32_t *cell = realloc(s->cell, room * sizeof *cell);
        if (cell)
            s->cell = cell;
        if (!value || !cell) {
            free(value);
            return err_set(e, RC_FAIL, "no memory for shifts of %zu cells", room);
        }
        for (size_t m = 0; m < MAX_MEASURES && s->n; m++)
            memcpy(value + m * room, s->value + m * s->room, s->n * sizeof *value);
        free(s->value);
        s->value = value;
        s->room = room;
    }
    s->cell[s->n] = k->cell;
    for (size_t m = 0; m < MAX_MEASURES; m++)
        s->value[m * s->room + s->n] = k->measure[m];
    s->n++;
    return RC_OK;
}

static enum rc add_up(struct runner *r, const struct copy *k, struct err *e)
{
    if (k->kind == COPY_ORIGINAL)
        return RC_OK;
    if (k->kind != COPY_CHANGED) {
        struct running *to = k->kind == COPY_TIES ? r->noise->ties : r->noise->nothing;
        for (size_t m = 0; m < n_measures(r->o); m++)
            running_add(&to[m], k->measure[m]);
        return RC_OK;
    }
    struct running *gene = r->s->gene + (k->which - r->s->from) * r->s->n_genes;
    for (uint32_t j = 0; j < k->of.n; j++) {
        const uint32_t g = r->p->gene_of[k->label[j]];
        if (g != UINT32_MAX && !isnan(k->shift[j]))
            running_add(&gene[g], k->shift[j]);
    }
    return keep_cell(&r->s->of[k->which - r->s->from], k, e);
}

/* ---- batches ---- */

/* The rows of the cell at hand outlive the batch. */
static void keep_original(struct runner *r)
{
    const size_t bytes = r->m->model.config.d * r->m->model.params.b->real_bytes;
    if (r->now == KEPT)
        return;
    const struct copy *k = &r->copy[r->now];
    memcpy(r->kept, (const char *)r->out.last->x + r->batch.first[r->now] * bytes,
           (k->of.n + 1) * bytes);
    memcpy(r->kept_token, k->of.token, k->of.n * sizeof *r->kept_token);
    r->kept_n = k->of.n;
    r->now = KEPT;
}

static enum rc flush(struct runner *r, struct err *e)
{
    if (!r->n)
        return RC_OK;
    r->out = (struct model_out){ 0 };
    enum rc rc = embedder_pass(r->m, r->cell, r->n, &r->batch, &r->out, e);
    if (rc)
        return rc;
    threads_for(r->n, compare_copy, r);
    for (size_t i = 0; !rc && i < r->n; i++)
        rc = add_up(r, &r->copy[i], e);
    keep_original(r);
    r->n = r->rows = 0;
    arena_reset(&r->memory);
    return rc;
}

/* Room for one more row of tokens. */
static enum rc next_copy(struct runner *r, struct copy *k, uint32_t n, struct err *e)
{
    if (r->n && r->rows + n + 1 > r->m->max_rows && flush(r, e))
        return e->rc;
    if (r->n == r->room) {
        const size_t room = 2 * r->room + 64;
        struct copy *copy = realloc(r->copy, room * sizeof *copy);
        if (copy)
            r->copy = copy;
        struct batch_cell *cell = realloc(r->cell, room * sizeof *cell);
        if (cell)
            r->cell = cell;
        if (!copy || !cell)
            return err_set(e, RC_FAIL, "no memory for %zu copies", room);
        r->room = room;
    }
    k->of.token = arena_get(&r->memory, n * sizeof *k->of.token);
    k->of.value = arena_get(&r->memory, n * sizeof *k->of.value);
    k->shift = arena_get(&r->memory, n * sizeof *k->shift);
    if (!k->of.token || !k->of.value || !k->shift)
        return err_set(e, RC_FAIL, "no memory for a copy of a cell");
    return RC_OK;
}

static void push(struct runner *r, const struct copy *k)
{
    const struct held_cell *h = &r->c->cell[k->cell];
    const uint8_t species = r->o->as_released ? SPECIES_HUMAN : h->species; /* defect c */
    r->cell[r->n] = (struct batch_cell){ h->id, species, k->of.n, k->of.token, k->of.value };
    r->copy[r->n++] = *k;
    r->rows += k->of.n + 1;
}

static enum rc push_original(struct runner *r, uint32_t cell, struct err *e)
{
    struct copy k = { .kind = COPY_ORIGINAL, .cell = cell };
    const struct ranked_cell *g = &r->c->cell[cell].genes;
    const uint32_t max = r->m->model.config.max_genes;
    r->now = KEPT; /* of a cell that is done with: a flush need not keep it */
    r->kept_n = 0;
    if (next_copy(r, &k, r->o->as_released || g->n > max ? max : g->n, e))
        return e->rc;
    (r->o->as_released ? cell_padded : cell_unchanged)(g, max, &k.of);
    r->now = r->n;
    push(r, &k);
    return RC_OK;
}

/* A copy whose tokens are in r->scratch. */
static enum rc push_copy(struct runner *r, struct copy *k, struct err *e)
{
    const struct cell_copy from = r->scratch;
    if (next_copy(r, k, from.n, e))
        return e->rc;
    k->of.n = from.n;
    memcpy(k->of.token, from.token, from.n * sizeof *from.token);
    memcpy(k->of.value, from.value, from.n * sizeof *from.value);
    k->original = r->now;
    k->original_token = r->now == KEPT ? r->kept_token : r->copy[r->now].of.token;
    k->n_original = r->now == KEPT ? r->kept_n : r->copy[r->now].of.n;
    push(r, k);
    r->n_copies++;
    return RC_OK;
}

static enum change_result change_copy(struct runner *r, struct copy *k)
{
    const struct ranked_cell *g = &r->c->cell[k->cell].genes;
    const uint32_t max = r->m->model.config.max_genes;
    const struct perturbation *x = &r->p->item[k->which];
    if (!r->o->as_released)
        return cell_change(g, x->token, x->n_tokens, &r->o->how, max, &r->scratch);
    cell_delete_padded(g, x->token, x->n_tokens, max, &r->scratch, k->removed, &k->n_removed);
    return k->n_removed ? CHANGE_DONE : CHANGE_ABSENT;
}

static enum rc one_cell(struct runner *r, uint32_t cell, struct err *e)
{
    bool began = false;
    for (size_t i = r->s->from; i < r->s->to; i++) {
        struct copy k = { .kind = COPY_CHANGED, .cell = cell, .which = i };
        if (change_copy(r, &k) != CHANGE_DONE)
            continue;
        if (!began && push_original(r, cell, e))
            return e->rc;
        began = true;
        if (push_copy(r, &k, e))
            return e->rc;
    }
    return RC_OK;
}

static enum rc runner_open(struct runner *r, struct err *e)
{
    const struct model_config *c = &r->m->model.config;
    const size_t bytes = c->d * r->m->model.params.b->real_bytes, n = (size_t)threads_count();
    arena_init(&r->memory, 1 << 20);
    r->now = KEPT;
    r->kept = malloc((c->max_genes + 1) * bytes);
    r->kept_token = malloc(c->max_genes * sizeof *r->kept_token);
    r->at = calloc(n, sizeof *r->at);
    r->row = calloc(n, sizeof *r->row);
    r->scratch.token = malloc(c->max_genes * sizeof *r->scratch.token);
    r->scratch.value = malloc(c->max_genes * sizeof *r->scratch.value);
    bool good = r->kept && r->kept_token && r->at && r->row && r->scratch.token && r->scratch.value;
    for (size_t i = 0; good && i < n; i++) {
        r->at[i] = calloc(c->n_tokens, sizeof **r->at);
        r->row[i] = malloc(2 * c->d * sizeof **r->row);
        good = r->at[i] && r->row[i];
    }
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory to compare cells");
}

static void runner_close(struct runner *r)
{
    for (int i = 0; i < threads_count(); i++) {
        free(r->at ? r->at[i] : NULL);
        free(r->row ? r->row[i] : NULL);
    }
    free(r->at);
    free(r->row);
    free(r->kept);
    free(r->kept_token);
    free(r->scratch.token);
    free(r->scratch.value);
    free(r->copy);
    free(r->cell);
    arena_release(&r->memory);
}

/* About how many copies there will be. */
static size_t expected_copies(const struct perturbations *p, const struct perturb_options *o,
                              size_t n_cells, size_t from, size_t to)
{
    size_t n = 0;
    if (o->how.kind != CHANGE_FACTOR)
        return (to - from) * n_cells;
    for (size_t i = from; i < to; i++)
        for (uint32_t k = 0; k < p->item[i].n_tokens; k++)
            n += p->gene[p->gene_of[p->item[i].token[k]]].n_cells;
    return n;
}

enum rc shifts_run(struct shifts *s, struct embedder *m, const struct held_cells *c,
                   const struct perturbations *p, const struct targets *t,
                   const struct perturb_options *o, size_t from, size_t to, struct err *e)
{
    struct runner r = { .m = m, .c = c, .p = p, .t = t, .o = o, .s = s };
    *s = (struct shifts){ .from = from, .to = to, .n_genes = p->n_genes };
    s->gene = calloc((to - from) * p->n_genes + 1, sizeof *s->gene);
    s->of = calloc(to - from + 1, sizeof *s->of);
    enum rc rc = s->gene && s->of
                     ? runner_open(&r, e)
                     : err_set(e, RC_FAIL, "no memory for %zu perturbations of %zu genes",
                               to - from, p->n_genes);
    if (!rc && expected_copies(p, o, c->n, from, to) >= FOLD_COPIES && !m->model.folded.table)
        rc = model_fold(&m->model, e);
    for (uint32_t i = 0; !rc && i < c->n; i++)
        rc = one_cell(&r, i, e);
    if (!rc)
        rc = flush(&r, e);
    s->n_copies = r.n_copies;
    runner_close(&r);
    if (rc)
        shifts_release(s);
    return rc;
}

void shifts_release(struct shifts *s)
{
    for (size_t i = 0; s->of && i < s->to - s->from; i++) {
        free(s->of[i].cell);
        free(s->of[i].value);
    }
    free(s->of);
    free(s->gene);
    *s = (struct shifts){ 0 };
}

static enum rc noise_of(struct runner *r, uint32_t cell, struct err *e)
{
    const uint32_t max = r->m->model.config.max_genes;
    const struct held_cell *h = &r->c->cell[cell];
    struct copy nothing = { .kind = COPY_NOTHING, .cell = cell };
    struct copy ties = { .kind = COPY_TIES, .cell = cell };
    if (push_original(r, cell, e))
        return e->rc;
    (r->o->as_released ? cell_padded : cell_unchanged)(&h->genes, max, &r->scratch);
    enum rc rc = push_copy(r, &nothing, e);
    if (rc || r->o->as_released)
        return rc;
    cell_shuffle_ties(&h->genes, r->o->seed, h->id, max, &r->scratch);
    return push_copy(r, &ties, e);
}

enum rc noise_run(struct noise *n, struct embedder *m, const struct held_cells *c,
                  const struct perturbations *p, const struct targets *t,
                  const struct perturb_options *o, struct err *e)
{
    struct runner r = { .m = m, .c = c, .p = p, .t = t, .o = o, .noise = n };
    *n = (struct noise){ 0 };
    enum rc rc = runner_open(&r, e);
    for (uint32_t i = 0; !rc && i < c->n; i++)
        rc = noise_of(&r, i, e);
    if (!rc)
        rc = flush(&r, e);
    runner_close(&r);
    return rc;
}
