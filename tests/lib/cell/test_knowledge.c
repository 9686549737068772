/* lib/cell/knowledge and lib/io/knowledge: each species from its own pairs, random rows that are
 * the same in any vocabulary, files that read back. */
#include "lib/cell/knowledge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/knowledge.h"
#include "lib/io/safetensors.h"
#include "tests/tap.h"

enum { HUMAN = 60, MOUSE = 40, DIM = 24 };

/* skip: so many human genes are left out, which moves all other tokens. */
static void make_vocab(struct vocab *v, int left_out)
{
    struct err e = { 0 };
    vocab_init(v);
    struct vocab_entry x = { "<pad>", "<pad>", "-", SPECIES_UNKNOWN, -1 };
    vocab_add(v, &x, &e);
    x.id = x.name = "<mask>";
    vocab_add(v, &x, &e);
    for (int i = left_out; i < HUMAN + MOUSE; i++) {
        char id[32], name[32];
        snprintf(id, sizeof id, i < HUMAN ? "ENSG%03d" : "ENSMUSG%03d", i);
        snprintf(name, sizeof name, i % 10 ? "gene%d" : "-", i);
        x = (struct vocab_entry){ id, name, "protein_coding",
                                  i < HUMAN ? SPECIES_HUMAN : SPECIES_MOUSE, -1 };
        if (vocab_add(v, &x, &e))
            abort();
    }
}

/* Pairs of the first half of each species' genes. */
static void make_pairs(const struct vocab *v, struct pairs *p, bool human, bool mouse)
{
    struct err e = { 0 };
    for (uint64_t i = 0; i < 4000; i++) {
        const bool m = i % 2;
        if ((m && !mouse) || (!m && !human))
            continue;
        char id[2][32];
        for (int k = 0; k < 2; k++) {
            const int g = (int)rng_below(1, RNG_TEST, i, (uint64_t)k, m ? MOUSE / 2 : HUMAN / 2);
            snprintf(id[k], sizeof id[k], m ? "ENSMUSG%03d" : "ENSG%03d",
                     m ? HUMAN + g : HUMAN / 2 + g);
        }
        pairs_add(p, (uint32_t)vocab_token(v, id[0]), (uint32_t)vocab_token(v, id[1]), &e);
    }
}

static void learn(const struct vocab *v, bool human, bool mouse, struct knowledge_table *k,
                  struct knowledge_counts *c)
{
    struct sgns_options o = sgns_defaults();
    struct pairs p = { 0 };
    struct err e = { 0 };
    o.passes = 3;
    make_pairs(v, &p, human, mouse);
    if (!ok(!knowledge_learn(k, KNOWLEDGE_GRN, v, &p, DIM, &o, c, &e), "%zu pairs are learned%s",
            p.n, e.text))
        exit(4);
    pairs_release(&p);
}

static const float *row(const struct knowledge_table *k, const struct vocab *v, const char *id)
{
    return k->vector + (size_t)vocab_token(v, id) * k->dim;
}

static bool same_row(const float *a, const float *b)
{
    return memcmp(a, b, DIM * sizeof *a) == 0;
}

static void species(void)
{
    struct vocab v, w;
    struct knowledge_table both, human, moved;
    struct knowledge_counts c, ch, cm;
    make_vocab(&v, 0);
    make_vocab(&w, 7);
    learn(&v, true, true, &both, &c);
    ok(c.learned[0] == HUMAN / 2 && c.filled[0] == HUMAN / 2 && c.learned[1] == MOUSE / 2 &&
           c.filled[1] == MOUSE / 2,
       "every gene is learned or random");
    bool zero = true;
    for (int i = 0; i < 2 * DIM; i++)
        zero = zero && near(both.vector[i], 0, 0, 0);
    ok(zero && !both.present[0] && !both.present[1], "<pad> and <mask> are zero and not present");
    ok(both.present[vocab_token(&v, "ENSG035")] && !both.present[vocab_token(&v, "ENSG005")],
       "present tells learned from random");
    learn(&v, true, false, &human, &ch);
    ok(same_row(row(&both, &v, "ENSG040"), row(&human, &v, "ENSG040")) &&
           same_row(row(&both, &v, "ENSG001"), row(&human, &v, "ENSG001")),
       "pairs of the mouse do not touch human rows");
    ok(near(ch.sd[1], ch.sd[0], 0, 0) && ch.sd[0] > 0 && !near(c.sd[1], c.sd[0], 0, 1e-6),
       "a species without pairs takes the spread of the other");
    learn(&w, true, true, &moved, &cm);
    ok(same_row(row(&both, &v, "ENSG009"), row(&moved, &w, "ENSG009")) &&
           same_row(row(&both, &v, "ENSMUSG095"), row(&moved, &w, "ENSMUSG095")),
       "a random row does not depend on the other genes");
    double square = 0;
    for (size_t t = 2; t < 2 + HUMAN / 2; t++)
        for (size_t i = 0; i < DIM; i++)
            square += (double)both.vector[t * DIM + i] * (double)both.vector[t * DIM + i];
    ok(near(sqrt(square / (HUMAN / 2 * DIM)), c.sd[0], 0, 0.1), "random rows have that spread");
    knowledge_table_release(&human);
    knowledge_table_release(&moved);
    knowledge_table_release(&both);
    vocab_release(&v);
    vocab_release(&w);
}

