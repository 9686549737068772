/* gene2vec_tiny*: a given schedule of steps, and gensim itself draw by draw. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_SGNS_H
#define GC_TESTS_PARITY_KNOWLEDGE_SGNS_H

#include "lib/cell/sgns.h"
#include "tests/parity/knowledge.h"

/* Rows of name and vector, in the order of the file. */
static bool vectors_read(struct grid *g, const char *dir, const char *sub, const char *name)
{
    char *p = path_in(dir, sub, name);
    size_t n = grid_columns(p);
    bool there = n > 1 && grid_read(g, p, 1, n - 1, false);
    free(p);
    return there;
}

/* The vectors of f, row by row of `order` (names), into float rows. */
static void rows_to_f32(float *to, size_t stride, const struct grid *from, const struct map *row)
{
    for (size_t r = 0; r < from->n_rows; r++) {
        const uint64_t at = map_get(row, from->text[r]);
        for (size_t i = 0; at != MAP_NONE && i < from->n_num; i++)
            to[at * stride + i] = (float)from->num[r * from->n_num + i];
    }
}

/* Largest distance of our rows from those of a file, by name. */
static double f32_off(const float *x, size_t stride, const struct grid *want, const struct map *row)
{
    double w = want->n_rows ? 0 : NAN;
    for (size_t r = 0; r < want->n_rows; r++) {
        const uint64_t at = map_get(row, want->text[r]);
        for (size_t i = 0; i < want->n_num; i++) {
            const double d =
                at == MAP_NONE ? NAN
                               : fabs((double)x[at * stride + i] - want->num[r * want->n_num + i]);
            if (!(d <= w))
                w = d;
        }
    }
    return w;
}

static struct sgns_step step_of(const double *row)
{
    struct sgns_step s = { .predicted = (uint32_t)row[2],
                           .context = (uint32_t)row[3],
                           .rate = (float)row[4] };
    for (int k = 0; k < 5; k++)
        s.negative[k] = (uint32_t)row[5 + k];
    return s;
}

static double *copy_of(const struct grid *g)
{
    double *x = malloc(g->n_rows * g->n_num * sizeof *x);
    if (!x)
        abort();
    memcpy(x, g->num, g->n_rows * g->n_num * sizeof *x);
    return x;
}

/* One of exact and table, in double. */
static void schedule_ref(const char *dir, const char *sub, const struct grid *plan,
                         const struct grid *in0, const struct grid *out0, bool exact)
{
    const char *kind = exact ? "exact" : "table";
    struct grid in, out;
    char *names[2] = { text_new("sgns_%s_in.tsv", kind), text_new("sgns_%s_out.tsv", kind) };
    if (!vectors_read(&in, dir, sub, names[0]) || !vectors_read(&out, dir, sub, names[1])) {
        skip("%s: no %s", sub, names[0]);
    } else {
        double *x = copy_of(in0), *y = copy_of(out0), *work = malloc(in0->n_num * sizeof *work);
        for (size_t k = 0; work && k < plan->n_rows; k++) {
            const struct sgns_step s = step_of(plan->num + k * plan->n_num);
            sgns_take_step_ref(x, y, in0->n_num, &s, plan->num[k * plan->n_num + 4], 5, exact,
                               work);
        }
        const size_t n = in.n_rows * in.n_num;
        ok(worst(x, in.num, n) <= 1e-12 && worst(y, out.num, n) <= 1e-12,
           "%s: %zu steps, %s sigma, double: off by %.1e and %.1e", sub, plan->n_rows, kind,
           worst(x, in.num, n), worst(y, out.num, n));
        free(x);
        free(y);
        free(work);
        grid_release(&in);
        grid_release(&out);
    }
    free(names[0]);
    free(names[1]);
}

/* The step that runs in the tool, against the table run in double. The bound: a product that
 * rounds to the other side of an entry of the table reads a sigma that is 0.003 off, times the rate
 * and a component. */
