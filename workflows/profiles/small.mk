# Profile small: only variables. All real cells that lie near at hand, both species: about 12,000.
inputs_manifest := manifests/inputs/demo.tsv manifests/inputs/small.tsv

# Tables of the published size, in exact mode; what that costs is in workflows/knowledge.mk's log.
knowledge_dim := 768
knowledge_passes := 10

# What network benchmarks take as truth: how much of it the prior knowledge was told.
beeline := benchmarks/beeline_genelink
benchmark_truths := $(foreach k,nonspecific specific string,$(foreach d,hESC hHEP mDC mESC,\
	beeline-$(k)-$(d)=$(beeline)/$(k)/$(d)_TFs500/BL--network.csv))

# The published Small shape (six layers, 256 wide) on the 512 strongest genes of a cell: on two cores
# with AVX2 about 20 minutes, and far below what guessing by frequency reaches.
pretrain_steps := 450
pretrain_batch := 16
pretrain_lr := 1e-3
pretrain_warmup := 45
pretrain_eval_every := 50
pretrain_checkpoint_every := 150
