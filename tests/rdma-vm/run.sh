#!/usr/bin/env bash
# Boots a small machine in software emulation that has a soft-RoCE device, and runs the UCX tests in it over rc_verbs and ud_verbs.
# By hand, not part of the suite: a run takes a quarter of an hour or more. README.md says what it needs, docs/transfer.md has the last result.
#
#   tests/rdma-vm/run.sh [FOLDER]      FOLDER keeps the kernel, the image and the guest's log (default: a temporary folder that stays)
#
# KERNEL_DEB=file.deb  is taken instead of the distribution's kernel       MEMORY=1024  of the machine, in MiB
# LIMIT=3000           ends the machine after so many seconds              ACCEL=kvm    uses the processor instead of emulating it
# TLS="rc_verbs,ud_verbs:aux ud_verbs"   the values of UCX_TLS to go through
set -euo pipefail
trap 'echo "rdma-vm: failed in line $LINENO" >&2' ERR
fail() { echo "rdma-vm: $*" >&2; exit 3; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${1:-$(mktemp -d -t rdma-vm-XXXXXX)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
guest=$work/guest
log=$work/guest.log
echo "rdma-vm: working in $work"
missing=
for tool in qemu-system-x86_64 busybox cpio zstd xz dotnet ip rdma ucx_info ucx_perftest ibv_rc_pingpong ibv_ud_pingpong; do
  command -v "$tool" > /dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || fail "missing:$missing (README.md names the packages)"

# The kernel, and the few modules that soft-RoCE takes.
deb=${KERNEL_DEB:-$(find "$work" -maxdepth 1 -name 'linux-image-*.deb' | head -n 1)}
if [ -z "$deb" ]; then
  image=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2; exit }')
  [ -n "$image" ] || fail "apt knows no linux-image-amd64: run apt-get update, or name a KERNEL_DEB"
  (cd "$work" && apt-get download "$image")
  deb=$(find "$work" -maxdepth 1 -name 'linux-image-*.deb' | head -n 1)
fi
kernel=$work/$(basename "$deb" .deb)
if [ ! -e "$kernel/unpacked" ]; then
  rm -rf "$kernel"
  mkdir "$kernel"
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$kernel" --wildcards './boot/vmlinuz-*' './*lib/modules/*'
  touch "$kernel/unpacked"
fi
modules=$(dirname "$(find "$kernel" -name modules.builtin)")
version=$(basename "$modules")
[ -e "$modules/modules.dep" ] || busybox depmod -b "${modules%/lib/modules/*}" "$version"

# What runs in it, with the host's own libraries: the guest is a second kernel, not a second distribution.
rm -rf "$guest"
mkdir -p "$guest"/{bin,proc,sys,dev,tmp,run,etc,app,root,lib64,modules,dotnet/shared}
libraries() {                                                         # of a file, into the guest
  ldd "$1" 2> /dev/null | awk '/=> \// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    [ -e "$guest$library" ] || { mkdir -p "$guest$(dirname "$library")"; cp -L "$library" "$guest$library"; }
  done
}
add() { mkdir -p "$guest$(dirname "$1")"; cp -L "$1" "$guest$1"; libraries "$1"; }
cp "$(command -v busybox)" "$guest/bin/busybox"
for tool in ip rdma ucx_info ucx_perftest ibv_rc_pingpong ibv_ud_pingpong; do add "$(command -v $tool)"; done
lib=/usr/lib/$(uname -m)-linux-gnu
for name in libucp.so.0 ucx/libuct_ib.so.0 libibverbs/librxe-rdmav34.so libssl.so.3 libcrypto.so.3 libgcc_s.so.1 libstdc++.so.6 libdl.so.2 libpthread.so.0 librt.so.1; do
  file=$lib/$name
  [ -e "$file" ] || file=/lib/$(uname -m)-linux-gnu/$name             # older packages keep some of them outside of /usr
  [ -e "$file" ] || fail "missing: $name (README.md names the packages)"
  add "$file"
done
mkdir -p "$guest/etc/libibverbs.d"
cp /etc/libibverbs.d/rxe.driver "$guest/etc/libibverbs.d/"
for module in crc32_generic dummy rdma_rxe ib_uverbs; do               # rxe asks for crc32 by name, not as a dependency
  for file in $(grep -E "/$module\.ko(\.xz)?:" "$modules/modules.dep" | tr -d : | tr ' ' '\n' | tac); do   # what must be there first stands last
    name=$(basename "$file" .xz)
    grep -qxs "$name" "$guest/modules/order" && continue
    case $file in *.xz) xz -dc "$modules/$file" > "$guest/modules/$name" ;; *) cp "$modules/$file" "$guest/modules/" ;; esac
    echo "$name" >> "$guest/modules/order"
  done
done
grep -qxs rdma_rxe.ko "$guest/modules/order" || fail "$deb has no module rdma_rxe: a cloud kernel?"
runtime=$(dirname "$(readlink -f "$(command -v dotnet)")")
cp -r "$runtime/dotnet" "$runtime/host" "$guest/dotnet/"
cp -r "$runtime"/shared/Microsoft.{NETCore,AspNetCore}.App "$guest/dotnet/shared/"
for file in "$runtime/dotnet" "$runtime"/shared/Microsoft.NETCore.App/*/lib{coreclr,System.Native}.so; do libraries "$file"; done
for project in Native.Rdma.Tests Engine.Transfer.Tests; do
  dotnet publish "$root/tests/$project" -c Release --nologo -v q -m:1 -o "$guest/app/$project"
done
cp "$here/init.sh" "$guest/init"
chmod +x "$guest/init"
echo "${TLS:-rc_verbs,ud_verbs:aux ud_verbs}" > "$guest/etc/ucx-tls"
(cd "$guest" && find . \( -name "*.pdb" -o -name "*.xml" \) -delete && find . | cpio -o -H newc --quiet | zstd -q -3 -T1 > "$work/initramfs.zst")
echo "rdma-vm: image of $(du -m "$work/initramfs.zst" | cut -f1) MiB; booting $version with ${MEMORY:-1024} MiB, at most ${LIMIT:-3000} s"

accel="-accel tcg,thread=single -cpu max,smap=off"
[ "${ACCEL:-tcg}" = kvm ] && accel="-accel kvm -cpu host,arch-capabilities=off"
# shellcheck disable=SC2086
timeout "${LIMIT:-3000}" nice -n 10 qemu-system-x86_64 $accel -smp 1 -m "${MEMORY:-1024}" -nodefaults -no-reboot -display none -serial stdio -net none \
  -kernel "$(find "$kernel/boot" -name 'vmlinuz-*')" -initrd "$work/initramfs.zst" \
  -append "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off" < /dev/null | sed -u 's/\r//' | tee "$log" || true
echo
echo "rdma-vm: summary (whole log: $log)"
grep -a '^## ' "$log" || echo "no result: the guest did not get as far as that"
grep -aq '^## done' "$log" && ! grep -aq '^## .*FAILED' "$log"
