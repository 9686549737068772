##@ Tests
# Each test program is run bare. The ones that take a folder in the layout of a golden folder are
# run on every such folder: the whole one where ../shared is there, and always the small copy in
# reference/golden. A fuzz target is run over the inputs kept for it in tests/fuzz/NAME.
SHARED ?= $(wildcard ../shared)
$(if $(SHARED),$(call one_word,SHARED))

# program: its folders, below golden/
folders/parity-model := model
folders/parity-pickle := pickle
folders/parity-corpus := corpus
folders/parity-knowledge := knowledge
folders/parity-metrics := downstream/metrics metrics
folders/parity-downstream := downstream/*_tiny downstream/perturb_baselines downstream/came_real
folders/zoo := formats
folder_tests := parity-model parity-pickle parity-corpus parity-knowledge parity-metrics \
	parity-downstream zoo

golden = $(foreach f,$(1),$(wildcard $(SHARED:=/golden/$(f)) reference/golden/$(f)))
folder_jobs = $(foreach p,$(filter $(folder_tests),$(notdir $(test_bin))),$(foreach \
	d,$(call golden,$(folders/$(p))),'$B/tests/$(p) $(d)')) $(foreach \
	d,$(call golden,$(folders/parity-model)),'$B/tests/parity-model $(d) --backend cpu-bf16' \
		'$B/tests/parity-model $(d) --backend cpu-avx2')
# Damaged copies of each seed; `make fuzz` looks for longer. Under sanitizers, which are ten times slower, `check` asks for fewer.
fuzz_mutations ?= 1000
fuzz_jobs = $(foreach f,$(fuzz_src:tests/fuzz/%.c=%),'$B/tests/$(f) --mutate $(fuzz_mutations) $(wildcard \
	$(f:fuzz_%=tests/fuzz/%))')
unit_tests := $(filter-out $(folder_tests:%=$B/tests/%) $B/tests/fuzz_%,$(sort $(test_bin)))
tool_tests := $(sort $(wildcard tests/*/*.t.sh))
tree_tests := $(sort $(wildcard tests/*.t.sh))

run_tests = B='$B' SHARED='$(SHARED)' V='$(V)' bash tests/run.sh

test: all ## every test; the last line is `N passed, N failed, N skipped`
	@$(run_tests) $(unit_tests) $(folder_jobs) $(cuda_jobs) $(cuda_device_jobs) $(fuzz_jobs) $(tool_tests) \
		$(tree_tests)

# Some tests open our files with the field's own Python packages, where this folder has them.
VENV := .venv
venv: $(VENV)/done ## the Python packages that some tests compare with, in .venv
$(VENV)/done: tests/requirements.txt
	rm -rf $(VENV)
	python3 -m venv $(VENV)
	$(VENV)/bin/python3 -m pip install --quiet -r $<
	@touch $@
.PHONY: test venv
