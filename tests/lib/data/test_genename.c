#include <string.h>

#include "lib/data/genename.h"
#include "tests/tap.h"

static void mangled(const char *name, const char *want)
{
    char got[64];
    ok(make_name(name, got, sizeof got) && strcmp(got, want) == 0, "make.names(\"%s\") is %s", name,
       want);
}

static void cleaned(const char *id, const char *want)
{
    char got[64];
    ok(gene_id_clean(id, got, sizeof got) && strcmp(got, want) == 0, "'%s' is gene '%s'", id, want);
}

int main(void)
{
    /* As R 4 prints them. */
    mangled("H2-K1", "H2.K1");
    mangled("0610007P14Rik", "X0610007P14Rik");
    mangled("TP53", "TP53");
    mangled("a_b", "a_b");
    mangled("_x", "X_x");
    mangled(".1a", "X.1a");
    mangled(".a", ".a");
    mangled("(Igk-V1)", "X.Igk.V1.");
    mangled("", "X");
    cleaned("ENSG00000000003.15", "ENSG00000000003");
    cleaned("ENSG00000002586.20_PAR_Y", "ENSG00000002586");
    cleaned("ENSG00000002586_PAR_Y", "ENSG00000002586");
    cleaned("ENSMUSG00000064372", "ENSMUSG00000064372");
    cleaned("RP11-34P13.3", "RP11-34P13");
    cleaned("mm:Gnai3", "mm:Gnai3");
    cleaned("A.", "A.");
    cleaned(".5", ".5");
    char small[6];
    ok(make_name("abcde", small, sizeof small) && !make_name("abcdef", small, sizeof small) &&
           !make_name("1bcde", small, sizeof small),
       "a name that does not fit is refused");
    ok(gene_id_clean("abcde.1", small, sizeof small) &&
           !gene_id_clean("abcdef.1", small, sizeof small),
       "so is an id");
    return tap_end();
}
