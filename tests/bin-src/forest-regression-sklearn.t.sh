#!/bin/bash
# Importances of regression forests beside scikit-learn's: the same quantity (the fall of the variance, not
# brought to a sum of 1), so equal but for chance, which 300 trees leave little of.
. "$SRC/tests/tool.sh"
if ! "$PYTHON" -c 'import sklearn' 2>/dev/null; then
	skip 'importances as scikit-learn has them' 'no scikit-learn on this machine'
	end
fi
cat >"$tmp/compare.py" <<'PY'
import subprocess, sys
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
program, path, kind = sys.argv[1:]
rng = np.random.default_rng(1)
n, d = 250, 9
x = rng.random((n, d))
x[:, 5:] *= x[:, 5:] > 0.6  # mostly zeros, as expression has them
y = 3 * x[:, 0] + 2 * x[:, 5] * x[:, 1] + 0.5 * x[:, 6] + 0.2 * rng.standard_normal(n)
with open(path, "wb") as f:
    np.array([n, d], "u8").tofile(f)
    y.tofile(f)
    x.tofile(f)
ours = np.array(subprocess.run([program, "--fit", path, "300", kind], capture_output=True, check=True, text=True).stdout.split(), float)
make = ExtraTreesRegressor if kind == "extra" else RandomForestRegressor
runs = []
for seed in range(3):
    m = make(300, max_features="sqrt", random_state=seed, n_jobs=1).fit(x, y)
    runs.append(np.mean([t.tree_.compute_feature_importances(normalize=False) for t in m.estimators_], 0))
theirs, spread = np.mean(runs, 0), np.ptp(runs, 0).max()
off = np.abs(ours - theirs).max()
print(f"largest difference {off:.4f} of variance {y.var():.4f}; scikit-learn's own seeds differ by {spread:.4f}")
sys.exit(0 if off <= 0.02 * y.var() and off <= 3 * spread and np.argmax(ours) == np.argmax(theirs) else 1)
PY
for kind in extra forest; do
	t "$kind trees: importances as scikit-learn has them" 0 '' "$PYTHON" "$tmp/compare.py" "$TESTS/test_forest_regression" "$tmp/x" $kind
	sed 's/^/# /' "$tmp/.stdout"
done
end
