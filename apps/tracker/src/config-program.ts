// Owns `cohort config`: what a tracker or a peer that is started with the same flags, environment and file is told, setting by
// setting, and from where. What is secret stands in files, so there is nothing here to hide but what is in these.
import type { Command as Program } from 'commander';
import { PEER_SETTINGS } from '#program/peer-settings';
import { addSettingOptions, settledOptions } from '#program/settings-options';
import { kebab, type Settings, variableOf } from '#program/settings';
import { TRACKER_SETTINGS } from '#program/tracker-settings';
import { type Column, renderTable } from '#wire/text-table';

/** One setting as it is printed. */
interface SettingRow {
  readonly setting: string;
  readonly variable: string;
  /** Null when the default holds. */
  readonly value: string | null;
  readonly source: 'flag' | 'environment' | 'file' | 'default';
  /** The flag, the variable, or the file with its line; null for the default. */
  readonly where: string | null;
  readonly default: string;
  readonly meaning: string;
}

const COLUMNS: Column<SettingRow>[] = [
  { heading: 'setting', text: ({ setting }) => setting },
  { heading: 'value', text: ({ value, default: byDefault }) => value ?? `(${byDefault})` },
  { heading: 'from', text: ({ where }) => where ?? 'default' },
  { heading: 'meaning', text: ({ meaning }) => meaning },
];

/** Adds `config` with the programs that have settings. */
export function addConfigCommands(root: Program): void {
  const config = root
    .command('config')
    .description('what a program would be told if it were started now, and from where');
  for (const [name, settings] of Object.entries({ tracker: TRACKER_SETTINGS, peer: PEER_SETTINGS })) {
    const command = config.command(name).description(`the settings of cohort ${name}`);
    addSettingOptions(command, settings)
      .option('--json', 'one line of JSON for each setting')
      .action(({ json = false }: { json?: boolean }) => {
        const rows = rowsOf(settings, command);
        const text = json
          ? rows.map((row) => `${JSON.stringify(row)}\n`).join('')
          : renderTable(rows, COLUMNS, 'there is nothing to set');
        process.stdout.write(text);
      });
  }
}

function rowsOf(settings: Settings, command: Program): SettingRow[] {
  const settled = settledOptions(command, settings);
  return Object.entries(settings).map(([name, { byDefault, meaning }]) => {
    const { text = null, source = 'default' as const, where = null } = settled.get(name) ?? {};
    const setting = kebab(name);
    return { setting, variable: variableOf(name), value: text, source, where, default: byDefault, meaning };
  });
}
