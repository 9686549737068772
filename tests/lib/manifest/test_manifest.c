/* MANIFEST.tsv: round trip, order, names with tabs, and one bad file per defect. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/manifest/manifest.h"
#include "tests/tap.h"

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD "kind\tname\tbytes\tsha256\nstage\tx\t-\t-\n"

static void put(const char *dir, const char *name, const char *text)
{
    struct err e = { 0 };
    struct outfile o;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (outfile_open(&o, path, &e) == RC_OK) {
        fputs(text, o.f);
        outfile_commit(&o, &e);
    }
}

static void refuses(const char *what, const char *text, const char *reason)
{
    struct err e = { 0 };
    struct manifest m;
    enum rc rc = manifest_parse(&m, text, strlen(text), "m.tsv", &e);
    if (!ok(rc == RC_INPUT && strstr(e.text, reason) && !m.row, "refuses %s", what))
        note("status %d, '%s'", (int)rc, e.text);
    manifest_release(&m);
}

static void bad_files(void)
{
    refuses("an empty file", "", "is empty");
    refuses("another header", "kind\tname\n", "is no manifest");
    refuses("a file cut in a line", HEAD "output\ta\t0\t" SUM, "is cut");
    refuses("a row with three fields", HEAD "output\ta\t0\n", "3 fields");
    refuses("an unknown kind", HEAD "thing\ta\t-\t-\n", "no kind of row");
    refuses("a negative size", HEAD "output\ta\t-1\t" SUM "\n", "no size");
    refuses("a size of 30 digits", HEAD "output\ta\t999999999999999999999999999999\t" SUM "\n",
            "no size");
    refuses("a short sum", HEAD "output\ta\t0\te3b0\n", "no size");
    refuses("a parameter with a size", HEAD "param\ta\t1\t-\n", "has no size");
    refuses("a name that climbs out", HEAD "output\ta/../../b\t0\t" SUM "\n", "leads out");
    refuses("an absolute name", HEAD "output\t/etc/passwd\t0\t" SUM "\n", "leads out");
    refuses("an empty name", HEAD "output\t\t0\t" SUM "\n", "leads out");
    refuses("a lone backslash", HEAD "output\ta\\b\t0\t" SUM "\n", "backslash");
    refuses("a manifest of no stage", "kind\tname\tbytes\tsha256\n", "no stage");
    struct manifest m;
    struct err e = { 0 };
    ok(manifest_parse(&m, HEAD "\0\n", sizeof HEAD + 1, "m.tsv", &e) == RC_INPUT,
       "refuses a zero byte");
    manifest_release(&m);
}

static void round_trip(const char *dir)
{
    struct err e = { 0 };
    struct manifest m, back;
    put(dir, "b", "");
    put(dir, "a/z", "1");
    put(dir, "a.txt", "22");
    put(dir, "tab\there \\ and\nline", "333");
    put(dir, "params", "never an output");
    put(dir, "a/run.log", "never an output");
    put(dir, "skip.tmp", "excluded");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, MANIFEST_NAME);
    manifest_init(&m);
    enum rc rc = manifest_add(&m, MANIFEST_PARAM, "z=1", &e);
    rc = rc ? rc : manifest_add(&m, MANIFEST_STAGE, "unit", &e);
    rc = rc ? rc : manifest_add(&m, MANIFEST_PARAM, "a=2", &e);
    rc = rc ? rc : manifest_add(&m, MANIFEST_EXCLUDE, "*.tmp", &e);
    rc = rc ? rc : manifest_add_outputs(&m, dir, &e);
    rc = rc ? rc : manifest_write(&m, path, &e);
    ok(rc == RC_OK, "writes a manifest");
    manifest_release(&m);
    ok(manifest_read(&back, path, &e) == RC_OK, "reads it back");
    static const char *const want[] = { "unit",  "z=1", "a=2", "*.tmp",
                                        "a.txt", "a/z", "b",   "tab\there \\ and\nline" };
    bool same = back.n == 8;
    for (size_t i = 0; same && i < 8; i++)
        same = strcmp(back.row[i].name, want[i]) == 0;
    ok(same, "stage first, parameters in their order, outputs by the bytes of their names");
    const struct manifest_row *r = manifest_find(&back, MANIFEST_OUTPUT, "b");
    ok(r && r->bytes == 0 && strcmp(r->sha256, SUM) == 0, "an empty file has the empty sum");
    manifest_release(&back);
}

static void second_look(const char *dir)
{
    struct err e = { 0 };
    struct manifest_verdict v;
    ok(manifest_check(&v, dir, NULL, 0, &e) == RC_OK && v.n == 0 && v.n_checked == 4,
       "an untouched folder is as its manifest says");
    manifest_verdict_release(&v);
    char path[512];
    snprintf(path, sizeof path, "%s/b", dir);
    unlink(path);
    put(dir, "a/z", "2"); /* same size, other byte */
    put(dir, "new", "");
    bool good = manifest_check(&v, dir, NULL, 0, &e) == RC_OK && v.n == 3;
    good = good && v.item[0].what == MANIFEST_CHANGED && strcmp(v.item[0].name, "a/z") == 0;
    good = good && v.item[1].what == MANIFEST_MISSING && strcmp(v.item[1].name, "b") == 0;
    good = good && v.item[2].what == MANIFEST_EXTRA && strcmp(v.item[2].name, "new") == 0;
    ok(good, "what changed, is missing or is extra has its name");
    manifest_verdict_release(&v);
    snprintf(path, sizeof path, "%s/link", dir);
    if (symlink("new", path) != 0)
        note("no symbolic links here");
    ok(manifest_check(&v, dir, NULL, 0, &e) == RC_INPUT && strstr(e.text, "symbolic link"),
       "a symbolic link among the outputs is refused");
}

int main(void)
{
    char dir[] = "/tmp/test_manifest.XXXXXX";
    if (!mkdtemp(dir))
        return 1;
    bad_files();
    round_trip(dir);
    second_look(dir);
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0)
        note("cannot remove '%s'", dir);
    return tap_end();
}
