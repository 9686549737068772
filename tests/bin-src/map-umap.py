"""Trustworthiness of a map beside that of umap-learn on the same vectors, by scikit-learn:
  map-umap.py CELLS.h5ad MAP.tsv...
Prints the means of both over seeds, of ours one for each map; the status is 4 when ours is lower by more than 0.01."""
import csv
import sys

import anndata
import numpy as np
import umap
from sklearn.manifold import trustworthiness

x = anndata.read_h5ad(sys.argv[1]).obsm["X_genecompass"].astype("f8")


def dots(path):
    with open(path, newline="") as f:
        return np.array([[float(r["x"]), float(r["y"])] for r in csv.DictReader(f, delimiter="\t")])


def text(values):
    return f"{np.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"


theirs = [trustworthiness(x, umap.UMAP(n_neighbors=15, min_dist=0.5, random_state=s, n_jobs=1).fit_transform(x), n_neighbors=14)
          for s in (1, 2, 3)]
ours = [trustworthiness(x, dots(path), n_neighbors=14) for path in sys.argv[2:]]
print(f"ours {text(ours)}, umap-learn {text(theirs)}")
sys.exit(0 if np.mean(ours) >= np.mean(theirs) - 0.01 else 4)
