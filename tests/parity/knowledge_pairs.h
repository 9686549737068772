/* pairs: what regulatory tables and gene groups hold, by symbols, against expected.json. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_PAIRS_H
#define GC_TESTS_PARITY_KNOWLEDGE_PAIRS_H

#include <jansson.h>

#include "lib/base/sha256.h"
#include "lib/io/hgnc.h"
#include "lib/io/network.h"
#include "tests/parity/knowledge.h"

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* SHA-256 over the sorted lines a<TAB>b<LF>, a < b by bytes. p: distinct. */
static void lines_sha(const struct pairs *p, const char *const *name, char hex[SHA256_HEX])
{
    char **line = calloc(p->n + 1, sizeof *line);
    struct sha256 s;
    struct err e = { 0 };
    if (!line || sha256_init(&s, &e))
        abort();
    for (size_t i = 0; i < p->n; i++) {
        const char *a = name[p->at[i].a], *b = name[p->at[i].b];
        line[i] = strcmp(a, b) < 0 ? text_new("%s\t%s\n", a, b) : text_new("%s\t%s\n", b, a);
    }
    qsort(line, p->n, sizeof *line, by_line);
    for (size_t i = 0; i < p->n; i++) {
        if (sha256_add(&s, line[i], strlen(line[i]), &e))
            abort();
        free(line[i]);
    }
    if (sha256_end(&s, hex, &e))
        abort();
    free(line);
}

/* Numbers of one object; the first that differs is noted. */
struct checked {
    const json_t *want;
    bool same;
    int n;
};

static void check_number(struct checked *c, const char *key, size_t got)
{
    const json_t *w = json_object_get(c->want, key);
    if (!w)
        return;
    c->n++;
    if (!json_is_integer(w) || (size_t)json_integer_value(w) != got) {
        note("%s: %zu, wanted %lld", key, got, (long long)json_integer_value(w));
        c->same = false;
    }
}

static void check_sha(struct checked *c, const struct pairs *p, const char *const *name)
{
    char hex[SHA256_HEX];
    const char *w = json_string_value(json_object_get(c->want, "sha256"));
    if (!w)
        return;
    lines_sha(p, name, hex);
    c->n++;
    if (strcmp(hex, w) != 0) {
        note("sha256: %s, wanted %s", hex, w);
        c->same = false;
    }
}

/* The list of gene names of a species; false when it is not here. */
static bool name_list(const char *dir, bool human, struct map *m)
{
    char *p = data_path(dir, "pairs", "gene_reference/genecompass",
                        human ? "human_gene_names.txt" : "mouse_gene_names.txt");
    struct lines l;
    struct err e = { 0 };
    bool more = false;
    map_init(m);
    if (!p || lines_open(&l, p, &e)) {
        free(p);
        return false;
    }
    while (!lines_next(&l, &more, &e) && more)
        if (map_add(m, l.text, 1, NULL, &e))
            abort();
    lines_close(&l);
    free(p);
    return e.rc == RC_OK;
}

static void check_in_list(struct checked *c, const struct map *list, const struct network *n)
{
    size_t genes = 0, pairs = 0;
    for (size_t i = 0; i < n->gene.n; i++)
        genes += map_get(list, n->gene.at[i]) != MAP_NONE;
    for (size_t i = 0; i < n->pairs.n; i++)
        pairs += map_get(list, n->gene.at[n->pairs.at[i].a]) != MAP_NONE &&
                 map_get(list, n->gene.at[n->pairs.at[i].b]) != MAP_NONE;
    check_number(c, "genes_in_list", genes);
    check_number(c, "undirected_both_in_list", pairs);
}

/* The golden counts take the header line of the TRRUST files, `TF gene_symbol ..`, for a pair. Our
 * reader does not, so the pair is put in here; a table of the golden layout without it agrees too.
 */
static bool add_header_pair(struct network *n, const json_t *want)
{
    struct err e = { 0 };
    uint32_t a, b;
    if ((size_t)json_integer_value(json_object_get(want, "rows")) != n->n_rows + 1)
        return false;
    if (names_add(&n->gene, "TF", &a, &e) || names_add(&n->gene, "gene_symbol", &b, &e) ||
        pairs_add(&n->pairs, a, b, &e))
        abort();
    n->n_rows++;
    n->n_directed++;
    return true;
}

struct network_union {
    struct names gene;
    struct pairs lines;
    size_t n_files;
};

