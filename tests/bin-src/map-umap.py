"""Trustworthiness of a map beside that of umap-learn on the same vectors, by scikit-learn:
  map-umap.py CELLS.h5ad MAP.tsv
Prints both, umap-learn's as the mean of three seeds; the status is 4 when the map's is lower by more than 0.01."""
import csv
import sys

import anndata
import numpy as np
import umap
from sklearn.manifold import trustworthiness

x = anndata.read_h5ad(sys.argv[1]).obsm["X_genecompass"].astype("f8")
with open(sys.argv[2], newline="") as f:
    y = np.array([[float(r["x"]), float(r["y"])] for r in csv.DictReader(f, delimiter="\t")])
theirs = [trustworthiness(x, umap.UMAP(n_neighbors=15, min_dist=0.5, random_state=s, n_jobs=1).fit_transform(x), n_neighbors=14)
          for s in (1, 2, 3)]
ours = trustworthiness(x, y, n_neighbors=14)
print(f"ours {ours:.4f}, umap-learn {np.mean(theirs):.4f} ({min(theirs):.4f} to {max(theirs):.4f})")
sys.exit(0 if ours >= np.mean(theirs) - 0.01 else 4)
