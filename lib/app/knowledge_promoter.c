/* promoter: the bases around the start of each gene, to a vector.
 *
 *   tss rows -> tokens (the first row of a gene counts) -> windows -> bases
 *   bases -> DNABERT, projected by a random matrix where its width is not the table's
 *         or shares of k-base words -> principal components
 * A window holds `upstream` bases before the start site, the site itself and what follows, on the
 * gene's strand. A gene whose chromosome the genome has not, or whose window is N to more than
 * most_unknown (a gap, the end of a chromosome), has no row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dnabert_file.h"
#include "lib/app/knowledge_source.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/data/kmer.h"
#include "lib/io/fasta.h"
#include "lib/io/textout.h"
#include "lib/io/tss.h"
#include "lib/nn/dnabert_embed.h"
#include "lib/nn/pca.h"

/* Promoters of all species so far. */
struct promoters {
    uint32_t *token; /* [n] */
    char **bases;
    size_t n, room;
};

static void promoters_release(struct promoters *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->bases[i]);
    free(p->bases);
    free(p->token);
}

/* Takes bases over. */
static enum rc promoters_add(struct promoters *p, uint32_t token, char *bases, struct err *e)
{
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : 1024;
        uint32_t *t = realloc(p->token, room * sizeof *t);
        p->token = t ? t : p->token;
        char **b = t ? realloc(p->bases, room * sizeof *b) : NULL;
        p->bases = b ? b : p->bases;
        if (!b) {
            free(bases);
            return err_set(e, RC_FAIL, "no memory for %zu promoters", room);
        }
        p->room = room;
    }
    p->token[p->n] = token;
    p->bases[p->n++] = bases;
    return RC_OK;
}

static int32_t site_token(const struct knowledge_source *s, enum species sp, const struct tss *x)
{
    const int32_t t = x->id ? knowledge_token(s, sp, x->id) : -1;
    return t >= 0 || !x->name ? t : knowledge_token(s, sp, x->name);
}

/* What became of the rows of one table. */
struct tally {
    size_t in_vocab, repeats, no_sequence, unknown_bases, taken;
    json_t *unknown;
};

/* A table is of the species that knows more of its genes. */
static enum rc sites_species(const struct knowledge_source *s, const struct tss_table *t,
                             const char *path, enum species *sp, struct err *e)
{
    size_t known[2] = { 0, 0 };
    for (size_t i = 0; i < t->n; i++)
        for (int k = 0; k < 2; k++)
            known[k] += site_token(s, (enum species)k, &t->at[i]) >= 0;
    if (known[0] == known[1])
        return err_set(e, RC_INPUT,
                       "'%s': %zu of its %zu genes are known in human and as many in mouse", path,
                       known[0], t->n);
    *sp = known[0] > known[1] ? SPECIES_HUMAN : SPECIES_MOUSE;
    return RC_OK;
}

static void window_of(const struct tss *x, const struct promoter_options *o, struct fasta_window *w)
{
    const int64_t up = (int64_t)o->upstream, down = (int64_t)o->downstream;
    *w = (struct fasta_window){ .sequence = x->sequence,
                                .start = x->reverse ? x->at + 1 - down : x->at - up,
                                .end = x->reverse ? x->at + 1 + up : x->at + down,
                                .reverse = x->reverse };
}

/* The first site of each gene of the vocabulary: windows with their tokens, n of them. */
static enum rc make_windows(const struct knowledge_source *s, const struct tss_table *t,
                            enum species sp, const struct promoter_options *o,
                            struct fasta_window *w, uint32_t *token, size_t *n, struct tally *c,
                            struct err *e)
{
    unsigned char *seen = calloc(s->v->n + 1, 1);
    if (!seen)
        return err_set(e, RC_FAIL, "no memory for %zu genes", s->v->n);
    *n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct tss *x = &t->at[i];
        const int32_t to = site_token(s, sp, x);
        if (to < 0) {
            json_array_append_new(c->unknown, json_string(x->name ? x->name : x->id));
            continue;
        }
        c->repeats += seen[to];
        if (seen[to])
            continue;
        seen[to] = 1;
        window_of(x, o, &w[*n]);
        token[(*n)++] = (uint32_t)to;
    }
    c->in_vocab = *n;
    free(seen);
    return RC_OK;
}

