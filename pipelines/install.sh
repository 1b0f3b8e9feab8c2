#!/usr/bin/env bash
# Puts commands, man pages and shell completions under $PREFIX, or removes them again (--remove). Called by `make install`.
set -eu -o pipefail

remove=false
if [ "${1:-}" = --remove ]; then remove=true; shift; fi
bin=$PREFIX/bin
man=$PREFIX/share/man/man1
bash_completions=$PREFIX/share/bash-completion/completions
zsh_completions=$PREFIX/share/zsh/site-functions
fish_completions=$PREFIX/share/fish/vendor_completions.d

if $remove; then
  for command in "$@"; do
    rm -f "$bin/$command" "$man/$command.1" "$man/$command".*.1 "$bash_completions/$command" "$zsh_completions/_$command" "$fish_completions/$command.fish"
  done
  exit 0
fi

mkdir -p "$bin" "$man" "$bash_completions" "$zsh_completions" "$fish_completions"
for command in "$@"; do
  install -m 755 "$BIN/$command" "$bin/$command"
  "$BIN/$command" --generate-completion-script bash > "$bash_completions/$command"
  "$BIN/$command" --generate-completion-script zsh > "$zsh_completions/_$command"
  "$BIN/$command" --generate-completion-script fish > "$fish_completions/$command.fish"
done

# swift-argument-parser's plugin writes one page for each command and subcommand from the texts of --help.
swift package $SWIFT_FLAGS generate-manual --multi-page > /dev/null 2>&1
pages=.build/plugins/GenerateManual/outputs
for command in "$@"; do
  find "$pages" ! -name "*.help.1" \( -name "$command.1" -o -name "$command.*.1" \) -exec install -m 644 {} "$man" \;
  [ -s "$man/$command.1" ] || { echo "install.sh: no manual page was made for $command" >&2; exit 70; }
done
echo "installed $* under $PREFIX"
