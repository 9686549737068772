/* The simulator keeps its promises: what it says is true can be seen in its counts. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/rng.h"
#include "lib/base/sha256.h"
#include "lib/base/thread.h"
#include "lib/cell/simulate_table.h"
#include "tests/tap.h"

static struct err e;

static double correlation(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        syy += (y[i] - my) * (y[i] - my);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    return sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : 0;
}

/* ---- negative binomial ---- */

static void test_counts_distribution(void)
{
    enum { N = 40000 };
    static const double want[][2] = { { 0.05, 0.3 }, { 0.7, 0 }, { 3, 0.1 },   { 3, 2 },
                                      { 40, 0.25 },  { 900, 0 }, { 2500, 0.2 } };
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        const double mean = want[k][0], var = mean + want[k][1] * mean * mean;
        double sum = 0, sum2 = 0;
        for (uint64_t i = 0; i < N; i++) {
            double x = sim_negative_binomial(5, i, k, mean, want[k][1]);
            sum += x;
            sum2 += x * x;
        }
        double m = sum / N, v = sum2 / N - m * m;
        ok(near(m, mean, 4.5 * sqrt(var / N), 0), "mean %g: drawn %g", mean, m);
        /* The error of a variance grows with the tail: 12 % is 4 errors in the worst case here. */
        ok(near(v, var, 0, want[k][1] > 1 ? 0.2 : 0.12),
           "mean %g, dispersion %g: variance %g, drawn %g", mean, want[k][1], var, v);
    }
    ok(sim_negative_binomial(5, 1, 1, 0, 0.3) == 0, "mean 0 gives 0");
}

/* ---- structure ---- */

static void test_genes(const struct sim *s)
{
    for (int sp = 0; sp < 2; sp++) {
        const struct sim_species *a = &s->of[sp];
        struct map ids, names;
        size_t same_name = 0, same_id = 0, asymmetric = 0, biotypes[5] = { 0 };
        map_init(&ids);
        map_init(&names);
        for (uint32_t g = 0; g < a->n_genes; g++) {
            uint64_t old = 0;
            const uint32_t o = sim_partner(s, sp, g);
            map_add(&ids, a->gene[g].id, g, &old, &e);
            same_id += old != MAP_NONE;
            map_add(&names, a->gene[g].name, g, &old, &e);
            same_name += old != MAP_NONE;
            asymmetric += o != UINT32_MAX && sim_partner(s, 1 - sp, o) != g;
            biotypes[s->group[a->gene[g].group].biotype]++;
        }
        ok(a->n_genes == s->opt.n_genes, "%s has the genes that were asked for", species_name(sp));
        ok(same_id == 0 && same_name == 2, "ids are unique, two names are shared on purpose");
        ok(asymmetric == 0, "a partner's partner is the gene itself");
        ok(biotypes[SIM_MITO] == 13 && biotypes[SIM_LNCRNA] > 50 && biotypes[SIM_MIRNA] > 5 &&
               biotypes[SIM_PSEUDO] > 20 && biotypes[SIM_PROTEIN] > 1500,
           "all biotypes occur");
        map_release(&ids);
        map_release(&names);
    }
    size_t kinds[5] = { 0 };
    for (size_t q = 0; q < s->n_groups; q++)
        kinds[s->group[q].homology]++;
    ok(kinds[SIM_ONE2ONE] > 1000 && kinds[SIM_ONE2MANY] > 50 && kinds[SIM_MANY2ONE] > 50 &&
           kinds[SIM_MANY2MANY] > 20 && kinds[SIM_ALONE] > 500,
       "all kinds of homology occur");
}

