/* lib/report/map_number.h: numbers lie on many cells of their group, and not on each other. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/report/map_number.h"
#include "tests/tap.h"

/* n cells in a disc of radius 30, by the golden angle. */
static void disc(double *x, double *y, size_t n, double cx, double cy)
{
    for (size_t i = 0; i < n; i++) {
        const double r = 30 * sqrt((double)i / (double)n), a = 2.399963 * (double)i;
        x[i] = cx + r * cos(a);
        y[i] = cy + r * sin(a);
    }
}

int main(void)
{
    enum { N = 201 };
    double x[N], y[N];
    disc(x, y, 120, 200, 500);
    disc(x + 120, y + 120, 80, 820, 500);
    x[200] = 448; /* a stray cell at the mean of both */
    y[200] = 500;
    size_t at = map_number_cell(x, y, N);
    ok(hypot(x[at] - 200, y[at] - 500) < 10, "the middle of the larger part, not the stray cell");
    ok(map_number_cell(x + 120, y + 120, 80) < 80 &&
           hypot(x[120 + map_number_cell(x + 120, y + 120, 80)] - 820, 0) < 10,
       "the middle of one part");
    ok(map_number_cell(x + 200, y + 200, 1) == 0, "of one cell that one");

    double even_x[] = { 100, 100, 900, 900, 520 }, even_y[] = { 500, 500, 500, 500, 500 };
    at = map_number_cell(even_x, even_y, 5);
    ok(at == 2, "of two parts as dense the one nearer to the mean");
    double edge_x[] = { 1000, 1000.5, 0 }, edge_y[] = { 1000, 1000, -0.5 };
    ok(map_number_cell(edge_x, edge_y, 3) < 2, "cells at the edge count for the squares there");

    double place[][2] = { { 500, 500 }, { 500, 500 }, { 505, 500 }, { 100, 100 } };
    map_number_spread(place, 4, 20);
    bool apart = true;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            apart = apart && hypot(place[i][0] - place[k][0], place[i][1] - place[k][1]) > 39.9;
    ok(apart, "no disc lies on another");
    ok(place[3][0] == 100 && place[3][1] == 100, "one that lies alone stays");
    return tap_end();
}
