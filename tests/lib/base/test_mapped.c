#include "lib/base/mapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

static char dir[] = "/tmp/test-mapped-XXXXXX";

static const char *in(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static void refused(const char *name, const char *why, const char *what)
{
    struct mapped m = { &m, 1 };
    struct err e = { 0 };
    ok(mapped_open(&m, in(name), MAPPED_READ, &e) == RC_INPUT && strstr(e.text, why) && !m.at,
       "%s: refused (%s)", what, e.text);
}

int main(void)
{
    struct mapped a, b;
    struct err e = { 0 };
    if (!mkdtemp(dir))
        abort();
    write_text("text", "some text");
    write_text("none", "");
    if (mkfifo(in("pipe"), 0600) != 0)
        abort();
    refused("missing", "cannot open", "no file");
    refused("none", "is empty", "an empty file");
    refused(".", "not a plain file", "a folder");
    refused("pipe", "not a plain file", "a named pipe");

    ok(!mapped_open(&a, in("text"), MAPPED_OWN, &e) && a.bytes == 9 &&
           memcmp(a.at, "some text", 9) == 0, "a file as it lies%s", e.text);
    ok(mapped_holds(&a, a.at) && mapped_holds(&a, (char *)a.at + 8) &&
           !mapped_holds(&a, (char *)a.at + 9) && !mapped_holds(&a, &a), "which bytes are its");
    mapped_forget(&a);
    ok(memcmp(a.at, "some text", 9) == 0, "forgotten pages come back");
    memcpy(a.at, "SOME", 4);
    ok(!mapped_open(&b, in("text"), MAPPED_READ, &e) && memcmp(b.at, "some text", 9) == 0 &&
           memcmp(a.at, "SOME text", 9) == 0, "what is written stays in this process%s", e.text);
    unlink(in("text"));
    ok(memcmp(b.at, "some text", 9) == 0, "a file that is taken away stays mapped");
    mapped_close(&a);
    mapped_close(&a);
    mapped_close(&b);
    ok(!a.at && !mapped_holds(&a, &a) && !mapped_holds(&a, NULL), "closed twice, it holds nothing");
    unlink(in("none"));
    unlink(in("pipe"));
    rmdir(dir);
    return tap_end();
}