static void test_network(const struct sim *s)
{
    for (int sp = 0; sp < 2; sp++) {
        const struct sim_species *a = &s->of[sp];
        size_t backward = 0, mito = 0, repressed = 0, shared = 0, to_tf = 0, fewest = a->n_edges;
        size_t *per_tf = calloc(a->n_tfs, sizeof *per_tf);
        for (size_t i = 0; i < a->n_edges; i++) {
            const struct sim_edge *x = &a->edge[i];
            const struct sim_gene *g = &a->gene[x->target];
            backward += g->tf >= 0 && g->tf <= (int32_t)x->tf;
            to_tf += g->tf >= 0;
            mito += s->group[g->group].biotype == SIM_MITO;
            repressed += x->sign < 0;
            shared += x->shared;
            per_tf[x->tf]++;
        }
        for (size_t j = 0; j < a->n_tfs; j++)
            fewest = per_tf[j] < fewest ? per_tf[j] : fewest;
        const double n = (double)a->n_edges;
        ok(backward == 0 && to_tf > 5, "TFs regulate later TFs only: no cycle");
        ok(mito == 0 && fewest >= 3, "no mitochondrial targets; each TF has targets");
        ok(near((double)repressed / n, 0.25, 0.06, 0), "a quarter of the edges repress");
        ok((double)shared / n > 0.5 && shared < a->n_edges, "most edges are in both species");
        free(per_tf);
    }
}

static void test_listed(const struct sim *s)
{
    for (int sp = 0; sp < 2; sp++) {
        struct sim_listed *x;
        size_t n, real = 0, held = 0, false_held = 0, wrong = 0;
        sim_listed_edges(s, sp, &x, &n, &e);
        for (size_t i = 0; i < n; i++) {
            const bool listed = x[i].trrust || x[i].collectri || x[i].dorothea;
            const struct sim_species *a = &s->of[sp];
            bool found = false;
            for (size_t k = a->edge_at[x[i].target]; k < a->edge_at[x[i].target + 1]; k++)
                found = found || a->edge[k].tf == x[i].tf;
            wrong += found != x[i].real;
            real += x[i].real;
            held += x[i].real && !listed;
            false_held += !x[i].real && !listed;
        }
        ok(real == s->of[sp].n_edges && wrong == 0, "every true edge is there and called true");
        ok(near((double)held / (double)real, 0.2, 0.05, 0),
           "a fifth of the true edges is held out");
        ok(n > real + real / 10 && false_held == 0, "false edges are in the lists");
        free(x);
    }
}

/* ---- effects ---- */

/* What a TF can reach along edges. */
static void reach(const struct sim_species *a, uint32_t tf, unsigned char *hit)
{
    for (size_t i = 0; i < a->n_edges; i++) {
        const struct sim_edge *x = &a->edge[i];
        if (x->tf != tf || hit[x->target])
            continue;
        hit[x->target] = 1;
        if (a->gene[x->target].tf >= 0)
            reach(a, (uint32_t)a->gene[x->target].tf, hit);
    }
}

static void test_effects(const struct sim *s)
{
    size_t unreached = 0, silent = 0, wrong_sign = 0, n_direct = 0, indirect = 0;
    for (int sp = 0; sp < 2; sp++) {
        const struct sim_species *a = &s->of[sp];
        double *fold = calloc(a->n_genes, sizeof *fold);
        unsigned char *hit = calloc(a->n_genes, 1);
        for (uint32_t tf = 0; tf < a->n_tfs; tf++) {
            memset(hit, 0, a->n_genes);
            reach(a, tf, hit);
            sim_effect(s, sp, tf % s->opt.n_types, tf, fold, &e);
            for (uint32_t g = 0; g < a->n_genes; g++) {
                unreached += !hit[g] && fold[g] != 0;
                const struct sim_edge *direct = NULL;
                bool others = false;
                for (size_t i = a->edge_at[g]; i < a->edge_at[g + 1]; i++) {
                    if (a->edge[i].tf == tf)
                        direct = &a->edge[i];
                    else
                        others = others || hit[a->tf_gene[a->edge[i].tf]];
                }
                n_direct += direct != NULL;
                silent += direct && fold[g] == 0;
                indirect += !direct && fold[g] != 0;
                /* With one way from the TF to the gene, losing an activator lowers it. */
                wrong_sign += direct && !others && fold[g] * direct->sign > 0;
            }
        }
        free(fold);
        free(hit);
    }
    ok(n_direct == s->of[0].n_edges + s->of[1].n_edges && silent == 0,
       "deleting a TF moves each of its targets");
    ok(wrong_sign == 0, "targets of an activator fall, of a repressor rise");
    ok(unreached == 0, "what the TF cannot reach does not move at all");
    ok(indirect > 20, "some genes move through another TF");
}

