#!/bin/busybox sh
# The guest's only program: makes a soft-RoCE device on a dummy interface and goes up the layers. Lines with ## are the report.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin:/sbin:/dotnet DOTNET_ROOT=/dotnet HOME=/root
export CI=1 NANOASPIRE_TEST_SLOWNESS=6 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_TieredPGO=0
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
ulimit -l unlimited
ulimit -c 0
# By order of need; what the kernel has built in or loaded says so, and the device decides.
for pass in 1 2; do while read -r module; do insmod "/modules/$module" 2> /dev/null; done < /modules/order; done
ip link set lo up
ip link add roce0 type dummy
ip address add 192.168.77.1/24 dev roce0
ip link set roce0 up
rdma link add rxe0 type rxe netdev roce0
sleep 2
port=/sys/class/infiniband/rxe0/ports/1
if [ ! -e $port ]; then echo "## device FAILED: no soft-RoCE device"; poweroff -f; fi
echo "## device: rxe0 $(cat $port/state), Linux $(uname -r), $(ucx_info -v | head -n 1 | tr -d '#'), $(free -m | awk '/Mem/ { print $2 }') MiB"
export UCX_NET_DEVICES=rxe0:1 UCX_LOG_FILE=stderr UCX_WARN_UNUSED_ENV_VARS=n

# Runs a command, its output in /tmp/log; then "moved" says what went through the device and through TCP meanwhile. Packets carry at most 1024 bytes.
sent() { cat $port/hw_counters/sent_pkts; }
plain() { cat /sys/class/net/lo/statistics/rx_bytes; }
measured() {
  local packets=$(sent) bytes=$(plain)
  "$@" > /tmp/log 2>&1
  local code=$?
  moved="rxe0 +$(($(sent) - packets)) packets, loopback +$(($(plain) - bytes)) bytes"
  return $code
}
pair() { "$@" > /tmp/serve 2>&1 & server=$!; }                        # the serving half of a tool; the other half comes next
unpair() { kill $server 2> /dev/null; wait $server; }

gid=0 dead=
for index in $(cd $port/gids && ls); do                               # the one over which UD, with which every UCX connection begins, works
  [ "$(cat $port/gids/$index)" = 0000:0000:0000:0000:0000:0000:0000:0000 ] && continue
  pair env UCX_IB_GID_INDEX=$index ucx_perftest -d rxe0:1 -x ud_verbs -t am_lat -D bcopy -s 512 -n 20 -w 2
  sleep 3
  if UCX_IB_GID_INDEX=$index timeout 40 ucx_perftest 127.0.0.1 -d rxe0:1 -x ud_verbs -t am_lat -D bcopy -s 512 -n 20 -w 2 > /tmp/log 2>&1; then gid=$index result=works; else dead=$index result="does not work"; fi
  unpair
  echo "## gid $index ($(cat $port/gids/$index)): UCX's UD $result"
done
export UCX_IB_GID_INDEX=$gid
for kind in rc ud; do
  pair ibv_${kind}_pingpong -d rxe0 -g $gid -n 100
  sleep 2
  if measured timeout 60 ibv_${kind}_pingpong -d rxe0 -g $gid -n 100 127.0.0.1; then echo "## ibv_${kind}_pingpong: $(tail -n 1 /tmp/log); $moved"
  else echo "## ibv_${kind}_pingpong FAILED: $(tail -n 1 /tmp/log)"; fi
  unpair
done

peer="dotnet /app/Engine.Transfer.Tests/TransferPeer.dll"
two_processes() {                                                     # PATIENCE_MS: a source and a reader of 8 blocks of 64 KiB
  rm -f /tmp/in /tmp/out
  mkfifo /tmp/in
  UCX_LOG_LEVEL=info $peer source ucx 8 65536 0 0 < /tmp/in > /tmp/out 2> /tmp/source.log &
  source=$!
  exec 3> /tmp/in
  echo "park 8" >&3
  for i in $(seq 120); do [ -s /tmp/out ] && break; sleep 1; done
  head -n 1 /tmp/out | UCX_LOG_LEVEL=info $peer reader ucx 8 65536 $1 2> /tmp/reader.log
  exec 3>&-
  wait $source
}

# All tests of a class, by themselves: one ended by an assertion in a library takes the rest of its class with it, so what then has no result runs alone.
tests() {
  local project=$1 class=$2; shift 2
  local run="dotnet /app/$project/$project.dll -noColor -noLogo -preEnumerateTheories -parallel none -reporter verbose"
  measured $run -class "$class" "$@"
  local what="$tls ${class##*.}" verdict
  cp /tmp/log /tmp/class
  grep -A9 -E '\[FAIL\]|\[SKIP\]|rror|ssert' /tmp/class | head -n 80
  if grep -q 'Total:' /tmp/class; then
    grep -q 'Errors: 0, Failed: 0' /tmp/class && verdict= || verdict=" FAILED"
    echo "## $what$verdict: $(grep 'Total:' /tmp/class | sed 's/.*Total/Total/'); $moved"
    return
  fi
  echo "## $what FAILED: ended at $(grep STARTING /tmp/class | tail -n 1 | sed 's/ *[^ ]*\.//'); $(grep -c FINISHED /tmp/class) before it; the rest one by one:"
  $run -list methods -class "$class" "$@" | grep "^$class" | while read -r method; do
    grep -q "$method.*FINISHED" /tmp/class && continue
    measured $run -method "$method" "$@"
    echo "## $tls ${method##*.}: $(grep 'Total:' /tmp/log | sed 's/.*Total/Total/' | grep . || echo "FAILED, $(tail -n 1 /tmp/log)"); $moved"
  done
}

for tls in $(cat /etc/ucx-tls); do
  export UCX_TLS=$tls
  echo "---- UCX_TLS=$tls"
  measured two_processes 60000
  answer=$(tail -n 1 /tmp/log)
  lanes=$(grep -h -o 'ep_cfg.*' /tmp/reader.log | tail -n 1)
  case "$tls $answer" in
    "rc_verbs"*" 524288") echo "## $tls two processes: 524288 bytes read and verified; $moved; $lanes" ;;
    "ud_verbs incompatible_layout") echo "## $tls two processes: refused, as datagrams have no one-sided reads; $lanes" ;;
    *) echo "## $tls two processes FAILED: $answer"; tail -n 20 /tmp/reader.log /tmp/source.log ;;
  esac
  if [ "$tls" != ud_verbs ] && [ -n "$dead" ]; then
    UCX_IB_GID_INDEX=$dead measured two_processes 20000
    answer=$(tail -n 1 /tmp/log)
    [ "$answer" = incompatible_layout ] && verdict="refused, both live" || verdict="FAILED: $answer"
    echo "## $tls two processes over gid $dead, where no connection can be made: $verdict"
  fi
  for class in UcxTransportContractTests UcxPathTests; do tests Native.Rdma.Tests NanoAspire.Native.Rdma.Tests.Ucx.$class; done
  [ "$tls" = ud_verbs ] || tests Engine.Transfer.Tests NanoAspire.Engine.Transfer.Tests.UcxTwoProcessTests -trait needs=ucx
  echo "-- free MiB: $(free -m | awk '/Mem/ { print $7 }'); $(rdma resource | tail -n 1)"
done
echo "## done"
sync
poweroff -f
