# profile-drug: expression after drugs that nobody trained on (profile-drug --help). Figure 4d of the paper:
#   profile-drug/simulated   made-up effects, which are known, of the real drugs and genes of DeepCE; in profile test both are
#                            made up, too
#   profile-drug/l1000       L1000, where profile_drug_l1000 names the folder of DeepCE's signature_{train,dev,test}.csv
#   clean, as-released       each of them: splits x trainings; one training with the vectors through layers of chance
# metrics.tsv and comparisons.tsv join them, of as-released the rows that clean has not. Vectors of genes are those of networks-vectors. A call that was broken
# off goes on after the last epoch. Inputs are fetched by the stage itself: no other wants these files.
profile_drug_manifest ?= manifests/inputs/drugs.tsv
profile_drug_l1000 ?= $(patsubst %/signature_train.csv,%,$(wildcard $(MIRROR:=/benchmarks/deepce/signature_train.csv)))
# The published network: 120 epochs, width 128, batch 32, rate 2e-4 (the tool's own values).
profile_drug_l1000_network ?=
profile_drug_simulated ?= --n-drugs 400 --n-genes 100 --cells 2 --doses 1 --replicates 3
profile_drug_splits ?= 5
profile_drug_seeds ?= 2
profile_drug_network ?= --epochs 20 --width 32 --heads 2 --projected 16 --batch 8 --lr 2e-3
profile_drug_vectors := $(if $(strip $(networks_cells)),$R/networks-vectors/genes.h5ad)
params/profile-drug := $(if $(with_indigo),,indigo: none) $(profile_drug_simulated) --splits $(profile_drug_splits) \
	--seeds $(profile_drug_seeds) $(profile_drug_network) --backend $(BACKEND) --seed $(seed) \
	$(if $(profile_drug_vectors),vectors: model) $(if $(profile_drug_l1000),data: L1000 $(profile_drug_l1000_network))
profile_drug_made := $(if $(filter test,$(PROFILE)),$R/simulate/truth/genes.tsv)

# Thirty drugs, heads with tails, and sixty genes that the cells know.
profile_drug_make = mkdir -p $(@D)/made; awk 'BEGIN { n = split("C N O S FC ClC", tail, " "); \
	m = split("C CC CCC c1ccccc1 C1CCNCC1", head, " "); for (i = 1; i <= m; i++) for (j = 1; j <= n; j++) \
	print "DRUG" i j "," tail[j] "C(=O)" head[i] }' >$(@D)/made/drugs_smiles.csv; \
	awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) col[$$i] = i; next } \
	$$col["species"] == "human" && $$col["base"] > 0 && n++ < 60 { printf "%s", $$col["name"]; \
	for (k = 1; k <= 6; k++) printf ",%.4f", sin(n * k); print "" }' $(profile_drug_made) >$(@D)/made/gene_vector.csv;

# $(call profile_drug_evaluate,SIGNATURES,SET,folder of lists,options)
profile_drug_evaluate = $(tool)profile-drug evaluate $(1) --dataset $(2) --drugs $(3)/drugs_smiles.csv --genes \
	$(3)/gene_vector.csv --skip-bad $(if $(profile_drug_vectors),--vectors $(profile_drug_vectors) --least-overlap 0.3) $(4) \
	--restart-if-changed --seed $(seed) --backend $(BACKEND) --threads $(THREADS) $(quiet) --out $(@D)/$(2)
profile_drug_both = $(call profile_drug_evaluate,$(1),$(2),$(3),$(4) --splits $(profile_drug_splits) --seeds \
	$(profile_drug_seeds))/clean --report $(@D)/$(2)/report.json; $(if $(profile_drug_vectors),$(call \
	profile_drug_evaluate,$(1),$(2),$(3),$(4) --as-released)/as-released;)

