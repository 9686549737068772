#include "lib/io/accession.h"

#include <ctype.h>
#include <string.h>

/* prefix, then lo to hi digits, and nothing else. */
static bool numbered(const char *s, const char *prefix, size_t lo, size_t hi)
{
    size_t n = strlen(prefix), digits;
    if (strncmp(s, prefix, n) != 0)
        return false;
    digits = strspn(s + n, "0123456789");
    return digits >= lo && digits <= hi && !s[n + digits];
}

/* One of SED, R, one of letters, digits: SRR1234567. */
static bool is_sra(const char *s, const char *letters)
{
    return s[0] && strchr("SED", s[0]) && s[1] == 'R' && s[2] && strchr(letters, s[2]) &&
           numbered(s + 3, "", 5, 9);
}

bool accession_is_run(const char *s)
{
    return is_sra(s, "R");
}

/* E-MTAB-2512 */
static bool is_array_express(const char *s)
{
    if (strncmp(s, "E-", 2) != 0)
        return false;
    for (int i = 2; i < 6; i++)
        if (!isupper((unsigned char)s[i]))
            return false;
    return s[6] == '-' && numbered(s + 7, "", 1, 6);
}

static bool is_uuid(const char *s)
{
    if (strlen(s) != 36)
        return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
            return false;
    }
    return true;
}

bool accession_is_name(const char *s, const char *also)
{
    if (!isalnum((unsigned char)*s) || strlen(s) > 128)
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr(also, *s))
            return false;
    return true;
}

int accession_fits(const char *source, const char *s)
{
    if (strcmp(source, "GEO") == 0)
        return numbered(s, "GSE", 1, 9) || numbered(s, "GSM", 1, 9);
    if (strcmp(source, "SRA") == 0)
        return is_sra(s, "PRSX");
    if (strcmp(source, "ArrayExpress") == 0)
        return is_array_express(s);
    if (strcmp(source, "CNCB") == 0)
        return numbered(s, "CRA", 6, 9) || numbered(s, "HRA", 6, 9) || numbered(s, "OMIX", 3, 9) ||
               numbered(s, "PRJCA", 6, 9);
    if (strcmp(source, "CELLxGENE") == 0)
        return is_uuid(s);
    if (strcmp(source, "10x") == 0)
        return strcmp(s, "-") == 0 || accession_is_name(s, "._-/");
    return strcmp(source, "other") == 0 ? strcmp(s, "-") == 0 : -1;
}

bool accession_is_url(const char *s)
{
    if (strncmp(s, "https://", 8) != 0 && strncmp(s, "http://", 7) != 0)
        return false;
    const char *host = strstr(s, "//") + 2;
    if (!isalnum((unsigned char)*host) || !strchr(host, '/'))
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || strchr("\"<>\\^`{|}", *s))
            return false;
    return true;
}
