/* bench-device: what this device is, and its own peaks, by which the other measurements are judged.
 *   bench-device [--facts] [--product N] [--mib N] [--seconds S]
 * One line of JSON: name, memory, clocks and versions; then a plain bf16 product of N x N matrices
 * by cuBLASLt (sums in f32, results in f32), a copy within the device and a triad (bench/triad.h)
 * over MiB each; TFLOP/s and GB/s (10^9) of the fastest of five rounds of S seconds. wait_us: a
 * launch of nothing and the wait behind it, which is in the time of every operation that bench-ops
 * gives. notes: what a reader of the numbers must know. Results are looked at: status 4 when the
 * product, the copy or the triad is wrong. 77 without a device. Linked with the cuda kernels only
 * (workflows/cuda.mk). */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/triad.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/tensor/cuda_facts.h"

static struct {
    int64_t product, mib;
    double seconds;
    bool facts;
} opt = { .product = 8192, .mib = 1024, .seconds = 0.2 };

static const struct opt opts[] = {
    OPT_FLAG("facts", &opt.facts, "measure nothing"),
    OPT_I64("product", &opt.product, "N", "rows and columns of the product's matrices, at most"),
    OPT_I64("mib", &opt.mib, "N",
            "MiB of each array of copy and triad, at most; a fourteenth of the memory"),
    OPT_F64("seconds", &opt.seconds, "NUM", "of a round"),
    OPT_END,
};

enum { ROUNDS = 5, LOOKED_AT = 64 };

struct yard {
    struct cuda c;
    size_t n; /* of the product, or bytes of an array */
    void *a, *b, *out;
    int status;
};

static float bf16_value(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float f;
    memcpy(&f, &wide, sizeof f);
    return f;
}

/* Numbers of -1 to 1 with all bits of their mantissa in use: zeros would take less power, so a
 * higher clock. */
static float item(uint64_t purpose, size_t i)
{
    return (float)(2 * rng_unit(11, RNG_TEST, purpose, i) - 1);
}

