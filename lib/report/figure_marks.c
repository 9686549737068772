/* Figures 2, S3, S4, 6 and S10: rows of marks, from a table `row series value low high` that the
 * stage made; and densities of cosines from densities.tsv of homology. Rows and series stand in the
 * order in which the table first names them. */
#include "lib/report/figure_marks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/number.h"

enum { MAX_ROWS = 60, MAX_SERIES = N_COLOURS - 1, LETTER = 7, TOP = 4, NAME_LETTERS = 30 };

/* ---- a table's words and numbers ---- */

struct list {
    const char *at[MAX_ROWS];
    size_t n;
};

/* Place of a word, a new one when it is new; SIZE_MAX: no room. */
static size_t place_of(struct list *l, const char *word, size_t room)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], word) == 0)
            return i;
    if (l->n == room)
        return SIZE_MAX;
    l->at[l->n] = word;
    return l->n++;
}

/* "nan", "-" and "" are no number. */
static enum rc number_at(const struct table *t, const char *column, size_t row, double *x,
                         struct err *e)
{
    const char *text = table_find(t, column)->text[row];
    *x = NAN;
    if (strcmp(text, "nan") == 0 || strcmp(text, "-") == 0 || !*text || number_parse(text, x))
        return RC_OK;
    return err_set(e, RC_INPUT, "row %zu: '%.40s' in column '%s' is no number", row + 1, text,
                   column);
}

/* ---- marks ---- */

struct marks {
    struct list rows, series;
    double lo, hi;
};

static enum rc look(const struct table *t, struct marks *m, double line, struct err *e)
{
    m->lo = m->hi = line;
    for (size_t i = 0; i < t->n_rows; i++) {
        double x[3];
        if (number_at(t, "value", i, &x[0], e) || number_at(t, "low", i, &x[1], e) ||
            number_at(t, "high", i, &x[2], e))
            return e->rc;
        if (isnan(x[0]))
            continue;
        if (place_of(&m->rows, table_find(t, "row")->text[i], MAX_ROWS) == SIZE_MAX ||
            place_of(&m->series, table_find(t, "series")->text[i], MAX_SERIES) == SIZE_MAX)
            return err_set(e, RC_INPUT, "more than %d rows or %d series", MAX_ROWS, MAX_SERIES);
        for (int k = 0; k < 3; k++)
            if (!isnan(x[k])) {
                m->lo = isnan(m->lo) ? x[k] : fmin(m->lo, x[k]);
                m->hi = isnan(m->hi) ? x[k] : fmax(m->hi, x[k]);
            }
    }
    const double room = m->hi > m->lo ? 0.04 * (m->hi - m->lo) : 0.5;
    m->lo -= room;
    m->hi += room;
    return RC_OK;
}

static enum rc blocks(const struct table *t, struct marks *m, double row_height, struct figure *f,
                      struct err *e)
{
    for (int pass = 0; pass < 2; pass++) {
        figure_block(f, pass ? "intervals" : "marks");
        for (size_t i = 0; i < t->n_rows; i++) {
            double x, lo, hi;
            if (number_at(t, "value", i, &x, e) || number_at(t, "low", i, &lo, e) ||
                number_at(t, "high", i, &hi, e))
                return e->rc;
            if (isnan(x))
                continue;
            const size_t r = place_of(&m->rows, table_find(t, "row")->text[i], MAX_ROWS);
            const size_t s = place_of(&m->series, table_find(t, "series")->text[i], MAX_SERIES);
            const double y = TOP + row_height * (double)r +
                             row_height * ((double)s + 1) / ((double)m->series.n + 1);
            if (!pass)
                figure_row(f, "%.9g\t%.9g\t%zu", x, y, s + 1);
            else if (!isnan(lo) && !isnan(hi))
                figure_row(f, "%.9g\t%.9g\t%.9g\t%zu", lo, hi, y, s + 1);
        }
        if (pass) /* one that is not drawn, so that the block is never empty */
            figure_row(f, "nan\tnan\tnan\t0");
        figure_block_end(f);
    }
    return RC_OK;
}

static void sizes(struct figure *f, const struct list *rows, const struct list *keys,
                  double row_height, double width, double *notes_top)
{
    const char *colour[N_COLOURS];
    const double bottom = TOP + row_height * (double)rows->n + 4;
    for (size_t i = 0; i < keys->n; i++)
        colour[i] = figure_colour[i];
    figure_number(f, "n_rows", (double)rows->n);
    figure_number(f, "row_top", TOP);
    figure_number(f, "row_height", row_height);
    figure_number(f, "plot_bottom", bottom);
    figure_words(f, "names", rows->at, rows->n);
    figure_key(f, keys->at, colour, keys->n, bottom + 56);
    *notes_top = bottom + 56 + 18 * (double)keys->n + 8;
    figure_size(f, width, *notes_top);
}

