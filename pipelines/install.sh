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
  swift package --allow-writing-to-directory "$man" generate-manual --product "$command" --output-directory "$man" --multi-page > /dev/null 2>&1 || true
done
echo "installed $* under $PREFIX"
