#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_infer.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/io/network.h"
#include "lib/nn/metrics_rank.h"

enum { NAMED = 5 }; /* genes that a warning names */

static const struct expression *sorted_by;
static int by_name(const void *a, const void *b)
{
    return strcmp(sorted_by->gene.at[*(const uint32_t *)a],
                  sorted_by->gene.at[*(const uint32_t *)b]);
}

static uint32_t place_in(const uint32_t *list, size_t n, uint32_t x)
{
    uint32_t i = 0;
    while (i < n && list[i] != x)
        i++;
    return i;
}

/* Of the network's genes those with `left`: how many, and the first few by name. */
static void tell_left(const char *name, const struct network *net, const unsigned char *left,
                      size_t of, const char *what)
{
    char text[256] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; i < net->gene.n; i++)
        if (left[i] && n++ < NAMED) {
            const int k = snprintf(text + used, sizeof text - used, " %s", net->gene.at[i]);
            used = k > 0 && used + (size_t)k < sizeof text ? used + (size_t)k : used;
        }
    if (n)
        log_warn("truth '%s': %zu of %zu %s and are left out:%.*s%s", name, n, of, what, (int)used,
                 text, n > NAMED ? " ..." : "");
}

/* Genes that the expression lacks, and measured regulators of which no target is measured. left:
 * room for the network's genes. */
static void tell_missing(const char *name, const struct network *net, const uint64_t *column,
                         const unsigned char *role, unsigned char *left)
{
    size_t n = 0;
    for (size_t i = 0; i < net->gene.n; i++)
        left[i] = column[i] == MAP_NONE;
    tell_left(name, net, left, net->gene.n, "genes are not in the expression");
    memset(left, 0, net->gene.n);
    for (size_t i = 0; i < net->n_directed; i++) {
        const uint32_t from = net->edge[i].from;
        n += !i || net->edge[i - 1].from != from; /* edges lie by regulator */
        left[from] = column[from] != MAP_NONE && !(role[column[from]] & 1);
    }
    tell_left(name, net, left, n, "regulators have no measured target");
}

static enum rc fill_truth(const struct grn_job *j, const struct network *net, struct grn_truth *t,
                          struct err *e)
{
    uint64_t *column = malloc((net->gene.n + 1) * sizeof *column);
    t->tf = malloc((net->gene.n + 1) * sizeof *t->tf);
    t->gene = malloc((net->gene.n + 1) * sizeof *t->gene);
    unsigned char *role = calloc(j->x.gene.n + 1, 1), *left = malloc(net->gene.n + 1);
    enum rc rc =
        column && t->tf && t->gene && role && left ? RC_OK : err_set(e, RC_FAIL, "no memory");
    for (size_t i = 0; !rc && i < net->gene.n; i++)
        column[i] = map_get(&j->x.gene.map, net->gene.at[i]);
    for (size_t i = 0; !rc && i < net->n_directed; i++) {
        const uint64_t a = column[net->edge[i].from], b = column[net->edge[i].to];
        if (a == MAP_NONE || b == MAP_NONE || a == b)
            continue;
        role[a] |= 3;
        role[b] |= 2;
    }
    if (!rc)
        tell_missing(t->name, net, column, role, left);
    for (uint32_t i = 0; !rc && i < j->x.gene.n; i++) {
        if (role[i] & 1)
            t->tf[t->n_tfs++] = i;
        if (role[i])
            t->gene[t->n_genes++] = i;
    }
    sorted_by = &j->x;
    if (!rc && !t->n_tfs)
        rc = err_set(e, RC_INPUT, "truth '%s' has no edge between two measured genes", t->name);
    if (!rc) {
        qsort(t->tf, t->n_tfs, sizeof *t->tf, by_name);
        qsort(t->gene, t->n_genes, sizeof *t->gene, by_name);
        t->n_pairs = t->n_tfs * t->n_genes;
        t->edge = calloc(t->n_pairs, sizeof *t->edge);
        t->mean = calloc(t->n_pairs, sizeof *t->mean);
        if (!t->edge || !t->mean)
            rc = err_set(e, RC_FAIL, "no memory for %zu pairs", t->n_pairs);
    }
    for (size_t i = 0; !rc && i < net->n_directed; i++) {
        const uint64_t a = column[net->edge[i].from], b = column[net->edge[i].to];
        if (a == MAP_NONE || b == MAP_NONE || a == b)
            continue;
        t->edge[place_in(t->tf, t->n_tfs, (uint32_t)a) * t->n_genes +
                place_in(t->gene, t->n_genes, (uint32_t)b)] = true;
        t->n_edges++;
    }
    free(column);
    free(left);
    free(role);
    return rc;
}

