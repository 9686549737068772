/* promoter: the bases around the start of each gene.
 *
 *   tss rows -> tokens (the first row of a gene counts) -> windows -> bases
 *   sequences with the names of genes -> bases; without, they belong to no gene
 *   bases -> vectors (knowledge_promoter_vectors.c)
 * A window holds `upstream` bases before the start site, the site itself and what follows, on the
 * gene's strand. A gene whose chromosome the genome has not, or whose window is N to more than
 * most_unknown (a gap, the end of a chromosome), has no row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_promoter.h"
#include "lib/base/log.h"
#include "lib/data/kmer.h"
#include "lib/io/fasta.h"
#include "lib/io/textout.h"
#include "lib/io/tss.h"

static void promoters_release(struct promoters *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->bases[i]);
    free(p->bases);
    free(p->token);
    free(p->of);
    free(p->has);
}

static bool grow(struct promoters *p)
{
    const size_t room = p->room ? 2 * p->room : 1024;
    uint32_t *t = realloc(p->token, room * sizeof *t);
    p->token = t ? t : p->token;
    unsigned char *of = t ? realloc(p->of, room) : NULL;
    p->of = of ? of : p->of;
    char **b = of ? realloc(p->bases, room * sizeof *b) : NULL;
    p->bases = b ? b : p->bases;
    p->room = b ? room : p->room;
    return b != NULL;
}

/* Takes bases over. */
static enum rc promoters_add(struct promoters *p, enum species sp, uint32_t token, char *bases,
                             struct err *e)
{
    if (!bases || (p->n == p->room && !grow(p))) {
        free(bases);
        return err_set(e, RC_FAIL, "no memory for %zu promoters", p->n + 1);
    }
    p->token[p->n] = token;
    p->of[p->n] = (unsigned char)sp;
    p->bases[p->n++] = bases;
    if (token != PROMOTER_NO_GENE) {
        p->has[token] = 1;
        p->n_genes++;
    }
    return RC_OK;
}

static int32_t site_token(const struct knowledge_source *s, enum species sp, const struct tss *x)
{
    const int32_t t = x->id ? knowledge_token(s, sp, x->id) : -1;
    return t >= 0 || !x->name ? t : knowledge_token(s, sp, x->name);
}

/* What became of the rows of one table, or the sequences of one file. */
struct tally {
    size_t in_vocab, repeats, no_sequence, unknown_bases, unnamed, taken;
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

/* The first site of each gene that has no promoter yet: windows with their tokens, n of them. */
static enum rc make_windows(const struct knowledge_source *s, const struct tss_table *t,
                            enum species sp, const struct promoter_options *o,
                            const unsigned char *has, struct fasta_window *w, uint32_t *token,
                            size_t *n, struct tally *c, struct err *e)
{
    unsigned char *seen = malloc(s->v->n + 1);
    if (!seen)
        return err_set(e, RC_FAIL, "no memory for %zu genes", s->v->n);
    memcpy(seen, has, s->v->n);
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

static enum rc read_windows(const char *genome, enum species sp, struct fasta_window *w,
                            const uint32_t *token, size_t n, const struct promoter_options *o,
                            struct promoters *p, struct tally *c, struct fasta_facts *f,
                            struct err *e)
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
        rc = promoters_add(p, sp, token[i], w[i].bases, e);
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
        rc = make_windows(s, &t, sp, o, p->has, w, token, &n, &c, e);
    if (!rc)
        rc = read_windows(genome, sp, w, token, n, o, p, &c, &f, e);
    if (!rc)
        tell_genome(s, genome, tss, sp, t.n, &f, &c);
    json_decref(c.unknown);
    free(w);
    free(token);
    tss_release(&t);
    return rc;
}

/* ---- sequences by name ---- */

/* The gene that a sequence is named after: its symbol or id, or EPDnew's SYMBOL_1 for the first of
 * several promoters. -1: of none. */
static int32_t named_token(const struct knowledge_source *s, enum species sp, const char *name)
{
    char cut[128];
    int32_t t = name ? knowledge_token(s, sp, name) : -1;
    const char *under = name ? strrchr(name, '_') : NULL;
    if (t < 0 && under && under[1] && strspn(under + 1, "0123456789") == strlen(under + 1) &&
        (size_t)(under - name) < sizeof cut) {
        snprintf(cut, sizeof cut, "%.*s", (int)(under - name), name);
        t = knowledge_token(s, sp, cut);
    }
    return t;
}

static bool mostly_unknown(const char *bases, double most)
{
    const size_t n = strlen(bases);
    size_t known = 0;
    for (size_t i = 0; i < n; i++)
        known += strchr("ACGT", bases[i]) != NULL;
    return (double)(n - known) > most * (double)n;
}

static enum rc take_sequences(const struct knowledge_source *s, struct sequences *q,
                              enum species sp, const struct promoter_options *o,
                              struct promoters *p, struct tally *c, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < q->n; i++) {
        const int32_t t = named_token(s, sp, q->name[i]);
        if (strlen(q->bases[i]) < KMER_MAX || mostly_unknown(q->bases[i], o->most_unknown)) {
            c->unknown_bases++;
            continue;
        }
        if (t < 0 && q->name[i])
            json_array_append_new(c->unknown, json_string(q->name[i]));
        c->unnamed += !q->name[i];
        c->in_vocab += t >= 0;
        c->repeats += t >= 0 && p->has[t];
        if (t >= 0 && p->has[t])
            continue;
        rc = promoters_add(p, sp, t < 0 ? PROMOTER_NO_GENE : (uint32_t)t, q->bases[i], e);
        q->bases[i] = NULL; /* taken over */
        c->taken += !rc && t >= 0;
    }
    return rc;
}

