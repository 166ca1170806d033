// Owns the commands that are one record in the log and nothing else: their arguments, the body that is sent, and what a
// person reads when they are accepted. Commands that move files are in file-commands.ts.
import type { Invocation } from './invocation.ts';
import type { TakenAway } from './last-copies.ts';
import { newPassword, password } from './passwords.ts';

/** A command of the table: `usage` names its arguments as commander reads them. */
interface LogCommand {
  readonly usage: string;
  readonly summary: string;
  readonly run: (invocation: Invocation, ...words: string[]) => Promise<void>;
  /** What it takes away of the copies that this peer serves; left out of commands that take none. */
  readonly takesAway?: (...words: string[]) => TakenAway;
}

/** Sends a command and says in words that it was accepted. */
async function send(invocation: Invocation, { name, body, done }: { name: string; body: object; done: string }) {
  const { view } = await invocation.command(name, body);
  invocation.show(view, () => `${done}\n`);
}

const onGroup =
  (name: string, done: (group: string) => string): LogCommand['run'] =>
  (invocation, group) =>
    send(invocation, { name, body: { group }, done: done(group!) });

const onMember =
  (name: string, done: (user: string, group: string) => string): LogCommand['run'] =>
  (invocation, group, user) =>
    send(invocation, { name, body: { group, user }, done: done(user!, group!) });

/** As it was typed, for the peer to refuse, when it is no number. */
function typedCopies(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Every such command by name. */
export const LOG_COMMANDS: Readonly<Record<string, LogCommand>> = {
  create_user: {
    usage: '<user> [password]',
    summary: 'make a user',
    run: async (invocation, user, given) => {
      const chosen = await newPassword(invocation, given, `Password for the new user ${user}`);
      const done = `User ${user} was created. Log in with: ${invocation.typed(`login ${user}`)}`;
      await send(invocation, { name: 'create_user', body: { user, password: chosen }, done });
    },
  },
  login: {
    usage: '<user> [password]',
    summary: 'log in on this peer',
    run: async (invocation, user, given) => {
      const known = await password(invocation, given, `Password of ${user}: `);
      await send(invocation, { name: 'login', body: { user, password: known }, done: `Logged in as ${user}.` });
    },
  },
  logout: {
    usage: '',
    summary: 'log out on this peer; its transfers pause until the next login',
    takesAway: () => ({}),
    run: (invocation) => send(invocation, { name: 'logout', body: {}, done: 'Logged out.' }),
  },
  end_session: {
    usage: '<peerId>',
    summary: 'log out on another peer of yours (sessions shows them)',
    run: (invocation, peerId) =>
      send(invocation, { name: 'end_session', body: { peerId }, done: `The session on ${peerId} has ended.` }),
  },
  change_password: {
    usage: '[password] [newPassword]',
    summary: 'change your password; your sessions on other peers end',
    run: async (invocation, given, chosen) => {
      const old = await password(invocation, given, 'Password now: ');
      const next = await newPassword(invocation, chosen, 'New password');
      const body = { password: old, newPassword: next };
      await send(invocation, { name: 'change_password', body, done: 'The password was changed.' });
    },
  },
  create_group: {
    usage: '<group>',
    summary: 'make a group that you own',
    run: onGroup('create_group', (group) => `Group ${group} was created, and you own it.`),
  },
  join_group: {
    usage: '<group>',
    summary: 'ask to join a group',
    run: onGroup('join_group', (group) => `Asked to join ${group}: its owner decides.`),
  },
  leave_group: {
    usage: '<group>',
    summary: 'leave a group; the last one out dissolves it',
    takesAway: (group) => ({ group: group! }),
    run: onGroup('leave_group', (group) => `You have left ${group}.`),
  },
  accept_request: {
    usage: '<group> <user>',
    summary: 'let a user who asked into a group of yours',
    run: onMember('accept_request', (user, group) => `${user} is a member of ${group} now.`),
  },
  reject_request: {
    usage: '<group> <user>',
    summary: 'turn down a user who asked to join a group of yours',
    run: onMember('reject_request', (user, group) => `The request of ${user} to join ${group} was turned down.`),
  },
  remove_member: {
    usage: '<group> <user>',
    summary: 'remove a member from a group of yours',
    run: onMember('remove_member', (user, group) => `${user} is no member of ${group} any more.`),
  },
  transfer_ownership: {
    usage: '<group> <user>',
    summary: 'hand a group of yours over to another member',
    run: onMember('transfer_ownership', (user, group) => `${user} owns ${group} now.`),
  },
  set_copies: {
    usage: '<group> <copies>',
    summary: 'say how many complete copies of each file a group of yours wants, 0 for no wish',
    run: (invocation, group, copies) => {
      const done = `${group} wants ${copies} complete copies of each of its files.`;
      return send(invocation, { name: 'set_copies', body: { group, copies: typedCopies(copies!) }, done });
    },
  },
};
