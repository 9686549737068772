/* lib/io/safetensors: what is written reads back, equal tensors give equal bytes, and each broken
 * promise of a header is refused with its place. */
#include "lib/io/safetensors.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/sha256.h"
#include "tests/tap.h"

static char dir[] = "/tmp/gc-test-XXXXXX";

static void round_trip(void)
{
    const float f32[6] = { 1, -2, 3.5f, 0, INFINITY, 1e-40f };
    const double f64[2] = { 1.0 / 3, -1e300 };
    const int64_t i64[1] = { -9007199254740993 };
    const int32_t i32[3] = { INT32_MIN, 0, 7 };
    const uint8_t u8[3] = { 0, 1, 255 };
    const uint16_t f16[7] = { 0x3c00, 0xc000, 0x7bff, 0x0001, 0x83ff, 0x7c00, 0x7e00 };
    const uint16_t bf16[2] = { 0x3f80, 0xc2f7 };
    struct st_tensor t[] = {
        { .name = "w", .type = ST_F32, .n_dims = 2, .dim = { 2, 3 }, .data = f32 },
        { .name = "a.u8", .type = ST_U8, .n_dims = 1, .dim = { 3 }, .data = u8 },
        { .name = "d", .type = ST_F64, .n_dims = 1, .dim = { 2 }, .data = f64 },
        { .name = "steps", .type = ST_I64, .n_dims = 0, .data = i64 },
        { .name = "i", .type = ST_I32, .n_dims = 3, .dim = { 1, 3, 1 }, .data = i32 },
        { .name = "h", .type = ST_F16, .n_dims = 1, .dim = { 7 }, .data = f16 },
        { .name = "b\"\n\xc3\xa4", .type = ST_BF16, .n_dims = 1, .dim = { 2 }, .data = bf16 },
        { .name = "none", .type = ST_F32, .n_dims = 2, .dim = { 0, 5 }, .data = NULL },
    };
    enum { N = sizeof t / sizeof *t };
    const char *const meta[2][2] = { { "kind", "grn" }, { "dim", "768" } };
    struct err e = { 0 };
    char *path = text_new("%s/a.safetensors", dir), *again = text_new("%s/b.safetensors", dir);
    ok(!st_write(path, t, N, meta, 2, &e), "tensors of every type are written%s", e.text);
    struct st_tensor back[N];
    for (int i = 0; i < N; i++)
        back[i] = t[N - 1 - i];
    const char *const atem[2][2] = { { "dim", "768" }, { "kind", "grn" } };
    char x[SHA256_HEX], y[SHA256_HEX];
    ok(!st_write(again, back, N, atem, 2, &e) && !sha256_file(path, x, NULL, &e) &&
           !sha256_file(again, y, NULL, &e) && !strcmp(x, y),
       "another order of tensors and texts gives the same bytes");
    struct st_file f;
    ok(!st_open(&f, path, &e) && f.n == N, "the file opens%s", e.text);
    bool sorted = true;
    for (size_t i = 1; i < f.n; i++)
        sorted = sorted && strcmp(f.tensor[i - 1].name, f.tensor[i].name) < 0;
    ok(sorted, "tensors come by rising name");
    ok(f.n_meta == 2 && !strcmp(st_meta(&f, "kind"), "grn") && !st_meta(&f, "none"),
       "the texts are there");
    const struct st_tensor *w = st_find(&f, "w");
    float got32[7];
    double got[7];
    ok(w && w->type == ST_F32 && w->n_dims == 2 && w->dim[1] == 3 && w->n_items == 6 &&
           !st_get_f32(w, got32, &e) && !memcmp(got32, f32, sizeof f32),
       "floats keep their bits");
    ok(!st_get_f64(w, got, &e) && near(got[5], 1e-40f, 0, 0) && isinf(got[4]), "also as doubles");
    ok(!st_get_f64(st_find(&f, "d"), got, &e) && near(got[0], 1.0 / 3, 0, 0), "doubles do");
    ok(!st_get_f64(st_find(&f, "steps"), got, &e) && st_find(&f, "steps")->n_items == 1,
       "a scalar has no dims and one number");
    ok(!st_get_f64(st_find(&f, "i"), got, &e) && near(got[0], INT32_MIN, 0, 0) &&
           near(got[2], 7, 0, 0),
       "signed numbers keep their sign");
    ok(!st_get_f64(st_find(&f, "a.u8"), got, &e) && near(got[2], 255, 0, 0), "bytes have none");
    ok(!st_get_f64(st_find(&f, "h"), got, &e) && near(got[0], 1, 0, 0) && near(got[1], -2, 0, 0) &&
           near(got[2], 65504, 0, 0) && near(got[3], 0x1p-24, 0, 0) &&
           near(got[4], -1023 * 0x1p-24, 0, 0) && isinf(got[5]) && isnan(got[6]),
       "halves: normal, largest, subnormal, infinite, NaN");
    ok(!st_get_f32(st_find(&f, "b\"\n\xc3\xa4"), got32, &e) && near(got32[1], -123.5, 0, 0),
       "bf16 under a name with quote, line end and umlaut");
    ok(st_find(&f, "none")->n_items == 0 && !st_find(&f, "nope") && !st_find(&f, ""),
       "an empty tensor is there, others are not");
    st_close(&f);
    st_close(&f);
    ok(true, "closing twice does no harm");
    free(path);
    free(again);
}