static void union_add(struct network_union *u, const struct network *n)
{
    struct err e = { 0 };
    for (size_t i = 0; i < n->pairs.n; i++) {
        uint32_t a, b;
        if (names_add(&u->gene, n->gene.at[n->pairs.at[i].a], &a, &e) ||
            names_add(&u->gene, n->gene.at[n->pairs.at[i].b], &b, &e) ||
            pairs_add(&u->lines, a, b, &e))
            abort();
    }
    u->n_files++;
}

/* key: a file's name, or that and " levels AB". */
static void parity_network(const char *dir, const char *key, const json_t *want,
                           struct network_union u[2])
{
    char *file = text_new("%s", key), *levels = strstr(file, " levels ");
    struct network n;
    struct err e = { 0 };
    if (levels) {
        *levels = '\0';
        levels += strlen(" levels ");
    }
    char *p = data_path(dir, "pairs", "prior_knowledge/grn", file);
    if (!p) {
        skip("pairs: %s is not here", file);
    } else if (ok(!network_read(p, levels, &n, &e), "pairs: %s is read%s", key, e.text)) {
        struct checked c = { want, true, 0 };
        struct map list;
        const bool human = !strstr(file, "mouse") && !strstr(file, "_mm_");
        const bool header = add_header_pair(&n, want);
        check_number(&c, "rows", n.n_rows);
        check_number(&c, "directed", n.n_directed);
        check_number(&c, "self_pairs", n.n_self);
        check_number(&c, "undirected_no_self", n.pairs.n);
        check_number(&c, "reciprocal", n.n_directed - n.n_self - n.pairs.n);
        check_number(&c, "genes", n.gene.n);
        check_sha(&c, &n.pairs, n.gene.at);
        if (name_list(dir, human, &list))
            check_in_list(&c, &list, &n);
        map_release(&list);
        ok(c.same && c.n >= 7, "pairs: %s: %zu pairs of %zu genes, %d numbers%s", key, n.pairs.n,
           n.gene.n, c.n, header ? ", its header line counted as in the golden file" : "");
        if (!levels)
            union_add(&u[!human], &n);
        network_release(&n);
    }
    free(p);
    free(file);
}

static void parity_union(const char *name, const json_t *want, struct network_union *u)
{
    struct checked c = { want, true, 0 };
    size_t in_k[8] = { 0 }, k = 0;
    if (u->n_files != (size_t)json_integer_value(json_object_get(want, "networks"))) {
        skip("pairs: %s: not all of its networks are here", name);
        return;
    }
    check_number(&c, "pair_lines_with_multiplicity", u->lines.n);
    pairs_sort(&u->lines);
    for (size_t i = 0; i < u->lines.n; i++) {
        const struct pair *p = &u->lines.at[i];
        k++;
        if (i + 1 == u->lines.n || p[1].a != p->a || p[1].b != p->b) {
            in_k[k < 8 ? k : 7]++;
            k = 0;
        }
    }
    pairs_distinct(&u->lines);
    check_number(&c, "distinct_pairs", u->lines.n);
    check_number(&c, "genes", u->gene.n);
    check_sha(&c, &u->lines, u->gene.at);
    const json_t *ks = json_object_get(want, "in_k_networks");
    struct checked each = { ks, true, 0 };
    check_number(&each, "1", in_k[1]);
    check_number(&each, "2", in_k[2]);
    check_number(&each, "3", in_k[3]);
    ok(c.same && each.same && c.n >= 4, "pairs: %s: %zu pairs in %zu networks", name, u->lines.n,
       u->n_files);
}

/* What a human gene is called in the other species: pairs of a key and a name, sorted by key. */
struct homolog {
    char *key, *name;
};

struct homologs {
    struct homolog *at;
    size_t n, room;
};

static void homologs_add(struct homologs *h, const char *key, const char *name)
{
    if (h->n == h->room) {
        h->room = h->room ? 2 * h->room : 1024;
        h->at = realloc(h->at, h->room * sizeof *h->at);
        if (!h->at)
            abort();
    }
    h->at[h->n++] = (struct homolog){ text_new("%s", key), text_new("%s", name) };
}

static void homologs_release(struct homologs *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->at[i].key);
        free(h->at[i].name);
    }
    free(h->at);
    *h = (struct homologs){ 0 };
}

static int by_homolog_key(const void *a, const void *b)
{
    return strcmp(((const struct homolog *)a)->key, ((const struct homolog *)b)->key);
}

