/* Figures 2d and 2g: do genes that two regulators share move more when both are deleted than when
 * one of them goes with a regulator that has nothing to do with the gene?
 *
 * For a pair A+B and a gene g that both regulate, d = shift of g without A and B, less the mean of
 * its shifts without A and R, and without B and R, over all R of the folder's pairs that have no
 * link to g. The paper takes a random factor; here all that were deleted are taken. A pair needs
 * --least-targets such genes. Intervals and tests of a pair are over its genes, those of a list
 * over its pairs. */
#include <math.h>
#include <stdlib.h>

#include "lib/app/grn_parts.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_stat.h"

struct shift {
    uint32_t gene;
    double x;
};

struct pair {
    uint32_t a, b;
    struct shift *shift; /* [n] by gene; owned */
    size_t n;
};

struct job {
    const struct grn_options *o;
    const struct grn_genes *genes;
    struct outfile *metrics, table;
    const char *method, *variant;
    struct pair *pair; /* [n] owned */
    size_t n;
};

struct result {
    uint32_t a, b;
    size_t n_targets;
    double both, one, difference, width, wilcoxon_p, wilcoxon_q, t_p;
};

static int by_gene(const void *a, const void *b)
{
    const struct shift *x = a, *y = b;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static enum rc sort_pairs(struct job *j, const struct grn_method *m, struct err *e)
{
    j->pair = calloc(m->n + 1, sizeof *j->pair);
    if (!j->pair)
        return err_set(e, RC_FAIL, "no memory for %zu pairs", m->n);
    for (; j->n < m->n; j->n++) {
        const struct grn_scores *s = &m->of[j->n];
        struct pair *p = &j->pair[j->n];
        *p = (struct pair){ s->regulator, s->partner, malloc((s->n + 1) * sizeof *p->shift), s->n };
        if (!p->shift)
            return err_set(e, RC_FAIL, "no memory for %zu shifts", s->n);
        for (size_t i = 0; i < s->n; i++)
            p->shift[i] = (struct shift){ s->gene[i], s->score[i] };
        qsort(p->shift, p->n, sizeof *p->shift, by_gene);
    }
    return RC_OK;
}

/* NaN: not seen. */
static double shift_of(const struct pair *p, uint32_t gene)
{
    const struct shift key = { gene, 0 };
    const struct shift *s = bsearch(&key, p->shift, p->n, sizeof *p->shift, by_gene);
    return s ? s->x : NAN;
}

static int by_ends(const void *a, const void *b)
{
    const struct grn_link *x = a, *y = b;
    if (x->regulator != y->regulator)
        return x->regulator < y->regulator ? -1 : 1;
    return (x->target > y->target) - (x->target < y->target);
}

/* A link of any class, or of that one: classes of one link stand side by side. */
static bool is_linked(const struct grn_list *l, uint32_t regulator, uint32_t target,
                      const uint32_t *class)
{
    const struct grn_link key = { regulator, target, 0 };
    const struct grn_link *x = bsearch(&key, l->link, l->n, sizeof *l->link, by_ends);
    if (!x || !class)
        return x != NULL;
    while (x > l->link && by_ends(x - 1, &key) == 0)
        x--;
    for (; x < l->link + l->n && by_ends(x, &key) == 0; x++)
        if (x->class == *class)
            return true;
    return false;
}

/* Mean shift of g without one of the pair and a regulator that is not linked to it. */
static double one_beside_another(const struct job *j, const struct grn_list *l,
                                 const struct pair *p, uint32_t g)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < j->n; i++) {
        const struct pair *q = &j->pair[i];
        const bool first = q->a == p->a || q->a == p->b, second = q->b == p->a || q->b == p->b;
        if (first == second) /* the pair itself, or none of the two */
            continue;
        const uint32_t other = first ? q->b : q->a;
        const double x = shift_of(q, g);
        if (other != g && !isnan(x) && !is_linked(l, other, g, NULL)) {
            sum += x;
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

/* room [2 * p->n]. False: too few genes. */
static enum rc one_pair(const struct job *j, const struct grn_list *l, uint32_t class,
                        const struct pair *p, double *room, struct result *r, bool *fits,
                        struct err *e)
{
    double *both = room, *one = room + p->n;
    size_t n = 0;
    struct test_result w;
    for (size_t i = 0; i < p->n; i++) {
        const uint32_t g = p->shift[i].gene;
        if (g == p->a || g == p->b || !is_linked(l, p->a, g, &class) ||
            !is_linked(l, p->b, g, &class))
            continue;
        both[n] = p->shift[i].x;
        one[n] = one_beside_another(j, l, p, g);
        n += !isnan(one[n]) && !isnan(both[n]);
    }
    *fits = n >= (size_t)j->o->least_targets;
    if (!*fits)
        return RC_OK;
    *r = (struct result){ p->a, p->b, n, mean_of(both, n), mean_of(one, n), 0, 0, 0, 0, 0 };
    r->t_p = paired_t(both, one, n).p;
    const enum rc rc = wilcoxon_signed(both, one, n, &w, e);
    if (rc)
        return rc;
    r->wilcoxon_p = w.p;
    for (size_t i = 0; i < n; i++)
        both[i] -= one[i];
    r->difference = mean_of(both, n);
    r->width = mean_ci95(both, n);
    return RC_OK;
}

static void put(const struct job *j, const char *split, const char *metric, double value, size_t n)
{
    const struct metric_row row = { "grn-recognition", j->o->dataset, j->method, j->variant, split,
                                    j->o->seed,        metric,        value,     n };
    metrics_tsv_add(j->metrics, &row);
}

static enum rc put_all(struct job *j, const char *split, struct result *r, size_t n, double *room,
                       struct err *e)
{
    size_t above = 0;
    for (size_t i = 0; i < n; i++)
        room[i] = r[i].wilcoxon_p;
    const enum rc rc = benjamini_hochberg(room, n, room + n, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const double number[] = { r[i].both,
                                  r[i].one,
                                  r[i].difference,
                                  r[i].difference - r[i].width,
                                  r[i].difference + r[i].width,
                                  r[i].wilcoxon_p,
                                  room[n + i],
                                  r[i].t_p };
        fprintf(j->table.f, "%s\t%s\t%s\t%s\t%llu\t%s+%s\t%zu", j->o->dataset, j->method,
                j->variant, split, (unsigned long long)j->o->seed, j->genes->symbol[r[i].a],
                j->genes->symbol[r[i].b], r[i].n_targets);
        for (size_t k = 0; k < sizeof number / sizeof *number; k++) {
            char text[32];
            metric_text(number[k], text);
            fprintf(j->table.f, "\t%s", text);
        }
        fputc('\n', j->table.f);
        above += r[i].difference > 0 && room[n + i] < 0.05;
    }
    for (size_t i = 0; i < n; i++)
        room[i] = r[i].difference;
    /* One pair has its own interval, over genes. */
    const double mean = mean_of(room, n), width = n > 1 ? mean_ci95(room, n) : r[0].width;
    put(j, split, "both_less_one", mean, n);
    put(j, split, "both_less_one_low", mean - width, n);
    put(j, split, "both_less_one_high", mean + width, n);
    put(j, split, "share_of_pairs_wilcoxon_q_below_0.05", (double)above / (double)n, n);
    return RC_OK;
}

static enum rc one_class(struct job *j, const struct grn_list *l, uint32_t class, struct err *e)
{
    size_t most = j->n, n = 0;
    for (size_t i = 0; i < j->n; i++)
        most = j->pair[i].n > most ? j->pair[i].n : most;
    double *room = malloc((2 * most + 1) * sizeof *room);
    struct result *r = malloc((j->n + 1) * sizeof *r);
    char *split = text_new("%s:%s", l->name, l->class.at[class]);
    enum rc rc = room && r && split ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu pairs", j->n);
    for (size_t i = 0; !rc && i < j->n; i++) {
        bool fits;
        rc = one_pair(j, l, class, &j->pair[i], room, &r[n], &fits, e);
        n += !rc && fits;
    }
    if (!rc && n)
        rc = put_all(j, split, r, n, room, e);
    free(room);
    free(r);
    free(split);
    return rc;
}

static void forget_pairs(struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        free(j->pair[i].shift);
    free(j->pair);
    j->pair = NULL;
    j->n = 0;
}

static enum rc open_table(struct job *j, struct err *e)
{
    char *path = text_new("%s/together.tsv", j->o->out);
    const enum rc rc =
        path ? outfile_open(&j->table, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (!rc)
        fputs("dataset\tmethod\tvariant\tsplit\tseed\tpair\tn_targets\tboth\tone\tboth_less_one\t"
              "low\thigh\twilcoxon_p\twilcoxon_q\tpaired_t_p\n",
              j->table.f);
    return rc;
}

enum rc grn_together(const struct grn_options *o, const struct grn_genes *g,
                     const struct grn_list *list, size_t n_lists, struct outfile *metrics,
                     struct err *e)
{
    struct job j = { .o = o, .genes = g, .metrics = metrics };
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < o->pairs.n; i++) {
        struct grn_method m = { 0 };
        rc = grn_pairs_read(&m, o->pairs.item[i], g, e);
        if (!rc && !m.n)
            rc = err_set(e, RC_INPUT, "--pairs '%s': no two genes were deleted together",
                         o->pairs.item[i]);
        if (!rc && !j.table.f)
            rc = open_table(&j, e);
        j.method = m.name;
        j.variant = m.variant;
        if (!rc)
            rc = sort_pairs(&j, &m, e);
        for (size_t l = 0; !rc && l < n_lists; l++)
            for (uint32_t c = 0; !rc && c < list[l].class.n; c++)
                rc = one_class(&j, &list[l], c, e);
        forget_pairs(&j);
        grn_method_release(&m);
    }
    if (!rc && j.table.f)
        rc = outfile_commit(&j.table, e);
    outfile_abort(&j.table);
    return rc;
}
