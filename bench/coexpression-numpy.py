#!/usr/bin/env python3
"""bench-knowledge's coexpression in numpy: correlation of every pair of genes over the cells that express both, from dense products
of float32, on counts drawn with the same frequencies. Same JSON keys.
  coexpression-numpy.py [--genes N] [--cells N] [--density X] [--least N]"""
import argparse
import json
import time

import numpy as np

p = argparse.ArgumentParser()
p.add_argument("--genes", type=int, default=5000)
p.add_argument("--cells", type=int, default=2896)
p.add_argument("--density", type=float, default=0.15)
p.add_argument("--least", type=int, default=30)
a = p.parse_args()

rng = np.random.default_rng(1)
fall = 1 / (1 + 8 * np.arange(a.genes) / a.genes)
share = np.minimum(0.98, a.density * a.genes / fall.sum() * fall)
x = np.where(rng.random((a.cells, a.genes)) < share, 1 + np.floor(12 * rng.random((a.cells, a.genes)) ** 6), 0).astype(np.float32)
density = float((x > 0).mean())

start = time.perf_counter()
x = x[:, (x > 0).sum(0) >= a.least]
m = (x > 0).astype(np.float32)
n, sx, sxx, sxy = (u.T @ v for u, v in ((m, m), (x, m), (x * x, m), (x, x)))
with np.errstate(invalid="ignore", divide="ignore"):
    top = n * sxy - sx * sx.T
    var = n * sxx - sx * sx
    r = top / np.sqrt(var * var.T)
ok = np.triu((n >= a.least) & (var > 0) & (var.T > 0), 1)
above = int((r[ok] > 0.8).sum())
took = time.perf_counter() - start
print(json.dumps({"bench": "coexpression", "genes": x.shape[1], "cells": a.cells, "density": density, "pairs_defined": int(ok.sum()),
                  "above": above, "seconds": took}))