/* human Ensembl id -> mouse name; rows without a mouse name are dropped. */
static bool biomart_read(const char *path, bool one2one, struct homologs *h)
{
    struct table t;
    struct err e = { 0 };
    if (tsv_read_need(path, "Gene stable ID,Mouse gene name,Mouse homology type", &t, &e)) {
        note("%s", e.text);
        return false;
    }
    const char **id = table_find(&t, "Gene stable ID")->text,
               **name = table_find(&t, "Mouse gene name")->text,
               **type = table_find(&t, "Mouse homology type")->text;
    for (size_t r = 0; r < t.n_rows; r++)
        if (name[r] && *name[r] && (!one2one || strcmp(type[r], "ortholog_one2one") == 0))
            homologs_add(h, id[r], name[r]);
    table_release(&t);
    return true;
}

/* human symbol -> mouse symbol of the same class; one: only classes of one gene each. Members of a
 * class follow each other. */
static bool mgi_read(const char *path, bool one, struct homologs *h)
{
    struct table t;
    struct err e = { 0 };
    if (tsv_read(path, '\t', &t, &e) || t.n_cols < 4) {
        note("%s", e.text);
        return false;
    }
    const struct column *taxon = table_find(&t, "NCBI Taxon ID"),
                        *symbol = table_find(&t, "Symbol");
    const char **key = t.col[0].text;
    for (size_t r = 0, end; taxon && symbol && r < t.n_rows; r = end) {
        size_t n[2] = { 0 };
        for (end = r; end < t.n_rows && strcmp(key[end], key[r]) == 0; end++)
            n[strcmp(taxon->text[end], "9606") != 0]++;
        for (size_t i = r; i < end && (!one || (n[0] == 1 && n[1] == 1)); i++)
            for (size_t j = r; j < end; j++)
                if (strcmp(taxon->text[i], "9606") == 0 && strcmp(taxon->text[j], "10090") == 0)
                    homologs_add(h, symbol->text[i], symbol->text[j]);
    }
    table_release(&t);
    return taxon && symbol;
}

static void check_families(const char *dir, const char *name, const json_t *want, bool human,
                           struct names *gene, struct member *m, size_t n)
{
    struct pairs p = { 0 };
    struct err e = { 0 };
    struct checked c = { want, true, 0 };
    unsigned char *paired = calloc(gene->n + 1, 1);
    size_t families = 0, families_2 = 0, genes_2 = 0, genes_in_list = 0;
    struct map list;
    if (!paired || pairs_of_groups(&p, m, &n, &e))
        abort();
    for (size_t i = 0; i < n; i++)
        families += i == 0 || m[i].group != m[i - 1].group;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && m[end].group == m[i].group; end++)
            ;
        const bool two = m[end - 1].item != m[i].item;
        families_2 += two;
        for (size_t k = i; two && k < end; k++)
            paired[m[k].item] = 1;
    }
    for (size_t g = 0; g < gene->n; g++)
        genes_2 += paired[g];
    check_number(&c, "families", families);
    check_number(&c, "families_ge2", families_2);
    check_number(&c, "genes", gene->n);
    check_number(&c, "genes_in_ge2", genes_2);
    check_number(&c, "pair_lines_with_multiplicity", p.n);
    pairs_distinct(&p);
    check_number(&c, "distinct_pairs", p.n);
    check_sha(&c, &p, gene->at);
    if (name_list(dir, human, &list)) {
        for (size_t g = 0; g < gene->n; g++)
            genes_in_list += map_get(&list, gene->at[g]) != MAP_NONE;
        check_number(&c, "genes_in_list", genes_in_list);
    }
    map_release(&list);
    ok(c.same && c.n >= 7, "pairs: families, %s: %zu families, %zu distinct pairs, %d numbers",
       name, families, p.n, c.n);
    pairs_release(&p);
    free(paired);
}