static void schedule_f32(const char *dir, const char *sub, const struct grid *plan,
                         const struct grid *in0, const struct grid *out0, const struct map *row)
{
    struct grid in, out;
    struct sgns s;
    struct err e = { 0 };
    if (!vectors_read(&in, dir, sub, "sgns_table_in.tsv") ||
        !vectors_read(&out, dir, sub, "sgns_table_out.tsv") ||
        sgns_alloc(&s, in0->n_rows, in0->n_num, &e))
        return;
    float *work = NULL;
    if (posix_memalign((void **)&work, 64, s.stride * sizeof *work) != 0)
        abort();
    rows_to_f32(s.in, s.stride, in0, row);
    rows_to_f32(s.out, s.stride, out0, row);
    for (size_t k = 0; k < plan->n_rows; k++) {
        const struct sgns_step one = step_of(plan->num + k * plan->n_num);
        sgns_take_step(&s, &one, 5, NULL, work);
    }
    const double off = fmax(f32_off(s.in, s.stride, &in, row), f32_off(s.out, s.stride, &out, row));
    ok(off <= 1e-5, "%s: the same steps in float: off by %.1e", sub, off);
    free(work);
    sgns_release(&s);
    grid_release(&in);
    grid_release(&out);
}

static void parity_schedule(const char *dir, const char *sub)
{
    struct grid genes, plan, in0, out0;
    char *p = path_in(dir, sub, "genes.tsv"), *q = path_in(dir, sub, "sgns_schedule.tsv");
    if (!grid_read(&genes, p, 2, 1, false) || !grid_read(&plan, q, 0, 10, true) ||
        !vectors_read(&in0, dir, sub, "sgns_init_in.tsv") ||
        !vectors_read(&out0, dir, sub, "sgns_init_out.tsv")) {
        skip("%s: no schedule", sub);
    } else {
        struct map row;
        struct err e = { 0 };
        map_init(&row);
        for (size_t r = 0; r < genes.n_rows; r++)
            if (map_add(&row, genes.text[2 * r + 1], r, NULL, &e))
                abort();
        bool fits = in0.n_rows == genes.n_rows && out0.n_rows == genes.n_rows;
        for (size_t k = 0; k < plan.n_rows; k++)
            for (int i = 2; i < 10; i++)
                fits = fits && (i == 4 || (plan.num[k * 10 + (size_t)i] >= 0 &&
                                           plan.num[k * 10 + (size_t)i] < (double)genes.n_rows));
        if (ok(fits, "%s: %zu steps on %zu genes", sub, plan.n_rows, genes.n_rows)) {
            schedule_ref(dir, sub, &plan, &in0, &out0, true);
            schedule_ref(dir, sub, &plan, &in0, &out0, false);
            schedule_f32(dir, sub, &plan, &in0, &out0, &row);
        }
        map_release(&row);
        grid_release(&genes);
        grid_release(&plan);
        grid_release(&in0);
        grid_release(&out0);
    }
    free(p);
    free(q);
}

/* gensim's 48-bit generator: a draw is the state before the step, shifted. */
static uint64_t gensim_draw(uint64_t *r)
{
    const uint64_t x = *r >> 16;
    *r = (*r * 25214903917u + 11) & (((uint64_t)1 << 48) - 1);
    return x;
}

/* One epoch as gensim's worker runs it: fates of all tokens first, then the kept pairs. */
static void gensim_epoch(struct sgns *s, const struct grid *pairs, const uint32_t *index,
                         const uint32_t *keep, const uint32_t *cum, float rate, uint64_t r,
                         unsigned char *stays, float *work)
{
    for (size_t i = 0; i < pairs->n_rows; i++) {
        const uint64_t x = gensim_draw(&r), y = gensim_draw(&r);
        stays[i] = !(keep[index[2 * i]] < (x & UINT32_MAX)) &&
                   !(keep[index[2 * i + 1]] < (y & UINT32_MAX));
    }
    for (size_t i = 0; i < pairs->n_rows; i++)
        for (int side = 0; stays[i] && side < 2; side++) {
            struct sgns_step step = { .predicted = index[2 * i + (size_t)side],
                                      .context = index[2 * i + 1 - (size_t)side],
                                      .rate = rate };
            for (int k = 0; k < 5; k++)
                step.negative[k] =
                    (uint32_t)sgns_draw(cum, s->n, (uint32_t)(gensim_draw(&r) % cum[s->n - 1]));
            sgns_take_step(s, &step, 5, NULL, work);
        }
}