enum rc marks_fill(const struct table *t, const char *name, const char *label, double line,
                   struct figure *f, double *notes_top, struct err *e)
{
    struct marks m = { 0 };
    size_t longest = 0;
    enum rc rc = look(t, &m, line, e);
    if (rc)
        return rc;
    if (!m.rows.n)
        return err_set(e, RC_INPUT, "no number to draw");
    for (size_t i = 0; i < m.rows.n; i++)
        longest = strlen(m.rows.at[i]) > longest ? strlen(m.rows.at[i]) : longest;
    longest = longest < NAME_LETTERS ? longest : NAME_LETTERS;
    const double row_height = 9 * ((double)m.series.n + 1);
    figure_init(f, name, label);
    f->max_chars = NAME_LETTERS;
    rc = blocks(t, &m, row_height > 20 ? row_height : 20, f, e);
    figure_number(f, "left", 24 + (double)(LETTER * longest));
    figure_number(f, "x_min", m.lo);
    figure_number(f, "x_max", m.hi);
    figure_number(f, "has_line", !isnan(line));
    figure_number(f, "line", isnan(line) ? 0 : line);
    figure_words(f, "x_label", &label, 1);
    sizes(f, &m.rows, &m.series, row_height > 20 ? row_height : 20, 560, notes_top);
    if (rc)
        figure_release(f);
    return rc;
}

/* ---- densities ---- */

enum { BINS = 100, ROW = 62 };

static bool is_of(const struct table *t, size_t row, const char *dataset, const char *type)
{
    return strcmp(table_find(t, "dataset")->text[row], dataset) == 0 &&
           strcmp(table_find(t, "type")->text[row], type) == 0;
}

/* share [rows][series][BINS] of each group's numbers. */
static enum rc shares(const struct table *t, const char *dataset, const char *type,
                      struct list *rows, struct list *series, double *share, struct err *e)
{
    for (size_t i = 0; i < t->n_rows; i++) {
        double from, n;
        if (!is_of(t, i, dataset, type))
            continue;
        const size_t r = place_of(rows, table_find(t, "method")->text[i], 8);
        const size_t s = place_of(series, table_find(t, "group")->text[i], MAX_SERIES);
        if (number_at(t, "cosine_from", i, &from, e) || number_at(t, "n", i, &n, e))
            return e->rc;
        if (r == SIZE_MAX || s == SIZE_MAX || !(from >= -1 && from < 1) || !(n >= 0))
            return err_set(e, RC_INPUT, "row %zu: not of homology", i + 1);
        const size_t bin = (size_t)((from + 1) / 2 * BINS + 0.5);
        share[(r * MAX_SERIES + s) * BINS + (bin < BINS ? bin : BINS - 1)] += n;
    }
    for (size_t k = 0; k < rows->n * MAX_SERIES; k++) {
        double sum = 0;
        for (size_t b = 0; b < BINS; b++)
            sum += share[k * BINS + b];
        for (size_t b = 0; b < BINS && sum > 0; b++)
            share[k * BINS + b] /= sum;
    }
    return RC_OK;
}

/* Each line up to its own highest point: one that lies in a single bin would leave the others flat.
 */
static void ridge(struct figure *f, const double *share, size_t n_rows, size_t n_series)
{
    figure_block(f, "lines");
    for (size_t r = 0; r < n_rows; r++)
        for (size_t s = 0; s < n_series; s++) {
            const double *x = share + (r * MAX_SERIES + s) * BINS;
            double most = 0;
            for (size_t b = 0; b < BINS; b++)
                most = fmax(most, x[b]);
            for (size_t b = 0; b < BINS; b++)
                figure_row(f, "%.4g\t%.6g\t%zu", -1 + (2.0 * (double)b + 1) / BINS,
                           TOP + ROW * ((double)r + 1) - (most > 0 ? (ROW - 20) * x[b] / most : 0),
                           s + 1);
            figure_row(f, "%s", "");
        }
    figure_block_end(f);
}

static const char *group_words(const char *group)
{
    static const char *const words[][2] = {
        { "homologs", "a gene and its homolog" },
        { "others", "a gene and another, in cells of both species" },
        { "within_human", "different genes of one human cell" },
        { "within_mouse", "different genes of one mouse cell" },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], group) == 0)
            return words[i][1];
    return group;
}

bool density_next(const struct table *t, size_t *row, const char **dataset, const char **type)
{
    for (; *row < t->n_rows; ++*row) {
        bool seen = false;
        *dataset = table_find(t, "dataset")->text[*row];
        *type = table_find(t, "type")->text[*row];
        for (size_t i = 0; i < *row && !seen; i++)
            seen = is_of(t, i, *dataset, *type);
        if (!seen) {
            ++*row;
            return true;
        }
    }
    return false;
}

enum rc density_fill(const struct table *t, const char *dataset, const char *type, const char *name,
                     struct figure *f, double *notes_top, struct err *e)
{
    struct list rows = { .n = 0 }, series = { .n = 0 };
    char label[200];
    const char *x_label = label;
    double *share = calloc((size_t)8 * MAX_SERIES * BINS, sizeof *share);
    if (!share)
        return err_set(e, RC_FAIL, "no memory for densities");
    enum rc rc = shares(t, dataset, type, &rows, &series, share, e);
    if (!rc) {
        snprintf(label, sizeof label, "cosine of two vectors: %.80s of %.80s", type, dataset);
        figure_init(f, name, label);
        ridge(f, share, rows.n, series.n);
        figure_words(f, "x_label", &x_label, 1);
        for (size_t i = 0; i < rows.n; i++)
            rows.at[i] = score_method_words(rows.at[i]);
        for (size_t i = 0; i < series.n; i++)
            series.at[i] = group_words(series.at[i]);
        sizes(f, &rows, &series, ROW, 480, notes_top);
    }
    free(share);
    return rc;
}