static void refusals(void)
{
    struct vocab v;
    struct knowledge_table k;
    struct knowledge_counts c;
    struct pairs p = { 0 };
    struct sgns_options o = sgns_defaults();
    struct err e = { 0 };
    make_vocab(&v, 0);
    ok(knowledge_learn(&k, KNOWLEDGE_GRN, &v, &p, DIM, &o, &c, &e) == RC_INPUT && !k.vector,
       "no pairs: refused");
    pairs_add(&p, 2, 2 + HUMAN, &e);
    ok(knowledge_learn(&k, KNOWLEDGE_GRN, &v, &p, DIM, &o, &c, &e) == RC_INPUT &&
           strstr(e.text, "two species"),
       "a pair across the species: refused");
    p.at[0] = (struct pair){ 1, 2 };
    ok(knowledge_learn(&k, KNOWLEDGE_GRN, &v, &p, DIM, &o, &c, &e) == RC_INPUT,
       "a pair with <mask>: refused");
    p.at[0] = (struct pair){ 2, 1000 };
    ok(knowledge_learn(&k, KNOWLEDGE_GRN, &v, &p, DIM, &o, &c, &e) == RC_INPUT,
       "a token that is not there: refused");
    pairs_release(&p);
    vocab_release(&v);
}

static char dir[] = "/tmp/gc-test-XXXXXX";

static void refused_file(const char *what, const struct st_tensor *t, size_t n,
                         const char *const (*meta)[2], const struct vocab *v, const char *said)
{
    struct knowledge_table k;
    struct err e = { 0 };
    char *p = text_new("%s/bad.safetensors", dir);
    const bool good = !st_write(p, t, n, meta, meta ? 1 : 0, &e) &&
                      knowledge_read(p, v, &k, &e) == RC_INPUT && strstr(e.text, said) &&
                      strstr(e.text, p) && !k.vector;
    if (!ok(good, "%s: refused", what))
        note("said: %s", e.text);
    free(p);
}

static void bad_files(const struct vocab *v)
{
    static float x[6];
    static const unsigned char one[3] = { 0, 1, 1 }, two[3] = { 0, 2, 1 };
    static const char *const meta[1][2] = { { "kind", "family" } };
    static const char *const odd[1][2] = { { "kind", "astrology" } };
    char vectors[] = "vectors", present[] = "present";
    struct st_tensor t[2] = {
        { .name = vectors, .type = ST_F32, .n_dims = 2, .dim = { 3, 2 }, .data = x },
        { .name = present, .type = ST_U8, .n_dims = 1, .dim = { 3 }, .data = one },
    };
    struct knowledge_table k;
    struct err e = { 0 };
    char *p = text_new("%s/good.safetensors", dir);
    ok(!st_write(p, t, 2, meta, 1, &e) && !knowledge_read(p, NULL, &k, &e) && k.dim == 2 &&
           k.kind == KNOWLEDGE_FAMILY,
       "the least table is read");
    knowledge_table_release(&k);
    free(p);
    refused_file("another kind", t, 2, odd, NULL, "no kind");
    refused_file("no kind", t, 2, NULL, NULL, "no kind");
    refused_file("no byte a row", t, 1, meta, NULL, "'present'");
    refused_file("another vocabulary", t, 2, meta, v, "3 rows for a vocabulary of 102");
    t[1].data = two;
    refused_file("neither 0 nor 1", t, 2, meta, NULL, "row 1: present is 2");
    t[1].data = one;
    x[5] = NAN;
    refused_file("a NaN", t, 2, meta, NULL, "row 2, number 1 is not finite");
    t[0].n_dims = 1;
    refused_file("a line instead of a table", t, 2, meta, NULL, "no table 'vectors'");
}

static void files(void)
{
    static const struct knowledge_note note = { "abc", "gene2vec", "", 17 };
    struct vocab v;
    struct knowledge_table k, back;
    struct knowledge_counts c;
    struct err e = { 0 };
    char *p = text_new("%s/k.safetensors", dir), *text = text_new("%s/k.txt", dir);
    make_vocab(&v, 0);
    learn(&v, true, true, &k, &c);
    ok(!knowledge_write(p, &k, &note, &e) && !knowledge_read(p, &v, &back, &e) &&
           back.dim == DIM && back.kind == KNOWLEDGE_GRN &&
           !memcmp(back.vector, k.vector, v.n * DIM * sizeof *k.vector) &&
           !memcmp(back.present, k.present, v.n),
       "a table reads back%s", e.text);
    struct st_file f;
    ok(!st_open(&f, p, &e) && !strcmp(st_meta(&f, "vocab"), "abc") &&
           !strcmp(st_meta(&f, "pairs"), "17") && !strcmp(st_meta(&f, "kind"), "grn") &&
           !strcmp(st_meta(&f, "method"), "gene2vec") && !st_meta(&f, "model"),
       "with its metadata");
    st_close(&f);
    char *data;
    size_t n = 0, lines = 0;
    ok(!knowledge_write_text(text, &k, &v, &e) && !file_read(text, 1 << 24, &data, &n, &e),
       "and as text");
    for (size_t i = 0; i < n; i++)
        lines += data[i] == '\n';
    ok(lines == HUMAN / 2 + MOUSE / 2 && !strncmp(data, "ENSG030\t", 8) &&
           strstr(data, "\ngene31\t"),
       "a line for each learned gene, by its name where it has one");
    ok((double)strtof(strchr(data, '\t') + 1, NULL) == (double)row(&k, &v, "ENSG030")[0],
       "numbers in full");
    free(data);
    ok(knowledge_write_text("/dev/full", &k, &v, &e) == RC_FAIL &&
           knowledge_write("/dev/full", &k, &note, &e) == RC_FAIL,
       "a full disk is an error");
    bad_files(&v);
    knowledge_table_release(&k);
    knowledge_table_release(&back);
    vocab_release(&v);
    free(p);
    free(text);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    species();
    refusals();
    files();
    char *rm = text_new("rm -rf '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    threads_stop();
    return tap_end();
}