static uint16_t bf16_item(uint64_t purpose, size_t i)
{
    const float f = item(purpose, i);
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static int moved(const struct yard *y, void *to, const void *from, size_t n_bytes)
{
    const int status = cuda_copy(&y->c, to, from, n_bytes);
    return status ? status : cuda_wait(&y->c);
}

static int queue_product(struct yard *y)
{
    const struct cuda_product p = { .m = y->n,
                                    .n = y->n,
                                    .k = y->n,
                                    .a = y->a,
                                    .b = y->b,
                                    .ld_a = y->n,
                                    .ld_b = y->n,
                                    .turn_b = true,
                                    .bf16 = true,
                                    .out = y->out,
                                    .ld_out = y->n };
    return cuda_multiply(&y->c, &p);
}

static int queue_copy(struct yard *y)
{
    return cuda_copy(&y->c, y->out, y->a, y->n);
}

static int queue_triad(struct yard *y)
{
    return triad_cuda(&y->c, y->n / sizeof(float), 0.5f, y->a, y->b, y->out);
}

/* Seconds of one call in the fastest round; 0 after a failure. The first call is not counted: a
 * plan is made. */
static double seconds_of(struct yard *y, int (*queue)(struct yard *))
{
    double best = INFINITY, once = 0;
    for (int k = 0; k < 2 && !y->status; k++) {
        const double start = clock_s();
        y->status = queue(y);
        if (!y->status)
            y->status = cuda_wait(&y->c);
        once = clock_s() - start;
    }
    const double most = fmin(fmax(opt.seconds / fmax(once, 1e-6), 1), 10000);
    const size_t calls = (size_t)most;
    for (int round = 0; round < ROUNDS && !y->status; round++) {
        const double start = clock_s();
        for (size_t k = 0; k < calls && !y->status; k++)
            y->status = queue(y);
        if (!y->status)
            y->status = cuda_wait(&y->c);
        best = fmin(best, (clock_s() - start) / (double)calls);
    }
    return y->status ? 0 : best;
}

/* Bytes of an array that are made; they stand in it over and over. */
static size_t block_of(size_t n_bytes)
{
    const size_t most = 1 << 24;
    return n_bytes < most ? n_bytes : most;
}

/* n_bytes of numbers of item(), as bf16 or float, to the device. */
static void fill(struct yard *y, void *to, size_t n_bytes, uint64_t purpose, bool bf16)
{
    const size_t block = block_of(n_bytes);
    char *host = malloc(block + 1);
    if (!host)
        y->status = y->status ? y->status : -1;
    for (size_t i = 0; host && i < block / (bf16 ? 2 : 4); i++)
        if (bf16)
            ((uint16_t *)host)[i] = bf16_item(purpose, i);
        else
            ((float *)host)[i] = item(purpose, i);
    for (size_t at = 0; at < n_bytes && !y->status; at += block)
        y->status = moved(y, (char *)to + at, host, n_bytes - at < block ? n_bytes - at : block);
    free(host);
}

/* The item of its block that item i of the array is. */
static size_t within(size_t i, size_t n_bytes, size_t size)
{
    return i % (block_of(n_bytes) / size);
}

/* Sums of k products in f32, whose tensor cores may cut instead of rounding: 2^-14 of the sum of
 * sizes. */
static bool product_is_right(struct yard *y)
{
    const size_t n = y->n, bytes = n * n * 2;
    bool right = true;
    for (size_t k = 0; k < LOOKED_AT && right && !y->status; k++) {
        const size_t i = k * 2654435761u % n, j = (k + 7) * 40503u % n;
        double sum = 0, size = 0;
        float got = NAN;
        for (size_t t = 0; t < n; t++) {
            const double x = (double)bf16_value(bf16_item(1, within(i * n + t, bytes, 2))) *
                             (double)bf16_value(bf16_item(2, within(j * n + t, bytes, 2)));
            sum += x;
            size += fabs(x);
        }
        y->status = moved(y, &got, (float *)y->out + i * n + j, sizeof got);
        right = fabs(got - sum) <= 0x1p-14 * size;
    }
    return right;
}

/* a + s b, of numbers below 1 in size: a rounding of the product and one of the sum. */
static bool array_is_right(struct yard *y, double s)
{
    const size_t n = y->n / sizeof(float);
    bool right = true;
    for (size_t k = 0; k < LOOKED_AT && right && !y->status; k++) {
        const size_t i = k == 0 ? n - 1 : k * 2654435761u % n, at = within(i, y->n, sizeof(float));
        float got = NAN;
        y->status = moved(y, &got, (float *)y->out + i, sizeof got);
        right = fabs(got - (item(1, at) + s * item(2, at))) <= 0x1p-22;
    }
    return right;
}

static void forget(struct yard *y)
{
    cuda_release(y->a);
    cuda_release(y->b);
    cuda_release(y->out);
    y->a = y->b = y->out = NULL;
}

static enum rc take(struct yard *y, size_t in_bytes, size_t out_bytes, bool bf16, struct err *e)
{
    y->a = cuda_memory(in_bytes);
    y->b = cuda_memory(in_bytes);
    y->out = cuda_memory(out_bytes);
    if (!y->a || !y->b || !y->out) {
        forget(y);
        return err_set(
            e, RC_FAIL,
            "the device has no %zu MiB free for its peaks; another process may hold its memory",
            (2 * in_bytes + out_bytes) >> 20);
    }
    fill(y, y->a, in_bytes, 1, bf16);
    fill(y, y->b, in_bytes, 2, bf16);
    return RC_OK;
}

static enum rc verdict(const struct yard *y, bool right, const char *what, struct err *e)
{
    if (y->status)
        return err_set(e, RC_FAIL, "%s: %s", what,
                       y->status < 0 ? "no memory" : cuda_text(y->status));
    return right ? RC_OK : err_set(e, RC_CHECK, "%s is wrong on this device", what);
}

static enum rc products(struct yard *y, json_t *j, struct err *e)
{
    y->n = (size_t)opt.product;
    enum rc rc = take(y, y->n * y->n * 2, y->n * y->n * 4, true, e);
    if (rc)
        return rc;
    const double n = (double)y->n, s = seconds_of(y, queue_product);
    rc = verdict(y, product_is_right(y), "a bf16 product", e);
    if (!rc) {
        json_object_set_new(j, "product_rows", json_integer((json_int_t)y->n));
        json_object_set_new(j, "product_ms", json_real(s * 1e3));
        json_object_set_new(j, "product_tflops", json_real(2 * n * n * n / s * 1e-12));
    }
    forget(y);
    return rc;
}

static enum rc passes(struct yard *y, size_t free_bytes, json_t *j, struct err *e)
{
    const size_t wish = (size_t)opt.mib << 20, most = free_bytes / 14 / 256 * 256;
    y->n = most && most < wish ? most : wish;
    enum rc rc = take(y, y->n, y->n, false, e);
    if (rc)
        return rc;
    const double copy = seconds_of(y, queue_copy);
    rc = verdict(y, array_is_right(y, 0), "a copy within the device", e);
    const double triad = rc ? 0 : seconds_of(y, queue_triad);
    if (!rc)
        rc = verdict(y, array_is_right(y, 0.5), "a triad", e);
    if (!rc) {
        json_object_set_new(j, "array_mib", json_real((double)y->n / (1 << 20)));
        json_object_set_new(j, "copy_gb_per_s", json_real(2 * (double)y->n / copy * 1e-9));
        json_object_set_new(j, "triad_gb_per_s", json_real(3 * (double)y->n / triad * 1e-9));
    }
    forget(y);
    return rc;
}

static double wait_us(const struct yard *y)
{
    double best = INFINITY;
    void *p = cuda_memory(sizeof(float) * 4 * 3);
    float *f = p;
    for (int k = 0; k < 100 && p; k++) {
        const double start = clock_s();
        if (triad_cuda(&y->c, 4, 0.5f, f, f + 4, f + 8) || cuda_wait(&y->c))
            break;
        best = fmin(best, clock_s() - start);
    }
    cuda_release(p);
    return isfinite(best) ? best * 1e6 : 0;
}

static void note(json_t *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(json_t *notes, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    json_array_append_new(notes, json_string(text));
}

static json_t *facts_of(const struct cuda_facts *f)
{
    json_t *j = json_object(), *notes = json_array();
    json_object_set_new(j, "emulated", json_boolean(f->emulated));
    json_object_set_new(j, "device", json_string(f->name));
    json_object_set_new(j, "pci", json_string(f->pci));
    json_object_set_new(j, "number", json_integer(f->number));
    json_object_set_new(j, "devices", json_integer(f->n_devices));
    json_object_set_new(j, "capability", json_real(f->capability / 10.0));
    json_object_set_new(j, "multiprocessors", json_integer(f->multiprocessors));
    json_object_set_new(j, "highest_clock_mhz", json_real(f->clock_khz / 1000.0));
    json_object_set_new(j, "highest_memory_clock_mhz", json_real(f->memory_clock_khz / 1000.0));
    json_object_set_new(j, "memory_bus_bits", json_integer(f->bus_bits));
    json_object_set_new(j, "ecc", json_boolean(f->ecc));
    json_object_set_new(j, "memory_mb", json_real((double)f->memory_bytes * 1e-6));
    json_object_set_new(j, "free_mb", json_real((double)f->free_bytes * 1e-6));
    json_object_set_new(j, "cuda_driver", json_integer(f->driver));
    json_object_set_new(j, "cuda_runtime", json_integer(f->runtime));
    json_object_set_new(j, "cublaslt", json_integer(f->products));
    json_object_set_new(j, "nccl", json_integer(f->exchange));
    if (f->emulated)
        note(notes, "emulated on a processor: no number here is of a device");
    if (f->n_devices > 1)
        note(notes, "%d devices are seen; number %d was used", f->n_devices, f->number);
    if (f->capability != 80 && f->capability != 90)
        note(notes, "capability %d.%d: tuned for 8.0 and 9.0 only", f->capability / 10,
             f->capability % 10);
    if (!f->ecc && !f->emulated)
        note(notes, "memory without error correction (ECC is off or not there)");
    if ((double)f->free_bytes < 0.9 * (double)f->memory_bytes)
        note(notes,
             "%.0f of %.0f MB of the memory were taken when the device was opened, by that and by others",
             (double)(f->memory_bytes - f->free_bytes) * 1e-6, (double)f->memory_bytes * 1e-6);
    json_object_set_new(j, "notes", notes);
    return j;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct yard y = { 0 };
    struct cuda_facts f;
    const char *why;
    (void)a;
    if (opt.product < 1 || opt.product > 65536 || opt.mib < 1 || opt.mib > 65536 ||
        !(opt.seconds > 0))
        return err_set(e, RC_USAGE, "--product and --mib are 1 to 65536, --seconds above 0");
    if (!cuda_open(&y.c, true, &why))
        return err_set(e, RC_SKIP, "%s", why);
    cuda_facts(&f);
    json_t *j = facts_of(&f);
    enum rc rc = RC_OK;
    if (!opt.facts) {
        json_object_set_new(j, "wait_us", json_real(wait_us(&y)));
        rc = products(&y, j, e);
        if (!rc)
            rc = passes(&y, f.free_bytes, j, e);
    }
    char *text = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (!rc && text)
        printf("%s\n", text);
    else if (!rc)
        rc = err_set(e, RC_FAIL, "no memory");
    free(text);
    json_decref(j);
    cuda_close(&y.c);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "bench-device", "", "Facts and peaks of a device", "Prints one JSON line.", opts, 0, 0
    };
    return tool_main(&tool, run, argc, argv);
}
