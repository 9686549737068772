/* Where the number of a group stands on a map of cells. */
#ifndef GC_REPORT_MAP_NUMBER_H
#define GC_REPORT_MAP_NUMBER_H

#include <stddef.h>

/* The cell of a group that its number stands on: among the cells of the group's densest place, the
 * one nearest to their mean. A place is three by three squares of a grid of 25 by 25 over the map;
 * of equally dense ones the one nearest to the group's mean. So a number lies on many of its cells,
 * not between two parts of the group and not on a stray one between them.
 *
 * x, y: n cells of the group, 0 to 1000 (others count for the square at the edge); n >= 1. The
 * result is below n and does not depend on where in the list a cell stands unless two share a
 * place. */
size_t map_number_cell(const double *x, const double *y, size_t n);

/* Discs of radius r at n places that overlap move away from each other, pair by pair, until none
 * does or it is late. */
void map_number_spread(double (*at)[2], size_t n, double r);

#endif
