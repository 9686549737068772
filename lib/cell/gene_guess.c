/* Kinds of genes from their names, where no table tells. HGNC and MGI name by kind: MIR21,
 * LINC00461, TP53-AS1, RNU6-1, SNORD3A, RPL21P28. What is called protein-coding here is so in nine
 * of ten cases: the rest are mostly unitary pseudogenes and RNAs under names of their own
 * (tests/bin-src/gene-tables.t.sh measures it on GENCODE 44). A gene without a name (the id stands
 * in its place) is `other`: most of them are novel transcripts. */
#include <ctype.h>
#include <string.h>

#include "lib/cell/gene_build.h"

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static bool ends(const char *s, size_t n, const char *with)
{
    size_t k = strlen(with);
    return n > k && memcmp(s + n - k, with, k) == 0;
}

static bool digit_at(const char *s, size_t i)
{
    return isdigit((unsigned char)s[i]) != 0;
}

/* Each followed by a digit or by one of the letters that the family continues with. */
static bool is_small_rna(const char *s)
{
    static const char *const any[] = { "RN7S",  "SNORA", "SNORD", "SCARNA", "VTRNA",       "RNVU",
                                       "Y_RNA", "RNA5",  "RNA18", "RNA28",  "RNA45",       "SNOU",
                                       "7SK",   "UC_",   "RMRP",  "RPPH1",  "METAZOA_SRP", "SNAR" };
    static const char *const numbered[] = { "RNU", "RNY", "U", "ACA", "HBII" };
    for (size_t i = 0; i < sizeof any / sizeof *any; i++)
        if (starts(s, any[i]))
            return true;
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
        size_t k = strlen(numbered[i]);
        if (starts(s, numbered[i]) && digit_at(s, k) && (k > 1 || !s[2] || s[2] == '_'))
            return true;
    }
    return false;
}

/* Segments of immunoglobulins and T cell receptors (TRBV11-2, IGHG1): not among the core biotypes.
 */
static bool is_receptor_segment(const char *s)
{
    if (starts(s, "TR") && strchr("ABDG", s[2]) && s[2] && strchr("VDJC", s[3]) && s[3])
        return !s[4] || digit_at(s, 4) || (s[4] == 'V' && digit_at(s, 5));
    if (starts(s, "IG") && s[2] && strchr("HKL", s[2]) && s[3])
        return strchr("VDJ", s[3]) ? !s[4] || digit_at(s, 4)
                                   : strchr("CGAEM", s[3]) && (!s[4] || (digit_at(s, 4) && !s[5]));
    return false;
}

/* -AS1, -DT, -IT1, -OT2, -NB, -AU1: RNA genes named by their place beside a gene. */
static bool is_beside(const char *s, size_t n)
{
    static const char *const mark[] = { "-AS", "-DT", "-IT", "-OT", "-NB", "-AU", "-OS" };
    while (n && digit_at(s, n - 1))
        n--;
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++)
        if (ends(s, n, mark[i]))
            return true;
    return false;
}

static bool is_long_rna(const char *s, size_t n)
{
    static const char *const start[] = { "LINC", "LNC", "SNHG", "PCAT", "TTTY", "NCRNA" };
    for (size_t i = 0; i < sizeof start / sizeof *start; i++)
        if (starts(s, start[i]) && (digit_at(s, strlen(start[i])) || s[strlen(start[i])] == '-'))
            return true;
    return ends(s, n, "HG") || is_beside(s, n);
}

/* STEMP, STEMP2 where STEM is a gene of at least four letters; ZNF877P: a digit, then P. Mouse says
 * Rpl21-ps4. */
static bool is_pseudo(const char *s, size_t n, bool (*is_name)(const void *, const char *, size_t),
                      const void *ctx)
{
    /* Pieces of the mitochondrial genome in the nucleus: MTND1P14, whose gene is MT-ND1. */
    static const char *const mito[] = { "MTND", "MTCO", "MTATP", "MTCYB", "MTRNR" };
    for (size_t i = 0; i < sizeof mito / sizeof *mito; i++)
        if (starts(s, mito[i]) && strchr(s + strlen(mito[i]), 'P'))
            return true;
    const char *ps = strstr(s, "-PS");
    if (n > 2 && s[n - 1] == 'P' && digit_at(s, n - 2))
        return true;
    if (ps && (!ps[3] || digit_at(ps, 3)))
        return true;
    size_t k = n;
    while (k && digit_at(s, k - 1))
        k--;
    return k > 4 && s[k - 1] == 'P' && is_name(ctx, s, k - 1);
}

enum gene_biotype gene_guess_biotype(const char *id, const char *name,
                                     bool (*is_name)(const void *ctx, const char *text, size_t n),
                                     const void *ctx)
{
    char s[64];
    size_t n = 0;
    /* Mouse names are human ones in lower case: one set of rules. */
    for (; name[n] && n < sizeof s - 1; n++)
        s[n] = (char)toupper((unsigned char)name[n]);
    s[n] = '\0';
    if (strcmp(id, name) == 0 || starts(s, "ENSG") || starts(s, "ENSMUSG"))
        return GENE_OTHER;
    if (starts(s, "MT-T") || starts(s, "MT-RNR"))
        return GENE_MT;
    if (is_long_rna(s, n))
        return GENE_LNCRNA;
    if (starts(s, "MIR") && (digit_at(s, 3) || starts(s, "MIRLET")))
        return GENE_MIRNA;
    if (is_small_rna(s) || is_receptor_segment(s) || is_pseudo(s, n, is_name, ctx))
        return GENE_OTHER;
    return GENE_PROTEIN;
}
