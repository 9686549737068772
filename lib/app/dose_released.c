/* dose released: result tables of CPA taken together again, and their spread compared. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dose_parts.h"
#include "lib/base/log.h"
#include "lib/io/cpa_table.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_spread.h"

/* Split CPA_SPLITS: all of them. */
static const char *split_name(int split)
{
    return split == CPA_SPLITS ? "all" : cpa_split_name[split];
}

static bool counts(const struct cpa_row *r, int split)
{
    return split == CPA_SPLITS || r->split == split;
}

/* The release's training loop looks only at conditions with more cells than this. */
static const double least_cells = 30;

static void summary(const struct cpa_table *t, double *x, FILE *f)
{
    for (int split = 0; split <= CPA_SPLITS; split++)
        for (int m = 0; m < CPA_SCORES; m++) {
            size_t n = 0, n_large = 0;
            double low = INFINITY, high = -INFINITY, large = 0;
            for (size_t i = 0; i < t->n; i++) {
                const struct cpa_row *r = &t->row[i];
                if (!counts(r, split))
                    continue;
                x[n++] = r->score[m];
                low = fmin(low, r->score[m]);
                high = fmax(high, r->score[m]);
                if (r->n_cells > least_cells) {
                    large += r->score[m];
                    n_large++;
                }
            }
            if (!n)
                continue;
            const double number[] = { mean_of(x, n),
                                      mean_ci95(x, n),
                                      sqrt(variance_of(x, n, 1)),
                                      low,
                                      median_of(x, n),
                                      high,
                                      n_large ? large / (double)n_large : NAN };
            field_put(t->model, f);
            fprintf(f, "\t%s\t%s\t%zu", split_name(split), cpa_score_name[m], n);
            for (size_t k = 0; k < sizeof number / sizeof *number; k++) {
                char text[32];
                metric_text(number[k], text);
                fprintf(f, "\t%s", text);
            }
            fprintf(f, "\t%zu\n", n_large);
        }
}

/* Conditions that both have; rows are sorted by key. */
static enum rc spread(const struct cpa_table *a, const struct cpa_table *b, double *x, double *y,
                      FILE *f, struct err *e)
{
    enum rc rc = RC_OK;
    for (int split = 0; !rc && split <= CPA_SPLITS; split++)
        for (int m = 0; !rc && m < CPA_SCORES; m++) {
            size_t n = 0;
            for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
                const int c = strcmp(a->row[i].key, b->row[k].key);
                if (!c && counts(&a->row[i], split)) {
                    x[n] = a->row[i].score[m];
                    y[n++] = b->row[k].score[m];
                }
                i += c <= 0;
                k += c >= 0;
            }
            if (n < 2)
                continue;
            field_put(a->model, f);
            putc('\t', f);
            field_put(b->model, f);
            fprintf(f, "\t%s\t%s", split_name(split), cpa_score_name[m]);
            rc = dose_spread_put(x, y, n, f, e);
        }
    return rc;
}

static enum rc open_in(struct outfile *f, const char *folder, const char *name, struct err *e)
{
    char *path = text_new("%s/%s", folder, name);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = outfile_open(f, path, e);
    free(path);
    return rc;
}

static enum rc write_tables(const struct cpa_table *t, size_t n, const char *out, struct err *e)
{
    struct outfile f[2] = { { 0 } };
    size_t most = 1;
    for (size_t k = 0; k < n; k++)
        most = t[k].n > most ? t[k].n : most;
    double *x = malloc(2 * most * sizeof *x), *y = x ? x + most : NULL;
    enum rc rc = x ? open_in(&f[0], out, "summary.tsv", e)
                   : err_set(e, RC_FAIL, "no memory for %zu conditions", most);
    if (!rc)
        rc = open_in(&f[1], out, "spread.tsv", e);
    if (!rc) {
        fputs("model\tsplit\tmetric\tn\tmean\tci95\tsd\tleast\tmedian\tmost\tmean_above_30_cells\t"
              "n_above_30_cells\n",
              f[0].f);
        dose_spread_head("model\tagainst\tsplit\tmetric", f[1].f);
    }
    for (size_t k = 0; !rc && k < n; k++) {
        summary(&t[k], x, f[0].f);
        for (size_t l = 0; !rc && l < k; l++)
            rc = spread(&t[k], &t[l], x, y, f[1].f, e);
    }
    free(x);
    for (int k = 0; k < 2; k++)
        if (f[k].f)
            rc = outfile_close(&f[k], rc, e);
    return rc;
}

enum rc dose_released(const char *const *path, size_t n, const char *out, struct err *e)
{
    struct cpa_table *t = calloc(n + 1, sizeof *t);
    enum rc rc = t ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu tables", n);
    for (size_t k = 0; !rc && k < n; k++) {
        rc = cpa_table_read(path[k], &t[k], e);
        if (!rc)
            log_say("'%s': model %s, %zu conditions", path[k], t[k].model, t[k].n);
    }
    if (!rc)
        rc = write_tables(t, n, out, e);
    for (size_t k = 0; t && k < n; k++)
        cpa_table_release(&t[k]);
    free(t);
    return rc;
}
