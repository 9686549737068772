"""Random forests of scikit-learn and ours on fixed splits: accuracy on the test cells, mean over seeds.
Arguments: folder with matrix.mtx.gz, splits_SET.tsv, hvg_SET_seed0.txt, a scratch file, test_forest, trees."""
import subprocess
import sys

import numpy as np
import scipy.io
from sklearn.ensemble import RandomForestClassifier

folder, splits, hvg, scratch, program, trees = sys.argv[1:]
count = scipy.io.mmread(folder + "/matrix.mtx.gz").tocsr().T.tocsr()
total = np.asarray(count.sum(1)).ravel()
genes = [int(line) for line in open(hvg)]
x = np.log1p(1e4 * count[:, genes].toarray() / total[:, None])
rows = [line.rstrip("\n").split("\t") for line in open(splits)]
names = sorted({row[2] for row in rows[1:]})
label = np.array([names.index(row[2]) for row in rows[1:]])
ours, theirs = [], []
for seed in range(5):
    part = np.array([row[3 + seed] for row in rows[1:]])
    order = np.concatenate([np.flatnonzero(part == "train"), np.flatnonzero(part == "test")])
    n_fit = int((part == "train").sum())
    xs, ys = np.ascontiguousarray(x[order]), label[order]
    with open(scratch, "wb") as f:
        np.array([*xs.shape, len(names), n_fit], "<u8").tofile(f)
        ys.astype("<u4").tofile(f)
        xs.astype("<f8").tofile(f)
    said = subprocess.run([program, "--fit", scratch, trees], check=True, capture_output=True, text=True).stdout.split()
    ours.append(np.mean(np.array(said, int) == ys[n_fit:]))
    forest = RandomForestClassifier(int(trees), random_state=seed).fit(xs[:n_fit], ys[:n_fit])
    theirs.append(np.mean(forest.predict(xs[n_fit:]) == ys[n_fit:]))
print(f"accuracy {np.mean(ours):.4f}, scikit-learn {np.mean(theirs):.4f}")
sys.exit(not abs(np.mean(ours) - np.mean(theirs)) <= 0.02)