/* ---- cells ---- */

struct matrix {
    struct csr c;
    double *total;
};

static void counts_of(const struct sim *s, size_t k, struct matrix *m)
{
    ok(sim_counts(s, k, &m->c, &e) == RC_OK && csr_check(&m->c, &e) == RC_OK, "%s is a tidy matrix",
       s->sample[k].name);
    m->total = calloc(m->c.n_rows, sizeof *m->total);
    for (size_t i = 0; i < m->c.n_rows; i++)
        for (uint64_t j = m->c.indptr[i]; j < m->c.indptr[i + 1]; j++)
            m->total[i] += m->c.value[j];
}

static void test_quality(const struct sim *s, size_t k, const struct matrix *m)
{
    const struct sim_species *a = &s->of[s->sample[k].species];
    size_t wrong = 0, good = 0, seen[6] = { 0 };
    double most = 0, mean_total = 0;
    for (size_t i = 0; i < m->c.n_rows; i++)
        mean_total += m->total[i] / (double)m->c.n_rows;
    for (size_t i = 0; i < m->c.n_rows; i++) {
        const struct sim_cell *c = &s->cell[s->sample[k].first + i];
        const uint64_t n_genes = m->c.indptr[i + 1] - m->c.indptr[i];
        double mito = 0;
        for (uint64_t j = m->c.indptr[i]; j < m->c.indptr[i + 1]; j++)
            if (s->group[a->gene[m->c.index[j]].group].biotype == SIM_MITO)
                mito += m->c.value[j] / m->total[i];
        seen[c->state]++;
        wrong += c->state == SIM_EMPTY && n_genes != 0;
        wrong += c->state == SIM_LOW_GENES && (n_genes == 0 || n_genes >= 200);
        wrong += c->state == SIM_HIGH_MITO && mito <= 0.15;
        wrong += c->state == SIM_HIGH_TOTAL && m->total[i] < 3 * mean_total;
        wrong += c->state == SIM_GOOD && (n_genes < 200 || mito > 0.15);
        good += c->state == SIM_GOOD;
        most = mito > most ? mito : most;
    }
    ok(wrong == 0, "%s: every bad cell shows its fault, no good cell shows one", s->sample[k].name);
    ok(good > m->c.n_rows * 8 / 10 && good < m->c.n_rows, "most cells are good");
}

/* Counts per 10,000 of one gene. */
static void gene_values(const struct matrix *m, uint32_t g, double *x)
{
    for (size_t i = 0; i < m->c.n_rows; i++) {
        x[i] = 0;
        for (uint64_t j = m->c.indptr[i]; j < m->c.indptr[i + 1]; j++)
            if (m->c.index[j] == g)
                x[i] = log2(1 + 1e4 * m->c.value[j] / m->total[i]);
    }
}

static void test_types(const struct sim *s, size_t k, const struct matrix *m)
{
    const struct sim_sample *p = &s->sample[k];
    const struct sim_species *a = &s->of[p->species];
    double *x = calloc(p->n, sizeof *x);
    size_t wrong = 0;
    for (size_t j = 0; j < 3 * s->opt.n_types; j++) {
        double sum[2] = { 0, 0 }, n[2] = { 0, 0 };
        gene_values(m, a->tf_gene[j], x);
        for (size_t i = 0; i < p->n; i++) {
            const struct sim_cell *c = &s->cell[p->first + i];
            const bool own = (int)c->type == sim_master_type(s, j);
            if (c->state != SIM_GOOD)
                continue;
            sum[own] += x[i];
            n[own]++;
        }
        wrong += !(sum[1] / n[1] > sum[0] / n[0] + 1);
    }
    ok(wrong == 0, "%s: each master TF is at least doubled in its own type", p->name);
    free(x);
}

