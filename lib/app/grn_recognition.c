#include "lib/app/grn_recognition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_parts.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_stat.h"

static const char *const number_name[GRN_N_NUMBERS] = {
    "auroc",         "average_precision", "auprc_ratio",  "precision",
    "random_listed", "random_vocabulary", "mean_targets", "mean_others",
    "wilcoxon_p",    "wilcoxon_q",        "welch_p"
};

struct job {
    const struct grn_options *o;
    struct grn_genes genes;
    struct grn_method *method;
    struct grn_list *list, *against;
    size_t n_methods, n_lists, n_against, n_splits;
    struct outfile predictions, metrics;
    struct grn_room room;
};

/* ---- one method, one comparison ---- */

static void put_row(struct job *j, const struct grn_method *m, const char *split,
                    const struct grn_of_regulator *r)
{
    FILE *f = j->predictions.f;
    fprintf(f, "%s\t%s\t%s\t%s\t%llu\t%s\t%s\t%zu\t%zu", j->o->dataset, m->name, m->variant, split,
            (unsigned long long)j->o->seed, j->genes.id.at[r->regulator],
            j->genes.symbol[r->regulator], r->n_targets, r->n_others);
    for (int k = 0; k < GRN_N_NUMBERS; k++) {
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

static double mean_known(const struct grn_of_regulator *r, size_t n, enum grn_number k,
                         size_t *known)
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
    if (strcmp(metric, number_name[GRN_AUROC]) != 0)
        put_metric(j, m, split, metric, mean, known);
    snprintf(name, sizeof name, "%s_low", metric);
    put_metric(j, m, split, name, mean - width, known);
    snprintf(name, sizeof name, "%s_high", metric);
    put_metric(j, m, split, name, mean + width, known);
}

static enum rc put_intervals(struct job *j, const struct grn_method *m, const char *split,
                             const struct grn_of_regulator *r, size_t n, struct err *e)
{
    double *x = malloc((n + 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for %zu regulators", n);
    for (size_t i = 0; i < n; i++)
        x[i] = r[i].x[GRN_AUROC];
    put_interval(j, m, split, "auroc", x, n);
    for (size_t i = 0; i < n; i++)
        x[i] = r[i].x[GRN_PRECISION] - r[i].x[GRN_RANDOM_LISTED];
    put_interval(j, m, split, "precision_gain", x, n);
    free(x);
    return RC_OK;
}

static void put_means(struct job *j, const struct grn_method *m, const char *split,
                      const struct grn_of_regulator *r, size_t n)
{
    size_t known, above = 0, significant = 0;
    for (enum grn_number k = GRN_AUROC; k <= GRN_OTHERS; k++) {
        const double mean = mean_known(r, n, k, &known);
        if (known)
            put_metric(j, m, split, number_name[k], mean, known);
    }
    mean_known(r, n, GRN_PRECISION, &known);
    for (size_t i = 0; i < n; i++) {
        above += r[i].x[GRN_PRECISION] > r[i].x[GRN_RANDOM_LISTED];
        significant += r[i].x[GRN_WILCOXON_Q] < 0.05 && r[i].x[GRN_AUROC] > 0.5;
    }
    if (known)
        put_metric(j, m, split, "share_above_random_listed", (double)above / (double)known, known);
    put_metric(j, m, split, "share_wilcoxon_q_below_0.05", (double)significant / (double)n, n);
}

static enum rc add_q(struct grn_of_regulator *r, size_t n, struct err *e)
{
    double *p = malloc((2 * n + 1) * sizeof *p);
    if (!p)
        return err_set(e, RC_FAIL, "no memory for %zu p values", n);
    for (size_t i = 0; i < n; i++)
        p[i] = r[i].x[GRN_WILCOXON_P];
    enum rc rc = benjamini_hochberg(p, n, p + n, e);
    for (size_t i = 0; !rc && i < n; i++)
        r[i].x[GRN_WILCOXON_Q] = p[n + i];
    free(p);
    return rc;
}

static enum rc one_comparison(struct job *j, const struct grn_method *m,
                              const struct grn_comparison *k, struct err *e)
{
    const char *class = k->list->class.at[k->class];
    const char *other = k->against               ? k->against->name
                        : k->other == UINT32_MAX ? "others"
                                                 : k->list->class.at[k->other];
    char *split = text_new("%s:%s/%s", k->list->name, class, other);
    struct grn_of_regulator *row = malloc((m->n + 1) * sizeof *row);
    size_t n = 0;
    enum rc rc = split && row ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu regulators", m->n);
    for (size_t i = 0; !rc && i < m->n; i++) {
        bool fits;
        rc = grn_regulator(&j->room, k, &m->of[i], &row[n], &fits, e);
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
            struct grn_comparison k = { &j->list[l], c, NULL, UINT32_MAX };
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
    j->room.n_genes = j->genes.id.n;
    j->room.least_targets = (size_t)j->o->least_targets;
    j->room.role = malloc(j->genes.id.n + 1);
    j->room.score = malloc((most + 1) * sizeof *j->room.score);
    j->room.positive = malloc((most + 1) * sizeof *j->room.positive);
    return j->room.role && j->room.score && j->room.positive
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
    for (int k = 0; k < GRN_N_NUMBERS; k++)
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
    free(j->room.role);
    free(j->room.score);
    free(j->room.positive);
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
