/* parity-corpus: datasets of arrow/ against arrow/NAME.expected.tsv.gz, and written again by ours. A
 * folder NAME_v2 without a file of its own holds the first rows of NAME. */
#ifndef GC_TESTS_CORPUS_ARROW_H
#define GC_TESTS_CORPUS_ARROW_H

#include <unistd.h>

#include "lib/io/dataset.h"
#include "tests/parity/corpus_paper.h"

struct arrow_parity {
    const struct table *want;
    size_t n, n_wrong, n_tokens;
    struct dataset_writer *copy; /* NULL: none */
};

static enum rc compare_arrow_row(void *ctx, const struct dataset_cell *d, struct err *e)
{
    static double token[MAX_LENGTH + 1], value[MAX_LENGTH + 1];
    struct arrow_parity *p = ctx;
    const struct token_cell *c = &d->cell;
    bool good = d->row == p->n && d->row < p->want->n_rows;
    if (good) {
        size_t n = split_numbers(cell_text(p->want, "tokens", d->row), token, MAX_LENGTH);
        size_t m = split_numbers(cell_text(p->want, "values", d->row), value, MAX_LENGTH);
        good = c->n == strtoull(cell_text(p->want, "length", d->row), NULL, 10) && n == c->n &&
               m == c->n && c->species == strtoull(cell_text(p->want, "species", d->row), NULL, 10);
        for (size_t i = 0; good && i < n; i++)
            good = c->token[i] == token[i] && c->value[i] == (float)value[i];
    }
    if (!good && p->n_wrong < 3)
        note("row %zu is another", d->row);
    p->n_wrong += !good;
    p->n_tokens += c->n;
    p->n++;
    return p->copy ? dataset_writer_add(p->copy, c, NULL, e) : RC_OK;
}

static bool same_bytes(const char *a, const char *b)
{
    char *x = NULL, *y = NULL;
    size_t n = 0, m = 1;
    bool same = !file_read(a, (size_t)1 << 30, &x, &n, NULL) &&
                !file_read(b, (size_t)1 << 30, &y, &m, NULL) && n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

/* Written by us: the same rows, and the very bytes of sorted_length.pickle. */
static void arrow_copy(const char *folder, const struct table *want, const char *name, size_t n)
{
    struct err e = { 0 };
    struct dataset_writer w;
    char tmp[] = "/tmp/parity-arrow.XXXXXX";
    const struct dataset_options o = { .width = MAX_LENGTH, .n_cells = n, .cells_per_file = 17 };
    if (!mkdtemp(tmp) || dataset_writer_open(&w, tmp, &o, &e)) {
        ok(false, "arrow %s: %s", name, e.text);
        return;
    }
    struct arrow_parity p = { .want = want, .copy = &w };
    enum rc rc = dataset_read(folder, compare_arrow_row, &p, &e);
    if (rc)
        dataset_writer_abort(&w);
    else
        rc = dataset_writer_close(&w, &e);
    struct arrow_parity again = { .want = want };
    if (!rc)
        rc = dataset_read(tmp, compare_arrow_row, &again, &e);
    ok(!rc && again.n == n && again.n_wrong == 0, "arrow %s: written by us, the same %zu rows %s",
       name, n, e.text);
    char *ours = text_new("%s/sorted_length.pickle", tmp);
    char *theirs = text_new("%s/sorted_length.pickle", folder);
    if (theirs && file_exists(theirs))
        ok(same_bytes(ours, theirs), "arrow %s: sorted_length.pickle has the same bytes", name);
    free(ours);
    free(theirs);
    char *command = text_new("rm -rf '%s'", tmp);
    if (!command || system(command) != 0)
        note("%s is left behind", tmp);
    free(command);
}

static void arrow_one(const char *dir, const char *name)
{
    struct table want;
    struct err e = { 0 };
    char *folder = text_new("%s/arrow/%s", dir, name);
    char *path = text_new("%s/arrow/%s.expected.tsv.gz", dir, name);
    bool part = !file_exists(path);
    if (part) {
        free(path);
        path = text_new("%s/arrow/%.*s.expected.tsv.gz", dir, (int)strcspn(name, "_"), name);
    }
    if (tsv_read(path, 0, &want, &e)) {
        ok(false, "arrow %s: %s", name, e.text);
    } else {
        struct arrow_parity p = { .want = &want };
        enum rc rc = dataset_read(folder, compare_arrow_row, &p, &e);
        ok(!rc && p.n > 0 && p.n_wrong == 0 && (part || p.n == want.n_rows),
           "arrow %s: %zu rows with the same %zu tokens and values %s", name, p.n, p.n_tokens,
           e.text);
        arrow_copy(folder, &want, name, p.n);
        table_release(&want);
    }
    free(folder);
    free(path);
}

#endif
