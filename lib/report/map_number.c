#include "lib/report/map_number.h"

#include <math.h>
#include <stdbool.h>

enum { SQUARES = 25, SIDE = 1000 };

static size_t square_of(double at)
{
    const double k = floor(at * SQUARES / SIDE);
    return k <= 0 ? 0 : k >= SQUARES ? SQUARES - 1 : (size_t)k;
}

/* Columns or rows of the place around k: from the result to end - 1. */
static size_t around(size_t k, size_t *end)
{
    *end = k + 1 < SQUARES ? k + 2 : SQUARES;
    return k ? k - 1 : 0;
}

static size_t cells_around(size_t count[SQUARES][SQUARES], size_t column, size_t row)
{
    size_t n = 0, right, top;
    for (size_t r = around(row, &top); r < top; r++)
        for (size_t c = around(column, &right); c < right; c++)
            n += count[r][c];
    return n;
}

static double from_square(size_t k, double at)
{
    return ((double)k + 0.5) * SIDE / SQUARES - at;
}

size_t map_number_cell(const double *x, const double *y, size_t n)
{
    size_t count[SQUARES][SQUARES] = { 0 }, most = 0, column = 0, row = 0, right, top, at = 0;
    double mean[2] = { 0, 0 }, near = INFINITY, part[2] = { 0, 0 };
    for (size_t i = 0; i < n; i++) {
        count[square_of(y[i])][square_of(x[i])]++;
        mean[0] += x[i] / (double)n;
        mean[1] += y[i] / (double)n;
    }
    for (size_t r = 0; r < SQUARES; r++)
        for (size_t c = 0; c < SQUARES; c++) {
            const size_t here = cells_around(count, c, r);
            const double far = hypot(from_square(c, mean[0]), from_square(r, mean[1]));
            if (here < most || (here == most && far >= near))
                continue;
            most = here;
            near = far;
            column = c;
            row = r;
        }
    const size_t left = around(column, &right), bottom = around(row, &top);
    for (int pass = 0; pass < 2; pass++) { /* their mean, then the cell nearest to it */
        near = INFINITY;
        for (size_t i = 0; i < n; i++) {
            const size_t c = square_of(x[i]), r = square_of(y[i]);
            if (c < left || c >= right || r < bottom || r >= top)
                continue;
            if (pass == 0) {
                part[0] += x[i] / (double)most;
                part[1] += y[i] / (double)most;
            } else if (hypot(x[i] - part[0], y[i] - part[1]) < near) {
                near = hypot(x[i] - part[0], y[i] - part[1]);
                at = i;
            }
        }
    }
    return at;
}

void map_number_spread(double (*at)[2], size_t n, double r)
{
    enum { ROUNDS = 200 };
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS; round++) {
        moved = false;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < i; k++) {
                double dx = at[i][0] - at[k][0], dy = at[i][1] - at[k][1], d = hypot(dx, dy);
                if (d >= 2 * r)
                    continue;
                const double push = r - d / 2 + 0.01; /* each goes half of the way */
                dx = d > 0 ? dx / d : 1;
                dy = d > 0 ? dy / d : 0;
                at[i][0] += push * dx;
                at[i][1] += push * dy;
                at[k][0] -= push * dx;
                at[k][1] -= push * dy;
                moved = true;
            }
    }
}
