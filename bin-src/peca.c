/* peca: the regulatory network of one sample by PECA2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/cell/peca.h"
#include "lib/data/names.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"
#include "lib/io/textout.h"

static const char *folder;
static double percent = 99;

static const struct opt opts[] = {
    OPT_STR("in", &folder, "DIR", "tables of the sample, see above"),
    OPT_F64("percentile", &percent, "P", "of background scores, which a pair must exceed"),
    OPT_END,
};

static const struct tool tool = {
    "peca",
    "",
    "regulators and their targets in one sample, by PECA2",
    "DIR holds tab-separated tables with a header; columns by name:\n\n"
    "  expression.tsv   gene value median: of this sample, and over external samples\n"
    "  elements.tsv     element value median: openness\n"
    "  binding.tsv      tf element strength: of the regulator's motif in the element\n"
    "  links.tsv        element gene distance correlation: in bases; over external samples\n"
    "  correlation.tsv  tf gene correlation: over external samples; may be missing\n"
    "  background.tsv   tf gene: pairs that are known not to regulate\n\n"
    "Rows of a gene without expression or an element without openness are counted and left.\n"
    "--out is as PECA2 writes it: TF TG Score FDR REs, by falling score, REs empty here; FDR\n"
    "is the share of background pairs that score higher, one added. knowledge-embed grn\n"
    "--pairs reads it.",
    opts,
    0,
    0
};

struct job {
    struct names gene, element, tf;
    struct peca_sample s;
    double *x[4]; /* expression, its median, openness, its median */
    uint32_t *tf_gene;
    struct peca_binding *binding;
    struct peca_link *link;
    struct peca_pair *correlation, *background;
    size_t n_left; /* rows of what is not in the sample */
};

static enum rc table_of(const char *name, const char *columns, struct table *t, struct err *e)
{
    char *path = text_new("%s/%s", folder, name);
    enum rc rc = path ? tsv_read_need(path, columns, t, e) : err_set(e, RC_FAIL, "no memory");
    free(path);
    return rc;
}

static const char *text_at(const struct table *t, const char *column, size_t row)
{
    const char *x = table_find(t, column)->text[row];
    return x ? x : "";
}

static enum rc number_at(const struct table *t, const char *table, const char *column, size_t row,
                         double *x, struct err *e)
{
    const char *text = text_at(t, column, row);
    char *end;
    *x = strtod(text, &end);
    if (*text && !*end && isfinite(*x))
        return RC_OK;
    return err_set(e, RC_INPUT, "'%s': row %zu: '%s' of '%s' is no number", table, row + 1, text,
                   column);
}

/* name, value, median: each name once. */
static enum rc read_values(const char *table, const char *what, struct names *names, double **value,
                           double **median, struct err *e)
{
    struct table t;
    char columns[64];
    snprintf(columns, sizeof columns, "%s,value,median", what);
    enum rc rc = table_of(table, columns, &t, e);
    if (rc)
        return rc;
    *value = calloc(t.n_rows + 1, sizeof **value);
    *median = calloc(t.n_rows + 1, sizeof **median);
    if (!*value || !*median)
        rc = err_set(e, RC_FAIL, "no memory for %zu rows", t.n_rows);
    for (size_t r = 0; !rc && r < t.n_rows; r++) {
        uint32_t at = 0;
        rc = names_add(names, text_at(&t, what, r), &at, e);
        if (!rc && at != r)
            rc = err_set(e, RC_INPUT, "'%s': row %zu: '%s' is there twice", table, r + 1,
                         text_at(&t, what, r));
        if (!rc)
            rc = number_at(&t, table, "value", r, &(*value)[r], e);
        if (!rc)
            rc = number_at(&t, table, "median", r, &(*median)[r], e);
    }
    table_release(&t);
    return rc;
}

static bool place_of(const struct names *n, const char *name, uint32_t *at)
{
    const uint64_t x = map_get(&n->map, name);
    *at = (uint32_t)x;
    return x != MAP_NONE;
}

