/* Damaged HDF5 files, whatever they do to the HDF5 library, are read or refused: never a crash, a
 * hang, or half a result. The seeds are the inputs of the fuzz targets. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/io/dose_file.h"
#include "lib/io/h5ad.h"
#include "lib/io/import.h"
#include "lib/io/perturb_file.h"
#include "lib/io/source_child.h"
#include "tests/tap.h"

enum { COPIES = 40, PERTURBED = 12, MEASURED = 30 };

static char path[64], honest[64];

/* The seed with some bytes changed and, one time in four, its end cut off. */
static void write_copy(const char *data, size_t n, uint64_t id, uint64_t round)
{
    uint64_t pos = 0;
    size_t keep = rng_below(1, RNG_TEST, id, round << 16, 4)
                      ? n
                      : 1 + rng_below(1, RNG_TEST, id, round << 16 | 1, n);
    uint64_t changes = 1 + rng_below(1, RNG_TEST, id, round << 16 | 2, 40);
    char *copy = malloc(n);
    FILE *f = fopen(path, "wb");
    if (!copy || !f)
        abort();
    memcpy(copy, data, n);
    for (; changes; changes--, pos += 2)
        copy[rng_below(1, RNG_TEST, id, round << 16 | (pos + 3), n)] =
            (char)rng_below(1, RNG_TEST, id, round << 16 | (pos + 4), 256);
    fwrite(copy, 1, keep, f);
    fclose(f);
    free(copy);
}

/* Reads the damaged copy: the status, with a sentence; what was read is sound, and let go. */
typedef enum rc reading(struct err *e, bool *sound);

static enum rc read_counts(struct err *e, bool *sound)
{
    struct cells c;
    struct import_report rep;
    const struct import_options o = { .species = SPECIES_HUMAN };
    struct err ignored = { 0 };
    const enum rc rc = import_any(path, &o, &c, &rep, e);
    *sound = rc ? !c.count.indptr : !csr_check(&c.count, &ignored);
    cells_release(&c);
    return rc;
}

static enum rc read_perturb_seq(struct err *e, bool *sound)
{
    const struct perturb_rules rules = { PERTURB_AUTO, 1e4, 1 };
    struct perturb_set s;
    const enum rc rc = perturb_file_read(path, NULL, &rules, &s, e);
    *sound = rc ? !s.indptr : s.n_conditions > 1 && s.indptr[s.n_cells] > 0;
    perturb_set_release(&s);
    return rc;
}

static enum rc read_doses(struct err *e, bool *sound)
{
    const struct dose_names names = { .drug = "condition", .dose = "dose" };
    const struct dose_rules rules = { .values = { PERTURB_AUTO, 1e4, 1 }, .control = "ctrl" };
    struct dose_set s;
    const enum rc rc = dose_file_read(path, &names, &rules, &s, e);
    *sound = rc ? !s.x.indptr : s.x.indptr[s.x.n_cells] > 0;
    dose_set_release(&s);
    return rc;
}

static void damage(const char *seed, reading *read, const char *as)
{
    char *data = NULL;
    size_t n = 0, n_read = 0, n_refused = 0, n_wrong = 0, n_died = 0;
    struct err e = { 0 };
    if (file_read(seed, 1 << 24, &data, &n, &e)) {
        ok(false, "%s", e.text);
        return;
    }
    for (uint64_t round = 0; round < COPIES; round++) {
        bool sound;
        write_copy(data, n, hash_text(strrchr(seed, '/')), round);
        err_clear(&e);
        const enum rc rc = read(&e, &sound);
        n_read += rc == RC_OK && sound;
        n_refused += rc == RC_INPUT && e.text[0] && sound;
        n_died += rc == RC_INPUT && strstr(e.text, "breaks down");
        if (rc != RC_OK && rc != RC_INPUT) {
            note("copy %llu: status %d: %s", (unsigned long long)round, rc, e.text);
            n_wrong++;
        }
    }
    free(data);
    ok(n_read + n_refused == COPIES && !n_wrong,
       "%s as %s: %zu damaged copies read, %zu refused (over %zu the library broke down)",
       strrchr(seed, '/') + 1, as, n_read, n_refused, n_died);
}

static void damage_folder(const char *folder)
{
    struct dirent **entry = NULL;
    int n = scandir(folder, &entry, NULL, alphasort);
    ok(n > 2, "%s has seeds", folder);
    for (int i = 0; i < n; i++) {
        char *seed = text_new("%s/%s", folder, entry[i]->d_name);
        if (seed && entry[i]->d_name[0] != '.')
            damage(seed, read_counts, "counts");
        free(seed);
        free(entry[i]);
    }
    free(entry);
}

