#include "sim/userland_programs.hpp"

namespace drover::sim {
namespace {

constexpr std::string_view kApplets[] = {
    "[",     "ascii",    "base32",  "base64", "basename", "bunzip2",   "bzcat",     "cal",       "cat",
    "chmod", "cksum",    "clear",   "cmp",    "comm",     "count",     "cp",        "crc32",     "cut",
    "date",  "dd",       "df",      "diff",   "dirname",  "dos2unix",  "du",        "echo",      "egrep",
    "env",   "expand",   "expr",    "factor", "false",    "fgrep",     "file",      "find",      "flock",
    "fmt",   "free",     "getconf", "grep",   "groups",   "gunzip",    "head",      "hostname",  "iconv",
    "id",    "kill",     "link",    "ln",     "ls",       "md5sum",    "mkdir",     "mkfifo",    "mktemp",
    "mv",    "nl",       "nohup",   "nproc",  "od",       "paste",     "patch",     "pgrep",     "pidof",
    "pkill", "printenv", "printf",  "ps",     "pwd",      "readelf",   "readlink",  "realpath",  "rev",
    "rm",    "rmdir",    "sed",     "seq",    "sha1sum",  "sha224sum", "sha256sum", "sha384sum", "sha512sum",
    "sleep", "sort",     "split",   "stat",   "strings",  "tac",       "tail",      "tar",       "tee",
    "test",  "time",     "timeout", "touch",  "tr",       "true",      "truncate",  "uname",     "unicode",
    "uniq",  "unix2dos", "unlink",  "uptime", "usleep",   "uudecode",  "uuencode",  "uuidgen",   "vmstat",
    "wc",    "which",    "xargs",   "xxd",    "yes",      "zcat",
};

constexpr std::string_view kGetprop = R"sh(d=$VPHONE/.vphone
if (( $# == 0 )); then
    {
        for f in "$d"/props/*; do [[ -f $f ]] && print -r -- "[${f##*/}]: [$(<"$f")]"; done
        while IFS= read -r line; do
            [[ -f $d/props/${line%%=*} ]] || print -r -- "[${line%%=*}]: [${line#*=}]"
        done <"$d/build.prop"
    } | sort
    exit 0
fi
v=
case $1 in
*/*|.*|'') ;;
*)
    if [[ -f $d/props/$1 ]]; then
        v=$(<"$d/props/$1")
    else
        while IFS= read -r line; do
            [[ $line == "$1="* ]] && { v=${line#*=}; break; }
        done <"$d/build.prop"
    fi ;;
esac
print -r -- "${v:-${2-}}"
)sh";

constexpr std::string_view kSetprop = R"sh(p=$VPHONE/.vphone/props
if (( $# != 2 )); then
    print -u2 -r -- 'usage: setprop NAME VALUE'
    exit 1
fi
refuse() {
    print -u2 -r -- "Failed to set property '$1' to '$2'."
    print -u2 -r -- 'See dmesg for error reason.'
    exit 1
}
case $1 in
''|*[!A-Za-z0-9._@:-]*|.*|*.) refuse "$@" ;;
ro.*) [[ -n $(getprop "$1") ]] && refuse "$@" ;;
esac
(( ${#1} <= 128 && ${#2} < 1024 )) || refuse "$@"
print -rn -- "$2" >"$p/.new.$$" && mv -f "$p/.new.$$" "$p/$1"
)sh";

constexpr std::string_view kWm = R"sh(value() { settings get "$1" "$2"; }
show() {
    print -r -- "Physical $1: $(getprop ro.vphone.$1)"
    typeset forced=$(value "$2" "$3")
    [[ $forced == null ]] || print -r -- "Override $1: $forced"
}
case $1 in
size) ns=global key=display_size_forced pattern='[1-9]*x[1-9]*' ;;
density) ns=secure key=display_density_forced pattern='[1-9]*' ;;
*) print -u2 -r -- "Unknown command: ${1-}"; exit 255 ;;
esac
case ${2-} in
'') show "$1" $ns $key ;;
reset) settings delete $ns $key >/dev/null ;;
*[!0-9x]*) print -u2 -r -- "Error: bad $1 $2"; exit 255 ;;
$pattern) settings put $ns $key "$2" ;;
*) print -u2 -r -- "Error: bad $1 $2"; exit 255 ;;
esac
)sh";

constexpr std::string_view kSettings = R"sh(d=$VPHONE/.vphone/settings
[[ ${1-} == --user ]] && shift 2
verb=${1-} ns=${2-} key=${3-}
case $ns in
system|secure|global) ;;
*) print -u2 -r -- "Invalid namespace '$ns'"; exit 255 ;;
esac
case $key in
*/*) print -u2 -r -- "Bad key '$key'"; exit 255 ;;
esac
case $verb in
get) if [[ -n $key && -f $d/$ns.$key ]]; then print -r -- "$(<"$d/$ns.$key")"; else print null; fi ;;
put)
    (( $# >= 4 )) && [[ -n $key ]] || { print -u2 'Bad arguments'; exit 255; }
    print -rn -- "$4" >"$d/.new.$$" && mv -f "$d/.new.$$" "$d/$ns.$key" ;;
delete)
    if [[ -n $key && -f $d/$ns.$key ]]; then rm -f "$d/$ns.$key"; print 'Deleted 1 rows'; else print 'Deleted 0 rows'; fi ;;
list) for f in "$d/$ns".*; do [[ -f $f ]] && print -r -- "${f#"$d/$ns."}=$(<"$f")"; done; exit 0 ;;
*) print -u2 -r -- "Unknown command: $verb"; exit 255 ;;
esac
)sh";

