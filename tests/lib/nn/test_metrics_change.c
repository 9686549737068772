/* Agreement of predicted with measured changes, on numbers that can be followed by hand. */
#include "lib/nn/metrics_change.h"
#include "tests/tap.h"

int main(void)
{
    const double control[] = { 1, 1, 1, 0, 2 }, truth[] = { 2, 0, 1, 0, 0 },
                 predicted[] = { 3, 2, 2, 0, 2 };
    const struct change c = { 5, predicted, truth, control },
                        still = { 5, control, truth, control };
    const uint32_t two[] = { 1, 0 }, ranked[] = { 4, 1, 3, 0, 2 };
    struct change_metrics m;
    uint32_t gene[5];
    ok(!change_metrics_get(&c, NULL, 0, &m, NULL), "changes of five genes are measured");
    ok(near(m.mse, 10.0 / 5, 1e-15, 0), "mean square of 1, 2, 1, 0, 2");
    ok(near(m.deviation, 6, 1e-15, 0), "sum of 1, 2, 1, 0, 2");
    ok(m.wrong_direction == 1, "up against down is the wrong direction");
    ok(m.other_sign == 3, "a change against none has another sign too, none against none not");
    ok(!change_metrics_get(&c, two, 2, &m, NULL) && near(m.mse, 2.5, 1e-15, 0) &&
           near(m.deviation, 3, 1e-15, 0),
       "the same over two genes");
    ok(!change_metrics_get(&still, NULL, 0, &m, NULL) && m.wrong_direction == 0 &&
           m.other_sign == 3 && isnan(m.pearson),
       "predicting the control is never the wrong direction and has no correlation");
    ok(change_non_dropout(&c, ranked, 5, 3, gene) == 3 && gene[0] == 3 && gene[1] == 0 &&
           gene[2] == 2,
       "genes that are lost from the measured cells are left out, those never there are not");
    ok(change_non_dropout(&c, ranked, 2, 3, gene) == 0, "there may be none");
    return tap_end();
}
