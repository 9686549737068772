/* What dose reads: the set, vectors of genes, the truth of a simulated set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dose_parts.h"
#include "lib/app/gene_vectors.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/cell/simulate_dose.h"
#include "lib/io/dose_file.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"

void dose_inputs_release(struct dose_inputs *in)
{
    dose_set_release(&in->set);
    mat_release(&in->vectors);
    mat_release(&in->centred);
    mat_release(&in->truth);
    free(in->changed);
    *in = (struct dose_inputs){ 0 };
}

static void tell_set(const struct dose_set *s)
{
    size_t n = 0;
    for (size_t c = 0; c < s->n_conditions; c++)
        n += s->condition[c].drug == DOSE_CONTROL ? s->condition[c].n_cells : 0;
    log_say(
        "%zu cells of %zu genes: %zu drugs, %zu cell types, %zu conditions, %zu control cells; %s",
        s->x.n_cells, s->x.n_genes, s->n_drugs, s->n_types, s->n_conditions, n,
        s->x.were_counts ? "counts, scaled and logged here" : "logged already");
    if (s->n_genes_before > s->x.n_genes)
        log_say("of %zu genes the %zu that vary most", s->n_genes_before, s->x.n_genes);
    if (s->n_zero)
        log_warn("%zu cells of a drug at dose 0 are taken as control cells", s->n_zero);
    if (s->n_single)
        log_warn("%zu drugs with one dose are left out (%zu cells)", s->n_single,
                 s->n_single_cells);
    if (s->n_small)
        log_warn("%zu conditions with too few cells are left out (%zu cells)", s->n_small,
                 s->n_small_cells);
}

static enum rc read_set(struct dose_inputs *in, const struct dose_options *o, struct err *e)
{
    const struct dose_names names = { o->drug, o->dose, o->type, o->part };
    const struct dose_rules rules = {
        .values = { strcmp(o->values, "counts") == 0 ? PERTURB_COUNTS
                    : strcmp(o->values, "log") == 0  ? PERTURB_LOG
                                                     : PERTURB_AUTO,
                    o->scale, (size_t)o->least_cells },
        .control = o->control,
        .drop_single = o->drop_single,
    };
    enum rc rc = dose_file_read(o->input, &names, &rules, &in->set, e);
    if (!rc && o->n_genes)
        rc = dose_set_genes(&in->set, (size_t)o->n_genes, e);
    if (!rc)
        tell_set(&in->set);
    return rc;
}

/* Vectors for the decoder: the mean over the genes that have one taken off, and scaled to a mean
 * square length of 1, so that the first projections, which are random, do not drown the means. */
static enum rc centre(const struct mat *vectors, struct mat *to, struct err *e)
{
    const size_t d = vectors->d;
    double *mean = calloc(d + 1, sizeof *mean), squares = 0;
    size_t n = 0;
    enum rc rc = mean ? mat_alloc(to, vectors->n, d, e)
                      : err_set(e, RC_FAIL, "no memory for %zu numbers", d);
    for (int pass = 0; !rc && pass < 2; pass++)
        for (size_t g = 0; g < vectors->n; g++) {
            const double *v = mat_row(vectors, g);
            bool any = false;
            for (size_t k = 0; k < d; k++)
                any = any || fabs(v[k]) > 0;
            n += any && !pass;
            for (size_t k = 0; any && k < d; k++) {
                if (!pass) {
                    mean[k] += v[k];
                } else {
                    const double x = v[k] - mean[k] / (double)n;
                    mat_row(to, g)[k] = x;
                    squares += x * x / (double)n;
                }
            }
        }
    for (size_t k = 0; !rc && squares > 0 && k < to->n * d; k++)
        to->x[k] /= sqrt(squares);
    free(mean);
    return rc;
}

