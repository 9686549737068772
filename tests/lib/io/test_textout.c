/* Text files and tables as text: whole or not at all. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/io/lines.h"
#include "lib/io/textout.h"
#include "tests/tap.h"

static struct err e;
static char folder[] = "/tmp/textout-XXXXXX";

static char *content(const char *path)
{
    static char text[4096];
    struct lines l;
    bool more = true;
    *text = '\0';
    if (lines_open(&l, path, &e))
        return text;
    while (!lines_next(&l, &more, &e) && more) {
        strcat(text, l.text);
        strcat(text, "\n");
    }
    lines_close(&l);
    return text;
}

static void small_table(struct table *t)
{
    table_init(t, 3);
    table_add(t, "name", COLUMN_TEXT);
    table_add(t, "n, of all", COLUMN_I64);
    table_add(t, "x", COLUMN_F64);
    table_set_text(t, &t->col[0], 0, "a", &e);
    table_set_text(t, &t->col[0], 2, "say \"c\"", &e);
    t->col[1].i64[0] = INT64_MIN;
    t->col[2].f64[0] = 0.1;
    t->col[2].f64[1] = NAN;
    t->col[2].f64[2] = 1e300;
}

static void test_tables(void)
{
    struct table t;
    char *plain = text_new("%s/sub/t.tsv", folder), *zip = text_new("%s/t.csv.gz", folder);
    small_table(&t);
    ok(table_write(plain, &t, '\t', true, false, &e) == RC_OK,
       "a table is written into a new folder");
    ok(strcmp(content(plain), "name\tn, of all\tx\na\t-9223372036854775808\t0.1\n\t0\t\n"
                              "say \"c\"\t0\t1e+300\n") == 0,
       "with empty fields for what is missing");
    ok(table_write(zip, &t, ',', true, true, &e) == RC_OK, "another is compressed");
    ok(strcmp(content(zip),
              "\"name\",\"n, of all\",\"x\"\n\"a\",-9223372036854775808,0.1\n\"\",0,\n"
              "\"say \"\"c\"\"\",0,1e+300\n") == 0,
       "with quotes round texts and doubled inside");
    table_write(zip, &t, ',', true, false, &e);
    ok(strncmp(content(zip), "name,\"n, of all\",x\n", 19) == 0,
       "a comma in a column's name is quoted");
    table_set_text(&t, &t.col[0], 1, "tab\there", &e);
    ok(table_write(plain, &t, '\t', false, false, &e) == RC_CHECK, "refused: %s", e.text);
    ok(strncmp(content(plain), "name\t", 5) == 0, "and the old file is still there");
    char *part = text_new("%s.part", plain);
    ok(access(part, F_OK) != 0, "and nothing beside it");
    ok(table_write(plain, &t, ',', false, false, &e) == RC_OK,
       "a tab is no trouble between commas");
    table_release(&t);
    unlink(plain);
    unlink(zip);
    free(plain);
    free(zip);
    free(part);
}

static void test_trouble(void)
{
    struct textout o;
    char *path = text_new("%s/long", folder), *wide = malloc(3000);
    memset(wide, 'w', 2999);
    wide[2999] = '\0';
    ok(textout_open(&o, path, &e) == RC_OK, "a line longer than the buffer");
    textout_put(&o, "%s\n", wide);
    ok(textout_close(&o, &e) == RC_OK && strlen(content(path)) == 3000, "is written whole");
    ok(textout_open(&o, path, &e) == RC_OK, "an aborted file");
    textout_text(&o, "half");
    textout_abort(&o);
    ok(strlen(content(path)) == 3000, "leaves the old one");
    unlink(path);
    ok(textout_open(&o, "/dev/null/x", &e) == RC_FAIL && !o.gz, "no place: %s", e.text);
    ok(textout_open(&o, "/dev/null/x.gz", &e) == RC_FAIL && !o.gz, "nor compressed: %s", e.text);
    enum rc rc = textout_open(&o, "/dev/full", &e);
    for (int i = 0; !rc && i < 100; i++)
        textout_text(&o, wide);
    ok((rc ? rc : textout_close(&o, &e)) == RC_FAIL, "a full disk: %s", e.text);
    /* The disk is full after 10 bytes. */
    struct rlimit was, few = { 10, RLIM_INFINITY };
    char *zip = text_new("%s/full.gz", folder);
    getrlimit(RLIMIT_FSIZE, &was);
    few.rlim_max = was.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    ok(textout_open(&o, zip, &e) == RC_OK, "a full disk behind gzip");
    textout_text(&o, wide);
    fflush(stdout);
    setrlimit(RLIMIT_FSIZE, &few);
    rc = textout_close(&o, &e);
    setrlimit(RLIMIT_FSIZE, &was);
    ok(rc == RC_FAIL && access(zip, F_OK) != 0, "is told: %s", e.text);
    free(zip);
    free(wide);
    free(path);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    test_tables();
    test_trouble();
    char *sub = text_new("%s/sub", folder);
    rmdir(sub);
    free(sub);
    ok(rmdir(folder) == 0, "nothing else was left");
    return tap_end();
}