$R/profile-drug/MANIFEST.tsv: $(profile_drug_manifest) $B/bin/fetch $B/bin/profile-drug $R/profile-drug/params \
		$(if $(profile_drug_vectors),$R/networks-vectors/MANIFEST.tsv) $(if $(profile_drug_made),$R/simulate/MANIFEST.tsv) \
		$(if $(profile_drug_l1000),$(wildcard $(profile_drug_l1000)/signature_*.csv)) | $(closer)
	$(reopen_stage)
	$Qfind $(@D) -type f ! -path $(@D)/params ! -name 'state-*' -delete
	$Q$(if $(profile_drug_manifest),GC_TIMES=$(@D)/time.log $B/bin/fetch $(profile_drug_manifest) --cache $(CACHE) \
		$(if $(MIRROR),--mirror '$(MIRROR)') --threads $(THREADS) --out $(@D)/inputs.tsv,:)
	$Q$(if $(profile_drug_made),$(profile_drug_make) d=$(@D)/made;,d=$(CACHE)/view/benchmarks/deepce;) \
	 if [ -z '$(with_indigo)' ]; then echo '  profile-drug: left out, built without Indigo, which reads SMILES'; \
	 elif [ ! -e "$$d/drugs_smiles.csv" ] || [ ! -e "$$d/gene_vector.csv" ]; then \
		echo '  profile-drug: left out, its drugs or genes could not be had'; \
	 else s=$(@D)/simulated/made; $(tool)profile-drug simulate --drugs "$$d/drugs_smiles.csv" --genes "$$d/gene_vector.csv" \
		--skip-bad $(profile_drug_simulated) --seed $(seed) --threads $(THREADS) --out $$s $(quiet); \
		mv $$s/drugs.csv $$s/drugs_smiles.csv; mv $$s/genes.csv $$s/gene_vector.csv; \
		$(call profile_drug_both,$$s/signatures.csv,simulated,$$s,$(profile_drug_network)) \
		$(if $(profile_drug_l1000),$(call profile_drug_both,$(profile_drug_l1000)/signature_train.csv,l1000,$$d,--dev \
			$(profile_drug_l1000)/signature_dev.csv --test $(profile_drug_l1000)/signature_test.csv \
			$(profile_drug_l1000_network)),echo '  L1000: left out: its signatures are not at hand (make fig4d \
			PROFILE=full says where they are)';) \
	 fi
	$Qprintf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 for f in $(@D)/*/*/metrics.tsv; do [ ! -e "$$f" ] || awk -F '\t' 'FNR > 1 && ($$4 == "clean" || $$3 ~ /genecompass/)' \
		"$$f" >>$(@D)/metrics.tsv; done; first=1; \
	 for f in $(@D)/*/clean/comparisons.tsv; do [ ! -e "$$f" ] || { tail -n +$$first "$$f"; first=2; }; done \
		>$(@D)/comparisons.tsv
	$(close_stage)

ifneq ($(PROFILE),full)
fig4d_draw = $(tool)figure $R/profile-drug/metrics.tsv --kind methods --claims reference/figure4d.tsv --as-released \
	--templates paper --out $(@D) $(quiet)
fig4d_note := Run: 'make fig4d PROFILE=$(PROFILE)', $(profile_drug_splits) splits over drugs x $(profile_drug_seeds) trainings of a network; \
	drugs that nobody trained on; mean and 95 % interval over splits (Student's t), as released one training. \
	Data sets named simulated are our own: they say nothing of real cells.
params/fig4d := --profile $(PROFILE)
$R/fig4d/MANIFEST.tsv: $B/bin/figure $R/fig4d/params reference/figure4d.tsv paper/common.gp paper/bars.gp \
		$R/profile-drug/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(fig4d_draw) --metric rmse --name fig4d --note "$(fig4d_note)"
	$Q$(fig4d_draw) --metric rmse --split test_last --name fig4d-last --note "$(fig4d_note)"
	$Q$(fig4d_draw) --metric pearson --name fig4d-pearson --note "$(fig4d_note)"
	$Qcp $R/profile-drug/comparisons.tsv $(@D)/fig4d-comparisons.tsv
	$(close_stage)
fig4d: $R/fig4d/MANIFEST.tsv
	@ls -d $R/fig4d/*.svg 2>/dev/null || echo '  fig4d: no drugs could be had'
else
fig4d:
	@awk -F '\t' 'NR == 1 || $$1 == "fig4d" { printf "  %-6s %-28s %-72s %s  %s\n", $$1, $$2, $$3, $$4, $$5 }' \
		manifests/figures.tsv
	@echo '  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand'
endif
fig4_parts += fig4d

##@ Results
profile-drug: $R/profile-drug/MANIFEST.tsv ## expression after drugs predicted by DeepCE and by simple methods
.PHONY: profile-drug fig4d