static void gensim_replay(const char *dir, const char *sub, const struct grid *vocab,
                          const struct grid *epochs, const struct grid *pairs,
                          const struct grid *start, const struct map *row)
{
    struct sgns s;
    struct err e = { 0 };
    struct grid in, out;
    if (!vectors_read(&in, dir, sub, "gensim_in.tsv") ||
        !vectors_read(&out, dir, sub, "gensim_out.tsv") ||
        sgns_alloc(&s, vocab->n_rows, start->n_num, &e))
        return;
    uint64_t *count = calloc(s.n, sizeof *count);
    uint32_t *cum = calloc(s.n, sizeof *cum), *keep = calloc(s.n, sizeof *keep),
             *index = calloc(2 * pairs->n_rows, sizeof *index);
    unsigned char *stays = calloc(pairs->n_rows + 1, 1);
    float *work = NULL;
    if (!count || !cum || !keep || !index || !stays ||
        posix_memalign((void **)&work, 64, s.stride * sizeof *work) != 0)
        abort();
    bool known = true;
    for (size_t i = 0; i < 2 * pairs->n_rows; i++) {
        const uint64_t at = map_get(row, pairs->text[i]);
        known = known && at != MAP_NONE;
        index[i] = at == MAP_NONE ? 0 : (uint32_t)at;
        count[index[i]]++;
    }
    sgns_cum_table(count, s.n, cum);
    sgns_keep_table(count, s.n, 2e-2, keep);
    bool same_cum = true, same_keep = true;
    for (size_t r = 0; r < s.n; r++) {
        same_keep = same_keep && near(keep[r], vocab->num[r * 3 + 1], 1, 0);
        same_cum = same_cum && near(cum[r], vocab->num[r * 3 + 2], 1, 0);
    }
    ok(known && same_cum, "%s: the table for negatives is gensim's", sub);
    ok(same_keep, "%s: the chances to stay are gensim's", sub);
    for (size_t r = 0; r < s.n; r++) {
        keep[r] = (uint32_t)vocab->num[r * 3 + 1]; /* to the last unit, for the replay */
        cum[r] = (uint32_t)vocab->num[r * 3 + 2];
    }
    rows_to_f32(s.in, s.stride, start, row);
    for (size_t k = 0; k < epochs->n_rows; k++)
        gensim_epoch(&s, pairs, index, keep, cum, (float)epochs->num[3 * k + 1],
                     (uint64_t)epochs->num[3 * k + 2], stays, work);
    const double off_in = f32_off(s.in, s.stride, &in, row),
                 off_out = f32_off(s.out, s.stride, &out, row);
    ok(off_in <= 1e-6 && off_out <= 1e-6, "%s: gensim, draw by draw: off by %.1e and %.1e", sub,
       off_in, off_out);
    free(count);
    free(cum);
    free(keep);
    free(index);
    free(stays);
    free(work);
    sgns_release(&s);
    grid_release(&in);
    grid_release(&out);
}

static void parity_gensim(const char *dir, const char *sub)
{
    struct grid vocab = { 0 }, epochs = { 0 }, pairs = { 0 }, start = { 0 };
    char *p[3] = { path_in(dir, sub, "gensim_vocab.tsv"), path_in(dir, sub, "gensim_epochs.tsv"),
                   path_in(dir, sub, "pairs.txt") };
    if (!grid_read(&vocab, p[0], 1, 3, true) || !grid_read(&epochs, p[1], 0, 3, true) ||
        !grid_read(&pairs, p[2], 2, 0, false) ||
        !vectors_read(&start, dir, sub, "gensim_init_in.tsv")) {
        skip("%s: nothing of gensim", sub);
    } else {
        struct map row;
        struct err e = { 0 };
        map_init(&row);
        for (size_t r = 0; r < vocab.n_rows; r++)
            if (map_add(&row, vocab.text[r], r, NULL, &e))
                abort();
        gensim_replay(dir, sub, &vocab, &epochs, &pairs, &start, &row);
        map_release(&row);
    }
    grid_release(&vocab);
    grid_release(&epochs);
    grid_release(&pairs);
    grid_release(&start);
    for (int i = 0; i < 3; i++)
        free(p[i]);
}

#endif
