/* rank_tokens.tsv.gz of geneformer_tiny: rank lists of cells of real sets, which lie in the data
 * beside the golden folder or under $SHARED, and of the folder's own made_cells.tsv. Medians and
 * tokens are the authors' dictionaries in that data. What is not on this machine is skipped. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_RANKS_H
#define GC_TESTS_PARITY_DOWNSTREAM_RANKS_H

#include <glob.h>

#include "lib/cell/rank_list.h"
#include "lib/io/dictionary.h"
#include "lib/io/import.h"
#include "tests/parity/downstream.h"

/* The first path that a pattern below the data names; NULL when there is none. */
__attribute__((unused)) static const char *data_find(const char *dir, const char *pattern)
{
    const char *shared = getenv("SHARED");
    const char *base[] = { path_in(dir, "../../../data"),
                           path_in(shared && *shared ? shared : "../shared", "data") };
    for (size_t k = 0; k < sizeof base / sizeof *base; k++) {
        glob_t g;
        const char *found = NULL;
        if (glob(path_in(base[k], pattern), 0, NULL, &g) == 0) {
            found = path_in(g.gl_pathv[0], "");
            ((char *)(uintptr_t)found)[strlen(found) - 1] = '\0';
            globfree(&g);
        }
        if (found)
            return found;
    }
    return NULL;
}

struct rank_source {
    struct medians medians;
    struct vocab vocab;
    struct cells cells; /* of the set at hand */
    struct map row;
    const char *set;
    bool there;
    uint32_t *token;
    double *median;
};

/* made_cells.tsv as cells x genes. */
static void made_cells(const char *dir, struct cells *c)
{
    struct table t = table_in(dir, "made_cells.tsv", "cell,id,count");
    struct map cell, gene;
    struct err e = { 0 };
    uint64_t old;
    const char **of = table_find(&t, "cell")->text, **id = table_find(&t, "id")->text;
    map_init(&cell);
    map_init(&gene);
    cells_init(c);
    for (size_t i = 0; i < t.n_rows; i++)
        if (map_add(&cell, of[i], cell.n, &old, &e) || map_add(&gene, id[i], gene.n, &old, &e))
            refuse("%s", e.text);
    if (csr_alloc(&c->count, cell.n, gene.n, t.n_rows, &e))
        refuse("%s", e.text);
    c->cell = room(cell.n, sizeof *c->cell);
    c->gene = room(gene.n, sizeof *c->gene);
    for (size_t i = 0; i < t.n_rows; i++) {
        const size_t r = map_get(&cell, of[i]), j = map_get(&gene, id[i]);
        uint64_t count;
        if (!number_whole(table_find(&t, "count")->text[i], &count, NULL) || count > UINT32_MAX ||
            (i && r < map_get(&cell, of[i - 1])))
            refuse("made_cells.tsv: row %zu has no count, or cells are not together", i + 1);
        c->cell[r] = arena_text(&folder_memory, of[i]);
        c->gene[j] = arena_text(&folder_memory, id[i]);
        c->count.indptr[r + 1]++;
        c->count.index[i] = (uint32_t)j;
        c->count.value[i] = (uint32_t)count;
    }
    for (size_t r = 0; r < cell.n; r++)
        c->count.indptr[r + 1] += c->count.indptr[r];
    if (csr_tidy(&c->count, &e))
        refuse("made_cells.tsv: %s", e.text);
    map_release(&cell);
    map_release(&gene);
    table_release(&t);
}

static void rank_release(struct rank_source *s)
{
    if (s->set && strcmp(s->set, "made_cells") == 0)
        csr_release(&s->cells.count); /* its texts are the folder's */
    else if (s->there)
        cells_release(&s->cells);
    if (s->set)
        map_release(&s->row);
    s->there = false;
    s->set = NULL;
}

static void rank_set(struct rank_source *s, const char *dir, const char *set)
{
    struct err e = { 0 };
    char pattern[256];
    rank_release(s);
    s->set = set;
    map_init(&s->row);
    if (strcmp(set, "made_cells") == 0) {
        made_cells(dir, &s->cells);
    } else {
        static const char *const form[][2] = { { "*/", "/*.h5" }, { "*/*/", ".count.csv.gz" } };
        const char *path = NULL;
        for (size_t k = 0; !path && k < sizeof form / sizeof *form; k++) {
            snprintf(pattern, sizeof pattern, "%s%s%s", form[k][0], set, form[k][1]);
            path = data_find(dir, pattern);
        }
        struct import_report report;
        if (!path) {
            skip("the counts of '%s' are not on this machine", set);
            return;
        }
        if (import_any(path, &(struct import_options){ .species = SPECIES_UNKNOWN }, &s->cells,
                       &report, &e))
            refuse("%s", e.text);
    }
    s->there = true;
    const size_t n = s->cells.count.n_cols;
    s->token = room(n, sizeof *s->token);
    s->median = room(n, sizeof *s->median);
    for (size_t j = 0; j < n; j++) {
        const struct median *m = medians_find(&s->medians, s->cells.gene[j]);
        const int32_t token = vocab_token(&s->vocab, s->cells.gene[j]);
        s->median[j] = m ? m->median : 0;
        s->token[j] = token < 0 ? UINT32_MAX : (uint32_t)token;
    }
    for (size_t r = 0; r < s->cells.count.n_rows; r++)
        if (map_add(&s->row, s->cells.cell[r], r, NULL, &e))
            refuse("%s", e.text);
}

