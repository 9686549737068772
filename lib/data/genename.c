#include "lib/data/genename.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool make_name(const char *name, char *to, size_t room)
{
    const size_t n = strlen(name);
    const bool prefix = !(is_letter(name[0]) || (name[0] == '.' && !is_digit(name[1])));
    if (n + prefix + 1 > room)
        return false;
    *to = 'X'; /* overwritten when there is no prefix */
    for (size_t i = 0; i <= n; i++) {
        char c = name[i];
        to[prefix + i] = !c || is_letter(c) || is_digit(c) || c == '.' || c == '_' ? c : '.';
    }
    return true;
}

bool gene_id_clean(const char *id, char *to, size_t room)
{
    static const char par[] = "_PAR_Y";
    size_t n = strlen(id);
    if (n > sizeof par - 1 && strcmp(id + n - (sizeof par - 1), par) == 0)
        n -= sizeof par - 1;
    size_t k = n;
    while (k > 0 && is_digit(id[k - 1]))
        k--;
    if (k > 1 && k < n && id[k - 1] == '.')
        n = k - 1;
    if (n + 1 > room)
        return false;
    memcpy(to, id, n);
    to[n] = '\0';
    return true;
}

size_t gene_prefix(const char *text, enum species *species)
{
    static const struct {
        const char *name;
        enum species species;
    } assembly[] = {
        { "hg19", SPECIES_HUMAN },   { "hg38", SPECIES_HUMAN },   { "GRCh37", SPECIES_HUMAN },
        { "GRCh38", SPECIES_HUMAN }, { "mm9", SPECIES_MOUSE },    { "mm10", SPECIES_MOUSE },
        { "mm39", SPECIES_MOUSE },   { "GRCm38", SPECIES_MOUSE }, { "GRCm39", SPECIES_MOUSE },
    };
    for (size_t i = 0; i < sizeof assembly / sizeof *assembly; i++) {
        size_t n = strlen(assembly[i].name);
        if (strncmp(text, assembly[i].name, n) == 0 && text[n] == '_') {
            *species = assembly[i].species;
            return n + strspn(text + n, "_");
        }
    }
    return 0;
}
