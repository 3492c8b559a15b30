#!/bin/bash
# Minutes of one GPU become weights and tables; everything, the writing too, within MINUTES (docs/experiments.md):
#     slurm/quarter.sh 9 OUT [FOOTAGE]
# On a machine of your own, or inside a job: `sbatch --gpus=1 --cpus-per-task=16 --time=15 slurm/quarter.sh 13 OUT`.
# PYTHON: the interpreter (python3 where there is no .venv). LIFT_COMMIT: the commit, where its history is not there.
set -uo pipefail
cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")/..}" || exit 1
[ $# -ge 2 ] || { echo "usage: slurm/quarter.sh MINUTES OUT [FOOTAGE]" >&2; exit 1; }
[ -x .venv/bin/python ] && python=.venv/bin/python || python=python3
export PYTHONUNBUFFERED=1
mkdir -p "$2"
# tee must outlive a signal to the group, or the last lines would have nowhere to go
exec "${PYTHON:-$python}" -m stages.quarter "$@" > >(trap '' TERM INT; tee -a "$2/log.txt") 2>&1
