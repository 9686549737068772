#include "lib/cell/qc.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/spill.h"

struct qc_rules qc_rules_of(enum qc_preset preset)
{
    if (preset == QC_PAPER)
        return (struct qc_rules){ .z_of_genes = true,
                                  .drop_empty = true,
                                  .min_genes = 200,
                                  .min_cells = 4,
                                  .min_coding = 7,
                                  .z_max = 3,
                                  .mito_max = 0.15 };
    return (struct qc_rules){
        .drop_no_counts = true, .constant_is_nan = true, .min_coding = 7, .z_max = 3, .mito_max = 1
    };
}

const char *qc_verdict_name(enum qc_verdict v)
{
    static const char *const name[QC_N_VERDICTS] = { "kept",    "P1", "no_counts", "P2", "z_total",
                                                     "z_genes", "P4", "z_mito",    "P3", "empty" };
    return name[v];
}

static unsigned char flags_of(const struct gene *g, bool tokens)
{
    unsigned char f = QC_COUNTED;
    if (g->mito)
        f |= QC_MITO;
    if (g->core && (g->biotype == BIOTYPE_PROTEIN || g->biotype == BIOTYPE_MIRNA))
        f |= QC_CODING;
    if (g->core && (!tokens || g->token >= 0))
        f |= QC_TOKEN;
    return f;
}

static void count_cell(const struct csr *m, size_t r, const unsigned char *flag, struct qc_cell *q)
{
    *q = (struct qc_cell){ .z_total = NAN, .z_genes = NAN, .z_mito = NAN };
    for (uint64_t k = m->indptr[r]; k < m->indptr[r + 1]; k++) {
        unsigned f = flag[m->index[k]];
        q->total += f & QC_COUNTED ? m->value[k] : 0;
        q->mito += f & QC_MITO ? m->value[k] : 0;
        q->n_genes += (f & QC_COUNTED) != 0;
        q->n_coding += (f & QC_CODING) != 0;
        q->n_tokens += (f & QC_TOKEN) != 0;
    }
}

static double share(const struct qc_cell *q)
{
    return q->total ? (double)q->mito / (double)q->total : 0;
}

/* Mean and SD of one vector over one sample, added in the order of the cells. */
struct spread {
    double sum, squares, first;
    bool constant;
};

struct sample_stat {
    size_t n;
    struct spread of[3]; /* total, number of genes, mitochondrial share */
};

static void vectors(const struct qc_cell *q, double x[3])
{
    x[0] = (double)q->total;
    x[1] = q->n_genes;
    x[2] = share(q);
}

static void add_sums(struct sample_stat *s, const double x[3])
{
    for (int i = 0; i < 3; i++) {
        struct spread *p = &s->of[i];
        if (s->n == 0)
            *p = (struct spread){ .first = x[i], .constant = true };
        p->sum += x[i];
        p->constant = p->constant && x[i] == p->first;
    }
    s->n++;
}

static double z_of(const struct sample_stat *s, int i, double x, const struct qc_rules *rules)
{
    const struct spread *p = &s->of[i];
    double n = (double)s->n, sd = sqrt(p->squares / n);
    /* A constant whose mean is rounded has an SD just above 0, and no spread all the same. */
    if (p->constant || !(sd > 0))
        return rules->constant_is_nan ? NAN : 0;
    return (x - p->sum / n) / sd;
}

/* Written so that NaN is outside. */
static bool within(double z, double z_max)
{
    return z > -z_max && z < z_max;
}

static enum qc_verdict verdict_of(const struct qc_cell *q, const struct qc_rules *rules)
{
    if (!within(q->z_total, rules->z_max))
        return QC_Z_TOTAL;
    if (rules->z_of_genes && !within(q->z_genes, rules->z_max))
        return QC_Z_GENES;
    /* Exactly 15 % stays: a correctly rounded quotient equals the rounded 0.15 only then. */
    if (share(q) > rules->mito_max)
        return QC_P4;
    if (!within(q->z_mito, rules->z_max))
        return QC_Z_MITO;
    if (q->n_coding < rules->min_coding)
        return QC_P3;
    if (rules->drop_empty && q->n_tokens == 0)
        return QC_EMPTY;
    return QC_KEPT;
}

