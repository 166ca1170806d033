// Owns what `cohort completion <shell>` prints: a script that makes the shell ask `cohort complete` for what can stand at the
// cursor. The scripts know no command: a newer build completes what it has without a new script.
import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { quotedWord } from './words.ts';

/** Shells that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A shell that there is a script for. */
export type ShellName = (typeof SHELLS)[number];

/** What a script runs: this very program, whose start is the quickest, or what is called `cohort` when that is gone. */
export interface ProgramPlace {
  readonly node: string;
  readonly launcher: string;
}

/** The line that stands for local paths, which the shell completes itself. */
export const PATHS_LINE = '\tpaths';

/** The program that runs now. */
export function programPlace(): ProgramPlace | null {
  const root = findPackageJSON('..', import.meta.url);
  const launcher = join(dirname(root ?? ''), 'infra', 'launcher', 'cohort.mjs');
  return existsSync(launcher) ? { node: process.execPath, launcher } : null;
}

/** The script for a shell. */
export function completionScript(shell: ShellName, place: ProgramPlace | null): string {
  return SCRIPTS[shell](shell === 'fish' ? fishProgram(place) : posixProgram(place));
}

function posixProgram(place: ProgramPlace | null): string {
  const otherwise = `command cohort complete "$@"`;
  if (place === null) return otherwise;
  const [node, launcher] = [quotedWord(place.node), quotedWord(place.launcher)];
  return `if [ -x ${node} ] && [ -f ${launcher} ]; then ${node} ${launcher} complete "$@"; else ${otherwise}; fi`;
}

function fishProgram(place: ProgramPlace | null): string {
  const otherwise = 'command cohort complete $argv';
  if (place === null) return otherwise;
  const [node, launcher] = [fishWord(place.node), fishWord(place.launcher)];
  return `if test -x ${node}; and test -f ${launcher}; ${node} ${launcher} complete $argv; else; ${otherwise}; end`;
}

function fishWord(word: string): string {
  return `'${word.replaceAll(/['\\]/g, '\\$&')}'`;
}

const SCRIPTS: Readonly<Record<ShellName, (program: string) => string>> = {
  bash: (program) => `# Completion of cohort for bash: eval "$(cohort completion bash)" in ~/.bashrc

_cohort_complete() {
  ${program}
} 2>/dev/null

_cohort() {
  local candidate
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("$candidate")
  done < <(_cohort_complete --bash "$COMP_WORDBREAKS" -- "\${COMP_LINE:0:COMP_POINT}")
  # A folder goes on behind its name.
  case "\${#COMPREPLY[@]}:\${COMPREPLY[0]}" in
    1:*/) compopt -o nospace ;;
  esac
}

complete -F _cohort cohort
`,
  zsh: (program) => `#compdef cohort
# Completion of cohort for zsh: eval "$(cohort completion zsh)" in ~/.zshrc

_cohort_complete() {
  ${program}
} 2>/dev/null

_cohort() {
  local line
  local -a candidates shown
  local -i paths=0
  while IFS= read -r line; do
    if [[ $line == $'${PATHS_LINE.replace('\t', '\\t')}' ]]; then
      paths=1
      continue
    fi
    candidates+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done < <(_cohort_complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  if (( $#candidates )); then
    if [[ "\${shown[*]}" == *'  -- '* ]]; then
      compadd -l -d shown -a candidates
    else
      compadd -a candidates
    fi
  fi
  if (( paths )); then _files; fi
}

if [[ \${funcstack[1]} == _cohort ]]; then
  _cohort "$@"
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
  compdef _cohort cohort
fi
`,
  fish: (program) => `# Completion of cohort for fish: cohort completion fish > ~/.config/fish/completions/cohort.fish

function __cohort_complete
    ${program}
end

function __cohort_candidates
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l text (string unescape -- $current; or printf '%s' $current)
    for line in (__cohort_complete -- $before[2..-1] "$text" 2>/dev/null)
        if test "$line" = \\t'${PATHS_LINE.trim()}'
            __fish_complete_path "$text"
        else
            printf '%s\\n' $line
        end
    end
end

complete -c cohort -f -a '(__cohort_candidates)'
`,
};
