"""A small genome, its genes, and reads of known counts: tests/bin-src/quantify.t.sh.

    python3 tests/make-reads.py FOLDER CHEMISTRY [SEED]

Writes genome.fa, genes.gtf, whitelist.txt (10x chemistries), R1_L1.fastq.gz, R2_L1.fastq.gz, R1_L2...,
R2_L2... (barcodes in R1), and truth.tsv with lines "barcode gene count". A count is a number of
molecules: each has a UMI of its own and one to three reads. Among the reads are some of every kind
that must not change a count: barcodes with one wrong base, UMIs that are another's with one wrong
base, foreign barcodes, UMIs of one letter, UMIs with N, reads from outside of genes and from the
opposite strand."""
import gzip
import random
import sys

folder, chemistry = sys.argv[1:3]
rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
CB, UMI = {"10xv2": (16, 10), "10xv3": (16, 12), "dropseq": (12, 8)}[chemistry]
READ, CELLS, GENES = 91, 24, 30


def dna(n):
    return "".join(rng.choice("ACGT") for _ in range(n))


def far_apart(n, length, least):
    """Words that differ in at least `least` letters from each other."""
    words = []
    while len(words) < n:
        w = dna(length)
        if all(sum(a != b for a, b in zip(w, v)) >= least for v in words) and len(set(w)) > 1:
            words.append(w)
    return words


def wrong_base(word, at):
    return word[:at] + rng.choice([c for c in "ACGT" if c != word[at]]) + word[at + 1:]


def reverse(s):
    return s[::-1].translate(str.maketrans("ACGT", "TGCA"))


# Two chromosomes; a gene has two exons with an intron between them.
chromosome = {"chrA": "", "chrB": ""}
genes = []
for i in range(GENES):
    c = "chrA" if i % 2 == 0 else "chrB"
    chromosome[c] += dna(400)
    at = len(chromosome[c])
    one, intron, two = dna(350), "GT" + dna(246) + "AG", dna(450)
    strand = "+" if i % 3 else "-"
    if strand == "-":  # the intron's ends as the other strand reads them
        intron = "CT" + intron[2:-2] + "AC"
    chromosome[c] += one + intron + two
    mrna = one + two
    genes.append((f"ENSG{i + 1:011d}", f"GENE{i + 1}", c, at, strand, mrna if strand == "+" else reverse(mrna)))
for c in chromosome:
    chromosome[c] += dna(600)
with open(f"{folder}/genome.fa", "w") as f:
    for c, s in chromosome.items():
        f.write(f">{c} made up\n")
        for k in range(0, len(s), 60):
            f.write(s[k:k + 60] + "\n")
with open(f"{folder}/genes.gtf", "w") as f:
    f.write("#!made up\n")
    for gene, name, c, at, strand, _ in genes:
        tag = f'gene_id "{gene}"; transcript_id "{gene}T"; gene_name "{name}"; gene_biotype "protein_coding";'
        for what, a, b in (("gene", 0, 1050), ("transcript", 0, 1050), ("exon", 0, 350), ("exon", 600, 1050)):
            f.write("\t".join([c, "test", what, str(at + a + 1), str(at + b), ".", strand, ".", tag]) + "\n")

barcodes = far_apart(3 * CELLS, CB, 4)
used, foreign = barcodes[:CELLS], far_apart(4, CB, 4)
foreign = [w for w in foreign if all(sum(a != b for a, b in zip(w, v)) > 2 for v in barcodes)]
if chemistry != "dropseq":
    with open(f"{folder}/whitelist.txt", "w") as f:
        f.write("".join(w + "\n" for w in barcodes))

reads, truth = [], []


def add(barcode, umi, cdna):
    if len(cdna) == READ:
        reads.append((barcode + umi, cdna))


def piece(gene):
    mrna = gene[5]
    at = rng.randrange(len(mrna) - READ)
    return mrna[at:at + READ]


for cell in used:
    umis = iter(far_apart(170, UMI, 3))
    for gene in genes:
        n = rng.choice([0, 0, 1, 2, 3, 5, 8])
        for k in range(n):
            umi = next(umis)
            for _ in range(rng.choice([1, 2, 3])):
                add(cell, umi, piece(gene))
            if k == 0:  # enough reads that the wrong one is told from the right one
                add(cell, umi, piece(gene))
                add(cell, umi, piece(gene))
                add(cell, wrong_base(umi, rng.randrange(UMI)), piece(gene))
                if chemistry != "dropseq":
                    add(wrong_base(cell, rng.randrange(CB)), umi, piece(gene))
        if n:
            truth.append((cell, gene[0], n))
    for _ in range(3):
        gene = rng.choice(genes)
        add(cell, "A" * UMI, piece(gene))
        add(cell, "N" + dna(UMI - 1), piece(gene))
        add(cell, dna(UMI), reverse(piece(gene)))
        at = gene[3] - 350
        add(cell, dna(UMI), chromosome[gene[2]][at:at + READ])
    if chemistry != "dropseq":
        for word in foreign:
            add(word, dna(UMI), piece(rng.choice(genes)))

rng.shuffle(reads)
half = len(reads) // 2
for lane, part in (("L1", reads[:half]), ("L2", reads[half:])):
    for mate, column, tail in (("R1", 0, "GG" if chemistry == "10xv3" else ""), ("R2", 1, "")):
        with gzip.open(f"{folder}/{mate}_{lane}.fastq.gz", "wt") as f:
            for i, r in enumerate(part):
                s = r[column] + tail
                f.write(f"@read{lane}{i} {mate[1]}\n{s}\n+\n{'I' * len(s)}\n")
with open(f"{folder}/truth.tsv", "w") as f:
    for t in sorted(truth):
        f.write("%s\t%s\t%d\n" % t)