/* SPECIES=FILE. */
static enum rc add_sequences(struct knowledge_source *s, const char *what,
                             const struct promoter_options *o, struct promoters *p, struct err *e)
{
    const char *equals = strchr(what, '='), *path = equals ? equals + 1 : "", *slash;
    const enum species sp = strncmp(what, "human=", 6) == 0   ? SPECIES_HUMAN
                            : strncmp(what, "mouse=", 6) == 0 ? SPECIES_MOUSE
                                                              : SPECIES_UNKNOWN;
    struct sequences q;
    if (sp == SPECIES_UNKNOWN)
        return err_set(e, RC_USAGE, "--sequences '%s' is neither human=FILE nor mouse=FILE", what);
    struct tally c = { .unknown = json_array() };
    enum rc rc = sequences_read(path, &q, e);
    if (!rc) {
        slash = strrchr(path, '/');
        const size_t n = q.n;
        rc = c.unknown ? take_sequences(s, &q, sp, o, p, &c, e)
                       : err_set(e, RC_FAIL, "no memory for %zu sequences", n);
        sequences_release(&q);
        log_say("%s: %zu sequences, %zu promoters of genes, %s", path, n, c.taken,
                species_name(sp));
        json_array_append_new(
            s->list,
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "sequences",
                      slash ? slash + 1 : path, "species", species_name(sp), "n", (json_int_t)n,
                      "without_name", (json_int_t)c.unnamed, "genes_in_vocab",
                      (json_int_t)c.in_vocab, "repeats", (json_int_t)c.repeats,
                      "short_or_mostly_unknown_bases", (json_int_t)c.unknown_bases, "promoters",
                      (json_int_t)c.taken, "unknown", c.unknown));
    }
    json_decref(c.unknown);
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
        if (p->token[i] == PROMOTER_NO_GENE)
            continue;
        textout_put(&t, ">%s\n", v->entry[p->token[i]].id);
        textout_text(&t, p->bases[i]);
        textout_text(&t, "\n");
    }
    return textout_close(&t, e);
}

enum rc knowledge_promoters(struct knowledge_source *s, const struct promoter_inputs *in,
                            const struct promoter_options *o, struct knowledge_table *k,
                            double spare_sd[2], char *label, struct err *e)
{
    struct promoters p = { .has = calloc(s->v->n + 1, 1) };
    *label = '\0';
    *k = (struct knowledge_table){ 0 };
    enum rc rc = p.has ? knowledge_table_alloc(k, KNOWLEDGE_PROMOTER, s->v->n, o->dim, e)
                       : err_set(e, RC_FAIL, "no memory for %zu genes", s->v->n);
    for (int i = 0; !rc && i < in->n_genomes; i++)
        rc = add_genome(s, in->genome[i], in->tss[i], o, &p, e);
    for (int i = 0; !rc && i < in->n_sequences; i++)
        rc = add_sequences(s, in->sequences[i], o, &p, e);
    if (!rc && !p.n_genes && in->n_genomes)
        rc = err_set(e, RC_INPUT, "no promoter of any gene of the vocabulary");
    if (!rc && !p.n)
        rc = err_set(e, RC_INPUT, "no sequence to make vectors of");
    if (!rc && o->fasta_out)
        rc = write_fasta(&p, s->v, o->fasta_out, e);
    if (!rc)
        rc = promoter_vectors(&p, o, k, spare_sd, label, e);
    if (rc)
        knowledge_table_release(k);
    promoters_release(&p);
    return rc;
}
