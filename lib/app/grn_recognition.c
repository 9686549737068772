#include "lib/app/grn_recognition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_parts.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_rank.h"
#include "lib/nn/metrics_stat.h"

/* Of the released notebook: the genes of its dictionary, whatever a cell shows (spec 07, E14). */
enum { RELEASED_VOCABULARY = 23115 };

enum number {
    AUROC,
    AP,
    AP_RATIO,
    PRECISION,
    RANDOM_LISTED,
    RANDOM_VOCABULARY,
    TARGETS,
    OTHERS,
    WILCOXON_P,
    WILCOXON_Q,
    WELCH_P,
    N_NUMBERS
};
static const char *const number_name[N_NUMBERS] = {
    "auroc",         "average_precision", "auprc_ratio",  "precision",
    "random_listed", "random_vocabulary", "mean_targets", "mean_others",
    "wilcoxon_p",    "wilcoxon_q",        "welch_p"
};

struct row {
    uint32_t regulator;
    size_t n_targets, n_others;
    double x[N_NUMBERS];
};

struct job {
    const struct grn_options *o;
    struct grn_genes genes;
    struct grn_method *method;
    struct grn_list *list, *against;
    size_t n_methods, n_lists, n_against, n_splits;
    struct outfile predictions, metrics;
    /* one regulator's genes */
    unsigned char *role; /* [genes] by number: 0 other, 1 target, 2 compared with, 3 neither */
    double *score;
    bool *positive;
};

/* What targets of a class are compared with. */
struct comparison {
    const struct grn_list *list;
    uint32_t class;
    const struct grn_list *against; /* NULL: the next */
    uint32_t other;                 /* a class, or UINT32_MAX: all genes without a link */
};

/* ---- one regulator ---- */

/* Roles of the genes; false: the list does not have the regulator. */
static bool give_roles(const struct job *j, const struct comparison *k, uint32_t regulator,
                       size_t *n_known)
{
    const struct grn_list *l = k->list;
    const bool rest = !k->against && k->other == UINT32_MAX;
    *n_known = 0;
    memset(j->role, rest ? 2 : 0, j->genes.id.n);
    for (size_t i = 0; k->against && i < k->against->n; i++)
        j->role[k->against->link[i].target] = 2;
    for (size_t i = 0; i < l->n; i++) {
        const struct grn_link *x = &l->link[i];
        if (x->regulator != regulator)
            continue;
        *n_known += x->class == k->class;
        j->role[x->target] = x->class == k->class                           ? 1
                             : !k->against && !rest && x->class == k->other ? 2
                                                                            : 3;
    }
    j->role[regulator] = 3;
    return *n_known > 0;
}

struct scored {
    double score;
    uint32_t gene;
    bool target;
};

