#!/bin/sh
#SBATCH --job-name=depthwise
#SBATCH --array=0-19%2
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%A-%a.log

# Labels of all pictures in a folder, a shard a task: sbatch job.sh [PHOTOS [LABELS]]
# Which shard, and of how many, depthwise reads in SLURM_ARRAY_TASK_ID, _COUNT, _MIN and _STEP itself.

node_modules/.bin/depthwise batch "${1:-photos}" --weights "${WEIGHTS:-cifar10}" --out "${2:-labels}" \
  --threads "${SLURM_CPUS_PER_TASK:-1}"
code=$?

# 42: it would end so again. 130 and 143: somebody ended it, by scancel or a limit of time. All else deserves two more tries.
case $code in
  0 | 42 | 130 | 143) ;;
  *) [ "${SLURM_RESTART_COUNT:-0}" -ge 2 ] || scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" ;;
esac
exit "$code"
