#!/bin/sh
# Labels of all pictures in a folder, by shards that GNU parallel runs and repeats:
#
#     ./run.sh [PHOTOS [LABELS [SHARDS]]]
#
# JOBS       how many shards at once (default one a core)
# WEIGHTS    the network (default cifar10, which lies in the package)
# DEPTHWISE  the command, where it is not the project's own

export photos="${1:-photos}" labels="${2:-labels}"
shards=${3:-20}
export shards
export weights="${WEIGHTS:-cifar10}"
export depthwise="${DEPTHWISE:-node_modules/.bin/depthwise}"

# parallel repeats whatever fails. What ended with 42 would end so again: a file remembers it, and the next try ends at once.
final=$(mktemp -d)
export final
trap 'rm -rf "$final"' EXIT

seq 0 $((shards - 1)) | parallel --jobs "${JOBS:-100%}" --retries 3 --joblog "${labels%/}.log" '
  [ -e "$final/{}" ] && exit 42
  "$depthwise" batch "$photos" --weights "$weights" --out "$labels" --shards "$shards" --shard {} --threads 1
  code=$?
  [ "$code" -ne 42 ] || : > "$final/{}"
  exit "$code"'
failed=$?

# Parts may be missing though no shard failed: then the code is that of the status.
"$depthwise" batch --status "$labels" || {
  status=$?
  [ "$failed" -ne 0 ] || failed=$status
  exit "$failed"
}
