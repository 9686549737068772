/* Cells under drugs at doses: conditions, what is left out, what is refused. */
#include <string.h>

#include "tests/lib/nn/dose_tiny.h"
#include "tests/tap.h"

static struct tiny_cells c;

static enum rc finish(struct dose_set *s, const struct dose_rules *rules, struct err *e)
{
    const struct dose_columns columns = { c.drug, c.type, NULL, c.dose };
    tiny_values(s, &c);
    *e = (struct err){ 0 };
    return dose_set_finish(s, &columns, rules, e);
}

static void conditions(void)
{
    struct dose_set s;
    struct err e = { 0 };
    if (!ok(!tiny_set(&s, true, true, &e), "a set of two types%s", e.text))
        return;
    bool sorted = true;
    size_t n = 0;
    for (size_t k = 0; k < s.n_conditions; k++) {
        n += s.condition[k].n_cells;
        if (k && s.condition[k].type == s.condition[k - 1].type &&
            s.condition[k].drug == s.condition[k - 1].drug)
            sorted = sorted && s.condition[k].dose > s.condition[k - 1].dose;
    }
    ok(s.n_conditions == 18 && s.n_types == 2 && s.n_drugs == 2 && n == TINY_CELLS,
       "is 2 x (1 + 2 x 4) conditions with all cells");
    ok(sorted && s.condition[0].drug == DOSE_CONTROL && dose_set_control(&s, 1) == 9,
       "doses rise, and control stands before its drugs");
    ok(near(s.largest[0], 1, 0, 0) && strcmp(s.drug[1], "B") == 0, "largest doses are known");
    ok(s.given && s.given[4] == DOSE_OOD && s.given[0] == DOSE_TEST,
       "parts are those of the column");
    dose_set_release(&s);
    if (!ok(!tiny_set(&s, false, false, &e), "a set without types%s", e.text))
        return;
    ok(s.n_types == 1 && s.n_conditions == 9 && !s.given, "is one type");
    ok(!dose_set_genes(&s, 2, &e) && s.x.n_genes == 2 && strcmp(s.x.gene[0], "G0") == 0 &&
           strcmp(s.x.gene[1], "G1") == 0,
       "the two genes that vary most are those that the drugs move");
    double row[2];
    perturb_set_row(&s.x, TINY_CELLS - 1, row);
    ok(row[0] > 1 && row[1] < 2, "with their own values");
    dose_set_release(&s);
}

static void left_out(void)
{
    struct dose_set s;
    struct err e;
    tiny_columns(&c);
    c.dose[2] = 0;
    ok(!finish(&s, &tiny_rules, &e) && s.n_zero == 1 && s.condition[0].n_cells == 61,
       "a cell at dose 0 is a control cell%s", e.text);
    dose_set_release(&s);
    tiny_columns(&c);
    c.drug[3] = "Single";
    ok(finish(&s, &tiny_rules, &e) == RC_INPUT && strstr(e.text, "drug 'Single' has one dose"),
       "a drug with one dose is refused: %s", e.text);
    struct dose_rules rules = tiny_rules;
    rules.drop_single = true;
    ok(!finish(&s, &rules, &e) && s.n_single == 1 && s.n_single_cells == 1 && s.n_drugs == 2 &&
           s.x.n_cells == TINY_CELLS - 1 && strcmp(s.drug[1], "B") == 0,
       "or left out, and counted%s", e.text);
    dose_set_release(&s);
    rules.values.least_cells = 3;
    rules.drop_single = false;
    ok(!finish(&s, &rules, &e) && s.n_small == 1 && s.n_small_cells == 1 && s.n_drugs == 2,
       "a condition with too few cells leaves before its drug is looked at%s", e.text);
    dose_set_release(&s);
}

static void refused(const char *what, const char *word)
{
    struct dose_set s;
    struct err e;
    ok(finish(&s, &tiny_rules, &e) == RC_INPUT && strstr(e.text, word) && !s.condition &&
           !s.x.indptr,
       "%s: %s", what, e.text);
    tiny_columns(&c);
}

static void bad(void)
{
    tiny_columns(&c);
    c.dose[5] = -0.1;
    refused("a dose below 0", "cell 6: drug 'A' has the dose -0.1");
    c.dose[5] = NAN;
    refused("no dose", "cell 6: drug 'A' has no dose");
    c.dose[5] = INFINITY;
    refused("a dose without end", "cell 6: drug 'A' has the dose inf");
    c.drug[7] = NULL;
    refused("no drug", "cell 8 has no drug");
    c.type[7] = "";
    refused("no type", "cell 8 has no cell type");
    for (size_t i = 0; i < TINY_CELLS; i++)
        if (c.drug[i][0] == 'c' && c.type[i][0] == 'y')
            c.drug[i] = "A", c.dose[i] = 1;
    refused("a type without control cells", "no control cells of type 'y'");
    for (size_t i = 0; i < TINY_CELLS; i++)
        c.drug[i] = "control";
    refused("only control cells", "only control cells");
    struct dose_set s;
    struct err e = { 0 };
    c.part[9] = "some";
    const struct dose_columns columns = { c.drug, NULL, c.part, c.dose };
    tiny_values(&s, &c);
    ok(dose_set_finish(&s, &columns, &tiny_rules, &e) == RC_INPUT &&
           strstr(e.text, "cell 10: part 'some'"),
       "a part of another name: %s", e.text);
}

int main(void)
{
    conditions();
    left_out();
    bad();
    return tap_end();
}
