/* What STAR is given, looked at before: it dies of odd files without a word about which line. */
#include <ctype.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/io/lines.h"
#include "lib/io/star.h"

/* --- the genome ----------------------------------------------------------------------------- */

static enum rc take_genome_line(struct lines *l, struct fasta_facts *f, uint64_t *here,
                                struct err *e)
{
    if (l->text[0] == '>') {
        if (!l->text[1] || isspace((unsigned char)l->text[1]))
            return err_set(e, RC_INPUT, "'%s': line %zu: a sequence without a name", l->path,
                           l->number);
        if (f->n_sequences && !*here)
            return err_set(e, RC_INPUT, "'%s': line %zu: the sequence before it is empty", l->path,
                           l->number);
        f->n_sequences++;
        *here = 0;
        return RC_OK;
    }
    if (!f->n_sequences && l->n_bytes)
        return err_set(e, RC_INPUT, "'%s': line %zu: no FASTA file, it begins without '>'", l->path,
                       l->number);
    for (size_t i = 0; i < l->n_bytes; i++)
        if (!isalpha((unsigned char)l->text[i]))
            return err_set(e, RC_INPUT, "'%s': line %zu: '%c' is no base", l->path, l->number,
                           l->text[i]);
    f->n_bases += l->n_bytes;
    *here += l->n_bytes;
    return RC_OK;
}

enum rc star_copy_genome(const char *from, const char *to, struct fasta_facts *f, struct err *e)
{
    struct lines l;
    struct outfile o;
    bool more = true;
    uint64_t here = 0;
    *f = (struct fasta_facts){ 0 };
    if (lines_open(&l, from, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = outfile_open(&o, to, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        rc = take_genome_line(&l, f, &here, e);
        if (!rc)
            fprintf(o.f, "%s\n", l.text);
    }
    if (!rc && !here)
        rc = err_set(e, RC_INPUT, "'%s' %s", from,
                     f->n_sequences ? "ends with an empty sequence" : "holds no sequence");
    lines_close(&l);
    return outfile_close(&o, rc, e);
}

/* --- the genes ------------------------------------------------------------------------------ */

static enum rc read_names(const char *genome, struct map *name, struct err *e)
{
    struct lines l;
    bool more = true;
    enum rc rc = lines_open(&l, genome, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        if (l.text[0] != '>')
            continue;
        l.text[strcspn(l.text, " \t")] = '\0';
        uint64_t old;
        rc = map_add(name, l.text + 1, 1, &old, e);
        if (!rc && old != MAP_NONE)
            rc = err_set(e, RC_INPUT, "'%s': line %zu: two sequences are called '%s'", genome,
                         l.number, l.text + 1);
    }
    lines_close(&l);
    return rc;
}

/* A GTF row of 9 columns; text is cut at its tabs, `copy` keeps the line. */
static enum rc take_gene_line(struct lines *l, char *copy, const struct map *name, size_t *n_exons,
                              size_t *n_elsewhere, struct err *e)
{
    char *field[9];
    size_t n = fields_cut(copy, '\t', field, 9);
    if (n != 9)
        return err_set(e, RC_INPUT, "'%s': line %zu has %zu columns, a GTF has 9", l->path,
                       l->number, n);
    if (strcmp(field[2], "exon") != 0)
        return RC_OK;
    if (!strstr(field[8], "gene_id \""))
        return err_set(e, RC_INPUT, "'%s': line %zu: an exon without a gene_id", l->path,
                       l->number);
    if (strcmp(field[6], "+") != 0 && strcmp(field[6], "-") != 0)
        return err_set(e, RC_INPUT, "'%s': line %zu: the strand is '%s'", l->path, l->number,
                       field[6]);
    if (map_get(name, field[0]) == MAP_NONE)
        ++*n_elsewhere;
    else
        ++*n_exons;
    return RC_OK;
}

enum rc star_copy_genes(const char *from, const char *to, const char *genome, size_t *n_exons,
                        size_t *n_elsewhere, struct err *e)
{
    struct lines l = { 0 };
    struct outfile o = { 0 };
    struct map name;
    bool more = true;
    *n_exons = *n_elsewhere = 0;
    map_init(&name);
    enum rc rc = read_names(genome, &name, e);
    if (!rc)
        rc = lines_open(&l, from, e);
    if (!rc)
        rc = outfile_open(&o, to, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        if (!l.n_bytes || l.text[0] == '#')
            continue;
        fprintf(o.f, "%s\n", l.text);
        rc = take_gene_line(&l, l.text, &name, n_exons, n_elsewhere, e);
    }
    if (!rc && !*n_exons)
        rc = err_set(e, RC_INPUT, "'%s' has no exon on a sequence of the genome%s", from,
                     *n_elsewhere ? ", only on others: are chromosomes named alike in both?" : "");
    if (l.path)
        lines_close(&l);
    map_release(&name);
    return outfile_close(&o, rc, e);
}

/* --- reads ---------------------------------------------------------------------------------- */

static bool is_gzip(const char *path)
{
    unsigned char two[2] = { 0 };
    FILE *f = fopen(path, "rb");
    bool gz = f && fread(two, 1, 2, f) == 2 && two[0] == 0x1f && two[1] == 0x8b;
    if (f)
        fclose(f);
    return gz;
}

/* Four lines: a name, bases, a plus, as many qualities. */
static enum rc take_read(struct lines *l, size_t *length, bool *more, struct err *e)
{
    static const char begins[] = "@\0+";
    *length = 0;
    for (int i = 0; i < 4; i++) {
        if (lines_next(l, more, e))
            return e ? e->rc : RC_INPUT;
        if (!*more)
            return i == 0 ? RC_OK
                          : err_set(e, RC_INPUT, "'%s' ends within a read: it is cut", l->path);
        bool good = i % 2 == 0 ? l->text[0] == begins[i] : l->n_bytes > 0;
        if (i == 1)
            *length = l->n_bytes;
        if (i == 3)
            good = l->n_bytes == *length;
        if (!good)
            return err_set(e, RC_INPUT, "'%s': line %zu: no FASTQ, this is not the %s of a read",
                           l->path, l->number,
                           i == 0   ? "name"
                           : i == 1 ? "sequence"
                           : i == 2 ? "plus"
                                    : "quality");
    }
    return RC_OK;
}

enum rc star_look_at_reads(const char *path, struct reads_facts *f, struct err *e)
{
    struct lines l;
    bool more = true;
    size_t length;
    *f = (struct reads_facts){ 0 };
    if (lines_open(&l, path, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = RC_OK;
    while (!rc && !(rc = take_read(&l, &length, &more, e)) && more) {
        if (!f->n_reads++)
            f->length = length;
    }
    lines_close(&l);
    if (!rc && !f->n_reads)
        rc = err_set(e, RC_INPUT, "'%s' has no reads", path);
    f->gzip = !rc && is_gzip(path);
    return rc;
}
