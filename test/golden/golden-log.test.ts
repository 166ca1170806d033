import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '#domain/command';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import { REJECTION_REASONS } from '#domain/rejection';
import { decodeLogRecord } from '#wire/log-record';
import { DerivedState } from '../../apps/tracker/src/replica/derived-state.ts';
import { canonicalJson } from '../../apps/tracker/src/replica/effect-digest.ts';
import { readGoldenLog, replayed } from './golden-log.ts';

const versions = Array.from({ length: NEWEST_RULES_VERSION }, (_, index) => index + 1);

describe.each(versions)('the golden log of rules version %i', (rulesVersion) => {
  const { records, outcomes } = readGoldenLog(rulesVersion);

  it('comes to what it came to when it was made', () => {
    expect(replayed(records).outcomes).toEqual(outcomes);
  });

  it('has effects whose fields are in the order in which they are hashed', () => {
    const derived = new DerivedState();
    for (const [offset, text] of records.entries()) {
      const { applied } = derived.apply({ offset, value: Buffer.from(text), sealed: null, appendTimeMs: null });
      const { events, outcome } = applied;
      expect(JSON.stringify([events, outcome]), text).toBe(canonicalJson([events, outcome]));
    }
  });

  it('holds a checkpoint that every tracker agrees with', () => {
    const { derived } = replayed(records);
    expect(derived.checkpoints.agreedSize).toBeGreaterThan(0);
    expect(derived.checkpoints.problem).toBeNull();
  });

  it('comes to another digest when one record is left out, or one byte is another', () => {
    const left = records.filter((_, offset) => offset !== 20);
    expect(replayed(left).outcomes.digest).not.toBe(outcomes.digest);
    const changed = records.map((text, offset) => (offset === 20 ? text.replace('"user":"', '"user":"x') : text));
    expect(changed).not.toEqual(records);
    expect(replayed(changed).outcomes.root).not.toBe(outcomes.root);
  });
});

const namesSince = (rulesVersion: number) => COMMAND_NAMES.filter((name) => COMMANDS[name].sinceRules === rulesVersion);

it.each(versions)(
  'the golden log of version %i has every command that the version brought, accepted and refused',
  (rulesVersion) => {
    const { records, outcomes } = readGoldenLog(rulesVersion);
    for (const name of namesSince(rulesVersion)) {
      const verdicts = outcomes.verdicts.filter(
        (_, offset) => decodeLogRecord(Buffer.from(records[offset]!))?.command.name === name,
      );
      expect(verdicts, name).toContain('accepted');
      expect(new Set(verdicts).size, name).toBeGreaterThan(1);
    }
  },
);

it('the golden logs have every reason for a refusal: version 1 all of its own, version 3 those that it brought', () => {
  const brought = ['version_not_found', 'version_changed'] as const;
  const before = REJECTION_REASONS.filter((reason) => !(brought as readonly string[]).includes(reason));
  expect(new Set(readGoldenLog(1).outcomes.verdicts)).toEqual(new Set(['accepted', ...before]));
  expect(readGoldenLog(3).outcomes.verdicts).toEqual(expect.arrayContaining([...brought]));
});