static int falling(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* The list of all genes seen, as the notebook ranks it, but by the mean over cells (spec 07, E14).
 */
static enum rc rank_list(const struct job *j, const struct grn_scores *s, size_t n_known,
                         struct row *r, struct err *e)
{
    struct scored *x = malloc((s->n + 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for %zu genes", s->n);
    for (size_t i = 0; i < s->n; i++)
        x[i] = (struct scored){ s->score[i], s->gene[i], j->role[s->gene[i]] == 1 };
    qsort(x, s->n, sizeof *x, falling);
    for (size_t i = 0; i < s->n; i++)
        j->positive[i] = x[i].target;
    free(x);
    r->x[PRECISION] = ranked_precision(j->positive, s->n, n_known);
    r->x[RANDOM_LISTED] = ranked_random(j->positive, s->n);
    r->x[RANDOM_VOCABULARY] = (double)n_known / RELEASED_VOCABULARY;
    return RC_OK;
}

/* *fits is false when there are too few genes on one side. */
static enum rc one_regulator(const struct job *j, const struct comparison *k,
                             const struct grn_scores *s, struct row *r, bool *fits, struct err *e)
{
    size_t n_known, n_a = 0, n_b = 0;
    *fits = false;
    if (!give_roles(j, k, s->regulator, &n_known))
        return RC_OK;
    /* Targets from the front, the others from the back. */
    for (size_t i = 0; i < s->n; i++)
        if (j->role[s->gene[i]] == 1)
            j->score[n_a++] = s->score[i];
        else if (j->role[s->gene[i]] == 2)
            j->score[s->n - ++n_b] = s->score[i];
    const size_t least = (size_t)j->o->least_targets;
    if (n_a < least || n_b < least)
        return RC_OK;
    memmove(j->score + n_a, j->score + s->n - n_b, n_b * sizeof *j->score);
    for (size_t i = 0; i < n_a + n_b; i++)
        j->positive[i] = i < n_a;
    *r = (struct row){ .regulator = s->regulator, .n_targets = n_a, .n_others = n_b };
    struct rank_metrics m;
    struct test_result u;
    const double *a = j->score, *b = j->score + n_a;
    enum rc rc = rank_metrics_get(j->score, j->positive, n_a + n_b, &m, e);
    if (!rc)
        rc = mann_whitney(a, n_a, b, n_b, &u, e);
    if (rc)
        return rc;
    r->x[AUROC] = m.auroc;
    r->x[AP] = m.average_precision;
    r->x[AP_RATIO] = m.auprc_ratio;
    r->x[TARGETS] = mean_of(a, n_a);
    r->x[OTHERS] = mean_of(b, n_b);
    r->x[WILCOXON_P] = u.p;
    r->x[WELCH_P] = welch_t(a, n_a, b, n_b).p;
    r->x[PRECISION] = r->x[RANDOM_LISTED] = r->x[RANDOM_VOCABULARY] = NAN;
    *fits = true;
    return k->against || k->other != UINT32_MAX ? RC_OK : rank_list(j, s, n_known, r, e);
}

/* ---- one method, one comparison ---- */

static void put_row(struct job *j, const struct grn_method *m, const char *split,
                    const struct row *r)
{
    FILE *f = j->predictions.f;
    fprintf(f, "%s\t%s\t%s\t%s\t%llu\t%s\t%s\t%zu\t%zu", j->o->dataset, m->name, m->variant,
            split, (unsigned long long)j->o->seed, j->genes.id.at[r->regulator],
            j->genes.symbol[r->regulator], r->n_targets, r->n_others);
    for (int k = 0; k < N_NUMBERS; k++) {
        char text[32];
        metric_text(r->x[k], text);
        fprintf(f, "\t%s", text);
    }
    fputc('\n', f);
}

static void put_metric(struct job *j, const struct grn_method *m, const char *split,
                       const char *metric, double value, size_t n)
{
    const struct metric_row row = { "grn-recognition", j->o->dataset, m->name, m->variant, split,
                                    j->o->seed,        metric,        value,   n };
    metrics_tsv_add(&j->metrics, &row);
}

static double mean_known(const struct row *r, size_t n, enum number k, size_t *known)
{
    double sum = 0;
    *known = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(r[i].x[k])) {
            sum += r[i].x[k];
            ++*known;
        }
    return *known ? sum / (double)*known : NAN;
}

/* The 95 % interval (Student's t) over regulators of what is known of x[n], which is pushed
 * together; and of a difference its mean, which put_means does not have. */
static void put_interval(struct job *j, const struct grn_method *m, const char *split,
                         const char *metric, double *x, size_t n)
{
    char name[64];
    size_t known = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            x[known++] = x[i];
    if (!known)
        return;
    const double mean = mean_of(x, known), width = mean_ci95(x, known);
    if (strcmp(metric, number_name[AUROC]) != 0)
        put_metric(j, m, split, metric, mean, known);
    snprintf(name, sizeof name, "%s_low", metric);
    put_metric(j, m, split, name, mean - width, known);
    snprintf(name, sizeof name, "%s_high", metric);
    put_metric(j, m, split, name, mean + width, known);
}

static enum rc put_intervals(struct job *j, const struct grn_method *m, const char *split,
                             const struct row *r, size_t n, struct err *e)
{
    double *x = malloc((n + 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for %zu regulators", n);
    for (size_t i = 0; i < n; i++)
        x[i] = r[i].x[AUROC];
    put_interval(j, m, split, "auroc", x, n);
    for (size_t i = 0; i < n; i++)
        x[i] = r[i].x[PRECISION] - r[i].x[RANDOM_LISTED];
    put_interval(j, m, split, "precision_gain", x, n);
    free(x);
    return RC_OK;
}

static void put_means(struct job *j, const struct grn_method *m, const char *split,
                      const struct row *r, size_t n)
{
    size_t known, above = 0, significant = 0;
    for (enum number k = AUROC; k <= OTHERS; k++) {
        const double mean = mean_known(r, n, k, &known);
        if (known)
            put_metric(j, m, split, number_name[k], mean, known);
    }
    mean_known(r, n, PRECISION, &known);
    for (size_t i = 0; i < n; i++) {
        above += r[i].x[PRECISION] > r[i].x[RANDOM_LISTED];
        significant += r[i].x[WILCOXON_Q] < 0.05 && r[i].x[AUROC] > 0.5;
    }
    if (known)
        put_metric(j, m, split, "share_above_random_listed", (double)above / (double)known, known);
    put_metric(j, m, split, "share_wilcoxon_q_below_0.05", (double)significant / (double)n, n);
}

static enum rc add_q(struct row *r, size_t n, struct err *e)
{
    double *p = malloc((2 * n + 1) * sizeof *p);
    if (!p)
        return err_set(e, RC_FAIL, "no memory for %zu p values", n);
    for (size_t i = 0; i < n; i++)
        p[i] = r[i].x[WILCOXON_P];
    enum rc rc = benjamini_hochberg(p, n, p + n, e);
    for (size_t i = 0; !rc && i < n; i++)
        r[i].x[WILCOXON_Q] = p[n + i];
    free(p);
    return rc;
}

static enum rc one_comparison(struct job *j, const struct grn_method *m, const struct comparison *k,
                              struct err *e)
{
    const char *class = k->list->class.at[k->class];
    const char *other = k->against               ? k->against->name
                        : k->other == UINT32_MAX ? "others"
                                                 : k->list->class.at[k->other];
    char *split = text_new("%s:%s/%s", k->list->name, class, other);
    struct row *row = malloc((m->n + 1) * sizeof *row);
    size_t n = 0;
    enum rc rc = split && row ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu regulators", m->n);
    for (size_t i = 0; !rc && i < m->n; i++) {
        bool fits;
        rc = one_regulator(j, k, &m->of[i], &row[n], &fits, e);
        n += !rc && fits;
    }
    if (!rc && n)
        rc = add_q(row, n, e);
    for (size_t i = 0; !rc && i < n; i++)
        put_row(j, m, split, &row[i]);
    if (!rc && n)
        put_means(j, m, split, row, n);
    if (!rc && n)
        rc = put_intervals(j, m, split, row, n, e);
    j->n_splits += n > 0;
    free(split);
    free(row);
    return rc;
}

static enum rc all_comparisons(struct job *j, const struct grn_method *m, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t l = 0; !rc && l < j->n_lists; l++)
        for (uint32_t c = 0; !rc && c < j->list[l].class.n; c++) {
            struct comparison k = { &j->list[l], c, NULL, UINT32_MAX };
            rc = one_comparison(j, m, &k, e);
            for (k.other = c + 1; !rc && k.other < j->list[l].class.n; k.other++)
                rc = one_comparison(j, m, &k, e);
            for (size_t a = 0; !rc && a < j->n_against; a++) {
                k.against = &j->against[a];
                rc = one_comparison(j, m, &k, e);
            }
        }
    return rc;
}

/* ---- the whole ---- */

static enum rc read_lists(struct job *j, const struct opt_list *args, bool links,
                          struct grn_list **list, size_t *n, struct err *e)
{
    *list = calloc((size_t)args->n + 1, sizeof **list);
    if (!*list)
        return err_set(e, RC_FAIL, "no memory for %d lists", args->n);
    for (int i = 0; i < args->n; i++) {
        size_t left;
        ++*n;
        if (grn_list_read(&(*list)[i], args->item[i], links, j->o->levels, &j->genes, &left, e))
            return e->rc;
        log_say("'%s': %zu %s, %zu lines name genes that the vocabulary lacks", (*list)[i].name,
                (*list)[i].n, links ? "links" : "genes", left);
    }
    return RC_OK;
}

static enum rc read_methods(struct job *j, struct err *e)
{
    const struct opt_list *l = &j->o->effects;
    j->method = calloc(2 * (size_t)l->n + 2, sizeof *j->method);
    if (!j->method)
        return err_set(e, RC_FAIL, "no memory for %d methods", l->n);
    for (int i = 0; i < l->n; i++) {
        j->n_methods += 2;
        if (grn_effects_read(&j->method[2 * i], l->item[i], &j->genes, e))
            return e->rc;
    }
    if (!j->o->counts.n)
        return RC_OK;
    j->n_methods += 2;
    return grn_baselines(&j->method[2 * l->n], &j->method[0], &j->o->counts, &j->genes, e);
}

static enum rc make_room(struct job *j, struct err *e)
{
    size_t most = j->genes.id.n;
    for (size_t m = 0; m < j->n_methods; m++)
        for (size_t i = 0; i < j->method[m].n; i++)
            most = j->method[m].of[i].n > most ? j->method[m].of[i].n : most;
    j->role = malloc(j->genes.id.n + 1);
    j->score = malloc((most + 1) * sizeof *j->score);
    j->positive = malloc((most + 1) * sizeof *j->positive);
    return j->role && j->score && j->positive
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory for %zu genes", most);
}

static enum rc open_tables(struct job *j, struct err *e)
{
    enum rc rc = metrics_tsv_open_beside(&j->predictions, &j->metrics, j->o->out, e);
    if (rc)
        return rc;
    fputs("dataset\tmethod\tvariant\tsplit\tseed\tregulator\tname\tn_targets\tn_others",
          j->predictions.f);
    for (int k = 0; k < N_NUMBERS; k++)
        fprintf(j->predictions.f, "\t%s", number_name[k]);
    fputc('\n', j->predictions.f);
    return RC_OK;
}

static void release(struct job *j)
{
    for (size_t i = 0; i < j->n_methods; i++)
        grn_method_release(&j->method[i]);
    for (size_t i = 0; i < j->n_lists; i++)
        grn_list_release(&j->list[i]);
    for (size_t i = 0; i < j->n_against; i++)
        grn_list_release(&j->against[i]);
    free(j->method);
    free(j->list);
    free(j->against);
    free(j->role);
    free(j->score);
    free(j->positive);
    grn_genes_release(&j->genes);
    outfile_abort(&j->predictions);
    outfile_abort(&j->metrics);
}

enum rc grn_recognition(const struct grn_options *o, struct err *e)
{
    struct job j = { .o = o };
    enum rc rc = grn_genes_read(&j.genes, o->vocab, e);
    if (!rc)
        rc = read_lists(&j, &o->targets, true, &j.list, &j.n_lists, e);
    if (!rc)
        rc = read_lists(&j, &o->against, false, &j.against, &j.n_against, e);
    if (!rc)
        rc = read_methods(&j, e);
    if (!rc)
        rc = make_room(&j, e);
    if (!rc)
        rc = open_tables(&j, e);
    for (size_t i = 0; !rc && i < j.n_methods; i++)
        rc = all_comparisons(&j, &j.method[i], e);
    if (!rc && !j.n_splits)
        rc = err_set(e, RC_INPUT,
                     "no regulator that was deleted has %lld targets among the genes seen",
                     (long long)o->least_targets);
    if (!rc)
        rc = grn_together(o, &j.genes, j.list, j.n_lists, &j.metrics, e);
    if (!rc)
        rc = outfile_commit(&j.predictions, e);
    if (!rc)
        rc = outfile_commit(&j.metrics, e);
    release(&j);
    return rc;
}