static enum rc read_vectors(struct dose_inputs *in, const struct dose_options *o, struct err *e)
{
    const struct dose_set *s = &in->set;
    enum rc rc =
        gene_vectors_of(o->vectors, s->x.gene, s->x.n_genes, &in->vectors, &in->n_vectors, e);
    const double share = (double)in->n_vectors / (double)s->x.n_genes;
    if (!rc && share < o->least_overlap)
        rc = err_set(e, RC_INPUT,
                     "'%s' has vectors of %zu of the %zu genes, a share of %.3g: below "
                     "--least-overlap %g",
                     o->vectors, in->n_vectors, s->x.n_genes, share, o->least_overlap);
    return rc ? rc : centre(&in->vectors, &in->centred, e);
}

/* Logarithms of true ratios to control, of every condition. */
static enum rc read_truth(struct dose_inputs *in, const struct dose_options *o, struct err *e)
{
    static const char *const number[] = { "top", "half", "steepness" };
    const struct dose_set *s = &in->set;
    struct table t;
    struct map gene;
    enum rc rc = tsv_read_need(o->truth, "drug,gene,top,half,steepness", &t, e);
    if (rc)
        return rc;
    map_init(&gene);
    for (size_t j = 0; !rc && j < s->x.n_genes; j++)
        rc = map_add(&gene, s->x.gene[j], j, NULL, e);
    if (!rc)
        rc = mat_alloc(&in->truth, s->n_conditions, s->x.n_genes, e);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *drug = table_find(&t, "drug")->text[i], *name = table_find(&t, "gene")->text[i];
        const uint64_t at = name ? map_get(&gene, name) : MAP_NONE;
        double v[3];
        for (int k = 0; !rc && k < 3; k++) {
            const char *text = table_find(&t, number[k])->text[i];
            if (!text || !number_parse(text, &v[k]) || (k && !(v[k] > 0)))
                rc = err_set(e, RC_INPUT, "row %zu: '%s' is no %s", i + 1, text ? text : "",
                             number[k]);
        }
        for (size_t c = 0; !rc && at != MAP_NONE && c < s->n_conditions; c++) {
            const struct dose_condition *k = &s->condition[c];
            if (k->drug != DOSE_CONTROL && drug && strcmp(s->drug[k->drug], drug) == 0)
                mat_row(&in->truth, c)[at] = sim_dose_hill(v[0], v[1], v[2], k->dose);
        }
    }
    map_release(&gene);
    table_release(&t);
    return rc ? err_wrap(e, "'%s'", o->truth) : RC_OK;
}

enum rc dose_inputs_read(struct dose_inputs *in, const struct dose_options *o, struct err *e)
{
    *in = (struct dose_inputs){ 0 };
    enum rc rc = read_set(in, o, e);
    if (!rc && o->vectors)
        rc = read_vectors(in, o, e);
    if (!rc && o->truth)
        rc = read_truth(in, o, e);
    if (!rc) {
        in->held_out = isnan(o->held_out) ? dose_held_out(&in->set) : o->held_out;
        in->n_changed =
            (size_t)o->n_changed < in->set.x.n_genes ? (size_t)o->n_changed : in->set.x.n_genes;
        rc = dose_changed_genes(&in->set, in->n_changed, &in->changed, e);
    }
    if (rc)
        dose_inputs_release(in);
    return rc;
}

enum rc dose_parts_of(const struct dose_inputs *in, uint64_t seed, unsigned char **part,
                      struct err *e)
{
    const struct dose_set *s = &in->set;
    *part = malloc(s->x.n_cells + 1);
    if (!*part)
        return err_set(e, RC_FAIL, "no memory for %zu cells", s->x.n_cells);
    if (!s->given) {
        enum rc rc = dose_split_draw(s, in->held_out, seed, *part, e);
        return rc ? err_wrap(e, "dose %g held out", in->held_out) : RC_OK;
    }
    memcpy(*part, s->given, s->x.n_cells);
    return dose_split_check(s, *part, e);
}
