import { beforeEach, describe, expect, it } from 'vitest';
import { seededShares } from '../../../../apps/tracker/src/control/seeded-shares.ts';
import { CONTENT_ID, LogInMemory, OTHER_CONTENT_ID, peerOf, SMALL_CONTENT } from '../../domain/log-of.ts';

let log: LogInMemory;

beforeEach(() => {
  log = LogInMemory.started();
  log.signUp('alice', 'bob');
  log.group('films', 'alice', 'bob');
  log.group('books', 'alice');
  log.share('alice', 'films', 'z');
  log.share('alice', 'books', 'a');
  log.share('bob', 'films', 'b');
  const next = { group: 'films', file: 'z', contentId: OTHER_CONTENT_ID, ...SMALL_CONTENT, replaces: 1 };
  log.as('alice', 'upload_file', next);
});

type Query = Parameters<typeof seededShares>[1];

function named(query: Partial<Query> & Pick<Query, 'user'>) {
  const found = seededShares(log.state, { peerId: peerOf(query.user), of: 'peer', ...query });
  if (typeof found === 'string') return found;
  return found.map(({ group, share }) => `${group.name}/${share.file}/${share.version}`);
}

describe('the shares that a peer seeds', () => {
  it('are all of its user, the oldest first, or those of a group, a file or a version', () => {
    expect(named({ user: 'alice' })).toEqual(['films/z/1', 'books/a/1', 'films/z/2']);
    expect(named({ user: 'alice', group: 'films' })).toEqual(['films/z/1', 'films/z/2']);
    expect(named({ user: 'alice', group: 'films', file: 'b' })).toEqual([]);
    expect(named({ user: 'alice', group: 'films', file: 'z', version: 1 })).toEqual(['films/z/1']);
  });

  it('are not those of another peer of its user, which are the user’s all the same', () => {
    const peerId = peerOf('elsewhere');
    expect(named({ user: 'alice', peerId })).toEqual([]);
    expect(named({ user: 'alice', peerId, of: 'user', group: 'films' })).toEqual(['films/z/1', 'films/z/2']);
    log.as('bob', 'seed_file', { group: 'films', file: 'z', version: 1, contentId: CONTENT_ID });
    expect(named({ user: 'bob', of: 'user' })).toEqual(['films/z/1', 'films/b/1']);
  });

  it.each([
    [{ user: 'alice', group: 'none' }, 'group_not_found'],
    [{ user: 'bob', group: 'books' }, 'not_a_member'],
    [{ user: 'bob', group: 'films', file: 'none' }, 'file_not_found'],
    [{ user: 'bob', group: 'films', file: 'z', version: 3 }, 'version_not_found'],
  ])('of %j are refused as %s', (query, reason) => {
    expect(named(query)).toBe(reason);
  });
});
