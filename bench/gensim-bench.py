#!/usr/bin/env python3
"""gensim's speed on the pairs that bench-knowledge takes: same settings, same JSON keys.
  gensim-bench.py --pairs FILE [--dim 768] [--passes 3] [--threads N] [--repeat N]"""
import argparse
import json
import random
import time

from gensim.models import Word2Vec

p = argparse.ArgumentParser()
p.add_argument("--pairs", required=True)
p.add_argument("--dim", type=int, default=768)
p.add_argument("--passes", type=int, default=3)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--repeat", type=int, default=3)
a = p.parse_args()

pairs = [line.split() for line in open(a.pairs)]
best = (float("inf"), 0)
for _ in range(a.repeat):
    m = Word2Vec(vector_size=a.dim, window=1, min_count=1, sg=1, negative=5, workers=a.threads, epochs=1)
    m.build_vocab(pairs)
    took = cpu = 0.0
    for _ in range(a.passes):
        random.shuffle(pairs)
        start, before = time.perf_counter(), time.process_time()
        m.train(pairs, total_examples=len(pairs), epochs=1)
        took += time.perf_counter() - start
        cpu += time.process_time() - before
    best = min(best, (took, cpu / took / a.threads))
print(json.dumps({"bench": "gene2vec", "mode": "gensim", "dim": a.dim, "genes": len(m.wv), "pairs": len(pairs),
                  "threads": a.threads, "seconds": best[0], "cpu_share": best[1],
                  "pairs_per_s": a.passes * len(pairs) / best[0]}))
