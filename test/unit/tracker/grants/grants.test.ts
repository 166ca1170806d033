import { generateKeyPairSync, verify } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Share } from '#domain/state';
import { checkGrant, grantFromText, openGrant } from '#wire/grant';
import { GRANT_LIFETIME_MS } from '#wire/limits';
import { GrantIssuer, LOG_SILENCE_MAX_MS } from '../../../../apps/tracker/src/grants/grants.ts';
import { LogInMemory, peerOf, TRACKER_ID } from '../../domain/log-of.ts';

const NOW_MS = 1_700_000_000_000;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
let log: LogInMemory;
let share: Share;
let silentMs = 0;
let isDisputed = false;
let issuer: GrantIssuer;

const requestOf = (user: string) => ({ group: log.state.groups.get('films')!, share, user, peerId: peerOf(user) });

beforeEach(() => {
  log = LogInMemory.started();
  log.signUp('alice', 'bob');
  log.group('films', 'alice', 'bob');
  log.share('alice', 'films', 'a');
  log.as('bob', 'download_file', { group: 'films', file: 'a' });
  share = log.state.groups.get('films')!.shares.get('a')!;
  silentMs = 0;
  isDisputed = false;
  const replica = {
    state: log.state,
    logSilentMs: () => silentMs,
    get isDisputed() {
      return isDisputed;
    },
  };
  issuer = new GrantIssuer({ replica, identity: { id: TRACKER_ID, privateKey }, now: () => NOW_MS });
});

describe('a grant', () => {
  it('says what the log allows, for two minutes, under the key of the tracker', () => {
    const { grant, grantExpiresAtMs } = issuer.issue(requestOf('bob'))!;
    expect(grantExpiresAtMs).toBe(NOW_MS + GRANT_LIFETIME_MS);
    const opened = openGrant(grantFromText(grant)!, {
      verify: (_trackerId, message, signature) => verify(null, message, publicKey, signature),
    });
    if (!opened.ok) throw new Error(opened.reason);
    const { groupId, shareId, contentId, peerId, asOfOffset } = opened.claims;
    expect(asOfOffset).toBe(log.state.appliedOffset);
    const expected = { groupId, shareId, contentId, peerId, logId: log.state.logId!, revokedAsOf: asOfOffset };
    expect(checkGrant(opened.claims, { ...expected, nowMs: NOW_MS + GRANT_LIFETIME_MS - 1 })).toBeNull();
    expect(checkGrant(opened.claims, { ...expected, nowMs: NOW_MS + GRANT_LIFETIME_MS })).toBe('expired');
    expect(peerId).toBe(peerOf('bob'));
  });

  it('is not given to a member without an accepted download', () => {
    expect(issuer.issue(requestOf('alice'))).toBeNull();
  });

  it('is not given after a logout, or to another user on the same peer', () => {
    log.as('bob', 'logout', {});
    expect(issuer.issue(requestOf('bob'))).toBeNull();
    expect(issuer.issue({ ...requestOf('bob'), user: 'alice' })).toBeNull();
  });

  it('is not given to who has left the group', () => {
    const request = requestOf('bob');
    log.as('bob', 'leave_group', { group: 'films' });
    expect(issuer.issue(request)).toBeNull();
  });

  it('is not given to who seeds the share by now', () => {
    log.as('bob', 'seed_file', { group: 'films', file: 'a', contentId: share.contentId });
    expect(issuer.issue(requestOf('bob'))).toBeNull();
  });

  it('is not given while a checkpoint disputes the state', () => {
    isDisputed = true;
    expect(issuer.isSuspended).toBe(true);
    expect(issuer.issue(requestOf('bob'))).toBeNull();
  });

  it('is given for ten minutes of silence of the log, and no longer', () => {
    silentMs = LOG_SILENCE_MAX_MS;
    expect(issuer.issue(requestOf('bob'))).not.toBeNull();
    silentMs += 1;
    expect(issuer.isSuspended).toBe(true);
    expect(issuer.issue(requestOf('bob'))).toBeNull();
  });
});
