# Pipes, subshells, substitutions, here documents, arrays, traps, coprocesses: much forking.
set -o pipefail
echo "arguments: $# $*"
for i in $(seq 20); do
  echo "$(echo $((i * i)) | (read -r n; echo "<$n>"))"
done | tail -n 5
(exit 3); echo "subshell: $?"
false | true; echo "pipefail: $?"
diff <(printf 'a\nb\n') <(printf 'a\nc\n'); echo "process substitution: $?"
declare -A map=([one]=1 [two]=2)
for key in one two; do echo "$key=${map[$key]}"; done
cat <<EOF | tr a-z A-Z
here ${#map[@]} $((1 << 10))
EOF
coproc { while read -r line; do echo "echo $line"; done; }
echo hello >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "coprocess: $answer"
trap 'echo usr1' USR1
kill -USR1 $$
trap 'echo leaving' EXIT
[[ "2024-05-06" =~ ^([0-9]+)-([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
printf '%s\n' {a..c}{1..2} | paste -sd,
printf -v text '%05.1f' 3.14159; echo "$text"
LC_ALL=C.UTF-8 bash -c 'x="größe"; echo ${#x} ${x^^}'
ulimit -s; umask
exec 3< <(yes | head -n 100000); wc -l <&3
nosuchcommand 2>/dev/null; echo "not found: $?"
kill -TERM $BASHPID & wait $!; echo "killed: $?"
exit 4 | cat; echo "${PIPESTATUS[*]}"
