"""What an adb server's client sees of phones that come back: the time at which each took a command. One thread, and as few
requests as will do, so that the server's time is its own."""
import selectors
import socket
import time

POLL_SECONDS = 0.05


def request(service):
    return b"%04x" % len(service) + service.encode()


class Command:
    """`shell:true` on one phone, without waiting for it."""

    def __init__(self, port, serial):
        self.serial = serial
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.sock.setblocking(False)
        self.sock.send(request("host:transport:" + serial))
        self.heard, self.opened, self.ended = b"", False, False

    def fileno(self):
        return self.sock.fileno()

    def on_readable(self):
        """True: it ran to its end. False: it failed. None: not yet."""
        try:
            data = self.sock.recv(4096)
        except OSError:
            return False
        self.heard += data
        if not self.opened and self.heard.startswith(b"OKAY"):
            self.opened, self.heard = True, self.heard[4:]
            self.sock.send(request("shell:true"))
        if self.heard.startswith(b"FAIL"):
            return False
        if data:
            return None
        return self.opened and self.heard.startswith(b"OKAY")


def times_until_ready(server, serials, began, seconds_max):
    """Milliseconds from `began` (time.monotonic) for each phone that took a command before the time was up."""
    waiting, found = set(serials), []
    running = selectors.DefaultSelector()
    busy = set()
    try:
        while waiting and time.monotonic() - began < seconds_max:
            for serial in (server.online() & waiting) - busy:
                try:
                    running.register(Command(server.port, serial), selectors.EVENT_READ)
                    busy.add(serial)
                except OSError:
                    continue
            until = time.monotonic() + POLL_SECONDS
            while busy and (left := until - time.monotonic()) > 0:
                for key, _ in running.select(left):
                    outcome = key.fileobj.on_readable()
                    if outcome is None:
                        continue
                    running.unregister(key.fileobj)
                    key.fileobj.sock.close()
                    busy.discard(key.fileobj.serial)
                    if outcome:
                        waiting.discard(key.fileobj.serial)
                        found.append((time.monotonic() - began) * 1e3)
            time.sleep(max(0.0, until - time.monotonic()))
    except (OSError, EOFError, ValueError):
        pass  # a server that is too busy to answer, or has gone: the others count as not ready
    finally:
        for key in list(running.get_map().values()):
            key.fileobj.sock.close()
        running.close()
    return found