static enum rc read_bindings(struct job *j, struct err *e)
{
    struct table t;
    enum rc rc = table_of("binding.tsv", "tf,element,strength", &t, e);
    if (rc)
        return rc;
    j->binding = calloc(t.n_rows + 1, sizeof *j->binding);
    j->tf_gene = calloc(t.n_rows + 1, sizeof *j->tf_gene);
    if (!j->binding || !j->tf_gene)
        rc = err_set(e, RC_FAIL, "no memory for %zu rows", t.n_rows);
    for (size_t r = 0; !rc && r < t.n_rows; r++) {
        struct peca_binding b;
        uint32_t gene;
        if (!place_of(&j->gene, text_at(&t, "tf", r), &gene) ||
            !place_of(&j->element, text_at(&t, "element", r), &b.element)) {
            j->n_left++;
            continue;
        }
        rc = names_add(&j->tf, text_at(&t, "tf", r), &b.tf, e);
        if (!rc)
            rc = number_at(&t, "binding.tsv", "strength", r, &b.strength, e);
        if (!rc) {
            j->tf_gene[b.tf] = gene;
            j->binding[j->s.n_bindings++] = b;
        }
    }
    table_release(&t);
    return rc;
}

static enum rc read_links(struct job *j, struct err *e)
{
    struct table t;
    enum rc rc = table_of("links.tsv", "element,gene,distance,correlation", &t, e);
    if (rc)
        return rc;
    j->link = calloc(t.n_rows + 1, sizeof *j->link);
    if (!j->link)
        rc = err_set(e, RC_FAIL, "no memory for %zu rows", t.n_rows);
    for (size_t r = 0; !rc && r < t.n_rows; r++) {
        struct peca_link l;
        if (!place_of(&j->gene, text_at(&t, "gene", r), &l.gene) ||
            !place_of(&j->element, text_at(&t, "element", r), &l.element)) {
            j->n_left++;
            continue;
        }
        rc = number_at(&t, "links.tsv", "distance", r, &l.distance, e);
        if (!rc)
            rc = number_at(&t, "links.tsv", "correlation", r, &l.correlation, e);
        if (!rc)
            j->link[j->s.n_links++] = l;
    }
    table_release(&t);
    return rc;
}

/* tf and gene, with a value when column says so. */
static enum rc read_pairs(struct job *j, const char *table, const char *column,
                          struct peca_pair **to, size_t *n, struct err *e)
{
    struct table t;
    enum rc rc = table_of(table, column ? "tf,gene,correlation" : "tf,gene", &t, e);
    if (rc)
        return rc;
    *to = calloc(t.n_rows + 1, sizeof **to);
    if (!*to)
        rc = err_set(e, RC_FAIL, "no memory for %zu rows", t.n_rows);
    for (size_t r = 0; !rc && r < t.n_rows; r++) {
        struct peca_pair p = { 0 };
        if (!place_of(&j->tf, text_at(&t, "tf", r), &p.tf) ||
            !place_of(&j->gene, text_at(&t, "gene", r), &p.gene)) {
            j->n_left++;
            continue;
        }
        if (column)
            rc = number_at(&t, table, column, r, &p.value, e);
        if (!rc)
            (*to)[(*n)++] = p;
    }
    table_release(&t);
    return rc;
}

static enum rc read_sample(struct job *j, struct err *e)
{
    struct peca_sample *s = &j->s;
    char *path = text_new("%s/correlation.tsv", folder);
    enum rc rc = path ? read_values("expression.tsv", "gene", &j->gene, &j->x[0], &j->x[1], e)
                      : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = read_values("elements.tsv", "element", &j->element, &j->x[2], &j->x[3], e);
    if (!rc)
        rc = read_bindings(j, e);
    if (!rc)
        rc = read_links(j, e);
    if (!rc && file_exists(path))
        rc =
            read_pairs(j, "correlation.tsv", "correlation", &j->correlation, &s->n_correlations, e);
    if (!rc)
        rc = read_pairs(j, "background.tsv", NULL, &j->background, &s->n_background, e);
    free(path);
    s->n_genes = j->gene.n;
    s->n_elements = j->element.n;
    s->n_tfs = j->tf.n;
    s->expression = j->x[0];
    s->expression_median = j->x[1];
    s->openness = j->x[2];
    s->openness_median = j->x[3];
    s->tf = j->tf_gene;
    s->binding = j->binding;
    s->link = j->link;
    s->correlation = j->correlation;
    s->background = j->background;
    return rc;
}