static void refused_writes(void)
{
    const float x[4] = { 0 };
    struct err e = { 0 };
    char *path = text_new("%s/refused.safetensors", dir);
    struct st_tensor t[2] = { { .name = "a", .n_dims = 1, .dim = { 2 }, .data = x },
                              { .name = "a", .n_dims = 1, .dim = { 2 }, .data = x } };
    ok(st_write(path, t, 2, NULL, 0, &e) == RC_INPUT && strstr(e.text, "twice"),
       "a name may come once");
    t[1].name = "\xff";
    ok(st_write(path, t, 2, NULL, 0, &e) == RC_INPUT && strstr(e.text, "UTF-8"), "a name is UTF-8");
    t[1] = (struct st_tensor){ .name = "b", .n_dims = 2, .dim = { UINT64_MAX / 4, 3 }, .data = x };
    ok(st_write(path, t, 2, NULL, 0, &e) == RC_INPUT && strstr(e.text, "counted"),
       "a product of dims that does not fit is refused");
    t[1].type = ST_OTHER;
    ok(st_write(path, t, 2, NULL, 0, &e) == RC_INPUT, "so is a type without a name");
    t[1] = (struct st_tensor){ .name = "__metadata__", .n_dims = 1, .dim = { 1 }, .data = x };
    ok(st_write(path, t, 2, NULL, 0, &e) == RC_INPUT, "so is a tensor called __metadata__");
    const char *const twice[2][2] = { { "k", "1" }, { "k", "2" } };
    ok(st_write(path, t, 1, twice, 2, &e) == RC_INPUT, "so is a key that comes twice");
    ok(!file_exists(path), "and nothing is written");
    ok(st_write("/dev/full", t, 1, NULL, 0, &e) == RC_FAIL, "a full disk is an error");
    free(path);
}

/* header: its text; n_data zero bytes behind. Returns what st_view says, with the sentence in *e.
 */
static enum rc view(const char *header, size_t n_data, struct err *e)
{
    uint64_t n = strlen(header);
    unsigned char *b = calloc(1, 8 + n + n_data); /* exactly as long: sanitizers see overruns */
    if (!b)
        abort();
    memcpy(b, &n, 8);
    memcpy(b + 8, header, n);
    struct st_file f;
    err_clear(e);
    enum rc rc = st_view(&f, b, 8 + n + n_data, e);
    if (!rc)
        st_close(&f);
    free(b);
    return rc;
}