/* A set that is read in both ways while it is whole. */
static bool write_honest(void)
{
    static const char *const condition[] = { "ctrl", "G1+ctrl", "G2+ctrl", "G1+G2" };
    struct cells c;
    struct err e = { 0 };
    char name[24];
    cells_init(&c);
    table_init(&c.obs, PERTURBED);
    table_init(&c.var, MEASURED);
    c.cell = calloc(PERTURBED + 1, sizeof *c.cell);
    c.gene = calloc(MEASURED + 1, sizeof *c.gene);
    bool good = !csr_alloc(&c.count, PERTURBED, MEASURED, PERTURBED * MEASURED, &e);
    struct column *what = table_add(&c.obs, "condition", COLUMN_TEXT);
    for (size_t i = 0; good && i < PERTURBED; i++) {
        snprintf(name, sizeof name, "cell%zu", i);
        c.cell[i] = arena_text(&c.obs.text, name);
        what->text[i] = condition[i % 4];
        for (size_t j = 0; j < MEASURED; j++) {
            c.count.index[i * MEASURED + j] = (uint32_t)j;
            c.count.value[i * MEASURED + j] = 1 + (uint32_t)(i * j % 7);
        }
        c.count.indptr[i + 1] = (i + 1) * MEASURED;
    }
    for (size_t j = 0; good && j < MEASURED; j++) {
        snprintf(name, sizeof name, "G%zu", j);
        c.gene[j] = arena_text(&c.var.text, name);
    }
    struct column *dose = table_add(&c.obs, "dose", COLUMN_F64);
    for (size_t i = 0; dose && i < PERTURBED; i++)
        dose->f64[i] = i % 4 ? (double)(1 + i / 4) : 0;
    good = good && !h5ad_write(honest, &c, &(struct h5ad_extra){ 0 }, &e);
    cells_release(&c);
    return good;
}

static void perturbed(void)
{
    const char *const as[] = { "Perturb-seq", "doses" };
    reading *const read[] = { read_perturb_seq, read_doses };
    ok(write_honest(), "a set to damage");
    for (int k = 0; k < 2; k++) {
        struct err e = { 0 };
        bool sound;
        strcpy(path, honest);
        ok(!read[k](&e, &sound) && sound, "which is %s while it is whole: %s", as[k], e.text);
        snprintf(path, sizeof path, "%.*s/copy.h5ad", (int)(strrchr(honest, '/') - honest), honest);
        damage(honest, read[k], as[k]);
        unlink(path);
    }
    unlink(honest);
}

/* ---- what a child can do ---- */

static enum rc dies(const void *ctx, struct source *s, struct err *e)
{
    (void)ctx, (void)s, (void)e;
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would have its own say */
    raise(SIGSEGV);
    return RC_OK;
}

static enum rc gives_up(const void *ctx, struct source *s, struct err *e)
{
    (void)s;
    return err_set(e, RC_INPUT, "not so: %s", (const char *)ctx);
}

static enum rc works(const void *ctx, struct source *s, struct err *e)
{
    static const char *name[] = { "a", "", "c\xc3\xa4" };
    (void)ctx;
    s->cell = s->id = name;
    s->check.n = 7;
    strcpy(s->kind, "h5ad");
    table_init(&s->obs, 3);
    struct column *t = table_add(&s->obs, "t", COLUMN_TEXT);
    t->text[1] = "one";
    struct column *x = table_add(&s->obs, "x", COLUMN_F64);
    x->f64[2] = -0.5;
    if (csr_alloc(&s->count, 3, 3, 2, e))
        return RC_FAIL;
    s->count.indptr[2] = s->count.indptr[3] = 2;
    s->count.index[0] = 1;
    s->count.index[1] = 2;
    s->count.value[0] = 5;
    s->count.value[1] = UINT32_MAX;
    return RC_OK;
}

static void children(void)
{
    struct source s;
    struct err e = { 0 };
    source_init(&s);
    ok(source_read_in_child(dies, NULL, 0, &s, &e) == RC_INPUT && strstr(e.text, "signal 11"),
       "a reader that crashes refuses the file: %s", e.text);
    ok(source_read_in_child(gives_up, "x", 0, &s, &e) == RC_INPUT &&
           strcmp(e.text, "not so: x") == 0,
       "a reader's sentence comes back");
    ok(!source_read_in_child(works, NULL, 0, &s, &e), "a source comes back: %s", e.text);
    ok(s.count.n_rows == 3 && csr_nnz(&s.count) == 2 && s.count.value[1] == UINT32_MAX &&
           s.check.n == 7 && strcmp(s.kind, "h5ad") == 0 && strcmp(s.cell[2], "c\xc3\xa4") == 0 &&
           !*s.id[1] && !s.name && !s.type && s.obs.n_cols == 2 && !s.obs.col[0].text[0] &&
           strcmp(s.obs.col[0].text[1], "one") == 0 && near(s.obs.col[1].f64[2], -0.5, 0, 0),
       "with all its parts");
    source_release(&s);
    int status;
    ok(waitpid(-1, &status, WNOHANG) < 0, "no child is left behind");
}

int main(void)
{
    char dir[] = "/tmp/test_damage.XXXXXX";
    if (!mkdtemp(dir))
        return 1;
    const char *src = getenv("SRC") ? getenv("SRC") : ".";
    snprintf(path, sizeof path, "%s/copy.h5", dir);
    children();
    char *seeds = text_new("%s/tests/data/hdf5", src);
    if (seeds)
        damage_folder(seeds);
    free(seeds);
    unlink(path);
    snprintf(honest, sizeof honest, "%s/honest.h5ad", dir);
    perturbed();
    rmdir(dir);
    return tap_end();
}
