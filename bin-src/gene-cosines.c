/* gene-cosines: how alike gene vectors are, which decides what a threshold on their cosine means.
 */
#include <stdlib.h>

#include "lib/app/gene_vectors.h"
#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/nn/gene_cosines.h"

static int64_t top = 500000;
static double threshold = 0.4;

static const struct opt opts[] = {
    OPT_I64("top", &top, "N", "the value of the N-th largest cosine"),
    OPT_F64("threshold", &threshold, "NUM", "the share of pairs with at least this cosine"),
    OPT_END,
};

static const struct tool tool = {
    "gene-cosines",
    "VECTORS",
    "Say how alike the vectors of genes are: mean, spread and extremes of all cosines",
    "VECTORS is what `embed --genes` wrote (.h5ad), a .npy matrix, or a table with genes in rows.\n"
    "Pairs are counted as the published code counts them: n^2, both orders, and each gene with\n"
    "itself. A table `fact value` goes to --out, or to stdout.\n\n"
    "  gene-cosines GeneCompass-emb-0708.npy",
    opts,
    1,
    1
};

enum { MAX_GENES = 40000 };

static enum rc write(const struct tool_args *a, const struct gene_vectors *v,
                     const struct cosine_facts *f, struct err *e)
{
    struct outfile o;
    enum rc rc = outfile_open(&o, a->out ? a->out : "/dev/stdout", e);
    if (rc)
        return rc;
    fprintf(o.f, "fact\tvalue\ngenes\t%zu\nwidth\t%zu\npairs\t%zu\n", v->n, v->d, f->n_pairs);
    fprintf(o.f, "cosine_mean\t%.6f\ncosine_sd\t%.6f\ncosine_least\t%.6f\n", f->mean, f->sd,
            f->least);
    fprintf(o.f, "top\t%zu\ntop_cosine\t%.6f\ntop_share\t%.6f\n", f->n_top, f->at_top,
            f->share_top);
    fprintf(o.f, "threshold\t%g\nthreshold_share\t%.6f\n", threshold, f->share_above);
    return outfile_commit(&o, e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct gene_vectors v;
    struct cosine_facts f;
    if (top < 1)
        return err_set(e, RC_USAGE, "--top is out of range (from 1)");
    enum rc rc = gene_vectors_read(a->arg.item[0], &v, e);
    if (rc)
        return rc;
    if (v.n > MAX_GENES)
        rc = err_set(e, RC_INPUT, "'%s' has %zu genes; all pairs of at most %d fit in memory",
                     a->arg.item[0], v.n, MAX_GENES);
    float *cos = rc ? NULL : malloc((v.n * v.n + 1) * sizeof *cos);
    if (!rc && !cos)
        rc = err_set(e, RC_FAIL, "no memory for all pairs of %zu genes", v.n);
    if (!rc)
        rc = gene_cosines(v.x, v.n, v.d, cos, e);
    if (!rc)
        rc = cosine_facts_get(cos, v.n, (size_t)top, threshold, &f, NULL, e);
    if (!rc)
        rc = write(a, &v, &f, e);
    free(cos);
    gene_vectors_release(&v);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