constexpr std::string_view kPm = R"sh(list=$VPHONE/.vphone/packages
verb=${1-}
(( $# )) && shift
sessions=$VPHONE/.vphone/sessions
name= size=
while [[ $verb == install* && ${1-} == -* && ${1-} != - ]]; do
    [[ $1 == -S ]] && { size=${2-}; shift; }
    shift
done
for word; do [[ $word == -* ]] || name=$word; done
failure() { rm -f "$2"; print -r -- "Failure [$1]"; exit 1; }
# As many bytes as were announced, from stdin.
received() { head -c "$size" >"$1" && [[ $(wc -c <"$1") -eq $size ]]; }
# A package says its name in its first lines, `package=com.example.app`; `reject=REASON` is one that nobody takes.
install_file() {
    typeset line
    line=$(head -n 5 "$1" | grep -m 1 -e '^reject=')
    [[ -n $line ]] && failure "${line#reject=}" "$1"
    line=$(head -n 5 "$1" | grep -m 1 -e '^package=')
    name=${line#package=}
    [[ $name == *[!A-Za-z0-9._]* ]] && name=
    [[ -n $name ]] || name=$2
    [[ -n $name ]] || { name=$(sha256sum <"$1"); name=com.vphone.p${name:0:8}; }
    known || print -r -- "$name" >>"$list"
}
# What is installed stays, so that it can be compared.
keep_files() {
    rm -rf "$VPHONE/data/app/$name" && mkdir -p "$VPHONE/data/app/$name" && mv -f "$@" "$VPHONE/data/app/$name"
}
known() { [[ -n $name ]] && grep -qxF -e "$name" "$list"; }
case $verb in
list)
    [[ ${1-} == packages ]] || { print -u2 "Error: unknown list type '${1-}'"; exit 1; }
    [[ $name == packages ]] && name=
    while IFS= read -r line; do
        [[ $line == *"$name"* ]] && print -r -- "package:$line"
    done <"$list"
    exit 0 ;;
path)
    known || exit 1
    [[ -d $VPHONE/data/app/$name ]] || { print -r -- "package:/data/app/$name/base.apk"; exit 0; }
    for file in "$VPHONE/data/app/$name"/*; do print -r -- "package:$file"; done ;;
install)
    if [[ -n $size ]]; then
        mkdir "$TMPDIR/.apk.$$" && file=$TMPDIR/.apk.$$/base.apk
        received "$file" || failure INSTALL_PARSE_FAILED_NOT_APK "$file"
        install_file "$file" ""
        keep_files "$file"
    else
        [[ -f $name ]] || { print -u2 -r -- "Error: Unable to open file: $name"; exit 1; }
        base=${name##*/}
        file=$name
        install_file "$file" "${base%.apk}"
        mkdir "$TMPDIR/.apk.$$" && cp "$file" "$TMPDIR/.apk.$$/base.apk" && keep_files "$TMPDIR/.apk.$$/base.apk"
    fi
    print Success ;;
install-create)
    id=$RANDOM
    mkdir -p "$sessions/$id" && print -r -- "Success: created install session [$id]" ;;
