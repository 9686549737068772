/* A main for the fuzz targets: runs one over files or whole folders of files, without a fuzzer.
 *   build/tests/fuzz_NAME [FILE | FOLDER]...
 * So every input that a fuzzer once found stays a test. Nothing is printed about an input but its
 * name; a target that crashes ends the program, and the last name tells which it was. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static bool run_file(const char *path)
{
    struct err e = { 0 };
    char *data = NULL;
    size_t n_bytes = 0;
    note("%s", path);
    fflush(stdout);
    if (file_read(path, (size_t)1 << 28, &data, &n_bytes, &e))
        return ok(false, "%s", e.text);
    /* A block of just that size, so that a sanitizer sees a read behind the end (file_read puts a
     * zero there). */
    uint8_t *exact = malloc(n_bytes ? n_bytes : 1);
    bool good = exact != NULL;
    if (good) {
        memcpy(exact, data, n_bytes);
        good = LLVMFuzzerTestOneInput(exact, n_bytes) == 0;
    }
    free(exact);
    free(data);
    return ok(good, "survives %s", path);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(const char *path)
{
    struct dirent **entry = NULL;
    const int n = scandir(path, &entry, NULL, by_name);
    if (n < 0)
        ok(false, "%s can be listed", path);
    for (int i = 0; i < n; i++) {
        char *name = text_new("%s/%s", path, entry[i]->d_name);
        if (!name)
            ok(false, "memory for a name");
        else if (entry[i]->d_name[0] != '.' && folder_exists(name))
            run_folder(name);
        else if (entry[i]->d_name[0] != '.')
            run_file(name);
        free(name);
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    ok(LLVMFuzzerTestOneInput((const uint8_t *)"", 0) == 0, "survives no bytes");
    for (int i = 1; i < argc; i++) {
        if (folder_exists(argv[i]))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    return tap_end();
}