/* Over good cells: activated targets go with the TF's dose, repressed ones against it, other genes
 * neither. */
static void test_targets(const struct sim *s, size_t k, const struct matrix *m)
{
    const struct sim_sample *p = &s->sample[k];
    const struct sim_species *a = &s->of[p->species];
    double *x = calloc(p->n, sizeof *x), *y = calloc(p->n, sizeof *y);
    double *dose = calloc(a->n_tfs, sizeof *dose), sum[3] = { 0 }, n[3] = { 0 };
    size_t *row = calloc(p->n, sizeof *row), n_good = 0;
    for (size_t i = 0; i < p->n; i++)
        if (s->cell[p->first + i].state == SIM_GOOD)
            row[n_good++] = i;
    for (uint32_t tf = 0; tf < 3 * s->opt.n_types; tf++) {
        for (size_t i = 0; i < n_good; i++) {
            const size_t cell = p->first + row[i];
            sim_doses(s, p->species, s->cell[cell].type, cell, -1, dose);
            y[i] = log2(dose[tf]);
        }
        for (uint32_t g = 0; g < a->n_genes; g++) {
            int kind = 2;
            for (size_t i = a->edge_at[g]; i < a->edge_at[g + 1]; i++)
                if (a->edge[i].tf == tf)
                    kind = a->edge[i].sign > 0 ? 0 : 1;
            /* All targets that can be seen, and every 40th of the other genes without regulators.
             */
            if (a->gene[g].base < 0.5 ||
                (kind == 2 && (g % 40 || a->edge_at[g + 1] > a->edge_at[g])))
                continue;
            gene_values(m, g, x);
            for (size_t i = 0; i < n_good; i++)
                x[i] = x[row[i]];
            sum[kind] += correlation(x, y, n_good);
            n[kind]++;
        }
    }
    for (int i = 0; i < 3; i++)
        sum[i] /= n[i];
    ok(n[0] > 30 && sum[0] > 0.3, "%s: targets follow their activator (mean r %.2f)", p->name,
       sum[0]);
    ok(n[1] > 8 && sum[1] < -0.2, "%s: targets avoid their repressor (mean r %.2f)", p->name,
       sum[1]);
    ok(n[2] > 30 && fabs(sum[2]) < 0.06, "%s: other genes do neither (mean r %.2f)", p->name,
       sum[2]);
    free(x);
    free(y);
    free(dose);
    free(row);
}

/* Levels over types: homologs agree, random pairs do not. */
static void test_homologs(const struct sim *s)
{
    const size_t n_types = s->opt.n_types;
    double *level[2], dose[64], pair = 0, other = 0, n = 0;
    for (int sp = 0; sp < 2; sp++) {
        level[sp] = calloc(n_types * s->of[sp].n_genes, sizeof *level[sp]);
        for (size_t c = 0; c < n_types; c++) {
            sim_doses(s, sp, c, SIZE_MAX, -1, dose);
            sim_levels(s, sp, c, dose, level[sp] + c * s->of[sp].n_genes);
        }
    }
    for (uint32_t g = 0; g < s->of[0].n_genes; g++) {
        double x[SIM_MAX_TYPES], y[SIM_MAX_TYPES], z[SIM_MAX_TYPES];
        uint32_t o = sim_partner(s, 0, g), r = (g + 500) % (uint32_t)s->of[1].n_genes;
        if (o == UINT32_MAX || s->group[s->of[0].gene[g].group].homology != SIM_ONE2ONE)
            continue;
        for (size_t c = 0; c < n_types; c++) {
            x[c] = log2(level[0][c * s->of[0].n_genes + g]);
            y[c] = log2(level[1][c * s->of[1].n_genes + o]);
            z[c] = log2(level[1][c * s->of[1].n_genes + r]);
        }
        pair += correlation(x, y, n_types);
        other += correlation(x, z, n_types);
        n++;
    }
    ok(pair / n > 0.8, "homologs have like profiles over types (mean r %.2f)", pair / n);
    ok(fabs(other / n) < 0.1, "other pairs do not (mean r %.2f)", other / n);
    free(level[0]);
    free(level[1]);
}

