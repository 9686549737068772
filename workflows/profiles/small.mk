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

# Everything that names cells: some three quarters of the time are the model and its two controls,
# so these see 32 genes of a cell, twice. The sum for Figure 3 is in workflows/fig3.mk.
annotate_seeds := 3
annotate_tune := full
annotate_rivals := tosica geneformer
annotate_sizes := --tune-epochs 2 --tune-genes 32 --tune-lr 1e-3 --rival-epochs 10 --geneformer-genes 64

# Pancreas of mouse and human, both ways, and a whole mouse against the same human cells. The check of that mouse against
# itself, baron_mouse1:itself:0.3, takes as long as the other three. The paper has 20 seeds.
cross_species_pairs := baron_pair_mouse:baron_pair_human:same baron_pair_human:baron_pair_mouse:same \
	baron_mouse1:baron_pair_human
cross_species_seeds := 3
report_stages := fetch tables vocab median tokenize knowledge knowledge-report pretrain map map-random \
	map-counts annotate ledger corpus-ledger cross-species

# Regulators that many of the cells show, with targets in public lists. The lists are human; mouse genes with
# a human homolog have its token, so they serve for both.
perturb_real := pbmc_sorted:JUN,FOS,SPI1,STAT1,KLF6,CEBPB baron_mouse1:Jun,Fos,Atf3,Nkx6-1,Pdx1,Neurod1
perturb_controls := 10
perturb_max_cells := 50
# Fibroblasts towards embryonic stem cells by the four genes that reprogram them.
perturb_states := islam2011:MEF:ESC:Pou5f1+Sox2+Klf4+Myc
# The paper's two regulators of stem cells, which this model does not see in these, and others that it sees.
perturb_downs := islam2011:ESC:MEF:Zfp131,Zbtb11,Pou5f1,Sox2,Nanog
# No set here has gonadal cells: ducts of the pancreas towards two of its endocrine types.
perturb_screens := baron_mouse1:ductal:beta,delta

homology_pair := sc_cross_species/baron_pancreas_pair/human:sc_cross_species/baron_pancreas_pair/mouse
homology_types := beta alpha delta macrophage activated_stellate

# Human cells whose genes are judged; statistics of genes from the raw counts of three sets.
dosage_samples := pbmc_donor_a pbmc_sorted breast_tumour pbmc_1k_v2
dosage_expression := sc_human/pbmc_donor_a sc_human/breast_tumour_copykat sc_human/pbmc_sorted_reference
# Blood cells: dendritic cells, whose networks are asked for, are among them. Names of genes are human.
networks_cells := pbmc_sorted
