// Facts about which machines can prove the deployment.
import { expect, it } from 'vitest';
import { deploySkipReasonOf, type Machine } from './machine.ts';

const able: Machine = { isRoot: true, missingTools: [], debian: 'bookworm', goVersion: 'go1.21.0', daemons: [] };
const reasonOf = (difference: Partial<Machine>): string | null =>
  deploySkipReasonOf({ ...able, ...difference }, '/cache/docker');

it.each([
  [{}],
  [{ goVersion: 'go1.26.8' }],
  [{ goVersion: 'go2.0' }],
  [{ daemons: ['dockerd --data-root /cache/docker --pidfile /cache/docker.pid'] }],
])('a machine with %j can', (difference) => {
  expect(reasonOf(difference)).toBeNull();
});

it.each([
  [{ isRoot: false }, 'only root'],
  [{ missingTools: ['go', 'mvn'] }, 'no go, no mvn on the path'],
  [{ debian: 'trixie' }, 'Debian 12 (bookworm) only, and this is trixie'],
  [{ debian: null }, 'no Debian'],
  [{ goVersion: 'go1.19.8' }, 'needs Go 1.21 or newer, and this is go1.19.8'],
  [{ goVersion: '' }, 'needs Go 1.21'],
  [{ daemons: ['/usr/sbin/dockerd -H fd://'] }, 'another Docker daemon runs here, whose networks it would change'],
])('a machine with %j cannot, and says why', (difference, reason) => {
  expect(reasonOf(difference)).toContain(reason);
});