/* ---- determinism, bad options ---- */

static void hash_all(const struct sim_options *o, int threads, char hex[SHA256_HEX])
{
    struct sim s;
    struct sha256 h;
    threads_init(threads);
    sha256_init(&h, &e);
    sim_init(&s, o, &e);
    for (size_t k = 0; k < SIM_N_SAMPLES; k++) {
        struct csr c;
        sim_counts(&s, k, &c, &e);
        sha256_add(&h, c.indptr, (c.n_rows + 1) * sizeof *c.indptr, &e);
        sha256_add(&h, c.index, csr_nnz(&c) * sizeof *c.index, &e);
        sha256_add(&h, c.value, csr_nnz(&c) * sizeof *c.value, &e);
        csr_release(&c);
    }
    sha256_end(&h, hex, &e);
    sim_release(&s);
    threads_stop();
}

static void test_same(void)
{
    char a[SHA256_HEX], b[SHA256_HEX], c[SHA256_HEX];
    struct sim_options o = sim_options_default();
    o.n_cells = 60;
    o.n_genes = 400;
    o.n_tfs = 24;
    hash_all(&o, 1, a);
    hash_all(&o, 3, b);
    o.seed = 1;
    hash_all(&o, 1, c);
    ok(strcmp(a, b) == 0, "one thread and three give the same counts");
    ok(strcmp(a, c) != 0, "another seed gives others");
}

static void test_refused(void)
{
    struct sim s;
    const struct sim_options d = sim_options_default();
    struct sim_options bad[7] = { d, d, d, d, d, d, d };
    bad[0].n_types = 1;
    bad[1].n_cells = 3;
    bad[2].n_genes = 20;
    bad[3].n_tfs = 2;
    bad[4].n_tfs = 2000;
    bad[5].bad = -0.1;
    bad[6].bad = NAN;
    for (int i = 0; i < 7; i++)
        ok(sim_init(&s, &bad[i], &e) == RC_USAGE && !s.group && !s.cell, "refused: %s", e.text);
    struct sim_options least = { .n_cells = 40, .n_types = 2, .n_genes = 300, .n_tfs = 8 };
    ok(sim_init(&s, &least, &e) == RC_OK, "the smallest of everything works");
    size_t bad_cells = 0;
    for (size_t i = 0; i < 40; i++)
        bad_cells += s.cell[i].state != SIM_GOOD;
    ok(bad_cells == 0, "no bad cells when none are asked for");
    sim_release(&s);
}

int main(void)
{
    struct sim s;
    struct sim_options o = sim_options_default();
    test_counts_distribution();
    test_same();
    test_refused();
    threads_init(2);
    o.seed = 7;
    if (!ok(sim_init(&s, &o, &e) == RC_OK, "the default options work"))
        return tap_end();
    test_genes(&s);
    test_network(&s);
    test_listed(&s);
    test_effects(&s);
    test_homologs(&s);
    for (size_t k = 0; k < SIM_N_SAMPLES; k++) {
        struct matrix m = { 0 };
        counts_of(&s, k, &m);
        test_quality(&s, k, &m);
        if (k != 1)
            test_types(&s, k, &m);
        if (k == 0 || k == 2)
            test_targets(&s, k, &m);
        csr_release(&m.c);
        free(m.total);
    }
    sim_release(&s);
    threads_stop();
    return tap_end();
}
