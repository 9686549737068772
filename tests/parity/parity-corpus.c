/* parity-corpus DIR: the corpus rules against a folder laid out like golden/corpus (README there):
 * tables, input, official, paper, medians, arrow. Any names of sets; what is not in the folder is not
 * compared. Cell by cell and token by token; only what the README calls a tie may be in another
 * order. Values may differ by one unit in the last place of float32, medians by 1e-11. */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "tests/parity/corpus_arrow.h"
#include "tests/parity/corpus_official.h"
#include "tests/parity/corpus_paper.h"

enum { MAX_NAMES = 256 };

struct names {
    char name[MAX_NAMES][128];
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void add_name(struct names *s, const char *name, size_t n)
{
    for (size_t i = 0; i < s->n; i++)
        if (strlen(s->name[i]) == n && memcmp(s->name[i], name, n) == 0)
            return;
    if (s->n < MAX_NAMES && n < sizeof *s->name)
        snprintf(s->name[s->n++], sizeof *s->name, "%.*s", (int)n, name);
}

/* Names X of files DIR/FOLDER/X.ENDING, each once. */
static void list(struct names *s, const char *dir, const char *folder, const char *ending)
{
    char *path = text_new("%s/%s", dir, folder);
    DIR *d = path ? opendir(path) : NULL;
    const struct dirent *f;
    while (d && (f = readdir(d))) {
        size_t n = strlen(f->d_name), m = strlen(ending);
        if (n > m && strcmp(f->d_name + n - m, ending) == 0)
            add_name(s, f->d_name, n - m);
    }
    if (d)
        closedir(d);
    free(path);
    qsort(s->name, s->n, sizeof *s->name, by_name);
}

/* The species that a file of tokens states; SPECIES_UNKNOWN when it has no rows or is not there. */
static enum species stated_species(const char *path)
{
    struct table t;
    enum species s = SPECIES_UNKNOWN;
    if (!file_exists(path) || tsv_read(path, 0, &t, NULL))
        return s;
    if (t.n_rows)
        s = atoi(cell_text(&t, "species", 0)) ? SPECIES_MOUSE : SPECIES_HUMAN;
    table_release(&t);
    return s;
}

static enum species species_of(const char *dir, const char *set)
{
    static const char *const at[] = { "paper/%s.tokens.tsv.gz", "official/%s.tokens.tsv.gz",
                                      "official/%s.sd0.tokens.tsv.gz",
                                      "official/%s.homolog.tokens.tsv.gz",
                                      "official/%s.homolog.sd0.tokens.tsv.gz" };
    enum species s = SPECIES_UNKNOWN;
    for (size_t i = 0; i < sizeof at / sizeof *at && s == SPECIES_UNKNOWN; i++) {
        size_t slash = strcspn(at[i], "/");
        const char *ending = at[i] + slash + 3; /* behind "/%s" */
        char *path = text_new("%s/%.*s/%s%s", dir, (int)slash, at[i], set, ending);
        s = stated_species(path);
        free(path);
    }
    return s;
}

static json_t *read_json(const char *dir, const char *name)
{
    char *path = text_new("%s/%s", dir, name);
    json_t *j = path ? json_load_file(path, 0, NULL) : NULL;
    free(path);
    return j;
}

/* ---- paper and medians ---- */

static void paper_set(struct set *s, const char *dir, const struct gene_tables *t,
                      const json_t *report)
{
    const struct qc_rules rules = qc_rules_of(QC_PAPER);
    struct err e = { 0 };
    if (set_judge(s, t, true, false, &rules, &e)) {
        ok(false, "%s: %s", s->name, e.text);
        return;
    }
    size_t i;
    json_t *j;
    json_array_foreach((json_t *)report, i, j)
    {
        const char *name = json_string_value(json_object_get(j, "set"));
        if (name && strcmp(name, s->name) == 0)
            compare_report(s, t, j);
    }
    char *cells = text_new("%s/paper/%s.cells.tsv.gz", dir, s->name);
    char *tokens = text_new("%s/paper/%s.tokens.tsv.gz", dir, s->name);
    compare_cells(s, cells);
    compare_tokens(s, t, tokens);
    free(cells);
    free(tokens);
}

/* Sets of paper/, with the medians of each set, and of all of them as `pooled`. */
static void paper(const char *dir, const struct gene_tables *t)
{
    struct names sets = { .n = 0 };
    const struct set *pool[MAX_NAMES];
    static struct set set[MAX_NAMES];
    size_t n_pool = 0, n_median = 0;
    json_t *report = read_json(dir, "paper/report.json"), *j;
    size_t k;
    json_array_foreach(report, k, j)
    {
        const char *name = json_string_value(json_object_get(j, "set"));
        if (name)
            add_name(&sets, name, strlen(name));
    }
    list(&sets, dir, "paper", ".cells.tsv.gz");
    list(&sets, dir, "paper", ".tokens.tsv.gz");
    for (size_t i = 0; i < sets.n; i++) {
        char *path = text_new("%s/medians/%s.medians.tsv.gz", dir, sets.name[i]);
        bool has_medians = path && file_exists(path);
        n_median += has_medians;
        if (set_open(&set[i], dir, sets.name[i], species_of(dir, sets.name[i]))) {
            paper_set(&set[i], dir, t, report);
            const struct set *one = &set[i];
            if (has_medians && one->qc) {
                /* Once with room for all values, once with so little that files are merged. */
                compare_medians(t, &one, 1, sets.name[i], path, (size_t)256 << 20, false);
                compare_medians(t, &one, 1, sets.name[i], path, (size_t)256 << 10, false);
                pool[n_pool++] = one;
            } else {
                set_close(&set[i]);
            }
        }
        free(path);
    }
    char *path = text_new("%s/medians/pooled.medians.tsv.gz", dir);
    if (path && file_exists(path)) {
        bool all = n_median && n_pool == n_median;
        for (int parts = 0; all && parts < 2; parts++)
            compare_medians(t, pool, n_pool, "pooled", path, (size_t)64 << 20, parts);
        if (!all)
            skip("medians of pooled: not all sets are here");
    }
    free(path);
    for (size_t i = 0; i < sets.n; i++)
        set_close(&set[i]);
    json_decref(report);
}

/* ---- official ---- */

/* SET.homolog.sd0 is set SET with homologs mapped and z of a constant vector 0. */
static void official_one(const char *dir, const struct gene_tables *t, const char *what,
                         const struct table *steps)
{
    char name[128];
    snprintf(name, sizeof name, "%s", what);
    name[strcspn(name, ".")] = '\0';
    struct qc_rules rules = qc_rules_of(QC_OFFICIAL_CODE);
    if (strstr(what, ".sd0"))
        rules.constant_is_nan = false;
    struct set s;
    struct err e = { 0 };
    if (!set_open(&s, dir, name, species_of(dir, name)))
        return;
    if (set_judge(&s, t, strstr(what, ".homolog") != NULL, true, &rules, &e)) {
        ok(false, "official %s: %s", what, e.text);
    } else {
        char *path = text_new("%s/official/%s.tokens.tsv.gz", dir, what);
        if (steps)
            official_steps(&s, t, what, steps);
        official_tokens(&s, t, what, path);
        free(path);
    }
    set_close(&s);
}

static void official(const char *dir, const struct gene_tables *t)
{
    struct names runs = { .n = 0 };
    struct table steps;
    char *path = text_new("%s/official/steps.tsv", dir);
    bool have_steps = path && file_exists(path) && !tsv_read(path, 0, &steps, NULL);
    list(&runs, dir, "official", ".tokens.tsv.gz");
    for (size_t i = 0; i < runs.n; i++)
        official_one(dir, t, runs.name[i], have_steps ? &steps : NULL);
    if (have_steps)
        table_release(&steps);
    free(path);
}

/* Every folder below arrow/ that has a state.json. */
static void arrow(const char *dir)
{
    struct names sets = { .n = 0 };
    char *path = text_new("%s/arrow", dir);
    DIR *d = path ? opendir(path) : NULL;
    for (const struct dirent *f; d && (f = readdir(d));) {
        char *state = text_new("%s/%s/state.json", path, f->d_name);
        if (f->d_name[0] != '.' && state && file_exists(state))
            add_name(&sets, f->d_name, strlen(f->d_name));
        free(state);
    }
    if (d)
        closedir(d);
    free(path);
    qsort(sets.name, sets.n, sizeof *sets.name, by_name);
    for (size_t i = 0; i < sets.n; i++)
        arrow_one(dir, sets.name[i]);
}

int main(int argc, char **argv)
{
    struct gene_tables t;
    struct err e = { 0 };
    if (argc != 2) {
        fprintf(stderr, "Usage: parity-corpus DIR\n");
        return RC_USAGE;
    }
    threads_init(0);
    char *tables = text_new("%s/tables", argv[1]);
    if (ok(!tables_read(tables, &t, &e), "the gene tables are read %s", e.text)) {
        official(argv[1], &t);
        paper(argv[1], &t);
        arrow(argv[1]);
        gene_tables_release(&t);
    }
    free(tables);
    threads_stop();
    return tap_end();
}
