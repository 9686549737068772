##@ Tests
# Each test program is run bare; the ones that take a folder are named here with theirs:
# the whole golden folder where ../shared is there, and always the small copy in reference/golden.
SHARED ?= $(wildcard ../shared)
golden = $(wildcard $(SHARED:=/golden/$(1)) reference/golden/$(1))
folder_tests := parity-model parity-pickle parity-corpus parity-knowledge parity-metrics \
	parity-downstream zoo
unit_tests := $(sort $(filter-out $(folder_tests:%=$B/tests/%),$(test_bin)))
golden_tests :=
tool_tests := $(sort $(wildcard tests/*/*.t.sh))

test: all ## every test; the last line is `N passed, N failed, N skipped`
	@BIN='$(abspath $B/bin)' TESTS='$(abspath $B/tests)' B='$(abspath $B)' SRC='$(CURDIR)' \
	 SHARED='$(abspath $(SHARED))' V=$(V) bash tests/run.sh $(unit_tests) $(golden_tests) $(tool_tests)
.PHONY: test
