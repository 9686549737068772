/* A file's hash beside other work: with a thread, without one, broken off, and of what cannot be
 * read. */
#include "lib/base/sha256_job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "tests/tap.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static char dir[] = "/tmp/gc-hash-XXXXXX";

static bool put(const char *path, size_t n)
{
    FILE *f = fopen(path, "wb");
    for (size_t i = 0; f && i < n; i++)
        fputc("abc"[i % 3], f);
    return f && fclose(f) == 0;
}

/* Who comes later than the thread: a pipe that stays open for writing until it gets its bytes. */
static void beside_other_work(void)
{
    char *pipe = text_new("%s/pipe", dir);
    struct sha256_job j;
    struct err e = { 0 };
    threads_init(2);
    const int w = mkfifo(pipe, 0600) == 0 ? open(pipe, O_RDWR) : -1;
    ok(w >= 0 && !sha256_job_start(&j, pipe, &e) && !j.done,
       "a job begins while its file has nothing to read yet%s", e.text);
    ok(write(w, "abc", 3) == 3 && close(w) == 0 && !sha256_job_wait(&j, &e) && j.done &&
           strcmp(j.hex, abc) == 0,
       "and has the hash once the bytes came%s", e.text);
    ok(!sha256_job_wait(&j, &e) && strcmp(j.hex, abc) == 0, "it may be asked again");
    sha256_job_release(&j);
    free(pipe);
}

static void of_files(const char *path, size_t n, int threads)
{
    struct sha256_job j;
    struct err e = { 0 };
    char want[SHA256_HEX];
    threads_init(threads);
    ok(put(path, n) && !sha256_file(path, want, NULL, &e) && !sha256_job_start(&j, path, &e) &&
           unlink(path) == 0 && !sha256_job_wait(&j, &e) && strcmp(j.hex, want) == 0,
       "%zu bytes, %d threads: the hash of the file that was there at the start%s", n, threads,
       e.text);
    sha256_job_release(&j);
}

int main(void)
{
    struct sha256_job j = { .done = false };
    struct err e = { 0 };
    if (!mkdtemp(dir))
        return 1;
    char *path = text_new("%s/file", dir);
    sha256_job_release(&j);
    ok(true, "one that never began is released");
    for (int threads = 1; threads <= 2; threads++) {
        of_files(path, 0, threads);
        of_files(path, 3, threads);
        of_files(path, (1 << 18) + 1, threads);
        ok(put(path, 1 << 22) && !sha256_job_start(&j, path, &e),
           "a job that nobody waits for, %d threads%s", threads, e.text);
        sha256_job_release(&j);
        ok(!j.done && !j.path, "is broken off");
        ok(sha256_job_start(&j, dir, &e) || sha256_job_wait(&j, &e) == RC_FAIL,
           "a folder has no hash, %d threads: %s", threads, e.text);
        sha256_job_release(&j);
    }
    unlink(path);
    ok(sha256_job_start(&j, path, &e) == RC_INPUT && strstr(e.text, "cannot open") && !j.path,
       "a file that is not there is refused: %s", e.text);
    beside_other_work();
    folder_remove(dir);
    free(path);
    threads_stop();
    return tap_end();
}
