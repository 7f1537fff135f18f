#!/bin/sh
# A cluster of one node, this machine, for trying: munged, slurmctld and slurmd on loopback, with all that they write in
# FOLDER. It needs root, and Debian's slurm-wlm and munge. It says when it is ready, and ends all of it when it is ended.
#
#     ./one-node.sh FOLDER [CONTROL-PORT NODE-PORT]

set -u
folder=$(mkdir -p "$1" && cd "$1" && pwd) || exit 1
control=${2:-6817} node=${3:-6818}
name=$(hostname -s)

mkdir -p "$folder/state" "$folder/spool" "$folder/munge"
[ -e "$folder/munge/key" ] || mungekey --create --keyfile="$folder/munge/key" || exit 1

cat >"$folder/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
SlurmctldPort=$control
SlurmdPort=$node
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
# A task that is queued again waits for as many seconds: 120 where nobody says.
AuthInfo=socket=$folder/munge/socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# No cgroups, which a container often has not.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
SchedulerParameters=batch_sched_delay=0,sched_interval=1
# A line a task that has ended.
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/jobs.log
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$name Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$folder/slurm.conf"

pids=
stop() {
  trap - EXIT INT TERM
  scancel --full --signal=KILL --user="$(id -un)" >/dev/null 2>&1
  # shellcheck disable=SC2086
  kill $pids 2>/dev/null
  wait
  exit "$1"
}
trap 'stop $?' EXIT
trap 'stop 0' INT TERM

munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
  --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" \
  >"$folder/munge/out" 2>&1 &
pids=$!
until [ -S "$folder/munge/socket" ]; do
  kill -0 "$pids" || exit 1
  sleep 0.1
done
slurmctld -D -f "$SLURM_CONF" >"$folder/slurmctld.out" 2>&1 &
pids="$pids $!"
slurmd -D -f "$SLURM_CONF" >"$folder/slurmd.out" 2>&1 &
pids="$pids $!"
until sinfo --noheader --format=%t 2>/dev/null | grep -q '^idle$'; do
  for pid in $pids; do
    kill -0 "$pid" || exit 1
  done
  sleep 0.2
done
echo "ready: export SLURM_CONF=$SLURM_CONF"
wait