static enum rc read_windows(const char *genome, struct fasta_window *w, const uint32_t *token,
                            size_t n, const struct promoter_options *o, struct promoters *p,
                            struct tally *c, struct fasta_facts *f, struct err *e)
{
    const size_t length = (size_t)(o->upstream + o->downstream);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++)
        if (!(w[i].bases = malloc(length + 1)))
            rc = err_set(e, RC_FAIL, "no memory for %zu promoters", n);
    if (!rc)
        rc = fasta_windows(genome, w, n, f, e);
    for (size_t i = 0; i < n; i++) {
        const bool gap = (double)(length - w[i].n_known) > o->most_unknown * (double)length;
        if (rc || !w[i].found || gap) {
            c->no_sequence += !w[i].found;
            c->unknown_bases += w[i].found && gap;
            free(w[i].bases);
            continue;
        }
        rc = promoters_add(p, token[i], w[i].bases, e);
        c->taken += !rc;
    }
    return rc;
}

static void tell_genome(struct knowledge_source *s, const char *genome, const char *tss,
                        enum species sp, size_t n_rows, const struct fasta_facts *f,
                        const struct tally *c)
{
    const char *a = strrchr(genome, '/'), *b = strrchr(tss, '/');
    log_say("%s: %zu promoters, %s", genome, c->taken, species_name(sp));
    json_array_append_new(
        s->list,
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "genome",
                  a ? a + 1 : genome, "tss", b ? b + 1 : tss, "species", species_name(sp),
                  "sequences", (json_int_t)f->n_sequences, "bases", (json_int_t)f->n_bases,
                  "by_index", f->by_index, "rows", (json_int_t)n_rows, "genes_in_vocab",
                  (json_int_t)c->in_vocab, "repeats", (json_int_t)c->repeats, "no_sequence",
                  (json_int_t)c->no_sequence, "mostly_unknown_bases", (json_int_t)c->unknown_bases,
                  "promoters", (json_int_t)c->taken, "unknown", c->unknown));
}

static enum rc add_genome(struct knowledge_source *s, const char *genome, const char *tss,
                          const struct promoter_options *o, struct promoters *p, struct err *e)
{
    struct tss_table t;
    struct tally c = { .unknown = json_array() };
    struct fasta_facts f = { 0 };
    enum species sp = SPECIES_UNKNOWN;
    size_t n = 0;
    enum rc rc = tss_read(tss, &t, e);
    if (rc) {
        json_decref(c.unknown);
        return rc;
    }
    struct fasta_window *w = calloc(t.n + 1, sizeof *w);
    uint32_t *token = calloc(t.n + 1, sizeof *token);
    rc = w && token && c.unknown ? sites_species(s, &t, tss, &sp, e)
                                 : err_set(e, RC_FAIL, "no memory for %zu genes", t.n);
    if (!rc)
        rc = make_windows(s, &t, sp, o, w, token, &n, &c, e);
    if (!rc)
        rc = read_windows(genome, w, token, n, o, p, &c, &f, e);
    if (!rc)
        tell_genome(s, genome, tss, sp, t.n, &f, &c);
    json_decref(c.unknown);
    free(w);
    free(token);
    tss_release(&t);
    return rc;
}

/* ---- vectors ---- */

/* Row r of x[n, d] to the table's width: itself, or times a fixed matrix of N(0, 1/d). */
static void project(const float *x, size_t d, uint64_t seed, struct knowledge_table *k,
                    const struct promoters *p)
{
    const uint64_t id = hash_text("promoter projection");
    for (size_t j = 0; j < k->dim; j++)
        for (size_t i = 0; i < d; i++) {
            if (d == k->dim && i != j)
                continue;
            const double a =
                d == k->dim ? 1 : rng_normal(seed, RNG_INIT, id, j * d + i) / sqrt((double)d);
            for (size_t r = 0; r < p->n; r++)
                k->vector[p->token[r] * k->dim + j] += (float)(a * (double)x[r * d + i]);
        }
}

static void hear(void *ctx, size_t n)
{
    progress_at(ctx, n);
}

