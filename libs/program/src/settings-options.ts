// Owns how settings become the options of a command, and how what stands in the environment and in the file comes to be among
// what its action is given.
import { type Command, Option } from 'commander';
import { FILE_SETTING, readSettingsFile } from './settings-file.ts';
import { kebab, type Setting, type Settings, settle, type SettledValue, variableOf } from './settings.ts';

const COMMANDER_SOURCES = { flag: 'cli', environment: 'env', file: 'config' } as const;

/** Adds the settings of these names, all by default, as options. Before the action runs each has its value, or is undefined. */
export function addSettings(command: Command, settings: Settings, names = Object.keys(settings)): Command {
  const own = Object.fromEntries(names.map((name) => [name, settings[name]!]));
  addSettingOptions(command, own);
  return command.hook('preAction', () => {
    for (const [name, { value, source }] of settledOptions(command, own, settings)) {
      command.setOptionValueWithSource(name, value, COMMANDER_SOURCES[source]);
    }
  });
}

/** Adds settings as options that have the texts of the command line, and those alone. */
export function addSettingOptions(command: Command, settings: Settings): Command {
  for (const [name, setting] of Object.entries(settings)) command.addOption(optionOf(name, setting));
  return command;
}

/**
 * What a command's own settings are, by its line, the environment and the file that either names, which may have any of `all`. To be
 * asked before values take the place of texts. Throws BadInput.
 */
export function settledOptions(command: Command, own: Settings, all = own): ReadonlyMap<string, SettledValue> {
  const told = { flags: command.opts(), environment: process.env, folder: process.cwd() };
  const { [FILE_SETTING]: naming } = own;
  const named = naming && settle({ [FILE_SETTING]: naming }, { ...told, file: null }).get(FILE_SETTING);
  return settle(own, { ...told, file: named === undefined ? null : readSettingsFile(named.text, all) });
}

function optionOf(name: string, { placeholder, meaning, byDefault, isList }: Setting<unknown>): Option {
  const flag = placeholder === null ? `--${kebab(name)}` : `--${kebab(name)} <${placeholder}>`;
  const option = new Option(flag, `${meaning} (default: ${byDefault}; env: ${variableOf(name)})`);
  if (isList !== true) return option;
  return option.argParser((text: string, texts: readonly string[] | undefined) => [...(texts ?? []), text]);
}
