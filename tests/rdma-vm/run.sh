#!/usr/bin/env bash
# Boots a small machine in software emulation that has a soft-RoCE device, and runs the UCX tests in it over rc_verbs and ud_verbs.
# By hand, not part of the suite: a run takes minutes. Debian 12 or Ubuntu; needs (apt) qemu-system-x86 busybox-static cpio zstd
# libucx0 ucx-utils ibverbs-providers iproute2 and the .NET SDK. docs/transfer.md has the last result.
#
#   tests/rdma-vm/run.sh [FOLDER]      FOLDER keeps the kernel, the image and the guest's log (default: a temporary folder that stays)
#
# ACCEL=kvm uses the processor instead of emulating it. LIMIT=1200 ends the machine after so many seconds. MEMORY=3072 is its memory in MiB.
# TLS="rc_verbs,ud_verbs:aux ud_verbs" are the values of UCX_TLS to go through. KERNEL_DEB=file.deb is taken instead of a download.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${1:-$(mktemp -d -t rdma-vm-XXXXXX)}
limit=${LIMIT:-1200}
mkdir -p "$work"
work=$(cd "$work" && pwd)
echo "rdma-vm: working in $work"
for tool in qemu-system-x86_64 busybox cpio zstd dotnet ucx_info rdma ip; do
  command -v "$tool" > /dev/null || { echo "rdma-vm: $tool is missing" >&2; exit 3; }
done

# The kernel and the few modules that soft-RoCE takes.
deb=${KERNEL_DEB:-$(find "$work" -maxdepth 1 -name 'linux-image-*.deb' | head -n 1)}
if [ -z "$deb" ]; then
  image=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2; exit }')
  (cd "$work" && apt-get download "$image")
  deb=$(find "$work" -maxdepth 1 -name 'linux-image-*.deb' | head -n 1)
fi
if [ ! -d "$work/kernel" ]; then
  mkdir "$work/kernel"
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/kernel" ./boot ./lib/modules
fi
version=$(ls "$work/kernel/lib/modules")
modules=$work/kernel/lib/modules/$version
[ -e "$modules/modules.dep" ] || busybox depmod -b "$work/kernel" "$version"

# What runs in it, with the host's own libraries: the guest is a second kernel, not a second distribution.
guest=$work/guest
rm -rf "$guest"
mkdir -p "$guest"/{bin,proc,sys,dev,tmp,run,etc,app,root,lib64}
add() {                                                              # a file and the libraries it names
  mkdir -p "$guest$(dirname "$1")"
  cp -L "$1" "$guest$1"
  ldd "$1" 2> /dev/null | awk '/=> \// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    [ -e "$guest$library" ] || { mkdir -p "$guest$(dirname "$library")"; cp -L "$library" "$guest$library"; }
  done
}
cp "$(command -v busybox)" "$guest/bin/busybox"
libraries=/usr/lib/$(uname -m)-linux-gnu
for binary in "$(command -v ip)" "$(command -v rdma)" "$(command -v ucx_info)"; do add "$binary"; done
if command -v ucx_perftest > /dev/null; then add "$(command -v ucx_perftest)"; fi
for library in "$libraries"/libucp.so.0 "$libraries"/ucx/libuct_ib.so.0 "$libraries"/libibverbs/librxe-rdmav34.so "$libraries"/libgcc_s.so.1 "$libraries"/libstdc++.so.6; do add "$library"; done
# Older packages keep libgcc and libstdc++ outside of /usr.
for name in libdl.so.2 libpthread.so.0 librt.so.1; do [ -e "/lib/$(uname -m)-linux-gnu/$name" ] && add "/lib/$(uname -m)-linux-gnu/$name"; done
mkdir -p "$guest/etc/libibverbs.d"
cp /etc/libibverbs.d/rxe.driver "$guest/etc/libibverbs.d/"
for module in crc32_generic dummy rdma_rxe ib_uverbs; do               # rxe asks for crc32 by name, not as a dependency
  wanted="$(awk -v m="/$module.ko:" 'index($0, m) { sub(":", ""); print; exit }' "$modules/modules.dep")"
  order=$(echo "$wanted" | tr ' ' '\n' | tac)                       # modules.dep names what must be there first last
  for file in $order; do
    mkdir -p "$guest/modules"
    name=$(basename "$file")
    grep -qx "$name" "$guest/modules/order" 2> /dev/null && continue
    cp "$modules/$file" "$guest/modules/$name"
    echo "$name" >> "$guest/modules/order"
  done
done
runtime=$(dirname "$(readlink -f "$(command -v dotnet)")")
mkdir -p "$guest/dotnet/shared"
cp "$runtime/dotnet" "$guest/dotnet/"
cp -r "$runtime/host" "$guest/dotnet/"
cp -r "$runtime/shared/Microsoft.NETCore.App" "$guest/dotnet/shared/"
for binary in "$runtime/dotnet" "$runtime"/shared/Microsoft.NETCore.App/*/libSystem.Native.so "$runtime"/shared/Microsoft.NETCore.App/*/libcoreclr.so; do
  ldd "$binary" | awk '/=> \// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    [ -e "$guest$library" ] || { mkdir -p "$guest$(dirname "$library")"; cp -L "$library" "$guest$library"; }
  done
done
dotnet publish "$root/tests/Native.Rdma.Tests" -c Release --nologo -v q -m:1 -nodeReuse:false -o "$guest/app/tests"
dotnet publish "$root/tests/TransferPeer" -c Release --nologo -v q -m:1 -nodeReuse:false -o "$guest/app/peer"
rm -rf "$guest"/dotnet/shared/Microsoft.NETCore.App/*/*.pdb
cp "$here/init.sh" "$guest/init"
chmod +x "$guest/init"
echo "${TLS:-rc_verbs,ud_verbs:aux ud_verbs}" > "$guest/etc/ucx-tls"
(cd "$guest" && find . | cpio -o -H newc --quiet | zstd -q -3 -T1 > "$work/initramfs.zst")
echo "rdma-vm: image of $(du -m "$work/initramfs.zst" | cut -f1) MiB; booting $version, at most $limit s"

accel="-accel tcg,thread=single -cpu max"
if [ "${ACCEL:-tcg}" = kvm ]; then accel="-accel kvm -cpu host"; fi
log=$work/guest.log
# shellcheck disable=SC2086
timeout "$limit" nice -n 10 qemu-system-x86_64 $accel -smp 1 -m "${MEMORY:-3072}" -nodefaults -no-reboot -display none -serial stdio -net none \
  -kernel "$work/kernel/boot/vmlinuz-$version" -initrd "$work/initramfs.zst" \
  -append "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off" < /dev/null | sed -u 's/\r//' | tee "$log" || true
echo
echo "rdma-vm: summary (whole log: $log)"
grep -a '^## ' "$log" || echo "no result: the guest did not get as far as that"
grep -aq '^## done' "$log" && ! grep -aq '^## .* FAILED' "$log"