enum rc grn_truths_read(struct grn_job *j, struct err *e)
{
    enum rc rc = RC_OK;
    j->truth = calloc((size_t)j->o->truths.n + 1, sizeof *j->truth);
    if (!j->truth)
        return err_set(e, RC_FAIL, "no memory");
    for (int i = 0; !rc && i < j->o->truths.n; i++) {
        const char *text = j->o->truths.item[i], *eq = strchr(text, '=');
        struct grn_truth *t = &j->truth[j->n_truths++];
        struct network net;
        if (!eq || eq == text || !eq[1])
            return err_set(e, RC_USAGE, "--truth wants NAME=FILE, not '%s'", text);
        t->name = text_new("%.*s", (int)(eq - text), text);
        if (!t->name)
            return err_set(e, RC_FAIL, "no memory");
        rc = network_read(eq + 1, NULL, &net, e);
        if (rc)
            return rc;
        rc = fill_truth(j, &net, t, e);
        network_release(&net);
    }
    return rc;
}

void grn_truth_release(struct grn_truth *t)
{
    free(t->name);
    free(t->tf);
    free(t->gene);
    free(t->edge);
    free(t->mean);
    *t = (struct grn_truth){ 0 };
}

bool grn_hold_out(const struct grn_truth *t, double share, uint64_t seed, bool *tune)
{
    uint32_t *order = malloc((t->n_tfs + 1) * sizeof *order);
    const size_t n = (size_t)fmin(fmax(1, round(share * (double)t->n_tfs)), (double)t->n_tfs - 1);
    memset(tune, 0, t->n_tfs * sizeof *tune);
    if (!order || t->n_tfs < 2) {
        free(order);
        return false;
    }
    for (uint32_t i = 0; i < t->n_tfs; i++)
        order[i] = i;
    rng_shuffle(seed, RNG_SPLIT, hash_text(t->name), order, t->n_tfs);
    for (size_t i = 0; i < n; i++)
        tune[order[i]] = true;
    free(order);
    return true;
}

enum rc grn_mark(const struct grn_truth *t, const double *score, const bool *use, bool want,
                 struct grn_mark *m, struct err *e)
{
    struct rank_metrics all, rest;
    double *kept = malloc(2 * t->n_pairs * sizeof *kept), *part = kept + t->n_pairs;
    bool *edge = malloc(2 * t->n_pairs * sizeof *edge), *label = edge + t->n_pairs;
    size_t n = 0, n_rest = 0;
    enum rc rc = kept && edge ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu pairs", t->n_pairs);
    for (size_t i = 0; !rc && i < t->n_pairs; i++) {
        if (use && use[i / t->n_genes] != want)
            continue;
        part[n] = score[i];
        label[n++] = t->edge[i];
        if (t->tf[i / t->n_genes] != t->gene[i % t->n_genes]) {
            kept[n_rest] = score[i];
            edge[n_rest++] = t->edge[i];
        }
    }
    if (!rc)
        rc = rank_metrics_get(part, label, n, &all, e);
    if (!rc)
        rc = rank_metrics_get(kept, edge, n_rest, &rest, e);
    if (!rc)
        *m = (struct grn_mark){ all.average_precision,
                                all.auprc_ratio,
                                all.auroc,
                                rest.early_precision,
                                rest.early_precision_ratio,
                                n };
    free(kept);
    free(edge);
    return rc;
}

void grn_take_matrix(const struct grn_truth *t, const double *a, size_t g, double *score)
{
    for (size_t i = 0; i < t->n_pairs; i++) {
        const double v = fabs(a[(size_t)t->gene[i % t->n_genes] * g + t->tf[i / t->n_genes]]);
        score[i] = v > 0 ? v : -1;
    }
}
