/* profile-drug simulate: signatures of real drugs on real genes whose effects are made up and
 * known.
 *
 * K programmes; a drug moves programme k by z = tanh(1.5 sum of draws over its fingerprint's bits /
 * sqrt(bits)), so alike drugs do alike; a cell line answers 1 + N(0, 0.5) times as much; a dose
 * gives dose / (dose + half), half lognormal by drug; gene g takes part by L, a random projection
 * of its vector, so genes with alike vectors do alike. Signature = 2 sum over k of z cell L dose /
 * sqrt(K), and for each replicate noise of its own. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/app/profile_drug_parts.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/io/metrics_tsv.h"

enum { N_PROGRAMMES = 8 };
enum { FOR_DRUG = 1, FOR_CELL, FOR_GENE, FOR_HALF, FOR_NOISE, FOR_PICK_DRUG, FOR_PICK_GENE };

struct simulation {
    const struct profile_simulation *o;
    struct drugs drugs;
    struct profile_genes genes;
    uint32_t *drug, *gene; /* picked; owned */
    struct mat load;       /* [picked genes, N_PROGRAMMES] */
};

static double draw(const struct simulation *s, uint64_t what, uint64_t i, uint64_t k)
{
    return rng_normal(s->o->seed, RNG_SIM_COUNT, what << 40 | i, k);
}

/* `want` of n, in the order of the file. */
static enum rc pick(const struct simulation *s, uint64_t what, size_t n, size_t want,
                    uint32_t **out, struct err *e)
{
    uint32_t *all = malloc((n + 1) * sizeof *all);
    unsigned char *in = calloc(n + 1, 1);
    if (want > n || !want || !all || !in) {
        free(all);
        free(in);
        return all && in ? err_set(e, RC_INPUT, "%zu are asked for, %zu are there", want, n)
                         : err_set(e, RC_FAIL, "no memory for a choice");
    }
    for (uint32_t i = 0; i < n; i++)
        all[i] = i;
    rng_shuffle(s->o->seed, RNG_SIM_COUNT, what << 40, all, n);
    for (size_t i = 0; i < want; i++)
        in[all[i]] = 1;
    for (uint32_t i = 0, at = 0; i < n; i++)
        if (in[i])
            all[at++] = i;
    free(in);
    *out = all;
    return RC_OK;
}

/* Loadings with a mean of 0 and a spread of 1 over the genes. */
static enum rc loadings(struct simulation *s, size_t n, struct err *e)
{
    enum rc rc = mat_alloc(&s->load, n, N_PROGRAMMES, e);
    for (size_t k = 0; !rc && k < N_PROGRAMMES; k++) {
        double sum = 0, square = 0;
        for (size_t j = 0; j < n; j++) {
            double *to = &mat_row(&s->load, j)[k];
            for (size_t i = 0; i < s->genes.x.d; i++)
                *to += mat_row(&s->genes.x, s->gene[j])[i] * draw(s, FOR_GENE, k, i);
            sum += *to;
        }
        for (size_t j = 0; j < n; j++) {
            mat_row(&s->load, j)[k] -= sum / (double)n;
            square += mat_row(&s->load, j)[k] * mat_row(&s->load, j)[k];
        }
        for (size_t j = 0; square > 0 && j < n; j++)
            mat_row(&s->load, j)[k] /= sqrt(square / (double)n);
    }
    return rc;
}

/* How far a drug in a cell line at a dose moves each programme. */
static void move(const struct simulation *s, uint32_t drug, size_t cell, size_t dose,
                 double to[N_PROGRAMMES])
{
    const double *bits = mat_row(&s->drugs.bits, drug),
                 much = strtod(profile_dose[dose], NULL), /* "0.04 um" */
        half = exp(draw(s, FOR_HALF, hash_text(s->drugs.id.at[drug]) >> 24, 0));
    for (size_t k = 0; k < N_PROGRAMMES; k++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < PROFILE_BITS; i++) {
            sum += bits[i] * draw(s, FOR_DRUG, k, i);
            n += bits[i];
        }
        to[k] = 2 * tanh(1.5 * sum / sqrt(n)) * (1 + 0.5 * draw(s, FOR_CELL, cell, k)) * much /
                (much + half) / sqrt(N_PROGRAMMES);
    }
}