static void parity_families(const char *dir, const char *name, const json_t *want,
                            const struct hgnc *h)
{
    const bool human = strcmp(name, "human") == 0, mgi = strstr(name, "MGI") != NULL,
               one = strstr(name, "one2one") || strstr(name, "1:1");
    struct homologs to = { 0 };
    struct names gene;
    struct err e = { 0 };
    size_t n = 0, room = 1;
    char *p = human
                  ? NULL
                  : data_path(dir, "pairs", "gene_reference/homologs",
                              mgi ? "HOM_MouseHumanSequence.rpt.gz" : "biomart_human_to_mouse.csv");
    if (!human && (!p || !(mgi ? mgi_read(p, one, &to) : biomart_read(p, one, &to)))) {
        skip("pairs: families, %s: its homologs are not here", name);
        free(p);
        return;
    }
    names_init(&gene);
    if (to.n)
        qsort(to.at, to.n, sizeof *to.at, by_homolog_key);
    struct member *m = NULL;
    for (size_t i = 0; i < h->n_members; i++) {
        const uint32_t g = h->member[i].item;
        const char *key = mgi || human ? h->symbol[g] : h->ensembl[g];
        /* The first of the equal keys, by bisection. */
        size_t lo = 0, hi = to.n;
        while (key && lo < hi) {
            const size_t mid = (lo + hi) / 2;
            if (strcmp(to.at[mid].key, key) < 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        for (size_t k = lo; key && (human ? k == lo : k < to.n && !strcmp(to.at[k].key, key));
             k++) {
            if (n + 1 >= room) {
                room = 2 * room + 1024;
                m = realloc(m, room * sizeof *m);
                if (!m)
                    abort();
            }
            m[n].group = h->member[i].group;
            if (names_add(&gene, human ? key : to.at[k].name, &m[n++].item, &e))
                abort();
        }
    }
    check_families(dir, name, want, human, &gene, m, n);
    free(m);
    names_release(&gene);
    homologs_release(&to);
    free(p);
}

/* families_small.tsv: family, name, genes, pairs, and members by name where they are few (else -).
 */
static void parity_small_families(const char *dir, const struct hgnc *h)
{
    char *p = path_in(dir, "pairs", "families_small.tsv");
    struct table t;
    struct err e = { 0 };
    if (!file_exists(p) || tsv_read_need(p, "family_id,n,pairs,members", &t, &e)) {
        skip("pairs: no list of small families");
        free(p);
        return;
    }
    const char **id = table_find(&t, "family_id")->text, **n = table_find(&t, "n")->text,
               **n_pairs = table_find(&t, "pairs")->text,
               **members = table_find(&t, "members")->text;
    char **name = calloc(h->n_members + 1, sizeof *name);
    size_t wrong = 0;
    for (size_t r = 0; name && r < t.n_rows; r++) {
        size_t k = 0, at = 0;
        for (size_t i = 0; i < h->n_members; i++)
            if (h->member[i].group == strtoul(id[r], NULL, 10))
                name[k++] = text_new("%s", h->symbol[h->member[i].item]);
        qsort(name, k, sizeof *name, by_line);
        bool same =
            k == strtoul(n[r], NULL, 10) && k * (k - 1) / 2 == strtoul(n_pairs[r], NULL, 10);
        for (size_t i = 0; i < k; i++) {
            const size_t len = strlen(name[i]);
            if (strcmp(members[r], "-") != 0) {
                same = same && strncmp(members[r] + at, name[i], len) == 0;
                at += same ? len + (i + 1 < k) : 0;
            }
            free(name[i]);
        }
        same = same && (strcmp(members[r], "-") == 0 || members[r][at] == '\0');
        if (!same)
            note("family %s: %zu genes, wanted %s", id[r], k, n[r]);
        wrong += !same;
    }
    ok(name && t.n_rows && !wrong, "pairs: %zu families, member by member", t.n_rows);
    free(name);
    table_release(&t);
    free(p);
}

static void parity_pairs(const char *dir)
{
    char *p = path_in(dir, "pairs", "expected.json");
    json_t *want = json_load_file(p, 0, NULL);
    free(p);
    if (!want) {
        skip("pairs: not in this folder");
        return;
    }
    struct network_union u[2] = { { .n_files = 0 } };
    const char *key;
    json_t *value;
    for (int i = 0; i < 2; i++)
        names_init(&u[i].gene);
    json_object_foreach(json_object_get(want, "grn"), key,
                        value) if (strncmp(key, "union ", 6) != 0)
        parity_network(dir, key, value, u);
    json_object_foreach(json_object_get(want, "grn"), key,
                        value) if (strncmp(key, "union ", 6) == 0)
        parity_union(key, value, &u[strstr(key, "mouse") != NULL]);
    for (int i = 0; i < 2; i++) {
        names_release(&u[i].gene);
        pairs_release(&u[i].lines);
    }
    struct hgnc h;
    struct err e = { 0 };
    char *hgnc = data_path(dir, "pairs", "gene_reference/hgnc", "HGNC.json.gz");
    if (!hgnc) {
        skip("pairs: the gene groups of HGNC are not here");
    } else if (ok(!hgnc_read(hgnc, &h, &e), "pairs: HGNC's groups are read%s", e.text)) {
        json_object_foreach(json_object_get(want, "family"), key, value)
            parity_families(dir, key, value, &h);
        parity_small_families(dir, &h);
        hgnc_release(&h);
    }
    free(hgnc);
    json_decref(want);
}

#endif
