# Phones that a process on the host plays through QEMU's usb-redir, on QEMU's xHCI controllers: for many of them at once.
bring_up() { modprobe xhci-pci; }
extra_steps() { step shell exec_usb -- 'getprop ro.serialno; echo to-err >&2; exit 7'; }
cable() { # the host answers "ok" when it is done
  printf '%s\n' "$1" >&7
  read -r answer <&7
  [ "$answer" = ok ]
}
exec 7<>/dev/ttyS2
arm_unplug() { true; }
unplug() { cable 'unplug 0'; }
plug() { cable 'plug 0'; }
violations() { true; } # the host's process tells them itself
