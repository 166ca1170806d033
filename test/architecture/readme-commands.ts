// Owns what a command of the README is, and where each of them is run: a README that nobody runs goes stale unnoticed.
// Commands stand in fenced blocks marked `sh`, one a line, `#` begins a comment.

/** What runs commands: the text of the script that proves a fresh clone, npm's scripts, and the texts of the tests. */
export interface CommandRunners {
  readonly proof: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly tests: readonly string[];
}

/** Every command of a Markdown text, `a && b` as two. */
export function commandsOf(markdown: string): string[] {
  const blocks = markdown.matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks]
    .flatMap(([, block]) => (block ?? '').replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .flatMap((line) => line.split('&&').map((command) => command.trim().replace(/\s+/g, ' ')));
}

/** Those of them that read the raw log with what every system has. */
export function rawLogCommandsOf(markdown: string): string[] {
  return commandsOf(markdown).filter((command) => RAW_LOG.test(command));
}

const RAW_LOG = /^(?:kcat|sqlite3|jq) /;

/**
 * The commands that nothing runs: npm's have to be in the proof, `cohort <word>` has to have its word in a test, what begins with
 * `docker` has to stand in one as it is, and one test runs all that read the raw log.
 */
export function commandsNotRun(commands: readonly string[], runners: CommandRunners): string[] {
  const proven = provenCommands(runners);
  return commands.filter((command) => {
    const word = /^(?:npx )?cohort (?:--\S+ \S+ )*(\S+)/.exec(command)?.[1];
    if (word !== undefined) return !runners.tests.some((text) => text.includes(`'${word}'`));
    if (RAW_LOG.test(command)) return !runners.tests.some((text) => text.includes('rawLogCommandsOf('));
    // What deploys is typed by its test as it stands here.
    if (command.startsWith('docker ')) return !runners.tests.some((text) => text.includes(`'${command}'`));
    const isPreparation = /^(?:cd|git clone) /.test(command);
    return !isPreparation && !proven.some((line) => line === command || line.startsWith(`${command} `));
  });
}

/** The commands of the proof without the quoted names of its steps, and what the npm scripts that they call run in turn. */
function provenCommands({ proof, scripts }: CommandRunners): string[] {
  const unquoted = proof.replaceAll(/^ *#.*$/gm, '').replaceAll(/'[^']*'/g, '');
  const proven = [...unquoted.matchAll(/\bnpm (?:ci|start|test|run \S+)[^\n&|;]*/g)].map(([command]) => command.trim());
  for (const command of proven) {
    const name = /^npm (?:run )?(\S+)/.exec(command)?.[1] ?? '';
    const steps = (scripts[name] ?? '').split('&&').map((step) => step.trim());
    proven.push(...steps.filter((step) => step.startsWith('npm ') && !proven.includes(step)));
  }
  return proven;
}