install-write)
    [[ -d $sessions/$1 && $2 != */* ]] || { print 'Error: no such session'; exit 1; }
    received "$sessions/$1/$2" || failure INSTALL_PARSE_FAILED_NOT_APK "$sessions/$1/$2"
    print -r -- "Success: streamed $size bytes" ;;
install-commit)
    [[ -d $sessions/$1 ]] || { print 'Error: no such session'; exit 1; }
    for file in "$sessions/$1"/*; do install_file "$file" ""; break; done
    keep_files "$sessions/$1"/*
    rm -rf "$sessions/$1"
    print Success ;;
install-abandon) [[ -d $sessions/${1:?} ]] && rm -rf "$sessions/$1"; print Success ;;
uninstall)
    known || { print 'Failure [DELETE_FAILED_INTERNAL_ERROR]'; exit 1; }
    grep -vxF -e "$name" "$list" >"$list.new.$$"
    rm -rf "$VPHONE/data/app/${name:?}"
    mv -f "$list.new.$$" "$list" && print Success ;;
clear) known || { print Failed; exit 1; }; print Success ;;
enable) known || exit 1; print -r -- "Package $name new state: enabled" ;;
disable|disable-user) known || exit 1; print -r -- "Package $name new state: $verb" ;;
*) print -u2 -r -- "Unknown command: $verb"; exit 255 ;;
esac
)sh";

constexpr std::string_view kAm = R"sh(verb=${1-}
(( $# )) && shift
case $verb in
start|start-activity|startservice|start-service|broadcast)
    text=
    while (( $# )); do
        case $1 in
        -n) text+=" cmp=${2-}"; shift ;;
        -a) text+=" act=${2-}"; shift ;;
        -d) text+=" dat=${2-}"; shift ;;
        esac
        shift
    done
    [[ -n $text ]] || { print -u2 'Error: no intent supplied'; exit 255; }
    case $verb in
    broadcast) print -r -- "Broadcasting: Intent {$text }"; print 'Broadcast completed: result=0' ;;
    *service) print -r -- "Starting service: Intent {$text }" ;;
    *) print -r -- "Starting: Intent {$text }" ;;
    esac ;;
force-stop|kill|kill-all|set-debug-app|clear-debug-app) ;;
get-current-user) print 0 ;;
*) print -u2 -r -- "Unknown command: $verb"; exit 255 ;;
esac
)sh";

constexpr std::string_view kInput = R"sh([[ ${1-} == @(touchscreen|keyboard|mouse|touchpad|dpad) ]] && shift
case ${1-} in
text|keyevent) (( $# >= 2 )) ;;
tap) (( $# == 3 )) ;;
swipe|draganddrop) (( $# == 5 || $# == 6 )) ;;
press|roll) ;;
*) print -u2 -r -- "Error: Unknown command: ${1-}"; exit 255 ;;
esac || { print -u2 -r -- "Error: Invalid arguments for command: $1"; exit 255; }
print -r -- "$*" >>"$VPHONE/.vphone/input"
)sh";

// The answer comes as the end of the connection, as on a phone.
constexpr std::string_view kReboot = R"sh(print "${0##*/}" >"$VPHONE/.vphone/control"
sleep 60
)sh";

constexpr std::string_view kCmd = R"sh(what=${1-}
(( $# )) && shift
case $what in
package) exec pm "$@" ;;
activity) exec am "$@" ;;
settings) exec settings "$@" ;;
window) exec wm "$@" ;;
input) exec input "$@" ;;
*) print -u2 -r -- "cmd: Can't find service: $what"; exit 20 ;;
esac
)sh";

// The user is a different one on the host; people and scripts expect Android's.
constexpr std::string_view kId = R"sh(case ${1-} in
-u|-g|-G) print 2000 ;;
-un|-gn|-Gn) print shell ;;
*) print 'uid=2000(shell) gid=2000(shell) groups=2000(shell)' ;;
esac
)sh";

// One black pixel.
constexpr std::string_view kScreencap =
    R"sh([[ ${1-} == -p ]] || { print -u2 'screencap: only -p is known here'; exit 1; }
print iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg== | base64 -d
)sh";

constexpr std::string_view kLogcat = R"sh(print -r -- '--------- beginning of main'
print -r -- "01-01 00:00:00.000  1000  1000 I vphone  : $(getprop ro.serialno) is up"
[[ " $* " == *' -d '* ]] && exit 0
while :; do
    sleep 1
    print -r -- '01-01 00:00:01.000  1000  1000 I vphone  : still up'
done
)sh";

constexpr std::string_view kBugreportz = R"sh([[ ${1-} != -v ]] || { print -u2 1.0; exit; }
file=/data/local/tmp/bugreport-vphone.zip
print -r -- "not much of a report on $(getprop ro.serialno)" >"$VPHONE$file" || { print FAIL:disk; exit 1; }
print -r -- "OK:$file"
)sh";

// What a health check reads. The values are properties, so that a profile or `setprop` can change them.
constexpr std::string_view kDumpsys = R"sh(case ${1-} in
battery)
    print 'Current Battery Service state:'
    print -r -- "  level: $(getprop sim.battery.level 85)"
    print '  scale: 100'
    print -r -- "  temperature: $(getprop sim.battery.temperature 250)" ;;
power) print '  mWakefulness=Awake' ;;
*) print -u2 -r -- "Can't find service: ${1-}"; exit 1 ;;
esac
)sh";

constexpr std::string_view kWhoami = "print shell\n";

constexpr Program kPrograms[] = {
    {"getprop", kGetprop},     {"setprop", kSetprop}, {"wm", kWm},
    {"settings", kSettings},   {"pm", kPm},           {"am", kAm},
    {"input", kInput},         {"cmd", kCmd},         {"reboot", kReboot},
    {"shutdown", kReboot},     {"id", kId},           {"whoami", kWhoami},
    {"screencap", kScreencap}, {"logcat", kLogcat},   {"bugreportz", kBugreportz},
    {"dumpsys", kDumpsys},
};

constexpr Program kUnprivileged[] = {
    {"touch", "for f; do [[ $f == -* ]] || : >>\"$f\" || exit 1; done\n"},
};

}  // namespace

std::span<const std::string_view> allowed_applets() { return kApplets; }
std::span<const Program> programs() { return kPrograms; }
std::span<const Program> unprivileged_programs() { return kUnprivileged; }

}  // namespace drover::sim