static enum rc by_dnabert(const struct promoters *p, const struct promoter_options *o,
                          struct knowledge_table *k, char *label, struct err *e)
{
    struct dnabert m;
    struct progress now;
    const char *why;
    const struct backend *b = backend_find(o->backend, &why);
    if (!b)
        return err_set(e, RC_SKIP, "no backend '%s': %s", o->backend, why);
    enum rc rc = dnabert_load(&m, o->model, b, false, label, e);
    if (rc)
        return rc;
    float *x = malloc((p->n * m.config.d + 1) * sizeof *x);
    progress_start(&now, "promoters", p->n);
    rc =
        x ? dnabert_embed(&m, (const char *const *)p->bases, p->n,
                          o->method == PROMOTER_DNALONG ? DNA_LONG : DNA_MEAN_CLS, x, hear, &now, e)
          : err_set(e, RC_FAIL, "no memory for %zu promoters", p->n);
    progress_end(&now);
    if (!rc)
        project(x, m.config.d, o->seed, k, p);
    free(x);
    dnabert_release(&m);
    return rc;
}

/* Shares of the words of k bases that are known. */
static void shares(const char *bases, int k, uint32_t *word, double *to)
{
    const size_t n = kmer_tokens(bases, strlen(bases), k, word);
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (word[i] < KMER_FIRST)
            continue;
        to[word[i] - KMER_FIRST]++;
        known++;
    }
    for (size_t i = 0; known && i < (size_t)1 << 2 * k; i++)
        to[i] /= (double)known;
}

static enum rc by_words(const struct promoters *p, const struct promoter_options *o,
                        struct knowledge_table *k, struct err *e)
{
    struct mat x = { 0 }, y = { 0 };
    struct pca pca = { 0 };
    const size_t length = (size_t)(o->upstream + o->downstream);
    uint32_t *word = malloc((length + 1) * sizeof *word);
    enum rc rc = word ? mat_alloc(&x, p->n, (size_t)1 << 2 * o->k, e)
                      : err_set(e, RC_FAIL, "no memory for %zu words", length);
    for (size_t r = 0; !rc && r < p->n; r++)
        shares(p->bases[r], o->k, word, mat_row(&x, r));
    if (!rc)
        rc = pca_fit(&x, k->dim, &pca, e);
    if (!rc)
        rc = pca_apply(&pca, &x, &y, e);
    /* In units of the first component's spread: shares are of the order of 1e-3. */
    const double unit = rc ? 1 : 1 / sqrt(pca.variance[0]);
    for (size_t r = 0; !rc && r < p->n; r++)
        for (size_t i = 0; i < y.d; i++)
            k->vector[p->token[r] * k->dim + i] = (float)(mat_row(&y, r)[i] * unit);
    pca_release(&pca);
    mat_release(&x);
    mat_release(&y);
    free(word);
    return rc;
}

static enum rc write_fasta(const struct promoters *p, const struct vocab *v, const char *path,
                           struct err *e)
{
    struct textout t;
    enum rc rc = textout_open(&t, path, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < p->n; i++) {
        textout_put(&t, ">%s\n", v->entry[p->token[i]].id);
        textout_text(&t, p->bases[i]);
        textout_text(&t, "\n");
    }
    return textout_close(&t, e);
}

enum rc knowledge_promoters(struct knowledge_source *s, const char *const *genome,
                            const char *const *tss, int n, const struct promoter_options *o,
                            struct knowledge_table *k, char *label, struct err *e)
{
    struct promoters p = { 0 };
    *label = '\0';
    enum rc rc = knowledge_table_alloc(k, KNOWLEDGE_PROMOTER, s->v->n, o->dim, e);
    for (int i = 0; !rc && i < n; i++)
        rc = add_genome(s, genome[i], tss[i], o, &p, e);
    if (!rc && !p.n)
        rc = err_set(e, RC_INPUT, "no promoter of any gene of the vocabulary");
    if (!rc && o->fasta_out)
        rc = write_fasta(&p, s->v, o->fasta_out, e);
    if (!rc)
        rc = o->method == PROMOTER_KMER ? by_words(&p, o, k, e) : by_dnabert(&p, o, k, label, e);
    for (size_t i = 0; !rc && i < p.n; i++)
        k->present[p.token[i]] = 1;
    if (rc)
        knowledge_table_release(k);
    promoters_release(&p);
    return rc;
}
