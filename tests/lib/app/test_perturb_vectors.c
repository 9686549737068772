/* perturb-predict with vectors of genes: the linear method and the GeneCompass variant of GEARS read what
 * embed --genes writes, and refuse what does not fit. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/app/perturb_predict.h"
#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/cell/simulate_perturb.h"
#include "lib/io/h5ad.h"
#include "lib/io/textout.h"
#include "tests/tap.h"

enum { WIDE = 6, GENES = 40 };
static char folder[] = "/tmp/gc-perturb-XXXXXX", cells[64], go[64], vectors[64], out[64];

/* Vectors of the first n genes, named by `name` if there is one, else by their ids. */
static bool write_vectors(const struct sim_perturb *s, const char *matrix, size_t n, float odd)
{
    struct cells c = { 0 };
    float x[GENES * WIDE];
    struct err e = { 0 };
    cells_init(&c);
    table_init(&c.obs, 0);
    table_init(&c.var, n);
    c.cell = calloc(1, sizeof *c.cell);
    c.gene = calloc(n + 1, sizeof *c.gene);
    for (size_t i = 0; i < n; i++) {
        c.gene[i] = arena_text(&c.var.text, s->cells.gene[i]);
        for (size_t k = 0; k < WIDE; k++)
            x[i * WIDE + k] = (float)rng_normal(1, RNG_TEST, i, k);
    }
    x[3] = odd;
    const struct h5ad_matrix m = { matrix, n, WIDE, x };
    const struct h5ad_extra extra = { .varm = &m, .n_varm = 1 };
    const enum rc rc = h5ad_write(vectors, &c, &extra, &e);
    cells_release(&c);
    return ok(!rc, "vectors of %zu genes are written%s%s", n, rc ? ": " : "", e.text);
}

static bool holds(const char *name, const char *what)
{
    char path[128], *text = NULL;
    size_t n;
    struct err e = { 0 };
    snprintf(path, sizeof path, "%s/%s", out, name);
    const bool found = !file_read(path, 1 << 24, &text, &n, &e) && strstr(text, what);
    free(text);
    return found;
}

int main(void)
{
    const struct sim_perturb_options sim = { 1, GENES, 8, 8, 2, 8, 40, 12, 500, NULL, 0 };
    struct sim_perturb s;
    struct err e = { 0 };
    threads_init(1);
    if (!mkdtemp(folder) || sim_perturb_make(&sim, &s, &e))
        return 1;
    snprintf(cells, sizeof cells, "%s/cells.h5ad", folder);
    snprintf(go, sizeof go, "%s/go.tsv", folder);
    snprintf(vectors, sizeof vectors, "%s/vectors.h5ad", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    struct perturb_options o = { .input = cells,
                                 .values = "auto",
                                 .scale = 1e4,
                                 .least_cells = 2,
                                 .go = go,
                                 .unknown = "keep",
                                 .vectors = vectors,
                                 .neighbours = 20,
                                 .pcs = 4,
                                 .ridge = 0.1,
                                 .epochs = 2,
                                 .batch = 16,
                                 .width = 4,
                                 .rate = 1e-3,
                                 .n_splits = 1,
                                 .n_seeds = 1,
                                 .dataset = "made",
                                 .out = out,
                                 .seed = 1,
                                 .first_seed = 1,
                                 .backend = &backend_ref };
    ok(!h5ad_write(cells, &s.cells, &(struct h5ad_extra){ 0 }, &e) &&
           !table_write(go, &s.go, '\t', true, false, &e),
       "a simulated set%s", e.text);
    write_vectors(&s, "X_genecompass", GENES - 3, 0);
    ok(!perturb_evaluate(&o, &e), "methods with vectors are evaluated%s", e.text);
    ok(holds("metrics.tsv", "\tlinear-genecompass\tclean\ttest\t1\tmse_top20\t"),
       "the linear method with vectors has a score");
    ok(holds("runs.tsv", "\tgears+genecompass\tclean\ttest\t1\t1\tmse_top20\t"),
       "and so has GEARS with vectors");
    ok(holds("comparisons.tsv", "\tgears+genecompass\tgears\t1\t"), "which is compared with GEARS");
    o.as_released = true;
    ok(!perturb_evaluate(&o, &e) && holds("metrics.tsv", "\tgears+genecompass\tas-released\t"),
       "as released, every cell of a batch has its copy%s", e.text);
    o.as_released = false;
    ok(!perturb_train(&o, &e), "a model with vectors is trained%s", e.text);
    static const char *const pair[] = { "SIM000001+SIM000002" };
    char table[96];
    snprintf(table, sizeof table, "%s/out/p.tsv", folder);
    ok(!perturb_predict(out, pair, 1, &backend_ref, table, &e) &&
           holds("p.tsv", "SIM000001+SIM000002\tSIM000040\t"),
       "and predicts for every gene%s", e.text);
    write_vectors(&s, "X_genecompass", GENES, NAN);
    ok(perturb_evaluate(&o, &e) == RC_INPUT && strstr(e.text, "no finite number"),
       "a number that is not finite is refused: %s", e.text);
    write_vectors(&s, "X_pca", GENES, 0);
    ok(perturb_evaluate(&o, &e) == RC_INPUT && strstr(e.text, "X_genecompass"),
       "a file without such vectors is refused: %s", e.text);
    for (size_t i = 0; i < GENES; i++)
        s.cells.gene[i] = "other";
    s.cells.gene[1] = "another";
    write_vectors(&s, "X_genecompass", 2, 0);
    ok(perturb_evaluate(&o, &e) == RC_INPUT && strstr(e.text, "no measured gene has a vector"),
       "vectors of other genes are refused: %s", e.text);
    sim_perturb_release(&s);
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ok(system(command) == 0, "the folder is removed");
    threads_stop();
    return tap_end();
}