static void run_rules(size_t n_rows, const uint32_t *sample, const struct qc_rules *rules,
                      struct sample_stat *stat, struct qc_cell *q)
{
    double x[3];
    for (size_t r = 0; r < n_rows; r++) {
        spill_step(r);
        if (q[r].n_genes < rules->min_genes)
            q[r].verdict = QC_P1;
        else if (rules->drop_no_counts && q[r].total == 0)
            q[r].verdict = QC_NO_COUNTS;
        if (q[r].verdict == QC_KEPT) {
            vectors(&q[r], x);
            add_sums(&stat[sample[r]], x);
        }
    }
    for (size_t r = 0; r < n_rows; r++) {
        spill_step(r);
        struct sample_stat *s = &stat[sample[r]];
        if (q[r].verdict == QC_KEPT && s->n < rules->min_cells)
            q[r].verdict = QC_P2;
        if (q[r].verdict != QC_KEPT)
            continue;
        vectors(&q[r], x);
        for (int i = 0; i < 3; i++) {
            double d = x[i] - s->of[i].sum / (double)s->n;
            s->of[i].squares += d * d;
        }
    }
    for (size_t r = 0; r < n_rows; r++) {
        spill_step(r);
        if (q[r].verdict != QC_KEPT)
            continue;
        const struct sample_stat *s = &stat[sample[r]];
        vectors(&q[r], x);
        q[r].z_total = z_of(s, 0, x[0], rules);
        q[r].z_genes = z_of(s, 1, x[1], rules);
        q[r].z_mito = z_of(s, 2, x[2], rules);
        q[r].verdict = verdict_of(&q[r], rules);
    }
}

void qc_flags(const uint32_t *gene, size_t n_cols, const struct gene_tables *t,
              unsigned char *flag)
{
    bool tokens = gene_tables_have_tokens(t);
    for (size_t j = 0; j < n_cols; j++)
        flag[j] = gene[j] == GENE_NONE ? 0 : flags_of(&t->gene[gene[j]], tokens);
}

void qc_count(const struct csr *count, const unsigned char *flag, struct qc_cell *out)
{
    for (size_t r = 0; r < count->n_rows; r++)
        count_cell(count, r, flag, &out[r]);
}

enum rc qc_judge(size_t n_rows, const uint32_t *sample, size_t n_samples,
                 const struct qc_rules *rules, struct qc_cell *q, struct err *e)
{
    struct sample_stat *stat = calloc(n_samples + 1, sizeof *stat);
    if (!stat)
        return err_set(e, RC_FAIL, "no memory for %zu samples", n_samples);
    run_rules(n_rows, sample, rules, stat, q);
    free(stat);
    return RC_OK;
}

enum rc qc_run(const struct csr *count, const uint32_t *gene, const struct gene_tables *t,
               const uint32_t *sample, size_t n_samples, const struct qc_rules *rules,
               struct qc_cell *out, struct err *e)
{
    unsigned char *flag = malloc(count->n_cols + 1);
    if (!flag)
        return err_set(e, RC_FAIL, "no memory for %zu columns", count->n_cols);
    qc_flags(gene, count->n_cols, t, flag);
    qc_count(count, flag, out);
    free(flag);
    return qc_judge(count->n_rows, sample, n_samples, rules, out, e);
}

enum rc qc_samples(const struct cells *c, uint32_t *sample, const char ***name, size_t *n,
                   struct err *e)
{
    const struct column *col = table_find(&c->obs, "sample");
    if (col && col->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "obs column 'sample' holds no texts");
    struct map seen;
    enum rc rc = RC_OK;
    size_t room = 0;
    *name = NULL;
    *n = 0;
    map_init(&seen);
    for (size_t r = 0; !rc && r < c->count.n_rows; r++) {
        spill_step(r);
        const char *text = col && col->text[r] ? col->text[r] : "";
        uint64_t old;
        if (map_add(&seen, text, *n, &old, e)) {
            rc = RC_FAIL;
        } else if (old != MAP_NONE) {
            sample[r] = (uint32_t)old;
        } else {
            if (*n == room) {
                room = room ? 2 * room : 16;
                const char **more = realloc(*name, room * sizeof *more);
                if (!more) {
                    rc = err_set(e, RC_FAIL, "no memory for %zu samples", room);
                    break;
                }
                *name = more;
            }
            sample[r] = (uint32_t)*n;
            (*name)[(*n)++] = text;
        }
    }
    map_release(&seen);
    if (rc) {
        free(*name);
        *name = NULL;
        *n = 0;
    }
    return rc;
}
