#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# deepep-v25.sh [FOLDER]: edit the headers of published DeepEP 2.5 and compile them with nvcc. Loads
# its wheel and NCCL's by name through pip, into FOLDER or a temporary one; runs no code of theirs.
# Not part of make test: it needs a network, nvcc, and half a gigabyte.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

wheels=(sgl-deep-ep-v25==0.1.0rc0 nvidia-nccl-cu13==2.32.3)
folder=${1:-}
if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
[[ -x $nvcc ]] || { echo "deepep-v25: nvcc is missing" >&2 && exit "$SKIP"; }

python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 -d "$folder" "${wheels[@]}"
for wheel in "$folder"/*.whl; do
    python3 -m zipfile -e "$wheel" "$folder/unpacked"
done

install -d -m 700 "$folder/cache"
PYTHONPATH=python python3 - "$folder/unpacked" "$nvcc" "$folder/cache" <<'PYTHON'
import importlib.util
import os
import sys

# Without the package's __init__, which wants NumPy and the library.
path = os.path.join("python", "deepxtrace", "adapters")
spec = importlib.util.spec_from_loader("adapters", None, is_package=True)
adapters = importlib.util.module_from_spec(spec)
adapters.__path__ = [path]
sys.modules["adapters"] = adapters
build = importlib.import_module("adapters._deepep_build")
unpacked, nvcc, cache = sys.argv[1:]
compiler = build.Compiler(nvcc, "90a", os.path.join(unpacked, "nvidia", "nccl"))
try:
    headers = build.prepare(os.path.join(unpacked, "deep_ep_v25"), compiler, cache)
except build.Unusable as error:
    sys.exit(f"deepep-v25: DeepEP 2.5: {error}")
print(f"DeepEP 2.5: edited, compiled; counters at byte {headers.offset} of the workspace")
with open(os.path.join(headers.root, "trial.log"), encoding="utf-8") as log:
    for line in log:
        if "spill" in line or "Used" in line:
            print("  " + line.strip())
PYTHON