static void put_row(const struct simulation *s, FILE *f, size_t d, size_t c, size_t q, int64_t r)
{
    const char *id = s->drugs.id.at[s->drug[d]];
    const uint64_t key = ((uint64_t)d * PROFILE_CELLS + c) * PROFILE_DOSES + q;
    double z[N_PROGRAMMES];
    char text[32];
    move(s, s->drug[d], c, q, z);
    fprintf(f, "SIM_%s_24H:%s:%s:%" PRId64 ",%s,trt_cp,%s,%s", profile_cell[c], id, profile_dose[q],
            r + 1, id, profile_cell[c], profile_dose[q]);
    for (size_t j = 0; j < s->load.n; j++) {
        double x = 0;
        for (size_t k = 0; k < N_PROGRAMMES; k++)
            x += z[k] * mat_row(&s->load, j)[k];
        if (r >= 0)
            x += s->o->noise * draw(s, FOR_NOISE, key << 4 | (uint64_t)r, j);
        metric_text(x, text);
        fprintf(f, ",%s", text);
    }
    putc('\n', f);
}

/* truth: one row without noise for each drug, cell line and dose. */
static enum rc write_signatures(const struct simulation *s, const char *path, bool truth,
                                struct err *e)
{
    struct outfile f;
    if (outfile_open(&f, path, e))
        return e ? e->rc : RC_FAIL;
    fputs("sig_id,pert_id,pert_type,cell_id,pert_idose", f.f);
    for (size_t j = 0; j < s->load.n; j++)
        fprintf(f.f, ",%s", s->genes.gene.at[s->gene[j]]);
    putc('\n', f.f);
    for (size_t d = 0; d < (size_t)s->o->n_drugs; d++)
        for (size_t c = 0; c < (size_t)s->o->n_cells; c++)
            for (size_t q = PROFILE_DOSES - (size_t)s->o->n_doses; q < PROFILE_DOSES; q++)
                for (int64_t r = truth ? -1 : 0; r < (truth ? 0 : s->o->n_replicates); r++)
                    put_row(s, f.f, d, c, q, r);
    return outfile_commit(&f, e);
}

static enum rc write_drugs(const struct simulation *s, const char *path, struct err *e)
{
    struct outfile f;
    if (outfile_open(&f, path, e))
        return e ? e->rc : RC_FAIL;
    for (size_t d = 0; d < (size_t)s->o->n_drugs; d++)
        fprintf(f.f, "%s,%s\n", s->drugs.id.at[s->drug[d]], s->drugs.smiles[s->drug[d]]);
    return outfile_commit(&f, e);
}

static enum rc write_genes(const struct simulation *s, const char *path, struct err *e)
{
    struct outfile f;
    char text[32];
    if (outfile_open(&f, path, e))
        return e ? e->rc : RC_FAIL;
    for (size_t j = 0; j < s->load.n; j++) {
        fputs(s->genes.gene.at[s->gene[j]], f.f);
        for (size_t i = 0; i < s->genes.x.d; i++) {
            metric_text(mat_row(&s->genes.x, s->gene[j])[i], text);
            fprintf(f.f, ",%s", text);
        }
        putc('\n', f.f);
    }
    return outfile_commit(&f, e);
}

static enum rc write_all(const struct simulation *s, struct err *e)
{
    static const char *const name[] = { "drugs", "genes", "signatures", "truth" };
    enum rc rc = folder_make(s->o->out, e);
    for (int i = 0; !rc && i < 4; i++) {
        char *path = text_new("%s/%s.csv", s->o->out, name[i]);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else
            rc = i == 0   ? write_drugs(s, path, e)
                 : i == 1 ? write_genes(s, path, e)
                          : write_signatures(s, path, i == 3, e);
        free(path);
    }
    return rc;
}

enum rc profile_simulate(const struct profile_simulation *o, struct err *e)
{
    struct simulation s = { .o = o };
    enum rc rc = drugs_read(&s.drugs, o->drugs, o->skip_bad, e);
    if (rc)
        return rc;
    rc = profile_genes_read(&s.genes, o->genes, e);
    if (rc) {
        drugs_release(&s.drugs);
        return rc;
    }
    rc = pick(&s, FOR_PICK_DRUG, s.drugs.id.n, (size_t)o->n_drugs, &s.drug, e);
    if (rc)
        err_wrap(e, "drugs of '%s'", o->drugs);
    if (!rc && (rc = pick(&s, FOR_PICK_GENE, s.genes.gene.n, (size_t)o->n_genes, &s.gene, e)))
        err_wrap(e, "genes of '%s'", o->genes);
    if (!rc)
        rc = loadings(&s, (size_t)o->n_genes, e);
    if (!rc)
        rc = write_all(&s, e);
    free(s.drug);
    free(s.gene);
    mat_release(&s.load);
    profile_genes_release(&s.genes);
    drugs_release(&s.drugs);
    return rc;
}