static int rising(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Runs a-b whose order is free are sorted in both lists; in the run that crosses the cut any of the
 * tokens after "k:" may stand. */
static bool lists_agree(uint32_t *ours, uint32_t *want, size_t n, const char *ties, const char *cut)
{
    for (const char *at = *ties == '-' ? "" : ties; *at;) {
        char *end;
        const size_t a = strtoul(at, &end, 10), b = *end == '-' ? strtoul(end + 1, &end, 10) : a;
        if (b >= n || a > b)
            return false;
        if (b + 1 == n && *cut != '-') {
            const char *among = strchr(cut, ':');
            for (size_t i = a; i <= b; i++) {
                char token[16];
                snprintf(token, sizeof token, "%u", ours[i]);
                if (!among || !strstr(among, token))
                    return false;
                ours[i] = want[i];
            }
        }
        qsort(ours + a, b - a + 1, sizeof *ours, rising);
        qsort(want + a, b - a + 1, sizeof *want, rising);
        at = *end ? end + 1 : end;
    }
    return memcmp(ours, want, n * sizeof *ours) == 0;
}

struct rank_columns {
    const char **set, **cell, **total, **n_nonzero, **n_with_median, **length, **tokens, **value,
        **ties, **cut;
};

static bool rank_cell(struct rank_source *s, const struct rank_columns *w, size_t i)
{
    const uint64_t r = map_get(&s->row, w->cell[i]);
    if (r == MAP_NONE) {
        note("cell '%s' is not in the set", w->cell[i]);
        return false;
    }
    const struct csr *c = &s->cells.count;
    const size_t at = c->indptr[r], n = c->indptr[r + 1] - at;
    struct ranked_token *list = room(n, sizeof *list);
    const size_t kept = rank_list(c->index + at, c->value + at, n, s->token, s->median, list),
                 length = kept < RANK_LIST_MAX ? kept : RANK_LIST_MAX;
    uint64_t total = 0;
    for (size_t k = 0; k < n; k++)
        total += c->value[at + k];
    uint32_t *ours = room(length, sizeof *ours), *want = room(length, sizeof *want);
    const char *text = w->tokens[i];
    size_t found = 0;
    for (char *end; *text && found < length; text = *end ? end + 1 : end) {
        ours[found] = list[found].token;
        want[found++] = (uint32_t)strtoul(text, &end, 10);
    }
    bool same = found == length && !*text && total == strtoull(w->total[i], NULL, 10) &&
                n == strtoull(w->n_nonzero[i], NULL, 10) &&
                kept == strtoull(w->n_with_median[i], NULL, 10) &&
                length == strtoull(w->length[i], NULL, 10) &&
                lists_agree(ours, want, length, w->ties[i], w->cut[i]);
    const size_t place[3] = { 0, length / 2, length - 1 };
    const char *number = w->value[i];
    for (int k = 0; length && k < 3; k++) {
        char *end;
        same = near(list[place[k]].value, strtod(number, &end), 0, 1e-14) && same;
        number = *end ? end + 1 : end;
    }
    return same;
}

static void parity_ranks(const char *dir)
{
    struct err e = { 0 };
    struct rank_source s = { 0 };
    const char *medians = data_find(dir, "gene_reference/geneformer/gene_median_dictionary.pkl"),
               *tokens = data_find(dir, "gene_reference/geneformer/token_dictionary.pkl");
    if (!file_exists(path_in(dir, "rank_tokens.tsv.gz"))) {
        note("this folder has no rank lists");
        return;
    }
    if (!medians || !tokens) {
        skip("rank lists: Geneformer's dictionaries are not on this machine");
        return;
    }
    if (dictionary_medians(&s.medians, &medians, 1, &e) ||
        dictionary_vocab(&s.vocab, tokens, NULL, NULL, &e))
        refuse("%s", e.text);
    struct table t =
        table_in(dir, "rank_tokens.tsv.gz",
                 "set,cell,total,n_nonzero,n_with_median,length,tokens,value_first_mid_last,ties,"
                 "cut");
    const struct rank_columns w = {
        table_find(&t, "set")->text,           table_find(&t, "cell")->text,
        table_find(&t, "total")->text,         table_find(&t, "n_nonzero")->text,
        table_find(&t, "n_with_median")->text, table_find(&t, "length")->text,
        table_find(&t, "tokens")->text,        table_find(&t, "value_first_mid_last")->text,
        table_find(&t, "ties")->text,          table_find(&t, "cut")->text,
    };
    for (size_t i = 0; i < t.n_rows;) {
        size_t n = 0, same = 0, from = i;
        rank_set(&s, dir, w.set[i]);
        for (; i < t.n_rows && strcmp(w.set[i], w.set[from]) == 0; i++, n++)
            if (s.there && rank_cell(&s, &w, i))
                same++;
            else if (s.there)
                note("the list of cell '%s' differs", w.cell[i]);
        if (s.there)
            ok(same == n, "rank lists of %zu cells of '%s', %zu equal", n, w.set[from], same);
    }
    rank_release(&s);
    table_release(&t);
    medians_release(&s.medians);
    vocab_release(&s.vocab);
}

#endif
