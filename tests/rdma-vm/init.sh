#!/bin/busybox sh
# The guest's only program: makes a soft-RoCE device on a dummy interface and runs the tests. Lines with ## are the report.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin:/sbin DOTNET_ROOT=/dotnet HOME=/root
export CI=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_gcServer=0 DOTNET_TieredPGO=0
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
rdma link
if [ ! -e /sys/class/infiniband/rxe0 ]; then echo "## device FAILED: no soft-RoCE device"; poweroff -f; fi
echo "## device rxe0: $(cat /sys/class/infiniband/rxe0/ports/1/state), kernel $(uname -r)"
ls -l /dev/infiniband
gid=0
gids=""
for file in /sys/class/infiniband/rxe0/ports/1/gids/*; do
  index=${file##*/}
  value=$(cat "$file")
  case "$value" in
    0000:0000:0000:0000:0000:0000:0000:0000) continue ;;
    0000:0000:0000:0000:0000:ffff:*) gid=$index ;;
  esac
  gids="$gids $index"
  echo "gid $index $value $(cat /sys/class/infiniband/rxe0/ports/1/gid_attrs/types/$index)"
done
export UCX_NET_DEVICES=rxe0:1 UCX_LOG_FILE=stderr UCX_IB_GID_INDEX=$gid
# An emulated processor: what takes milliseconds elsewhere takes a minute here.
export UCX_UD_VERBS_TIMEOUT=600s UCX_RC_VERBS_TIMEOUT=10s UCX_KEEPALIVE_INTERVAL=inf UCX_WARN_UNUSED_ENV_VARS=n
for kind in rc ud; do
  [ -x /usr/bin/ibv_${kind}_pingpong ] || continue
  ibv_${kind}_pingpong -d rxe0 -g $gid -n 100 > /tmp/pong 2>&1 &
  sleep 2
  if timeout 60 ibv_${kind}_pingpong -d rxe0 -g $gid -n 100 127.0.0.1 > /tmp/ping 2>&1; then echo "## ibv_${kind}_pingpong: $(tail -n 1 /tmp/ping)"
  else echo "## ibv_${kind}_pingpong FAILED: $(tail -n 1 /tmp/ping)"; fi
  wait
done
ucx_info -v | head -n 2
UCX_TLS=all ucx_info -d | grep -E '^#  *(Transport|Device|.*get)' | head -n 40

# UCX's own transports one by one, connected over TCP: the verbs without the wire-up.
below() {
  [ -x /usr/bin/ucx_perftest ] || return 1
  ucx_perftest -d rxe0:1 -x $1 -t $2 -D $3 -s 2048 -n 20 -w 2 > /tmp/serve 2>&1 &
  server=$!
  sleep 3
  code=1
  if timeout 40 ucx_perftest 127.0.0.1 -d rxe0:1 -x $1 -t $2 -D $3 -s 2048 -n 20 -w 2 > /tmp/perf 2>&1; then code=0; echo "## uct $1 $2 $3: $(tail -n 1 /tmp/perf)"
  else echo "## uct $1 $2 $3 FAILED: $(grep -hiE 'error|fatal|assert' /tmp/perf /tmp/serve | head -n 1)"; fi
  kill $server 2> /dev/null
  wait $server
  return $code
}
for index in $gids; do                                               # the GID over which UCX's UD, which every connection starts with, works
  export UCX_IB_GID_INDEX=$index
  echo "---- gid $index"
  below rc_verbs put_lat zcopy
  below rc_verbs get zcopy
  below ud_verbs am_lat bcopy && gid=$index
done
export UCX_IB_GID_INDEX=$gid

two_processes() {                                                    # a source and a reader of 8 blocks of 64 KiB
  rm -f /tmp/in /tmp/out
  mkfifo /tmp/in
  /dotnet/dotnet /app/peer/TransferPeer.dll source ucx 8 65536 0 0 < /tmp/in > /tmp/out 2> /tmp/source.log &
  source=$!
  exec 3> /tmp/in
  echo "park 8" >&3
  ticket=""
  for i in $(seq 120); do ticket=$(head -n 1 /tmp/out); [ -n "$ticket" ] && break; sleep 1; done
  echo "$ticket" | /dotnet/dotnet /app/peer/TransferPeer.dll reader ucx 8 65536 60000 > /tmp/read 2> /tmp/reader.log
  exec 3>&-
  wait $source
  cat /tmp/reader.log /tmp/source.log | tail -n 20
  answer=$(head -n 1 /tmp/read)
}

for tls in $(cat /etc/ucx-tls); do
  export UCX_TLS=$tls
  echo "---- UCX_TLS=$tls"
  if [ -x /usr/bin/ucx_perftest ]; then
    ucx_perftest -t ucp_get -s 65536 -n 200 -w 10 -f > /tmp/serve 2>&1 &
    server=$!
    sleep 3
    timeout 120 ucx_perftest 127.0.0.1 -t ucp_get -s 65536 -n 200 -w 10 -f > /tmp/perf 2>&1
    code=$?
    grep -hiE "error|fatal|assert|caught" /tmp/perf /tmp/serve | head -n 12
    tail -n 3 /tmp/perf
    kill $server 2> /dev/null
    if [ $code = 0 ]; then echo "## $tls ucx_perftest ucp_get: $(tail -n 1 /tmp/perf)"; else echo "## $tls ucx_perftest FAILED: $(tail -n 1 /tmp/perf)"; fi
  fi
  two_processes
  case "$tls $answer" in
    "rc_verbs"*" 524288") echo "## $tls two processes: 524288 bytes read and verified" ;;
    "ud_verbs incompatible_layout") echo "## $tls two processes: refused, as UD has no one-sided reads" ;;
    *) echo "## $tls two processes FAILED: $answer" ;;
  esac
  case "$tls" in
    rc_verbs*)
      /dotnet/dotnet /app/tests/Native.Rdma.Tests.dll -class NanoAspire.Native.Rdma.Tests.Ucx.UcxTransportContractTests \
        -class NanoAspire.Native.Rdma.Tests.Ucx.UcxPathTests > /tmp/tests.log 2>&1
      code=$?
      grep -E 'FAIL|Total|rror' /tmp/tests.log | head -n 60
      if [ $code = 0 ]; then echo "## $tls tests: $(grep -E 'Total:' /tmp/tests.log | tail -n 1)"; else echo "## $tls tests FAILED ($code): $(tail -n 1 /tmp/tests.log)"; fi
      ;;
  esac
done
echo "## done"
sync
poweroff -f
