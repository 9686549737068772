#include "lib/data/cells.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/sha256.h"

void cells_init(struct cells *c)
{
    *c = (struct cells){ 0 };
}

void cells_release(struct cells *c)
{
    csr_release(&c->count);
    free(c->cell);
    free(c->gene);
    table_release(&c->obs);
    table_release(&c->var);
    *c = (struct cells){ 0 };
}

uint64_t cell_id_of(const char *sample, const char *barcode)
{
    struct sha256 s;
    char hex[SHA256_HEX];
    if (sha256_init(&s, NULL) || sha256_add(&s, sample, strlen(sample), NULL) ||
        sha256_add(&s, "\t", 1, NULL) || sha256_add(&s, barcode, strlen(barcode), NULL) ||
        sha256_end(&s, hex, NULL))
        abort(); /* OpenSSL without SHA-256: nothing in this project can work */
    hex[16] = '\0';
    uint64_t id = strtoull(hex, NULL, 16);
    return id ? id : 1;
}

const char *species_name(enum species s)
{
    return s == SPECIES_HUMAN ? "human" : s == SPECIES_MOUSE ? "mouse" : "unknown";
}

enum species species_parse(const char *text)
{
    if (text && strcmp(text, "human") == 0)
        return SPECIES_HUMAN;
    if (text && strcmp(text, "mouse") == 0)
        return SPECIES_MOUSE;
    return SPECIES_UNKNOWN;
}
