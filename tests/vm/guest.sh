#!/bin/busybox sh
# Process 1 of the guest of scripts/test-usb-vm. It does the steps and reports what they printed on the second serial port; the
# host judges (judge.py). Kernel messages are on the first port; the third reaches the phones' cables.
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
stty -F /dev/ttyS1 raw -echo
[ ! -e /dev/ttyS2 ] || stty -F /dev/ttyS2 raw -echo 2>/dev/null
ifconfig lo 127.0.0.1 up

option() { sed -n "s/.*\\<$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline; }
mode=$(option mode) phones=$(option phones)

report() { echo "$*" >/dev/ttyS1; }
step() { # NAME COMMAND...
  report "step $1"
  shift
  "$@" >/tmp/out 2>/tmp/err
  code=$?
  cat /tmp/out >/dev/ttyS1
  sed 's/^/err: /' /tmp/err >/dev/ttyS1
  report "end $code $(cut -d' ' -f1 /proc/uptime)"
}
fail() {
  report "step $1"
  report "end 1"
  finish
}
finish() {
  dmesg | grep -E 'BUG|WARNING|Oops|Call Trace' | head -n 20 >/tmp/bad
  step kernel cat /tmp/bad
  report finished
  sync
  poweroff -f
  sleep 60
}
wait_for() { # SECONDS COMMAND...
  tries=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.1
  done
}
exec_usb() { drover exec --inventory /usb.yaml --output jsonl --timeout 90s --connect-timeout 60s "$@"; }
number() { printf '%04d' "$1"; }

# How many phones the kernel shows.
plugged() { cat /sys/bus/usb/devices/*/serial 2>/dev/null | grep -c '^vphone-'; }
all_plugged() { [ "$(plugged)" -eq "$phones" ]; }
one_missing() { [ "$(plugged)" -eq $((phones - 1)) ]; }

{
  echo 'version: 1'
  echo 'instances:'
  for i in $(seq "$phones"); do echo "  - {id: vphone-$(number "$i"), via: usb, address: vphone-$(number "$i")}"; done
} >/usb.yaml

/lib/systemd/systemd-udevd --daemon
. "/mode-$mode.sh"

bring_up || fail bring-up
wait_for 60 all_plugged || fail enumerated
step enumerated plugged
udevadm settle

step devices drover devices --inventory /usb.yaml --connect-timeout 60s --output jsonl
step echo exec_usb -- echo over usb
step exit exec_usb -- exit 3
step output exec_usb -- sim-output 20000
extra_steps

# By the place where it is plugged in.
place=$(grep -lx vphone-0001 /sys/bus/usb/devices/*/serial)
place=${place%/serial}
printf 'version: 1\ninstances:\n  - {id: placed, via: usb, address: "usb:%s"}\n' "${place##*/}" >/placed.yaml
step placed drover exec --inventory /placed.yaml --output jsonl --timeout 90s --connect-timeout 60s -- echo "${place##*/}"

# devices/51-drover.rules is what gives people the phones.
chmod 1777 /tmp
as() { su -s /bin/sh "$1" -c 'HOME=/tmp drover exec --inventory /usb.yaml --output jsonl --timeout 90s --connect-timeout 60s -- true'; }
step member as farmer
step stranger as guest

# Payloads that fill their last packet: an output has 11 bytes of the shell protocol around it, its end included, a command 13 and a NUL.
for payload in 512 1024 16384; do
  step "in-$payload" exec_usb --on vphone-0001 -- sim-output $((payload - 11))
  words=$(head -c $((payload - 19)) /dev/zero | tr '\0' x)
  step "out-$payload" exec_usb --on vphone-0001 --max-output 32768 -- echo "$words"
done

# The cable is pulled while a command runs, and put in again.
arm_unplug
exec_usb --on vphone-0001 -- sim-output 1000000 2000 >/tmp/pulled 2>/tmp/pulled.err &
pulled=$!
unplug || fail unplug
wait $pulled
echo $? >>/tmp/pulled
step pulled cat /tmp/pulled /tmp/pulled.err
wait_for 30 one_missing || fail unplugged
step others exec_usb --on 'all & !vphone-0001' -- echo still here
plug || fail plug
wait_for 30 all_plugged || fail replugged
udevadm settle
step back exec_usb -- echo back again

step violations violations
finish
