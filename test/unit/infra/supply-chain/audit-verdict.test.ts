// Facts about the audit of the packages: what nobody has answered is a failure, and no answer of the registry is none.
import { expect, it } from 'vitest';
import { auditVerdict } from '../../../../infra/supply-chain/audit-verdict.ts';

const advisory = { name: 'left', title: 'Left is right', url: 'https://advisories.example/GHSA-aaaa-bbbb-cccc' };
const found = JSON.stringify({ vulnerabilities: { left: { via: [advisory] }, user: { via: ['left'] } } });

it('what is found and answered nowhere is a failure, by its name', () => {
  const { line, isFailure } = auditVerdict(found, 'answers: GHSA-dddd-eeee-ffff');
  expect(isFailure).toBe(true);
  expect(line).toContain('left: Left is right (GHSA-aaaa-bbbb-cccc)');
});

it('what is found and answered is none', () => {
  expect(auditVerdict(found, 'GHSA-aaaa-bbbb-cccc: never called here')).toMatchObject({ isFailure: false });
  expect(auditVerdict(found, 'GHSA-aaaa-bbbb-cccc').line).toContain('1 findings, all answered');
});

it('nothing found is none', () => {
  expect(auditVerdict('{"vulnerabilities":{}}', '').isFailure).toBe(false);
});

it.each(['', 'no JSON', '{"message":"405 Method Not Allowed","error":{}}', 'null'])(
  'a registry that answers %j is said to have given no answer, and fails nothing',
  (output) => {
    const { line, isFailure } = auditVerdict(output, '');
    expect({ isFailure, line }).toEqual({ isFailure: false, line: expect.stringContaining('gave no answer') });
  },
);
