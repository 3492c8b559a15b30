#!/bin/bash
# Trains what is to be trained of a profile as one SLURM array, a task for each method, after cutting its clips here:
#     slurm/array.sh study --nodes=1 --ntasks-per-node=1 --gpus-per-node=1 --partition=…
# What follows the profile are options of sbatch. DVC takes each result over (`dvc commit`); when the array has ended,
# `dvc repro` measures and reports, and trains only what failed. Do not edit code or parameters before.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
[ $# -ge 1 ] || { echo "usage: slurm/array.sh PROFILE [OPTIONS OF SBATCH]" >&2; exit 1; }
profile=$1
shift

stages() { dvc stage list --name-only | grep -E "^$1(_$profile)?@$profile(-|\$)" || true; }
mapfile -t trainings < <(stages train)
if [ ${#trainings[@]} -eq 0 ]; then
  echo "error: $profile: no trainings; name it in \`profile\` of params.yaml, and methods in its list \`trained\`" >&2
  exit 1
fi
mapfile -t clips < <(stages clips)  # never empty where there are trainings: all of `dvc repro` would run here
dvc repro "${clips[@]}"

todo=()
for stage in "${trainings[@]}"; do
  dvc status --quiet "$stage" || todo+=("$stage")
done
if [ ${#todo[@]} -eq 0 ]; then
  echo "$profile: all ${#trainings[@]} trainings are up to date"
  exit 0
fi
echo "$profile: ${#todo[@]} of ${#trainings[@]} trainings: ${todo[*]}"
sbatch --array="0-$((${#todo[@]} - 1))" "$@" slurm/train.sbatch "$profile" "${todo[@]}"
