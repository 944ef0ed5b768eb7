#!/bin/busybox sh
# The guest's only program: makes a soft-RoCE device on a dummy interface and runs the tests. Lines with ## are the report.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin:/sbin DOTNET_ROOT=/dotnet HOME=/root
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_gcServer=0 DOTNET_TieredPGO=0
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
export UCX_NET_DEVICES=rxe0:1 UCX_LOG_FILE=stderr
ucx_info -v | head -n 2
UCX_TLS=all ucx_info -d | grep -E '^#  *(Transport|Device|.*get)' | head -n 40

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
    ucx_perftest 127.0.0.1 -t ucp_get -s 65536 -n 200 -w 10 -f > /tmp/perf 2>&1
    code=$?
    tail -n 5 /tmp/perf
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