struct edge {
    double score;
    size_t at;
};

static int falling(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->score > y->score || x->score < y->score)
        return x->score > y->score ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* back: sorted scores of the background. */
static enum rc write_network(const struct job *j, const char *path, const double *score, double cut,
                             const double *back, size_t *n_edges, struct err *e)
{
    const size_t n = j->s.n_tfs * j->s.n_genes;
    struct edge *edge = calloc(n + 1, sizeof *edge);
    struct textout t;
    if (!edge)
        return err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    *n_edges = 0;
    for (size_t i = 0; i < n; i++)
        if (score[i] > cut)
            edge[(*n_edges)++] = (struct edge){ score[i], i };
    qsort(edge, *n_edges, sizeof *edge, falling);
    enum rc rc = textout_open(&t, path, e);
    if (!rc) {
        textout_text(&t, "TF\tTG\tScore\tFDR\tREs\n");
        size_t above = 0;
        for (size_t i = 0; i < *n_edges; i++) {
            while (above < j->s.n_background && back[j->s.n_background - 1 - above] > edge[i].score)
                above++;
            textout_put(&t, "%s\t%s\t%.9g\t%.9g\t\n", j->tf.at[edge[i].at / j->s.n_genes],
                        j->gene.at[edge[i].at % j->s.n_genes], edge[i].score,
                        (double)(above + 1) / (double)j->s.n_background);
        }
        rc = textout_close(&t, e);
    }
    free(edge);
    return rc;
}

static enum rc score_and_write(const struct job *j, const struct tool_args *a, struct err *e)
{
    const struct peca_sample *s = &j->s;
    double *score = calloc(s->n_tfs * s->n_genes + 1, sizeof *score),
           *back = calloc(s->n_background + 1, sizeof *back);
    size_t n_edges = 0;
    enum rc rc = score && back
                     ? peca_scores(s, score, e)
                     : err_set(e, RC_FAIL, "no memory for %zu pairs", s->n_tfs * s->n_genes);
    for (size_t i = 0; !rc && i < s->n_background; i++)
        back[i] = score[s->background[i].tf * s->n_genes + s->background[i].gene];
    const double cut = rc ? 0 : peca_percentile(back, s->n_background, percent);
    if (!rc)
        rc = write_network(j, a->out, score, cut, back, &n_edges, e);
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:I}", "genes",
                                  (json_int_t)s->n_genes, "regulators", (json_int_t)s->n_tfs,
                                  "elements", (json_int_t)s->n_elements, "background_pairs",
                                  (json_int_t)s->n_background, "rows_left", (json_int_t)j->n_left,
                                  "cut", cut, "pairs", (json_int_t)n_edges),
                        e);
    free(score);
    free(back);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct job j = { .n_left = 0 };
    if (!folder)
        return err_set(e, RC_USAGE, "--in is missing");
    if (!(percent >= 0 && percent <= 100))
        return err_set(e, RC_USAGE, "--percentile is 0 to 100");
    enum rc rc = tool_need_out(a, e);
    if (rc)
        return rc;
    names_init(&j.gene);
    names_init(&j.element);
    names_init(&j.tf);
    rc = read_sample(&j, e);
    if (!rc)
        rc = score_and_write(&j, a, e);
    for (int i = 0; i < 4; i++)
        free(j.x[i]);
    free(j.tf_gene);
    free(j.binding);
    free(j.link);
    free(j.correlation);
    free(j.background);
    names_release(&j.gene);
    names_release(&j.element);
    names_release(&j.tf);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
