# Phones of Linux's own gadget stack: dummy_hcd is both ends of the cable, FunctionFS is what adbd itself uses. The referee for
# the rules of packets. Behind them `drover sim` runs in this guest, so the same phones are also reached over TCP here.
gadgets=/sys/kernel/config/usb_gadget
gadget() { # NUMBER UDC
  g=$gadgets/g$1
  mkdir -p $g/strings/0x409 $g/functions/ffs.adb$1 $g/configs/c.1 /ffs/$1
  echo 0x18d1 >$g/idVendor
  echo 0x4ee7 >$g/idProduct
  echo "vphone-$(number "$1")" >$g/strings/0x409/serialnumber
  echo 'Virtual Phone' >$g/strings/0x409/product
  ln -s $g/functions/ffs.adb$1 $g/configs/c.1/
  mount -t functionfs adb$1 /ffs/$1
  vm_ffs_phone /ffs/$1 $((16999 + $1)) /tmp/said$1 >/tmp/phone$1 2>&1 &
  wait_for 20 grep -q ready /tmp/phone$1 || return 1
  echo "$2" >$g/UDC
}
bring_up() {
  modprobe configfs && modprobe libcomposite && modprobe usb_f_fs || return 1
  mount -t configfs none /sys/kernel/config
  modprobe dummy_hcd num="$phones" is_high_speed=1 || return 1
  drover sim --count "$phones" --port 17000 --profile /sim.yaml --write-inventory /tcp.yaml >/tmp/sim 2>&1 &
  wait_for 30 grep -q ready /tmp/sim || return 1
  i=0
  for udc in /sys/class/udc/*; do
    i=$((i + 1))
    gadget $i "${udc##*/}" || return 1
  done
  first=$(cat $gadgets/g1/UDC)
}
exec_tcp() { drover exec --inventory /tcp.yaml --output jsonl --timeout 90s --connect-timeout 60s "$@"; }
extra_steps() {
  step tcp-echo exec_tcp -- echo over usb
  step tcp-exit exec_tcp -- exit 3
  step tcp-output exec_tcp -- sim-output 20000
}
arm_unplug() { rm -f /tmp/said1; }
unplug() { wait_for 30 test -e /tmp/said1 && echo '' >$gadgets/g1/UDC; }
plug() { echo "$first" >$gadgets/g1/UDC; }
violations() { grep -h violation /tmp/phone* || true; }
