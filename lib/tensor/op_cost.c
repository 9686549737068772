#include "lib/tensor/op_cost.h"

/* reals: numbers read or written. */
static struct op_cost cost(double flop, double reals, size_t real)
{
    return (struct op_cost){ flop, reals * (double)real };
}

struct op_cost op_cost_linear(const struct op_linear *o, bool backward, size_t real)
{
    const double n = (double)o->n, in = (double)o->in, out = (double)o->out;
    const double act = o->act == ACT_NONE ? 0 : n * out;
    if (!backward)
        return cost(2 * n * in * out, n * in + in * out + n * out + act, real);
    const bool dx = o->dx || o->dx_low;
    const double products = (dx ? 1 : 0) + (o->dw ? 1 : 0);
    double reals = n * out + act;
    if (dx)
        reals += in * out + 2 * n * in;
    if (o->dw)
        reals += n * in + 2 * in * out;
    return cost(products * 2 * n * in * out, reals, real);
}

struct op_cost op_cost_act(const struct op_act *o, bool backward, size_t real)
{
    const double m = (double)o->m;
    return cost(m, (backward ? 4 : 2) * m, real);
}

struct op_cost op_cost_norm(const struct op_norm *o, bool backward, size_t real)
{
    const double m = (double)o->n * (double)o->d, r = o->r ? 1 : 0;
    const double x = o->x_low ? 0.5 : 1; /* rounded: half of a float */
    if (!backward) /* x, r read; the sum and y written */
        return cost((8 + r) * m, (2 * x + 1 + r + (o->y_low ? 0.5 : 0)) * m, real);
    const double dx = o->dx_low ? 0.5 : o->dx ? 2 : 0;
    return cost(12 * m, (1 + x + dx + (!o->dr ? 0 : o->dr_first ? 1 : 2)) * m, real);
}

struct op_cost op_cost_dropout(const struct op_dropout *o, bool backward, size_t real)
{
    const double m = (double)o->n * (double)o->d;
    return cost(m, (backward ? 3 : 2) * m, real);
}

struct op_cost op_cost_gather(const struct op_gather *o, bool backward, size_t real)
{
    const double m = (double)o->n * (double)o->d;
    return cost(backward ? m : 0, (backward ? 3 : 2) * m, real);
}

struct op_cost op_cost_gather_axpy(const struct op_gather_axpy *o, bool backward, size_t real)
{
    const double m = (double)o->n * (double)o->d;
    return cost((backward ? 3 : 2) * m, (backward ? 4 : 2) * m, real);
}

struct op_cost op_cost_add_position(const struct op_add_position *o, bool backward, size_t real)
{
    const double m = (double)o->n * (double)o->d;
    return cost((backward ? 3 : 2) * m, (backward ? 6 : 3) * m, real);
}

struct op_cost op_cost_add_species(const struct op_add_species *o, bool backward, size_t real)
{
    const double m = o->n_cells ? (double)o->first[o->n_cells] * (double)o->d : 0;
    return cost(backward ? m : 0, (backward ? 3 : 2) * m, real);
}

struct op_cost op_cost_attention(const struct op_attention *o, bool backward, size_t real)
{
    double pairs = 0; /* sum of T^2, or of T where one row asks */
    for (size_t c = 0; c < o->n_cells; c++) {
        const double T = (double)(o->first[c + 1] - o->first[c]);
        pairs += o->first_only ? T : T * T;
    }
    const double m = (double)o->n * (double)o->d, few = (double)o->n_cells * (double)o->d;
    const double reals = backward ? 11 * m : o->first_only ? 2 * m + 2 * few : 4 * m;
    return cost((backward ? 8 : 4) * pairs * (double)o->d, reals, real);
}

struct op_cost op_cost_id_loss(const struct op_id_loss *o, size_t real)
{
    const double n = (double)o->n, V = (double)o->n_class, d = (double)o->d;
    const double products = 1 + (o->dz ? 1 : 0) + (o->de ? 1 : 0);
    return cost(products * 2 * n * V * d, n * d * products + V * d * (o->de ? 3 : 1), real);
}

struct op_cost op_cost_square_loss(const struct op_square_loss *o, size_t real)
{
    return cost(3 * (double)o->n, 3 * (double)o->n, real);
}

struct op_cost op_cost_axpy(const struct op_axpy *o, size_t real)
{
    return cost(2 * (double)o->n, 3 * (double)o->n, real);
}

/* p, m and v read and written, g read. */
struct op_cost op_cost_adamw(const struct op_adamw *o, size_t real)
{
    double n = 0;
    for (size_t s = 0; s < o->n_segments; s++)
        n += (double)(o->begin[s + 1] - o->begin[s]);
    return cost(14 * n, 7 * n, real);
}