static void refused_headers(void)
{
    static const struct {
        const char *what, *header, *said;
        size_t n_data;
    } bad[] = {
        { "text that is no JSON", "{\"a\":", "header, byte", 0 },
        { "text behind the object", "{} x", "header, byte", 0 },
        { "an array", "[]", "begin with '{'", 0 },
        { "a name that is not UTF-8",
          "{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", "header, byte", 0 },
        { "a name with a zero byte",
          "{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", "header, byte",
          0 },
        { "a name that comes twice",
          "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
          "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
          "duplicate", 1 },
        { "a tensor that is a number", "{\"a\":3}", "'a' has no dtype", 0 },
        { "no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "'a' has no dtype", 4 },
        { "no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "'a' has no shape", 4 },
        { "a negative dimension",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "dimension 0", 4 },
        { "a dimension with a fraction",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1.0],\"data_offsets\":[0,4]}}", "dimension 1",
          4 },
        { "nine dimensions",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
          "9 dimensions", 4 },
        { "a product that wraps to the right length",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,1],\"data_offsets\":[0,0]}}",
          "can be counted", 0 },
        { "a number past 64 bits",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}",
          "header, byte", 0 },
        { "no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "no pair", 4 },
        { "three offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
          "no pair", 4 },
        { "offsets that fall", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
          "4..0 of 4", 4 },
        { "an end outside the file",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "0..8 of 4", 4 },
        { "more bytes than numbers",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", "8 bytes for 1", 8 },
        { "tensors that overlap",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
          "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
          "'a' and 'b' overlap", 8 },
        { "a tensor inside another, empty",
          "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
          "\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[1,1]}}",
          "'a' and 'b' overlap", 2 },
        { "a hole between tensors",
          "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
          "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
          "1..2 in front of tensor 'b'", 3 },
        { "data that nobody owns",
          "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "1..4 at the end", 4 },
        { "metadata that is a list", "{\"__metadata__\":[]}", "not an object", 0 },
        { "metadata with a number", "{\"__metadata__\":{\"dim\":3}}", "'dim' is not a text", 0 },
    };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!ok(view(bad[i].header, bad[i].n_data, &e) == RC_INPUT && strstr(e.text, bad[i].said),
                "%s: refused", bad[i].what))
            note("said: %s", e.text);
    ok(!view("{}      ", 0, &e), "no tensors and blanks at the end are good");
    ok(!view("{\"q\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, &e),
       "a type that is not known is listed");
    struct st_tensor other = { .name = "q", .type = ST_OTHER, .n_items = 1 };
    double x;
    ok(st_get_f64(&other, &x, &e) == RC_INPUT && strstr(e.text, "'q'"), "but not read");
}

static void refused_files(void)
{
    struct st_file f;
    struct err e = { 0 };
    ok(st_open(&f, "/no/such", &e) == RC_INPUT && strstr(e.text, "/no/such"), "no file: refused");
    ok(st_open(&f, dir, &e) == RC_INPUT && strstr(e.text, "not a plain file"), "a folder: refused");
    ok(st_open(&f, "/dev/null", &e) == RC_INPUT, "a device: refused");
    ok(st_view(&f, "\1\0\0", 3, &e) == RC_INPUT && strstr(e.text, "too few"), "3 bytes: refused");
    ok(st_view(&f, "\3\0\0\0\0\0\0\0{}", 10, &e) == RC_INPUT && strstr(e.text, "header of 3 bytes"),
       "a header that is cut off: refused");
    ok(st_view(&f, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, &e) == RC_INPUT,
       "a header length of 2^64 - 1: refused");
    ok(st_view(&f, "\0\0\0\0\0\0\0\0", 8, &e) == RC_INPUT, "an empty header: refused");
}

/* Files by others: each opens, and every number of a type we read is read. */
static void real_files(const char *pattern)
{
    glob_t g;
    if (glob(pattern, 0, NULL, &g) != 0) {
        skip("%s: not here", pattern);
        return;
    }
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct st_file f;
        struct err e = { 0 };
        bool good = !st_open(&f, g.gl_pathv[i], &e) && f.n > 0;
        size_t numbers = 0;
        for (size_t k = 0; good && k < f.n; k++) {
            double *x = malloc((f.tensor[k].n_items + 1) * sizeof *x);
            good = x && !st_get_f64(&f.tensor[k], x, &e);
            for (uint64_t j = 0; good && j < f.tensor[k].n_items; j++)
                good = !isnan(x[j]);
            numbers += f.tensor[k].n_items;
            free(x);
        }
        ok(good, "%s: %zu numbers%s", strrchr(g.gl_pathv[i], '/') + 1, numbers, e.text);
        if (good)
            st_close(&f);
    }
    globfree(&g);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    round_trip();
    refused_writes();
    refused_headers();
    refused_files();
    const char *shared = getenv("SHARED");
    char *model = text_new("%s/golden/model/*.safetensors", shared ? shared : "../shared");
    char *weights = text_new("%s/data/weights/*.safetensors", shared ? shared : "../shared");
    real_files(model);
    real_files(weights);
    free(model);
    free(weights);
    char *rm = text_new("rm -rf '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    return tap_end();
}
