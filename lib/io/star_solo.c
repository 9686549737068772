#define _XOPEN_SOURCE 700 /* realpath, symlink */
#include "lib/io/star_solo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/io/lines.h"

const struct chemistry *chemistry_find(const char *name)
{
    static const struct chemistry known[] = { { "10xv2", 16, 10, true },
                                              { "10xv3", 16, 12, true },
                                              { "dropseq", 12, 8, false } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

/* FOLDER/<name> that leads to path. Commas and blanks of real paths would end a name in STAR's
 * lists, and its reports tell the names that it was given. */
static enum rc link_in(const char *folder, const char *name, const char *path, struct err *e)
{
    char *real = realpath(path, NULL), *at = text_new("%s/%s", folder, name);
    enum rc rc = RC_OK;
    if (!real)
        rc = err_set(e, RC_INPUT, "cannot open '%s': %s", path, strerror(errno));
    else if (!at || symlink(real, at) != 0)
        rc = err_set(e, RC_FAIL, "cannot make a link to '%s': %s", path, strerror(errno));
    free(real);
    free(at);
    return rc;
}

/* Reads that score below MIN_SCORE of matching bases are not counted. */
enum { MIN_SCORE = 30 };

static enum rc check_pair(const struct solo *s, size_t i, struct solo_result *r, struct err *e)
{
    struct reads_facts f[2];
    const char *const *path = &s->read[i];
    const size_t least = (size_t)(s->chemistry->barcode + s->chemistry->umi);
    for (int k = 0; k < 2; k++) {
        if (star_look_at_reads(path[k], &f[k], e))
            return e ? e->rc : RC_INPUT;
        if (i + (size_t)k > 0 && f[k].gzip != r->gzip)
            return err_set(e, RC_INPUT, "one of '%s' and '%s' is compressed, the other is not",
                           s->read[0], path[k]);
        r->gzip = f[k].gzip;
    }
    if (f[0].n_reads != f[1].n_reads)
        return err_set(e, RC_INPUT, "'%s' has %llu reads, but '%s' has %llu", path[0],
                       (unsigned long long)f[0].n_reads, path[1], (unsigned long long)f[1].n_reads);
    if (f[0].length < least)
        return err_set(
            e, RC_INPUT, "'%s': reads of %zu bases cannot hold barcode (%d) and UMI (%d) of %s%s",
            path[0], f[0].length, s->chemistry->barcode, s->chemistry->umi, s->chemistry->name,
            f[1].length >= least ? "; the barcodes' file comes first" : "");
    if (f[1].length <= MIN_SCORE)
        return err_set(e, RC_INPUT, "'%s': reads of %zu bases are too short to count%s", path[1],
                       f[1].length,
                       f[0].length > MIN_SCORE ? "; the barcodes' file comes first" : "");
    r->n_reads += f[0].n_reads;
    return RC_OK;
}

/* Lists "b0.fastq,b1.fastq" and "c0.fastq,..." of the reads, linked into the work folder. */
static enum rc link_reads(const struct solo *s, const char *work, char **list,
                          struct solo_result *r, struct err *e)
{
    for (size_t i = 0; i < s->n_reads; i++) {
        if (i % 2 == 0 && check_pair(s, i, r, e))
            return e ? e->rc : RC_INPUT;
        char name[32];
        snprintf(name, sizeof name, "%c%zu.fastq", i % 2 ? 'c' : 'b', i / 2);
        if (link_in(work, name, s->read[i], e))
            return e ? e->rc : RC_FAIL;
        char *more = list[i % 2] ? text_new("%s,%s", list[i % 2], name) : text_new("%s", name);
        free(list[i % 2]);
        list[i % 2] = more;
        if (!more)
            return err_set(e, RC_FAIL, "no memory for the names of reads");
    }
    return RC_OK;
}

static enum rc copy_whitelist(const struct solo *s, const char *work, struct err *e)
{
    struct lines l;
    struct outfile o;
    bool more = true;
    size_t n = 0, length = (size_t)s->chemistry->barcode;
    char *to = text_new("%s/whitelist", work);
    enum rc rc = to ? lines_open(&l, s->whitelist, e) : err_set(e, RC_FAIL, "no memory");
    if (rc) {
        free(to);
        return rc;
    }
    rc = outfile_open(&o, to, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        l.text[strcspn(l.text, "\t")] = '\0'; /* some lists have a second column */
        if (strlen(l.text) != length || strspn(l.text, "ACGT") != length)
            rc = err_set(e, RC_INPUT, "'%s': line %zu: '%.40s' is no barcode of %zu bases",
                         s->whitelist, l.number, l.text, length);
        else
            fprintf(o.f, "%s\n", l.text);
        n++;
    }
    lines_close(&l);
    if (!rc && !n)
        rc = err_set(e, RC_INPUT, "'%s' has no barcodes", s->whitelist);
    rc = outfile_close(&o, rc, e);
    free(to);
    return rc;
}

static enum rc prepare(const struct solo *s, const char *work, char **list, struct solo_result *r,
                       struct err *e)
{
    folder_remove(work); /* of an interrupted run */
    char *index = text_new("%s/genomeParameters.txt", s->index);
    bool there = index && file_exists(index);
    free(index);
    if (!there)
        return err_set(e, RC_INPUT, "no index of quantify-index in '%s'", s->index);
    enum rc rc = folder_make(work, e);
    if (!rc)
        rc = link_in(work, "index", s->index, e);
    if (!rc && s->whitelist)
        rc = copy_whitelist(s, work, e);
    return rc ? rc : link_reads(s, work, list, r, e);
}

static enum rc call(const struct solo *s, const char *work, char *const *list, bool gzip,
                    struct err *e)
{
    const struct chemistry *c = s->chemistry;
    char number[5][16];
    struct star_call a;
    snprintf(number[0], sizeof *number, "%d", threads_count());
    snprintf(number[1], sizeof *number, "%d", c->barcode);
    snprintf(number[2], sizeof *number, "%d", c->barcode + 1);
    snprintf(number[3], sizeof *number, "%d", c->umi);
    snprintf(number[4], sizeof *number, "%d", MIN_SCORE);
    star_begin(&a, NULL);
    star_add(&a, "--genomeDir", "index", "--readFilesIn", list[1], list[0], "--runThreadN",
             number[0], "--outSAMtype", "None", "--soloType", "CB_UMI_Simple", "--soloCBstart", "1",
             "--soloCBlen", number[1], "--soloUMIstart", number[2], "--soloUMIlen", number[3],
             "--soloBarcodeReadLength", "0", "--soloStrand", "Forward", "--soloFeatures",
             s->feature, (char *)NULL);
    star_add(&a, "--soloUMIdedup", "1MM_CR", "--soloUMIfiltering", "MultiGeneUMI_CR",
             "--clipAdapterType", "CellRanger4", "--outFilterScoreMin", number[4], (char *)NULL);
    if (gzip)
        star_add(&a, "--readFilesCommand", "gzip", "-dc", (char *)NULL);
    if (s->whitelist)
        star_add(&a, "--soloCBwhitelist", "whitelist", "--soloCBmatchWLtype",
                 "1MM_multi_Nbase_pseudocounts", (char *)NULL);
    else
        star_add(&a, "--soloCBwhitelist", "None", "--soloCBmatchWLtype", "Exact", (char *)NULL);
    if (strcmp(s->cells, "all") == 0)
        star_add(&a, "--soloCellFilter", "None", (char *)NULL);
    else if (strcmp(s->cells, "knee") == 0)
        star_add(&a, "--soloCellFilter", "CellRanger2.2", (char *)NULL);
    else
        star_add(&a, "--soloCellFilter", "EmptyDrops_CR", (char *)NULL);
    return star_run(&a, work, e);
}

static enum rc collect(const struct solo *s, const char *work, const char *out,
                       struct solo_result *r, struct err *e)
{
    char *from = text_new("%s/Solo.out/%s/%s", work, s->feature,
                          strcmp(s->cells, "all") == 0 ? "raw" : "filtered");
    char *summary = text_new("%s/Solo.out/%s/Summary.csv", work, s->feature);
    enum rc rc = from && summary ? star_counts_convert(from, out, &r->counts, e)
                                 : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        r->summary = star_summary(summary, e);
        if (!r->summary)
            rc = e && e->rc ? e->rc : err_set(e, RC_FAIL, "no memory for the summary");
    }
    const json_t *seen = json_object_get(r->summary, "Number of Reads");
    if (!rc && json_number_value(seen) != (double)r->n_reads)
        rc = err_set(e, RC_CHECK, "STAR saw %.0f reads of %llu", json_number_value(seen),
                     (unsigned long long)r->n_reads);
    free(from);
    free(summary);
    return rc;
}

enum rc solo_count(const struct solo *s, const char *out, struct solo_result *r, struct err *e)
{
    char *list[2] = { NULL, NULL }, *work = text_new("%s/star.part", out);
    *r = (struct solo_result){ .summary = NULL };
    enum rc rc = work ? prepare(s, work, list, r, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = call(s, work, list, r->gzip, e);
    if (!rc)
        rc = collect(s, work, out, r, e);
    if (rc) {
        json_decref(r->summary);
        *r = (struct solo_result){ .summary = NULL };
    }
    if (work)
        folder_remove(work);
    free(work);
    free(list[0]);
    free(list[1]);
    return rc;
}
