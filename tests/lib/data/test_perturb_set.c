/* lib/data/perturb_set: conditions in every spelling, values, cells that leave. */
#include <string.h>

#include <stdlib.h>

#include "lib/data/perturb_set.h"
#include "tests/tap.h"

enum { CELLS = 7, GENES = 3 };
static const char *const genes[GENES] = { "TP53", "Klf1", "SET" };

/* Cell i has value (i + 1) of gene i mod 3, and 1 of the next gene. */
static void build(struct perturb_set *s, double factor)
{
    perturb_set_init(s);
    s->n_cells = CELLS;
    s->n_genes = GENES;
    s->indptr = calloc(CELLS + 1, sizeof *s->indptr);
    s->index = calloc(2 * CELLS, sizeof *s->index);
    s->value = calloc(2 * CELLS, sizeof *s->value);
    s->gene = calloc(GENES, sizeof *s->gene);
    for (int i = 0; i < GENES; i++)
        s->gene[i] = genes[i];
    for (size_t i = 0; i < CELLS; i++) {
        s->index[2 * i] = (uint32_t)(i + 1) % GENES; /* in no order */
        s->index[2 * i + 1] = (uint32_t)i % GENES;
        s->value[2 * i] = factor;
        s->value[2 * i + 1] = factor * (double)(i + 1);
        s->indptr[i + 1] = 2 * (i + 1);
    }
}

static const struct perturb_rules rules = { PERTURB_AUTO, 100, 2 };

static void spellings(void)
{
    static const char *const of[CELLS] = { "ctrl",     "TP53+KLF1", "KLF1+TP53", "ctrl+SET",
                                           "SET+ctrl", "control",   "tp53+ctrl" };
    struct perturb_set s;
    struct err e = { 0 };
    build(&s, 1);
    ok(perturb_set_finish(&s, of, &rules, &e) == RC_OK, "a set is finished: %s", e.text);
    ok(s.n_conditions == 3, "two spellings of a pair, of a single and of the control are one each");
    ok(strcmp(s.condition[0].name, "Klf1+TP53") == 0, "a pair is named by the first spelling, '%s'",
       s.condition[0].name);
    ok(strcmp(s.condition[1].name, "SET+ctrl") == 0 && strcmp(s.condition[2].name, "ctrl") == 0,
       "conditions are in the order of their names");
    ok(s.control == 2 && s.condition[2].n_cells == 2, "the control is found");
    ok(s.n_spellings == 3, "%zu other spellings", s.n_spellings);
    ok(s.n_renamed == 3, "%zu genes took the measured spelling", s.n_renamed);
    ok(s.n_small == 1 && s.n_small_cells == 1 && strcmp(s.small[0], "TP53+ctrl") == 0,
       "a condition of one cell leaves by name");
    ok(s.n_cells == CELLS - 1 && s.of[1] == 0 && s.of[5] == 2, "its cell leaves, the others stay");
    double row[GENES];
    perturb_set_row(&s, 1, row);
    /* Cell 1 has 1 of gene 2 and 2 of gene 1. */
    ok(s.were_counts && near(row[0], 0, 0, 0) && near(row[1], log1p(200. / 3), 1e-15, 0) &&
           near(row[2], log1p(100. / 3), 1e-15, 0),
       "counts are scaled and logged, genes in order");
    perturb_set_release(&s);
}

static void values(void)
{
    static const char *const of[CELLS] = {
        "ctrl", "ctrl", "ctrl", "ctrl", "A+ctrl", "A+ctrl", "A+B"
    };
    const struct perturb_rules all = { PERTURB_AUTO, 1e4, 1 }, counts = { PERTURB_COUNTS, 1e4, 1 };
    struct perturb_set s;
    struct err e = { 0 };
    double row[GENES];
    build(&s, 0.5);
    ok(perturb_set_finish(&s, of, &all, &e) == RC_OK && !s.were_counts, "fractions are logged");
    perturb_set_row(&s, 3, row);
    ok(near(row[0], 2, 0, 0) && near(row[1], 0.5, 0, 0), "and stay as they are");
    ok(s.n_conditions == 3 && s.n_not_measured == 3, "genes without a column are counted");
    perturb_set_release(&s);
    build(&s, 0.5);
    ok(perturb_set_finish(&s, of, &counts, &e) == RC_INPUT && strstr(e.text, "no counts"),
       "fractions are no counts: %s", e.text);
    build(&s, -1);
    ok(perturb_set_finish(&s, of, &all, &e) == RC_INPUT && strstr(e.text, "no expression"),
       "values below 0 are refused: %s", e.text);
    build(&s, NAN);
    ok(perturb_set_finish(&s, of, &all, &e) == RC_INPUT, "so is what is no number: %s", e.text);
    build(&s, 1);
    s.index[1] = s.index[0];
    ok(perturb_set_finish(&s, of, &all, &e) == RC_INPUT && strstr(e.text, "twice"),
       "a gene twice in a cell is refused: %s", e.text);
}

static void refused(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = { { "A", "is not 'ctrl'" },    { "A+B+C", "is not 'ctrl'" },
                { "A_B", "is not 'ctrl'" },  { "+A", "is not 'ctrl'" },
                { "A+", "is not 'ctrl'" },   { "ctrl+ctrl", "is not 'ctrl'" },
                { "A+A", "one gene twice" }, { "set+SET", "one gene twice" },
                { "", "has no condition" },  { NULL, "has no condition" } };
    struct perturb_set s;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        const char *of[CELLS] = { "ctrl", "ctrl", "A+ctrl", "A+ctrl", bad[k].text, "ctrl", "ctrl" };
        struct err e = { 0 };
        build(&s, 1);
        ok(perturb_set_finish(&s, of, &rules, &e) == RC_INPUT && strstr(e.text, bad[k].says) &&
               strstr(e.text, "cell 5") && !s.indptr,
           "'%s' is refused: %s", bad[k].text ? bad[k].text : "-", e.text);
    }
    static const char *const none[CELLS] = {
        "A+ctrl", "A+ctrl", "A+B", "A+B", "B+A", "B+A", "A+B"
    };
    static const char *const only[CELLS] = {
        "ctrl", "ctrl", "ctrl", "ctrl", "ctrl", "ctrl", "A+B"
    };
    struct err e = { 0 };
    build(&s, 1);
    ok(perturb_set_finish(&s, none, &rules, &e) == RC_INPUT && strstr(e.text, "no control cells"),
       "a set without control is refused: %s", e.text);
    build(&s, 1);
    ok(perturb_set_finish(&s, only, &rules, &e) == RC_INPUT && strstr(e.text, "only control"),
       "so is one with nothing else: %s", e.text);
}

int main(void)
{
    spellings();
    values();
    refused();
    return tap_end();
}
