#include "lib/io/genes.h"

#include <ctype.h>
#include <string.h>

size_t gene_ensembl(const char *text)
{
    if (strncmp(text, "ENS", 3) != 0)
        return 0;
    const char *s = text + 3;
    while (*s >= 'A' && *s <= 'Z')
        s++;
    if (s[-1] != 'G' || s - text > 12)
        return 0;
    size_t digits = strspn(s, "0123456789");
    if (digits != 11)
        return 0;
    const char *end = s + digits;
    if (*end == '.') {
        size_t version = strspn(end + 1, "0123456789");
        if (version == 0 || end[1 + version])
            return 0;
    } else if (*end) {
        return 0;
    }
    return (size_t)(end - text);
}

static const char *bare(const char *text)
{
    enum species s;
    return text + gene_prefix(text, &s);
}

double genes_ensembl_share(const char *const *text, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += text[i] && gene_ensembl(bare(text[i])) > 0;
    return n ? (double)k / (double)n : 0;
}

/* Eight or more letters of DNA, with what may stand round them: a prefix up to the last _ or :, and
 * a suffix -1, .1, x. */
static bool is_barcode(const char *text)
{
    const char *from = text;
    for (const char *s = text; *s; s++)
        if (*s == '_' || *s == ':' || *s == '#')
            from = s + 1;
    if (strspn(from, "ACGTN") < 8 && from != text)
        from = text;
    return strspn(from, "ACGTN") >= 8;
}

/* Families that every whole transcriptome holds, and whose names no cell bears. */
static bool is_family(const char *text)
{
    static const char *const family[] = { "RPL",   "RPS", "MT-",  "HLA-", "TMEM", "ZNF",  "SLC",
                                          "LINC",  "KRT", "COL",  "MRPL", "MRPS", "UBE2", "PSM",
                                          "NDUF",  "COX", "ATP5", "EIF",  "HIST", "CCL",  "ACTB",
                                          "GAPDH", "B2M", "FTL",  "FTH1", "TMSB", "EEF",  "ZFP" };
    for (size_t i = 0; i < sizeof family / sizeof *family; i++) {
        size_t n = strlen(family[i]), k = 0;
        while (k < n && toupper((unsigned char)text[k]) == family[i][k])
            k++;
        if (k == n)
            return true;
    }
    return false;
}

double genes_likeness(const char *const *text, size_t n)
{
    size_t genes = 0, cells = 0, families = 0;
    for (size_t i = 0; i < n; i++) {
        const char *s = bare(text[i]);
        bool id = gene_ensembl(s) > 0, family = is_family(s);
        genes += id;
        families += family && !id;
        cells += !id && !family && is_barcode(s);
    }
    if (!n)
        return 0;
    /* One gene in fifty of a known family is as good as an id each. */
    double named = 50 * (double)families / (double)n;
    return ((double)genes - (double)cells) / (double)n + (named < 1 ? named : 1) / 2;
}

enum species genes_species(const char *const *text, size_t n)
{
    size_t human = 0, mouse = 0, other = 0, upper = 0, lower = 0, neither = 0;
    for (size_t i = 0; i < n; i++) {
        const char *s = bare(text[i]);
        if (gene_ensembl(s)) {
            human += strncmp(s, "ENSG", 4) == 0;
            mouse += strncmp(s, "ENSMUSG", 7) == 0;
            other += strncmp(s, "ENSG", 4) != 0 && strncmp(s, "ENSMUSG", 7) != 0;
            continue;
        }
        bool small = false, large = false, mito = strncmp(s, "mt-", 3) == 0;
        for (; *s; s++) {
            small = small || islower((unsigned char)*s);
            large = large || isupper((unsigned char)*s);
        }
        /* Neither has names all in small letters, but for the mouse's mt-. */
        lower += small && (large || mito);
        upper += large && !small;
        neither += small && !large && !mito;
    }
    size_t ids = human + mouse + other;
    if (ids * 2 > n)
        return human * 10 > ids * 9   ? SPECIES_HUMAN
               : mouse * 10 > ids * 9 ? SPECIES_MOUSE
                                      : SPECIES_UNKNOWN;
    /* Human symbols are capitals but for those of open reading frames (C1orf112); mouse symbols
     * have small letters but for a few (H2-K1 has none): four in five is far from both. */
    size_t symbols = upper + lower + neither;
    if (symbols && upper * 5 >= symbols * 4)
        return SPECIES_HUMAN;
    if (symbols && lower * 5 >= symbols * 4)
        return SPECIES_MOUSE;
    return SPECIES_UNKNOWN;
}
